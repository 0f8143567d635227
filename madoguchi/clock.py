"""The only place that asks what time it is, and the only source of new identifiers."""

import secrets
import time
from collections import deque
from datetime import UTC, datetime, timedelta

from madoguchi.model.ids import Id, uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
APART = timedelta(seconds=1)
"""Wall and monotonic time that part by less were read a little apart, or slewed."""
LEAPS_KEPT = 16
_MICROSECOND = timedelta(microseconds=1)
_SLEEPLESS: int | None = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))


def to_micros(moment: datetime) -> int:
    """Return microseconds since the Unix epoch of an aware datetime, exactly."""
    return (moment - EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return the aware UTC datetime of microseconds since the Unix epoch."""
    return EPOCH + timedelta(microseconds=micros)


class Clock:
    """Wall time in aware UTC, monotonic time for durations, and time-ordered identifiers."""

    def __init__(self) -> None:
        self._millis = 0
        self._counter = 0

    def now(self) -> datetime:
        """Return the present moment, aware, UTC, with microseconds."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds on a clock that nobody sets; only differences have a meaning.

        It counts the time for which the machine slept: time.monotonic() does not on Linux and
        macOS, and what was due meanwhile would seem young after an hour in a bag.
        """
        return time.clock_gettime(_SLEEPLESS) if _SLEEPLESS is not None else time.monotonic()

    def new_id(self) -> Id:
        """Return a new UUIDv7; ids of one process are strictly increasing."""
        millis = to_micros(self.now()) // 1000
        if millis <= self._millis:
            millis = self._millis
            self._counter += 1
            if self._counter > 0xFFF:
                millis += 1
                self._counter = 0
        else:
            self._counter = 0
        self._millis = millis
        return uuid7(millis, self._counter, secrets.randbits(62))


class Watch:
    """Tells when the wall clock was set (by NTP, a resumed machine, a hand) and by how much."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._wall, self._at = self._read()
        self._set = timedelta(0)
        self._ahead: deque[tuple[datetime, timedelta]] = deque(maxlen=LEAPS_KEPT)

    def look(self) -> tuple[datetime, timedelta]:
        """Return the wall time, and by how much it was set since the last look; mostly by none."""
        self._see()
        leap, self._set = self._set, timedelta(0)
        return self._wall, leap

    def passed(self, then: datetime) -> timedelta:
        """Return how long ago a stored instant was, without the time by which the clock was seen
        to be set ahead since. What was set back is not known of: ``then`` may be of either side.
        """
        self._see()
        for before, leap in self._ahead:
            if then <= before:
                then += leap
        return self._wall - then

    def _see(self) -> None:
        before, since = self._wall, self._at
        self._wall, self._at = self._read()
        passed = timedelta(seconds=self._at - since)
        leap = self._wall - before - passed
        if abs(leap) <= APART:
            return
        self._set += leap
        if leap > timedelta(0):
            self._ahead.append((before + passed, leap))

    def _read(self) -> tuple[datetime, float]:
        """Read both clocks. Whoever is stopped between the two reads sees a leap that was none."""
        while True:
            at = self._clock.monotonic()
            wall = self._clock.now()
            if self._clock.monotonic() - at < APART.total_seconds() / 10:
                return wall, at


class ManualClock(Clock):
    """A clock that moves only when told to; for tests and simulations."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)) -> None:
        super().__init__()
        self._now = start
        self._moved = 0.0

    def now(self) -> datetime:
        """Return the moment that the driver has set."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that have passed so far."""
        return self._moved

    def advance(self, seconds: float) -> datetime:
        """Let seconds pass and return the new moment."""
        self._moved += seconds
        return self.set_ahead(seconds)

    def set_ahead(self, seconds: float) -> datetime:
        """Set the wall clock ahead, or back by less than nothing, while no time passes."""
        self._now += timedelta(seconds=seconds)
        return self._now
