"""The owner of a domain: races, takeover, and the life of an item through the whole hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from structlog.testing import capture_logs

from madoguchi.app import Hub, running
from madoguchi.clock import ManualClock
from madoguchi.configuration.service import Change, body_of
from madoguchi.conversations.tables import work_item
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import OfferAccepted, Presence, PresenceSet, Refused
from madoguchi.store.work import Work
from router.orders import Order
from router.tables import assignment, offer
from tests.hub.test_chat import accepted
from tests.support.hubs import Person, Running, Stream, Widget, hub_running, settings_for
from tests.support.ports import free_port
from tests.support.waiting import wait_for


async def first_offer(stream: Stream) -> dict[str, object]:
    """Return the next pending offer of a desk."""
    return dict(await stream.until(lambda s: next(iter(s.all("offer")), None), "an offer"))


async def live_assignments(hub: Hub) -> list[tuple[str, str]]:
    """Return (item, agent) of the assignments that are not over."""

    def unit() -> Work[list[tuple[str, str]]]:
        rows = yield select(assignment).where(assignment.c.ended_at.is_(None))
        return [(r.item, r.agent) for r in rows]

    return await hub.store.read(unit)


async def test_of_fifty_who_accept_one_wins_and_the_others_learn_who(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        catalog = here.hub.configuration.catalog
        ann = catalog.agents["ann"]
        crowd = [Change("agent", f"crowd-{n}", body_of(ann.object)) for n in range(49)]
        await here.hub.configuration.change(SYSTEM, "crowd", crowd)
        person = await here.person("ann")
        stream = await person.available()
        await here.sms("+819055500100", "hello")
        made = await first_offer(stream)
        people = [e.id for k, e in here.hub.configuration.catalog.agents.items() if "crowd" in k]

        async def accept(agent: str) -> str:
            try:
                await here.hub.client.ask(Order(OfferAccepted(str(made["id"]), agent)))
            except Refused as refused:
                return f"{refused.code}:{refused.agent}"
            return "won"

        answers = await asyncio.gather(*(accept(a) for a in [*people[:25], ann.id, *people[25:]]))
        assert answers.count("won") == 1
        assert answers[25] == "won"
        assert {a for a in answers if a != "won"} <= {f"taken:{ann.id}", f"not_yours:{ann.id}"}
        assert [agent for _, agent in await live_assignments(here.hub)] == [ann.id]


async def test_an_offer_that_times_out_marks_the_agent_and_the_item_goes_on(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        a, b = await ann.available(), await ben.available()
        await here.sms("+819055500100", "hello")
        desks = {ann.id: a, ben.id: b}
        made = await wait_for(lambda: next(iter([*a.all("offer"), *b.all("offer")]), None), "offer")
        slow = desks.pop(made["agent"])
        clock.advance(20.1)
        assert (await slow.until(lambda s: s.of("agent", made["agent"]), "agent"))["id"]
        await slow.until(
            lambda s: s.of("agent", made["agent"]).get("presence") == "missed", "missed"
        )
        other = next(iter(desks.values()))
        second = await first_offer(other)
        assert second["item"] == made["item"]
        assert second["enqueued_at"] == made["enqueued_at"]
        assert slow.all("offer") == []
        await slow.person.call("PUT", "/agents/me/presence", {"presence": "available"})
        await slow.until(
            lambda s: s.of("agent", made["agent"]).get("presence") == "available", "back"
        )


async def test_transfer_to_an_agent_carries_reason_and_summary_and_the_sender_keeps_it(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        a = await ann.available()
        await here.sms("+819055500100", "割れていました")
        conversation = await accepted(ann, a)
        b = await ben.available()
        body = {"agent": ben.id, "reason": "skill", "summary": "wants a new lid"}
        await ann.call("POST", f"/conversations/{conversation}/transfer", body)
        made = await b.until(lambda s: next(iter(s.all("offer")), None), "the transfer")
        assert made["transfer"] is True
        assert (made["handover"]["by_name"], made["handover"]["summary"]) == (
            "Ann",
            "wants a new lid",
        )
        assert a.of("conversation", conversation)["owner"] == ann.id
        await ben.call("POST", f"/offers/{made['id']}/accept")
        await b.until(
            lambda s: s.of("conversation", conversation).get("owner") == ben.id, "ben has it"
        )
        await a.until(
            lambda s: s.of("conversation", conversation).get("owner") == ben.id, "ann sees it"
        )
        status, problem = await ann.raw(
            "POST", f"/conversations/{conversation}/messages", {"mode": "reply", "text": "x"}
        )
        assert (status, problem["code"]) == (403, "forbidden")
        status, problem = await ann.raw(
            "POST",
            f"/conversations/{conversation}/transfer",
            {"queue": "orders", "reason": "skill", "summary": "x"},
        )
        assert (status, problem["code"]) == (409, "same_queue")


async def test_text_in_wrap_up_returns_the_item_and_its_end_closes_it(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "one")
        conversation = await accepted(ann, desk)
        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
        await desk.until(lambda s: [i for i in s.all("item") if i["state"] == "wrap_up"], "wrap-up")
        await here.sms("+819055500100", "two")
        await desk.until(lambda s: [i for i in s.all("item") if i["state"] == "assigned"], "back")
        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 2})
        await ann.call("POST", f"/conversations/{conversation}/wrap-up", {"code": "solved"})
        await desk.until(
            lambda s: s.of("conversation", conversation).get("state") == "closed", "closed"
        )
        await here.sms("+819055500100", "three")
        again = await desk.until(lambda s: next(iter(s.all("offer")), None), "reopened")
        assert again["conversation"] == conversation
        assert "last_owner" in again["facts"]


async def test_a_closed_laptop(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "one")
        conversation = await accepted(ann, desk)
        sue = await here.person("sue")
        board = await sue.connect("/supervisor")
        await desk.close()
        await board.until(lambda s: not s.of("agent", ann.id)["connected"], "cut")
        clock.advance(60.1)
        await board.until(lambda s: s.of("agent", ann.id)["presence"] == "away", "away")
        assert board.of("agent", ann.id)["reason"] == "connection"
        clock.advance(600)
        await board.until(
            lambda s: s.of("conversation", conversation).get("owner") is None, "requeued"
        )
        back = await ann.connect()
        await back.until(lambda s: s.of("agent", ann.id)["presence"] == "available", "back")
        offer_again = await first_offer(back)
        assert offer_again["conversation"] == conversation


async def test_who_takes_no_work_comes_and_goes_without_a_word_to_the_router(
    tmp_path: Path,
) -> None:
    async with hub_running(tmp_path) as here:
        sue, ann = await here.person("sue"), await here.person("ann")
        with capture_logs() as logs:
            desk = await sue.connect()
            await desk.close()
            await wait_for(lambda: not here.hub.desk.connected(sue.id), "she is gone")
            await ann.available()
    assert [entry for entry in logs if entry["log_level"] == "warning"] == []


async def test_a_restart_keeps_offers_and_owners(tmp_path: Path, database: str) -> None:
    port = free_port()
    async with hub_running(tmp_path, database=database, port=port) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "one")
        kept = await accepted(ann, desk)
        await here.sms("+819055500101", "two")
        made = await first_offer(desk)
    async with hub_running(tmp_path, database=database, port=port) as here:
        ann = await here.person("ann")
        desk = await ann.connect()
        assert desk.of("conversation", kept)["owner"] == ann.id
        assert [o["id"] for o in desk.all("offer")] == [made["id"]]
        await ann.call("POST", f"/offers/{made['id']}/accept")
        await desk.until(lambda s: len(await_owned(s, ann)) == 2, "both")
        assert len(await live_assignments(here.hub)) == 2


def await_owned(stream: Stream, person: Person) -> list[object]:
    """Return the conversations that somebody owns."""
    return [c for c in stream.all("conversation") if c["owner"] == person.id]


@asynccontextmanager
async def second_hub(folder: Path, here: Running, database: str) -> AsyncIterator[Hub]:
    """Run another process's hub on the same database."""
    settings = settings_for(folder, free_port(), database)
    settings = settings.model_copy(update={"secret_keys": here.hub.settings.secret_keys})
    async with running(settings) as hub:
        yield hub


