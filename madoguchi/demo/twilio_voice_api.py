"""The HTTP side of the fake's calls: Calls, Conferences, Participants and Recordings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict

from madoguchi.demo.twilio_door import Door
from madoguchi.demo.twilio_message import VERSION

if TYPE_CHECKING:
    from madoguchi.demo.fake_voice import FakeVoice

PAGE = 50


class VoiceApi:
    """The routes of one account's calls."""

    def __init__(self, voice: FakeVoice, base: str) -> None:
        self._voice = voice
        self._base = base
        self._recorder = voice.recorder
        self._door = Door(voice.twilio, base)

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes of the API."""
        account = f"{self._base}/{VERSION}/Accounts/{{account}}"
        behind, rooms = self._door.behind, f"{account}/Conferences"
        room = f"{rooms}/{{sid}}"
        one = f"{room}/Participants/{{call}}.json"
        takes = f"{account}/Calls/{{sid}}/Recordings"
        return [
            web.post(f"{account}/Calls.json", behind("call", self._call)),
            web.get(f"{account}/Calls/{{sid}}.json", behind("fetch", self._fetch_call)),
            web.post(f"{account}/Calls/{{sid}}.json", behind("change call", self._change_call)),
            web.get(f"{rooms}.json", behind("list", self._list_rooms)),
            web.get(f"{room}.json", behind("fetch", self._fetch_room)),
            web.post(f"{room}.json", behind("change conference", self._change_room)),
            web.post(f"{room}/Participants.json", behind("dial", self._dial)),
            web.get(f"{room}/Participants.json", behind("list", self._list_members)),
            web.get(one, behind("fetch", self._fetch_member)),
            web.post(one, behind("change participant", self._change_member)),
            web.delete(one, behind("remove", self._remove)),
            web.get(f"{account}/Recordings.json", behind("list", self._list_recordings)),
            web.get(f"{account}/Recordings/{{sid}}.json", behind("fetch", self._recording)),
            web.get(f"{account}/Recordings/{{sid}}.wav", behind("sound", self._sound)),
            web.delete(f"{account}/Recordings/{{sid}}.json", behind("delete", self._delete)),
            web.get(f"{takes}.json", behind("list", self._list_takes)),
            web.post(f"{takes}.json", behind("record", self._record)),
            web.post(f"{takes}/{{recording}}.json", behind("change take", self._change_take)),
        ]

    async def _call(self, request: web.Request) -> web.Response:
        form = await _form(request)
        return await self._door.obey("call", request, lambda: self._voice.create(form).resource())

    async def _fetch_call(self, request: web.Request) -> web.Response:
        return web.json_response(self._voice.found(request.match_info["sid"]).resource())

    async def _change_call(self, request: web.Request) -> web.Response:
        call, form = self._voice.found(request.match_info["sid"]), await _form(request)

        def act() -> Mapping[str, Any]:
            return self._voice.update(call, form).resource()

        return await self._door.obey("change call", request, act, 200)

    async def _list_rooms(self, request: web.Request) -> web.Response:
        def fits(room: Mapping[str, Any]) -> bool:
            wanted = {"friendly_name": "FriendlyName", "status": "Status"}
            return all(request.query.get(q, room[f]) == room[f] for f, q in wanted.items())

        rooms = [room.resource() for room in self._voice.rooms.all.values()]
        return _page(request, "conferences", filter(fits, reversed(rooms)))

    async def _fetch_room(self, request: web.Request) -> web.Response:
        return web.json_response(self._voice.rooms.found(request.match_info["sid"]).resource())

    async def _change_room(self, request: web.Request) -> web.Response:
        form = await _form(request)
        room = self._voice.rooms.found(request.match_info["sid"])

        def act() -> Mapping[str, Any]:
            self._voice.rooms.update(room, form)
            return room.resource()

        return await self._door.obey("change conference", request, act, 200)

    async def _dial(self, request: web.Request) -> web.Response:
        form, name = await _form(request), request.match_info["sid"]
        return await self._door.obey("dial", request, lambda: self._voice.rooms.dial(name, form))

    async def _list_members(self, request: web.Request) -> web.Response:
        room = self._voice.rooms.found(request.match_info["sid"])
        members = [one.resource(room.sid) for one in (*room.rung.values(), *room.members.values())]
        return _page(request, "participants", members)

    async def _fetch_member(self, request: web.Request) -> web.Response:
        room, member = self._voice.rooms.member(**_where(request))
        return web.json_response(member.resource(room.sid))

    async def _change_member(self, request: web.Request) -> web.Response:
        form = await _form(request)
        room, member = self._voice.rooms.member(**_where(request))

        def act() -> Mapping[str, Any]:
            self._voice.rooms.change(room, member, form)
            return member.resource(room.sid)

        return await self._door.obey("change participant", request, act, 200)

    async def _remove(self, request: web.Request) -> web.Response:
        _, member = self._voice.rooms.member(**_where(request))
        line = self._voice.lines[member.call.sid]

        def act() -> None:
            self._voice.leave(line, "participant_updated_via_api")

        return await self._door.obey("remove", request, act)

    async def _list_recordings(self, request: web.Request) -> web.Response:
        return _page(request, "recordings", self._recorder.of(request.query.get("CallSid")))

    async def _list_takes(self, request: web.Request) -> web.Response:
        call = self._voice.found(request.match_info["sid"])
        return _page(request, "recordings", self._recorder.of(call.sid))

    async def _record(self, request: web.Request) -> web.Response:
        call, form = self._voice.found(request.match_info["sid"]), await _form(request)
        begin = self._recorder.begin
        return await self._door.obey("record", request, lambda: begin(call, form).resource())

    async def _change_take(self, request: web.Request) -> web.Response:
        where, form = request.match_info, await _form(request)
        one, change = self._recorder.found(where["recording"], where["sid"]), self._recorder.change
        return await self._door.obey(
            "change take", request, lambda: change(one, form).resource(), 200
        )

    async def _delete(self, request: web.Request) -> web.Response:
        one = self._recorder.found(request.match_info["sid"])
        return await self._door.obey("delete", request, lambda: self._recorder.delete(one))

    async def _recording(self, request: web.Request) -> web.Response:
        return web.json_response(self._recorder.found(request.match_info["sid"]).resource())

    async def _sound(self, request: web.Request) -> web.Response:
        found = self._recorder.found(request.match_info["sid"])
        if self._voice.twilio.modes.answer != "ok":
            return await self._door.obey("sound", request, lambda: None)
        return web.Response(body=found.sound(), content_type="audio/x-wav")


def _where(request: web.Request) -> dict[str, str]:
    return {"sid": request.match_info["sid"], "call": request.match_info["call"]}


async def _form(request: web.Request) -> MultiDict[str]:
    raw = (await request.read()).decode("utf-8", "replace")
    return MultiDict(parse_qsl(raw, keep_blank_values=True))


def _page(request: web.Request, name: str, found: Iterable[Mapping[str, Any]]) -> web.Response:
    """Return the first page of a list; the fake never has more."""
    shown = list(found)[: int(request.query.get("PageSize", PAGE))]
    uri = request.rel_url.path_qs
    page = {"first_page_uri": uri, "next_page_uri": None, "previous_page_uri": None, "uri": uri}
    numbers = {"page": 0, "page_size": PAGE, "start": 0, "end": max(0, len(shown) - 1)}
    return web.json_response({name: shown, **page, **numbers})
