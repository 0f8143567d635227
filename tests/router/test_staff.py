"""Agents by state and occupancy: sums kept as things change equal the definition."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from madoguchi.model.routing import Activity
from router.board.staff import EVERYBODY, Sign, Staff

IDLE, BUSY, WRAP_UP = Activity.idle, Activity.busy, Activity.wrap_up
ACTIVITIES = st.sampled_from([None, IDLE, BUSY, WRAP_UP])
QUEUES = st.frozensets(st.sampled_from(["a", "b"]))
STEPS = st.lists(
    st.tuples(st.sampled_from(["ann", "ben"]), QUEUES, ACTIVITIES, st.integers(0, 50)), max_size=30
)


def test_occupancy_is_work_over_work_and_waiting_for_it() -> None:
    staff = Staff()
    staff.stands("ann", frozenset({"a"}), Sign.available, IDLE, 0)
    staff.stands("ann", frozenset({"a"}), Sign.busy, BUSY, 100)
    staff.stands("ann", frozenset({"a"}), Sign.away, None, 400)
    assert staff.occupancy_of("ann", 9_999) == 0.75, "being away counts nowhere"
    assert staff.occupancy("a", 9_999) == staff.occupancy(EVERYBODY, 9_999) == 0.75
    assert staff.occupancy("b", 9_999) is None, "nobody serves it"
    assert staff.by_sign("a")[Sign.away] == 1
    staff.new_day(10_000)
    assert staff.occupancy("a", 20_000) is None


def test_a_clock_that_is_set_changes_no_span() -> None:
    staff = Staff()
    staff.stands("ann", frozenset({"a"}), Sign.available, IDLE, 0)
    staff.stands("ann", frozenset({"a"}), Sign.busy, BUSY, 100)
    staff.move(5_000)
    assert staff.occupancy("a", 5_200) == 0.5


@given(STEPS)
def test_sums_equal_the_spans(
    steps: list[tuple[str, frozenset[str], Activity | None, int]],
) -> None:
    staff, at = Staff(), 0
    spent: dict[str, dict[bool, int]] = {}
    now: dict[str, tuple[frozenset[str], Activity | None]] = {}
    for agent, queues, activity, passes in steps:
        for name, (_, known) in now.items():
            if known is not None:
                of = spent.setdefault(name, {True: 0, False: 0})
                of[known is not IDLE] += passes
        at += passes
        sign = Sign.busy if activity in {BUSY, WRAP_UP} else Sign.away
        staff.stands(agent, queues, sign, activity, at)
        now[agent] = (queues, activity)
    for queue in ("a", "b"):
        crew = [name for name, (queues, _) in now.items() if queue in queues]
        work = sum(spent.get(name, {True: 0})[True] for name in crew)
        whole = sum(sum(spent.get(name, {}).values()) for name in crew)
        assert staff.occupancy(queue, at) == (round(work / whole, 2) if whole else None)
        assert sum(staff.by_sign(queue).values()) == len(crew)
