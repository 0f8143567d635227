"""Routing rules in the configuration: text and back, order, what is refused and where."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from madoguchi.configuration.catalog import RULES_BUDGET
from madoguchi.configuration.service import Invalid
from madoguchi.configuration.tables import config_object
from madoguchi.store.work import Work
from tests.configuration.test_hours import exported
from tests.support.hubs import Person, Running, hub_running

RULES = """
[routing_rule.kettles]
name = "ケトル"
name_en = "Kettles"
order = 10
when = 'product.startsWith("kettle")'
queue = "returns"
priority = 2
requires = { order = 2 }
[routing_rule.vip]
name = "VIP"
order = 20
when = 'customer.known && contract == "gold"'
queue = "orders"
"""


async def refused(here: Running, toml: str) -> list[tuple[str, str, dict[str, Any]]]:
    """Return (place, type, facts) of what is wrong with a text."""
    with pytest.raises(Invalid) as caught:
        await here.configure(toml)
    return [(fault.place, fault.type, dict(fault.facts)) for fault in caught.value.faults]


def order_of(here: Running) -> list[str]:
    return [entry.object.key for entry in here.hub.configuration.catalog.routing_rules]


async def test_rules_go_out_as_text_and_come_back_unchanged(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(RULES)
        told = await exported(here)
        assert "[routing_rule.kettles]" in told
        number = here.hub.configuration.catalog.number
        await here.configure(told)
        assert here.hub.configuration.catalog.number == number
        assert order_of(here) == ["kettles", "vip"]


@pytest.mark.parametrize(
    ("rule", "place", "type", "facts"),
    [
        ("when = 'chanel'", "when", "expression_undeclared", {"line": 1, "column": 1}),
        ("when = 'channel'", "when", "expression_not_bool", {"found": "string"}),
        ("when = '''true &&\n  channel == 3'''", "when", "expression_types", {"line": 2}),
        ("when = 'true &&'", "when", "expression_syntax", {"column": 8}),
        ("when = 'text.matches(\"(\")'", "when", "expression_pattern", {"column": 14}),
        ("when = 'text.matches(\"[あ-ん]{1,99}\")'", "when", "expression_budget", {}),
        ("when = '{1: 2}.size() == {}'", "when", "expression_types", {"line": 1}),
        ("queue = 'nowhere'", "queue", "no_such", {"kind": "queue", "key": "nowhere"}),
        ("requires = { latin = 3 }", "requires.latin", "no_such", {"kind": "skill"}),
        ("priority = -1", "priority", "greater_than_equal", {"ge": 1}),
        ("order = 20", "order", "order_taken", {"order": 20, "rule": "vip"}),
        ("weight = 3", "weight", "extra_forbidden", {}),
    ],
)
async def test_what_does_not_hold_is_refused_where_it_stands(
    tmp_path: Path, rule: str, place: str, type: str, facts: dict[str, Any]
) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(RULES)
        number = here.hub.configuration.catalog.number
        key = "kettles" if place != "order" else "zebra"
        whole = "" if place != "order" else "\nname='z'\nwhen='true'\nqueue='orders'"
        found = await refused(here, f"[routing_rule.{key}]\n{rule}{whole}")
        assert [(p, t) for p, t, _ in found] == [(f"routing_rule.{key}.{place}", type)]
        assert facts.items() <= found[0][2].items()
        assert here.hub.configuration.catalog.number == number


async def test_all_rules_together_have_a_budget(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        dear = "\n".join(
            f"[routing_rule.r{n}]\nname='r'\norder={n}\nqueue='orders'\n"
            "when = 'text.matches(\"a{1,60}b{1,60}\")'"
            for n in range(1, 12)
        )
        ((place, type, facts),) = await refused(here, dear)
        assert (place, type) == ("routing_rule", "rules_budget")
        assert facts["steps"] > facts["budget"] == RULES_BUDGET


async def test_a_queue_that_a_rule_leads_to_is_not_deleted(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(RULES)
        adam = await here.person("adam")
        await here.configure("[queue.spare]\nname='Spare'")
        await here.configure("[routing_rule.vip]\nqueue='spare'")
        status, problem = await adam.raw("DELETE", "/config/queue/spare")
        assert status == 422
        assert [f["place"] for f in problem["faults"]] == ["routing_rule.vip.queue"]


async def test_two_who_edit_one_rule_at_once_lose_nothing(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)
        adam = await here.person("adam")
        rule = await adam.call("GET", "/config/routing_rule/vip")
        body = {"body": {**rule["body"], "when": "customer.known"}, "reason": "wider"}
        path, seen = "/config/routing_rule/vip", {"If-Match": f'"{rule["version"]}"'}
        assert (await adam.raw("PUT", path, body, seen))[0] == 200
        status, problem = await adam.raw("PUT", path, body, seen)
        assert (status, problem["code"]) == (412, "moved_on")
        newest = (await adam.call("GET", "/config/versions"))["versions"][0]
        assert (newest["reason"], newest["author_name"]) == ("wider", "Adam")
        assert newest["changes"][0]["fields"]["when"][1] == "customer.known"


async def in_order(adam: Person, keys: list[str], number: int) -> tuple[int, Any]:
    return await adam.raw("PUT", "/routing-rules/order", {"keys": keys, "number": number})


async def test_rules_change_their_places_together(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)
        await here.configure(
            "[routing_rule.rest]\nname='Rest'\norder=70\nwhen='true'\nqueue='orders'"
        )
        adam = await here.person("adam")
        catalog = here.hub.configuration.catalog
        status, answer = await in_order(adam, ["vip", "kettles", "rest"], catalog.number)
        assert (status, answer["number"]) == (200, catalog.number + 1)
        assert order_of(here) == ["vip", "kettles", "rest"]
        versions = {e.object.key: e.version for e in here.hub.configuration.catalog.routing_rules}
        assert versions == {"vip": 2, "kettles": 2, "rest": 1}, "who does not move is not changed"
        stale = await in_order(adam, ["kettles", "vip", "rest"], catalog.number)
        assert stale[0] == 412
        assert (await in_order(adam, ["kettles", "vip"], answer["number"]))[0] == 412
        ann = await here.person("ann")
        assert (await in_order(ann, ["kettles", "vip", "rest"], answer["number"]))[0] == 403


async def test_a_stored_rule_that_does_not_hold_any_more_is_left_out(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(RULES)

        def unit() -> Work[None]:
            body = {"name": "VIP", "order": 20, "when": "gone.fact == 1", "queue": "orders"}
            yield update(config_object).where(config_object.c.key == "vip").values(body=body)

        await here.hub.store.write(unit)
    async with hub_running(tmp_path, database=database) as here:
        assert order_of(here) == ["kettles"]
        assert {"sms", "shop"} <= set(here.hub.configuration.catalog.accounts)
