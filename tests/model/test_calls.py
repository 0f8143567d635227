"""A call is the fold of its events: any order, any number of copies, the same call."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.model.calls import (
    CallEvent,
    CallState,
    Happened,
    LegState,
    Mode,
    Party,
    Recording,
    fold,
    hears,
)

T0 = datetime(2026, 11, 26, 6, 0, tzinfo=UTC)
CUSTOMER, ANN, BEN, SUE = "c", "a", "b", "s"


def at(second: float, kind: Happened, leg: str = "", **data: Any) -> CallEvent:
    """Return an event so many seconds after the call began."""
    name = f"{second}:{kind}:{leg}"
    return CallEvent(name, T0 + timedelta(seconds=second), kind, leg, data)


def answered() -> list[CallEvent]:
    """Return a customer's call that Ann has answered after ten seconds."""
    return [
        at(0, Happened.BEGAN, direction="in"),
        at(0, Happened.RANG, CUSTOMER, party="customer"),
        at(0, Happened.CONNECTED, CUSTOMER),
        at(8, Happened.RANG, ANN, party="agent", agent="ann"),
        at(10, Happened.CONNECTED, ANN),
    ]


def test_a_call_that_is_answered_and_ends() -> None:
    waiting = fold(answered()[:3])
    assert (waiting.state, hears(waiting)) == (CallState.WAITING, [])
    talking = fold(answered())
    assert talking.state is CallState.TALKING
    assert talking.answered_at == T0 + timedelta(seconds=10)
    assert hears(talking) == [(ANN, CUSTOMER), (CUSTOMER, ANN)]
    over = fold([*answered(), at(70, Happened.LEFT, CUSTOMER)])
    assert (over.state, over.why, hears(over)) == (CallState.ENDED, "hung_up", [])
    assert {leg.state for leg in over.legs.values()} == {LegState.ENDED}


def test_who_leaves_the_line_unanswered_has_abandoned() -> None:
    over = fold([*answered()[:3], at(40, Happened.LEFT, CUSTOMER)])
    assert (over.state, over.why, over.answered_at) == (CallState.ENDED, "abandoned", None)


def test_on_hold_nobody_is_heard_and_the_time_counts() -> None:
    events = [*answered(), at(20, Happened.HELD, CUSTOMER), at(25, Happened.HELD, CUSTOMER, x=1)]
    assert hears(fold(events)) == []
    resumed = fold([*events, at(50, Happened.RESUMED, CUSTOMER)])
    assert resumed.legs[CUSTOMER].held_for == timedelta(seconds=30)
    assert len(hears(resumed)) == 2
    over = fold([*events, at(60, Happened.ENDED, why="hung_up")])
    assert over.legs[CUSTOMER].held_for == timedelta(seconds=40)


def test_a_whisper_is_heard_by_the_agent_alone() -> None:
    joined = [
        *answered(),
        at(20, Happened.RANG, SUE, party="supervisor", agent="sue", mode="listen"),
        at(21, Happened.CONNECTED, SUE),
    ]
    both = {(ANN, CUSTOMER), (CUSTOMER, ANN)}
    listens = both | {(ANN, SUE), (CUSTOMER, SUE)}
    assert set(hears(fold(joined))) == listens
    whispers = fold([*joined, at(30, Happened.MODE, SUE, mode="whisper")])
    assert set(hears(whispers)) == listens | {(SUE, ANN)}
    barges = fold([*joined, at(30, Happened.MODE, SUE, mode="barge")])
    assert set(hears(barges)) == listens | {(SUE, ANN), (SUE, CUSTOMER)}


def test_a_consulted_colleague_takes_over() -> None:
    consults = [
        *answered(),
        at(20, Happened.HELD, CUSTOMER),
        at(20, Happened.RANG, BEN, party="expert", agent="ben"),
        at(24, Happened.CONNECTED, BEN),
    ]
    assert set(hears(fold(consults))) == {(ANN, BEN), (BEN, ANN)}
    given_over = fold(
        [
            *consults,
            at(40, Happened.BECAME, BEN, party="agent"),
            at(40, Happened.LEFT, ANN, why="transferred"),
            at(40, Happened.RESUMED, CUSTOMER),
        ]
    )
    assert (given_over.state, given_over.legs[ANN].why) == (CallState.TALKING, "transferred")
    assert [leg.id for leg in given_over.of(Party.AGENT)] == [BEN]
    assert set(hears(given_over)) == {(BEN, CUSTOMER), (CUSTOMER, BEN)}


def test_without_an_agent_the_customer_waits_again() -> None:
    alone = fold([*answered(), at(30, Happened.LEFT, ANN, why="lost")])
    assert (alone.state, alone.legs[CUSTOMER].live) == (CallState.WAITING, True)
    assert alone.answered_at is not None


def test_what_comes_after_the_end_changes_nothing_but_answers() -> None:
    over = [*answered(), at(30, Happened.ENDED, why="hung_up")]
    more = [
        at(31, Happened.HELD, CUSTOMER),
        at(31, Happened.RANG, BEN, party="agent", agent="ben"),
        at(31, Happened.RECORDING, state="on"),
        at(32, Happened.ENDED, why="failed"),
    ]
    assert fold([*over, *more]) == fold(over)
    scored = fold([*over, at(40, Happened.ANSWERED, step="survey", name="score", value="9")])
    assert scored.answers[-1]["value"] == "9"


