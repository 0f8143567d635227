"""Routing rules in a whole hub: both channels, at once, in another process too; and tried."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from madoguchi.configuration import text
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.people import SYSTEM
from madoguchi.store.tables import log
from tests.hub.test_chat import accepted
from tests.hub.test_opening_hours import rows
from tests.hub.test_router_service import second_hub
from tests.support.hubs import NUMBER, SID, Running, Widget, hub_running
from tests.support.waiting import wait_for

RULES = """
[routing_rule.gold]
name = "ゴールド会員"
name_en = "Gold members"
order = 10
when = 'contract == "gold"'
queue = "returns"
priority = 1
[routing_rule.kettles]
name = "Kettles"
order = 20
when = 'product == "kettle" || text.contains("kettle")'
queue = "returns"
[routing_rule.near]
name = "Osaka"
order = 30
when = 'location.contains("Osaka") && channel == "sms"'
queue = "returns"
"""


async def placed(here: Running, count: int) -> list[tuple[str, str | None]]:
    """Return the queue of each work item and the rule that chose it, oldest first."""

    async def there() -> list[Any]:
        return await rows(here, work_item)

    await wait_for(lambda: _many(there, count), f"{count} items")
    contexts = {r["id"]: r["context"] for r in await rows(here, conversation)}
    items = sorted(await there(), key=lambda item: item["id"])
    return [(i["queue"], contexts[i["conversation"]]["chosen"].get("rule")) for i in items]


async def _many(there: Any, count: int) -> bool:
    return len(await there()) == count


async def test_the_same_rule_leads_texts_and_chats_to_the_same_queue(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)
        await here.sms("+819055500100", "my kettle leaks")
        assert await placed(here, 1) == [("returns", "kettles")]
        told = {"MessageSid": f"SM{1:032x}", "AccountSid": SID, "To": NUMBER, "Body": "hello"}
        near = {"FromCity": "Osaka", "FromCountry": "JP"}
        await here.hook("/hooks/sms", {**told, **near, "From": "+819055500101"})
        assert (await placed(here, 2))[1] == ("returns", "near")
        first = await Widget(here).start()
        await first.send("my kettle leaks")
        assert (await placed(here, 3))[2] == ("returns", "kettles")
        second = await Widget(here).start()
        await second.send("hello", attributes={"product": "kettle", "size": 3, "bad name": "x"})
        assert (await placed(here, 4))[3] == ("returns", "kettles")
        third = await Widget(here).start()
        await third.send("hello", attributes={"contract": "gold"})
        assert (await placed(here, 5))[4] == ("orders", None), "anybody may say so"
        contexts = [r["context"] for r in await rows(here, conversation)]
        assert {"product": "kettle", "size": "3"} in [c.get("attributes") for c in contexts]
        for widget in (first, second, third):
            await widget.close()


async def test_what_the_business_has_signed_counts_on_every_channel(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)
        widget = await Widget(here).start()
        phone = "+819055500187"
        bad = await widget.identify("C-7", phone=phone, attributes={"contract": 7})
        assert bad["code"] == "not_identified"
        forged = await widget.identify("C-7", phone=phone, attributes={"contract": "gold"}, sign={})
        assert forged == {
            "ok": False,
            "code": "not_identified",
            "detail": "the signature does not fit",
        }
        assert (await widget.identify("C-7", phone=phone, attributes={"contract": "gold"}))["ok"]
        await widget.send("hello")
        assert await placed(here, 1) == [("returns", "gold")]
        await here.sms(phone, "hello")
        assert (await placed(here, 2))[1] == ("returns", "gold")
        (item, _) = sorted(await rows(here, work_item), key=lambda i: i["id"])
        assert item["priority"] == 1
        entries = await rows(here, log, log.c.type == "item.enqueued")
        assert [e["data"] for e in entries] == [{"rule": "gold", "rule_version": 1}] * 2
        # The business takes it back: an empty text.
        assert (await widget.identify("C-7", phone=phone, attributes={"contract": ""}))["ok"]
        other = await Widget(here).start()
        assert (await other.identify("C-7"))["ok"]
        await other.send("hello again")
        assert (await placed(here, 3))[2] == ("orders", None)
        await widget.close()
        await other.close()


@pytest.mark.postgres
async def test_a_changed_rule_counts_for_the_next_contact_in_every_process(
    tmp_path: Path, pg_database: str
) -> None:
    async with hub_running(tmp_path / "a", database=pg_database) as here:
        await here.configure(RULES)
        async with second_hub(tmp_path / "b", here, pg_database) as second:
            await here.sms("+819055500100", "my kettle leaks")
            assert await placed(here, 1) == [("returns", "kettles")]
            catalog = second.configuration.catalog
            wanted = text.changes('[routing_rule.kettles]\nwhen = "false"', catalog)
            await second.configuration.change(SYSTEM, "test", wanted)
            first = here.hub.configuration
            await wait_for(
                lambda: first.catalog.routing_rules[1].object.when == "false", "the first hears"
            )
            await here.sms("+819055500101", "my kettle leaks")
            assert (await placed(here, 2))[1] == ("orders", None)


async def test_a_rule_that_cannot_tell_loses_nobody_and_is_counted(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(
            "[routing_rule.plan]\nname='Plan'\norder=1\nqueue='returns'\n"
            "when='attributes.plan == \"b\" || 1 / now.hour == 99'"
        )
        for n in range(2):
            await here.sms(f"+81905550010{n}", "hello")
        assert await placed(here, 2) == [("orders", None)] * 2

        def counted() -> bool:
            name, labels = "madoguchi_rules_unanswered_total", {"rule": "plan"}
            return here.hub.metrics.get_sample_value(name, labels) == 2

        await wait_for(counted, "both are counted")


async def test_rules_are_tried_before_they_are_saved(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)
        await here.configure("[agent.adam]\nroles = ['administrator', 'supervisor']")
        adam = await here.person("adam")

        async def tried(**body: Any) -> Any:
            return await adam.call("POST", "/routing-rules/try", body)

        found = await tried(facts={"text": "a kettle", "account": "shop"})
        assert (found["queue"], found["by"], found["rule"]) == ("returns", "rule", "kettles")
        assert [(r["key"], r["outcome"], r["untrue"]) for r in found["rules"]] == [
            ("gold", "not", ['contract == "gold"']),
            ("kettles", "holds", []),
        ]
        found = await tried(facts={"account": "shop", "topic": "returns", "location": "Osaka"})
        assert (found["queue"], found["by"]) == ("returns", "topic")
        assert found["rules"][2]["untrue"] == ['channel == "sms"']
        body = {"name": "x", "order": 5, "queue": "orders", "when": 'verified.tier == "a"'}
        draft = {"key": "tier", "body": body}
        nowhere = {"key": "tier", "body": {**body, "queue": "nothing"}}
        status, problem = await adam.raw("POST", "/routing-rules/try", {"draft": nowhere})
        assert (status, problem["faults"][0]["place"]) == (422, "routing_rule.tier.queue")
        found = await tried(draft=draft)
        assert found["rules"][0]["outcome"] == "cannot_tell"
        assert "tier" in found["rules"][0]["why"]
        found = await tried(draft=draft, facts={"verified": {"tier": "a"}})
        assert (found["queue"], found["rule"]) == ("orders", "tier")
        status, problem = await adam.raw(
            "POST", "/routing-rules/try", {"facts": {"nonsense": 1, "now.hour": "9"}}
        )
        assert status == 422
        assert [(f["place"], f["type"]) for f in problem["faults"]] == [
            ("facts.nonsense", "no_such_fact"),
            ("facts.now.hour", "fact_type"),
        ]


async def test_a_conversation_that_there_was_is_tried_again(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.sms("+819055500100", "my kettle leaks")
        await placed(here, 1)
        await here.configure(RULES)
        (one,) = await rows(here, conversation)
        adam = await here.person("adam")
        body = {"conversation": one["id"]}
        assert (await adam.raw("POST", "/routing-rules/try", body))[0] == 404, "not theirs to read"
        await here.configure("[agent.adam]\nroles = ['administrator', 'supervisor']")
        found = await adam.call("POST", "/routing-rules/try", body)
        assert (found["rule"], found["facts"]["address"]) == ("kettles", "+819055500100")


async def test_a_condition_is_checked_while_it_is_written(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        adam = await here.person("adam")
        good = await adam.call("POST", "/routing-rules/check", {"when": 'channel == "sms"'})
        assert good["fault"] is None
        assert 0 < good["steps"] < good["budget"]
        bad = await adam.call("POST", "/routing-rules/check", {"when": 'chanel == "sms"'})
        assert bad["fault"]["type"] == "expression_undeclared"
        assert bad["fault"]["facts"] == {"line": 1, "column": 1, "name": "chanel"}


async def test_the_desk_is_told_which_rule_chose_the_queue(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(RULES)
        ann = await here.person("ann")
        stream = await ann.available()
        await here.sms("+819055500100", "my kettle leaks")
        shown = await accepted(ann, stream)
        context = stream.of("conversation", shown)["context"]
        assert (context["chosen"]["by"], context["chosen"]["name_en"]) == ("rule", "Kettles")
