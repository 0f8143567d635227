"""The widget's sockets on ``/widget/live``.

What a visitor sends is durable in the inbox before it is answered; what the center says arrives as
the log, filtered by the audience of this visitor.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from aiohttp import web
from sqlalchemy import select

from connectors import attributes, web_call
from connectors.signals import Signals
from connectors.web_chat import CALLBACK_ACTS, WebChat
from connectors.web_chat_rest import WidgetPorts, WidgetRest, whole_minutes
from madoguchi.conversations.calls import views as call_views
from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.files.tables import file
from madoguchi.http.limits import Limiter
from madoguchi.http.problems import Problem
from madoguchi.http.table import Operation
from madoguchi.live.relay import THERE
from madoguchi.live.server import make, push
from madoguchi.live.tail import Event, Reader
from madoguchi.model import log
from madoguchi.model.conversation import UNFINISHED, ConversationState, Visibility
from madoguchi.model.ids import Id, is_id
from madoguchi.model.log import Entity
from madoguchi.store.work import Conflict, Unavailable, Work
from router.views import somebody_is_there
from unified_profile.identity import called

NAMESPACE = "/visitor"
EVENTS = ("hello", "send", "typing", "seen", "identify", "leave", "callback", "call", "signal")
HEARTBEAT_S = 15.0
POSITION_S = 5.0
HISTORY = 200
MOST_FILES = 10
MOST_DIGITS = 40


class Desks(Protocol):
    """The desks' side."""

    async def visitor_typing(self, id: Id, name: str, *, on: bool) -> None:
        """Tell the desks that have a conversation open."""
        ...


