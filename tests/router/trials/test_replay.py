"""A day on the real engine: what is kept, what is drawn, and that both sides meet the same."""

from __future__ import annotations

import math
import pickle
import random
from datetime import timedelta
from pathlib import Path
from statistics import fmean, variance
from typing import Any

import pytest

from router.configured import specs
from router.simulator import Scenario, run
from router.trials.casting import cast
from router.trials.day import HALF_HOUR_US, forecast
from router.trials.figures import as_it_was, compared
from router.trials.reach import reach
from router.trials.replay import Replayed, replayed
from router.trials.trial import NO_TEAM, Trial, fits
from tests.support.days import BEGINS, Came, Spans, catalog_of, day_of

COMPANY = """
[queue.orders]
name = "Orders"
service_level_s = 30
[queue.returns]
name = "Returns"
[team.front]
name = "Front"
serves = [{ queue = "orders" }, { queue = "returns" }]
[team.back]
name = "Back"
serves = [{ queue = "returns" }]
[agent.ann]
name = "Ann"
teams = ["front"]
units = 1
[agent.ben]
name = "Ben"
teams = ["front"]
units = 1
[agent.cid]
name = "Cid"
teams = ["back"]
units = 1
"""
ALL_DAY: Spans = {"ann": [(0, 86_400)], "ben": [(0, 86_400)], "cid": [(0, 86_400)]}


def trial(came: list[Came], there: Spans = ALL_DAY, new: str = "", **more: Any) -> Trial:
    day = day_of(came, there)
    return Trial(day, fits(day), catalog_of(COMPANY), catalog_of(COMPANY + new), **more)


def orders(*lines: str) -> str:
    """Return the company with more said of its first queue."""
    return COMPANY.replace("service_level_s = 30", "\n".join(["service_level_s = 30", *lines]), 1)


def busy(contacts: int = 600, seed: int = 5) -> list[Came]:
    """Return a day that two agents hardly manage."""
    numbers = random.Random(seed)  # noqa: S311
    at = 0.0
    found = []
    for _ in range(contacts):
        at += numbers.expovariate(1 / 100)
        left = numbers.random() < 0.1
        waited = numbers.expovariate(1 / 60)
        found.append(Came(at, waited, None if left else numbers.expovariate(1 / 150), 20))
    return found


def sides(one: Trial, replications: int = 1) -> tuple[list[Replayed], list[Replayed]]:
    return (
        [replayed(one, one.old, n) for n in range(replications)],
        [replayed(one, one.new, n) for n in range(replications)],
    )


def test_a_day_is_what_simulate_says_of_the_same_facts(tmp_path: Path) -> None:
    came = [Came(one.at, 0, 130) for one in busy()]
    (tmp_path / "arrivals.csv").write_text("\n".join(f"{one.at:.6f}" for one in came))
    scenario = {
        "replications": 1,
        "contacts": len(came),
        "service_level_s": 30,
        "queues": [{"name": "orders"}],
        "traffic": {
            "orders": {"arrivals": {"replay": "arrivals.csv"}, "handling": {"fixed_s": 130}}
        },
        "groups": [{"name": "front", "agents": 2}],
    }
    expected = run(Scenario.model_validate(scenario), tmp_path)
    found = replayed(trial(came), catalog_of(COMPANY), 0).seen
    for figure in ("offered", "answered", "mean_wait_s", "service_level", "p_wait"):
        said = expected["queues"]["orders"][figure]["mean"]
        assert found["queue/orders"][figure] == pytest.approx(said, rel=1e-6), figure
    assert found["group/front"]["occupancy"] == pytest.approx(
        expected["groups"]["front"]["occupancy"]["mean"], rel=1e-6
    )
    assert found["queue/orders"]["mean_wait_s"] > 10