@pytest.mark.postgres
async def test_two_services_on_one_database(tmp_path: Path, pg_database: str) -> None:
    """One owns the domain; the other asks by rows, and takes over when the first is gone."""
    async with hub_running(tmp_path / "a", database=pg_database) as here:
        first = here.hub
        async with second_hub(tmp_path / "b", here, pg_database) as second:
            await wait_for(lambda: second.configuration.catalog.agents, "the configuration")
            ann = first.configuration.catalog.agents["ann"].id
            assert first.router.owner
            assert not second.router.owner
            key = "ask-once"
            order = Order(PresenceSet(ann, Presence.away, "lunch", ann))
            await asyncio.gather(*(second.client.ask(order, key) for _ in range(3)))
            with pytest.raises(Refused, match="unknown_offer"):
                await second.client.ask(Order(OfferAccepted("nothing-1", ann)))
            await first.tasks.stop("router")
            await first.router.close()
            await wait_for(lambda: second.router.owner, "the second takes over", within=15)
            assert not first.router.owner
            await second.client.ask(Order(PresenceSet(ann, Presence.available, "", ann)))
            await here.sms("+819055500100", "hello")

            async def waiting() -> bool:
                def unit() -> Work[int]:
                    return len((yield select(work_item)))

                return await second.store.read(unit) == 1

            await wait_for(waiting, "the item is there")


