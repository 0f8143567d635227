"""The lane workers: batches out of the inbox, in order, into conversations.

A worker owns partitions by fenced leases. It takes what waits (it never waits for more), and a
batch is one transaction that begins with taking it under the leases. A batch that fails is run
again one by one; the culprit goes to the dead letters with its reason, and its lane goes on.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, tzinfo

import structlog

from connectors.base import Connector
from connectors.registry import Registry
from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.choice import Verdict
from madoguchi.conversations.ledger import Arrival
from madoguchi.conversations.receive import receive
from madoguchi.model.dead_letters import DeadCode, DeadReason
from madoguchi.model.inbound import Inbound, InboundUnknown
from madoguchi.store import leases
from madoguchi.store.inbox import (
    PARTITIONS,
    TAKE,
    StoredEvent,
    lease_of,
    mark_dead,
    take,
    take_one,
)
from madoguchi.store.work import Clash, Conflict, Store, Unavailable, Work

log = structlog.get_logger(__name__)

SWEEP_S = 1.0
BURST_REST_S = 0.5
"""During a burst a batch is taken every so often, so that the providers get their answers first."""
RENEW_S = leases.TTL_S / 3


class SetAside(Exception):
    """An event that cannot be processed as things are, with the reason that people will read."""

    def __init__(self, code: DeadCode, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.reason = DeadReason(code, detail)


class LaneWorker:
    """Processes the inbox of the partitions that this process holds."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hints: Hints,
        registry: Registry,
        holder: str,
        pressed: Callable[[], bool],
        catalog: Callable[[], Catalog],
        rule_failed: Callable[[str], None],
        zone: tzinfo | None = None,
    ) -> None:
        self._catalog = catalog
        self._rule_failed = rule_failed
        self._zone = zone
        self._told: set[tuple[str, int]] = set()
        self._pressed = pressed
        self._store = store
        self._clock = clock
        self._registry = registry
        self._holder = holder
        self._wake = hints.subscribe("inbox")
        self._names = {lease_of(number): number for number in range(PARTITIONS)}
        self._held: list[int] = []
        self._leased_at = float("-inf")
        self._floor = 0
        self._swept_at = float("-inf")
        self.processed = 0

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        while True:
            await self._lease()
            if not self._held or await self.step() < TAKE:
                await self._wake.wait(SWEEP_S)
            await self._give_way()

    async def _give_way(self) -> None:
        """Rest while a burst comes in, at most half a second."""
        for _ in range(10):
            if not self._pressed():
                return
            await asyncio.sleep(BURST_REST_S / 10)

    async def step(self) -> int:
        """Process one batch; return how many events it had."""
        taken: list[StoredEvent] = []
        unanswered: list[Verdict] = []
        floor = self._lowest()
        try:
            await self._store.write(lambda: self._next(taken, unanswered, floor))
        except Exception as fault:
            self._floor = 0
            if _passes(fault):
                raise
            for event in taken:
                await self._process(event)
        else:
            self._floor = taken[-1].row if taken else self._floor
            self._report(unanswered)
        self.processed += len(taken)
        return len(taken)

    def _lowest(self) -> int:
        """Return the row behind which to look.

        Rows appear in their order, so nothing new waits before what was taken last; looking there
        would walk over what the database has yet to sweep. Once in a while we do, for what was
        replayed or became ours.
        """
        now = asyncio.get_running_loop().time()
        if now - self._swept_at < SWEEP_S:
            return self._floor
        self._swept_at = now
        return 0

    async def _lease(self) -> None:
        if self._clock.monotonic() - self._leased_at < RENEW_S:
            return
        now = leases.database_time(self._store.dialect, self._clock.now())
        mine = [name for name, number in self._names.items() if number in self._held]

        def unit() -> Work[dict[str, int]]:
            if mine:
                yield from leases.renew(mine, self._holder, now)
            if len(mine) == len(self._names):
                return dict.fromkeys(mine, 0)
            return (yield from leases.acquire(list(self._names), self._holder, now))

        try:
            held = await self._store.write(unit)
        except leases.LeaseLost:
            self._held = []
            raise
        self._held = sorted(self._names[name] for name in held)
        self._leased_at = self._clock.monotonic()

    async def _process(self, one: StoredEvent) -> None:
        unanswered: list[Verdict] = []
        try:
            await self._store.write(lambda: self._alone(one, unanswered))
        except Exception as fault:
            if _passes(fault):
                raise
            await self._bury(one, fault)
        else:
            self._report(unanswered)

    async def _bury(self, one: StoredEvent, fault: Exception) -> None:
        why = _reason(fault).text
        log.error("event set aside as a dead letter", row=one.row, account=one.account, why=why)
        now = self._clock.now()
        await self._store.write(lambda: mark_dead(one.row, why, now))

    def _report(self, unanswered: Sequence[Verdict]) -> None:
        """Count the rules that could not tell; each version of one is logged once."""
        for verdict in unanswered:
            key, version = verdict.rule.object.key, verdict.rule.version
            self._rule_failed(key)
            if (key, version) not in self._told:
                self._told.add((key, version))
                log.warning(
                    "a routing rule could not tell and did not count",
                    rule=key,
                    version=version,
                    why=verdict.why,
                )

    def _next(self, taken: list[StoredEvent], unanswered: list[Verdict], floor: int) -> Work[None]:
        """Take what waits in the lanes that we hold, and process it; ``taken`` says what it was,
        ``unanswered`` which rules could not tell.
        """
        now = self._clock.now()
        taken[:] = yield from take(self._held, self._holder, now, after=floor)
        unanswered[:] = yield from self._understand(taken, now)

    def _alone(self, one: StoredEvent, unanswered: list[Verdict]) -> Work[None]:
        """Process one event of a batch that failed."""
        now = self._clock.now()
        events = yield from take_one(one.row, self._holder, now)
        unanswered[:] = yield from self._understand(events, now)

    def _understand(
        self, events: Sequence[StoredEvent], now: datetime
    ) -> Work[tuple[Verdict, ...]]:
        if not events:
            return ()
        arrivals = [arrival for event in events for arrival in self._arrivals(event)]
        found = yield from receive(arrivals, now, self._clock.new_id, self._catalog(), self._zone)
        return found.unanswered

    def _arrivals(self, one: StoredEvent) -> list[Arrival]:
        connector = self._registry.by_id(one.account)
        if connector is None:
            detail = f"account {one.account} is not there or its settings do not hold"
            raise SetAside(DeadCode.ACCOUNT_DOWN, detail)
        return [
            Arrival(
                connector.account,
                connector.capabilities,
                inbound,
                one.event.received_at,
                one.late,
            )
            for inbound in _meant(connector, one)
        ]


def _passes(fault: Exception) -> bool:
    """Tell whether trying again may help. What the database itself refuses, again and again, is
    the event's fault: it must not hold up the others.
    """
    transient = isinstance(fault, Unavailable | leases.LeaseLost | Conflict)
    return transient and not isinstance(fault, Clash)


def _reason(fault: Exception) -> DeadReason:
    if isinstance(fault, SetAside):
        return fault.reason
    code = DeadCode.DATABASE_REFUSED if isinstance(fault, Clash) else DeadCode.FAILED
    return DeadReason(code, _technical(fault))


def _technical(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"


def _meant(connector: Connector, one: StoredEvent) -> list[Inbound]:
    try:
        found = connector.parse(one.event)
    except Conflict:
        # Not about the content: whoever runs the unit knows what follows from a refused row.
        raise
    except Exception as fault:
        raise SetAside(DeadCode.NOT_UNDERSTOOD, _technical(fault)) from fault
    return [i for i in found if not isinstance(i, InboundUnknown)]
