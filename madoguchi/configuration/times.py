"""How people write times of opening: hours of a day, dates, time zones, places with holidays."""

import re
from datetime import date
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from madoguchi.model.hours import Span, is_zone, known_places

DAY = 24 * 60
_CLOCK = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])|24:00")


def minutes(clock: str) -> int:
    """Return the minutes from midnight of a time like ``09:30``."""
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def spans(written: list[tuple[str, str]]) -> tuple[Span, ...]:
    """Return the hours of a day in minutes; what ends before it begins ends on the next day."""
    pairs = [(minutes(opens), minutes(closes)) for opens, closes in written]
    return tuple((o, c if c > o else c + DAY) for o, c in pairs)


def _time(written: str) -> str:
    if not _CLOCK.fullmatch(written):
        raise PydanticCustomError("bad_time", "write a time like 09:30, at most 24:00")
    return written.rjust(5, "0")


def _span(written: tuple[str, str]) -> tuple[str, str]:
    opens, closes = written
    if opens == closes or opens == "24:00":
        raise PydanticCustomError("span_empty", "it must end after it begins")
    return written


def _day(written: list[tuple[str, str]]) -> list[tuple[str, str]]:
    found = spans(written)
    if list(found) != sorted(found):
        raise PydanticCustomError("spans_out_of_order", "the hours stand in the order of times")
    if any(before[1] > after[0] for before, after in pairwise(found)):
        raise PydanticCustomError("spans_overlap", "these hours overlap")
    return written


def _date(written: object) -> object:
    """TOML has dates of its own, JSON has texts."""
    if isinstance(written, str):
        try:
            written = date.fromisoformat(written)
        except ValueError:
            written = None
    if type(written) is not date:
        raise PydanticCustomError("bad_date", "write a date like 2026-12-31")
    return written


def _zone(written: str) -> str:
    if not is_zone(written):
        facts = {"zone": written}
        raise PydanticCustomError("unknown_time_zone", "there is no time zone {zone}", facts)
    return written


def _place(written: str) -> str:
    if written and written not in known_places():
        facts = {"place": written}
        raise PydanticCustomError(
            "unknown_country", "the holidays of {place} are not known; write JP, US or US-CA", facts
        )
    return written


Time = Annotated[str, AfterValidator(_time)]
DayHours = Annotated[
    list[Annotated[tuple[Time, Time], AfterValidator(_span)]],
    Field(max_length=12),
    AfterValidator(_day),
]
Date = Annotated[date, BeforeValidator(_date)]
TimeZone = Annotated[str, Field(max_length=64), AfterValidator(_zone)]
Place = Annotated[str, Field(max_length=16), AfterValidator(_place)]
