"""Kaplan and Meier's estimate, and draws from it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.trials.fit import LEAST, Curve, curve, fitted

TIMES = st.lists(st.tuples(st.integers(1, 50).map(float), st.booleans()), min_size=1, max_size=60)


def plainly(seen: Sequence[tuple[float, bool]], time: float) -> float:
    """Return the estimate as a textbook says it: the product over the ends up to a time."""
    left = 1.0
    for at in sorted({t for t, ended in seen if ended and t <= time}):
        risk = sum(1 for t, _ in seen if t >= at)
        left *= 1 - sum(1 for t, ended in seen if ended and t == at) / risk
    return left


def test_the_textbook_example() -> None:
    """Remission of 21 leukaemia patients under 6-MP (Freireich and others, 1963; the standard
    example of the estimator): survival 0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448.
    """
    ended = [6, 6, 6, 7, 10, 13, 16, 22, 23]
    lost = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
    found = curve([(float(t), True) for t in ended] + [(float(t), False) for t in lost])
    expected = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    for time, share in expected.items():
        assert found.survival(time) == pytest.approx(share, abs=0.0006)
    assert found.survival(35) == pytest.approx(0.448, abs=0.0006)
    assert found.hazard == pytest.approx(9 / sum(ended + lost))


def test_without_unseen_ends_it_is_the_distribution_itself() -> None:
    found = curve([(float(n), True) for n in (30, 10, 20, 20)])
    assert [found.draw(n) for n in (0.0, 0.3, 0.5, 0.74, 0.76, 0.999)] == [10, 20, 20, 20, 30, 30]


@given(TIMES, st.floats(0, 60))
def test_it_is_the_product_that_the_books_say(seen: list[tuple[float, bool]], time: float) -> None:
    found = curve(seen)
    if time <= found.last:
        assert found.survival(time) == pytest.approx(plainly(seen, time), abs=1e-9)


@given(TIMES, st.floats(0, 40))
def test_draws_give_the_distribution_back(seen: list[tuple[float, bool]], beyond: float) -> None:
    """Also of those who have lasted for a while: S(t) ÷ S(beyond)."""
    found, many = curve(seen), 2000
    if found.survival(beyond) <= 1e-9:
        return
    drawn = [found.draw((n + 0.5) / many, beyond) for n in range(many)]
    assert drawn == sorted(drawn)
    assert all(time >= beyond for time in drawn)
    for time in {beyond + 1, *(t for t, _ in seen), 200.0}:
        if time <= beyond:
            continue
        longer = sum(1 for one in drawn if one > time * (1 + 1e-9)) / many
        assert longer == pytest.approx(found.survival(time) / found.survival(beyond), abs=0.002)


def test_who_was_never_seen_to_leave_stays_for_ever() -> None:
    assert math.isinf(curve([(5.0, False), (9.0, False)]).draw(0.999))
    assert math.isinf(curve([]).draw(0.0))


def test_behind_the_longest_wait_people_leave_at_the_mean_rate() -> None:
    found = curve([(10.0, True), (30.0, False)])
    assert found.hazard == 1 / 40
    assert found.survival(70) == pytest.approx(0.5 * math.exp(-1))
    assert found.draw(1 - 0.5 * math.exp(-1)) == pytest.approx(70)
    assert found.draw(0.5, beyond=100) == pytest.approx(100 + 40 * math.log(2))


def test_a_queue_with_too_little_borrows_from_all() -> None:
    things = [("few", 5.0, True)] * (LEAST - 1) + [("many", 50.0, True)] * LEAST
    found = fitted(things, lambda one: one[0], lambda one: (one[1], one[2]))
    assert found.of("many").draw(0.0) == 50
    assert [found.of(queue).draw(0.0) for queue in ("few", "new")] == [5, 5]
    assert isinstance(found.of("few"), Curve)
    assert found.of("few").draw(0.99) == 50
