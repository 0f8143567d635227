"""What gives most and staffing, through the hub: the store's day, processes beside it, REST."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

from madoguchi.clock import ManualClock
from tests.hub.test_trials import change
from tests.support.days import BEGINS, Came, record
from tests.support.hubs import Person, Running, hub_running
from tests.support.waiting import wait_for

DAY = BEGINS.date().isoformat()
HOUR = 3600.0
COMPANY = """
[skill.rare]
name = "Rare"
[queue.orders]
service_level_s = 30
requires = { rare = 2 }
[queue.returns]
service_level_s = 30
requires = {}
[team.front]
serves = [{ queue = "orders" }, { queue = "returns" }]
[team.far]
name = "Far"
serves = []
[agent.ann]
units = 1
teams = ["front"]
skills = { rare = 3 }
[agent.ben]
units = 1
teams = ["front"]
skills = {}
[agent.otto]
name = "Otto"
units = 1
teams = ["far"]
skills = { rare = 1 }
"""
THERE = {name: [(8 * HOUR, 18 * HOUR)] for name in ("ann", "ben", "otto")}


def a_day(orders: int, returns: int = 20, every: float = 90) -> list[Came]:
    """Return orders that one agent alone may serve, and a few returns."""
    return [
        *(Came(9 * HOUR + n * every, 20, 120, 5, 1, queue="orders") for n in range(orders)),
        *(Came(9 * HOUR + n * 400, 1, 60, 5, 1, queue="returns") for n in range(returns)),
    ]


async def searched(sue: Person, **asked: Any) -> dict[str, Any]:
    """Return a search that is over."""
    id = (await sue.call("POST", "/moves", {"day": DAY, **asked}))["id"]
    seen: list[dict[str, Any]] = []

    async def over() -> bool:
        seen.append(await sue.call("GET", f"/moves/{id}"))
        assert seen[-1]["state"] in {"waiting", "running", "done"}, seen[-1]
        return bool(seen[-1]["state"] == "done")

    await wait_for(over, "all rounds", within=120, every=0.1)
    return seen[-1]


async def company(here: Running, came: list[Came]) -> Person:
    await here.configure(COMPANY)
    await record(here.hub, came, THERE)
    return await here.person("sue")


async def test_the_bottleneck_is_found(tmp_path: Path, database: str) -> None:
    """Ben idles beside Ann, who is late with all orders: with her skill he takes half of them."""
    async with hub_running(
        tmp_path, database=database, clock=ManualClock(), time_zone="UTC"
    ) as here:
        sue = await company(here, a_day(200))
        found = await searched(sue)
        best, *others = found["moves"]
        ben = here.hub.configuration.catalog.agents["ben"]
        assert (best["kind"], best["skill"], best["level"]) in {
            ("skill", "rare", 2), ("agent", "", 0),
        }  # fmt: skip
        assert (best["verdict"], best["replications"]) == ("gives", 20)
        assert best["gain"] > 0.3
        (learns,) = [one for one in found["moves"] if one["kind"] == "skill"]
        assert (learns["agent"], learns["agent_name"]) == (ben.id, "Ben")
        low, high = learns["effect"]["queues"]["orders"]["difference"]["service_level"]["ci95"]
        assert 0.3 < low <= high
        (hired,) = [one for one in found["moves"] if one["kind"] == "agent"]
        assert (hired["team"], hired["agent_name"], hired["changes"]) == ("front", "Ann", None)
        assert hired["spans"] == [[8 * HOUR, 18 * HOUR]]
        assert hired["gain"] >= learns["gain"], "an idle agent more serves returns, too"
        assert found["done"] == found["of"]
        assert found["thought_of"] == 1 + len(others)
        # What is told as its changes is what a trial takes, and it does the same there.
        again = await sue.raw("POST", "/trials", {"day": DAY, "changes": learns["changes"]})
        assert again[0] == 202


async def test_a_day_with_room_needs_nothing(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        sue = await company(here, a_day(10, every=300))
        level = await searched(sue)
        assert (level["moves"], level["thought_of"], level["done"]) == ([], 0, level["of"])
        assert level["base"]["total"]["old"]["service_level"]["mean"] == 1
        waits = await searched(sue, figure="mean_wait_s")
        assert waits["moves"]
        assert {one["verdict"] for one in waits["moves"]} <= {"nothing", "unsure"}
        assert max(one["gain"] for one in waits["moves"]) < 1


async def test_who_is_harmed_is_told(tmp_path: Path) -> None:
    """Both serve returns and keep up; once Ben may take orders, returns wait."""
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        returns = [Came(9 * HOUR + n * 90, 5, 75, 5, 1, queue="returns") for n in range(200)]
        sue = await company(here, [*a_day(200, 0), *returns])
        found = await searched(sue, queue="orders")
        (learns,) = [one for one in found["moves"] if one["kind"] == "skill"]
        assert learns["verdict"] == "gives"
        assert learns["harmed"] == ["returns"]


async def test_a_team_behind_a_queue_and_what_is_being_tried(tmp_path: Path) -> None:
    """Otto's team does not serve orders; that he could is a move, once orders ask for less."""
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        sue = await company(here, a_day(200))
        easier = await change(sue, requires={"rare": 1})
        found = await searched(sue, queue="orders", figure="abandoned", changes=[easier])
        rings = [one for one in found["moves"] if one["kind"] == "ring"]
        assert [(one["team"], one["queue"], one["after_s"]) for one in rings] == [
            ("far", "orders", 15),
        ]  # fmt: skip
        ((queue),) = rings[0]["changes"]
        assert queue["body"]["rings"][-1]["add_groups"] == ["far"]
        assert queue["body"]["requires"] == {"rare": 1}
        assert queue["based_on"] == easier["based_on"]


