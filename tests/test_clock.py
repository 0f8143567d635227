"""The clocks: what counts while a machine sleeps, and how a wall clock that is set is noticed."""

from __future__ import annotations

import time
from datetime import timedelta

from madoguchi.clock import Clock, ManualClock, Watch


class Halting(ManualClock):
    """A clock between whose two readings the process stands still, so often."""

    def __init__(self, halts: int) -> None:
        super().__init__()
        self.halts = halts

    def monotonic(self) -> float:
        if self.halts:
            self.halts -= 1
            self.advance(60)
        return super().monotonic()


def test_durations_count_the_sleep_of_the_machine() -> None:
    sleepless = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    before = time.clock_gettime(sleepless)
    at = Clock().monotonic()
    assert before <= at <= time.clock_gettime(sleepless)


def test_time_that_passes_is_no_leap() -> None:
    clock = ManualClock()
    watch = Watch(clock)
    for seconds in (0.2, 20, 3600):
        clock.advance(seconds)
        assert watch.look() == (clock.now(), timedelta(0))


def test_a_wall_clock_that_is_set_is_told_once_with_the_time_that_passed_taken_off() -> None:
    clock = ManualClock()
    watch = Watch(clock)
    clock.advance(5)
    clock.set_ahead(3600)
    assert watch.look() == (clock.now(), timedelta(hours=1))
    assert watch.look() == (clock.now(), timedelta(0))
    clock.set_ahead(-3600)
    clock.advance(1)
    assert watch.look() == (clock.now(), timedelta(hours=-1))


def test_clocks_that_part_by_little_are_followed_in_silence() -> None:
    clock = ManualClock()
    watch = Watch(clock)
    for _ in range(100):
        clock.advance(1)
        clock.set_ahead(-0.1)
        assert watch.look() == (clock.now(), timedelta(0))


def test_standing_still_between_the_two_readings_is_no_leap() -> None:
    clock = Halting(5)
    watch = Watch(clock)
    clock.halts = 4
    assert watch.look() == (clock.now(), timedelta(0))


def test_an_age_does_not_count_what_the_clock_was_set_ahead() -> None:
    clock = ManualClock()
    watch = Watch(clock)
    first = clock.now()
    clock.advance(10)
    clock.set_ahead(5 * 3600)
    assert watch.passed(first) == timedelta(seconds=10)
    assert watch.look() == (clock.now(), timedelta(hours=5)), "seen, but not told before"
    second = clock.now()
    clock.set_ahead(3600)
    clock.advance(20)
    assert watch.look() == (clock.now(), timedelta(hours=1))
    assert (watch.passed(first), watch.passed(second)) == (
        timedelta(seconds=30),
        timedelta(seconds=20),
    )
