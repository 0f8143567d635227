"""The owner of one domain's routing: one writer, in memory, behind a fenced lease.

Each cycle takes all orders that wait, what the log tells, and the timers that are due; lets the
engine decide; writes everything in one transaction that begins with the lease; and only then
answers. A lost lease or an unknown commit drops the engine, which is rebuilt from the store.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import structlog

from madoguchi.bus import Hints
from madoguchi.clock import APART, Clock, Watch, from_micros, to_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.service import Configuration
from madoguchi.memory import growing
from madoguchi.model.channels import Line
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import NumberedEntry
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import (
    AgentChanged,
    Assigned,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    CustomerWrote,
    FullExplanation,
    Refused,
    TeamsLetIn,
    TimePassed,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
    WrapUpStarted,
)
from madoguchi.security.audit import record
from madoguchi.store import leases
from madoguchi.store.log import move_cursor
from madoguchi.store.work import Clash, Conflict, Store, Unavailable, Work
from router import rebuild
from router.board.alert_rows import alert_rows
from router.board.board import Board
from router.board.past import past
from router.changes import Changes
from router.configured import Configured
from router.engine.book import DAY
from router.engine.engine import Engine
from router.hearing import heard, items_of, note_text
from router.leaps import moved
from router.orders import Order, handover, item_of
from router.posted import Asked, answered, as_row, open_commands, read_order
from router.rebuild import CONSUMER, Kept
from router.reconfiguring import Reconfiguring

log = structlog.get_logger(__name__)

SWEEP_S = {"postgresql": 0.2, "sqlite": 1.0}
"""Seconds between looks without a hint; on SQLite one process does all and hears every hint."""

BATCH = 256

HELP_S = 1.0
"""So often it is looked at which queues need help."""


@dataclass
class _Cycle:
    """What one cycle found to do."""

    asked: list[Asked] = field(default_factory=list)
    entries: list[NumberedEntry] = field(default_factory=list)
    specs: dict[Id, Any] = field(default_factory=dict)


class NotOwner(Exception):
    """Another process owns the domain's router."""


