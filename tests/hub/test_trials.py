"""Try it first, through the hub: the store's day, processes beside it, REST, apply and back."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from madoguchi.clock import ManualClock
from router.trials import reading
from router.trials.day import span_of
from router.trials.figures import as_it_was, compared
from router.trials.replay import replayed
from router.trials.telling import told
from router.trials.trial import Trial, fits
from tests.support.days import BEGINS, Came, record
from tests.support.hubs import Person, Running, hub_running
from tests.support.waiting import wait_for

DAY = BEGINS.date().isoformat()
COMPANY = """
[queue.orders]
service_level_s = 30
[agent.ann]
units = 1
[agent.ben]
units = 1
teams = []
skills = {}
[skill.rare]
name = "Rare"
"""
ALL_DAY = {"ann": [(0.0, 86_400.0)], "ben": [(0.0, 86_400.0)]}
RING = {"rings": [{"after": 5, "relax": {"order": 0}, "add_groups": ["front"]}]}


def a_day() -> list[Came]:
    """Return a day of one agent who is too slow."""
    return [
        Came(1000 + n * 60.0, 10 + n % 90, None if n % 11 == 5 else 80 + n % 7, 5, 3)
        for n in range(200)
    ]


async def shown(sue: Person, id: str) -> dict[str, Any]:
    """Wait for all replications; return the trial."""
    seen: list[dict[str, Any]] = []

    async def done() -> bool:
        seen.append(await sue.call("GET", f"/trials/{id}"))
        assert seen[-1]["state"] in {"waiting", "running", "done"}, seen[-1]
        return bool(seen[-1]["state"] == "done")

    await wait_for(done, "all replications", within=120, every=0.1)
    return seen[-1]


async def change(sue: Person, **values: Any) -> dict[str, Any]:
    """Return the change of the orders queue as its form sends it."""
    now = await sue.call("GET", "/config/queue/orders")
    return {
        "kind": "queue",
        "key": "orders",
        "body": {**now["body"], **values},
        "based_on": now["version"],
    }


async def test_a_recorded_day_is_tried(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        await here.configure(COMPANY)
        await record(here.hub, a_day(), ALL_DAY)
        sue = await here.person("sue")
        days = await sue.call("GET", "/trials/days")
        assert days == {"first": DAY, "last": DAY, "before_today": DAY}
        more = await change(sue, agent_choice="random", requires={}, service_level_s=60)
        begun = await sue.raw("POST", "/trials", {"day": DAY, "changes": [more]})
        assert begun[0] == 202
        found = await shown(sue, begun[1]["id"])
        assert (found["done"], found["of"], found["left_out"]) == (
            20, 20, {"contacts": 0, "agents": 0},
        )  # fmt: skip
        assert set(found["changes"][0]["fields"]) == {
            "agent_choice", "requires", "service_level_s",
        }  # fmt: skip
        ((was_at_once,), (at_once,)) = found["reach"]["orders"].values()
        assert at_once["agents"] >= was_at_once["agents"] >= 1
        expected, was = await by_hand(here)
        mean_wait = found["figures"]["total"]["old"]["mean_wait_s"]
        assert mean_wait == expected["total"]["old"]["mean_wait_s"]
        assert found["recorded"]["total"]["abandoned"] == was["total"]["abandoned"] == 18
        orders = found["figures"]["queues"]["orders"]
        assert orders["old"]["service_level"]["mean"] < orders["new"]["service_level"]["mean"]
        assert orders["difference"]["mean_wait_s"]["ci95"][1] < 0
        ben = await here.person("ben")
        assert (await ben.raw("GET", f"/trials/{found['id']}"))[0] == 403


async def by_hand(here: Running) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return what the same rows give when they are replayed here."""
    catalog = here.hub.configuration.catalog
    begins, ends = span_of(BEGINS.date(), here.hub.settings.zone)
    rows = await here.hub.store.read(lambda: reading.rows(begins, ends))
    day = told(begins, ends, here.hub.clock.now(), *rows)
    assert len(day.contacts) == 200
    trial = Trial(day, fits(day), catalog, catalog)
    runs = [replayed(trial, catalog, number) for number in range(20)]
    return compared(trial, runs, runs), as_it_was(trial)


