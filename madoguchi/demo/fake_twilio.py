"""A fake of Twilio's messaging API: a real HTTP server that refuses what Twilio refuses.

It runs behind ``/demo/twilio`` of the demo and alone in tests. The rules are pure and stand in
:mod:`madoguchi.demo.twilio_rules` and :mod:`madoguchi.demo.twilio_message`, the HTTP side in
:mod:`madoguchi.demo.twilio_api`; delays pass through ``sleep``, so tests need not wait.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from madoguchi.clock import Clock
from madoguchi.demo.fake_voice import FakeVoice
from madoguchi.demo.twilio_api import BASE, TwilioApi
from madoguchi.demo.twilio_journal import Journal
from madoguchi.demo.twilio_message import PATHS, Message, planned, signed
from madoguchi.demo.twilio_rules import START, STOP, Modes

__all__ = ["BASE", "Entry", "FakeTwilio", "Message", "Modes"]

STEP_S = 0.4
RESUME_S = 2.0
WEBHOOK_S = 15.0
KEPT = 500

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the provider's log. ``way``: received from us, or sent to us.

    ``what``: send, list, fetch, other (received); callback, webhook (sent). ``status`` is the HTTP
    answer, None when none came.
    """

    number: int
    at: str
    way: str
    what: str
    sid: str
    detail: str
    status: int | None


class FakeTwilio:
    """One Twilio account with one number.

    ``webhook`` is where messages to the number are posted; ``journal`` keeps them over a restart.
    Give :meth:`run` to a supervisor, or call :meth:`close` at the end.
    """

    def __init__(
        self,
        account_sid: str,
        token: str,
        number: str,
        http: aiohttp.ClientSession,
        *,
        webhook: str = "",
        services: Sequence[str] = (),
        clock: Clock | None = None,
        sleep: Sleep = asyncio.sleep,
        base: str = BASE,
        journal: Path | None = None,
    ) -> None:
        self.account_sid = account_sid
        self.token = token
        self.number = number
        self.webhook = webhook
        self.services = frozenset(services)
        self.modes = Modes()
        self.stopped: set[str] = set()
        self.log: deque[Entry] = deque(maxlen=KEPT)
        self.revision = 0
        self.released = asyncio.Event()
        self.clock = clock or Clock()
        self._journal = Journal(journal)
        self.messages: dict[str, Message] = self._journal.load()
        self._http = http
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()
        self._api = TwilioApi(self, base)
        self.voice = FakeVoice(self, http, base, sleep)
        for message in self.messages.values():
            self._obey(message)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API."""
        return [*self.voice.routes(), *self._api.routes()]

    async def run(self) -> None:
        """Send on what a restart interrupted; at the end of the process stop what is on its way."""
        self.resume()
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    def resume(self) -> None:
        """Move on messages that were on their way when the journal was last written.

        It waits a little first: the hub may not listen yet.
        """
        for message in self.messages.values():
            if message.status in {"queued", "sending", "sent"}:
                self._spawn(self._later(self._progress(message, Modes())))
            elif message.direction == "inbound" and message.hook is None:
                self._spawn(self._later(self._deliver(message)))

    async def close(self) -> None:
        """Stop callbacks that are still to come and let go of requests that hang."""
        self.released.set()
        await self.voice.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def quiet(self) -> None:
        """Return when no message moves and no callback is to come."""
        while self._tasks:
            await asyncio.gather(*self._tasks)

    def behave(self, modes: Modes) -> None:
        """Set how the next requests are answered; requests that hang are let go."""
        self.modes = modes
        self.released.set()
        self.released = asyncio.Event()
        self.revision += 1

    def thread(self, number: str) -> list[Message]:
        """Return what was exchanged with a number, oldest first."""
        return [m for m in self.messages.values() if number in {m.sender, m.recipient}]

    async def receive(
        self, from_: str, body: str, media: Sequence[tuple[str, str]] = ()
    ) -> int | None:
        """Take an SMS for our number and post it to the webhook.

        ``media`` are (URL, media type). A webhook that fails or answers 5xx is called once more
        with the same MessageSid, as Twilio does. Returns the last HTTP status, None for none.
        """
        now = self.clock.now()
        sid = ("MM" if media else "SM") + secrets.token_hex(16)
        arriving = Message(
            sid,
            self.account_sid,
            from_,
            self.number,
            body,
            "receiving",
            "inbound",
            now,
            now,
            media=tuple(media),
        )
        message = self._keep(arriving.moved("received", now))
        self._obey(message)
        return await self._deliver(message)

    def accept(self, form: Mapping[str, str], modes: Modes) -> Message:
        """Take a checked request to send a message; it moves on by itself."""
        now = self.clock.now()
        message = Message(
            "SM" + secrets.token_hex(16),
            self.account_sid,
            form.get("From", self.number),
            form["To"],
            form.get("Body", ""),
            "queued",
            "outbound-api",
            now,
            now,
            callback=form.get("StatusCallback", ""),
            service=form.get("MessagingServiceSid", ""),
        )
        self._keep(message)
        self._spawn(self._progress(message, modes))
        return message

    def note(self, way: str, what: str, sid: str, detail: str, status: int | None) -> None:
        """Write a line of the log."""
        self.revision += 1
        at = self.clock.now().isoformat()
        number = self.log[-1].number + 1 if self.log else 1
        self.log.append(Entry(number, at, way, what, sid, detail, status))

    def _obey(self, message: Message) -> None:
        """Opt a number out or in again, as a keyword in an inbound message asks."""
        word = message.body.strip().upper()
        if message.direction == "inbound" and word in STOP:
            self.stopped.add(message.sender)
        elif message.direction == "inbound" and word in START:
            self.stopped.discard(message.sender)

    async def _later(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await self._sleep(RESUME_S)
        except asyncio.CancelledError:
            work.close()
            raise
        await work

    async def _deliver(self, message: Message) -> int | None:
        """Call the webhook of an inbound message, at most twice."""
        status = None
        for _ in range(2):
            status = await self._post("webhook", message, self.webhook, message.webhook_form())
            if status is not None and status < 500:
                break
        self._keep(replace(message, hook=status or 0))
        return status

    async def _progress(self, message: Message, modes: Modes) -> None:
        """Move a message to its outcome and post the callbacks."""
        reached = [message]
        wait = modes.late_s > 0 or modes.shuffled
        if not wait:
            await self._call_back(reached, modes)
        path = PATHS[modes.outcome]
        done = path.index(message.status) + 1 if message.status in path else 0
        for status in path[done:]:
            await self._sleep(STEP_S)
            message = self._keep(message.moved(status, self.clock.now()))
            reached.append(message)
            if not wait:
                await self._call_back([message], modes)
        if wait:
            await self._sleep(modes.late_s)
            await self._call_back(reached, modes)

    async def _call_back(self, reached: list[Message], modes: Modes) -> None:
        for message in planned(reached, modes):
            if message.callback:
                await self._post("callback", message, message.callback, message.status_form())

    async def _post(
        self, what: str, message: Message, url: str, form: Sequence[tuple[str, str]]
    ) -> int | None:
        body, signature = signed(self.token, url, form)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature,
        }
        status = None
        try:
            timeout = aiohttp.ClientTimeout(total=WEBHOOK_S)
            async with self._http.post(url, data=body, headers=headers, timeout=timeout) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass
        self.note("sent", what, message.sid, message.status, status)
        return status

    def _keep(self, message: Message) -> Message:
        self.messages[message.sid] = message
        self._journal.add(message)
        self.revision += 1
        return message

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
