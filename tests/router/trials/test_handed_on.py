"""Contacts that are handed on, turned away, or that nobody can take, in a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from router.simulator.replication import Outcome, Replication
from router.trials.casting import cast
from router.trials.day import Contact, Day, HandedOn, Span
from router.trials.figures import as_it_was, compared
from router.trials.replay import replayed
from router.trials.trial import Trial, fits
from tests.support.days import Came, catalog_of, day_of, us

COMPANY = """
[queue.orders]
name = "Orders"
service_level_s = 30
[queue.returns]
name = "Returns"
[team.front]
name = "Front"
serves = [{ queue = "orders" }]
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
[agent.cid]
name = "Cid"
teams = ["back"]
units = 1
"""
ALL_DAY = {"ann": [(0.0, 86_400.0)], "ben": [(0.0, 86_400.0)], "cid": [(0.0, 86_400.0)]}


def handed_on(queue: str, agent: str = "", talk: float = 100, accept: float = 0) -> HandedOn:
    return HandedOn(queue, agent, Span(us(talk), whole=True), us(accept))


def a_day(*contacts: Contact, there: Any = None) -> Day:
    return replace(day_of([], there or ALL_DAY), contacts=contacts)


def contact(at: float, *then: HandedOn, talk: float = 60, wrap_up: float = 10) -> Contact:
    return replace(Came(at, 0, talk, wrap_up).contact(), handed_on=then)


def trial(day: Day, new: str = COMPANY) -> Trial:
    return Trial(day, fits(day), catalog_of(COMPANY), catalog_of(new))


def outcome(one: Trial) -> Outcome:
    """Return a run that goes on until all work is done."""
    of = cast(one, one.new, 0)
    return Replication(replace(of, contacts=of.contacts + 1)).run()


def busy(found: Outcome, team: str) -> float:
    """Return for how many seconds a team's units were in use, up to the last arrival."""
    return found.groups[team].work.area / 1e6


def test_each_agent_has_a_contact_for_their_own_time_and_it_is_answered_once() -> None:
    one = trial(a_day(contact(0, handed_on("returns"))))
    found = outcome(one)
    assert [(record.queue, record.wait_us) for record in found.records] == [("orders", 0)]
    assert (busy(found, "front"), busy(found, "back")) == (60, 110), "wrap-up comes at the end"
    assert (found.groups["front"].contacts, found.groups["back"].contacts) == (1, 1)


def test_a_transfer_waits_in_the_queue_for_who_serves_it() -> None:
    waits = contact(0, handed_on("returns", talk=500)), contact(0, handed_on("returns", talk=500))
    third = contact(200, handed_on("returns"), talk=10)
    found = outcome(trial(a_day(*waits, third)))
    # Ann has one after the other; the third is done with when Ben is free again.
    assert busy(found, "back") == 510 + 510 + 110
    assert len(found.records) == 3


def test_an_agent_who_is_meant_is_asked_and_the_first_keeps_it_until_then() -> None:
    one = trial(a_day(contact(0, handed_on("orders", "cid", accept=7))))
    found = outcome(one)
    assert busy(found, "front") == 67
    assert busy(found, "back") == 110


@pytest.mark.parametrize("until", [30.0, 63.0])
def test_who_is_not_there_is_stood_in_for_by_their_queue(until: float) -> None:
    there = {**ALL_DAY, "cid": [(0.0, until)]}
    found = outcome(trial(a_day(contact(0, handed_on("orders", "cid", accept=7)), there=there)))
    assert busy(found, "back") == 110
    assert busy(found, "front") == pytest.approx(60, abs=7)


def test_what_was_handed_to_a_queue_that_is_gone_stays_where_it_is() -> None:
    gone = contact(0, handed_on("gone", talk=40), handed_on("returns"), handed_on("gone", talk=9))
    found = outcome(trial(a_day(gone)))
    assert (busy(found, "front"), busy(found, "back")) == (100, 119)


def some(number: int) -> Sequence[Contact]:
    """Return contacts of whom every second is handed on, and each eighth left."""
    left = [Came(n * 80.0, 30).contact() for n in range(3, number, 8)]
    taken = [
        contact(n * 80.0, *([handed_on("returns", talk=70)] if n % 2 else []), talk=50)
        for n in range(number)
        if n % 8 != 3
    ]
    return sorted([*left, *taken], key=lambda one: one.at)


