"""The desk's live stream: namespaces ``/agent`` and ``/supervisor`` on ``/live``."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from typing import Any, Protocol

import structlog
from sqlalchemy import select

from connectors.signals import Signals
from madoguchi.bus import Hints, Subscription
from madoguchi.clock import Clock, Watch
from madoguchi.conversations import acts
from madoguchi.conversations.routes import of_same_customer
from madoguchi.conversations.tables import conversation
from madoguchi.conversations.visibility import seen_by
from madoguchi.http.auth import COOKIE, Authenticator
from madoguchi.http.limits import Limiter
from madoguchi.http.problems import CLASH, without_cause
from madoguchi.live.relay import THERE, Relay
from madoguchi.live.server import make, push
from madoguchi.live.tail import Event, Reader, Tail
from madoguchi.model import log
from madoguchi.model.conversation import ConversationState
from madoguchi.model.ids import Id, is_id
from madoguchi.model.log import Entity, NumberedEntry
from madoguchi.model.people import Actor, Role
from madoguchi.model.routing import ConnectionChanged, Refused
from madoguchi.security.permissions import Forbidden, NotFound
from madoguchi.store.work import Conflict, Store, Unavailable, Work
from router.client import RouterClient
from router.orders import Order
from unified_profile.service import audience as customer_audience
from unified_profile.tables import customer_of

logger = structlog.get_logger(__name__)

HEARTBEAT_S = 15.0
LOOK_S = 1.0
"""How soon a clock that was set is noticed: till then desks count on the old one."""
RECHECK_S = 60.0
AGAIN_S = 1.0
AGENT, SUPERVISOR = "/agent", "/supervisor"
MOST_OPEN = 100
COSTS = {"connect": 4.0, "hello": 4.0, "open": 2.0}
"""What an event takes from the sender's bucket; one unless named: these read the store most."""


class Visitors(Protocol):
    """The widget's side: hears when the owner of a conversation is writing."""

    async def desk_typing(self, conversation: Id, name: str, *, on: bool) -> None:
        """Tell the visitor of a conversation."""
        ...


@dataclass(eq=False)
class Socket:
    """One connected namespace of one desk."""

    sid: str
    namespace: str
    actor: Actor
    session: Id
    token: str
    reader: Reader
    opened: dict[Id, set[str]] = field(default_factory=dict)
    viewing: Id | None = None
    writing: bool = False