async def test_the_hub_lives_what_a_trial_then_tells(tmp_path: Path, database: str) -> None:
    """No row by hand: contacts come, agents come and go, and the day is read from what is left."""
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        ann = await here.person("ann")
        desk = await ann.available()
        await here.sms("+819055500100", "hello")
        await desk.until(lambda s: s.all("offer"), "an offer")
        clock.advance(4)
        (offer,) = desk.all("offer")
        taken = await ann.call("POST", f"/offers/{offer['id']}/accept")
        clock.advance(50)
        here_is = f"/conversations/{taken['conversation']}"
        await ann.call("POST", f"{here_is}/messages", {"mode": "reply", "text": "which one?"})
        await desk.until(lambda s: any(one["paused"] for one in s.all("item")), "paused")
        clock.advance(3600)
        await ann.call("POST", f"{here_is}/end", {"inbound_seq": 1})
        clock.advance(20)
        await ann.call("POST", f"{here_is}/wrap-up", {"code": "solved"})
        await ann.call("PUT", "/agents/me/presence", {"presence": "away", "reason": "lunch"})
        clock.advance(300)
        begins, ends = span_of(clock.now().date(), here.hub.settings.zone)
        rows = await here.hub.store.read(lambda: reading.rows(begins, ends))
        day = told(begins, ends, clock.now(), *rows)
        (one,) = day.contacts
        assert one.talk is not None
        assert one.wrap_up is not None
        assert (one.queue, one.left, one.accept) == ("orders", False, 4_000_000)
        assert (one.talk.us, one.wrap_up.us) == (50_000_000, 20_000_000)
        ((began, ended),) = day.there[ann.id]
        assert ended - began == 3_674_000_000


