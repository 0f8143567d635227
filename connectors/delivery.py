"""The outbox: one message per recipient at a time, what each failure means, never two of a kind.

A row is marked as started, durably, before the provider is asked. One that was started and has no
end (the process died meanwhile, or its end could not be stored) is of unknown outcome: it is
settled by the provider's callback or by one look-up, never sent again blindly. What another
process has begun is left to it as long as its lease says that it lives.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import ColumnElement, Row, exists, not_, or_, select, update

from connectors.base import Connector, degrade
from connectors.outcomes import locked, put_off, told
from connectors.outgoing import (
    AT_ONCE,
    LONGEST_PAUSE_S,
    Job,
    OutboxState,
    accounts_due,
    ask_again,
    asked_pauses,
    first_due,
    held_up,
    hold_back,
    own_pause_s,
    set_in_the_future,
)
from connectors.pauses import Pauses, Rests
from connectors.registry import Registry
from madoguchi.bus import Hints
from madoguchi.clock import Clock, Watch
from madoguchi.conversations.tables import message as message_table
from madoguchi.conversations.views import TOLD_FROM
from madoguchi.model.conversation import MessageState
from madoguchi.model.ids import Id
from madoguchi.model.inbound import (
    AuthFailed,
    Outbound,
    Receipt,
    Rejected,
    RetryLater,
    UnknownOutcome,
)
from madoguchi.model.people import Address, Scheme
from madoguchi.store import leases
from madoguchi.store.hot import constant
from madoguchi.store.tables import lease, outbox
from madoguchi.store.work import Conflict, Store, Unavailable, Work

log = structlog.get_logger(__name__)

SWEEP_S = 1.0
LEASE = "outbox:"
RENEW_S = leases.TTL_S / 3
LONGEST_ABSENCE_S = 60.0
STORE_AGAIN_S = (0.1, 0.5, 2.0)
GIVE_UP = timedelta(hours=4)
SETTLE_AFTER = timedelta(seconds=20)


class Delivery:
    """Sends what waits, up to eight at once per account; one lane never runs twice at once.

    A database out of reach is asked again after ``first_absence_s``, then after twice as long.
    """

    first_absence_s = SWEEP_S

    def __init__(
        self,
        store: Store,
        clock: Clock,
        hints: Hints,
        registry: Registry,
        holder: str,
        paused: Callable[[Id, str], None],
    ) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._holder = holder
        self._paused = paused
        self._wake = hints.subscribe("outbox")
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._rows: set[int] = set()
        self._per_account: dict[Id, int] = {}
        self._pauses = Pauses(clock)
        self._watch = Watch(clock)
        self._clock_set = True
        self._rests = Rests()
        self._lease_name = f"{LEASE}{holder.partition('.')[0]}"
        self._leased_at = float("-inf")

    async def run(self) -> None:
        """Work for ever; a supervised task. A database out of reach ends no send that is on its
        way: its end is what has to be stored. The absence is logged as it begins and as it ends.
        """
        try:
            pause = self.first_absence_s
            away = False
            while True:
                try:
                    await self.step()
                    if away:
                        log.info("the outbox can be read again")
                    pause, away = self.first_absence_s, False
                except (Unavailable, Conflict) as why:
                    if _cancelled():  # a driver may turn our end into a fault of its own
                        raise
                    if not away:
                        log.warning("the outbox cannot be read", why=str(why))
                    away = True
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, LONGEST_ABSENCE_S)
                await self._wake.wait(SWEEP_S)
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def step(self) -> None:
        """Start everything that is due and has room."""
        await self._lease()
        await self._follow_clock()
        now = self._clock.now()
        if changed := self._pauses.follow(self._registry):
            await self._store.write(lambda: ask_again(changed, now))
        jobs, waits = await self._store.read(self._looked(now))
        if waits:
            await self._store.write(lambda: hold_back(waits, now))
            self._wake.ring()
        for job in jobs:
            if job.lane in self._busy or self._per_account.get(job.account, 0) >= AT_ONCE:
                continue
            if self._pauses.holds(job.account):
                continue
            connector = self._registry.by_id(job.account)
            if connector is None or connector.account.paused:
                continue
            if self._rests.holds(job.row):
                continue
            self._per_account[job.account] = self._per_account.get(job.account, 0) + 1
            self._rows.add(job.row)
            self._busy[job.lane] = asyncio.create_task(self._one(connector, job), name=job.lane)

    async def _follow_clock(self) -> None:
        """Look, at the start and when the wall clock was set, for what waits for a time that is
        not to come; and for the pauses that providers asked a predecessor for.
        """
        now, leap = self._watch.look()
        if not (leap or self._clock_set):
            return
        self._clock_set = True

        def unit() -> Work[dict[Id, float]]:
            yield set_in_the_future(now)
            return (yield from asked_pauses(now))

        for account, rest_s in (await self._store.write(unit)).items():
            if not self._pauses.known(account):
                self._pauses.ask(account, rest_s)
        self._clock_set = False

    async def idle(self) -> None:
        """Wait until nothing is on its way; for tests and for stopping."""
        while self._busy:
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _lease(self) -> None:
        """Show that we live. The lease is our node's: a later start of it takes it at once."""
        moment = self._clock.monotonic()
        if moment - self._leased_at < RENEW_S:
            return
        now = leases.database_time(self._store.dialect, self._clock.now())

        def unit() -> Work[None]:
            yield from leases.acquire([self._lease_name], self._holder, now)
            yield from leases.renew([self._lease_name], self._holder, now)

        await self._store.write(unit)
        self._leased_at = moment

    def _ended(self) -> ColumnElement[bool]:
        """Tell of a row that was begun whether nobody works on it; our own are known besides."""
        now = leases.database_time(self._store.dialect, self._clock.now())
        alive = exists().where(
            lease.c.name.startswith(LEASE),
            lease.c.holder == outbox.c.holder,
            lease.c.expires_at.between(now, now + timedelta(seconds=2 * leases.TTL_S)),
        )
        return or_(outbox.c.holder.is_(None), outbox.c.holder == self._holder, not_(alive))

    def _looked(self, now: datetime) -> Callable[[], Work[tuple[list[Job], dict[Id, datetime]]]]:
        """Return the unit that finds what is due, and what waits for a pause without saying so
        (message → the pause's end); it may run in another thread.
        """
        accounts = [c.account.id for c in self._registry]
        pauses = {
            id: now + timedelta(seconds=self._pauses.left_s(id))
            for id in accounts
            if self._pauses.holds(id)
        }
        running = [
            c.account.id
            for c in self._registry
            if not c.account.paused
            and c.account.id not in pauses
            and self._per_account.get(c.account.id, 0) < AT_ONCE
        ]
        aside = sorted({*self._rows, *self._rests.rows})

        def unit() -> Work[tuple[list[Job], dict[Id, datetime]]]:
            found: list[Row[Any]] = []
            for row in (yield accounts_due(running, now)):
                one = first_due(row.account, now, aside)
                waiting = outbox.c.state == constant(OutboxState.WAITING)
                found += yield one.where(or_(waiting, self._ended()))
            waits = yield from held_up(accounts, pauses, now)
            return [self._job(row) for row in found], waits

        return unit

    def _job(self, row: Row[Any]) -> Job:
        begun = row.started_at if row.attempts else None
        return Job(
            row=row.id,
            account=row.account,
            lane=row.lane,
            attempts=row.attempts,
            started=(row.started_at or row.due_at) if row.state == OutboxState.STARTED else None,
            holder=row.holder,
            first=row.first_at or begun,
            outbound=Outbound(
                message=row.message,
                conversation=row.conversation,
                channel=row.channel,
                recipient=Address(Scheme(row.scheme), row.value),
                parts=tuple(row.parts),
                attempt=row.attempts + 1,
                since=begun,
            ),
        )

    async def _one(self, connector: Connector, job: Job) -> None:
        progress = False
        try:
            link = f"{connector.ports.public_url}/files/{{id}}"
            parts = degrade(job.outbound.parts, connector.capabilities, link)
            outbound = replace(job.outbound, parts=parts)
            if job.started is not None:
                progress = await self._interrupted(connector, job, job.started, outbound)
            elif await self._begin(job):
                await self._send(connector, job, outbound)
                progress = True
            self._rests.forget(job.row)
        except Exception:
            log.exception("outbox row failed, it will be looked at again", row=job.row)
            self._rests.rest(job.row)
        finally:
            self._busy.pop(job.lane, None)
            self._rows.discard(job.row)
            self._per_account[job.account] -= 1
            if progress:
                self._wake.ring()

    async def _interrupted(
        self, connector: Connector, job: Job, started: datetime, outbound: Outbound
    ) -> bool:
        """Settle what was begun and has no end; tell whether it was still so."""
        if not await self._claim(job):
            return False
        if job.holder is not None and self._watch.passed(started) < SETTLE_AFTER:
            await self._unknown(job, "its end is not known: the hub was interrupted meanwhile")
        else:
            await self._settle(connector, job, outbound)
        return True

    async def _claim(self, job: Job) -> bool:
        """Take over a row that was begun, unless it has come to an end since we read it."""

        def unit() -> Work[bool]:
            rows = yield (
                update(outbox)
                .where(
                    outbox.c.id == job.row,
                    outbox.c.state == OutboxState.STARTED,
                    outbox.c.attempts == job.attempts,
                    outbox.c.holder.is_not_distinct_from(job.holder),
                    self._ended(),
                )
                .values(holder=self._holder)
                .returning(outbox.c.id)
            )
            return bool(rows)

        return await self._store.write(unit)

    async def _begin(self, job: Job) -> bool:
        now = self._clock.now()

        def unit() -> Work[bool]:
            yield from leases.guard([self._lease_name], self._holder)
            one = yield from locked(job.outbound.message)
            rows = yield (
                update(outbox)
                .where(
                    outbox.c.id == job.row,
                    outbox.c.state == OutboxState.WAITING,
                    outbox.c.attempts == job.attempts,
                )
                .values(
                    state=OutboxState.STARTED,
                    holder=self._holder,
                    started_at=now,
                    first_at=job.first or now,
                    attempts=outbox.c.attempts + 1,
                )
                .returning(outbox.c.id)
            )
            if rows:
                yield from told(one, MessageState.SENDING, None, None, now)
            return bool(rows)

        return await self._store.write(unit)

    async def _send(self, connector: Connector, job: Job, outbound: Outbound) -> None:
        try:
            receipt = await connector.send(outbound)
        except RetryLater as why:
            await self._retry(connector, job, why)
        except AuthFailed as why:
            if self._current(connector):
                self._paused(job.account, str(why))
            await self._retry(connector, job, RetryLater(str(why), LONGEST_PAUSE_S))
        except Rejected as why:
            await self._end(job, MessageState.FAILED, None, str(why))
        except UnknownOutcome as why:
            await self._unknown(job, str(why))
        except Exception as fault:
            log.exception("a connector failed, the message's outcome is unknown", row=job.row)
            await self._unknown(job, f"{type(fault).__name__}: {fault}")
        else:
            await self._end(job, receipt.state, receipt.provider_id, None)

    def _current(self, connector: Connector) -> bool:
        """Tell whether an account has still the settings with which its provider was asked."""
        living = self._registry.by_id(connector.account.id)
        return living is None or living.settings == connector.settings

    async def _retry(self, connector: Connector, job: Job, why: RetryLater) -> None:
        now = self._clock.now()
        asked_s = (why.after_s or 0.0) if self._current(connector) else 0.0
        self._pauses.ask(job.account, asked_s)
        if job.first is not None and self._watch.passed(job.first) > GIVE_UP:
            hours = GIVE_UP // timedelta(hours=1)
            given_up = f"given up after {hours} hours; the provider's last answer: {why.reason}"
            await self._end(job, MessageState.FAILED, None, given_up)
            return
        pause = timedelta(seconds=max(asked_s, own_pause_s(job.attempts + 1)))

        def unit() -> Work[None]:
            one = yield from locked(job.outbound.message)
            yield (
                update(outbox)
                .where(*self._ours(job))
                .values(
                    state=OutboxState.WAITING,
                    due_at=now + pause,
                    holder=None,
                    error=why.reason[:1000],
                )
            )
            if pause >= TOLD_FROM:
                yield from put_off([one] if one else [], now)

        await self._sure(unit)

    def _ours(self, job: Job) -> tuple[ColumnElement[bool], ...]:
        return (
            outbox.c.id == job.row,
            outbox.c.state == OutboxState.STARTED,
            outbox.c.holder == self._holder,
        )

    async def _sure(self, unit: Callable[[], Work[None]]) -> None:
        """Store what came of a message, through short absences of the database."""
        for tried, pause in enumerate(STORE_AGAIN_S):
            try:
                await self._store.write(unit)
            except Unavailable as why:
                if _cancelled():
                    raise
                if not tried:
                    log.warning("an outcome cannot be stored now", why=str(why))
                await asyncio.sleep(pause)
            else:
                return
        await self._store.write(unit)

    async def _unknown(self, job: Job, why: str) -> None:
        """Nobody knows whether it went out: say so, and look it up once a little later."""
        now = self._clock.now()

        def unit() -> Work[None]:
            one = yield from locked(job.outbound.message)
            yield (
                update(outbox)
                .where(*self._ours(job))
                .values(holder=None, due_at=now + SETTLE_AFTER, error=why[:1000])
            )
            yield from told(one, MessageState.UNKNOWN, None, why, now)

        await self._sure(unit)

    async def _settle(self, connector: Connector, job: Job, outbound: Outbound) -> None:
        """Look a message of unknown outcome up; when that tells nothing, the agent decides."""
        receipt = await self._looked_up(connector, job, outbound)
        if receipt is None or await self._known(job.account, receipt.provider_id):
            await self._end(job, MessageState.UNKNOWN, None, "it is not known whether it was sent")
        else:
            # The provider has it: that is more than not to know whether it was sent.
            early = receipt.state in {MessageState.QUEUED, MessageState.SENDING}
            state = MessageState.SENT if early else receipt.state
            await self._end(job, state, receipt.provider_id, None)

    async def _looked_up(
        self, connector: Connector, job: Job, outbound: Outbound
    ) -> Receipt | None:
        try:
            return await connector.settle(outbound)
        except Exception:
            if job.started is None or self._watch.passed(job.started) < GIVE_UP:
                raise
            log.exception("a message of unknown outcome could not be looked up", row=job.row)
            return None

    async def _known(self, account: Id, provider_id: str | None) -> bool:
        """Tell whether what the provider shows is another message of ours with the same text."""

        def unit() -> Work[bool]:
            return bool(
                (
                    yield select(message_table.c.id).where(
                        message_table.c.account == account,
                        message_table.c.provider_id == provider_id,
                    )
                )
            )

        return await self._store.read(unit)

    async def _end(
        self, job: Job, state: MessageState, provider_id: str | None, why: str | None
    ) -> None:
        now = self._clock.now()

        def unit() -> Work[None]:
            one = yield from locked(job.outbound.message)
            yield (
                update(outbox)
                .where(outbox.c.id == job.row)
                .values(state=OutboxState.DONE, error=why and why[:1000])
            )
            yield from told(one, state, provider_id, why, now)

        await self._sure(unit)


def _cancelled() -> bool:
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
