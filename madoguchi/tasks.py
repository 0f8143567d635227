"""Named background tasks that are watched, restarted after a fault and stopped together."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger(__name__)

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 30.0
CANCEL_AGAIN_S = 2.5
STEADY_S = 15.0
"""Longer than a task may wait in vain before it fails: for a connection, and for its turn."""


@dataclass
class TaskState:
    """What /readyz shows of one task: its name, restarts so far and the last fault."""

    name: str
    restarts: int = 0
    failing: str | None = None


@dataclass
class Supervisor:
    """Owner of all long-running tasks of a process.

    A task that raises is started again after a pause that doubles up to 30 s; an outage is logged
    once when it begins and once when it ends: when the task has run for ``steady_s`` since.
    """

    steady_s: float = STEADY_S
    _tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)
    states: dict[str, TaskState] = field(default_factory=dict)

    def start(self, name: str, run: Callable[[], Awaitable[None]]) -> None:
        """Run ``run`` until it returns or the supervisor stops; restart it when it raises."""
        state = self.states.setdefault(name, TaskState(name))
        self._tasks[name] = asyncio.create_task(self._watch(state, run), name=name)

    def once(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        """Run a short piece of work with a strong reference; a fault is logged, not raised."""
        task = asyncio.create_task(self._logged(name, work), name=name)
        key = f"{name}#{id(task)}"
        self._tasks[key] = task
        task.add_done_callback(lambda _: self._tasks.pop(key, None))

    async def stop(self, name: str) -> None:
        """Cancel one task and wait for its end; unknown names are fine."""
        task = self._tasks.pop(name, None)
        self.states.pop(name, None)
        if task is not None:
            await _ended([task])

    async def close(self) -> None:
        """Cancel every task and wait until all have ended."""
        await _ended(self._tasks.values())
        self._tasks.clear()

    async def _logged(self, name: str, work: Callable[[], Awaitable[None]]) -> None:
        try:
            await work()
        except Exception:
            log.exception("task failed", task=name)

    async def _watch(self, state: TaskState, run: Callable[[], Awaitable[None]]) -> None:
        pause = FIRST_PAUSE_S
        while True:
            steady = asyncio.get_running_loop().call_later(self.steady_s, _recovered, state)
            try:
                await run()
            except Exception as fault:
                if state.failing is None:
                    pause = FIRST_PAUSE_S
                    log.exception("task failed, it will be restarted", task=state.name)
                state.failing = f"{type(fault).__name__}: {fault}"
                state.restarts += 1
            else:
                return
            finally:
                steady.cancel()
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE_S)


def _recovered(state: TaskState) -> None:
    if state.failing is not None:
        log.info("task runs again", task=state.name, failed_with=state.failing)
        state.failing = None


async def _ended(tasks: Iterable[asyncio.Task[None]]) -> None:
    """Cancel tasks until all have ended.

    Once is not enough: python-socketio swallows a cancellation that meets one of its handlers, for
    example while a desk is being disconnected; the task would go on and we would wait for ever.
    """
    pending = set(tasks)
    while pending:
        for task in pending:
            task.cancel()
        done, pending = await asyncio.wait(pending, timeout=CANCEL_AGAIN_S)
        for task in done:
            if not task.cancelled() and (fault := task.exception()) is not None:
                log.warning("task ended with a fault", task=task.get_name(), why=repr(fault))
