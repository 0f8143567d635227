"""What a moment without database, router or reason may do: nothing that lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connectors.twilio_sms import TwilioSms
from madoguchi.bus import Hints
from madoguchi.conversations.tables import message
from madoguchi.live.views import View
from madoguchi.model.dead_letters import DeadCode, DeadReason
from madoguchi.model.inbound import Inbound, ProviderEvent
from madoguchi.model.log import Entity
from madoguchi.store.inbox import dead
from madoguchi.store.opening import open_postgres
from madoguchi.store.work import Clash, Unavailable, Work
from router.tables import router_command
from tests.hub.test_chat import accepted
from tests.support.hubs import SID, Running, Stream, hub_running
from tests.support.waiting import wait_for

STRANGER = "+819055500666"


def texts(stream: Stream) -> list[str]:
    """Return the texts of the messages that a desk knows."""
    return [part["text"] for one in stream.all("message") for part in one["parts"]]


async def test_a_router_that_starts_anew_hears_which_desks_are_open(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.hub.router.close()
        await wait_for(lambda: here.hub.router.owner, "the router stands again")
        await desk.until(
            lambda s: s.of("agent", ann.id)["connected"], "the router knows the open desk"
        )
        await here.sms("+819055500100", "anybody there?")
        await desk.until(lambda s: s.all("offer"), "an offer")


async def test_what_could_not_be_rendered_at_once_comes_later(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "one")
        await accepted(ann, desk)
        views = here.hub.tail._views
        render = views.desk[Entity.MESSAGE]
        faults: list[Exception] = [Unavailable("the database is away"), LookupError("a bug")]

        def failing(ids: Sequence[str]) -> Work[dict[str, View]]:
            if faults:
                raise faults.pop(0)
            return (yield from render(ids))

        views.desk[Entity.MESSAGE] = failing
        before = desk.pos
        await here.sms("+819055500100", "two")
        await wait_for(lambda: not faults, "both faults happened")
        await here.sms("+819055500100", "three")
        await desk.until(lambda s: "three" in texts(s), "what came later")
        assert desk.holes == 1, "what could not be shown is seen to be missing"
        assert await desk.hello(before) == "resume"
        assert {"two", "three"} <= set(texts(desk)), "and is there after asking again"


class Clashing(TwilioSms):
    """Content that the database refuses whenever it is tried."""

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Fail for one sender as a broken rule of the database does."""
        if STRANGER[1:].encode() in event.body:
            raise Clash("UNIQUE constraint failed")
        return super().parse(event)


async def test_an_event_that_the_database_always_refuses_holds_up_nobody(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        registry = here.hub.registry
        for id, (version, one) in list(registry._living.items()):
            if isinstance(one, TwilioSms):
                made = Clashing(one.account, one.settings, one.ports)
                registry._living[id] = (version, made)
        await asyncio.gather(
            here.sms(STRANGER, "refused"), *(here.sms(f"+81905550010{n}", "fine") for n in range(3))
        )
        await desk.until(lambda s: len(s.all("conversation")) == 3, "the others are served")
        letters = await wait_for(lambda: here.hub.store.read(dead), "a dead letter")
        reasons = [DeadReason.read(letter.error) for letter in letters]
        assert [one.code for one in reasons] == [DeadCode.DATABASE_REFUSED]
        assert "UNIQUE" in reasons[0].detail


async def test_a_callback_with_another_messages_sid_changes_no_sid(
    tmp_path: Path, database: str
) -> None:
    sid = f"SM{'a' * 32}"
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "one", sid=sid)
        conversation = await accepted(ann, desk)
        said = await ann.call(
            "POST", f"/conversations/{conversation}/messages", {"mode": "reply", "text": "answer"}
        )

        def known() -> Work[bool]:
            rows = yield select(message.c.provider_id).where(message.c.id == said["id"])
            return bool(rows[0].provider_id)

        await wait_for(lambda: here.hub.store.read(known), "the provider has it")

        def forget() -> Work[None]:
            values = {"provider_id": None, "state": "unknown"}
            yield update(message).where(message.c.id == said["id"]).values(values)

        await here.hub.store.write(forget)
        form = {"MessageSid": sid, "MessageStatus": "delivered", "AccountSid": SID}
        assert await here.hook(f"/hooks/sms/status?message={said['id']}", form) == 204
        await desk.until(
            lambda s: s.of("message", said["id"]).get("state") == "delivered", "its state is known"
        )
        assert await here.hub.store.read(dead) == []


async def test_an_order_that_nobody_can_carry_out_is_refused(tmp_path: Path, database: str) -> None:
    unworkable = {
        "type": "PresenceSet",
        "fields": {"agent": "x", "presence": "away", "reason": "", "by": None},
        "notes": {"actor": {"id": "no uuid", "name": "x"}, "action": "a", "object": "o"},
    }
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        for number, command in enumerate(({"type": "OfAnotherVersion"}, unworkable)):
            await post(here, f"key-{number}", command)
        await wait_for(lambda: here.hub.store.read(all_answered), "both are answered", within=30)
        await wait_for(lambda: here.hub.router.owner, "the router stands")
        await here.sms("+819055500100", "go on")
        await desk.until(lambda s: s.all("offer"), "an offer")


async def post(here: Running, key: str, command: object) -> None:
    now = here.hub.clock.now()

    def unit() -> Work[None]:
        yield router_command.insert().values(domain=1, client_key=key, command=command, at=now)

    await here.hub.store.write(unit)


def all_answered() -> Work[bool]:
    rows = yield select(router_command.c.answer)
    return len(rows) == 2 and all(r.answer for r in rows)


@pytest.mark.postgres
async def test_hubs_that_start_at_once_on_an_empty_database_all_start(pg_database: str) -> None:
    stores = await asyncio.gather(*(open_postgres(pg_database, Hints()) for _ in range(3)))
    for store in stores:
        await store.close()
