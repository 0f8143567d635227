"""A fake of Twilio's messaging API: a real HTTP server that refuses what Twilio refuses.

It runs behind ``/demo/twilio`` of the demo and alone in tests. The rules are pure and stand in
:mod:`madoguchi.demo.twilio_rules`; delays pass through ``sleep``, so tests need not wait.
"""

import asyncio
import base64
import binascii
import hmac
import secrets
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

import aiohttp
from aiohttp import web
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from madoguchi.clock import Clock
from madoguchi.demo import twilio_list
from madoguchi.demo.twilio_rules import (
    PATHS,
    START,
    STOP,
    VERSION,
    Message,
    Modes,
    Refusal,
    check_sending,
    planned,
)

BASE = "/demo/twilio"
STEP_S = 0.4
HANG_S = 60.0
WEBHOOK_S = 15.0
KEPT = 500
GARBAGE = "<!DOCTYPE html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"

Sleep = Callable[[float], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the provider's log. ``way``: received from us, or sent to us.

    ``what``: send, list, fetch (received); callback, webhook (sent). ``status`` is the HTTP answer,
    None when none came.
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

    ``webhook`` is where messages to the number are posted. Give :meth:`run` to a supervisor, or
    call :meth:`close` at the end.
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
    ) -> None:
        self.account_sid = account_sid
        self.token = token
        self.number = number
        self.webhook = webhook
        self.modes = Modes()
        self.messages: dict[str, Message] = {}
        self.stopped: set[str] = set()
        self.log: deque[Entry] = deque(maxlen=KEPT)
        self.revision = 0
        self._http = http
        self._services = frozenset(services)
        self._clock = clock or Clock()
        self._sleep = sleep
        self._base = base
        self._tasks: set[asyncio.Task[None]] = set()
        self._released = asyncio.Event()

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API."""
        account = f"{self._base}/{VERSION}/Accounts/{{account}}"
        return [
            web.post(f"{account}/Messages.json", self._door(self._send)),
            web.get(f"{account}/Messages.json", self._door(self._list)),
            web.get(f"{account}/Messages/{{sid}}.json", self._door(self._fetch)),
            web.route("*", f"{self._base}/{{rest:.*}}", self._door(self._missing)),
        ]

    async def run(self) -> None:
        """Wait for the end of the process, then stop what is still on its way."""
        try:
            await asyncio.Event().wait()
        finally:
            await self.close()

    async def close(self) -> None:
        """Stop callbacks that are still to come and let go of requests that hang."""
        self._released.set()
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
        self._released.set()
        self._released = asyncio.Event()
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
        now = self._clock.now()
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
        word = body.strip().upper()
        if word in STOP:
            self.stopped.add(from_)
        elif word in START:
            self.stopped.discard(from_)
        status = None
        for _ in range(2):
            status = await self._post("webhook", message, self.webhook, message.webhook_form())
            if status is not None and status < 500:
                break
        return status

    def signed(
        self, url: str, form: Sequence[tuple[str, str]], token: str | None = None
    ) -> tuple[bytes, dict[str, str]]:
        """Return the body and headers of a signed webhook, as Twilio makes them."""
        body = urlencode(form, errors="surrogatepass").encode()
        read = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
        signature = RequestValidator(token or self.token).compute_signature(url, read)
        return body, {
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "I-Twilio-Idempotency-Token": secrets.token_hex(16),
            "User-Agent": "TwilioProxy/1.1",
            "X-Twilio-Signature": signature,
        }

    def _door(
        self, handler: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """Return a handler behind authentication whose refusals have Twilio's form."""

        async def handle(request: web.Request) -> web.Response:
            try:
                self._authenticate(request)
                account = request.match_info.get("account", self.account_sid)
                if account != self.account_sid:
                    await self._missing(request)
                return await handler(request)
            except Refusal as refusal:
                what = {"POST": "send", "GET": "list"}.get(request.method, "other")
                self._note("received", what, "", str(refusal.code), refusal.status)
                headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
                return web.json_response(
                    refusal.json(),
                    status=refusal.status,
                    headers=headers if refusal.status == 401 else None,
                )

        return handle

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            pair = b""
        wanted = f"{self.account_sid}:{self.token}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(pair, wanted):
            raise Refusal(20003, "Authenticate", 401)

    async def _missing(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(self._base)
        raise Refusal(20404, f"The requested resource {path[:200]} was not found", 404)

    async def _send(self, request: web.Request) -> web.Response:
        raw = (await request.read()).decode("utf-8", "replace")
        form = MultiDict(parse_qsl(raw, keep_blank_values=True))
        check_sending(form, frozenset({self.number}), self._services, self.stopped)
        modes = self.modes
        if modes.once:
            self.modes = modes.model_copy(update={"answer": "ok", "once": False})
        if modes.answer == "429":
            return self._busy(modes)
        if modes.answer == "400":
            raise Refusal(modes.code, f"Refused on demand ({modes.code})")
        if modes.answer != "ok" and not modes.taken:
            self._note("received", "send", "", modes.answer, None)
            return await self._fault(request, modes.answer)
        message = self._accept(form, modes)
        if modes.answer != "ok":
            return await self._fault(request, modes.answer)
        return web.json_response(message.resource(), status=201)

    def _busy(self, modes: Modes) -> web.Response:
        refusal = Refusal(20429, "Too Many Requests", 429)
        self._note("received", "send", "", str(refusal.code), refusal.status)
        wait = modes.retry_after_s
        headers = {} if wait is None else {"Retry-After": str(wait)}
        return web.json_response(refusal.json(), status=429, headers=headers)

    def _accept(self, form: MultiDict[str], modes: Modes) -> Message:
        now = self._clock.now()
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
        answered = {"ok": 201, "500": 500, "garbage": 200}.get(modes.answer)
        self._note("received", "send", message.sid, modes.answer, answered)
        self._spawn(self._progress(message, modes))
        return message

    async def _fault(self, request: web.Request, answer: str) -> web.Response:
        if answer == "500":
            body = Refusal(20500, "An internal server error has occurred", 500).json()
            return web.json_response(body, status=500)
        if answer == "garbage":
            return web.Response(text=GARBAGE, content_type="text/html")
        if answer == "hang":
            try:
                async with asyncio.timeout(HANG_S):
                    await self._released.wait()
            except TimeoutError:
                pass
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)

    async def _list(self, request: web.Request) -> web.Response:
        page = twilio_list.page(self.account_sid, self.messages.values(), request.query)
        found = len(page["messages"])
        self._note("received", "list", "", str(found), 200)
        return web.json_response(page)

    async def _fetch(self, request: web.Request) -> web.Response:
        message = self.messages.get(request.match_info["sid"])
        if message is None:
            return await self._missing(request)
        self._note("received", "fetch", message.sid, message.status, 200)
        return web.json_response(message.resource())

    async def _progress(self, message: Message, modes: Modes) -> None:
        """Move a message to its outcome and post the callbacks."""
        reached = [message]
        wait = modes.late_s > 0 or modes.shuffled
        if not wait:
            await self._call_back(reached, modes)
        for status in PATHS[modes.outcome]:
            await self._sleep(STEP_S)
            message = self._keep(message.moved(status, self._clock.now()))
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
        body, headers = self.signed(url, form)
        status = None
        try:
            timeout = aiohttp.ClientTimeout(total=WEBHOOK_S)
            async with self._http.post(url, data=body, headers=headers, timeout=timeout) as answer:
                status = answer.status
        except (aiohttp.ClientError, TimeoutError, ValueError):
            pass
        self._note("sent", what, message.sid, message.status, status)
        return status

    def _keep(self, message: Message) -> Message:
        self.messages[message.sid] = message
        self.revision += 1
        return message

    def _note(self, way: str, what: str, sid: str, detail: str, status: int | None) -> None:
        self.revision += 1
        at = self._clock.now().isoformat()
        number = self.log[-1].number + 1 if self.log else 1
        self.log.append(Entry(number, at, way, what, sid, detail, status))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
