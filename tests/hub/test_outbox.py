"""The outbox: what a fault on our own side leaves is settled, and never sent a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest_asyncio

from connectors.delivery import Delivery, Job
from madoguchi.clock import ManualClock
from madoguchi.model.conversation import MessageState
from madoguchi.model.inbound import Receipt
from madoguchi.store.work import Unavailable
from tests.support.outboxes import Outbox
from tests.support.stores import opened
from tests.support.waiting import wait_for


class Forgetful(Delivery):
    """Cannot store the first end of a message: the database is away."""

    blips = 1
    steps = 0

    async def step(self) -> None:
        self.steps += 1
        await super().step()

    async def _end(
        self, job: Job, state: MessageState, provider_id: str | None, why: str | None
    ) -> None:
        if self.blips:
            self.blips -= 1
            raise Unavailable("a blip of the database")
        await super()._end(job, state, provider_id, why)


@asynccontextmanager
async def works(delivery: Delivery) -> AsyncIterator[Delivery]:
    """Let a delivery run."""
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest_asyncio.fixture
async def box(tmp_path: Path, database: str) -> AsyncIterator[Outbox]:
    """An empty outbox."""
    async with aiohttp.ClientSession() as http, opened(tmp_path, database) as store:
        yield Outbox(store, http)


def advance(box: Outbox, seconds: float) -> None:
    """Let time pass."""
    assert isinstance(box.clock, ManualClock)
    box.clock.advance(seconds)


def shows(box: Outbox, id: str, state: str) -> Callable[[], Awaitable[bool]]:
    """Return the condition that a message is in a state."""
    return lambda: box.shows(id, state)


async def test_an_end_that_could_not_be_stored_is_settled_and_not_sent_again(box: Outbox) -> None:
    sms = box.account("sms")
    sms.trace = Receipt("sid-of-the-first")
    delivery = box.delivery(Forgetful)
    assert isinstance(delivery, Forgetful)
    (id,) = await box.put(sms, "an answer")
    async with works(delivery):
        await wait_for(lambda: delivery.blips == 0, "the blip")
        await wait_for(lambda: delivery.steps >= 3, "it looks again, but only once a second")
        assert (await box.row(id)).shown == "sending"
        advance(box, 3)
        await wait_for(shows(box, id, "unknown"), "the outcome is shown as unknown")
        advance(box, 25)
        await wait_for(shows(box, id, "sent"), "settled")
    row = await box.row(id)
    assert (row.state, row.provider_id) == (2, "sid-of-the-first")
    assert sms.sent == ["an answer"]
    assert delivery.steps < 20


async def test_an_unexpected_fault_of_a_connector_is_an_unknown_outcome(box: Outbox) -> None:
    sms = box.account("sms")
    sms.answers = [lambda: ValueError("no sid in the answer")]
    (id,) = await box.put(sms, "an answer")
    async with works(box.delivery()):
        await wait_for(shows(box, id, "unknown"), "unknown")
        assert "no sid in the answer" in (await box.row(id)).reason
        advance(box, 25)
        await wait_for(lambda: sms.looked, "one look")
        await wait_for(lambda: _over(box, id), "over")
    assert (await box.row(id)).shown == "unknown"
    assert sms.sent == ["an answer"]


async def _over(box: Outbox, id: str) -> bool:
    return bool((await box.row(id)).state == 2)
