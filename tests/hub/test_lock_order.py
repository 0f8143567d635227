"""Whoever locks several rows does so in one order: nobody waits in a ring."""

from __future__ import annotations

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import select

from madoguchi.conversations.tables import work_item
from madoguchi.model.routing import TransferredToQueue, WrapUpStarted
from madoguchi.store.work import Work
from router.orders import Order
from tests.hub.test_chat import accepted
from tests.support.hubs import Running, hub_running
from tests.support.waiting import wait_for

LOCK = "SELECT 1 FROM conversation WHERE id = $1 FOR UPDATE"
WAITS = (
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


async def item_of(here: Running, conversation: str) -> str:
    def unit() -> Work[str]:
        rows = yield select(work_item.c.id).where(work_item.c.conversation == conversation)
        return str(rows[0].id)

    return await here.hub.store.read(unit)


@pytest.mark.postgres
async def test_one_cycle_locks_all_its_conversations_in_id_order(
    tmp_path: Path, pg_database: str
) -> None:
    """A lane that has the first may ask for the second while a cycle changes both, first the
    second's queue, then what is told of the first.
    """
    async with hub_running(tmp_path, database=pg_database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        first = await accepted(ann, desk)
        await here.sms("+819055500101", "hello")
        second = await accepted(ann, desk)
        assert first < second
        items = [await item_of(here, id) for id in (first, second)]

        lane, watcher = await asyncpg.connect(pg_database), await asyncpg.connect(pg_database)
        held = lane.transaction()
        await held.start()
        await lane.execute(LOCK, first)
        asked = asyncio.gather(
            here.hub.router.order(Order(WrapUpStarted(items[0], ann.id))),
            here.hub.router.order(Order(TransferredToQueue(items[1], "returns", ann.id))),
        )
        await wait_for(lambda: watcher.fetchval(WAITS), "the router waits for the first")
        await lane.execute(f"{LOCK} NOWAIT", second)
        await held.commit()
        await asked
        for connection in (lane, watcher):
            await connection.close()


@pytest.mark.postgres
@pytest.mark.parametrize("act", ["link", "rename"])
async def test_a_customer_is_locked_behind_its_conversations(
    tmp_path: Path, pg_database: str, act: str
) -> None:
    """As the lanes do, who find a conversation first and then learn something of its customer."""
    async with hub_running(tmp_path, database=pg_database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        found = []
        for number in range(2):
            await here.sms(f"+81905550010{number}", "hello")
            id = await accepted(ann, desk)
            found.append(await ann.call("GET", f"/conversations/{id}"))
        mine, other = found
        path = f"/customers/{mine['customer']['id']}"
        method, path, body = (
            ("POST", f"{path}/identities", {"identity": other["identity"]})
            if act == "link"
            else ("PUT", path, {"name": "Ada"})
        )
        lane, watcher = await asyncpg.connect(pg_database), await asyncpg.connect(pg_database)
        held = lane.transaction()
        await held.start()
        await lane.execute(LOCK, mine["id"])
        asked = asyncio.ensure_future(ann.raw(method, path, body))
        await wait_for(lambda: watcher.fetchval(WAITS), "it waits for the lane")
        await lane.execute("SELECT 1 FROM customer, customer_of FOR UPDATE NOWAIT")
        await held.commit()
        status, _ = await asked
        assert status < 300
        for connection in (lane, watcher):
            await connection.close()
