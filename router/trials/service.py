"""Trials: a day by the configuration as it stands and as it would be."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from madoguchi.clock import Clock
from madoguchi.configuration.kinds import Queue
from madoguchi.configuration.service import Body, Change, Configuration, Preview
from madoguchi.model.ids import Id
from router.trials.day import Day
from router.trials.days import Days
from router.trials.figures import as_it_was, compared
from router.trials.reach import reach
from router.trials.replay import Replayed
from router.trials.trial import NEW, OLD, Trial, fits
from router.trials.turns import Kept, Turns
from router.trials.workers import Worker

REPLICATIONS = 20


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


@dataclass(kw_only=True)
class KeptTrial(Kept):
    """A trial; ``done`` replications are in the figures."""

    days: Days
    wanted: Wanted
    preview: Preview
    sources: Sequence[date]
    done: int = 0
    recorded: Body | None = None
    figures: Mapping[str, Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    reach: Mapping[str, Any] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """Return it as pages get it."""
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
            "reach": dict(self.reach),
            "first_answer_s": self.seconds,
        }

    async def carry_out(self, workers: Sequence[Worker], clock: Clock) -> None:
        """Read the day and replay it on both sides."""
        day = await self.days.read(self.wanted.day, self.wanted.weeks, self.sources)
        trial = await asyncio.to_thread(self._prepared, day)
        await self._replay(trial, workers, clock)

    def _prepared(self, day: Day) -> Trial:
        preview = self.preview
        trial = Trial(day, fits(day), preview.old, preview.new, self.wanted.factor)
        self.recorded = None if self.wanted.weeks else as_it_was(trial)
        self.left_out = left_out(trial)
        touched = sorted(one.key for one in preview.touched if one.kind == Queue.kind)
        self.reach = {
            key: {OLD: reach(preview.old, key), NEW: reach(preview.new, key)}
            for key in touched
            if key in trial.queues
        }
        return trial

    async def _replay(self, trial: Trial, workers: Sequence[Worker], clock: Clock) -> None:
        jobs = deque((number, side) for number in range(REPLICATIONS) for side in (OLD, NEW))
        found: dict[tuple[int, str], Replayed] = {}
        fresh = asyncio.Event()

        async def work(worker: Worker) -> None:
            await worker.learn(trial)
            while jobs:
                number, side = jobs.popleft()
                found[number, side] = await worker.replay(side, number)
                fresh.set()

        async def tell() -> None:
            while self.done < REPLICATIONS:
                await fresh.wait()
                fresh.clear()
                both = [n for n in range(REPLICATIONS) if {(n, OLD), (n, NEW)} <= set(found)]
                if len(both) > self.done:
                    old, new = ([found[n, side] for n in both] for side in (OLD, NEW))
                    self.figures = await asyncio.to_thread(compared, trial, old, new)
                    self.done = len(both)
                    self.seconds = self.seconds or clock.monotonic() - self.began

        async with asyncio.TaskGroup() as group:
            group.create_task(tell())
            for worker in workers:
                group.create_task(work(worker))


@dataclass(frozen=True, slots=True)
class Trials:
    """All trials of this process."""

    turns: Turns
    days: Days
    configuration: Configuration

    async def begin(self, owner: Id, wanted: Wanted) -> KeptTrial:
        """Let a trial begin as soon as it is its turn.

        Raises Invalid and MovedOn as saving the changes would, Invalid for a day that is not
        recorded, and a 429 problem when too many wait.
        """

        async def prepared(id: Id) -> KeptTrial:
            preview = await self.configuration.preview(wanted.changes, wanted.based_on)
            sources = await self.days.sources(wanted.day, wanted.weeks)
            return KeptTrial(id, owner, days=self.days, wanted=wanted, preview=preview,
                             sources=sources)  # fmt: skip

        return await self.turns.take(owner, prepared)

    def find(self, owner: Id, id: Id) -> KeptTrial | None:
        """Return somebody's own trial."""
        return self.turns.find(owner, id, KeptTrial)

    def cancel(self, one: KeptTrial) -> None:
        """End a trial and forget it."""
        self.turns.cancel(one)


def left_out(trial: Trial) -> dict[str, int]:
    """Return how many of the day's contacts and agents the configurations do not know any more."""
    queues = set(trial.queues)
    return {
        "contacts": sum(1 for one in trial.day.contacts if one.queue not in queues),
        "agents": sum(1 for agent in trial.day.there if agent not in trial.new.agent_by_id),
    }