class DeskStream:
    """All desks that are connected to this process."""

    def __init__(
        self,
        tail: Tail,
        store: Store,
        clock: Clock,
        authenticate: Authenticator,
        router: RouterClient,
        hints: Hints,
        refused: Callable[[str], None],
        relay: Relay,
    ) -> None:
        self._tail = tail
        self._signals = Signals(store, relay)
        relay.door(self._deliver)
        self._store = store
        self._clock = clock
        self._authenticate = authenticate
        self._router = router
        self._sockets: dict[tuple[str, str], Socket] = {}
        self._visitors: Visitors | None = None
        self._recheck = hints.subscribe("configuration")
        self._owed: set[Id] = set()
        self._owing = Subscription()
        tail.watch(self._hear)
        self._refused = refused
        # A person makes a few events a second; ten tabs of one that reconnect, a hundred at once.
        self._per_socket = Limiter(clock, rate=20, burst=200)
        self._per_agent = Limiter(clock, rate=60, burst=600)
        self.server = make(None)
        for namespace in (AGENT, SUPERVISOR):
            for name in (
                "connect",
                "disconnect",
                "hello",
                "open",
                "close",
                "seen",
                "typing",
                "viewing",
                "signal",
            ):
                self.server.on(name, self._handler(name, namespace), namespace=namespace)

    def hears_visitors(self, visitors: Visitors) -> None:
        """Join the widget's side."""
        self._visitors = visitors

    def _handler(self, name: str, namespace: str) -> Callable[..., Any]:
        if name == "connect":

            async def connect(sid: str, environ: dict[str, Any], auth: Any = None) -> bool:
                return await self._connect(sid, namespace, environ, auth)

            return connect
        if name == "disconnect":

            async def disconnect(sid: str, *_: Any) -> None:
                await self._disconnect(sid, namespace)

            return disconnect
        act = getattr(self, f"_on_{name}")

        async def handle(sid: str, data: Any = None) -> Any:
            socket = self._sockets.get((namespace, sid))
            if socket is None:
                return {"ok": False, "code": "not_signed_in"}
            if (wait := self._over(socket, COSTS.get(name, 1.0))) > 0:
                self._refused(name)
                detail = "this desk sends too much; wait a little"
                return {"ok": False, "code": "too_many", "detail": detail, "retry_after_s": wait}
            return await self._guarded(act, socket, data if isinstance(data, dict) else {})

        return handle

    def _over(self, socket: Socket, cost: float) -> float:
        """Return 0, or for how many seconds a socket or its agent has sent too much."""
        wait = self._per_socket.take(f"{socket.namespace}:{socket.sid}", cost)
        return wait or self._per_agent.take(socket.actor.id, cost)

    async def _guarded(self, act: Callable[..., Any], socket: Socket, data: dict[str, Any]) -> Any:
        try:
            return await act(socket, data)
        except NotFound:
            return {"ok": False, "code": "not_found"}
        except Forbidden:
            return {"ok": False, "code": "forbidden"}
        except Unavailable as fault:
            return {"ok": False, "code": "unavailable", "detail": without_cause(fault)}
        except Conflict as fault:
            logger.warning("lost every race", why=str(fault))
            return {"ok": False, "code": "conflict", "detail": CLASH}

    async def _connect(self, sid: str, namespace: str, environ: dict[str, Any], auth: Any) -> bool:
        token = _cookie(environ)
        found = await self._authenticate.session(token)
        given = auth.get("token") if isinstance(auth, dict) else None
        if found is None or given != found[0].csrf:
            return False
        session, actor = found
        if namespace == SUPERVISOR and not actor.has(Role.SUPERVISOR):
            return False
        if self._per_agent.take(actor.id, COSTS["connect"]) > 0:
            self._refused("connect")
            return False

        async def deliver(events: Sequence[Event]) -> None:
            seen = [await self._seen(socket, event) for event in events]
            await push(self.server, socket.sid, socket.namespace, "event", *seen)

        socket = Socket(sid, namespace, actor, session.id, token, Reader(deliver))
        self._sockets[namespace, sid] = socket
        self._tail.join(socket.reader, _audience(actor, namespace))
        if namespace == AGENT and Role.AGENT in actor.roles:
            await self._tell_router(actor.id, connected=True)
        return True

    async def _disconnect(self, sid: str, namespace: str) -> None:
        socket = self._sockets.pop((namespace, sid), None)
        if socket is None:
            return
        self._tail.leave(socket.reader)
        if socket.viewing is not None:
            await self._tell_viewers(socket.viewing)
        takes_work = namespace == AGENT and Role.AGENT in socket.actor.roles
        if takes_work and not self.connected(socket.actor.id):
            await self._tell_router(socket.actor.id, connected=False)

    def connected(self, agent: Id) -> bool:
        """Tell whether an agent has a desk open here."""
        return any(s.actor.id == agent for (n, _), s in self._sockets.items() if n == AGENT)

    async def _tell_router(self, agent: Id, *, connected: bool) -> None:
        try:
            await self._router.ask(Order(ConnectionChanged(agent, connected)))
        except Refused as why:
            if connected:  # who is no agent any more may leave without a word
                logger.warning("the router does not know an agent", agent=agent, why=str(why))
        except Unavailable:
            self._owe(agent)

    def _owe(self, agent: Id) -> None:
        self._owed.add(agent)
        self._owing.ring()

    def _hear(self, numbered: NumberedEntry) -> None:
        """Contradict a router that takes an agent for gone whose desk is open here.

        A router that starts anew knows no sockets and says so of everybody.
        """
        entry = numbered.entry
        gone = entry.entity is Entity.AGENT and (entry.data or {}).get("connected") is False
        if gone and self.connected(entry.entity_id):
            self._owe(entry.entity_id)

    async def announce(self) -> None:
        """Tell the router of connections that it has not heard of; a supervised task."""
        while True:
            await self._owing.wait(AGAIN_S if self._owed else RECHECK_S)
            owed, self._owed = self._owed, set()
            for agent in owed:
                await self._tell_router(agent, connected=self.connected(agent))
            if self._owed:
                self._owing.take()

    async def _on_hello(self, socket: Socket, data: dict[str, Any]) -> Any:
        pos = data.get("pos")
        reader = socket.reader
        found = None
        if isinstance(pos, int) and not isinstance(pos, bool) and pos >= 0:
            found = await self._tail.resume(reader, pos)
        if found is not None:
            answer: dict[str, Any] = {"mode": "resume", "pos": found[0], "events": found[1]}
        else:
            head, entities = await self._tail.snapshot(self._scoped(socket), reader)
            answer = {"mode": "snapshot", "pos": head, "entities": entities}
        return {**answer, "now": self._clock.now()}

    def _scoped(self, socket: Socket) -> Actor:
        """Return the actor as this namespace sees it: the agent's stream has the agent's lists."""
        actor = socket.actor
        if socket.namespace == SUPERVISOR:
            return actor
        roles = actor.roles - {Role.SUPERVISOR}
        return Actor(
            actor.id, actor.name, roles, actor.queues, actor.teams, actor.domain, actor.language
        )

    async def _on_open(self, socket: Socket, data: dict[str, Any]) -> Any:
        id = data.get("conversation")
        if not is_id(id):
            raise NotFound("conversation")
        if len(socket.opened) >= MOST_OPEN and id not in socket.opened:
            detail = f"at most {MOST_OPEN} conversations are open at once; close some"
            return {"ok": False, "code": "too_many_open", "detail": detail}
        ids, customer = await self._store.read(lambda: _opened(socket.actor, str(id)))
        audience = _heard_of(ids, customer)
        socket.opened[str(id)] = audience
        self._tail.join(socket.reader, audience)
        return {"ok": True, "conversations": ids}

    async def _seen(self, socket: Socket, event: Event) -> Event:
        """Return an event for its desk: what has left the agent's sight meanwhile, a tombstone."""
        view = event["view"]
        if event["entity"] is Entity.CONVERSATION and not _surely_mine(socket, view):
            heard = log.conversation(event["id"])
            if any(heard in audience for audience in socket.opened.values()):
                await self._look_again(socket)
                if heard not in socket.reader.audience:
                    return {**event, "view": None}
        elif event["entity"] is Entity.MESSAGE and view is not None:
            heard = log.conversation(view["conversation"])
            return event if heard in socket.reader.audience else {**event, "view": None}
        return event

    async def _look_again(self, socket: Socket) -> None:
        """Close what the agent has open and may no longer read; the page is told by ``stale``."""
        before = set().union(*socket.opened.values())
        for id in list(socket.opened):
            try:
                ids, customer = await self._store.read(lambda id=id: _opened(socket.actor, id))  # type: ignore[misc]
            except NotFound:
                del socket.opened[id]
            else:
                socket.opened[id] = _heard_of(ids, customer)
        after = set().union(*socket.opened.values())
        self._tail.leave(socket.reader, before - after)
        self._tail.join(socket.reader, after)
        if before - after:
            await self.server.emit("stale", {}, to=socket.sid, namespace=socket.namespace)

    async def _on_close(self, socket: Socket, data: dict[str, Any]) -> Any:
        gone = socket.opened.pop(str(data.get("conversation")), set())
        kept = set().union(*socket.opened.values())
        self._tail.leave(socket.reader, gone - kept)
        return {"ok": True}

    async def _on_seen(self, socket: Socket, data: dict[str, Any]) -> Any:
        id, seq = data.get("conversation"), data.get("inbound_seq")
        if not is_id(id) or not isinstance(seq, int) or not 0 <= seq < 2**31:
            return {"ok": False, "code": "invalid"}
        now = self._clock.now()
        await self._store.write(lambda: acts.see(socket.actor, str(id), seq, now))
        return {"ok": True}

    async def _on_typing(self, socket: Socket, data: dict[str, Any]) -> None:
        id, on = str(data.get("conversation")), data.get("on") is True
        if id not in socket.opened:
            return
        socket.writing = on
        await self._tell_viewers(id)
        owner = await self._store.read(lambda: _owner(id))
        if owner == socket.actor.id and self._visitors is not None:
            await self._visitors.desk_typing(id, socket.actor.name, on=on)

    async def _on_signal(self, socket: Socket, data: dict[str, Any]) -> Any:
        """Carry what this desk's browser tells another browser of its call."""
        return await self._signals.pass_on(log.agent(socket.actor.id), data)

    async def _deliver(self, address: str, name: str, body: Mapping[str, Any]) -> bool:
        """Give something to the desks of an agent; return whether there are any."""
        found = [s for s in self._sockets.values() if log.agent(s.actor.id) == address]
        desks = [s for s in found if s.namespace == AGENT] or found
        for one in desks if name != THERE else ():
            await push(self.server, one.sid, one.namespace, name, body)
        return bool(desks)

    async def _on_viewing(self, socket: Socket, data: dict[str, Any]) -> None:
        before = socket.viewing
        id = str(data.get("conversation"))
        socket.viewing = id if id in socket.opened else None
        socket.writing = False
        for one in {before, socket.viewing} - {None}:
            await self._tell_viewers(str(one))

    async def _tell_viewers(self, id: Id) -> None:
        viewers: dict[Id, dict[str, Any]] = {}
        for s in self._sockets.values():
            if s.viewing == id:
                known = viewers.get(s.actor.id, {"writing": False})
                viewers[s.actor.id] = {
                    "id": s.actor.id,
                    "name": s.actor.name,
                    "writing": s.writing or known["writing"],
                }
        body = {"conversation": id, "viewers": list(viewers.values())}
        await self._to_open(id, "viewers", body)

    async def visitor_typing(self, id: Id, name: str, *, on: bool) -> None:
        """Tell the desks that have a conversation open that the customer is writing."""
        body = {"conversation": id, "who": "customer", "name": name, "on": on}
        await self._to_open(id, "typing", body)

    async def _to_open(self, id: Id, name: str, body: dict[str, Any]) -> None:
        for s in list(self._sockets.values()):
            if log.conversation(id) in s.reader.audience:
                await push(self.server, s.sid, s.namespace, name, body)

    def watchers(self) -> set[str]:
        """Return the sockets of supervisors who listen."""
        return {
            s.sid
            for s in self._sockets.values()
            if s.namespace == SUPERVISOR and s.reader.live and s.actor.has(Role.SUPERVISOR)
        }

    async def tell(self, sid: str, name: str, body: Any) -> None:
        """Send an event to one supervisor's socket."""
        await push(self.server, sid, SUPERVISOR, name, body)

    def session_ended(self, session: Id) -> None:
        """Close the sockets of a session that was ended here."""
        self._recheck.ring()
        for s in list(self._sockets.values()):
            if s.session == session:
                s.token = ""

    async def run(self) -> None:
        """Send heartbeats, and close the sockets of those who may no longer listen."""
        loop = asyncio.get_running_loop()
        watch = Watch(self._clock)
        next_check = loop.time() + RECHECK_S
        next_beat = loop.time() + HEARTBEAT_S
        while True:
            woken = await self._recheck.wait(LOOK_S)
            _, leap = watch.look()
            if leap or loop.time() >= next_beat:
                next_beat = loop.time() + HEARTBEAT_S
                await self._beat()
            if woken or loop.time() >= next_check:
                next_check = loop.time() + RECHECK_S
                for s in list(self._sockets.values()):
                    await self._check(s)

    async def _beat(self) -> None:
        for s in list(self._sockets.values()):
            if s.reader.live:
                body = {"pos": s.reader.last, "now": self._clock.now()}
                await push(self.server, s.sid, s.namespace, "heartbeat", body)

    async def _check(self, socket: Socket) -> None:
        found = await self._authenticate.session(socket.token)
        if found is None:
            await self.server.emit(
                "signed_out", {"code": "session_ended"}, to=socket.sid, namespace=socket.namespace
            )
            await self.server.disconnect(socket.sid, namespace=socket.namespace)
            return
        actor = found[1]
        if actor != socket.actor:
            socket.actor = actor
            await self._look_again(socket)
            opened = set().union(*socket.opened.values())
            wanted = _audience(actor, socket.namespace) | opened
            self._tail.leave(socket.reader, socket.reader.audience - wanted)
            self._tail.join(socket.reader, wanted)
            await self.server.emit("stale", {}, to=socket.sid, namespace=socket.namespace)


