"""Opening hours: against a plain walk over minutes, and on days that are known to be awkward."""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from itertools import accumulate
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.model.hours import (
    Day,
    Names,
    Opening,
    Schedule,
    Span,
    Why,
    instant,
    known_places,
    public_holidays,
)

MINUTE = timedelta(minutes=1)
TOKYO = ZoneInfo("Asia/Tokyo")
NEW_YORK = ZoneInfo("America/New_York")
OFFICE: tuple[Span, ...] = ((9 * 60, 12 * 60), (13 * 60, 18 * 60))
WEEKDAYS = (OFFICE,) * 5 + ((), ())
AWKWARD = {
    # Forward and back by an hour, by half an hour, over midnight, and a day left out.
    "America/New_York": [date(2026, 3, 8), date(2026, 11, 1)],
    "Australia/Lord_Howe": [date(2026, 4, 5), date(2026, 10, 4)],
    "America/St_Johns": [date(2009, 11, 1), date(2010, 3, 14)],
    "America/Sao_Paulo": [date(2018, 2, 18), date(2018, 11, 4)],
    "Pacific/Apia": [date(2011, 12, 30)],
    "Asia/Tokyo": [date(2026, 11, 23)],
}


def at(zone: ZoneInfo, *moment: int) -> datetime:
    """Return a local moment in UTC."""
    return datetime(*moment, tzinfo=zone).astimezone(UTC)  # type: ignore[misc,arg-type]


@cache
def shown(zone: str, around: date) -> tuple[list[datetime], list[datetime]]:
    """Return every minute of ten days, and the latest time that a wall clock has shown by then."""
    first = datetime(around.year, around.month, around.day, tzinfo=UTC) - timedelta(days=4)
    minutes = [first + n * MINUTE for n in range(10 * 1440)]
    clock = [m.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for m in minutes]
    return minutes, list(accumulate(clock, max))


def walked(schedule: Schedule, around: date) -> dict[datetime, bool]:
    """Return minute → open, by waiting for the clock to show each time."""
    minutes, latest = shown(schedule.zone.key, around)
    is_open = [False] * len(minutes)
    for number in range(-3, 5):
        day = around + timedelta(days=number)
        own = schedule.days.get(day)
        midnight = datetime.combine(day, time())
        for span in own.spans if own else schedule.week[day.weekday()]:
            begins, ends = (bisect_left(latest, midnight + n * MINUTE) for n in span)
            is_open[begins:ends] = [True] * (ends - begins)
    return dict(list(zip(minutes, is_open, strict=True))[3 * 1440 : 6 * 1440])


