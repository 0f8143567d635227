"""What replays days: one at a time, in processes beside the hub; results live in memory."""

from __future__ import annotations

import asyncio
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

import structlog

from madoguchi.clock import Clock
from madoguchi.http.problems import Problem
from madoguchi.model.ids import Id
from router.trials.workers import Worker

log = structlog.get_logger(__name__)

MOST_WORKERS = 8
MOST_UNFINISHED, MOST_OWN = 8, 3
"""So many may wait or run, and so many of them be one person's."""

KEPT = 40


class State(StrEnum):
    """Where something stands that replays days."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"


UNFINISHED = frozenset({State.waiting, State.running})


@dataclass
class Kept(ABC):
    """What somebody has asked for and what is known of it; ``owner`` alone may see it.

    ``began`` is a reading of the monotonic clock; ``seconds`` passed until there was something
    to show.
    """

    id: Id
    owner: Id
    state: State = State.waiting
    began: float = 0.0
    seconds: float | None = None

    @abstractmethod
    def view(self) -> dict[str, Any]:
        """Return it as pages get it."""

    @abstractmethod
    async def carry_out(self, workers: Sequence[Worker], clock: Clock) -> None:
        """Do it all, with the help of processes that are just starting."""


K = TypeVar("K", bound=Kept)


class Turns:
    """Whatever of this kind people have asked this process for."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[Id, Kept] = {}
        self._waiting: asyncio.Queue[Kept] = asyncio.Queue()
        self._beginning: list[Id] = []
        self._running: tuple[Id, asyncio.Task[None]] | None = None
        self.workers: list[Worker] = []

    async def take(self, owner: Id, prepare: Callable[[Id], Awaitable[K]]) -> K:
        """Return what ``prepare`` makes of a new id; it begins as soon as it is its turn.

        Raises what ``prepare`` raises, and a 429 problem when too many wait.
        """
        owners = [one.owner for one in self._kept.values() if one.state in UNFINISHED]
        owners += self._beginning
        if len(owners) >= MOST_UNFINISHED or owners.count(owner) >= MOST_OWN:
            raise Problem(429, "too_many_trials", "too many trials wait; try again in a minute")
        self._beginning.append(owner)
        try:
            one = await prepare(self._clock.new_id())
        finally:
            self._beginning.remove(owner)
        self._kept[one.id] = one
        for id in list(self._kept)[: max(0, len(self._kept) - KEPT)]:
            if self._kept[id].state not in UNFINISHED:
                del self._kept[id]
        self._waiting.put_nowait(one)
        return one

    def find(self, owner: Id, id: Id, kind: type[K]) -> K | None:
        """Return somebody's own."""
        one = self._kept.get(id)
        return one if isinstance(one, kind) and one.owner == owner else None

    def cancel(self, one: Kept) -> None:
        """End it and forget it."""
        one.state = State.cancelled
        self._kept.pop(one.id, None)
        if self._running is not None and self._running[0] == one.id:
            self._running[1].cancel()

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
        one.state, one.began = State.running, self._clock.monotonic()
        try:
            # They begin to load while the day is read.
            for _ in range(min(os.cpu_count() or 1, MOST_WORKERS)):
                self.workers.append(await asyncio.to_thread(Worker))
            await one.carry_out(self.workers, self._clock)
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
