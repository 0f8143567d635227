"""Expected waits: the formula, what is learned, and that it is nearer than the plain ways."""

from __future__ import annotations

import pytest

from router.board.estimates import ENOUGH, Expectations
from router.engine.buckets import Ahead


def ahead(units: int = 2, **before: int) -> Ahead:
    return Ahead(1 + sum(before.values()), before, units, free=False)


def taught(**holds: float) -> Expectations:
    """Return what knows how long work of some queues holds its agents."""
    known = Expectations()
    for queue, seconds in holds.items():
        for _ in range(10):
            known.holds(queue, seconds)
    return known


def test_work_before_and_the_next_free_unit_are_shared_by_all_units() -> None:
    known = taught(a=100, b=300)
    assert known.expected_s("a", ahead(4)) == pytest.approx(25)
    assert known.expected_s("a", ahead(4, a=2, b=1)) == pytest.approx((200 + 300 + 100) / 4)


def test_a_queue_without_a_past_is_like_all_others() -> None:
    known = taught(a=100)
    assert known.expected_s("new", ahead(1, new=1)) == pytest.approx(200)


@pytest.mark.parametrize("line", [None, ahead(0)])
def test_nobody_who_could_come_makes_it_unknown(line: Ahead | None) -> None:
    assert taught(a=100).expected_s("a", line) is None


def test_without_a_past_nothing_is_told() -> None:
    known = Expectations()
    known.holds("a", 100)
    assert known.expected_s("a", ahead()) is None


def test_what_came_true_corrects_the_queue_and_no_other() -> None:
    known = taught(a=100, b=100)
    for n in range(round(ENOUGH) + 2):
        known.waits(f"i{n}", "a", ahead(1, a=1), at=0)
        known.taken(f"i{n}", "a", at=50)
    assert known.expected_s("a", ahead(1, a=1)) == pytest.approx(50)
    assert known.expected_s("b", ahead(1, b=1)) == pytest.approx(200)


def test_work_counts_from_the_first_who_takes_it_to_its_end() -> None:
    known = Expectations()
    for n in range(10):
        known.waits(f"i{n}", "a", None, at=0)
        known.taken(f"i{n}", "a", at=10)
        known.taken(f"i{n}", "b", at=30)
        known.ended(f"i{n}", at=70)
    assert known.expected_s("b", ahead(1)) == pytest.approx(60)


def test_who_is_taken_at_once_tells_how_long_the_work_holds() -> None:
    """As where nobody is asked: the contact comes and is taken in one cycle."""
    known = Expectations()
    for n in range(10):
        known.taken(str(n), "a", n * 100.0)
        known.waits(str(n), "a", None, n * 100.0)
        known.ended(str(n), n * 100.0 + 80)
    assert known.expected_s("a", ahead(1)) == pytest.approx(80)


def test_who_gave_up_teaches_nothing() -> None:
    known = taught(a=100)
    for n in range(20):
        known.waits(f"i{n}", "a", ahead(1), at=0)
        known.ended(f"i{n}", at=1)
    assert known.expected_s("a", ahead(1)) == pytest.approx(100)
