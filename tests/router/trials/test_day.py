"""From rows to a day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

from madoguchi.clock import to_micros
from router.trials.day import DAY_US, Contact, Day, Span, span_of, told, weekdays_before
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
) -> Any:
    return SimpleNamespace(
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


def test_transfers_add_up() -> None:
    one = only([item()], [spell(150, 160, 170, 145), spell(110, None, 140, None)])
    assert one.talk == Span(us(40), True)
    assert one.wrap_up == Span(us(10), True)
    assert one.accept is None, "the first was pulled"


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


def test_who_was_there_when() -> None:
    def period(agent: str, began: float, ended: float | None) -> Any:
        return SimpleNamespace(
            agent=agent, began_at=at(began), ended_at=None if ended is None else at(ended)
        )

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
    assert (one.left, one.sent_away, one.waited, one.talk) == (False, True, us(45), None)
