"""A simulated day with help, declines, misses and transfers, kept in the store and replayed."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from statistics import fmean

import pytest

from madoguchi.clock import ManualClock
from madoguchi.configuration.catalog import Catalog
from router.simulator.cast import Cast, Coming, Turn
from router.trials import reading
from router.trials.casting import cast
from router.trials.conduct import AsRecorded, Habits, Shares
from router.trials.day import Day, span_of
from router.trials.figures import as_it_was
from router.trials.fit import Fitted, curve
from router.trials.replay import replayed
from router.trials.telling import told
from router.trials.trial import Trial, fits
from tests.support.days import BEGINS, day_of
from tests.support.hubs import Running, hub_running
from tests.support.lived import Lived, keep

FRONT, BACK = ("f0", "f1", "f2"), ("b0", "b1", "b2")
COMPANY = """
[queue.orders]
service_level_s = 40
requires = {}
offer_timeout_s = 15
help = [{ when = "longest_wait", over = 60, add_groups = ["back"] }]
[queue.returns]
service_level_s = 60
[team.front]
serves = [{ queue = "orders" }]
[team.back]
name = "Back"
serves = [{ queue = "returns" }]
""" + "".join(
    f'[agent.{key}]\nname = "{key}"\nteams = ["{team}"]\nunits = 1\n'
    for team, keys in (("front", FRONT), ("back", BACK))
    for key in keys
)
OPEN_S, SHUT_S = 8 * 3600.0, 20 * 3600.0


def always(*seconds: float) -> Fitted:
    """Return times that all agents take, each as often."""
    return Fitted({}, curve([(one, True) for one in seconds]))


HABITS = Habits({}, Shares(0.12, 0.06), always(3.0, 5.0), always(90.0, 150.0, 300.0))


def customers(agent: str) -> list[Coming]:
    """Return a day's customers; every fifth of the orders is handed on, some to an agent."""
    numbers = random.Random(11)  # noqa: S311
    found = []
    for queue, mean_s in (("orders", 60.0), ("returns", 95.0)):
        at = OPEN_S
        while (at := at + numbers.expovariate(1 / mean_s)) < SHUT_S - 1800:
            turns: tuple[Turn, ...] = ()
            if queue == "orders" and numbers.random() < 0.2:
                to, whom = ("orders", agent) if numbers.random() < 0.3 else ("returns", "")
                turns = (Turn(to, whom, numbers.expovariate(1 / 100), 3_000_000),)
            found.append(
                Coming(
                    at=round(at * 1e6),
                    queue=queue,
                    enters=queue,
                    handling_s=numbers.expovariate(1 / 90),
                    wrap_up_s=10.0,
                    patience_us=round(numbers.expovariate(1 / 400) * 1e6),
                    accept_us=3_000_000,
                    draw=numbers.random(),
                    channel="sms",
                    turns=turns,
                )
            )
    return sorted(found, key=lambda one: one.at)


def company_day(catalog: Catalog) -> Cast:
    """Return what the company lives through."""
    ids = {key: catalog.agents[key].id for key in (*FRONT, *BACK)}
    empty = day_of([], {id: [(OPEN_S, SHUT_S)] for id in ids.values()})
    coming = customers(ids["b1"])
    return replace(
        cast(Trial(empty, fits(empty), catalog, catalog), catalog, 0),
        streams={"day": iter(coming)},
        contacts=len(coming) + 1,
        conduct=AsRecorded(HABITS, always(3.0), "lived"),
    )


async def recorded(here: Running, lived: Lived) -> Day:
    """Keep a day in the store; return what is told of it."""
    await keep(here.hub, lived, BEGINS)
    begins, ends = span_of(BEGINS.date(), here.hub.settings.zone)
    rows = await here.hub.store.read(lambda: reading.rows(begins, ends))
    return told(begins, ends, ends + timedelta(days=1), *rows)


def counts(lived: Lived) -> Counter[str]:
    """Return how often what happened."""
    found = Counter(str(one["state"]) for one in lived.offers.values())
    found["to_agent"] = sum(1 for one in lived.offers.values() if one["transfer"])
    found["handed_on"] = len(lived.spells) - len({one["item"] for one in lived.spells})
    found["missed"] = sum(1 for one in lived.periods if one["presence"] == "missed")
    found["helped"] = sum(1 for one in lived.let_in if one.teams)
    return found


async def test_a_day_with_all_of_it_is_replayed_as_it_was(tmp_path: Path, database: str) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        await here.configure(COMPANY)
        catalog = here.hub.configuration.catalog
        lived = Lived(company_day(catalog))
        lived.run()
        day = await recorded(here, lived)
    trial = Trial(day, fits(day), catalog, catalog)
    was, runs = as_it_was(trial), [replayed(trial, catalog, n).seen for n in range(4)]
    for queue in ("orders", "returns"):
        then = was["queues"][queue]
        now = {name: fmean(run[f"queue/{queue}"][name] for run in runs) for name in then}
        assert now["offered"] == then["offered"]
        # The day happened once, and its waits hang together: its figures are one draw of many.
        assert now["service_level"] == pytest.approx(then["service_level"], abs=0.12), queue
        assert now["mean_wait_s"] == pytest.approx(then["mean_wait_s"], rel=0.5), queue
        assert now["abandoned"] == pytest.approx(then["abandoned"], rel=0.5), queue
        assert 0.3 < then["service_level"] < 0.95
    happened, again = counts(lived), Counter[str]()
    for number in range(4):
        of = cast(trial, catalog, number)
        replay = Lived(replace(of, contacts=of.contacts + 1))
        replay.run()
        again += counts(replay)
    for what, limit in (
        ("declined", 0.15), ("timed_out", 0.2), ("missed", 0.2), ("handed_on", 0.1),
        ("helped", 0.35),
    ):  # fmt: skip
        assert happened[what] > 5, what
        assert again[what] / 4 == pytest.approx(happened[what], rel=limit), what
    # Who was free for it that day may be busy in a replay: then it goes to the queue.
    assert happened["to_agent"] / 3 < again["to_agent"] / 4 <= happened["to_agent"]
