"""Expected waits in the hub: learned from real work, kept over a restart, told to visitors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import Id
from madoguchi.store.work import Work
from tests.hub.test_chat import accepted
from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for

ONE_AT_A_TIME = "[agent.ann]\nunits = 1\n"


async def handled(here: Running, clock: ManualClock, ann: Person, desk: Stream, n: int) -> None:
    """Let a contact be accepted, and end after a minute."""
    await here.sms(f"+8190555{n:05d}", "hello")
    id = await accepted(ann, desk)
    clock.advance(60)
    await ann.call("POST", f"/conversations/{id}/end", {"inbound_seq": 1})
    await ann.call("POST", f"/conversations/{id}/wrap-up", {"code": "solved"})
    await desk.until(lambda s: s.of("conversation", id)["state"] == "closed", "closed")


async def unowned(here: Running) -> list[Id]:
    def unit() -> Work[list[Id]]:
        rows = yield select(work_item.c.id).where(work_item.c.state == "waiting")
        return sorted(r.id for r in rows)

    return await here.hub.store.read(unit)


async def test_the_wait_is_learned_told_and_known_after_a_restart(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await here.configure(ONE_AT_A_TIME)
        ann = await here.person("ann")
        desk = await ann.available()
        router, board = here.hub.router, here.hub.router.board
        assert board is not None
        assert board.expected_in("orders") == 0, "somebody is free"
        for n in range(6):
            await handled(here, clock, ann, desk, n)
        await here.sms("+819055500100", "busy")
        await accepted(ann, desk)
        assert board.expected_in("orders") == pytest.approx(60, abs=5)
        widget = await Widget(here).start()
        await widget.send("hello")
        (item,) = await wait_for(lambda: unowned(here), "it waits")
        await wait_for(lambda: router.expected_s(item) is not None, "the router knows it")
        assert router.expected_s(item) == pytest.approx(60, abs=5)
        assert board.expected_in("orders") == pytest.approx(120, abs=10)
        await wait_for(lambda: widget.positions, "told", within=12)
        told = widget.positions[-1]
        assert (told["position"], told["nobody"], told["wait_min"]) == (1, False, 1)
        await widget.close()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann = await here.person("ann")
        await ann.available()
        expected = await wait_for(lambda: here.hub.router.expected_s(item), "known again")
        assert expected == pytest.approx(60, abs=5)


async def test_the_site_says_what_a_new_contact_would_wait(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()

        async def told() -> Any:
            return (await widget.rest("GET", ""))[1]["wait_min"]

        assert await told() is None, "nobody is there"
        ann = await here.person("ann")
        await ann.available()

        async def at_once() -> bool:
            return bool(await told() == 0)

        await wait_for(at_once, "somebody has room")
        await widget.close()