def test_an_event_of_a_stranger_is_nothing() -> None:
    assert fold([*answered(), at(20, Happened.HELD, "who")]) == fold(answered())


_LEGS = st.sampled_from([CUSTOMER, ANN, BEN, SUE, "who"])
_DATA: dict[Happened, st.SearchStrategy[dict[str, Any]]] = {
    Happened.RANG: st.builds(
        lambda party, mode: {"party": party, "mode": mode},
        st.sampled_from([p.value for p in Party]),
        st.sampled_from([None, *(m.value for m in Mode)]),
    ),
    Happened.BECAME: st.builds(lambda p: {"party": p}, st.sampled_from([p.value for p in Party])),
    Happened.VIDEO: st.builds(lambda on: {"on": on}, st.booleans()),
    Happened.SCREEN: st.builds(lambda on: {"on": on}, st.booleans()),
    Happened.MODE: st.builds(lambda m: {"mode": m}, st.sampled_from([m.value for m in Mode])),
    Happened.RECORDING: st.builds(
        lambda s: {"state": s}, st.sampled_from([s.value for s in Recording])
    ),
}


@st.composite
def anything(draw: st.DrawFn) -> list[CallEvent]:
    """Return events that may be nonsense; no two have the same id."""
    found = []
    for number in range(draw(st.integers(0, 14))):
        kind = draw(st.sampled_from(list(Happened)))
        data = draw(_DATA.get(kind, st.just({})))
        moment = T0 + timedelta(seconds=draw(st.integers(0, 5)))
        seq = draw(st.integers(0, 1))
        found.append(CallEvent(f"e{number}", moment, kind, draw(_LEGS), data, seq))
    return found


@settings(max_examples=300)
@given(anything(), st.randoms(use_true_random=False))
def test_any_order_and_any_copies_are_the_same_call(events: list[CallEvent], luck: Any) -> None:
    shuffled = [*events, *(one for one in events if luck.random() < 0.5)]
    luck.shuffle(shuffled)
    facts = fold(events)
    assert fold(shuffled) == facts
    here = {leg.id for leg in facts.legs.values() if leg.there and not leg.held}
    for one, other in hears(facts):
        assert {one, other} <= here
        assert not facts.legs[one].muted


@pytest.mark.parametrize("late", range(5))
def test_a_call_that_came_in_pieces_is_the_whole_call(late: int) -> None:
    events = answered()
    kept = events[:late] + events[late + 1 :]
    assert fold([*kept, events[late]]) == fold(events)


def brought_in(**more: Any) -> list[CallEvent]:
    """Return a call in which Ann has a number rung, and the customer is held for it."""
    return [
        *answered(),
        at(20, Happened.HELD, CUSTOMER, **{"for": "n"}),
        at(20.1, Happened.RANG, "n", party="number", address="+81311112222", **more),
    ]


@pytest.mark.parametrize("why", ["busy", "no_answer", "let_go"])
def test_who_is_held_for_somebody_goes_on_when_they_are_gone(why: str) -> None:
    held = fold(brought_in())
    assert (held.legs[CUSTOMER].held, held.legs[CUSTOMER].waits_for) == (True, "n")
    after = fold([*brought_in(), at(50, Happened.LEFT, "n", why=why)])
    assert not after.legs[CUSTOMER].held
    assert after.legs[CUSTOMER].held_for == timedelta(seconds=30)
    assert hears(after) == [(ANN, CUSTOMER), (CUSTOMER, ANN)]


def test_who_is_held_by_hand_stays_so_when_a_colleague_leaves() -> None:
    by_hand = [*answered(), at(15, Happened.HELD, CUSTOMER)]
    rung = at(20, Happened.RANG, BEN, party="expert", agent="ben")
    assert fold([*by_hand, rung, at(30, Happened.LEFT, BEN)]).legs[CUSTOMER].held


def test_a_call_that_is_handed_over_goes_on_without_the_center() -> None:
    there = [*brought_in(), at(30, Happened.CONNECTED, "n")]
    handed = fold([*there, at(40, Happened.RECORDING, state="on"), at(45, Happened.HANDED)])
    assert (handed.state, handed.handed) == (CallState.TALKING, True)
    assert hears(handed) == [(CUSTOMER, "n"), ("n", CUSTOMER)]
    assert (handed.legs[ANN].why, handed.recording) == ("handed_over", Recording.OFF)
    over = fold([*there, at(45, Happened.HANDED), at(90, Happened.LEFT, "n")])
    assert (over.state, over.why) == (CallState.ENDED, "hung_up")


def test_nothing_is_handed_to_who_is_not_there() -> None:
    assert not fold([*brought_in(), at(45, Happened.HANDED)]).handed


def test_who_is_rung_to_have_the_call_has_it_by_answering() -> None:
    cold = brought_in(hand_over=True)
    assert not fold(cold).handed
    handed = fold([*cold, at(30, Happened.CONNECTED, "n"), at(30, Happened.HELD, CUSTOMER)])
    assert (handed.handed, handed.legs[ANN].why) == (True, "handed_over")
    assert hears(handed) == [(CUSTOMER, "n"), ("n", CUSTOMER)]
    gone = [*cold, at(25, Happened.DROPPED, CUSTOMER), at(30, Happened.CONNECTED, "n")]
    assert not fold(gone).handed, "nobody is there to be handed over"
