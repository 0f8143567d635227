"""What an agent sees of a call before taking it: the menu's answers, and what was before."""

from __future__ import annotations

from pathlib import Path

from tests.hub.test_phone_call import CUSTOMER, FLOW
from tests.support.hubs import NUMBER, Person, Stream
from tests.support.telephones import telephones


async def serve(person: Person, desk: Stream, code: str) -> None:
    """Take the text that is offered and end it with a result."""
    offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "a text is offered")
    assert offer["earlier"] == []
    path = f"/conversations/{offer['conversation']}"
    await person.call("POST", f"/offers/{offer['id']}/accept")
    await person.call("POST", f"{path}/end", {"inbound_seq": 1_000})
    await person.call("POST", f"{path}/wrap-up", {"code": code})


async def test_answers_and_earlier_matters_come_with_the_offer(
    tmp_path: Path, database: str
) -> None:
    async with telephones(tmp_path, FLOW, database=database) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        for number, text in ((CUSTOMER, "ふたが割れていました"), ("+819055500999", "別の人です")):
            assert await center.here.sms(number, text) < 300
            await serve(ann, desk, "solved")
        center.here.hub.clock.advance(4 * 86_400)  # type: ignore[attr-defined]
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER, name="サトウ ミサキ")
        await phone.hear()
        await phone.press("1")
        offer = await desk.until(
            lambda s: next((o for o in s.all("offer") if o["channel"] == "voice"), None), "rings"
        )
        assert offer["call"]["answers"] == [{"step": "what", "name": "topic", "value": "returns"}]
        (before,) = offer["earlier"]
        assert (before["preview"], before["code"]) == ("ふたが割れていました", "solved")
        assert (before["owner_name"], before["queue"]) == ("Ann", "orders")
        await phone.hang_up()
