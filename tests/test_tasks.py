"""Background tasks: restarted after a fault, and surely ended."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from madoguchi import tasks
from madoguchi.tasks import Supervisor
from tests.support.waiting import wait_for


@pytest.fixture
def impatient() -> Iterator[None]:
    """Cancel again soon."""
    kept, tasks.CANCEL_AGAIN_S = tasks.CANCEL_AGAIN_S, 0.05
    yield
    tasks.CANCEL_AGAIN_S = kept


class Deaf:
    """A task in whose middle a library swallows the first cancellations."""

    def __init__(self, swallows: int) -> None:
        self.swallows = swallows
        self.running = False

    async def run(self) -> None:
        """Work for ever."""
        never = asyncio.Event()
        while True:
            self.running = True
            try:
                await never.wait()
            except asyncio.CancelledError:
                if not self.swallows:
                    self.running = False
                    raise
                self.swallows -= 1


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("swallows", [0, 1, 3])
async def test_a_swallowed_cancellation_does_not_stop_the_stop(swallows: int) -> None:
    supervisor = Supervisor()
    one, other = Deaf(swallows), Deaf(swallows)
    supervisor.start("one", one.run)
    supervisor.start("other", other.run)
    await wait_for(lambda: one.running and other.running, "both work")
    async with asyncio.timeout(5):
        await supervisor.stop("one")
        assert not one.running
        await supervisor.close()
    assert not other.running


async def test_a_fault_restarts_the_task_and_is_shown() -> None:
    supervisor = Supervisor()
    runs = []

    async def run() -> None:
        runs.append(1)
        if len(runs) == 1:
            raise ValueError("once")
        await asyncio.Event().wait()

    supervisor.start("task", run)
    await wait_for(lambda: len(runs) == 2, "it runs again")
    assert supervisor.states["task"].restarts == 1
    assert supervisor.states["task"].failing == "ValueError: once"
    await supervisor.close()


async def test_a_task_that_runs_steadily_again_is_failing_no_more() -> None:
    supervisor = Supervisor(steady_s=0.2)
    faults = [ValueError("the first"), ValueError("the second")]

    async def run() -> None:
        if faults:
            raise faults.pop(0)
        await asyncio.Event().wait()

    with capture_logs() as lines:
        supervisor.start("task", run)
        state = supervisor.states["task"]
        await wait_for(lambda: state.restarts == 2, "both faults")
        assert state.failing == "ValueError: the second"
        await wait_for(lambda: state.failing is None, "it runs")
        await supervisor.close()
    told = [(line["event"], line.get("failed_with")) for line in lines]
    assert told == [
        ("task failed, it will be restarted", None),
        ("task runs again", "ValueError: the second"),
    ]