def test_recorded_times_are_kept_and_the_rest_is_drawn_alike_on_both_sides() -> None:
    one = trial(busy(), new="[queue.returns2]\nname = 'x'\n")
    coming = [list(cast(one, side, 3).streams["day"]) for side in (one.old, one.new)]
    assert coming[0] == coming[1]
    again = list(cast(one, one.old, 4).streams["day"])
    for recorded, first, other in zip(one.day.contacts, coming[0], again, strict=True):
        if recorded.left:
            assert first.patience_us == other.patience_us == recorded.waited
        else:
            assert recorded.talk is not None
            assert first.handling_s == other.handling_s == recorded.talk.us / 1e6
            assert first.patience_us is not None
            assert first.patience_us >= recorded.waited
    assert coming[0] != again, "what nobody saw is drawn anew"


def test_nothing_changed_means_no_difference() -> None:
    one = trial(busy())
    found = compared(one, *sides(one, 2))
    for part in ("queues", "teams"):
        for pair in found[part].values():
            assert all(
                value["mean"] == 0 for name, value in pair["difference"].items() if name != "wait_s"
            )
    assert found["total"]["old"]["abandoned"]["mean"] > 0
    assert found["queues"]["orders"]["difference"]["service_level"]["ci95"] == [0, 0]


def test_letting_others_help_shortens_waits_beyond_doubt() -> None:
    more = orders('rings = [{ after = 5, add_groups = ["back"] }]')
    day = day_of(busy(), ALL_DAY)
    one = Trial(day, fits(day), catalog_of(COMPANY), catalog_of(more))
    found = compared(one, *sides(one, 5))
    pair = found["queues"]["orders"]
    low, high = pair["difference"]["mean_wait_s"]["ci95"]
    assert low < high < -20
    assert pair["difference"]["service_level"]["mean"] > 0.2
    assert pair["new"]["abandoned"]["mean"] < pair["old"]["abandoned"]["mean"]
    assert found["teams"]["back"]["old"]["occupancy"]["mean"] == 0
    assert found["teams"]["back"]["new"]["occupancy"]["mean"] > 0.1
    assert NO_TEAM not in found["teams"]
    course = found["half_hours"]["orders"]
    assert sum(course["old"]["offered"]) == len(day.contacts)
    assert len(course["new"]["service_level"]) == 48
    assert None in course["new"]["service_level"], "nobody came at night"


def test_the_difference_is_surer_than_the_sides() -> None:
    """Common random numbers: the error of the difference is not that of independent runs."""
    one = trial(busy(), factor=1.15)
    old, new = sides(one, 6)
    found = compared(one, old, new)["total"]
    assert found["old"]["mean_wait_s"]["se"] > 0
    assert found["difference"]["mean_wait_s"]["se"] == 0


def test_both_sides_are_judged_by_the_tried_target() -> None:
    day = day_of([Came(0, 0, 100), Came(1, 0, 100), Came(2, 99, 100)], {"ann": [(0, 3600)]})
    strict = COMPANY.replace("service_level_s = 30", "service_level_s = 110")
    one = Trial(day, fits(day), catalog_of(COMPANY), catalog_of(strict))
    found = compared(one, *sides(one))
    assert found["total"]["old"]["service_level"]["mean"] == pytest.approx(2 / 3)
    assert found["total"]["difference"]["service_level"]["mean"] == 0
    assert as_it_was(one)["total"]["service_level"] == 1


def test_a_shorter_wrap_up_frees_agents() -> None:
    came = [Came(n * 100.0, 0, 60, 60) for n in range(100)]
    limited = orders("wrap_up_s = 30")
    day = day_of(came, {"ann": [(0, 86_400)]})
    one = Trial(day, fits(day), catalog_of(COMPANY), catalog_of(limited))
    found = compared(one, *sides(one))
    assert found["queues"]["orders"]["old"]["mean_wait_s"]["mean"] > 500
    assert found["queues"]["orders"]["new"]["mean_wait_s"]["mean"] == 0


