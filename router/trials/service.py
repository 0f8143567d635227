"""Trials: one at a time, in processes beside the hub; their results live in memory."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, tzinfo
from enum import StrEnum
from functools import partial
from typing import Any

import structlog

from madoguchi.clock import Clock
from madoguchi.configuration.service import Body, Change, Configuration, Invalid, Preview
from madoguchi.http.problems import Problem
from madoguchi.model.faults import Fault
from madoguchi.model.ids import Id
from madoguchi.store.work import Store
from router.trials import reading
from router.trials.day import Day, forecast, span_of, told, weekdays_before
from router.trials.figures import as_it_was, compared
from router.trials.replay import Replayed, Trial, fits
from router.trials.workers import Worker

log = structlog.get_logger(__name__)

REPLICATIONS = 20
MOST_WORKERS = 8
MOST_UNFINISHED, MOST_OWN = 8, 3
"""So many trials may wait or run, and so many of them be one person's."""

KEPT = 40


class State(StrEnum):
    """Where a trial stands."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What somebody wants to try: a day, changes of the configuration, and a factor by which
    contacts come; ``weeks``: not the recorded day, but one drawn from the same weekdays of so many
    weeks before it.
    """

    day: date
    changes: Sequence[Change]
    factor: float = 1.0
    weeks: int = 0
    based_on: int | None = None