@dataclass(eq=False)
class Visitor:
    """One connected widget."""

    sid: str
    connector: WebChat
    id: str
    client: str
    reader: Reader
    conversation: Id | None = None
    page: dict[str, Any] | None = None
    language: str = ""
    told: tuple[int | None, bool, int | None] | None = None
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class WidgetServer:
    """All widgets that are connected to this process."""

    def __init__(self, ports: WidgetPorts) -> None:
        self._ports = ports
        self._rest = WidgetRest(ports)
        self._signals = Signals(ports.store, ports.relay)
        ports.relay.door(self._deliver)
        self._visitors: dict[str, Visitor] = {}
        self._desks: Desks | None = None
        # Anybody may be a visitor: a person makes a few events a second, a reload a handful.
        self._events = Limiter(ports.clock, rate=10, burst=150)
        self._starts = Limiter(ports.clock, rate=0.1, burst=6)
        self._acts = Limiter(ports.clock, rate=1, burst=30)
        self._leaves = Limiter(ports.clock, rate=0.1, burst=5)
        self.server = make("*")
        self.server.on("connect", self._connect, namespace=NAMESPACE)
        self.server.on("disconnect", self._disconnect, namespace=NAMESPACE)
        for name in EVENTS:
            self.server.on(name, self._handler(name), namespace=NAMESPACE)

    def hears_desk(self, desks: Desks) -> None:
        """Join the desks' side."""
        self._desks = desks

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the widget's REST."""
        return self._rest.routes()

    def operations(self) -> list[Operation]:
        """Return the operations of the widget's REST, for the OpenAPI document."""
        return self._rest.operations()

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> bool:
        if not isinstance(auth, dict):
            return False
        connector = self._ports.registry.by_key(str(auth.get("account", "")))
        if not isinstance(connector, WebChat):
            return False
        host = environ.get("HTTP_HOST", "")
        if not self._rest.allowed(connector, environ.get("HTTP_ORIGIN"), host):
            return False
        request = environ["aiohttp.request"]
        try:
            id = self._rest.visitor_of(connector, auth.get("token"))
        except Problem:
            await self.server.emit("unknown_visitor", {}, to=sid, namespace=NAMESPACE)
            return False

        async def deliver(events: Sequence[Event]) -> None:
            for event in events:
                self._heard(visitor, event)
            await push(self.server, sid, NAMESPACE, "event", *events)

        client = self._ports.client_of(request)
        visitor = Visitor(sid, connector, id, client, Reader(deliver, visitor=True))
        self._visitors[sid] = visitor
        return True

    def _heard(self, visitor: Visitor, event: Event) -> None:
        if event["entity"] == Entity.CONVERSATION and event["view"] is not None:
            visitor.conversation = event["id"]
            visitor.told = None

    async def _disconnect(self, sid: str, *_: Any) -> None:
        visitor = self._visitors.pop(sid, None)
        if visitor is not None:
            self._ports.tail.leave(visitor.reader)

    def _handler(self, name: str) -> Callable[..., Any]:
        act = getattr(self, f"_on_{name}")

        async def handle(sid: str, data: Any = None) -> Any:
            visitor = self._visitors.get(sid)
            if visitor is None:
                return {"ok": False, "code": "unknown_visitor"}
            try:
                self._events.require(visitor.id, "too much at once; wait a little")
                return await act(visitor, data if isinstance(data, dict) else {})
            except Problem as problem:
                if problem.status == 429:
                    self._ports.refused(f"visitor.{name}")
                return {"ok": False, "code": problem.code, "detail": problem.detail}
            except (Conflict, Unavailable):
                detail = "could not be stored; it will be sent again"
                return {"ok": False, "code": "unavailable", "detail": detail}

        return handle

    async def _on_hello(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        visitor.language = str(data.get("language", ""))[:8]
        if isinstance(data.get("page"), dict):
            visitor.page = {k: str(data["page"].get(k, ""))[:500] for k in ("url", "title")}
        store = self._ports.store
        mine = log.visitor(visitor.connector.account.id, visitor.id)
        self._ports.tail.join(visitor.reader, [mine])
        pos = data.get("pos")
        found = None
        if isinstance(pos, int) and not isinstance(pos, bool) and pos >= 0:
            found = await self._ports.tail.resume(visitor.reader, pos)
        if found is not None:
            answer: dict[str, Any] = {"mode": "resume", "pos": found[0], "events": found[1]}
            visitor.conversation = await store.read(lambda: _newest(visitor))
        else:
            head = self._ports.tail.go_live(visitor.reader)
            shown = await store.read(lambda: self._snapshot(visitor))
            answer = {"mode": "snapshot", "pos": head, **shown}
        position = await store.read(lambda: self._positions([visitor]))
        return {
            **answer,
            "position": position.get(visitor.sid),
            "now": self._ports.clock.now(),
        }

    def _snapshot(self, visitor: Visitor) -> Work[dict[str, Any]]:
        id = yield from _newest(visitor)
        visitor.conversation = id
        if id is None:
            return {"conversation": None, "messages": [], "calls": []}
        views = yield from self._ports.render.visitor([id])
        rows = yield (
            select(message)
            .where(
                message.c.conversation == id,
                message.c.visibility == Visibility.PUBLIC.value,
                message.c.account.is_(None) | (message.c.account == visitor.connector.account.id),
            )
            .order_by(
                message.c.occurred_at.desc(), message.c.received_at.desc(), message.c.id.desc()
            )
            .limit(HISTORY)
        )
        now = self._ports.clock.now()
        calls = yield from call_views.of_thread(visitor.connector.account.id, visitor.id, now)
        shown = yield from self._ports.calls.visitor(calls)
        return {
            "calls": call_views.for_client(calls, shown),
            "conversation": views[id].body,
            "messages": [self._ports.render.visitor_message_body(r) for r in reversed(rows)],
        }

    async def _on_send(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        """Take a message in. Turns are first come, first served: the visitor's order is kept."""
        text = data.get("text", "")
        files = data.get("files") or []
        limit = visitor.connector.capabilities.text_limit or 10_000
        if not is_id(data.get("id")) or not isinstance(text, str):
            return {"ok": False, "code": "invalid", "detail": "id and text are needed"}
        if not isinstance(files, list) or len(files) > MOST_FILES:
            detail = f"files are a list of at most {MOST_FILES}"
            return {"ok": False, "code": "invalid", "detail": detail}
        if len(text) > limit:
            return {"ok": False, "code": "too_long", "detail": f"at most {limit} characters"}
        if not text.strip() and not files:
            return {"ok": False, "code": "empty", "detail": "there is nothing to send"}
        self._rest.messages.require(visitor.id, "too many messages; wait a little")
        body: dict[str, Any] = {
            "text": text,
            "page": visitor.page,
            "language": visitor.language,
            "topic": data.get("topic") if isinstance(data.get("topic"), str) else None,
            "attributes": attributes.kept(data.get("attributes")),
        }
        async with visitor.turn:
            if files:
                body["files"] = await self._files(visitor, files)
            event = visitor.connector.event(visitor.id, "message", str(data["id"]), _plain(body))
            stored = self._ports.inbox.post(visitor.connector.account.id, [event])
        await stored
        return {"ok": True}

    async def _files(self, visitor: Visitor, files: Any) -> list[dict[str, Any]]:
        ids = list(dict.fromkeys(str(id) for id in files))

        def unit() -> Work[list[dict[str, Any]]]:
            rows = yield select(file).where(
                file.c.id.in_([id for id in ids if is_id(id)]),
                file.c.uploaded_by == f"visitor:{visitor.id}",
            )
            return [
                {"id": r.id, "name": r.name, "media_type": r.media_type, "size": r.size}
                for r in rows
            ]

        found = await self._ports.store.read(unit)
        if len(found) != len(ids):
            raise Problem(422, "unknown_file", "a file is not there any more; attach it again")
        return found

    async def _on_typing(self, visitor: Visitor, data: dict[str, Any]) -> None:
        if visitor.conversation and self._desks is not None:
            await self._desks.visitor_typing(visitor.conversation, "", on=data.get("on") is True)

    async def _on_seen(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        delivered = data.get("delivered") or []
        if not isinstance(delivered, list) or len(delivered) > 200:
            return {"ok": False, "code": "invalid"}
        body = {
            "delivered": [str(id) for id in delivered if is_id(id)],
            "read_to": str(data["read_to"])[:40] if data.get("read_to") else None,
        }
        self._rest.messages.require(f"seen:{visitor.id}", "too many marks")
        event = visitor.connector.event(
            visitor.id, "seen", f"seen-{self._ports.clock.new_id()}", body
        )
        await self._ports.inbox.put(visitor.connector.account.id, [event])
        return {"ok": True}

    async def _on_identify(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        why = visitor.connector.check_identity(data, self._ports.clock.now())
        if why is not None:
            return {"ok": False, "code": "not_identified", "detail": why}
        body = {
            "customer": data["id"],
            "name": data.get("name", ""),
            "phone": data.get("phone", ""),
            "mail": data.get("mail", ""),
            "attributes": data.get("attributes") or {},
        }
        name = f"identify-{data['signature'][:32]}"
        event = visitor.connector.event(visitor.id, "identify", name, body)
        await self._ports.inbox.put(visitor.connector.account.id, [event])
        return {"ok": True}

    async def _on_leave(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        self._leaves.require(visitor.id, "you have left already")
        name = f"leave-{self._ports.clock.new_id()}"
        event = visitor.connector.event(visitor.id, "leave", name, {})
        await self._ports.inbox.put(visitor.connector.account.id, [event])
        return {"ok": True}

    async def _on_callback(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        """Take in that a visitor wants to be called, at a number that can be, or does not."""
        act, number = data.get("act"), data.get("number", "")
        if act not in CALLBACK_ACTS or not isinstance(number, str):
            return {"ok": False, "code": "invalid", "detail": "act is ask, decline or cancel"}
        body = {"act": act}
        if act == "ask":
            to = called(number[:MOST_DIGITS])
            if to is None:
                detail = "no number at which somebody can be called"
                return {"ok": False, "code": "wrong_number", "detail": detail}
            body["number"] = to.number
        self._rest.messages.require(visitor.id, "too much at once; wait a little")
        name = f"callback-{self._ports.clock.new_id()}"
        event = visitor.connector.event(visitor.id, "callback", name, body)
        await self._ports.inbox.put(visitor.connector.account.id, [event])
        return {"ok": True}

    async def _on_call(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        """Take in what a visitor does in a call: begins it, is silent, shows themselves, leaves."""
        act = web_call.asked(data)
        allowed = visitor.connector.settings.calls
        if act is None:
            return {"ok": False, "code": "invalid", "detail": "a call has an id and a known act"}
        if allowed == "none" or (act["media"] == "video" and allowed == "voice"):
            return {"ok": False, "code": "no_calls", "detail": "this site takes no such calls"}
        limit = self._starts if act["act"] == "start" else self._acts
        limit.require(visitor.id, "too much at once; wait a little")
        topic = data.get("topic") if isinstance(data.get("topic"), str) else None
        # A start that is sent again is the same start.
        turn = "start" if act["act"] == "start" else self._ports.clock.new_id()
        body = {**act, "language": visitor.language, "topic": topic}
        event = visitor.connector.event(
            visitor.id, "call", f"call-{act['call']}-{turn}", _plain(body)
        )
        await self._ports.inbox.put(visitor.connector.account.id, [event])
        return {"ok": True}

    async def _on_signal(self, visitor: Visitor, data: dict[str, Any]) -> Any:
        """Carry what the visitor's browser tells another browser of its call."""
        here = log.visitor(visitor.connector.account.id, visitor.id)
        return await self._signals.pass_on(here, data)

    async def _deliver(self, address: str, name: str, body: Mapping[str, Any]) -> bool:
        """Give something to the widgets at an address; return whether there are any."""
        found = [
            one
            for one in self._visitors.values()
            if log.visitor(one.connector.account.id, one.id) == address
        ]
        for one in found if name != THERE else ():
            await push(self.server, one.sid, NAMESPACE, name, body)
        return bool(found)

    async def desk_typing(self, conversation: Id, name: str, *, on: bool) -> None:
        """Tell the visitor of a conversation that the agent is writing."""
        for visitor in list(self._visitors.values()):
            if visitor.conversation == conversation:
                body = {"on": on, "name": name}
                await push(self.server, visitor.sid, NAMESPACE, "typing", body)

    async def run(self) -> None:
        """Tell places in the line every five seconds, heartbeats every fifteen."""
        beats = 0
        while True:
            await asyncio.sleep(POSITION_S)
            beats += 1
            visitors = list(self._visitors.values())
            await self._tell_positions(visitors)
            if beats * POSITION_S % HEARTBEAT_S == 0:
                for visitor in visitors:
                    if visitor.reader.live:
                        body = {"pos": visitor.reader.last, "now": self._ports.clock.now()}
                        await self.server.emit(
                            "heartbeat", body, to=visitor.sid, namespace=NAMESPACE
                        )

    async def _tell_positions(self, visitors: list[Visitor]) -> None:
        places = await self._ports.store.read(lambda: self._positions(visitors))
        for visitor in visitors:
            place = places.get(visitor.sid)
            if place is None:
                continue
            told = (place["position"], place["nobody"], place["wait_min"])
            if told != visitor.told:
                visitor.told = told
                await push(self.server, visitor.sid, NAMESPACE, "position", place)

    def _positions(self, visitors: list[Visitor]) -> Work[dict[str, dict[str, Any]]]:
        """Return sid → place of those who wait."""
        by_conversation = {v.conversation: v for v in visitors if v.conversation}
        if not by_conversation:
            return {}
        rows = (
            yield select(work_item.c.id, work_item.c.conversation, work_item.c.owner)
            .where(
                work_item.c.conversation.in_(sorted(by_conversation)),
                work_item.c.owner.is_(None),
                work_item.c.state.in_([s.value for s in UNFINISHED]),
                # Who calls beside a chat waits for the call.
            )
            .order_by(work_item.c.kind.desc())
        )
        router = self._ports.router
        places = {r.conversation: router.position(r.id) for r in rows}
        waits = {r.conversation: router.expected_s(r.id) for r in rows}
        nobody = not (yield from somebody_is_there())
        return {
            v.sid: {
                "position": places[c],
                "nobody": places[c] is None and nobody,
                "wait_min": whole_minutes(waits[c]),
            }
            for c, v in by_conversation.items()
            if c in places
        }


def _plain(body: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in body.items() if v}


def _newest(visitor: Visitor) -> Work[Id | None]:
    """Return the visitor's open conversation, else the one that ended last."""
    rows = yield (
        select(conversation.c.id)
        .where(
            conversation.c.account == visitor.connector.account.id,
            conversation.c.thread == visitor.id,
        )
        .order_by(
            (conversation.c.state == ConversationState.CLOSED.value), conversation.c.last_at.desc()
        )
        .limit(1)
    )
    return rows[0].id if rows else None