@st.composite
def spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Return the hours of a day: in order, apart, the last perhaps over midnight."""
    cuts = sorted(draw(st.sets(st.integers(0, 96), min_size=0, max_size=6)))
    pairs = [(a * 15, b * 15) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]
    beyond = draw(st.integers(-1, 96))
    if pairs and beyond >= 0:
        pairs[-1] = (pairs[-1][0], 1440 + min(beyond * 15, pairs[0][0]))
    return tuple(p for p in pairs if p[0] < 1440)


@st.composite
def schedules(draw: st.DrawFn) -> tuple[Schedule, date]:
    """Return hours in a zone, and a date on which its clocks may be changed."""
    zone = draw(st.sampled_from(sorted(AWKWARD)))
    around = draw(st.sampled_from(AWKWARD[zone]))
    week = tuple(draw(spans()) for _ in range(7))
    dates = st.sampled_from([around + timedelta(days=n) for n in range(-1, 3)])
    days = draw(st.dictionaries(dates, spans().map(Day), max_size=2))
    return Schedule(ZoneInfo(zone), week, "", days), around


@settings(max_examples=60, deadline=None)
@given(schedules(), st.data())
def test_it_is_open_in_the_minutes_that_a_walk_finds(
    case: tuple[Schedule, date], data: st.DataObject
) -> None:
    schedule, around = case
    truth = walked(schedule, around)
    minutes = sorted(truth)
    for moment in minutes[::15]:
        assert schedule.opening(moment).open is truth[moment], moment
    moment = data.draw(st.sampled_from(minutes))
    opens = schedule.opens(moment)
    later = next((m for m in minutes if m >= moment and truth[m]), None)
    if later is not None:
        assert opens == later
    else:
        assert opens is None or opens > minutes[-1]


def test_a_break_and_the_edges_of_a_span() -> None:
    schedule = Schedule(TOKYO, WEEKDAYS)
    for clock, wanted in {
        (8, 59): False,
        (9, 0): True,
        (11, 59): True,
        (12, 0): False,
        (13, 0): True,
        (17, 59): True,
        (18, 0): False,
    }.items():
        assert schedule.opening(at(TOKYO, 2026, 11, 24, *clock)).open is wanted, clock
    noon = at(TOKYO, 2026, 11, 24, 12)
    assert schedule.opening(noon) == Opening(
        Why.WEEKLY, ("", ""), at(TOKYO, 2026, 11, 24, 13), "Asia/Tokyo"
    )
    assert schedule.opens(at(TOKYO, 2026, 11, 24, 10)) == at(TOKYO, 2026, 11, 24, 10)


JAPAN_2026 = {
    date(2026, 1, 1): ("元日", "New Year's Day"),
    date(2026, 5, 6): ("振替休日", "Substitute Holiday"),
    date(2026, 9, 22): ("国民の休日", "National Holiday"),
    date(2026, 11, 23): ("勤労感謝の日", "Labor Thanksgiving Day"),
}


@pytest.mark.parametrize(("day", "names"), JAPAN_2026.items())
def test_japanese_holidays_are_closed_by_their_names(day: date, names: Names) -> None:
    schedule = Schedule(TOKYO, (OFFICE,) * 7, "JP")
    found = schedule.opening(at(TOKYO, day.year, day.month, day.day, 10))
    assert (found.why, found.names) == (Why.HOLIDAY, names)


def test_after_the_japanese_holidays_in_may_it_opens_on_thursday() -> None:
    schedule = Schedule(TOKYO, WEEKDAYS, "JP")
    opens = schedule.opens(at(TOKYO, 2026, 5, 1, 18))
    assert opens == at(TOKYO, 2026, 5, 7, 9)
    assert len(public_holidays("JP", 2026)) == 18


def test_a_special_day_goes_before_the_holiday_and_the_week() -> None:
    days = {
        date(2026, 11, 23): Day(((600, 900),), ("祝日の営業", "Open on the holiday")),
        date(2026, 11, 24): Day((), ("棚卸し", "Stocktaking")),
    }
    schedule = Schedule(TOKYO, WEEKDAYS, "JP", days)
    assert schedule.opening(at(TOKYO, 2026, 11, 23, 10)).open
    evening = schedule.opening(at(TOKYO, 2026, 11, 23, 15))
    assert (evening.why, evening.names[1]) == (Why.DAY, "Open on the holiday")
    assert evening.opens == at(TOKYO, 2026, 11, 25, 9)
    assert schedule.opening(at(TOKYO, 2026, 11, 24, 10)).names[0] == "棚卸し"


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    night: tuple[Span, ...] = ((22 * 60, 26 * 60),)
    closed = {date(2026, 11, 25): Day()}
    schedule = Schedule(TOKYO, (night,) * 7, "", closed)
    assert schedule.opening(at(TOKYO, 2026, 11, 25, 1, 59)).open
    assert not schedule.opening(at(TOKYO, 2026, 11, 25, 2)).open
    assert not schedule.opening(at(TOKYO, 2026, 11, 26, 1)).open
    assert schedule.opens(at(TOKYO, 2026, 11, 25, 3)) == at(TOKYO, 2026, 11, 26, 22)


def test_new_york_loses_and_doubles_an_hour() -> None:
    spring, autumn = (datetime.fromisoformat(t) for t in ("2026-03-08T02:30", "2026-11-01T01:30"))
    assert instant(spring, NEW_YORK) == datetime(2026, 3, 8, 7, tzinfo=UTC)
    assert instant(autumn, NEW_YORK) == datetime(2026, 11, 1, 5, 30, tzinfo=UTC)
    lost = Schedule(NEW_YORK, ((),) * 6 + (((150, 180),),))
    assert lost.opens(datetime(2026, 3, 8, 5, tzinfo=UTC)) == datetime(
        2026, 3, 15, 6, 30, tzinfo=UTC
    )
    doubled = Schedule(NEW_YORK, ((),) * 6 + (((60, 90),),))
    assert doubled.opening(datetime(2026, 11, 1, 5, 29, tzinfo=UTC)).open
    assert not doubled.opening(datetime(2026, 11, 1, 6, 10, tzinfo=UTC)).open


def test_what_never_opens_says_so() -> None:
    never = Schedule(TOKYO, ((),) * 7, "JP")
    assert never.opens(at(TOKYO, 2026, 11, 24, 10)) is None
    far = Schedule(TOKYO, ((),) * 7, "", {date(2027, 11, 24): Day(OFFICE)})
    assert far.opens(at(TOKYO, 2026, 11, 24, 10)) == at(TOKYO, 2027, 11, 24, 9)
    assert far.opens(at(TOKYO, 2026, 11, 20, 10)) is None


def test_states_have_their_own_holidays() -> None:
    assert {"JP", "US", "US-CA", "DE-BY"} <= known_places()
    assert not {"JPN", "XX", "US-ZZ"} & known_places()
    assert date(2026, 3, 31) in public_holidays("US-CA", 2026)
    assert date(2026, 3, 31) not in public_holidays("US", 2026)
