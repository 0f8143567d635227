"""Staffing of a day: what is needed against who was there."""

from __future__ import annotations

import random

import pytest

from router.trials.day import Day, forecast
from router.trials.erlang import ErlangA
from router.trials.staffing import Plan, Terms, plan
from router.trials.trial import fits
from tests.support.days import BEGINS, Came, Spans, catalog_of, day_of

COMPANY = """
[queue.orders]
name = "Orders"
service_level_s = 30
[queue.returns]
name = "Returns"
service_level_s = 60
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
teams = ["back"]
units = 1
"""
ALL_DAY: Spans = {"ann": [(0.0, 86_400.0)], "ben": [(9 * 3600.0, 9.25 * 3600)]}
HOUR = 3600.0


def came(queue: str = "orders", per_hour: int = 60, seed: int = 1) -> list[Came]:
    """Return two hours from 9:00 in which some leave."""
    numbers = random.Random(seed)  # noqa: S311
    return [
        Came(
            at=9 * HOUR + n * HOUR / per_hour,
            waited=numbers.expovariate(1 / 20),
            talk=None if n % 10 == 0 else 120.0,
            wrap_up=30,
            accept=5,
            queue=queue,
        )
        for n in range(2 * per_hour)
    ]


def staffed(day: Day, terms: Terms = Terms(), toml: str = COMPANY) -> Plan:  # noqa: B008
    return plan(day, fits(day), catalog_of(toml), terms)


def test_the_figures_of_a_half_hour() -> None:
    contacts = came()
    found = staffed(day_of(contacts, ALL_DAY), Terms(0.9, 0.2))
    kind = found.kinds["orders"]
    left = sum(1 for one in contacts if one.talk is None)
    waited = sum(one.waited for one in contacts)
    assert kind.handling_s == pytest.approx(155)
    assert kind.patience_s == pytest.approx(waited / left, rel=1e-4)
    assert kind.accept_s == pytest.approx(5)
    assert (kind.target_s, kind.at_once) == (30, 1)
    first = found.queues["orders"][18]
    assert first.arrivals == 30
    assert first.load == pytest.approx(30 * 155 / 1800)
    system = ErlangA(30 / 1800, 155, waited / left)
    assert first.needed == system.needed(0.9, 25)
    assert first.paid == pytest.approx(first.needed / 0.8)
    assert first.expected == pytest.approx(system.steady(first.needed, 25).in_time, rel=1e-3)
    reached = system.steady(first.needed, 25)
    assert (first.abandoned, first.occupancy) == pytest.approx(
        (reached.p_abandoned, reached.occupancy), rel=1e-3
    )
    assert first.asa_s == pytest.approx(reached.asa_s + 5, rel=1e-3)
    in_time = sum(1 for one in contacts[:30] if one.talk is not None and one.waited <= 30)
    assert first.recorded == pytest.approx(in_time / 30)
    night = found.queues["orders"][2]
    assert (night.needed, night.recorded, night.expected) == (0, None, None)


def test_an_agents_time_is_shared_out_by_the_work() -> None:
    contacts = [*came(), *came("returns", 30, 2)]
    found = staffed(day_of(contacts, ALL_DAY))
    orders, returns = found.queues["orders"][18], found.queues["returns"][18]
    assert (orders.there, returns.there) == (1, 1.5), "Ben is there for a quarter of an hour"
    part = orders.load / (orders.load + returns.load)
    assert orders.own == pytest.approx(part)
    assert returns.own == pytest.approx(1 - part + 0.5)
    total = found.total[18]
    assert total.there == pytest.approx(orders.own + returns.own) == pytest.approx(1.5)
    assert orders.needed is not None
    assert returns.needed is not None
    assert total.needed == orders.needed + returns.needed
    assert total.pooled < total.needed, "who serves both queues evens them out"


def test_agents_who_serve_several_at_once_are_fewer() -> None:
    roomy = COMPANY.replace("units = 1", "units = 3")
    day = day_of(came(), ALL_DAY)
    one, three = staffed(day).queues["orders"][18], staffed(day, toml=roomy).queues["orders"][18]
    assert staffed(day, toml=roomy).kinds["orders"].at_once == 3
    assert one.needed is not None
    assert three.needed == -(-one.needed // 3)
    heavy = roomy.replace("service_level_s = 30", "service_level_s = 30\nweights = { sms = 3 }")
    assert staffed(day, toml=heavy).kinds["orders"].at_once == 1


def test_more_contacts_and_forecasts() -> None:
    days = [day_of(came(per_hour=rate), ALL_DAY) for rate in (40, 80)]
    ahead = forecast(BEGINS, BEGINS.replace(day=21), days)
    found = staffed(ahead, Terms(factor=1.5)).queues["orders"][18]
    assert found.arrivals == pytest.approx((20 + 40) / 2 * 1.5)
    assert found.recorded is None, "a day to come was not recorded"


def test_what_nobody_knows_is_not_made_up() -> None:
    """Nobody was ever answered: how long work takes is unknown; nobody left: they all wait."""
    day = day_of([Came(9 * HOUR, 100)], ALL_DAY)
    found = staffed(day)
    assert found.kinds["orders"].handling_s is None
    assert found.queues["orders"][18].needed is None
    patient = staffed(day_of([Came(9 * HOUR, 5, 60)], ALL_DAY))
    assert patient.kinds["orders"].patience_s is None
    assert patient.queues["orders"][18].needed == 1
    gone = staffed(day_of([Came(9 * HOUR, 5, 60, queue="gone")], ALL_DAY))
    assert (gone.kinds, gone.total[18].needed) == ({}, 0)
