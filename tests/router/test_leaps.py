"""A state on a clock that was set goes on exactly as it would have gone on."""

from __future__ import annotations

from datetime import timedelta

import pytest

from madoguchi.model.routing import (
    MICROS,
    AgentReplied,
    CallbackAsked,
    CallbackMissed,
    ConnectionChanged,
    OfferDeclined,
    QueuePolicy,
    TimePassed,
    WrapUpStarted,
)
from router.engine.engine import Engine
from router.leaps import moved
from tests.router.stage import START, Stage

QUEUE = QueuePolicy("q", "Queue", wrap_up_s=120, callback_after_s=60)
HOUR = 3600


def busy() -> Stage:
    """A stage on which every kind of timer runs."""
    stage = Stage(QUEUE)
    for name in ("ann", "ben", "cat"):
        stage.agent(name, units=1)
    caller = stage.assigned("called")
    stage.do(CallbackAsked("called"))
    stage.do(CallbackMissed("called", caller))
    stage.assigned("replied")
    stage.do(AgentReplied("replied"))
    stage.after(5)
    agent = stage.assigned("wrapped")
    stage.do(WrapUpStarted("wrapped", agent))
    stage.item("offered")
    (pending,) = stage.engine.state().offers
    stage.do(OfferDeclined(pending.id, pending.agent, "busy"))
    stage.after(1)
    stage.item("waiting")
    gone = stage.engine.agent("ann")
    assert gone is not None
    stage.do(ConnectionChanged("ann", connected=False))
    return stage


@pytest.mark.parametrize("hours", [1, -1, 24 * 365])
def test_every_timer_keeps_its_rest_and_decides_the_same(hours: int) -> None:
    stage = busy()
    leap = timedelta(hours=hours)
    by = hours * HOUR * MICROS
    now = START + round(stage.now * MICROS)
    other = Engine.restore(moved(stage.engine.state(), leap), now + by)
    for _ in range(40):
        due = stage.engine.next_due()
        assert other.next_due() == (None if due is None else due + by)
        if due is None:
            break
        told = stage.engine.apply(TimePassed(), due)
        assert [type(one) for one in other.apply(TimePassed(), due + by)] == [type(d) for d in told]
        assert other.state() == moved(stage.engine.state(), leap)
    else:
        pytest.fail("the timers never rest")


def test_back_again_is_the_same_state() -> None:
    state = busy().engine.state()
    there = moved(state, timedelta(hours=1))
    assert there != state
    assert moved(there, timedelta(hours=-1)) == state
