"""Offers that were declined or missed, in a replay."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from madoguchi.model.routing import OfferState
from router.simulator.cast import Asked, Reply
from router.trials.conduct import BACK_S, AsRecorded, Shares, habits
from router.trials.day import Day, Reaction, Span
from router.trials.figures import compared
from router.trials.replay import Replayed, replayed
from router.trials.trial import Trial, fits
from tests.support.days import Came, catalog_of, day_of, us

OWN = Reply(OfferState.accepted, us(3))
COMPANY = """
[queue.orders]
name = "Orders"
service_level_s = 30
{more}
[agent.ann]
name = "Ann"
units = 1
[agent.ben]
name = "Ben"
units = 1
[agent.cid]
name = "Cid"
units = 1
"""
THERE = {"ann": [(0.0, 86_400.0)], "ben": [(0.0, 86_400.0)], "cid": [(0.0, 86_400.0)]}


def company(*lines: str) -> str:
    return COMPANY.format(more="\n".join(lines))


def reactions(agent: str, accepted: int, declined: int, missed: int) -> list[Reaction]:
    """Return what an agent did with offers: declines took 4 s."""
    ends = [
        (OfferState.accepted, accepted, 3),
        (OfferState.declined, declined, 4),
        (OfferState.timed_out, missed, 20),
    ]
    return [
        Reaction(agent, "orders", end, us(took))
        for end, number, took in ends
        for _ in range(number)
    ]


def a_day(*some: Reaction, backs: Sequence[tuple[str, Span]] = ()) -> Day:
    """Return a day of contacts that come one by one, and what agents did with offers."""
    came = [Came(n * 90.0, 5, 60 + n % 40, 5, 3, agent="ann") for n in range(800)]
    return replace(day_of(came, THERE), reactions=tuple(some), backs=tuple(backs))


def conduct(day: Day, seed: str = "1/0") -> AsRecorded:
    known = fits(day)
    return AsRecorded(known.habits, known.accept, seed)


def test_agents_have_their_own_habits_and_newcomers_those_of_all() -> None:
    found = habits(a_day(*reactions("ann", 6, 3, 1), *reactions("ben", 10, 0, 0)))
    assert found.of("ann") == Shares(0.3, 0.1)
    assert found.of("ben") == Shares()
    assert found.of("~1") == Shares(0.15, 0.05)
    assert habits(a_day()).of("ann") == Shares()


def test_offers_are_declined_and_missed_as_often_as_they_were() -> None:
    as_recorded = conduct(a_day(*reactions("ann", 70, 20, 10)))
    asked = [Asked(n, "orders", "ann", 0, beside=False) for n in range(5000)]
    replies = [as_recorded.reply(one, OWN) for one in asked]
    ends = [one.end for one in replies]
    assert ends.count(OfferState.declined) / 5000 == pytest.approx(0.2, abs=0.02)
    assert ends.count(OfferState.timed_out) / 5000 == pytest.approx(0.1, abs=0.02)
    assert {one.after_us for one in replies if one.end is OfferState.declined} == {us(4)}
    assert {one for one in replies if one.end is OfferState.accepted} == {OWN}
    backwards = [as_recorded.reply(one, OWN) for one in reversed(asked)]
    assert backwards[::-1] == replies, "whoever is asked first"
    again = [as_recorded.reply(one._replace(time=1), OWN) for one in asked]
    assert again != replies, "who declined once may accept later"


def test_who_is_asked_beside_others_takes_their_own_time() -> None:
    as_recorded = conduct(a_day(*reactions("ann", 30, 0, 0)))
    beside = Asked(1, "orders", "ann", 0, beside=True)
    assert as_recorded.reply(beside, Reply(OfferState.accepted, us(9))).after_us == us(3)


def test_who_missed_offers_is_back_as_soon_as_others_were() -> None:
    seen = [("ann", Span(us(40 + n), True)) for n in range(30)]
    as_recorded = conduct(a_day(backs=seen))
    times = [as_recorded.back_us("ben", n) for n in range(200)]
    assert {time for time in times if time is not None} <= {us(40 + n) for n in range(30)}
    assert len(set(times)) > 20
    assert conduct(a_day()).back_us("ben", 0) == us(BACK_S), "nobody was ever seen to"
    never = conduct(a_day(backs=[("ann", Span(us(900), False))]))
    assert never.back_us("ann", 0) is None


def sides(day: Day, new: str, old: str = "") -> dict[str, Any]:
    """Return what a change comes to."""
    one = Trial(day, fits(day), catalog_of(company(old)), catalog_of(company(new)))
    runs: list[list[Replayed]] = [
        [replayed(one, side, n) for n in range(2)] for side in (one.old, one.new)
    ]
    found: dict[str, Any] = compared(one, *runs)["queues"]["orders"]
    return found


HABITS = [reaction for name in THERE for reaction in reactions(name, 60, 20, 20)]
BACKS = [("ann", Span(us(300), True))] * 20


def test_declines_and_misses_make_customers_wait() -> None:
    calm = sides(a_day(), "")
    found = sides(a_day(*HABITS, backs=BACKS), "")
    assert calm["old"]["mean_wait_s"]["mean"] < 4
    assert found["old"]["mean_wait_s"]["mean"] > 8
    assert found["difference"]["mean_wait_s"]["mean"] == 0, "both sides meet the same agents"


@pytest.mark.parametrize(
    ("new", "way"),
    [
        ("offer_timeout_s = 60", 1),
        ("offer_timeout_s = 8", -1),
        ("misses = 20", -1),
        ("offer_to = 3", -1),
        ("auto_accept = true", -1),
    ],
)
def test_how_offers_are_made_has_an_effect(new: str, way: int) -> None:
    found = sides(a_day(*HABITS, backs=BACKS), new)["difference"]["mean_wait_s"]
    assert found["mean"] * way > 0.5


def test_an_offer_that_is_shorter_than_people_take_is_missed() -> None:
    found = sides(a_day(), "offer_timeout_s = 5", "offer_timeout_s = 20")
    assert found["difference"]["answered"]["mean"] == 0
    slow = [Came(n * 90.0, 9, 60, 5, 8) for n in range(300)]
    day = day_of(slow, THERE)
    one = Trial(day, fits(day), catalog_of(company()), catalog_of(company("offer_timeout_s = 5")))
    assert replayed(one, one.old, 0).seen["total"]["service_level"] == 1
    assert replayed(one, one.new, 0).seen["total"]["answered"] == 0, "nobody is that quick"