@pytest.mark.postgres
async def test_a_frozen_owner_cannot_write_after_a_takeover(
    tmp_path: Path, pg_database: str
) -> None:
    async with hub_running(tmp_path / "a", database=pg_database) as here:
        first = here.hub
        ann = first.configuration.catalog.agents["ann"].id

        def steal() -> Work[None]:
            from sqlalchemy import update

            from madoguchi.store.tables import lease

            yield (
                update(lease)
                .where(lease.c.name == "router:1")
                .values(holder="thief.1", epoch=lease.c.epoch + 1)
            )

        await first.store.write(steal)
        order = Order(PresenceSet(ann, Presence.away, "lunch", ann))
        with pytest.raises(Exception, match="starting again"):
            await first.router.order(order)
        assert not first.router.owner

        def presence() -> Work[list[str]]:
            from router.tables import agent_status

            rows = yield select(agent_status.c.presence).where(agent_status.c.agent == ann)
            return [r.presence for r in rows]

        assert "away" not in await first.store.read(presence)


async def test_supervisors_act_and_everything_is_on_the_audit_trail(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        ann, ben, sue = [await here.person(n) for n in ("ann", "ben", "sue")]
        a = await ann.available()
        await here.sms("+819055500100", "one")
        conversation = await accepted(ann, a)
        b = await ben.available()
        await sue.call("POST", f"/conversations/{conversation}/assign", {"agent": ben.id})
        await b.until(lambda s: await_owned(s, ben), "ben has it")
        await sue.call("PUT", f"/agents/{ben.id}/capacity", {"units": 2})
        await b.until(lambda s: s.of("agent", ben.id).get("units") == 2, "two units")
        await sue.call("PUT", f"/agents/{ann.id}/presence", {"presence": "away", "reason": "報告"})
        await a.until(lambda s: s.of("agent", ann.id)["presence"] == "away", "away")
        assert a.of("agent", ann.id)["changed_by_name"] == "Sue"
        await sue.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
        await sue.call("POST", f"/conversations/{conversation}/wrap-up", {"code": "solved"})
        adam = await here.person("adam")
        acts = {a["action"] for a in (await adam.call("GET", "/audit"))["acts"]}
        assert {
            "conversation.assign",
            "config.change",
            "agent.presence",
            "conversation.end",
            "conversation.wrap_up",
            "session.open",
        } <= acts
        status, _ = await ann.raw("GET", "/audit")
        assert status == 403


async def test_offers_end_once(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        for n in range(4):
            await here.sms(f"+8190555001{n:02d}", "x")
        for _ in range(4):
            await accepted(ann, desk)

        def unit() -> Work[list[str]]:
            return [r.state for r in (yield select(offer))]

        assert await here.hub.store.read(unit) == ["accepted"] * 4


async def test_a_colleagues_newer_answer_is_shown_instead_of_sending(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann, sue = await here.person("ann"), await here.person("sue")
        desk = await ann.available()
        await here.sms("+819055500100", "one")
        conversation = await accepted(ann, desk)
        path = f"/conversations/{conversation}/messages"
        timeline = await ann.call("GET", f"/conversations/{conversation}/timeline")
        newest = timeline["entries"][-1]["id"]
        body = {"mode": "reply", "text": "from Sue", "newest": newest}
        first = await sue.call("POST", path, body)
        status, problem = await ann.raw("POST", path, {**body, "text": "from Ann"})
        assert (status, problem["code"]) == (409, "newer_answer")
        assert problem["message"]["id"] == first["id"]
        assert problem["message"]["agent_name"] == "Sue"
        await ann.call("POST", path, {"mode": "reply", "text": "still", "newest": first["id"]})


async def shows(desk: Stream, conversation: str, preview: str) -> dict[str, Any]:
    """Return a conversation when its last message is shown."""

    def last(s: Stream) -> dict[str, Any] | None:
        one = s.of("conversation", conversation)
        return one if one["preview"] == preview else None

    return dict(await desk.until(last, preview))


async def test_texts_that_came_behind_an_answers_author_stay_unread_and_unanswered(
    tmp_path: Path, database: str
) -> None:
    """A desk that was cut sends what it wrote; the customer has gone on meanwhile."""
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        widget = await Widget(here).start()
        await widget.send("one")
        conversation = await accepted(ann, desk)
        timeline = await ann.call("GET", f"/conversations/{conversation}/timeline")
        newest = timeline["entries"][-1]["id"]
        await widget.send("two")
        await widget.send("three")
        await desk.until(lambda s: s.of("conversation", conversation)["inbound_seq"] == 3, "three")
        path = f"/conversations/{conversation}/messages"
        await ann.call("POST", path, {"mode": "reply", "text": "to one", "newest": newest})

        one = await shows(desk, conversation, "to one")
        assert (one["state"], one["seen_seq"]) == ("open", 1)
        timeline = await ann.call("GET", f"/conversations/{conversation}/timeline")
        second = next(e for e in timeline["entries"] if e["parts"][0]["text"] == "two")
        assert one["unanswered_since"] == second["received_at"]
        read_to = widget.conversation()["read_to"]
        assert read_to is None or read_to < second["received_at"], "no mark of reading"

        last = timeline["entries"][-1]["id"]
        await ann.call("POST", path, {"mode": "reply", "text": "to all", "newest": last})
        one = await shows(desk, conversation, "to all")
        assert (one["state"], one["seen_seq"]) == ("waiting_customer", 3)
        assert one["unanswered_since"] is None
        await widget.close()
