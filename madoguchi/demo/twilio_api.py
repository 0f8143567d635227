"""The HTTP side of the fake: authentication, refusals in Twilio's form, faults on demand."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

from madoguchi.demo import twilio_list
from madoguchi.demo.twilio_door import Door
from madoguchi.demo.twilio_message import VERSION
from madoguchi.demo.twilio_rules import check_sending

if TYPE_CHECKING:
    from madoguchi.demo.fake_twilio import FakeTwilio

BASE = "/demo/twilio"


class TwilioApi:
    """The routes of one account's messages."""

    def __init__(self, twilio: FakeTwilio, base: str) -> None:
        self._twilio = twilio
        self._base = base
        self._door = Door(twilio, base)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API; every other path below ``base`` is 404 in its form."""
        door = self._door
        account = f"{self._base}/{VERSION}/Accounts/{{account}}"
        return [
            web.post(f"{account}/Messages.json", door.behind("send", self._send)),
            web.get(f"{account}/Messages.json", door.behind("list", self._list)),
            web.get(f"{account}/Messages/{{sid}}.json", door.behind("fetch", self._fetch)),
            web.route("*", f"{self._base}/{{rest:.*}}", door.behind("other", door.missing)),
        ]

    async def _send(self, request: web.Request) -> web.Response:
        twilio = self._twilio
        raw = (await request.read()).decode("utf-8", "replace")
        form = MultiDict(parse_qsl(raw, keep_blank_values=True))
        modes = twilio.modes
        check_sending(form, frozenset({twilio.number}), twilio.services, twilio.stopped)
        return await self._door.obey("send", request, lambda: twilio.accept(form, modes).resource())

    async def _list(self, request: web.Request) -> web.Response:
        twilio = self._twilio
        page = twilio_list.page(twilio.account_sid, twilio.messages.values(), request.query)
        twilio.note("received", "list", "", str(len(page["messages"])), 200)
        return web.json_response(page)

    async def _fetch(self, request: web.Request) -> web.Response:
        message = self._twilio.messages.get(request.match_info["sid"])
        if message is None:
            return await self._door.missing(request)
        self._twilio.note("received", "fetch", message.sid, message.status, 200)
        return web.json_response(message.resource())
