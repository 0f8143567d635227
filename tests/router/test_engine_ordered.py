"""The sorted collection behaves like a sorted list."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.engine import ordered
from router.engine.ordered import Ordered

steps = st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=200)


@given(steps)
def test_it_is_a_sorted_list(steps: list[tuple[bool, int]]) -> None:
    kept: Ordered[tuple[int]] = Ordered()
    model: set[int] = set()
    for add, number in steps:
        if add and number not in model:
            kept.add((number,))
            model.add(number)
        elif not add and number in model:
            kept.remove((number,))
            model.remove(number)
        elif not add:
            with pytest.raises(KeyError):
                kept.remove((number,))
    assert [key for (key,) in kept] == sorted(model)
    assert len(kept) == len(model)
    assert kept.count_while(lambda key: key < (20,)) == sum(key < 20 for key in model)
    if model:
        assert (kept.first(), kept.last()) == ((min(model),), (max(model),))


def test_blocks_split_and_vanish() -> None:
    size = 4 * ordered.BLOCK
    kept: Ordered[tuple[int]] = Ordered()
    for number in range(size):
        kept.add((number * 7919 % size,))
    assert [key for (key,) in kept] == list(range(size))
    assert kept.count_while(lambda key: key < (1500,)) == 1500
    for number in range(size):
        assert kept.first() == (number,)
        kept.remove((number,))
    assert len(kept) == 0
    with pytest.raises(IndexError):
        kept.first()
