"""What the fake posts about calls: documents are fetched at once, callbacks go in some order."""

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

import aiohttp

from madoguchi.demo.twilio_message import signed
from madoguchi.demo.twilio_rules import Modes

WEBHOOK_S = 15.0
TYPE = "application/x-www-form-urlencoded; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a webhook answered; status 0 for no answer."""

    status: int
    text: str = ""
    media_type: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A callback on its way."""

    url: str
    form: Sequence[tuple[str, str]]


class Post:
    """Signed requests to the hub. ``busy`` tells whether calls are going on: callbacks that are to
    be late or shuffled wait until none is.
    """

    def __init__(
        self,
        token: str,
        http: aiohttp.ClientSession,
        modes: Callable[[], Modes],
        busy: Callable[[], bool],
        note: Callable[[str, str, str, int | None], None],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        self._token = token
        self._http = http
        self._modes = modes
        self._busy = busy
        self._note = note
        self._sleep = sleep
        self._waiting: list[Letter] = []
        self._going: asyncio.Task[None] | None = None

    async def fetch(self, url: str, form: Sequence[tuple[str, str]], method: str) -> Fetched:
        """Return what a webhook answers; one that fails or answers 5xx is called once more."""
        headers = {"I-Twilio-Idempotency-Token": secrets.token_hex(16)}
        found = Fetched(0)
        for _ in range(2):
            found = await self._send(url, form, method, headers)
            if found.status and found.status < 500:
                break
        return found

    def tell(self, url: str, form: Sequence[tuple[str, str]]) -> None:
        """Send a callback as soon as the modes allow."""
        if url and self._modes().callbacks:
            self._waiting.append(Letter(url, form))
            self.go()

    def go(self) -> None:
        """Send what may go now."""
        if self._going is None or self._going.done():
            self._going = asyncio.create_task(self._deliver())

    async def quiet(self) -> None:
        """Return when nothing is on its way."""
        while self._going is not None and not self._going.done():
            await asyncio.wait({self._going})

    async def close(self) -> None:
        """Drop what is on its way."""
        if self._going is not None:
            self._going.cancel()
            await asyncio.gather(self._going, return_exceptions=True)

    async def _deliver(self) -> None:
        while self._waiting:
            modes = self._modes()
            held = modes.shuffled or modes.late_s > 0
            if held and self._busy():
                return
            if modes.late_s > 0:
                await self._sleep(modes.late_s)
            letters, self._waiting = self._waiting, []
            if modes.doubled:
                letters = [one for one in letters for _ in range(2)]
            if modes.shuffled:
                random.Random(modes.seed).shuffle(letters)  # noqa: S311 - the order is no secret
            for letter in letters:
                await self._send(letter.url, letter.form, "POST", {})

    async def _send(
        self, url: str, form: Sequence[tuple[str, str]], method: str, more: dict[str, str]
    ) -> Fetched:
        get = method == "GET"
        if get:
            url += ("&" if "?" in url else "?") + urlencode(form)
        body, signature = signed(self._token, url, () if get else form)
        headers = {"User-Agent": "TwilioProxy/1.1", "X-Twilio-Signature": signature, **more}
        headers |= {} if get else {"Content-Type": TYPE}
        found, sid = Fetched(0), dict(form).get("CallSid", "")
        try:
            timeout = aiohttp.ClientTimeout(total=WEBHOOK_S)
            async with self._http.request(
                method, url, data=None if get else body, headers=headers, timeout=timeout
            ) as answer:
                text = await answer.text(errors="replace")
                found = Fetched(answer.status, text, answer.content_type)
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass
        self._note("webhook", sid, url, found.status or None)
        return found