async def test_bad_trials_are_refused_as_saving_would(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        await record(here.hub, a_day()[:3], ALL_DAY)
        await record(here.hub, a_day()[:3], {}, BEGINS - timedelta(days=1))
        sue = await here.person("sue")
        good = await change(sue, priority=2)
        bad = {**good, "body": {**good["body"], "requires": {"nothing": 1}, "priority": -1}}
        status, answer = await sue.raw("POST", "/trials", {"day": DAY, "changes": [bad]})
        places = [fault["place"] for fault in answer["faults"]]
        assert (status, places) == (422, ["queue.orders.priority"])
        bad["body"]["priority"] = 1
        status, answer = await sue.raw("POST", "/trials", {"day": DAY, "changes": [bad]})
        assert (status, answer["faults"][0]["place"]) == (422, "queue.orders.requires.nothing")
        stale = {**good, "based_on": 99}
        assert (await sue.raw("POST", "/trials", {"day": DAY, "changes": [stale]}))[0] == 412
        status, answer = await sue.raw("POST", "/trials", {"day": "2020-01-01"})
        assert (status, answer["faults"][0]["type"]) == (422, "empty_day")
        unknown = {"day": (BEGINS - timedelta(days=1)).date().isoformat()}
        status, answer = await sue.raw("POST", "/trials", unknown)
        assert (status, answer["faults"][0]["type"]) == (422, "no_presence")
        status, answer = await sue.raw("POST", "/trials", {"day": "2026-11-19", "weeks": 4})
        assert (status, answer["faults"][0]["type"]) == (422, "no_weeks")
        account = {"kind": "account", "key": "sms", "body": {}}
        status, answer = await sue.raw("POST", "/trials", {"day": DAY, "changes": [account]})
        assert (status, answer["faults"][0]["type"]) == (422, "not_tried")
        toml = {"day": DAY, "toml": "[queue.orders]\npriority = 'x'"}
        assert (await sue.raw("POST", "/trials", toml))[0] == 422
        assert (await sue.raw("POST", "/trials", {"day": DAY, "factor": 9}))[0] == 422
        for day in ("0001-01-01", "9999-12-31"):
            for weeks in (0, 12):
                status, answer = await sue.raw("POST", "/trials", {"day": day, "weeks": weeks})
                assert (status, answer["faults"][0]["place"]) == (422, "day")


async def test_nobody_takes_the_place_of_others(tmp_path: Path) -> None:
    """Also not by asking many times at once."""
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        await record(here.hub, a_day(), ALL_DAY)
        sue, adam = await here.person("sue"), await here.person("adam")
        begun = [sue.raw("POST", "/trials", {"day": DAY}) for _ in range(20)]
        answers = [status for status, _ in await asyncio.gather(*begun)]
        assert (answers.count(202), answers.count(429)) == (3, 17)
        assert (await adam.raw("POST", "/trials", {"day": DAY}))[0] == 202


async def test_a_trial_is_cancelled_and_its_owners_alone(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        await record(here.hub, a_day(), ALL_DAY)
        sue, adam = await here.person("sue"), await here.person("adam")
        first = (await sue.call("POST", "/trials", {"day": DAY}))["id"]
        second = (await sue.call("POST", "/trials", {"day": DAY, "factor": 1.5}))["id"]
        assert (await adam.raw("GET", f"/trials/{first}"))[0] == 404
        assert (await adam.raw("DELETE", f"/trials/{first}"))[0] == 404
        await sue.call("DELETE", f"/trials/{first}")
        assert (await sue.raw("GET", f"/trials/{first}"))[0] == 404
        found = await shown(sue, second)
        assert found["factor"] == 1.5
        assert found["figures"]["total"]["old"]["offered"]["mean"] == pytest.approx(300, rel=0.1)


async def test_a_day_to_come_is_forecast(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        await record(here.hub, a_day(), ALL_DAY)
        await record(here.hub, a_day()[:100], ALL_DAY, BEGINS - timedelta(weeks=2))
        sue = await here.person("sue")
        day = (BEGINS + timedelta(weeks=3)).date().isoformat()
        id = (await sue.call("POST", "/trials", {"day": day, "weeks": 4}))["id"]
        found = await shown(sue, id)
        assert (found["weeks"], found["recorded"]) == (4, None)
        offered = found["figures"]["total"]["old"]["offered"]
        assert offered["mean"] == pytest.approx(150, rel=0.1)
        assert offered["se"] > 0
        assert found["figures"]["total"]["difference"]["offered"]["mean"] == 0


async def test_a_worker_that_dies_fails_its_trial_and_no_other(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock(), time_zone="UTC") as here:
        await record(here.hub, a_day(), ALL_DAY)
        sue = await here.person("sue")
        id = (await sue.call("POST", "/trials", {"day": DAY}))["id"]
        kept = here.hub.trials.find(sue.id, id)
        assert kept is not None

        def killed() -> bool:
            for worker in here.hub.turns.workers:
                worker.end()
            return kept.state.value == "failed"

        await wait_for(killed, "failed")
        again = (await sue.call("POST", "/trials", {"day": DAY}))["id"]
        await shown(sue, again)


async def test_applied_and_taken_back(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database, clock=ManualClock()) as here:
        sue = await here.person("sue")
        before = await sue.call("GET", "/config/queue/orders")
        body = {"body": {**before["body"], "priority": 3, "misses": 2}, "reason": "tried"}
        saved = await sue.call("PUT", "/config/queue/orders", body)
        later = {"body": {**saved["body"], "misses": 4}, "reason": "later"}
        await sue.call("PUT", "/config/queue/orders", later)
        undo = f"/config/versions/{saved['number']}/undo"
        status, answer = await sue.raw("POST", undo, {"reason": "worse"})
        assert (status, [fault["place"] for fault in answer["faults"]]) == (
            422, ["queue.orders.misses"],
        )  # fmt: skip
        newest = (await sue.call("GET", "/config/versions"))["versions"][0]
        await sue.call("POST", f"/config/versions/{newest['number']}/undo", {"reason": "worse"})
        await sue.call("POST", undo, {"reason": "worse"})
        assert (await sue.call("GET", "/config/queue/orders"))["body"] == before["body"]
        found = (await sue.call("GET", "/config/versions"))["versions"][0]
        assert (found["author_name"], found["reason"]) == ("Sue", "worse")
        assert (await sue.raw("POST", "/config/versions/9999/undo", {}))[0] == 404
        assert (await sue.raw("POST", "/config/versions/x/undo", {}))[0] == 404


async def test_supervisors_tune_queues_and_nothing_else(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        sue, adam = await here.person("sue"), await here.person("adam")
        seen = [
            {each["kind"] for each in (await person.call("GET", "/config"))["objects"]}
            for person in (sue, adam)
        ]
        assert seen[1] - seen[0] == {"account"}
        queue = (await sue.call("GET", "/config/queue/orders"))["body"]
        team = (await sue.call("GET", "/config/team/front"))["body"]
        refused = (
            ("GET", "/config/account/sms", None),
            ("GET", "/config/account", None),
            ("PUT", "/config/queue/new", {"body": queue}),
            ("PUT", "/config/team/front", {"body": team}),
            ("DELETE", "/config/queue/returns", None),
            ("POST", "/config/apply", {"toml": ""}),
        )
        for method, path, body in refused:
            assert (await sue.raw(method, path, body))[0] == 403, path
        made = await adam.call("PUT", "/config/queue/new", {"body": queue, "reason": "more"})
        assert (await sue.raw("POST", f"/config/versions/{made['number']}/undo", {}))[0] == 403
        await adam.call("POST", f"/config/versions/{made['number']}/undo", {"reason": "no"})
        assert (await adam.raw("GET", "/config/queue/new"))[0] == 404
