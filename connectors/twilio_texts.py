"""Text messages that callers have asked for instead of waiting.

Each is sent once and with no promise: a hub that stops in the same second does not send it, and a
caller who gets none calls again.
"""

import asyncio
from collections import OrderedDict

import structlog

from connectors.twilio_controls import TwilioControls
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome

log = structlog.get_logger(__name__)

KEPT = 10_000


class Texts:
    """The text messages of one account, by the call that asked for each."""

    def __init__(self, controls: TwilioControls) -> None:
        self._controls = controls
        self._tasks: OrderedDict[str, asyncio.Task[None]] = OrderedDict()

    def send(self, call: str, to: str, words: str) -> None:
        """Send a message, once for each call."""
        if call in self._tasks:
            return
        self._tasks[call] = asyncio.create_task(self._send(call, to, words))
        while len(self._tasks) > KEPT:
            self._tasks.popitem(last=False)[1].cancel()

    async def _send(self, call: str, to: str, words: str) -> None:
        try:
            await self._controls.text(to, words)
        except (RetryLater, AuthFailed, Rejected, UnknownOutcome) as fault:
            log.warning("a caller got no text message", call=call, why=str(fault))
