"""The HTTP side of the fake: authentication, refusals in Twilio's form, faults on demand."""

from __future__ import annotations

import asyncio
import base64
import binascii
import hmac
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

from madoguchi.demo import twilio_list
from madoguchi.demo.twilio_message import VERSION, Message
from madoguchi.demo.twilio_rules import Modes, Refusal, check_sending

if TYPE_CHECKING:
    from madoguchi.demo.fake_twilio import FakeTwilio

BASE = "/demo/twilio"
HANG_S = 60.0
GARBAGE = "<!DOCTYPE html><title>502 Bad Gateway</title><h1>Bad Gateway</h1>"

Handler = Callable[[web.Request], Awaitable[web.Response]]


class TwilioApi:
    """The routes of one account's messages."""

    def __init__(self, twilio: FakeTwilio, base: str) -> None:
        self._twilio = twilio
        self._base = base

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API; every other path below ``base`` is 404 in its form."""
        account = f"{self._base}/{VERSION}/Accounts/{{account}}"
        return [
            web.post(f"{account}/Messages.json", self._door("send", self._send)),
            web.get(f"{account}/Messages.json", self._door("list", self._list)),
            web.get(f"{account}/Messages/{{sid}}.json", self._door("fetch", self._fetch)),
            web.route("*", f"{self._base}/{{rest:.*}}", self._door("other", self._missing)),
        ]

    def _door(self, what: str, handler: Handler) -> Handler:
        """Return a handler behind authentication whose refusals have Twilio's form."""

        async def handle(request: web.Request) -> web.Response:
            try:
                self._authenticate(request)
                account = request.match_info.get("account", self._twilio.account_sid)
                if account != self._twilio.account_sid:
                    return await self._missing(request)
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

    async def _missing(self, request: web.Request) -> web.Response:
        path = request.path.removeprefix(self._base)
        raise Refusal(20404, f"The requested resource {path[:200]} was not found", 404)

    async def _send(self, request: web.Request) -> web.Response:
        twilio = self._twilio
        raw = (await request.read()).decode("utf-8", "replace")
        form = MultiDict(parse_qsl(raw, keep_blank_values=True))
        check_sending(form, frozenset({twilio.number}), twilio.services, twilio.stopped)
        modes = twilio.modes
        if modes.once:
            twilio.modes = modes.model_copy(update={"answer": "ok", "once": False})
        if modes.answer == "429":
            return self._busy(modes)
        if modes.answer == "400":
            raise Refusal(modes.code, f"Refused on demand ({modes.code})")
        message = None
        if modes.answer == "ok" or modes.taken:
            message = twilio.accept(form, modes)
        return await self._answer(request, modes.answer, message)

    async def _answer(
        self, request: web.Request, answer: str, message: Message | None
    ) -> web.Response:
        sid = message.sid if message else ""
        status = {"ok": 201, "500": 500, "garbage": 200}.get(answer)
        self._twilio.note("received", "send", sid, answer, status)
        if answer == "ok" and message is not None:
            return web.json_response(message.resource(), status=201)
        return await self._fault(request, answer)

    def _busy(self, modes: Modes) -> web.Response:
        refusal = Refusal(20429, "Too Many Requests", 429)
        self._twilio.note("received", "send", "", str(refusal.code), refusal.status)
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

    async def _list(self, request: web.Request) -> web.Response:
        twilio = self._twilio
        page = twilio_list.page(twilio.account_sid, twilio.messages.values(), request.query)
        twilio.note("received", "list", "", str(len(page["messages"])), 200)
        return web.json_response(page)

    async def _fetch(self, request: web.Request) -> web.Response:
        message = self._twilio.messages.get(request.match_info["sid"])
        if message is None:
            return await self._missing(request)
        self._twilio.note("received", "fetch", message.sid, message.status, 200)
        return web.json_response(message.resource())


def _refused(refusal: Refusal) -> web.Response:
    headers = {"WWW-Authenticate": 'Basic realm="Twilio API"'} if refusal.status == 401 else {}
    return web.json_response(refusal.json(), status=refusal.status, headers=headers)
