"""Work that is born for an agent: the calls that they make."""

from __future__ import annotations

from dataclasses import replace

import pytest

from madoguchi.model.routing import (
    CallEnded,
    Decision,
    ItemAssigned,
    ItemEnqueued,
    ItemResumed,
    ItemState,
    Offered,
    QueuePolicy,
    Redialled,
    Refused,
    WorkEnded,
)
from tests.router.stage import Stage, only

QUEUE = QueuePolicy("q", "Queue")


def made(stage: Stage, agent: str = "a") -> list[Decision]:
    """Let an agent make a call; return what was decided."""
    stage.item("other")
    (other,) = [one.spec for one in stage.engine.state().items if one.spec.id == "other"]
    spec = replace(other, id="i", conversation="ci", exclusive=True)
    return list(stage.do(ItemEnqueued(spec, agent)))


def test_it_is_theirs_at_once_and_takes_their_voice() -> None:
    stage = Stage(QUEUE)
    stage.agent("a", units=3)
    stage.agent("b", units=3)
    decided = made(stage)
    assert [(one.item, one.agent) for one in only(ItemAssigned, decided)] == [("i", "a")]
    assert [one.item for one in only(Offered, decided)] == []
    found = stage.engine.item("i")
    assert found is not None
    assert (found.state, found.owner) == (ItemState.assigned, "a")


def test_an_agent_who_is_gone_leaves_it_to_the_queue() -> None:
    stage = Stage(QUEUE)
    made(stage, "nobody")
    assert "i" in stage.engine.waiting("q")


def test_redial_brings_wrap_up_back() -> None:
    stage = Stage(QUEUE)
    stage.agent("a")
    made(stage)
    with pytest.raises(Refused, match="not_in_wrap_up"):
        stage.do(Redialled("i", "a"))
    stage.do(CallEnded("i"))
    with pytest.raises(Refused, match="not_yours"):
        stage.do(Redialled("i", "b"))
    assert only(ItemResumed, stage.do(Redialled("i", "a"))) == [ItemResumed("i", "a")]
    stage.do(CallEnded("i"))
    stage.do(WorkEnded("i", wrapped_up=True))
    assert stage.engine.item("i") is None
