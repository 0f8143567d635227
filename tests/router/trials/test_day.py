"""From rows to a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from madoguchi.clock import to_micros
from madoguchi.model.routing import OfferState
from router.trials.day import (
    DAY_US,
    Contact,
    Day,
    HandedOn,
    Reaction,
    Span,
    part_of_half_hours,
    span_of,
    weekdays_before,
)
from router.trials.telling import told
from router.trials.trial import fits
from tests.support.days import us

BEGINS = datetime(2026, 11, 20, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=1)


def at(seconds: float) -> datetime:
    return BEGINS + timedelta(seconds=seconds)


def item(**more: Any) -> SimpleNamespace:
    values = {
        "id": "i",
        "came_to": "orders",
        "answered_in": "orders",
        "queue": "orders",
        "channel": "sms",
        "state": "done",
        "enqueued_at": at(100),
        "assigned_at": at(110),
        "waited_us": us(10),
        "closed_at": at(200),
        "requires": None,
        "priority": None,
        "preferred": None,
        "preference": None,
    }
    return SimpleNamespace(**{**values, **more})


def spell(
    began: float,
    wrap_up: float | None,
    ended: float | None,
    made: float | None,
    released: float | None = None,
    **more: Any,
) -> Any:
    values = {"agent": "ann", "queue": "orders", "transfer": False, **more}
    return SimpleNamespace(
        **values,
        item="i",
        started_at=at(began),
        wrap_up_at=None if wrap_up is None else at(wrap_up),
        ended_at=None if ended is None else at(ended),
        made_at=None if made is None else at(made),
        released_us=None if released is None else us(released),
    )


def day(items: list[Any], spells: list[Any], periods: list[Any] | None = None) -> Day:
    return told(BEGINS, ENDS, at(300), items, spells, periods or [])


def only(items: list[Any], spells: list[Any]) -> Contact:
    (one,) = day(items, spells).contacts
    return one


def test_an_answered_contact() -> None:
    one = only([item()], [spell(110, 170, 200, 107)])
    assert (one.at, one.waited, one.left) == (us(100), us(10), False)
    assert (one.talk, one.wrap_up) == (Span(us(60), True), Span(us(30), True))
    assert one.accept == us(3)


def test_who_was_handed_on_has_each_ones_work() -> None:
    spells = [
        spell(150, 160, 170, 145, queue="returns", agent="ben"),
        spell(110, None, 140, None),
    ]
    one = only([item()], spells)
    assert one.talk == Span(us(30), True)
    assert one.handed_on == (HandedOn("returns", "", Span(us(10), True), us(5)),)
    assert one.wrap_up == Span(us(10), True)
    assert one.work == Span(us(40), True)
    assert one.accept is None, "the first was pulled"


def test_who_was_handed_to_an_agent_stays_with_the_first_until_they_accept() -> None:
    spells = [
        spell(110, None, 150, 107),
        spell(150, None, 180, 143, agent="ben", transfer=True),
        spell(180, 190, 200, None, agent="cid"),
    ]
    one = only([item()], spells)
    assert one.talk == Span(us(33), True), "from then on the replay asks the other one"
    assert one.handed_on == (
        HandedOn("orders", "ben", Span(us(30), True), us(7)),
        HandedOn("orders", "cid", Span(us(10), True), None),
    )


def vain(agent: str, end: str, made: float, closed: float, reason: str = "", **more: Any) -> Any:
    values = {"agent": agent, "state": end, "reason": reason, "transfer": False, **more}
    return SimpleNamespace(item="i", made_at=at(made), closed_at=at(closed), **values)


def test_what_agents_did_with_offers() -> None:
    offers = [
        vain("ben", "declined", 100, 102),
        vain("cid", "timed_out", 102, 107),
        vain("cid", "timed_out", 102, 107, transfer=True),
    ]
    found = told(BEGINS, ENDS, at(300), [item()], [spell(110, 170, 200, 107)], [], [], offers)
    assert found.reactions == (
        Reaction("ann", "orders", OfferState.accepted, us(3)),
        Reaction("ben", "orders", OfferState.declined, us(2)),
        Reaction("cid", "orders", OfferState.timed_out, us(5)),
    )
    at_once = told(BEGINS, ENDS, at(300), [item()], [spell(110, 170, 200, 110)], [])
    assert at_once.reactions == (), "nobody was asked"


def test_of_several_who_were_asked_each_ones_time_is_drawn() -> None:
    offers = [vain("ben", "withdrawn", 107, 110, "taken")]
    found = told(BEGINS, ENDS, at(300), [item()], [spell(110, 170, 200, 107)], [], [], offers)
    assert found.contacts[0].accept is None
    assert [one.end.value for one in found.reactions] == ["accepted", "withdrawn"]
    curve = fits(found).accept.shared
    assert (curve.times, curve.over) == ((3.0,), (0.5,)), "the other would have taken longer"


def test_what_goes_on_was_not_seen_to_its_end() -> None:
    still = only([item(state="assigned", closed_at=None)], [spell(110, None, None, 107)])
    assert (still.talk, still.wrap_up) == (Span(us(190), False), None)
    wrapping = only([item(state="wrap_up", closed_at=None)], [spell(110, 250, None, 107)])
    assert (wrapping.talk, wrapping.wrap_up) == (Span(us(140), True), Span(us(50), False))


def test_what_waits_for_the_customer_weighs_on_nobody() -> None:
    over = only([item()], [spell(110, 170, 200, 107, released=45)])
    assert over.talk == Span(us(15), True)
    paused = SimpleNamespace(
        id="i", channel="sms", routing={"paused_since": to_micros(at(250)), "released_us": us(20)}
    )
    still = item(state="assigned", closed_at=None)
    found = told(BEGINS, ENDS, at(300), [still], [spell(110, None, None, 107)], [], [paused])
    assert found.contacts[0].talk == Span(us(190 - 20 - 50), False)
    paused.channel = "chat"
    found = told(BEGINS, ENDS, at(300), [still], [spell(110, None, None, 107)], [], [paused])
    assert found.contacts[0].talk == Span(us(190 - 20), False), "units are held for ten minutes"


def test_who_left_and_who_still_waits() -> None:
    gone = only([item(state="abandoned", assigned_at=None, waited_us=None, closed_at=at(145))], [])
    assert (gone.left, gone.waited, gone.talk) == (True, us(45), None)
    waits = only([item(state="waiting", assigned_at=None, waited_us=None, closed_at=None)], [])
    assert (waits.left, waits.waited, waits.talk) == (False, us(200), None)


def test_who_was_cancelled_before_anybody_took_them_asked_for_nothing() -> None:
    assert day([item(state="cancelled", assigned_at=None)], []).contacts == ()
    assert len(day([item(state="cancelled")], [spell(110, None, 120, 107)]).contacts) == 1


def test_a_contact_counts_where_it_came_to() -> None:
    moved = item(came_to="returns", answered_in="orders", queue="vip")
    assert only([moved], []).queue == "returns"
    old = item(came_to=None, answered_in="orders", queue="vip")
    assert only([old], []).queue == "orders"


def period(agent: str, began: float, ended: float | None, presence: str = "available") -> Any:
    until = None if ended is None else at(ended)
    return SimpleNamespace(agent=agent, presence=presence, began_at=at(began), ended_at=until)


def test_who_came_back_from_missed_offers_was_there() -> None:
    found = day(
        [],
        [],
        [
            period("ann", 0, 100),
            period("ann", 100, 160, "missed"),
            period("ann", 160, 500),
            period("ann", 500, 900, "missed"),
            period("ben", 0, 7200),
            period("ben", 7200, None, "missed"),
        ],
    )
    assert found.there == {"ann": ((0, us(500)),), "ben": ((0, us(7200)),)}
    assert found.missed == {"ann": ((us(100), us(160)),)}
    assert found.backs[:2] == (("ann", Span(us(60), True)), ("ann", Span(us(400), False)))
    assert part_of_half_hours(found, "ann")[0] == pytest.approx(440 / 1800)
    assert part_of_half_hours(found, "ben")[:5] == [1, 1, 1, 1, 0]


def test_who_was_there_when() -> None:
    found = day(
        [],
        [],
        [period("a", 500, 600), period("a", -50, 100), period("b", 80, None), period("c", -9, 0)],
    )
    assert found.there == {
        "a": ((0, us(100)), (us(500), us(600))),
        "b": ((us(80), 2 * DAY_US),),
    }


def test_a_day_is_the_companys() -> None:
    tokyo = ZoneInfo("Asia/Tokyo")
    first, last = span_of(date(2026, 11, 20), tokyo)
    assert first.astimezone(UTC) == datetime(2026, 11, 19, 15, tzinfo=UTC)
    assert last - first == timedelta(days=1)
    berlin = span_of(date(2026, 10, 25), ZoneInfo("Europe/Berlin"))
    assert (berlin[1].astimezone(UTC) - berlin[0].astimezone(UTC)) == timedelta(hours=25)
    summer = told(*berlin, berlin[1], [], [], [])
    assert summer.half_hours == 50
    assert span_of(date(2026, 11, 20), UTC)[0] == BEGINS


def test_a_forecast_looks_at_the_same_weekdays_before_today() -> None:
    today = date(2026, 11, 26)
    before = {
        date(2026, 11, 26): date(2026, 11, 19),
        date(2026, 12, 3): date(2026, 11, 19),
        date(2026, 12, 2): date(2026, 11, 25),
        date(2026, 11, 27): date(2026, 11, 20),
        date(2026, 11, 3): date(2026, 10, 27),
    }
    for day, newest in before.items():
        found = weekdays_before(day, today, 3)
        assert found == [newest - timedelta(weeks=n) for n in range(3)]


def test_who_was_sent_away_has_not_left() -> None:
    away = item(state="abandoned", assigned_at=None, waited_us=None, closed_at=at(145))
    kept = SimpleNamespace(id="i", channel="sms", routing={"ended": "full"})
    (one,) = told(BEGINS, ENDS, at(300), [away], [], [], [kept]).contacts
    assert (one.left, one.ended, one.waited, one.talk) == (False, "full", us(45), None)
