"""Erlang A: against the sum over its states, its limits, and the simulator."""

from __future__ import annotations

import math
from itertools import accumulate, pairwise
from pathlib import Path

import pytest

from router.simulator import Scenario, run
from router.trials.erlang import ErlangA, NotSteady
from tests.router.simulator.theory import Waiting

TARGET = 20.0
SYSTEMS = [
    (240 / 3600, 180.0, 120.0, 10),
    (240 / 3600, 180.0, 120.0, 14),
    (0.01, 300.0, 60.0, 1),
    (1.0, 300.0, 200.0, 310),
    (1.0, 300.0, 600.0, 200),
    (30.0, 330.0, 200.0, 10_000),
    (40.0, 330.0, 200.0, 10_000),
    (20.0, 300.0, 300.0, 6_300),
]


def states(arrivals: float, handling: float, patience: float, servers: int) -> list[float]:
    """Return the probability of each number of customers: a birth-death process, in logarithms."""
    logs = [0.0]
    while len(logs) < 4 * servers + 20_000:
        n = len(logs)
        leaving = min(n, servers) / handling + max(0, n - servers) / patience
        logs.append(logs[-1] + math.log(arrivals / leaving))
        if n > servers and arrivals < leaving and logs[-1] < max(logs[servers:]) - 45:
            break
    most = max(logs)
    weights = [math.exp(each - most) for each in logs]
    total = math.fsum(weights)
    return [each / total for each in weights]


def stages(position: int, patience: float, rate: float) -> list[float]:
    """Return the mean times of the stages through which someone moves up who stays."""
    return [1 / (rate + (n + 1) / patience) for n in range(position + 1)]


@pytest.mark.parametrize(("arrivals", "handling", "patience", "servers"), SYSTEMS)
def test_it_is_what_its_states_say(
    arrivals: float, handling: float, patience: float, servers: int
) -> None:
    found = ErlangA(arrivals, handling, patience).steady(servers, TARGET)
    each = states(arrivals, handling, patience, servers)
    line = math.fsum(n * p for n, p in enumerate(each[servers:]))
    rate = servers / handling
    up = list(accumulate(stages(len(each) - servers, patience, rate)))
    stay = [rate / (rate + (n + 1) / patience) for n in range(len(each) - servers)]
    answered = [p * s for p, s in zip(each[servers:], stay, strict=True)]
    waited = math.fsum(p * time for p, time in zip(answered, up, strict=False))
    served = math.fsum(each[:servers]) + math.fsum(answered)
    assert found.p_wait == pytest.approx(math.fsum(each[servers:]), abs=1e-9)
    assert found.mean_wait_s == pytest.approx(line / arrivals, rel=1e-6, abs=1e-9)
    assert found.p_abandoned == pytest.approx(line / patience / arrivals, abs=1e-9)
    assert found.asa_s == pytest.approx(waited / served, rel=1e-5, abs=1e-6)
    busy = math.fsum(min(n, servers) * p for n, p in enumerate(each))
    assert found.occupancy == pytest.approx(busy / servers, rel=1e-9)


def test_without_impatience_it_is_erlang_c() -> None:
    theory = Waiting(14, 240 / 3600, 1 / 180)
    for patience in (None, 1e8):
        found = ErlangA(240 / 3600, 180, patience).steady(14, TARGET)
        assert found.p_wait == pytest.approx(theory.p_wait, rel=1e-4)
        assert found.in_time == pytest.approx(theory.within(TARGET), rel=1e-4)
        assert found.mean_wait_s == pytest.approx(theory.mean_wait, rel=1e-4)
    with pytest.raises(NotSteady):
        ErlangA(240 / 3600, 180).steady(12, TARGET)


def test_the_target_at_its_ends() -> None:
    system = ErlangA(1.0, 300, 200)
    at_once, ever = system.steady(290, 0), system.steady(290, 1e6)
    assert at_once.in_time == pytest.approx(1 - at_once.p_wait)
    assert ever.in_time == pytest.approx(1 - ever.p_abandoned)


@pytest.mark.parametrize("arrivals", [0.0, 0.0001, 0.01, 1.0, 30.0])
@pytest.mark.parametrize("patience", [None, 1.0, 90.0, 1e9])
@pytest.mark.parametrize("share", [0.05, 0.8, 0.999])
def test_as_many_as_needed_and_not_one_more(
    arrivals: float, patience: float | None, share: float
) -> None:
    system = ErlangA(arrivals, 300, patience)
    needed = system.needed(share, TARGET)
    assert (needed == 0) == (arrivals == 0)
    assert system.steady(needed, TARGET).in_time >= share
    if needed > 1 and not (patience is None and needed - 1 <= system.load):
        assert system.steady(needed - 1, TARGET).in_time < share


def test_more_agents_never_make_it_worse() -> None:
    system = ErlangA(2.0, 300, 60)
    levels = [system.steady(n, TARGET).in_time for n in range(900)]
    assert all(more >= fewer - 1e-12 for fewer, more in pairwise(levels))
    assert levels[0] == 0
    assert levels[-1] == pytest.approx(1)
    assert levels[600] > levels[590]


def test_the_simulator_agrees() -> None:
    """The same system, on the router's own engine, within three standard errors."""
    system = ErlangA(240 / 3600, 180, 120)
    servers = system.needed(0.8, TARGET)
    expected = system.steady(servers, TARGET)
    parts = {
        "seed": 11,
        "replications": 20,
        "warmup": 500,
        "contacts": 5_000,
        "service_level_s": TARGET,
        "queues": [{"name": "q"}],
        "traffic": {
            "q": {
                "arrivals": {"poisson_per_hour": 240},
                "handling": {"exponential_s": 180},
                "patience": {"exponential_s": 120},
            }
        },
        "groups": [{"name": "all", "agents": servers}],
    }
    seen = run(Scenario.model_validate(parts), Path(), processes=1)
    figures = {**seen["queues"]["q"], "occupancy": seen["groups"]["all"]["occupancy"]}
    for name, value in {
        "service_level": expected.in_time,
        "p_abandoned": expected.p_abandoned,
        "p_wait": expected.p_wait,
        "mean_wait_s": expected.mean_wait_s,
        "asa_s": expected.asa_s,
        "occupancy": expected.occupancy,
    }.items():
        figure = figures[name]
        assert abs(figure["mean"] - value) <= 3 * figure["se"], (name, figure, value)