def test_who_was_not_answered_is_handed_on_like_others() -> None:
    day = a_day(*some(800))
    one = trial(day)
    coming = list(cast(one, one.old, 0).streams["day"])
    drawn = [each for each, was in zip(coming, day.contacts, strict=True) if was.talk is None]
    assert {each.handling_s for each in coming} == {50.0}
    turns = [each.turns for each in drawn]
    assert 0.25 < sum(map(bool, turns)) / len(turns) < 0.75
    assert {turn.handling_s for each in coming for turn in each.turns} == {70.0}
    forecast = replace(day, forecast_of=1)
    copies = list(cast(trial(forecast), one.old, 0).streams["day"])
    assert sum(bool(each.turns) for each in copies) / len(copies) == pytest.approx(0.45, abs=0.05)


def test_a_day_without_any_of_it_is_replayed_as_ever() -> None:
    """The figures are those of the release before help, declines and transfers were replayed."""
    came = [
        Came(
            n * 70.0 + n % 7,
            n % 9 * 10,
            None if n % 10 == 3 else 40 + n * 37 % 160,
            20,
            min(3, n % 9 * 10),
        )
        for n in range(600)
    ]
    one = Trial(
        day_of(came, ALL_DAY),
        fits(day_of(came, ALL_DAY)),
        catalog_of(COMPANY),
        catalog_of(COMPANY),
        1.15,
    )
    found = replayed(one, one.old, 3).seen
    assert {name: found["total"][name] for name in EVER} == pytest.approx(EVER)


EVER = {
    "offered": 679.0,
    "answered": 303.0,
    "abandoned": 376.0,
    "mean_wait_s": 190.09045778497793,
    "service_level": 0.01914580265095729,
    "wait_s.p90": 390.502418,
    "mean_queue_length": 3.0646469937520866,
}


def test_who_finds_no_place_and_whom_nobody_can_take_are_told_apart() -> None:
    came = [Came(n * 10.0, 0, 3600) for n in range(5)]
    came += [Came(n * 10.0, 0, 60, queue="returns") for n in range(3)]
    came += [Came(n * 10.0, 400, queue="returns") for n in range(2)]
    day = day_of(came, {"ann": [(0, 86_400)], "ben": [(50_000, 86_400)]})
    full = COMPANY.replace("service_level_s = 30", "service_level_s = 30\nmax_waiting = 2", 1)
    alone = full.replace('teams = ["back"]', 'teams = ["front"]')
    one = Trial(day, fits(day), catalog_of(full), catalog_of(alone))
    found = compared(one, [replayed(one, one.old, 0)], [replayed(one, one.new, 0)])
    orders, returns = found["queues"]["orders"], found["queues"]["returns"]
    assert (orders["old"]["full"]["mean"], orders["old"]["nobody"]["mean"]) == (2, 0)
    assert orders["old"]["abandoned"]["mean"] == 4, "they have not been served, as two who gave up"
    assert returns["old"]["nobody"]["mean"] == 0, "Ben comes later"
    assert returns["new"]["nobody"]["mean"] == 5, "nobody serves them"
    assert found["total"]["difference"]["nobody"]["mean"] == 5
    ended = replace(came[0].contact(), talk=None, wrap_up=None, accept=None, ended="full")
    was = as_it_was(trial(a_day(ended, replace(ended, ended="waited_too_long"))))["total"]
    assert (was["full"], was["abandoned"]) == (1, 2)


def test_who_came_while_it_was_closed_waits_for_the_morning() -> None:
    """As live: no limit is for whom we have told to wait."""
    hours = (
        'hours = "office"\nmax_wait_s = 600\n',
        '[hours.office]\nname = "x"\ntime_zone = "UTC"\n'
        '[hours.office.week]\nfri = [["9:00", "18:00"]]\n',
    )
    closed = (
        COMPANY.replace("service_level_s = 30\n", "service_level_s = 30\n" + hours[0]) + hours[1]
    )
    nine = 9 * 3600.0
    came = [Came(nine - 1000, 1500, 60), Came(nine + 100, 700, 60)]
    day = day_of(came, {"ann": [(nine + 1000, 86_400)]})
    one = Trial(day, fits(day), catalog_of(COMPANY), catalog_of(closed))
    assert replayed(one, one.old, 0).seen["total"]["answered"] == 2
    found = replayed(one, one.new, 0).seen["total"]
    assert (found["answered"], found["abandoned"]) == (1, 1), "only who came when it was open"