@dataclass
class Kept:
    """A trial and what is known of it; ``owner`` alone may see it."""

    id: Id
    owner: Id
    wanted: Wanted
    preview: Preview
    sources: Sequence[date]
    state: State = State.waiting
    done: int = 0
    recorded: Body | None = None
    figures: Mapping[str, Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    half_hours: int = 0
    seconds: float | None = None

    def view(self) -> dict[str, Any]:
        """Return it as pages get it; ``done`` of ``of`` replications are in the figures."""
        return {
            "id": self.id,
            "state": self.state,
            "day": self.wanted.day,
            "factor": self.wanted.factor,
            "weeks": self.wanted.weeks,
            "number": self.preview.old.number,
            "changes": list(self.preview.diff),
            "done": self.done,
            "of": REPLICATIONS,
            "recorded": self.recorded,
            "figures": self.figures,
            "left_out": dict(self.left_out),
            "first_answer_s": self.seconds,
        }


class Trials:
    """All trials of this process."""

    def __init__(
        self, store: Store, clock: Clock, configuration: Configuration, zone: tzinfo | None
    ) -> None:
        self._store = store
        self._clock = clock
        self._configuration = configuration
        self._zone = zone
        self._kept: dict[Id, Kept] = {}
        self._waiting: asyncio.Queue[Kept] = asyncio.Queue()
        self._beginning: list[Id] = []
        self._running: tuple[Id, asyncio.Task[None]] | None = None
        self.workers: list[Worker] = []

    async def begin(self, owner: Id, wanted: Wanted) -> Kept:
        """Let a trial begin as soon as it is its turn.

        Raises Invalid and MovedOn as saving the changes would, Invalid for a day that is not
        recorded, and a 429 problem when too many wait.
        """
        unfinished = {State.waiting, State.running}
        owners = [one.owner for one in self._kept.values() if one.state in unfinished]
        owners += self._beginning
        if len(owners) >= MOST_UNFINISHED or owners.count(owner) >= MOST_OWN:
            raise Problem(429, "too_many_trials", "too many trials wait; try again in a minute")
        self._beginning.append(owner)
        try:
            preview = await self._configuration.preview(wanted.changes, wanted.based_on)
            sources = await self._sources(wanted)
        finally:
            self._beginning.remove(owner)
        one = Kept(self._clock.new_id(), owner, wanted, preview, sources)
        self._kept[one.id] = one
        for id in list(self._kept)[: max(0, len(self._kept) - KEPT)]:
            if self._kept[id].state not in unfinished:
                del self._kept[id]
        self._waiting.put_nowait(one)
        return one

    async def _sources(self, wanted: Wanted) -> list[date]:
        """Return the recorded days that a trial is made of. Raises Invalid when there are none."""
        days = [wanted.day]
        if wanted.weeks:
            today = self._clock.now().astimezone(self._zone).date()
            days = weekdays_before(wanted.day, today, wanted.weeks)
        found, came = [], False
        for day in days:
            known = await self._store.read(partial(reading.known, *span_of(day, self._zone)))
            came = came or known[0]
            found += [day] if all(known) else []
        if not found:
            raise Invalid([_nothing_known(wanted, came)])
        return found

    def find(self, owner: Id, id: Id) -> Kept | None:
        """Return somebody's own trial."""
        one = self._kept.get(id)
        return one if one is not None and one.owner == owner else None

    def cancel(self, one: Kept) -> None:
        """End a trial and forget it."""
        one.state = State.cancelled
        self._kept.pop(one.id, None)
        if self._running is not None and self._running[0] == one.id:
            self._running[1].cancel()

    async def days(self) -> dict[str, date | None]:
        """Return the first and the last day on which contacts came, and the last before today."""
        today = self._clock.now().astimezone(self._zone).date()
        midnight, _ = span_of(today, self._zone)
        first, last, before = await self._store.read(lambda: reading.bounds(midnight))
        return {
            name: at.astimezone(self._zone).date() if at else None
            for name, at in (("first", first), ("last", last), ("before_today", before))
        }

    async def run(self) -> None:
        """Carry out what waits, one after the other; a supervised task."""
        while True:
            one = await self._waiting.get()
            if one.state is not State.waiting:
                continue
            task = asyncio.create_task(self._carry_out(one))
            self._running = (one.id, task)
            try:
                await asyncio.wait([task])
            finally:
                self._running = None
                task.cancel()
                await asyncio.wait([task])

    async def _carry_out(self, one: Kept) -> None:
        one.state = State.running
        began = self._clock.monotonic()
        try:
            # They begin to load while the day is read.
            for _ in range(min(os.cpu_count() or 1, MOST_WORKERS)):
                self.workers.append(await asyncio.to_thread(Worker))
            await self._replay(one, await self._read(one), began)
        except Exception as why:
            if one.state is State.running:
                one.state = State.failed
                log.exception("a trial failed", trial=one.id, why=str(why))
        else:
            one.state = State.done
        finally:
            for worker in self.workers:
                worker.end()
            self.workers.clear()

    async def _read(self, one: Kept) -> Trial:
        wanted = one.wanted
        days = [await self._day(day) for day in one.sources]

        def prepared() -> Trial:
            day = days[0]
            if wanted.weeks:
                day = forecast(*span_of(wanted.day, self._zone), days)
            preview = one.preview
            trial = Trial(day, fits(day), preview.old, preview.new, wanted.factor)
            one.recorded = None if wanted.weeks else as_it_was(trial)
            one.left_out = _left_out(day, trial)
            return trial

        return await asyncio.to_thread(prepared)

    async def _day(self, day: date) -> Day:
        begins, ends = span_of(day, self._zone)
        rows = await self._store.read(partial(reading.rows, begins, ends))
        return await asyncio.to_thread(told, begins, ends, self._clock.now(), *rows)

    async def _replay(self, one: Kept, trial: Trial, began: float) -> None:
        jobs = deque((number, new) for number in range(REPLICATIONS) for new in (False, True))
        found: dict[tuple[int, bool], Replayed] = {}
        fresh = asyncio.Event()

        async def work(worker: Worker) -> None:
            await worker.learn(trial)
            while jobs:
                number, new = jobs.popleft()
                found[number, new] = await worker.replay(new=new, number=number)
                fresh.set()

        async def tell() -> None:
            while one.done < REPLICATIONS:
                await fresh.wait()
                fresh.clear()
                both = [n for n in range(REPLICATIONS) if {(n, False), (n, True)} <= set(found)]
                if len(both) > one.done:
                    old, new = ([found[n, side] for n in both] for side in (False, True))
                    one.figures = await asyncio.to_thread(compared, trial, old, new)
                    one.done = len(both)
                    one.seconds = one.seconds or self._clock.monotonic() - began

        async with asyncio.TaskGroup() as group:
            group.create_task(tell())
            for worker in self.workers:
                group.create_task(work(worker))


def _nothing_known(wanted: Wanted, came: bool) -> Fault:
    """Return why a day cannot be replayed, or forecast."""
    day = wanted.day.isoformat()
    if wanted.weeks:
        text = f"no such weekday in the {wanted.weeks} weeks before {day} is recorded"
        return Fault("day", text, "no_weeks", {"day": day, "weeks": wanted.weeks})
    if came:
        return Fault("day", f"it is not known who was there on {day}", "no_presence", {"day": day})
    return Fault("day", f"nobody came on {day}", "empty_day", {"day": day})


def _left_out(day: Day, trial: Trial) -> dict[str, int]:
    """Return how many of the day's contacts and agents the configurations do not know any more,
    and how many queues would be helped by their figures, which no trial looks at.
    """
    queues = set(trial.queues)
    return {
        "contacts": sum(1 for one in day.contacts if one.queue not in queues),
        "agents": sum(1 for agent in day.there if agent not in trial.new.agent_by_id),
        "help": sum(1 for entry in trial.new.queues.values() if entry.object.help),
    }
