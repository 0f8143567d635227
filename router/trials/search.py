"""What gives most: moves on a day, replayed beside the day without them, the best ever longer."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.service import Configuration, Preview
from madoguchi.model.ids import Id
from madoguchi.security.permissions import NotFound
from router.trials.day import Day
from router.trials.days import Days
from router.trials.figures import EVERYTHING, GOOD, SERVICE_LEVEL, effect
from router.trials.moves import Move, MoveKind, promising
from router.trials.replay import Replayed
from router.trials.service import Wanted, left_out
from router.trials.trial import NEW, Trial, fits
from router.trials.turns import Kept, Turns
from router.trials.workers import Worker

ROUNDS = ((16, 2), (8, 5), (4, 10), (3, 20))
"""Successive halving: so many moves, the best so far, are replayed until each has so many
replications (Karnin, Koren and Somekh, "Almost optimal exploration in multi-armed bandits", 2013).
"""

SURE_FROM = 5
"""Fewer replications say nothing for sure."""

Job = tuple[str, int]


class Verdict(StrEnum):
    """What a difference and its interval say; ``nothing``: no replication differs at all."""

    gives = "gives"
    harms = "harms"
    nothing = "nothing"
    unsure = "unsure"


@dataclass(frozen=True, slots=True)
class Asked:
    """A day as trials take it, the figure that matters, and the queue whose it is; empty: all."""

    wanted: Wanted
    figure: str = SERVICE_LEVEL
    queue: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """A move and what it does, by so many replications."""

    move: Move
    replications: int
    effect: Mapping[str, Any]
    gain: float
    verdict: Verdict
    harmed: Sequence[str]


@dataclass(kw_only=True)
class KeptSearch(Kept):
    """A search for the move that gives most; ``done`` of ``of`` replays are over.

    ``thought_of`` moves were reckoned with, the most promising are in ``judged``, the best first.
    """

    days: Days
    asked: Asked
    preview: Preview
    sources: Sequence[Any]
    done: int = 0
    of: int = ROUNDS[-1][1]
    thought_of: int | None = None
    judged: Sequence[Judged] = ()
    base: Mapping[str, Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)
    _found: dict[Job, Replayed] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """Return it as pages get it."""
        wanted, catalog = self.asked.wanted, self.preview.new
        return {
            "id": self.id,
            "state": self.state,
            "day": wanted.day,
            "factor": wanted.factor,
            "weeks": wanted.weeks,
            "queue": self.asked.queue,
            "figure": self.asked.figure,
            "number": self.preview.old.number,
            "done": self.done,
            "of": self.of,
            "thought_of": self.thought_of,
            "base": self.base,
            "moves": [shown(one, catalog, self.preview.old) for one in self.judged],
            "left_out": dict(self.left_out),
            "first_answer_s": self.seconds,
        }

    async def carry_out(self, workers: Sequence[Worker], clock: Clock) -> None:
        """Replay the day as it is, choose moves, and replay them round by round."""
        wanted = self.asked.wanted
        day = await self.days.read(wanted.day, wanted.weeks, self.sources)
        trial = await asyncio.to_thread(self._prepared, day)
        await asyncio.gather(*(worker.learn(trial) for worker in workers))
        await self._replay(workers, [(NEW, n) for n in range(ROUNDS[0][1])])
        base = self._runs(NEW, ROUNDS[0][1])
        self.base = await asyncio.to_thread(effect, trial, base, base)
        moves, self.thought_of = await asyncio.to_thread(
            promising, day, self.preview.new, base, self.asked.figure, self.asked.queue
        )
        if not moves:
            self.of = self.done
            return
        self.of = _replays(len(moves))
        objects = {move.key: move.objects for move in moves}
        there = {id: spans for move in moves for id, spans in move.adds.items()}
        for worker in workers:
            await worker.add(objects, there)
        await self._race(trial, workers, moves, clock)

    def _prepared(self, day: Day) -> Trial:
        catalog = self.preview.new
        trial = Trial(day, fits(day), catalog, catalog, self.asked.wanted.factor)
        self.left_out = left_out(trial)
        return trial

    async def _race(
        self, trial: Trial, workers: Sequence[Worker], moves: Sequence[Move], clock: Clock
    ) -> None:
        racing = list(moves)
        for most, replications in ROUNDS:
            racing = racing[:most]
            sides = [NEW, *(move.key for move in racing)]
            await self._replay(workers, [(s, n) for n in range(replications) for s in sides])
            out = [one for one in self.judged if one.move not in racing]
            judged = await asyncio.to_thread(self._judge, trial, racing, replications)
            self.judged = [*judged, *out]
            racing = [one.move for one in judged]
            self.seconds = self.seconds or clock.monotonic() - self.began

    def _judge(self, trial: Trial, moves: Iterable[Move], replications: int) -> list[Judged]:
        """Return moves, the best first; of equal ones the more promising."""
        base = self._runs(NEW, replications)
        found = [
            self._of(move, effect(trial, base, self._runs(move.key, replications)), replications)
            for move in moves
        ]
        return sorted(found, key=lambda one: (-one.gain, -one.move.promise))

    def _of(self, move: Move, what: Mapping[str, Any], replications: int) -> Judged:
        figure, queue = self.asked.figure, self.asked.queue
        # A queue that is not told of has not changed at all.
        pair = what["queues"].get(queue) if queue else what[EVERYTHING]
        difference = pair["difference"][figure] if pair else None
        others = {key: one for key, one in what["queues"].items() if key != queue}
        return Judged(
            move,
            replications,
            what,
            difference["mean"] * GOOD[figure] if difference else 0.0,
            verdict(difference, figure, replications),
            [
                key
                for key, one in others.items()
                if verdict(one["difference"][figure], figure, replications) is Verdict.harms
            ],
        )

    def _runs(self, side: str, replications: int) -> list[Replayed]:
        return [self._found[side, n] for n in range(replications)]

    async def _replay(self, workers: Sequence[Worker], jobs: Iterable[Job]) -> None:
        """Replay what was not replayed yet."""
        waiting = deque(job for job in jobs if job not in self._found)

        async def work(worker: Worker) -> None:
            while waiting:
                side, number = waiting.popleft()
                self._found[side, number] = await worker.replay(side, number)
                self.done += 1

        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(work(worker))


def verdict(difference: Mapping[str, Any] | None, figure: str, replications: int) -> Verdict:
    """Return what a difference says of a figure."""
    if difference is None or not (difference["mean"] or difference["se"]):
        return Verdict.nothing
    if replications < SURE_FROM:
        return Verdict.unsure
    low, high = difference["ci95"]
    if low <= 0 <= high:
        return Verdict.unsure
    return Verdict.gives if difference["mean"] * GOOD[figure] > 0 else Verdict.harms


def _replays(moves: int) -> int:
    """Return how many replays all rounds are, those of the day without a move included."""
    done, before = ROUNDS[-1][1], 0
    for most, replications in ROUNDS:
        done += min(moves, most) * (replications - before)
        before = replications
    return done


def shown(one: Judged, catalog: Catalog, old: Catalog) -> dict[str, Any]:
    """Return a move as pages get it; ``changes`` is what a trial of it takes, None for somebody
    who would have to be hired.
    """
    move = one.move
    return {
        "kind": move.kind,
        "queue": move.queue,
        "team": move.team,
        "agent": move.agent or None,
        "agent_name": catalog.agent_name(move.agent),
        "skill": move.skill,
        "level": move.level,
        "after_s": move.after_s,
        "spans": [[began / 1e6, ended / 1e6] for began, ended in move.spans],
        "replications": one.replications,
        "verdict": one.verdict,
        "gain": one.gain,
        "harmed": list(one.harmed),
        "effect": one.effect,
        "changes": None if move.kind is MoveKind.agent else _changes(move, old),
    }


def _changes(move: Move, old: Catalog) -> list[dict[str, Any]]:
    return [
        {
            "kind": kind,
            "key": key,
            "body": entry.object.model_dump(mode="json", exclude={"key"}),
            "based_on": old.objects[kind, key].version if (kind, key) in old.objects else None,
        }
        for (kind, key), entry in move.objects.items()
    ]


@dataclass(frozen=True, slots=True)
class Searches:
    """All searches of this process; they take turns with trials."""

    turns: Turns
    days: Days
    configuration: Configuration

    async def begin(self, owner: Id, asked: Asked) -> KeptSearch:
        """Let a search begin as soon as it is its turn. Raises what beginning a trial raises, and
        NotFound for a queue that there is not.
        """

        async def prepared(id: Id) -> KeptSearch:
            wanted = asked.wanted
            preview = await self.configuration.preview(wanted.changes, wanted.based_on)
            if asked.queue and asked.queue not in preview.new.queues:
                raise NotFound("queue")
            sources = await self.days.sources(wanted.day, wanted.weeks)
            return KeptSearch(id, owner, days=self.days, asked=asked, preview=preview,
                              sources=sources)  # fmt: skip

        return await self.turns.take(owner, prepared)

    def find(self, owner: Id, id: Id) -> KeptSearch | None:
        """Return somebody's own search."""
        return self.turns.find(owner, id, KeptSearch)