async def test_bad_searches_are_refused_and_own_ones_ended(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        sue = await company(here, a_day(200))
        adam, ben = await here.person("adam"), await here.person("ben")
        assert (await sue.raw("POST", "/moves", {"day": DAY, "queue": "none"}))[0] == 404
        assert (await sue.raw("POST", "/moves", {"day": DAY, "figure": "luck"}))[0] == 422
        status, answer = await sue.raw("POST", "/moves", {"day": "2020-01-01"})
        assert (status, answer["faults"][0]["type"]) == (422, "empty_day")
        assert (await ben.raw("POST", "/moves", {"day": DAY}))[0] == 403
        begun = [await sue.raw("POST", "/moves", {"day": DAY}) for _ in range(2)]
        begun.append(await sue.raw("POST", "/trials", {"day": DAY}))
        assert [status for status, _ in begun] == [202] * 3
        assert (await sue.raw("POST", "/moves", {"day": DAY}))[0] == 429, "trials count, too"
        id = begun[0][1]["id"]
        assert (await adam.raw("GET", f"/moves/{id}"))[0] == 404
        assert (await sue.raw("GET", f"/trials/{id}"))[0] == 404
        for path in (f"/moves/{id}", f"/moves/{begun[1][1]['id']}"):
            await sue.call("DELETE", path)
        assert (await sue.raw("GET", f"/moves/{id}"))[0] == 404


async def table(sue: Person, path: str) -> str:
    """Return an export as it comes."""
    assert sue.http is not None
    async with sue.http.get(f"{sue.running.url}/api/v1{path}") as answer:
        assert answer.status == 200
        assert "attachment" in answer.headers["Content-Disposition"]
        return await answer.text(encoding="utf-8")


async def test_staffing_is_told_and_exported(tmp_path: Path, database: str) -> None:
    async with hub_running(
        tmp_path, database=database, clock=ManualClock(), time_zone="UTC"
    ) as here:
        sue = await company(here, a_day(40))
        found = await sue.call("GET", f"/staffing?day={DAY}&share=0.9&shrinkage=0.25")
        assert set(found["queues"]) == {"orders", "returns"}
        orders = found["queues"]["orders"]
        assert (orders["target_s"], orders["handling_s"], orders["at_once"]) == (30, 126, 1)
        nine = orders["half_hours"][18]
        assert (nine["arrivals"], nine["there"], nine["recorded"]) == (20, 1, 1)
        assert nine["needed"] >= 2
        assert nine["paid"] == nine["needed"] / 0.75
        assert nine["expected"] >= 0.9
        total = found["total"][18]
        assert nine["needed"] <= total["pooled"] <= total["needed"]
        assert total["there"] == 3
        one = await sue.call("GET", f"/staffing?day={DAY}&queue=returns")
        assert (set(one["queues"]), one["total"]) == ({"returns"}, None)
        text = await table(sue, f"/staffing.csv?day={DAY}&share=0.9")
        rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
        assert len(rows) == 3 * 48
        (row,) = [r for r in rows if (r["queue"], r["half_hour"]) == ("orders", "09:00")]
        assert (row["arrivals"], row["needed"]) == ("20.0", str(nine["needed"]))
        refused = {
            "?day=2020-01-01": 422, "?day=no": 422, f"?day={DAY}&share=1": 422,
            f"?day={DAY}&queue=none": 404, "": 422, f"?day={DAY}&shrinkage=1": 422,
        }  # fmt: skip
        for query, status in refused.items():
            assert (await sue.raw("GET", f"/staffing{query}"))[0] == status, query
        ben = await here.person("ben")
        assert (await ben.raw("GET", f"/staffing?day={DAY}"))[0] == 403
