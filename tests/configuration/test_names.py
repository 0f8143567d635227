"""Names in two languages: kept, exported, and given to desks and widgets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.hubs import Widget
from tests.support.worlds import World, world

NAMES = {"name": "ご注文", "name_en": "Orders"}
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "skill": ("order", {}),
    "team": ("vip", {"serves": []}),
    "queue": ("orders", {"wrap_up": [{"key": "solved", **NAMES}, {"key": "else", "name": "他"}]}),
}


async def named(one: World, kind: str, names: dict[str, str]) -> dict[str, Any]:
    """Give an object names; return its body as it is kept."""
    key, more = KINDS[kind]
    await one.boss.call("PUT", f"/config/{kind}/{key}", {"body": {**names, **more}})
    return dict((await one.boss.call("GET", f"/config/{kind}/{key}"))["body"])


@pytest.mark.parametrize("kind", KINDS)
async def test_both_names_are_kept_and_the_english_one_may_be_missing(
    tmp_path: Path, kind: str
) -> None:
    async with world(tmp_path) as one:
        assert NAMES.items() <= (await named(one, kind, NAMES)).items()
        assert (await named(one, kind, {"name": "ご注文"}))["name_en"] == ""
        key, more = KINDS[kind]
        status, problem = await one.boss.raw(
            "PUT", f"/config/{kind}/{key}", {"body": {**NAMES, **more, "name_en": "x" * 121}}
        )
        assert status == 422
        assert problem["faults"][0]["place"] == f"{kind}.{key}.name_en"


async def test_desks_get_both_names_of_queues_results_skills_and_accounts(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        await named(one, "skill", NAMES)
        await named(one, "queue", NAMES)
        sms = (await one.boss.call("GET", "/config/account/sms"))["body"]
        await one.boss.call("PUT", "/config/account/sms", {"body": sms | {"name_en": "Texts"}})
        hub = (await one.boss.call("GET", "/session"))["hub"]
        found = {
            each["key"]: (each["name"], each["name_en"])
            for each in (*hub["skills"], *hub["queues"], *hub["accounts"])
        }
        assert found["order"] == found["orders"] == ("ご注文", "Orders")
        assert found["sms"] == ("SMS", "Texts")
        assert found["shop"] == ("Shop", "Shop"), "who has no English name is called by the other"
        orders = next(each for each in hub["queues"] if each["key"] == "orders")
        other = {"key": "else", "name": "他", "name_en": "他"}
        assert orders["wrap_up"] == [{"key": "solved", **NAMES}, other]


async def test_toml_gives_and_takes_both_names(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        text = (
            '[skill.order]\nname = "ご注文"\nname_en = "Orders"\n[team.vip]\nname_en = "Guests"\n'
        )
        await one.boss.call("POST", "/config/apply", {"toml": text})
        assert (await one.boss.call("GET", "/config/skill/order"))["body"] == NAMES
        assert (await one.boss.call("GET", "/config/team/vip"))["body"]["name_en"] == "Guests"
        assert one.boss.http is not None
        async with one.boss.http.get(f"{one.here.url}/api/v1/config.toml") as answer:
            told = await answer.text()
        assert '[skill.order]\nname = "ご注文"\nname_en = "Orders"\n' in told


async def test_a_widget_gets_both_names_of_its_site(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        shop = (await one.boss.call("GET", "/config/account/shop"))["body"]
        both = {"name": "みなと珈琲店", "name_en": "Minato Coffee"}
        await one.boss.call("PUT", "/config/account/shop", {"body": shop | both})
        status, about = await Widget(one.here).rest("GET", "")
        assert status == 200
        assert both.items() <= about.items()
