"""Who sees what: ``may()`` and ``visible()`` agree, and a stream ends with the right to it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from sqlalchemy import insert, select

from madoguchi.clock import Clock
from madoguchi.conversations.tables import conversation
from madoguchi.conversations.visibility import visible
from madoguchi.model.people import Actor, Role
from madoguchi.security.permissions import GRANTS, Action, Facts, Scope, may, scopes
from madoguchi.store.work import Many, Work
from tests.support.hubs import Stream
from tests.support.stores import opened
from tests.support.waiting import wait_for
from tests.support.worlds import world
from unified_profile.tables import customer_of

CLOCK = Clock()
QUEUES = ["orders", "returns", "vip"]


class Census:
    """Random conversations of random customers, in the store and in memory."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)  # noqa: S311
        self.people = [CLOCK.new_id() for _ in range(4)]
        customers = [CLOCK.new_id() for _ in range(8)]
        self.pointers = {CLOCK.new_id(): self.dice.choice(customers) for _ in range(14)}
        self.rows = [self.row(number) for number in range(60)]

    def row(self, number: int) -> dict[str, Any]:
        now = CLOCK.now()
        return {
            "id": CLOCK.new_id(),
            "domain": 1,
            "number": number,
            "account": self.people[0],
            "channel": "sms",
            "thread": str(number),
            "identity": self.dice.choice(list(self.pointers)),
            "state": self.dice.choice(["open", "waiting_customer", "closed", "closed"]),
            "subject": "",
            "language": "ja",
            "queue": self.dice.choice(QUEUES),
            "owner": self.dice.choice([None, None, *self.people]),
            "preview": "",
            "preview_author": "customer",
            "last_at": now,
            "inbound_seq": 0,
            "seen_seq": 0,
            "context": {},
            "created_at": now,
            "version": 1,
        }

    def actor(self) -> Actor:
        roles = frozenset(r for r in Role if self.dice.random() < 0.35)
        queues = frozenset(q for q in QUEUES if self.dice.random() < 0.4)
        return Actor(self.dice.choice(self.people), "somebody", roles, queues)

    def allowed(self, actor: Actor, row: dict[str, Any]) -> bool:
        """Say by ``may`` whether an actor may read a conversation: its owner, and the owners of
        its customer's open conversations, count as owners.
        """
        customer = self.pointers[row["identity"]]
        owners = {row["owner"]} | {
            other["owner"]
            for other in self.rows
            if other["state"] != "closed" and self.pointers[other["identity"]] == customer
        }
        return may(actor, Action.READ, Facts(frozenset(owners - {None}), row["queue"]))


def stored(census: Census) -> Work[None]:
    yield Many(
        insert(customer_of),
        [{"identity": i, "customer": c, "version": 1} for i, c in census.pointers.items()],
    )
    yield Many(insert(conversation), census.rows)


def seen(actor: Actor) -> Work[set[str]]:
    rows = yield select(conversation.c.id).where(visible(actor))
    return {r.id for r in rows}


async def test_python_and_sql_agree_on_random_conversations(tmp_path: Path, database: str) -> None:
    census = Census(7)
    async with opened(tmp_path, database) as store:
        await store.write(lambda: stored(census))
        counts = []
        for _ in range(60):
            actor = census.actor()
            wanted = {row["id"] for row in census.rows if census.allowed(actor, row)}
            assert await store.read(lambda a=actor: seen(a)) == wanted, actor  # type: ignore[misc]
            counts.append(len(wanted))
        assert 0 in counts
        assert 60 in counts
        assert any(0 < n < 60 for n in counts)


def test_the_table_of_grants() -> None:
    administrator = Actor("x", "x", frozenset({Role.ADMINISTRATOR}))
    for action in Action:
        assert set(GRANTS[Role.AGENT].get(action, ())) <= set(Scope)
        if action.value.startswith(("conversation.", "customer.")):
            assert not may(administrator, action)
    both = Actor("x", "x", frozenset({Role.ADMINISTRATOR, Role.AGENT}), frozenset({"orders"}))
    assert may(both, Action.READ, Facts(queue="orders"))
    assert not may(both, Action.READ, Facts(queue="vip"))
    assert scopes(Actor("x", "x"), Action.READ) == frozenset()


