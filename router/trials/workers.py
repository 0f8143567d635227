"""Processes beside the hub that replay a trial, at a lower priority than what serves people."""

from __future__ import annotations

import asyncio
import os
import traceback
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from multiprocessing import get_context
from multiprocessing.connection import Connection

from router.trials.day import Contact
from router.trials.replay import Replayed, replayed
from router.trials.trial import Objects, Present, Trial

NICE = 5
PART = 500
"""So many contacts travel together."""


class WorkerFailed(Exception):
    """A replay could not be carried out; the text says what the worker said last."""


class Worker:
    """One process; it learns one trial, then replays it."""

    def __init__(self) -> None:
        # Spawned, not forked: a copy of a process with threads and sockets is good for nothing.
        context = get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()

    async def learn(self, trial: Trial) -> None:
        """Hand it the trial. Raises WorkerFailed."""
        await asyncio.to_thread(self._taught, trial)

    async def add(self, moves: Mapping[str, Objects], there: Present) -> None:
        """Teach it moves, and when the agents whom they add are there. Raises WorkerFailed."""
        await asyncio.to_thread(self._send, (moves, there))

    async def replay(self, side: str, number: int) -> Replayed:
        """Return one replication of a side. Raises WorkerFailed."""
        return await asyncio.to_thread(self._asked, side, number)

    def _taught(self, trial: Trial) -> None:
        contacts = trial.day.contacts
        try:
            # What agents did with offers is in the fits already.
            self._ours.send(replace(trial, day=replace(trial.day, contacts=(), reactions=())))
            # Part by part: whatever is packed at once keeps the hub from everything else.
            for first in range(0, len(contacts), PART):
                self._ours.send(contacts[first : first + PART])
            self._ours.send(())
        except OSError as gone:
            raise WorkerFailed("the process is gone") from gone

    def _send(self, what: object) -> None:
        try:
            self._ours.send(what)
        except OSError as gone:
            raise WorkerFailed("the process is gone") from gone

    def _asked(self, side: str, number: int) -> Replayed:
        try:
            self._ours.send((side, number))
            answer = self._ours.recv()
        except (EOFError, OSError) as gone:
            raise WorkerFailed("the process is gone") from gone
        if not isinstance(answer, Replayed):
            raise WorkerFailed(str(answer))
        return answer

    def end(self) -> None:
        """End it, whatever it does; what waits for its answer fails."""
        self._process.kill()
        self._process.join()


def _work(pipe: Connection) -> None:
    """Answer until the hub is gone."""
    os.nice(NICE)
    with suppress(EOFError, OSError, KeyboardInterrupt):
        trial = _learned(pipe)
        while True:
            first, second = pipe.recv()
            if isinstance(first, str):
                pipe.send(_answer(trial, first, second))
            else:
                trial = trial.with_moves(first, second)


def _learned(pipe: Connection) -> Trial:
    trial: Trial = pipe.recv()
    contacts: list[Contact] = []
    while part := pipe.recv():
        contacts += part
    return replace(trial, day=replace(trial.day, contacts=tuple(contacts)))


def _answer(trial: Trial, side: str, number: int) -> Replayed | str:
    try:
        return replayed(trial, trial.side(side), number)
    except Exception:  # noqa: BLE001 - told to the hub, which logs it
        return traceback.format_exc()
