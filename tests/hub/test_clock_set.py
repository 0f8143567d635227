"""The wall clock is set under a running hub, or while it was down: what is due ends in its time."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from madoguchi.clock import ManualClock
from madoguchi.security.secrets import new_key
from tests.hub.test_chat import accepted
from tests.hub.test_router_service import first_offer
from tests.support.hubs import Person, Stream, hub_running
from tests.support.ports import free_port
from tests.support.waiting import wait_for

HOUR = 3600.0


def until(view: dict[str, Any], field: str = "deadline") -> datetime:
    """Return an instant of a view."""
    return datetime.fromisoformat(view[field])


async def leap(clock: ManualClock, desk: Stream, seconds: float) -> None:
    """Set the clock; return when the desk shows its offer on the new one."""
    (before,) = desk.all("offer")
    clock.set_ahead(seconds)
    wanted = until(before) + timedelta(seconds=seconds)
    await desk.until(
        lambda s: [o for o in s.all("offer") if until(o) == wanted], "on the new clock"
    )


async def taken_back(desk: Stream) -> None:
    """Wait until the desk's owner is marked as having missed the offer."""
    me = desk.person.id
    await desk.until(lambda s: s.of("agent", me).get("presence") == "missed", "missed")
    assert desk.all("offer") == []


async def heard(sue: Person, ann: Person, units: int) -> None:
    """Let the router work once more: everything that was due before is decided then."""
    await sue.call("PUT", f"/agents/{ann.id}/capacity", {"units": units})
    desk = ann.sockets["/agent"]
    await desk.until(lambda s: s.of("agent", ann.id).get("units") == units, "heard")


@pytest.mark.parametrize("hours", [[1, -1], [-1], [-1, 1], [1]])
async def test_an_offer_keeps_its_twenty_seconds(
    tmp_path: Path, database: str, hours: list[int]
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann, sue = await here.person("ann"), await here.person("sue")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        await first_offer(desk)
        for number in hours:
            await leap(clock, desk, number * HOUR)
        (shown,) = desk.all("offer")
        assert until(shown) - clock.now() == timedelta(seconds=20)
        clock.advance(19)
        await heard(sue, ann, 7)
        assert len(desk.all("offer")) == 1
        clock.advance(1.1)
        await taken_back(desk)


@pytest.mark.parametrize("hours", [1, -1])
async def test_desks_hear_at_once_that_the_clock_was_set(tmp_path: Path, hours: int) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        desk = await (await here.person("ann")).available()
        beats: list[dict[str, Any]] = []
        desk.client.on("heartbeat", beats.append, namespace="/agent")
        clock.set_ahead(hours * HOUR)
        await wait_for(lambda: beats, "a heartbeat", within=5)
        assert until(beats[0], "now") == clock.now()


async def test_an_open_offer_has_waited_no_longer_on_the_new_clock(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        desk = await (await here.person("ann")).available()
        await here.sms("+819055500100", "hello")
        await first_offer(desk)
        clock.advance(3)
        for hours in (1, -1, -1):
            await leap(clock, desk, hours * HOUR)
            (shown,) = desk.all("offer")
            assert clock.now() - until(shown, "enqueued_at") == timedelta(seconds=3)


async def test_an_offer_made_while_the_clock_was_ahead_can_be_accepted(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        clock.set_ahead(HOUR)
        await here.sms("+819055500100", "hello")
        await first_offer(desk)
        await leap(clock, desk, -HOUR)
        await accepted(ann, desk)


async def test_while_the_machine_slept_offers_ran_out(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        await first_offer(desk)
        clock.advance(HOUR)
        await taken_back(desk)


async def test_a_clock_that_leapt_ahead_for_good_ends_offers_in_their_time(tmp_path: Path) -> None:
    """A paused virtual machine: its wall clock is corrected, and no time has passed for it."""
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        await first_offer(desk)
        await leap(clock, desk, HOUR)
        clock.advance(20.1)
        await taken_back(desk)


async def test_restarted_with_rows_of_the_future(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    same: dict[str, Any] = {"database": database, "port": free_port(), "secret_keys": new_key()}
    async with hub_running(tmp_path, clock=clock, **same) as here:
        clock.set_ahead(HOUR)
        ann, sue = await here.person("ann"), await here.person("sue")
        desk = await ann.available()
        await sue.call("PUT", f"/agents/{ann.id}/capacity", {"units": 1})
        await desk.until(lambda s: s.of("agent", ann.id).get("units") == 1, "one unit")
        for number in range(3):
            clock.advance(1)
            await here.sms(f"+81905550010{number}", f"{number}")
            await waits_in(desk, number + 1)
        await first_offer(desk)
    clock.set_ahead(-HOUR)
    async with hub_running(tmp_path, clock=clock, **same) as here:
        ann = await here.person("ann")
        desk = await ann.connect()
        offered = await first_offer(desk)
        assert until(offered) <= clock.now() + timedelta(seconds=20)
        clock.advance(1)
        await here.sms("+819055500109", "later")
        await waits_in(desk, 4)
        order = sorted(desk.all("item"), key=lambda i: (i["enqueued_at"], i["id"]))
        said = {c["id"]: c["preview"] for c in desk.all("conversation")}
        assert [said[i["conversation"]] for i in order] == ["0", "1", "2", "later"]
        clock.advance(20.1)
        await taken_back(desk)


async def waits_in(desk: Stream, number: int) -> None:
    """Wait until a desk shows so many items."""
    await desk.until(lambda s: len(s.all("item")) == number, f"{number} items")