async def test_an_agent_of_another_queue_hears_and_opens_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        otto = await one.here.person("otto")
        desk = await otto.connect()
        answer = await desk.client.call(
            "open", {"conversation": one.conversation}, namespace="/agent"
        )
        assert answer == {"ok": False, "code": "not_found"}
        for name in ("seen", "close", "viewing", "typing"):
            body = {"conversation": one.conversation, "inbound_seq": 1, "on": True}
            await desk.client.emit(name, body, namespace="/agent")
        note = {"mode": "note", "text": "secret canary zqx-7731"}
        await one.boss.call("POST", f"/conversations/{one.conversation}/messages", note)
        await one.here.sms("+819055500187", "another text")
        await wait_for(lambda: one.here.hub.tail.head >= (one.desk.pos or 0), "told")
        await one.desk.until(
            lambda s: s.of("conversation", one.conversation)["inbound_seq"] == 2, "two"
        )
        ids = {e["entity"] for e in desk.events}
        assert ids <= {"agent", "config"}
        assert "zqx-7731" not in repr(desk.events) + repr(desk.views)


async def transferred(desk: Stream, conversation: str, queue: str) -> None:
    body = {"queue": queue, "reason": "skill", "summary": "for the others"}
    await desk.person.call("POST", f"/conversations/{conversation}/transfer", body)


async def test_who_loses_a_conversation_hears_no_more_of_it(tmp_path: Path, database: str) -> None:
    """A desk that has it open stops hearing it when it leaves the agent's sight."""
    async with world(tmp_path, database) as one:
        ann = await one.here.person("ann")
        desk = await ann.connect()
        opened_ = await desk.client.call(
            "open", {"conversation": one.conversation}, namespace="/agent"
        )
        assert opened_["ok"]
        await one.here.sms("+819055500187", "still yours")
        await desk.until(lambda s: s.all("message"), "while it is in sight")
        stale: list[Any] = []
        desk.client.on("stale", stale.append, namespace="/agent")
        await transferred(one.desk, one.conversation, "vip")
        await wait_for(lambda: stale, "told that sight has changed")
        await desk.until(lambda s: not s.of("conversation", one.conversation), "gone")
        assert await desk.hello(None) == "snapshot"
        otto = await one.here.person("otto")
        theirs = await otto.available()
        offer = await theirs.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await otto.call("POST", f"/offers/{offer['id']}/accept")
        note = {"mode": "note", "text": "secret canary zqx-7731"}
        await otto.call("POST", f"/conversations/{one.conversation}/messages", note)
        await one.here.sms("+819055500187", "secret canary zqx-7732")
        await theirs.until(
            lambda s: s.of("conversation", one.conversation).get("inbound_seq") == 3, "three"
        )
        await desk.hello(None)
        assert "zqx-773" not in repr(desk.events) + repr(desk.views)


async def test_who_leaves_a_queue_hears_no_more_of_it(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        ann = await one.here.person("ann")
        desk = await ann.connect()
        await desk.client.call("open", {"conversation": one.conversation}, namespace="/agent")
        stale: list[Any] = []
        desk.client.on("stale", stale.append, namespace="/agent")
        moved = {"body": {"name": "Ann", "teams": ["vip"]}}
        await one.boss.call("PUT", "/config/agent/ann", moved)
        await wait_for(lambda: stale, "told that sight has changed", within=5)
        assert await desk.hello(None) == "snapshot"
        await one.here.sms("+819055500187", "secret canary zqx-7731")
        await one.desk.until(
            lambda s: s.of("conversation", one.conversation)["inbound_seq"] == 2, "two"
        )
        await desk.hello(desk.pos)
        assert "zqx-7731" not in repr(desk.events) + repr(desk.views)
