"""REST of calls: look, and what agents and supervisors do in them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from madoguchi.clock import Clock
from madoguchi.conversations.calls import acts, recordings
from madoguchi.conversations.calls.acts import Doing
from madoguchi.conversations.calls.ice import Ice
from madoguchi.conversations.calls.recent import Which, recent
from madoguchi.conversations.calls.recordings import Part
from madoguchi.conversations.calls.repository import Call as TheCall
from madoguchi.conversations.calls.views import CallViews
from madoguchi.files.service import Files
from madoguchi.http.table import Body, Call, Handler, Nothing, Operation
from madoguchi.model.calls import Happened, Mode, Recording
from madoguchi.model.ids import Id
from madoguchi.model.routing import Assigned, Command, Parked
from madoguchi.security.permissions import Action, NotFound
from madoguchi.store.work import Store, Work

V1 = "/api/v1"
CALLS = f"{V1}/calls"
MOST_DIGITS = 6
WEBM = "audio/webm"
PRIVATE = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


class RecentQuery(Body):
    """Which calls, and from where on: ``before`` is what the last answer gave."""

    of: Which = Which.MINE
    before: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class OnBody(Body):
    """On, or off."""

    on: bool


class ConsultBody(Body):
    """The colleague who is asked."""

    agent: Id


class ParkBody(Body):
    """For how long; then who parked it is asked first."""

    seconds: Annotated[float, Field(gt=0, le=3600)] = 300


class SuperviseBody(Body):
    """How a supervisor takes part."""

    mode: Literal["listen", "whisper", "barge"]


Ask = Callable[[Command], Awaitable[Any]]
"""How the router is asked. Raises Refused."""


@dataclass(frozen=True)
class CallApi:
    """The operations of calls."""

    store: Store
    clock: Clock
    views: CallViews
    ice: Ice
    ask: Ask
    known: Callable[[Id], bool]
    files: Files
    upload: Callable[[web.Request], Awaitable[tuple[str, AsyncIterator[bytes]]]]

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        one, leg = f"{CALLS}/{{id}}", f"{CALLS}/{{id}}/legs/{{leg}}"
        supervise = Action.SUPERVISE
        return [
            Operation("GET", f"{CALLS}/ice", self.servers, "Servers for browsers' connections"),
            Operation("GET", one, self.get, "One call"),
            Operation(
                "GET",
                CALLS,
                self.recent,
                "Calls that have ended, the latest first",
                query=RecentQuery,
                action=Action.READ,
            ),
            _post(f"{leg}/connected", self._own(Happened.CONNECTED), "The own media is up"),
            _post(f"{leg}/mute", self._own(Happened.MUTED), "Be silent"),
            _post(f"{leg}/unmute", self._own(Happened.UNMUTED), "Be heard again"),
            _post(f"{leg}/video", self._shows(Happened.VIDEO), "The own camera", OnBody),
            _post(f"{leg}/screen", self._shows(Happened.SCREEN), "The own screen", OnBody),
            _post(f"{leg}/hold", self._led(Happened.HELD), "Put somebody on hold"),
            _post(f"{leg}/resume", self._led(Happened.RESUMED), "Take off hold"),
            _post(f"{leg}/end", self.leave, "Leave, or let somebody go"),
            _post(f"{one}/consult", self.consult, "Ask a colleague", ConsultBody),
            _post(f"{one}/transfer", self.transfer, "Give the call to who was asked"),
            _post(f"{one}/conference", self.conference, "All talk with each other"),
            _post(
                f"{one}/supervise",
                self.supervise,
                "Listen, whisper or barge in",
                SuperviseBody,
                action=supervise,
            ),
            _post(f"{one}/park", self.park, "Put the call aside", ParkBody),
            _post(f"{one}/hang_up", self.hang_up, "End the call"),
            *self._of_recordings(),
        ]

    def _of_recordings(self) -> list[Operation]:
        one = f"{CALLS}/{{id}}"
        return [
            _post(f"{one}/recording/pause", self._records(Recording.PAUSED), "Stop for a while"),
            _post(f"{one}/recording/resume", self._records(Recording.ON), "Record again"),
            Operation(
                "POST",
                f"{one}/recordings/{{take}}/{{number}}",
                self.part,
                "A part of a recording, as the agent's browser makes it",
                status=204,
                upload=True,
            ),
            Operation("GET", f"{one}/recordings", self.recordings, "What was recorded"),
            Operation("GET", f"{one}/recordings/{{take}}", self.play, "Hear a take"),
        ]

    async def servers(self, call: Call[Nothing]) -> Any:
        """Return the servers by which two browsers find each other."""
        return {"servers": self.ice.servers(call.actor.id)}

    async def get(self, call: Call[Nothing]) -> Any:
        """Return one call that the actor may see."""
        id = call.id()

        def unit() -> Work[Any]:
            yield from acts.look(call.actor, id)
            return (yield from self.views.desk([id]))

        return (await self.store.read(unit))[id].body

    async def recent(self, call: Call[RecentQuery]) -> Any:
        """Return a page of calls that the actor had or may know of."""
        actor, asked, now = call.actor, call.body, self.clock.now()
        return await self.store.read(
            lambda: recent(actor, asked.of, asked.before, asked.limit, now, self.views)
        )

    def _own(self, kind: Happened) -> Handler:
        async def handle(call: Call[Nothing]) -> None:
            await self._do(call, acts.own(kind, call.key("leg")))

        return handle

    def _shows(self, kind: Happened) -> Handler:
        async def handle(call: Call[OnBody]) -> None:
            await self._do(call, acts.own(kind, call.key("leg"), on=call.body.on))

        return handle

    def _led(self, kind: Happened) -> Handler:
        async def handle(call: Call[Nothing]) -> None:
            await self._do(call, acts.led(kind, call.key("leg")))

        return handle

    async def leave(self, call: Call[Nothing]) -> None:
        """Leave the call, or let somebody go whom one has asked; the agent's end is the call's."""
        await self._do(call, acts.leave(call.key("leg")))

    async def consult(self, call: Call[ConsultBody]) -> None:
        """Ring a colleague; the customer is held. 409 ``already_in_call``, ``call_full``."""
        if not self.known(call.body.agent):
            raise NotFound("agent")
        detail = {"agent": call.body.agent}
        await self._do(call, acts.consult(call.body.agent), ("call.consult", detail))

    async def conference(self, call: Call[Nothing]) -> None:
        """Let all hear each other. 409 ``nobody_consulted``."""
        await self._do(call, acts.conference)

    async def transfer(self, call: Call[Nothing]) -> None:
        """Give the call to whoever was asked. 409 ``nobody_consulted``."""
        id, actor = call.id(), call.actor
        one = await self.store.read(lambda: acts.look(actor, id))
        act = acts.Act(actor, one, one.facts, self.clock.now(), self.clock.new_id)
        act.lead()
        to = acts.consulted(one.facts)
        if to.agent is None or one.item is None:
            await self._do(call, acts.hand_over, ("call.hand_over", {"number": to.address}))
            return
        await self.ask(Assigned(one.item, to.agent, actor.id))

    async def supervise(self, call: Call[SuperviseBody]) -> None:
        """Take part in a call as its supervisor; each change is on the audit trail."""
        mode = Mode(call.body.mode)
        await self._do(call, acts.supervise(mode), (f"call.{mode.value}", {}))

    async def park(self, call: Call[ParkBody]) -> None:
        """Put the call aside: its customer hears music, nobody has it, whoever wants pulls it."""
        id, actor = call.id(), call.actor
        one = await self.store.read(lambda: acts.look(actor, id))
        acts.Act(actor, one, one.facts, self.clock.now(), self.clock.new_id).lead()
        if one.item is not None:
            await self.ask(Parked(one.item, actor.id, call.body.seconds))

    async def hang_up(self, call: Call[Nothing]) -> None:
        """End the call for all."""
        await self._do(call, acts.hang_up, ("call.hang_up", {}))

    def _records(self, state: Recording) -> Handler:
        async def handle(call: Call[Nothing]) -> None:
            await self._do(call, acts.recording(state), (f"call.recording_{state.value}", {}))

        return handle

    async def part(self, call: Call[Nothing]) -> None:
        """Take in one part; sending it again changes nothing. 409 ``not_recorded``."""
        number = call.key("number")
        if not number.isascii() or not number.isdecimal() or len(number) > MOST_DIGITS:
            raise NotFound("part")
        if int(number) >= recordings.MOST_PARTS:
            raise NotFound("part")
        one, actor = Part(call.id(), call.id("take"), int(number)), call.actor
        await self.store.read(lambda: recordings.open_for(actor, one, self.clock.now()))
        name, chunks = await self.upload(call.request)
        stored = await self.files.put(name, chunks, str(actor.id))
        await self.store.write(lambda: recordings.keep(actor, one, stored, self.clock.now()))

    async def recordings(self, call: Call[Nothing]) -> Any:
        """Return the takes of a call, with their holes."""
        id, actor = call.id(), call.actor
        return {"takes": await self.store.read(lambda: recordings.takes(actor, id))}

    async def play(self, call: Call[Nothing]) -> Any:
        """Return a take as one file; it is on the audit trail."""
        id, take, now = call.id(), call.id("take"), self.clock.now()
        files = await self.store.write(lambda: recordings.files_of(call.actor, id, take, now))
        found = [await self.files.find(one) for one in files]
        if len(found) == 1:
            one, path = found[0]
            headers = {**PRIVATE, "Content-Type": sound_of(one.media_type)}
            return web.FileResponse(path, headers=headers)
        body = await asyncio.to_thread(recordings.whole, [path for _, path in found])
        return web.Response(body=body, content_type=WEBM, headers=PRIVATE)

    async def _do(
        self, call: Call[Any], doing: Doing, audit: tuple[str, dict[str, Any]] | None = None
    ) -> TheCall:
        id, now = call.id(), self.clock.now()
        return await self.store.write(
            lambda: acts.act(call.actor, id, doing, now, self.clock.new_id, audit)
        )


def sound_of(media_type: str) -> str:
    """Return the media type of a take: what a provider made says it, browsers' parts are webm."""
    return media_type if media_type.startswith("audio/") else WEBM


def _post(
    path: str, handler: Handler, summary: str, body: type[Body] = Nothing, **more: Any
) -> Operation:
    return Operation("POST", path, handler, summary, body, **{"status": 204, **more})