def _audience(actor: Actor, namespace: str) -> set[str]:
    if namespace == SUPERVISOR:
        # Who is no supervisor any more keeps the socket till the page asks who it is for.
        return {log.EVERYONE, *([log.SUPERVISORS] if actor.has(Role.SUPERVISOR) else [])}
    return {log.agent(actor.id), log.EVERYONE, *(log.queue(q) for q in actor.queues)}


def _heard_of(conversations: list[Id], customer: Id) -> set[str]:
    """Return what an opened customer is heard by."""
    return {log.conversation(one) for one in conversations} | {customer_audience(customer)}


def _surely_mine(socket: Socket, view: Any) -> bool:
    """Tell without asking the store that a conversation is in an agent's sight."""
    if view is None:
        return False
    closed = view["state"] == ConversationState.CLOSED.value
    return view["owner"] == socket.actor.id and not closed


def _cookie(environ: dict[str, Any]) -> str:
    try:
        morsel = SimpleCookie(environ.get("HTTP_COOKIE", "")).get(COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""


def _opened(actor: Actor, id: Id) -> Work[tuple[list[Id], Id]]:
    yield from seen_by(actor, id)
    ids = yield from of_same_customer(actor, id)
    rows = yield (
        select(customer_of.c.customer)
        .join(conversation, conversation.c.identity == customer_of.c.identity)
        .where(conversation.c.id == id)
    )
    return ids, rows[0].customer


def _owner(id: Id) -> Work[Id | None]:
    rows = yield select(conversation.c.owner).where(conversation.c.id == id)
    return rows[0].owner if rows else None
