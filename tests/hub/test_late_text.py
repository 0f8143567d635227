"""A text that arrives while its conversation's work ends is never left alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import select, update

from madoguchi.clock import ManualClock
from madoguchi.conversations.closing import close
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.conversation import UNFINISHED
from madoguchi.model.routing import Refused, WrapUpStarted
from madoguchi.store.log import head
from madoguchi.store.work import Rows, Work
from router.orders import Order
from tests.hub.test_chat import accepted
from tests.hub.test_desk_finish import limited, wrapping
from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.waiting import wait_for

CUSTOMER = "+819055500100"
OPEN = {state.value for state in UNFINISHED}


def rows(id: str) -> Work[tuple[Any, Rows]]:
    (one,) = yield select(conversation).where(conversation.c.id == id)
    return one, (yield select(work_item).where(work_item.c.conversation == id))


async def shown(here: Running, id: str) -> tuple[Any, Rows]:
    return await here.hub.store.read(lambda: rows(id))


async def only_conversation(here: Running) -> str:
    def unit() -> Work[Rows]:
        return (yield select(conversation.c.id))

    (row,) = await wait_for(lambda: here.hub.store.read(unit), "a conversation")
    return str(row.id)


async def at_work(here: Running, id: str, texts: int) -> bool:
    """Tell whether a conversation of so many texts is open and somebody has it or will."""
    one, items = await shown(here, id)
    at = any(item.state in OPEN for item in items)
    return bool(one.state == "open" and one.inbound_seq == texts and at)


async def test_texts_that_race_with_the_end_of_the_work_find_an_agent(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        for turn in range(12):
            sender = f"+8190555{turn:05d}"
            await here.sms(sender, "hello")
            id = await accepted(ann, desk)
            await ann.call("POST", f"/conversations/{id}/end", {"inbound_seq": 1})
            status, _ = (
                await asyncio.gather(
                    ann.raw("POST", f"/conversations/{id}/wrap-up", {"code": "solved"}),
                    here.sms(sender, "one more thing"),
                )
            )[0]
            await wait_for(
                lambda id=id: at_work(here, id, 2),  # type: ignore[misc]
                f"work for the text of turn {turn} (wrap-up said {status})",
            )
            await wait_for(lambda id=id: finished(here, ann, desk, id), "finished")  # type: ignore[misc]


async def finished(here: Running, ann: Person, desk: Stream, id: str) -> bool:
    """Take a step towards the end of a conversation; tell whether it is closed."""
    for offer in desk.all("offer"):
        await ann.raw("POST", f"/offers/{offer['id']}/accept")
    await ann.raw("POST", f"/conversations/{id}/end", {"inbound_seq": 2})
    await ann.raw("POST", f"/conversations/{id}/wrap-up", {"code": "solved"})
    return bool((await shown(here, id))[0].state == "closed")


async def test_a_text_stored_before_the_closing_and_not_heard_reopens(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.sms(CUSTOMER, "hello")
        id = await only_conversation(here)
        before = await here.hub.store.read(head)
        await here.sms(CUSTOMER, "wait, one more thing")

        async def written() -> bool:
            return bool((await shown(here, id))[0].inbound_seq == 2)

        await wait_for(written, "stored")
        now, new_id = here.hub.clock.now(), here.hub.clock.new_id

        def unit() -> Work[None]:
            yield update(work_item).values(state="done", closed_at=now)
            yield from close({id: before}, now, new_id, {id: {"code": "solved"}}, {})

        await here.hub.store.write(unit)
        one, items = await shown(here, id)
        assert (one.state, one.wrap_up, one.unanswered_since) == ("open", None, one.inbound_at)
        assert len(items) == 2, "new work; its state is the router's to write"

        now_heard = await here.hub.store.read(head)

        def again() -> Work[None]:
            yield update(work_item).values(state="done", closed_at=now)
            yield from close({id: now_heard}, now, new_id, {id: {"code": "solved"}}, {})

        await here.hub.store.write(again)
        one, items = await shown(here, id)
        assert (one.state, one.wrap_up) == ("closed", {"code": "solved"})
        assert len(items) == 2, "no work more"


async def test_a_contact_does_not_end_over_a_text_that_came_behind_the_look(
    tmp_path: Path, database: str
) -> None:
    """The route looks for newer texts and asks the router then; between the two one may come."""
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        await here.sms(CUSTOMER, "hello")
        id = await accepted(ann, await ann.available())
        _, (item,) = await shown(here, id)
        await here.sms(CUSTOMER, "one more thing")
        texts = here.hub.router._kept.texts
        await wait_for(lambda: texts.get(item.id) == 2, "stored, and the router has heard of it")
        with pytest.raises(Refused, match="newer_inbound"):
            await here.hub.router.order(Order(WrapUpStarted(item.id, ann.id, 1)))
        _, (item,) = await shown(here, id)
        assert item.state == "assigned"
        await here.hub.router.order(Order(WrapUpStarted(item.id, ann.id, 2)))


async def test_who_leaves_and_writes_at_once_is_still_served(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()
        await widget.send("hello")
        id = await only_conversation(here)
        await asyncio.gather(widget.call("leave", {}), widget.send("wait, I am still here"))
        await wait_for(lambda: at_work(here, id, 2), "work for the text behind the leaving")
        await widget.close()


async def test_a_text_in_the_moment_in_which_wrap_up_ends_by_itself(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        await limited(here, 60)
        ann = await here.person("ann")
        id = await wrapping(here, ann, await ann.available())
        clock.advance(61)
        await here.sms("+819055500187", "one more thing")
        await wait_for(lambda: at_work(here, id, 2), "work for the text")


@pytest.mark.postgres
async def test_a_text_that_waited_for_the_closing_sees_what_it_did(
    tmp_path: Path, pg_database: str
) -> None:
    async with hub_running(tmp_path, database=pg_database) as here:
        await here.sms(CUSTOMER, "hello")
        id = await only_conversation(here)
        closer, watcher = await asyncpg.connect(pg_database), await asyncpg.connect(pg_database)
        closing = closer.transaction()
        await closing.start()
        await closer.execute("UPDATE work_item SET state = 'done', closed_at = now()")
        await closer.execute(
            "UPDATE conversation SET state = 'closed', closed_at = now(), unanswered_since = NULL"
        )
        await here.sms(CUSTOMER, "second")
        waits = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
            " AND query LIKE '%conversation%' AND datname = current_database()"
        )
        await wait_for(lambda: watcher.fetchval(waits), "the lane waits for the lock")
        await closing.commit()

        await wait_for(lambda: at_work(here, id, 2), "new work for the text")
        for connection in (closer, watcher):
            await connection.close()
