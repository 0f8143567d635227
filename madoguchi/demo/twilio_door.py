"""Who may ask the fake, refusals in Twilio's form, faults on demand."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from madoguchi.demo.twilio_rules import Modes, Refusal

if TYPE_CHECKING:
    from madoguchi.demo.fake_twilio import FakeTwilio

HANG_S = 60.0
GARBAGE = "<!DOCTYPE html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"

Handler = Callable[[web.Request], Awaitable[web.Response]]


class Door:
    """The door of one account's API."""

    def __init__(self, twilio: FakeTwilio, base: str) -> None:
        self._twilio = twilio
        self._base = base

    def behind(self, what: str, handler: Handler) -> Handler:
        """Return a handler behind authentication whose refusals have Twilio's form."""

        async def handle(request: web.Request) -> web.Response:
            try:
                self._authenticate(request)
                self._readable(request)
                account = request.match_info.get("account", self._twilio.account_sid)
                if account != self._twilio.account_sid:
                    return await self.missing(request)
                return await handler(request)
            except Refusal as refusal:
                self._twilio.note("received", what, "", str(refusal.code), refusal.status)
                return _refused(refusal)

        return handle

    def _authenticate(self, request: web.Request) -> None:
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        try:
            pair = base64.b64decode(encoded, validate=True)
        except (binascii.Error, ValueError):
            pair = b""
        wanted = f"{self._twilio.account_sid}:{self._twilio.token}".encode()
        if scheme.lower() != "basic" or not hmac.compare_digest(pair, wanted):
            raise Refusal(20003, "Authenticate", 401)

    def _readable(self, request: web.Request) -> None:
        if request.method == "GET" and self._twilio.modes.reads != "ok":
            raise Refusal(20500, "An internal server error has occurred", 500)

    async def missing(self, request: web.Request) -> web.Response:
        """Refuse a path that there is not. Raises Refusal."""
        path = request.path.removeprefix(self._base)
        raise Refusal(20404, f"The requested resource {path[:200]} was not found", 404)

    async def obey(
        self,
        what: str,
        request: web.Request,
        act: Callable[[], Mapping[str, Any] | None],
        status: int = 201,
    ) -> web.Response:
        """Answer a request that changes something as the modes say; ``act`` does it and returns the
        resource, None for no content.
        """
        twilio, modes = self._twilio, self._twilio.modes
        if modes.once:
            twilio.modes = modes.model_copy(update={"answer": "ok", "once": False})
        if modes.answer == "429":
            return self._busy(what, modes)
        if modes.answer == "400":
            raise Refusal(modes.code, f"Refused on demand ({modes.code})")
        made = act() if modes.answer == "ok" or modes.taken else None
        told = {"ok": status, "500": 500, "garbage": 200}.get(modes.answer)
        twilio.note("received", what, str((made or {}).get("sid", "")), modes.answer, told)
        if modes.answer != "ok":
            return await self._fault(request, modes.answer)
        return web.Response(status=204) if made is None else web.json_response(made, status=status)

    def _busy(self, what: str, modes: Modes) -> web.Response:
        refusal = Refusal(20429, "Too Many Requests", 429)
        self._twilio.note("received", what, "", str(refusal.code), refusal.status)
        answer = _refused(refusal)
        if modes.retry_after_s is not None:
            answer.headers["Retry-After"] = str(modes.retry_after_s)
        return answer

    async def _fault(self, request: web.Request, answer: str) -> web.Response:
        if answer == "500":
            return _refused(Refusal(20500, "An internal server error has occurred", 500))
        if answer == "garbage":
            return web.Response(text=GARBAGE, content_type="text/html")
        if answer == "hang":
            with suppress(TimeoutError):
                async with asyncio.timeout(HANG_S):
                    await self._twilio.released.wait()
        if request.transport is not None:
            request.transport.abort()
        return web.Response(status=500)


def _refused(refusal: Refusal) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if refusal.status == 401 else {}
    return web.json_response(refusal.json(), status=refusal.status, headers=headers)
