"""The outbox: what a fault on our own side leaves is settled, and never sent a second time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import pytest
import pytest_asyncio
from sqlalchemy import make_url, update
from structlog.testing import capture_logs

from connectors.delivery import Delivery
from connectors.outgoing import Job
from madoguchi.clock import Clock, ManualClock
from madoguchi.model.conversation import MessageState
from madoguchi.model.inbound import AuthFailed, Receipt, Rejected, RetryLater, UnknownOutcome
from madoguchi.store.leases import release
from madoguchi.store.tables import outbox
from madoguchi.store.work import Unavailable, Work
from tests.support.outboxes import Outbox
from tests.support.stores import opened
from tests.support.waiting import wait_for

WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted"


class Counting(Delivery):
    """Counts how often it has looked."""

    steps = 0

    async def step(self) -> None:
        await super().step()
        self.steps += 1


class Forgetful(Counting):
    """Cannot store the first end of a message: the database is away."""

    blips = 1

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


async def test_a_message_that_the_provider_has_in_its_queue_is_unknown_no_more(box: Outbox) -> None:
    sms = box.account("sms")
    sms.answers = [lambda: UnknownOutcome("no answer")]
    sms.trace = Receipt("sid", MessageState.SENDING)
    (id,) = await box.put(sms, "an answer")
    async with works(box.delivery()):
        await wait_for(shows(box, id, "unknown"), "unknown")
        advance(box, 25)
        await wait_for(shows(box, id, "sent"), "found")


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


@pytest.mark.postgres
async def test_what_another_process_sends_is_left_to_it(tmp_path: Path, pg_database: str) -> None:
    answered: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    async with (
        aiohttp.ClientSession() as http,
        opened(tmp_path, pg_database) as store,
        opened(tmp_path, pg_database) as other,
    ):
        box = Outbox(store, http, clock=Clock())
        sms = box.account("sms")
        sms.answers = [lambda: answered]
        (id,) = await box.put(sms, "an answer")
        second = box.delivery(Counting, "b.1", other)
        async with works(box.delivery(holder="a.1")):
            await wait_for(lambda: sms.sent, "the first has asked the provider")
            async with works(second):
                await wait_for(lambda: second.steps >= 3, "the second has looked")
                row = await box.row(id)
                assert (row.state, row.holder, row.shown) == (1, "a.1", "sending")
                answered.set_result(RetryLater("too many requests", 0.0))
                await wait_for(shows(box, id, "sent"), "sent by one of them")
    assert sms.sent == ["an answer"] * 2
    assert sms.looked == []


@pytest.mark.parametrize("successor", ["a.2", "b.1"])
async def test_what_a_dead_process_has_begun_is_settled(box: Outbox, successor: str) -> None:
    sms = box.account("sms")
    sms.trace = Receipt("sid-of-the-first")
    sms.answers = [lambda: asyncio.get_running_loop().create_future()]
    (id,) = await box.put(sms, "an answer")
    async with works(box.delivery(holder="a.1")):
        await wait_for(lambda: sms.sent, "the first has asked the provider")
    later = box.delivery(Counting, successor)
    async with works(later):
        if successor == "b.1":
            await wait_for(lambda: later.steps >= 2, "the lease of the first is respected")
            assert (await box.row(id)).holder == "a.1"
            await box.store.write(lambda: release("a.1"))
        await wait_for(shows(box, id, "unknown"), "taken over")
        advance(box, 25)
        await wait_for(shows(box, id, "sent"), "settled")
    assert sms.sent == ["an answer"]


async def test_many_rows_that_wait_stop_no_other_account(box: Outbox) -> None:
    off, later, sms = box.account("off", paused=True), box.account("later"), box.account("sms")
    await box.put(off, *["x"] * 600)
    await box.put(later, *["y"] * 600, due_at=box.clock.now() + timedelta(hours=1))
    (id,) = await box.put(sms, "an answer")
    async with works(box.delivery()):
        await wait_for(shows(box, id, "sent"), "sent")
    assert (off.sent, later.sent, sms.sent) == ([], [], ["an answer"])


async def test_a_busy_account_takes_its_turn_and_all_is_sent_once(box: Outbox) -> None:
    bulk, sms = box.account("bulk"), box.account("sms")
    texts = [f"text {n}" for n in range(60)]
    ids = await box.put(bulk, *texts)
    (id,) = await box.put(sms, "an answer")
    async with works(box.delivery()):
        await wait_for(shows(box, id, "sent"), "sent")
        await wait_for(shows(box, ids[-1], "sent"), "the last one")
        await wait_for(lambda: len(bulk.sent) == 60, "all")
    assert sorted(bulk.sent) == sorted(texts)


async def test_a_provider_that_puts_off_for_ever_is_given_up(box: Outbox) -> None:
    sms = box.account("sms")
    sms.answers = [lambda: RetryLater("too many requests")] * 200
    (id,) = await box.put(sms, "an answer")
    began = box.clock.now()
    delivery: Delivery = box.delivery()
    while (await box.row(id)).state < 2:
        await delivery.step()
        await delivery.idle()
        advance(box, 301)
        assert len(sms.sent) < 100
    row = await box.row(id)
    assert row.shown == "failed"
    assert "4 hours" in row.reason
    assert "too many requests" in row.reason
    assert row.first_at == began
    assert timedelta(hours=4) < box.clock.now() - began < timedelta(hours=4, minutes=15)


async def _over(box: Outbox, id: str) -> bool:
    return bool((await box.row(id)).state == 2)


@pytest.mark.parametrize("restarted", [False, True])
async def test_what_was_put_off_before_the_clock_went_back_does_not_wait_for_it(
    box: Outbox, restarted: bool
) -> None:
    assert isinstance(box.clock, ManualClock)
    provider = box.account("busy")
    box.clock.set_ahead(3600)
    provider.answers = [lambda: RetryLater("busy", 4)]
    delivery: Delivery = box.delivery()
    (tried,) = await box.put(provider, "tried")
    await delivery.step()
    await delivery.idle()
    (fresh,) = await box.put(provider, "fresh")
    later = box.clock.now() + timedelta(hours=9)
    box.clock.set_ahead(-3600)
    (wanted,) = await box.put(provider, "wanted later", due_at=later)
    delivery = box.delivery(holder="a.2") if restarted else delivery
    box.clock.advance(5)
    await delivery.step()
    await delivery.idle()
    assert await box.shows(tried, "sent")
    assert await box.shows(fresh, "sent")
    assert await box.shows(wanted, "queued")


async def test_a_pause_that_a_provider_asked_for_does_not_grow_with_the_clock(box: Outbox) -> None:
    assert isinstance(box.clock, ManualClock)
    provider = box.account("busy")
    provider.answers = [lambda: RetryLater("busy", 30)]
    (id,) = await box.put(provider, "one")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await delivery.idle()
    box.clock.set_ahead(-3600)
    await delivery.step()
    await delivery.idle()
    assert provider.sent == ["one"], "the provider asked for 30 s"
    box.clock.advance(31)
    await delivery.step()
    await delivery.idle()
    assert await box.shows(id, "sent")


async def test_a_pause_that_a_provider_asked_for_outlives_a_restart(box: Outbox) -> None:
    busy, own = box.account("busy"), box.account("own")
    busy.answers = [lambda: RetryLater("too many requests", 60)]
    own.answers = [lambda: RetryLater("a moment")]
    await box.put(busy, "first")
    await box.put(own, "first")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await delivery.idle()
    later: Delivery = box.delivery(holder="a.2")
    await box.put(busy, "to somebody else")
    await box.put(own, "to somebody else")
    advance(box, 1)
    await later.step()
    await later.idle()
    assert busy.sent == ["first"], "the provider asked the account to wait"
    assert own.sent == ["first", "to somebody else"]
    advance(box, 60)
    await later.step()
    await later.idle()
    assert sorted(busy.sent) == ["first", "first", "to somebody else"]


async def test_a_clock_that_is_set_ahead_gives_no_message_up(box: Outbox) -> None:
    provider = box.account("busy")
    provider.answers = [lambda: RetryLater("busy")] * 2
    (id,) = await box.put(provider, "one")
    delivery: Delivery = box.delivery()
    assert isinstance(box.clock, ManualClock)
    for hours in (0, 5, 5):
        box.clock.set_ahead(hours * 3600)
        advance(box, 10)
        await delivery.step()
        await delivery.idle()
    assert await box.shows(id, "sent")
    assert len(provider.sent) == 3


async def test_with_other_credentials_the_provider_is_asked_at_once(box: Outbox) -> None:
    sms = box.account("sms")
    late: asyncio.Future[Exception] = asyncio.get_running_loop().create_future()
    sms.answers = [lambda: AuthFailed("wrong token"), lambda: late]
    wanted = box.clock.now() + timedelta(hours=9)
    (later,) = await box.put(sms, "wanted later", due_at=wanted)
    ids = await box.put(sms, "one", "another")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await wait_for(lambda: len(delivery._busy) == 1, "one is refused, one on its way")
    (behind,) = await box.put(sms, "behind")
    await delivery.step()
    assert (await box.view(behind))["retry"] is not None

    box.corrected(sms)
    late.set_result(AuthFailed("wrong token"))
    await delivery.idle()
    advance(box, 3)
    await delivery.step()
    await delivery.idle()
    for id in (*ids, behind):
        assert await box.shows(id, "sent")
    assert await box.shows(later, "queued")


async def test_another_name_does_not_end_a_providers_pause(box: Outbox) -> None:
    sms = box.account("sms")
    sms.answers = [lambda: RetryLater("too many requests", 600)]
    await box.put(sms, "one")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await delivery.idle()
    sms.account = replace(sms.account, name="another name")
    advance(box, 590)
    await delivery.step()
    await delivery.idle()
    assert sms.sent == ["one"]


@pytest.mark.postgres
@pytest.mark.parametrize("step", ["begin", "sent", "later", "refused", "unknown"])
async def test_a_message_is_locked_before_its_outbox_row(
    tmp_path: Path, pg_database: str, step: str
) -> None:
    """As a callback does that comes meanwhile; in two orders they would wait for each other."""
    answers: dict[str, Any] = {
        "sent": Receipt("sid"),
        "later": RetryLater("busy", 60),
        "refused": Rejected("no such number"),
        "unknown": UnknownOutcome("no answer"),
    }
    answered: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    dsn = make_url(pg_database).set(drivername="postgresql")
    async with aiohttp.ClientSession() as http, opened(tmp_path, pg_database) as store:
        box = Outbox(store, http)
        sms = box.account("sms")
        sms.answers = [lambda: answered]
        (id,) = await box.put(sms, "an answer")
        delivery: Delivery = box.delivery()
        callback = await asyncpg.connect(dsn.render_as_string(hide_password=False))
        if step != "begin":
            await delivery.step()
            await wait_for(lambda: sms.sent, "it is on its way")
        try:
            async with callback.transaction():
                await callback.execute("SELECT 1 FROM message WHERE id = $1 FOR UPDATE", id)
                answered.set_result(answers.get(step, Receipt("sid")))
                if step == "begin":
                    await delivery.step()
                await wait_for(lambda: callback.fetchval(WAITING), "it waits for the message")
                await callback.execute(
                    "SELECT 1 FROM outbox WHERE message = $1 FOR UPDATE NOWAIT", id
                )
            await delivery.idle()
        finally:
            await callback.close()
    assert sms.sent == ["an answer"]


async def test_of_parallel_answers_the_longest_pause_counts(box: Outbox) -> None:
    loop = asyncio.get_running_loop()
    answers: list[asyncio.Future[Exception]] = [loop.create_future() for _ in range(2)]
    sms = box.account("sms")
    sms.answers = [lambda: answers[0], lambda: answers[1]]
    await box.put(sms, "one", "another")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await wait_for(lambda: len(sms.sent) == 2, "both are on their way")
    answers[0].set_result(RetryLater("too many requests", 600))
    await wait_for(lambda: len(delivery._busy) == 1, "the first has its answer")
    answers[1].set_result(RetryLater("too many requests"))
    await delivery.idle()
    await box.put(sms, "a third")
    advance(box, 590)
    await delivery.step()
    await delivery.idle()
    assert len(sms.sent) == 2, "the provider asked for 600 s"
    advance(box, 11)
    await delivery.step()
    await delivery.idle()
    assert len(sms.sent) == 5


async def test_what_waits_for_a_pause_says_so_once(box: Outbox) -> None:
    busy, other = box.account("busy"), box.account("other")
    busy.answers = [lambda: RetryLater("busy", 60), lambda: RetryLater("busy", 61)]
    (before,) = await box.put(busy, "first")
    delivery: Delivery = box.delivery()
    await delivery.step()
    await delivery.idle()
    end = box.clock.now() + timedelta(seconds=60)
    ids = await box.put(busy, "second", "third")
    (elsewhere,) = await box.put(other, "another account's")
    for _ in range(3):
        await delivery.step()
        await delivery.idle()
    for id in ids:
        assert (await box.view(id))["retry"] == {"at": end, "attempts": 0}
        assert await box.told(id) == ["message.put_off"]
        assert await box.shows(id, "queued")
    assert (await box.told(before)).count("message.put_off") == 1
    assert await box.shows(elsewhere, "sent")
    later: Delivery = box.delivery(holder="a.2")
    advance(box, 30)
    await later.step()
    assert [await box.told(id) for id in ids] == [["message.put_off"]] * 2, (
        "a restart tells nothing"
    )
    advance(box, 31)
    while not all([await box.shows(id, "sent") for id in (before, *ids)]):
        await later.step()
        await later.idle()
        advance(box, 10)
    assert sorted(busy.sent[1:]) == ["first", "first", "second", "third"]
    assert (await box.row(ids[0])).first_at > end, "waiting is no attempt"
    assert (await box.view(ids[0]))["retry"] is None


async def test_what_is_behind_a_message_that_was_put_off_says_so(box: Outbox) -> None:
    sms = box.account("sms")
    sms.answers = [lambda: RetryLater("not reached")] * 3
    ids = await box.put(sms, "first", "second")

    def one_lane() -> Work[None]:
        yield update(outbox).values(lane="one")

    await box.store.write(one_lane)
    delivery: Delivery = box.delivery()
    due = box.clock.now()
    for pause in (2, 4, 8):
        await delivery.step()
        await delivery.idle()
        await delivery.step()
        due = box.clock.now() + timedelta(seconds=pause)
        advance(box, pause)
    assert sms.sent == ["first"] * 3
    assert (await box.view(ids[1]))["retry"] == {"at": due, "attempts": 0}
    assert await box.told(ids[1]) == ["message.put_off"]
    for _ in range(2):
        await delivery.step()
        await delivery.idle()
    assert sms.sent[3:] == ["first", "second"]


class Away(Counting):
    """Cannot read for a while, and asks again soon."""

    first_absence_s = 0.01
    absences = 3

    async def step(self) -> None:
        if self.absences:
            self.absences -= 1
            raise Unavailable("the database is out of reach")
        await super().step()


async def test_an_outage_is_logged_at_its_beginning_and_at_its_end(box: Outbox) -> None:
    delivery = box.delivery(Away)
    with capture_logs() as logs:
        async with works(delivery):
            await wait_for(lambda: delivery.steps >= 2, "it reads again")
    told = [(one["log_level"], one["event"]) for one in logs]
    assert told == [
        ("warning", "the outbox cannot be read"),
        ("info", "the outbox can be read again"),
    ]


async def test_only_a_long_pause_is_told(box: Outbox) -> None:
    """Each pause is twice the one before; desks hear nothing of the first ones."""
    sms = box.account("sms")
    sms.answers = [lambda: RetryLater("busy")] * 4
    (id,) = await box.put(sms, "an answer")
    delivery: Delivery = box.delivery()
    told = []
    for pause in (2, 4, 8, 16):
        await delivery.step()
        await delivery.idle()
        row = await box.row(id)
        assert (row.due_at - box.clock.now()).total_seconds() == pause
        told.append((await box.view(id))["retry"] is not None)
        advance(box, pause)
    assert told == [False, False, True, True]
    entries = [e for e in await box.told(id) if e == "message.put_off"]
    assert len(entries) == 2
