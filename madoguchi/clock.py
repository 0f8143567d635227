"""The only place that asks what time it is, and the only source of new identifiers."""

import secrets
import time
from datetime import UTC, datetime, timedelta

from madoguchi.model.ids import Id, uuid7

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


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
        """Return seconds on a clock that never jumps; only differences have a meaning."""
        return time.monotonic()

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


class ManualClock(Clock):
    """A clock that moves only when told to; for tests and simulations."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 5, 0, tzinfo=UTC)) -> None:
        super().__init__()
        self._now = start
        self._start = start

    def now(self) -> datetime:
        """Return the moment that the driver has set."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds moved so far."""
        return (self._now - self._start).total_seconds()

    def advance(self, seconds: float) -> datetime:
        """Move forward by seconds and return the new moment."""
        self._now += timedelta(seconds=seconds)
        return self._now