def test_closed_queues_hand_on_by_the_hours_of_the_day() -> None:
    came = [Came(36_000, 0, 60), Came(80_000, 0, 60)]
    hours = orders('hours = "office"', 'outside = { action = "queue", to_queue = "returns" }') + (
        '[hours.office]\nname = "x"\ntime_zone = "UTC"\n'
        '[hours.office.week]\nfri = [["9:00", "18:00"]]\n'
    )
    one = trial(came)
    entering = [each.enters for each in cast(one, catalog_of(hours), 0).streams["day"]]
    assert entering == ["orders", "returns"]


def test_more_and_fewer_contacts() -> None:
    came = busy(1000)
    for factor in (0.5, 1.0, 1.2, 2.5):
        one = trial(came, factor=factor)
        coming = list(cast(one, one.old, 0).streams["day"])
        assert len(coming) == pytest.approx(1000 * factor, rel=0.08)
        assert [c.at for c in coming] == sorted(c.at for c in coming)
        if factor == 1:
            assert len(coming) == 1000


def test_who_is_still_waiting_at_the_end_is_told() -> None:
    one = trial([Came(100, 5, 60), Came(200, 5, 60)], {"ann": [(0, 110)]})
    found = compared(one, *sides(one))["total"]["old"]
    assert (found["answered"]["mean"], found["unfinished"]["mean"]) == (1, 1)
    assert found["service_level"]["mean"] == 0.5


def test_contacts_of_queues_that_are_gone_are_left_out() -> None:
    came = [Came(0, 0, 60), Came(1, 0, 60, queue="gone")]
    one = trial(came)
    assert one.queues == ("orders", "returns")
    assert compared(one, *sides(one))["total"]["old"]["offered"]["mean"] == 1
    assert as_it_was(one)["total"]["offered"] == 1


def test_a_forecast_is_a_poisson_day_of_the_mean() -> None:
    """Counts of replications have the days' mean, and a variance as large; no contact is itself."""
    days = [day_of(busy(contacts, seed=contacts), ALL_DAY) for contacts in (300, 500)]
    day = forecast(BEGINS, BEGINS + timedelta(days=1), days)
    assert (day.forecast_of, len(day.contacts)) == (2, 800)
    one = Trial(day, fits(day), catalog_of(COMPANY), catalog_of(COMPANY), factor=1.5)
    runs = [list(cast(one, one.old, number).streams["day"]) for number in range(60)]
    counts = [len(run) for run in runs]
    assert fmean(counts) == pytest.approx(600, abs=3 * math.sqrt(600 / 60))
    assert 0.5 < variance(counts) / 600 < 1.6
    assert runs[0] == list(cast(one, one.new, 0).streams["day"]), "both sides meet the same"
    noon = sum(1 for each in day.contacts if 10 <= each.at // HALF_HOUR_US < 12)
    drawn = sum(1 for run in runs for each in run if 10 <= each.at // HALF_HOUR_US < 12) / 60
    assert drawn == pytest.approx(noon / 2 * 1.5, rel=0.15)


def test_a_trial_with_conditions_goes_to_another_process() -> None:
    catalog = catalog_of(orders("agents = \"agent.name != 'ben'\""))
    before = specs(catalog)
    again = pickle.loads(pickle.dumps(catalog))  # noqa: S301
    assert specs(again) == before
    assert "orders" in before["ann"].serves


def test_how_many_agents_each_step_reaches() -> None:
    steps = 'rings = [{ after = 20, relax = { order = 0 } }, { after = 60, add_groups = ["back"] }]'
    catalog = catalog_of(orders(steps, "requires = { order = 3 }"))
    assert [(one["after_s"], one["agents"]) for one in reach(catalog, "orders")] == [
        (0, 0), (20, 2), (60, 3),
    ]  # fmt: skip
    assert reach(catalog, "returns") == [{"after_s": 0, "agents": 3}]