class RouterService:
    """Owns the engine of a domain while it holds the lease ``router:<domain>``."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hints: Hints,
        configuration: Configuration,
        holder: str,
        domain: int = DOMAIN,
        zone: tzinfo | None = UTC,
        line: Callable[[Id], Line | None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._configuration = configuration
        self._holder = holder
        self._zone = zone
        self._line = line
        self._lease = f"router:{domain}"
        self._wake = hints.subscribe("log", "router_command", "router")
        self._posted = hints.subscribe("router_command")
        self._swept = self._helped = float("-inf")
        self._careful = False
        self._tried: list[Asked] = []
        self._asked: list[Asked] = []
        self._engine: Engine | None = None
        self._watch = Watch(clock)
        self._clock_set = False
        self._kept = Kept()
        self._configured: Configured | None = None
        self._midnight = 0
        self._reconfiguring = Reconfiguring()
        self._ready = asyncio.Event()
        self._renewed = 0.0
        self._board: Board | None = None
        self.decisions = 0

    @property
    def owner(self) -> bool:
        """Tell whether this process routes the domain now."""
        return self._engine is not None

    async def ready(self) -> None:
        """Wait until the engine stands."""
        await self._ready.wait()

    async def order(self, order: Order) -> dict[str, Any]:
        """Let the engine decide on an order; return its answer after the commit.

        Raises Refused, NotOwner, Unavailable.
        """
        if self._engine is None:
            raise NotOwner(self._lease)
        future: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._asked.append(Asked(order, future))
        self._wake.ring()
        return await future

    def position(self, item: Id) -> int | None:
        """Return a waiting item's place, None when it has none or nobody signed in may take it."""
        try:
            return self._engine.position(item) if self._engine else None
        except Refused:
            return None

    @property
    def board(self) -> Board | None:
        """What is told of the queues, where the engine stands; None elsewhere."""
        return self._board

    def expected_s(self, item: Id) -> float | None:
        """Return for how many seconds a waiting item still waits; None when nobody can tell."""
        return self._board.expected_s(item) if self._board else None

    def expected_in(self, queue: str) -> float | None:
        """Return for how many seconds a contact would wait that came into a queue now; None when
        nobody can tell.
        """
        return self._board.expected_in(queue) if self._board else None

    def explain(self, item: Id) -> FullExplanation:
        """Return what stands between an item and each agent. Raises Refused, NotOwner."""
        if self._engine is None:
            raise NotOwner(self._lease)
        return self._engine.explain(item)

    async def run(self) -> None:
        """Own the domain whenever the lease is to be had; a supervised task."""
        while True:
            if self._engine is None and not await self._take_over():
                await self._wake.wait(1.0)
                continue
            try:
                await self._cycle()
            except Exception as fault:
                self._drop()
                await self._judge(fault)
                raise
            await self._wait()

    async def close(self) -> None:
        """Give the lease back, so that a successor need not wait for its end."""
        self._drop()
        await self._store.write(lambda: leases.release(self._holder))

    async def _take_over(self) -> bool:
        now = leases.database_time(self._store.dialect, self._clock.now())
        held = await self._store.write(lambda: leases.acquire([self._lease], self._holder, now))
        if self._lease not in held:
            return False
        catalog = await self._configuration.reload()
        self._watch = Watch(self._clock)
        moment, _ = self._watch.look()
        with growing():
            await self._rebuild(catalog, moment)
        return True

    async def _rebuild(self, catalog: Catalog, moment: datetime) -> None:
        configured = Configured.of(catalog)
        state, kept = await self._store.read(lambda: rebuild.load(configured, moment, self._zone))
        ahead = kept.newest - moment
        self._clock_set = ahead > APART
        if self._clock_set:
            log.warning("what is stored lies in the future and moves back", s=ahead.total_seconds())
            state = moved(state, -ahead)
            kept.move(-ahead)
        engine = await asyncio.to_thread(Engine.restore, state, to_micros(moment))
        day = from_micros(engine.today * DAY + state.midnight)
        known = await self._store.read(lambda: past(day, moment))
        self._kept, self._midnight = kept, state.midnight
        self._configured = configured
        self._engine = engine
        self._board = Board(engine, kept, catalog, known, self._clock.monotonic())
        connected = [a.spec.id for a in state.agents if a.disconnected_since is None]
        self._asked += [Asked(Order(ConnectionChanged(id, connected=False))) for id in connected]
        self._ready.set()

    def _drop(self) -> None:
        self._engine = self._board = None
        self._reconfiguring.clear()
        self._ready.clear()
        asked, self._asked = self._asked, []
        for one in asked:
            if one.future is not None and not one.future.done():
                one.future.set_exception(Unavailable("the router is starting again"))

    async def _judge(self, fault: Exception) -> None:
        """Find the posted order that cannot be carried out, so that it stops nobody for ever.

        After a fault that is not the database's, posted orders are tried one at a time; the one
        that was alone in a failing cycle is refused.
        """
        lost = isinstance(fault, Unavailable | leases.LeaseLost | Conflict)
        if (lost and not isinstance(fault, Clash)) or not self._tried:
            return
        suspect, self._careful = self._careful, True
        self._posted.ring()
        if suspect and len(self._tried) == 1:
            row, now = self._tried[0].row, self._clock.now()
            log.error("an order cannot be carried out and is refused", row=row, why=str(fault))
            answer = {"refused": "unworkable", "detail": type(fault).__name__, "agent": None}
            await self._store.write(lambda: answered(row, answer, now))

    async def _wait(self) -> None:
        pause = SWEEP_S[self._store.dialect]
        due = self._engine.next_due() if self._engine else None
        if due is not None:
            pause = min(pause, max(0.0, (due - to_micros(self._clock.now())) / 1e6))
        if not self._asked:
            await self._wake.wait(pause)

    async def _cycle(self) -> None:
        engine = self._engine
        if engine is None:
            return
        cycle = await self._collect()
        now, engine = self._follow_clock(engine)
        catalog = self._configuration.catalog
        changes = Changes(engine, self._kept, now, self._clock.new_id, catalog, self._line)
        changes.heard = self._kept.cursor
        if self._clock_set:
            changes.clock_set()
        try:
            self._decide(engine, cycle, changes)
            await self._commit(cycle, changes)
        except BaseException:
            for one in cycle.asked:
                if one.future is not None and not one.future.done():
                    one.future.set_exception(Unavailable("the router is starting again"))
            raise
        changes.commit()
        if self._board is not None:
            self._board.learn(engine, changes, cycle.specs, self._clock.monotonic())
        self._clock_set = False
        if cycle.entries:
            self._kept.cursor = cycle.entries[-1].position
        self._answer(cycle.asked)

    def _follow_clock(self, engine: Engine) -> tuple[datetime, Engine]:
        """Return the time and the engine that knows it.

        When the wall clock was set, all that the engine remembers is set with it: for no timer has
        any time passed, and what it stores from now on is honest on the new clock.
        """
        now, leap = self._watch.look()
        if not leap:
            return now, engine
        log.warning(
            "the wall clock was set; the router's times move with it", s=leap.total_seconds()
        )
        state = moved(engine.state(), leap)
        self._engine = Engine.restore(state, state.clock)
        self._kept.move(leap)
        if self._board is not None:
            self._board.move(self._engine, leap // timedelta(microseconds=1))
        self._clock_set = True
        return now, self._engine

    async def _collect(self) -> _Cycle:
        """Gather what there is to do; rows are looked for on a hint and at each sweep."""
        now = self._clock.monotonic()
        sweep = now - self._swept >= SWEEP_S[self._store.dialect]
        if sweep:
            self._swept = now
        cycle = _Cycle()
        if self._posted.take() or sweep:
            most = 1 if self._careful else BATCH
            rows = await self._store.look(lambda: open_commands(most))
            cycle.asked = [read_order(row) for row in rows]
            self._careful = self._careful and bool(rows)
        self._tried = [one for one in cycle.asked if one.refused is None]
        cycle.entries = await self._store.journal.after(self._kept.cursor, sure=sweep)
        fresh = [e.entry.entity_id for e in cycle.entries if e.entry.type == "item.enqueued"]
        if fresh:
            cycle.specs = await self._store.look(lambda: items_of(fresh))
        cycle.asked = self._asked[:BATCH] + cycle.asked
        self._asked = self._asked[BATCH:]
        return cycle

    def _decide(self, engine: Engine, cycle: _Cycle, changes: Changes) -> None:
        self._apply(engine, changes, Order(TimePassed()))
        self._reconfigure(engine, changes)
        self._let_help(engine, changes)
        for entry in cycle.entries:
            changes.heard = entry.position
            note_text(self._kept, entry)
            for command in heard(self._kept, entry, cycle.specs, changes.now, changes.catalog):
                if isinstance(command, CustomerWrote) and not engine.heeds_text(command.item):
                    continue
                self._apply(engine, changes, Order(command), lenient=True)
        for one in cycle.asked:
            if one.refused is not None:
                continue
            try:
                self._check_texts(one.order.command)
                one.answer = self._apply(engine, changes, one.order)
            except Refused as refused:
                one.refused = refused

    def _check_texts(self, command: Command) -> None:
        """Refuse the end of a contact when a text was stored after it was asked for: the route has
        looked, but in a transaction of its own.
        """
        if not isinstance(command, WrapUpStarted) or command.inbound_seq is None:
            return
        if self._kept.texts.get(command.item, 0) > command.inbound_seq:
            raise Refused("newer_inbound", "the customer has written since")

    def _apply(
        self, engine: Engine, changes: Changes, order: Order, *, lenient: bool = False
    ) -> dict[str, Any]:
        """Let the engine decide on one command; gather what it decided, even when it refuses."""
        at = to_micros(changes.now)
        item = item_of(order.command)
        if item is not None:
            changes.remember([item])
        agent = getattr(order.command, "agent", None)
        before = engine.agent(agent) if isinstance(agent, str) else None
        try:
            decisions = engine.apply(order.command, at)
        except Refused as refused:
            changes.note(refused.decisions)
            if lenient:
                return {}
            raise
        changes.note(decisions)
        self.decisions += len(decisions)
        facts = engine.item(item) if item is not None else None
        if item is not None:
            changes.note_pause(item)
        if facts is not None and not rebuild.same_but_text(facts, changes.last.get(facts.spec.id)):
            changes.items.setdefault(facts.spec.id, "item.changed")
        if before is not None and engine.agent(before.spec.id) not in (None, before):
            changes.agents.setdefault(before.spec.id, None)
        self._note_order(order, changes, item)
        return {"item": item, "conversation": self._kept.conversations.get(item or "")}

    def _note_order(self, order: Order, changes: Changes, item: Id | None) -> None:
        command, notes = order.command, order.notes
        if item is not None:
            if isinstance(command, TransferredToQueue | TransferredToAgent | Assigned):
                changes.handovers[item] = handover(command, notes, changes.now)
            if isinstance(command, WorkEnded) and notes.get("wrap_up"):
                changes.wrap_ups[item] = dict(notes["wrap_up"])
        if "actor" in notes:
            detail = {k: v for k, v in notes.items() if k not in {"actor", "action", "object"}}
            changes.audit.append(
                record(notes["actor"], notes["action"], notes["object"], detail, changes.now)
            )

    def _reconfigure(self, engine: Engine, changes: Changes) -> None:
        """Take over a new configuration, or the hour by which summer time moves midnight, step by
        step; agents who may no longer work lose their work.
        """
        old, midnight = self._configured, rebuild.midnight(changes.now, self._zone)
        if old is None:
            return
        newer = changes.catalog.number != old.catalog.number
        if newer or midnight != self._midnight:
            # What is planned now begins where the last plan ends.
            for command in self._reconfiguring.take_all():
                self._take_step(engine, changes, command)
            summer, self._midnight = midnight != self._midnight, midnight
            new = self._configured = old.after(changes.catalog)
            self._reconfiguring.plan(old, new, engine.number_in, midnight, always=summer)
        for command in self._reconfiguring.take(self._clock.monotonic):
            self._take_step(engine, changes, command)
        if self._reconfiguring.going_on:
            self._wake.ring()

    def _take_step(self, engine: Engine, changes: Changes, command: Command) -> None:
        """Take a step; a queue that is to go stays while items have come there meanwhile."""
        if isinstance(command, ConfigurationChanged):
            left = engine.left_in({queue.id for queue in command.queues})
            if left:
                log.warning("queues that are gone still have items", queues=[q.id for q in left])
                command = replace(command, queues=command.queues + left)
        try:
            self._apply(engine, changes, Order(command))
        except Refused as refused:
            log.error("a step of the new configuration is refused", step=command, why=str(refused))  # noqa: TRY400
        if isinstance(command, AgentChanged):
            changes.agents.setdefault(command.spec.id, None)

    def _let_help(self, engine: Engine, changes: Changes) -> None:
        """Let teams help where the figures ask for it, and no longer where they do not; alerts
        begin and end the same way.
        """
        at = self._clock.monotonic()
        if self._board is None or at - self._helped < HELP_S:
            return
        self._helped = at
        for queue, teams in self._board.help(changes.catalog, at).items():
            log.info("teams that help a queue now", queue=queue, teams=teams)
            self._apply(engine, changes, Order(TeamsLetIn(queue, teams)), lenient=True)
            notes = {"teams": list(teams)}
            changes.audit.append(
                record(SYSTEM, "queue.helped", f"queue:{queue}", notes, changes.now)
            )
        turned = self._board.alert(changes.catalog, at, changes.now, changes.new_id)
        changes.audit += alert_rows(turned, changes.now)

    async def _commit(self, cycle: _Cycle, changes: Changes) -> None:
        posted = [one for one in cycle.asked if one.row is not None]
        if changes.empty and not posted:
            # The cursor follows with the next write: hearing an entry twice changes nothing.
            await self._renew_in_time()
            return
        now = leases.database_time(self._store.dialect, changes.now)

        heard = cycle.entries[-1].position if cycle.entries else self._kept.cursor

        def unit() -> Work[None]:
            yield from leases.renew([self._lease], self._holder, now)
            yield from changes.write()
            yield from move_cursor(CONSUMER, heard)
            for one in posted:
                yield from answered(one.row, as_row(one), changes.now)

        await self._store.write(unit, attempts=1)
        self._renewed = self._clock.monotonic()

    async def _renew_in_time(self) -> None:
        if self._clock.monotonic() - self._renewed < leases.TTL_S / 3:
            return
        now = leases.database_time(self._store.dialect, self._clock.now())

        def unit() -> Work[None]:
            yield from leases.renew([self._lease], self._holder, now)
            yield from move_cursor(CONSUMER, self._kept.cursor)

        await self._store.write(unit, attempts=1)
        self._renewed = self._clock.monotonic()

    def _answer(self, asked: Iterable[Asked]) -> None:
        for one in asked:
            if one.future is None or one.future.done():
                continue
            if one.refused is not None:
                one.future.set_exception(one.refused)
            else:
                one.future.set_result(one.answer or {})
