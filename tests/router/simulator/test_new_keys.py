"""Scenarios know what a queue's configuration says of order, choice and delay."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from router.simulator import BadScenario, Scenario, read, run

BUSY: dict[str, Any] = {
    "replications": 3,
    "contacts": 1500,
    "warmup": 100,
    "queues": [
        {"name": "slow", "service_level_s": 300},
        {"name": "fast", "service_level_s": 20},
    ],
    "traffic": {
        name: {"arrivals": {"poisson_per_hour": 110}, "handling": {"exponential_s": 180}}
        for name in ("slow", "fast")
    },
    "groups": [{"name": "all", "agents": 12}],
}


def waits(scenario: Scenario) -> dict[str, float]:
    """Mean wait by queue."""
    queues = run(scenario, Path(), processes=1)["queues"]
    return {name: figures["mean_wait_s"]["mean"] for name, figures in queues.items()}


def changed(**more: Any) -> Scenario:
    queues = [{**queue, **more} for queue in BUSY["queues"]]
    return Scenario.model_validate({**BUSY, "queues": queues})


def test_the_order_by_service_level_serves_the_nearer_target_first() -> None:
    before = waits(Scenario.model_validate(BUSY))
    after = waits(changed(order="service_level"))
    assert before["fast"] == pytest.approx(before["slow"], rel=0.5)
    assert after["fast"] < before["fast"] / 2
    assert after["slow"] > before["slow"]


def test_a_queue_is_judged_by_its_own_target() -> None:
    figures = run(Scenario.model_validate(BUSY), Path(), processes=1)["queues"]
    level = {name: one["service_level"]["mean"] for name, one in figures.items()}
    assert level["slow"] > level["fast"] + 0.1


def test_shares_and_skills_that_are_preferred_move_the_work() -> None:
    groups = [
        {"name": "half", "agents": 6, "skills": {"ja": 1}},
        {"name": "full", "agents": 6, "share": 3},
    ]
    quiet = {
        name: {**traffic, "arrivals": {"poisson_per_hour": 30}}
        for name, traffic in BUSY["traffic"].items()
    }

    def contacts(**more: Any) -> dict[str, float]:
        queues = [{**queue, **more} for queue in BUSY["queues"]]
        made = {**BUSY, "groups": groups, "traffic": quiet, "queues": queues}
        found = run(Scenario.model_validate(made), Path(), processes=1)["groups"]
        return {name: one["contacts"]["mean"] for name, one in found.items()}

    by_share = contacts(agent_choice="weighted")
    assert by_share["full"] == pytest.approx(3 * by_share["half"], rel=0.1)
    preferring = contacts(prefers={"ja": 1})
    assert preferring["half"] > 4 * preferring["full"]


def test_who_serves_late_leaves_what_is_young_to_others() -> None:
    groups = [
        {"name": "own", "agents": 8, "serves": ["slow", "fast"]},
        {
            "name": "late",
            "agents": 8,
            "serves": [{"queue": name, "after": 30} for name in ("slow", "fast")],
        },
    ]
    found = run(Scenario.model_validate({**BUSY, "groups": groups}), Path(), processes=1)
    total = found["total"]["wait_s"]
    assert total["p90"]["mean"] >= 30
    assert found["groups"]["own"]["occupancy"]["mean"] > 0.9


def test_two_orders_at_once_are_refused(tmp_path: Path) -> None:
    both = [{"name": "slow", "order": "service_level", "ageing": {"slope": 2}}, BUSY["queues"][1]]
    path = tmp_path / "s.yaml"
    path.write_text(yaml.safe_dump({**BUSY, "queues": both}))
    with pytest.raises(BadScenario, match="ageing has no effect"):
        read(path)
