"""The simulator, and with it the engine, agrees with exact queueing theory.

A figure that is more than three standard errors off is run once more with a fresh seed and four
times the contacts; then it must hold.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from router.simulator import Scenario, run
from tests.router.simulator.theory import Impatient, Waiting, erlang_b, erlang_c, two_classes

Expected = Mapping[str, float]
HERE = Path()
SHORT, FULL = 20_000, 200_000
PROCESSES = int(os.environ.get("MADOGUCHI_TEST_PROCESSES", "1"))


def scenario(**parts: Any) -> dict[str, Any]:
    return {"seed": 7, "replications": 20, "warmup": 2_000, **parts}


def stream(per_hour: float, handling: float, **more: Any) -> dict[str, Any]:
    return {
        "arrivals": {"poisson_per_hour": per_hour},
        "handling": {"exponential_s": handling},
        **more,
    }


def agents(number: int, **more: Any) -> dict[str, Any]:
    return {"name": "all", "agents": number, **more}


def loss() -> tuple[dict[str, Any], Expected]:
    """Erlang B: no waiting room."""
    load = 240 * 180 / 3600
    blocked = erlang_b(14, load)
    parts = scenario(
        queues=[{"name": "q", "max_waiting": 0}],
        traffic={"q": stream(240, 180)},
        groups=[agents(14)],
    )
    return parts, {
        "queues/q/p_blocked": blocked,
        "queues/q/p_wait": 0,
        "groups/all/occupancy": load * (1 - blocked) / 14,
    }


def delay() -> tuple[dict[str, Any], Expected]:
    """Erlang C: everybody waits as long as it takes."""
    theory = Waiting(14, 240 / 3600, 1 / 180)
    parts = scenario(queues=[{"name": "q"}], traffic={"q": stream(240, 180)}, groups=[agents(14)])
    return parts, {
        "queues/q/p_wait": theory.p_wait,
        "queues/q/mean_wait_s": theory.mean_wait,
        "queues/q/mean_queue_length": theory.mean_wait * theory.arrivals,
        "queues/q/service_level": theory.within(20),
        "groups/all/occupancy": 12 / 14,
    }


def impatience() -> tuple[dict[str, Any], Expected]:
    """Erlang A: more arrive than can be served, and some leave."""
    theory = Impatient(10, 240 / 3600, 1 / 180, 1 / 120)
    parts = scenario(
        queues=[{"name": "q"}],
        traffic={"q": stream(240, 180, patience={"exponential_s": 120})},
        groups=[agents(10)],
    )
    return parts, {
        "queues/q/p_abandoned": theory.p_abandoned,
        "queues/q/p_wait": theory.p_wait,
        "queues/q/mean_wait_s": theory.mean_wait,
        "queues/q/mean_queue_length": theory.queue,
    }


def classes() -> tuple[dict[str, Any], Expected]:
    """Two classes, the first served first, nobody interrupted."""
    first, second = two_classes(8, 60 / 3600, 80 / 3600, 1 / 180)
    parts = scenario(
        queues=[{"name": "gold", "priority": 1}, {"name": "iron", "priority": 2}],
        traffic={"gold": stream(60, 180), "iron": stream(80, 180)},
        groups=[agents(8, serves=["gold", "iron"])],
    )
    return parts, {
        "queues/gold/mean_wait_s": first,
        "queues/iron/mean_wait_s": second,
        "total/p_wait": erlang_c(8, 140 * 180 / 3600),
        "groups/all/occupancy": 7 / 8,
    }


SYSTEMS = [loss, delay, impatience, classes]
System = Callable[[], tuple[dict[str, Any], Expected]]


def off(parts: dict[str, Any], expected: Expected) -> dict[str, str]:
    """Return the figures that are more than three standard errors off."""
    figures = run(Scenario.model_validate(parts), HERE, processes=PROCESSES)
    found = {}
    for path, value in expected.items():
        figure = figures
        for name in path.split("/"):
            figure = figure[name]
        if abs(figure["mean"] - value) > 3 * figure["se"]:
            found[path] = f"{figure['mean']:.5f} ± {figure['se']:.5f}, not {value:.5f}"
    return found


def agree(system: System, contacts: int) -> None:
    parts, expected = system()
    doubtful = off(parts | {"contacts": contacts}, expected)
    if doubtful:
        again = {path: expected[path] for path in doubtful}
        assert off(parts | {"contacts": 4 * contacts, "seed": 8}, again) == {}, doubtful


@pytest.mark.compiled
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_agrees_with_theory(system: System) -> None:
    agree(system, SHORT)


@pytest.mark.long
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("system", SYSTEMS)
def test_it_agrees_with_theory_at_full_size(system: System) -> None:
    agree(system, FULL)


def test_the_formulas_give_what_tables_give() -> None:
    # Erlang's own tables, as printed in any handbook of teletraffic.
    assert erlang_b(10, 5) == pytest.approx(0.018385, abs=1e-6)
    assert erlang_c(10, 8) == pytest.approx(0.409180, abs=1e-6)
    patient = Impatient(10, 8.0, 1.0, 1e-9)
    assert patient.p_wait == pytest.approx(erlang_c(10, 8), abs=1e-6)
