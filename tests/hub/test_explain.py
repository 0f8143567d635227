"""Why is this conversation where it is? Told for every state of its work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.support.hubs import Person, Stream, hub_running
from tests.support.waiting import wait_for


async def explained(person: Person, conversation: str) -> dict[str, Any]:
    """Return the explanation."""
    return dict(await person.call("GET", f"/conversations/{conversation}/explain"))


async def waiting(stream: Stream) -> str:
    """Return the conversation of the item that waits."""
    item = await stream.until(
        lambda s: next((i for i in s.all("item") if i["state"] == "waiting"), None), "it waits"
    )
    return str(item["conversation"])


async def test_each_state_says_who_and_why(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        sue = await here.person("sue")
        board = await sue.connect("/supervisor")
        await here.sms("+819055500187", "Where is my parcel?")
        conversation = await waiting(board)
        told = await explained(sue, conversation)
        assert (told["state"], told["agent"], told["how"]) == ("waiting", None, None)
        assert told["facts"] == ["missing_queue:orders"]
        assert {c["agent_name"] for c in told["candidates"]} >= {"Ann", "Ben"}

        ann = await here.person("ann")
        desk = await ann.available()
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        told = await explained(sue, conversation)
        assert (told["state"], told["agent"], told["how"]) == ("offered", ann.id, "offer")
        assert told["facts"] == offer["facts"]
        assert told["since"] == offer["made_at"]

        await ann.call("POST", f"/offers/{offer['id']}/accept")
        told = await explained(ann, conversation)
        assert (told["state"], told["agent_name"], told["how"]) == ("assigned", "Ann", "offer")
        assert told["facts"] == ["only_one", "skill:order:3", "free:5/5"]
        assert told["decision"]["counts"]["room"] == 1
        assert told["decision"]["runner_up"] is None
        assert told["candidates"] == []

        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 1})
        told = await explained(ann, conversation)
        assert (told["state"], told["agent"], told["how"]) == ("wrap_up", ann.id, "offer")
        await ann.call("POST", f"/conversations/{conversation}/wrap-up", {"code": "solved"})

        async def done() -> Any:
            found = await explained(sue, conversation)
            return found if found["state"] == "done" else None

        told = await wait_for(done, "the work is done")
        assert (told["agent_name"], told["how"]) == ("Ann", "offer")
        assert told["facts"] == ["only_one", "skill:order:3", "free:5/5"]


async def test_what_people_decided_is_told_as_theirs(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        sue, ann, ben = [await here.person(n) for n in ("sue", "ann", "ben")]
        desk = await ann.available()
        await here.sms("+819055500187", "one")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        conversation = offer["conversation"]
        await ben.available()
        await sue.call("POST", f"/conversations/{conversation}/assign", {"agent": ben.id})
        told = await explained(sue, conversation)
        assert (told["agent_name"], told["how"], told["by_name"]) == ("Ben", "given", "Sue")
        assert (told["facts"], told["decision"]) == ([], None)


async def test_a_foreign_conversation_is_not_explained(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        adam, sue = await here.person("adam"), await here.person("sue")
        board = await sue.connect("/supervisor")
        await here.sms("+819055500187", "one")
        conversation = await waiting(board)
        assert (await adam.raw("GET", f"/conversations/{conversation}/explain"))[0] in {403, 404}
