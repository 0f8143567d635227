"""A visitor's chat: order, marks, typing, files, position, resume, identification."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from sqlalchemy import update

from connectors.web_chat import sign_identity
from madoguchi.conversations.tables import message
from madoguchi.store.work import Work
from tests.support.hubs import Person, Stream, Widget, hub_running
from tests.support.waiting import wait_for


async def accepted(person: Person, desk: Stream) -> str:
    """Accept the next offer; return the conversation, opened."""
    offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    done = await person.call("POST", f"/offers/{offer['id']}/accept")
    conversation = str(done["conversation"])
    await desk.until(lambda s: not s.of("offer", offer["id"]), "the offer is over")
    await desk.client.call("open", {"conversation": conversation}, namespace="/agent")
    return conversation


async def test_fifty_first_messages_make_one_conversation_in_order(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()
        answers = await asyncio.gather(*(widget.send(f"text {n}") for n in range(50)))
        assert all(a == {"ok": True} for a in answers)
        await wait_for(lambda: len(widget.messages()) == 50, "all fifty")
        assert [m["parts"][0]["text"] for m in widget.messages()] == [
            f"text {n}" for n in range(50)
        ]
        assert len({m["conversation"] for m in widget.messages()}) == 1
        assert widget.holes == 0
        await widget.close()


async def test_two_visitors_may_give_the_same_id(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        first, second = await Widget(here).start(), await Widget(here).start()
        id = here.hub.clock.new_id()
        assert await first.send("from the first", id=id) == {"ok": True}
        assert await second.send("from the second", id=id) == {"ok": True}
        assert await second.send("from the second", id=id) == {"ok": True}
        assert await second.send("later") == {"ok": True}
        await wait_for(lambda: len(second.messages()) == 2, "the second's messages, each once")
        await wait_for(first.messages, "the first's message")
        for widget, text in ((first, "from the first"), (second, "from the second")):
            got = widget.messages()[0]
            assert (got["client_id"], got["parts"][0]["text"]) == (id, text)

        def old() -> Work[None]:
            yield (
                update(message)
                .values(provider_id=id, version=message.c.version + 1)
                .where(message.c.id == first.messages()[0]["id"])
            )

        await here.hub.store.write(old)
        again = Widget(here)
        again.token = first.token
        await again.start()
        assert [m["client_id"] for m in again.messages()] == [id]
        for widget in (first, second, again):
            await widget.close()


async def test_chat_with_marks_typing_and_a_file(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()
        ann = await here.person("ann")
        desk = await ann.available()
        await widget.send("ふたが割れていました。")
        conversation = await accepted(ann, desk)
        await wait_for(lambda: widget.conversation().get("agent") == "Ann", "the agent's name")

        typed: list[bool] = []
        desk.client.on("typing", lambda b: typed.append(b["on"]), namespace="/agent")
        await widget.client.emit("typing", {"on": True}, namespace="/visitor")
        await wait_for(lambda: typed, "the agent sees typing")
        await desk.client.emit(
            "typing", {"conversation": conversation, "on": True}, namespace="/agent"
        )
        await wait_for(lambda: widget.typing, "the visitor sees typing")

        await desk.client.call(
            "seen", {"conversation": conversation, "inbound_seq": 1}, namespace="/agent"
        )
        await wait_for(lambda: widget.conversation().get("read_to"), "our text is read")

        status, file = await widget.upload("futa.png", b"\x89PNG\r\n\x1a\n" + b"x" * 2000)
        assert status == 201
        assert (file["name"], file["media_type"], file["size"]) == ("futa.png", "image/png", 2008)
        assert await widget.send("", files=[file["id"]]) == {"ok": True}
        await desk.until(lambda s: len(s.all("message")) >= 1, "the file arrives")
        status, _ = await ann.raw("GET", f"/files/{file['id']}")
        assert status == 200
        ben = await here.person("ben")
        assert (await ben.raw("GET", f"/files/{file['id']}"))[0] == 200  # serves the same queue
        status, link = await widget.rest("GET", f"/files/{file['id']}")
        assert status == 200
        assert link["url"].startswith(f"{here.url}/files/")
        stranger = await Widget(here).start()
        assert (await stranger.rest("GET", f"/files/{file['id']}"))[0] == 404
        await stranger.close()

        reply = await ann.call(
            "POST",
            f"/conversations/{conversation}/messages",
            {"mode": "reply", "text": "新しいふたをお送りします。"},
        )
        got = await wait_for(
            lambda: next((m for m in widget.messages() if m["author"] == "agent"), None), "reply"
        )
        await widget.call("seen", {"delivered": [got["id"]], "read_to": None})
        await desk.until(lambda s: s.of("message", reply["id"]).get("state") == "delivered", "mark")
        await widget.call("seen", {"delivered": [], "read_to": got["at"]})
        await desk.until(lambda s: s.of("message", reply["id"]).get("state") == "read", "read")
        assert desk.holes == 0
        assert widget.holes == 0
        await widget.close()


async def test_bad_files_are_refused_with_a_clear_word(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        widget = await Widget(here).start()
        status, problem = await widget.upload("empty.txt", b"")
        assert (status, problem["code"]) == (422, "empty_file")
        here.hub.files.limit = 1000
        status, problem = await widget.upload("big.bin", b"x" * 1001)
        assert (status, problem["code"]) == (413, "too_large")
        answer = await widget.send("x", files=["01980000-0000-7000-8000-000000000000"])
        assert answer["code"] == "unknown_file"
        await widget.close()


async def test_a_topic_leads_to_its_queue(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        sue = await here.person("sue")
        board = await sue.connect("/supervisor")
        widget = await Widget(here).start()
        await widget.send("ふたが割れていました。", topic="returns")
        item = await board.until(lambda s: next(iter(s.all("item")), None), "an item")
        assert (item["queue"], item["topic"]) == ("returns", "returns")
        await widget.close()


async def test_the_place_in_the_line(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        first = await Widget(here).start()
        await first.send("one")
        await wait_for(lambda: first.positions, "told", within=12)
        assert first.positions[-1] == {"position": None, "nobody": True, "wait_min": None}
        await first.close()


async def test_the_center_is_open_while_somebody_is_signed_in(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()

        async def online() -> bool:
            return bool((await widget.rest("GET", ""))[1]["online"])

        async def closed() -> bool:
            return not await online()

        assert await closed()
        ann = await here.person("ann")
        await ann.connect()
        assert await closed(), "a desk alone is nobody"
        presence = "/agents/me/presence"
        await ann.call("PUT", presence, {"presence": "away", "reason": "lunch"})
        await wait_for(online, "open")
        await ann.call("PUT", presence, {"presence": "offline"})
        await wait_for(closed, "closed")
        await widget.close()


async def test_reload_and_lost_network_continue_the_same_conversation(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        widget = await Widget(here).start()
        ann = await here.person("ann")
        desk = await ann.available()
        await widget.send("before")
        conversation = await accepted(ann, desk)
        await wait_for(lambda: widget.conversation().get("agent"), "assigned")
        pos = widget.pos
        await widget.close()
        for n in range(3):
            await ann.call(
                "POST",
                f"/conversations/{conversation}/messages",
                {"mode": "reply", "text": f"while away {n}"},
            )
        again = Widget(here)
        again.token, again.visitor = widget.token, widget.visitor
        await again.start()
        assert len(again.messages()) == 4

        async def missed() -> bool:
            answer = await again.hello(pos)
            assert answer["mode"] == "resume"
            messages = [e["view"] for e in answer["events"] if e["entity"] == "message"]
            return [m["parts"][0]["text"] for m in messages] == [
                f"while away {n}" for n in range(3)
            ]

        await wait_for(missed, "what was missed")
        await again.close()


async def test_an_identified_visitor_and_an_sms_are_one_customer(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500187", "10:00 のメッセージ")
        by_sms = await accepted(ann, desk)
        await ann.call(
            "POST",
            f"/conversations/{by_sms}/messages",
            {"mode": "reply", "text": "承りました。"},
        )
        ben = await here.person("ben")
        widget = await Widget(here).start()
        now = here.hub.clock.now().isoformat()
        claim = {"id": "c-1024", "name": "佐藤 美咲", "phone": "090-5550-0187", "mail": ""}
        signature = sign_identity("shop-secret", "c-1024", "佐藤 美咲", claim["phone"], "", now)
        bad = await widget.call("identify", {**claim, "issued_at": now, "signature": "0" * 64})
        assert bad["code"] == "not_identified"
        ok = {**claim, "issued_at": now, "signature": signature}
        assert await widget.call("identify", ok) == {"ok": True}
        await widget.send("13:00 のチャット")
        # Ann owns another conversation of this customer: she gets the first offer, and declines.
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert "same_customer" in offer["facts"]
        assert [o["conversation"] for o in offer["open"]] == [by_sms]
        desk_b = await ben.available()
        await ann.call("POST", f"/offers/{offer['id']}/decline", {"reason": "busy"})
        by_chat = await accepted(ben, desk_b)
        timeline = await ben.call("GET", f"/conversations/{by_chat}/timeline")
        assert [e["parts"][0]["text"] for e in timeline["entries"]] == [
            "10:00 のメッセージ",
            "承りました。",
            "13:00 のチャット",
        ]
        customer = desk_b.of("conversation", by_chat)["customer"]
        shown = await ben.call("GET", f"/customers/{customer['id']}")
        assert shown["name"] == "佐藤 美咲"
        assert {(i["scheme"], i["verified"]) for i in shown["identities"]} == {
            ("phone", True),
            ("visitor", True),
            ("customer", True),
        }
        await widget.close()


async def test_one_telephone_of_two_shop_customers_is_a_suggestion(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        shown: list[dict[str, Any]] = []
        for id, name in (("c-1", "母"), ("c-2", "子")):
            widget = await Widget(here).start()
            told = await widget.identify(id, name=name, phone="090-5550-0187")
            assert told == {"ok": True}
            await widget.send(f"hello from {name}")
            conversation = await accepted(ann, desk)
            customer = desk.of("conversation", conversation)["customer"]["id"]
            shown.append(await ann.call("GET", f"/customers/{customer}"))
            await widget.close()
        mother, child = shown
        assert [c["name"] for c in shown] == ["母", "子"]
        schemes = [{i["scheme"] for i in c["identities"]} for c in shown]
        assert schemes == [{"visitor", "customer", "phone"}, {"visitor", "customer"}]
        found = await ann.call("GET", f"/customers/{child['id']}/suggestions")
        assert [(c["id"], c["why"]) for c in found["customers"]] == [
            (mother["id"], "phone:+819055500187")
        ]
        found = await ann.call("GET", f"/customers/{mother['id']}/suggestions")
        assert found == {"customers": []}
