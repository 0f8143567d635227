"""Customers who call while somebody serves them by text, and agents who help in calls."""

from __future__ import annotations

from typing import Any

from madoguchi.model.routing import (
    Activity,
    AgentLoadChanged,
    AwayReserved,
    Decision,
    Engaged,
    ItemAssigned,
    ItemEnqueued,
    ItemSpec,
    OfferAccepted,
    OfferDeclined,
    Offered,
    Presence,
    QueuePolicy,
    WorkEnded,
)
from router.engine.engine import Engine
from tests.router.stage import START, Stage, only

KEEPS = QueuePolicy("q", "Q", preferred_wait_s=60)


def call(stage: Stage, name: str, conversation: str, preferred: str | None = None) -> Any:
    at = START + round(stage.now * 1_000_000)
    spec = ItemSpec(name, conversation, "q", "voice", at, exclusive=True, preferred=preferred)
    return stage.do(ItemEnqueued(spec))


def chatting(**spec: Any) -> Stage:
    """`own` chats in conversation c-chat; `other` has room."""
    stage = Stage(KEEPS)
    stage.agent("own", units=4, **spec)
    assert stage.assigned("chat") == "own"
    stage.agent("other", units=4)
    return stage


def test_who_chats_with_a_customer_is_asked_when_they_call() -> None:
    stage = chatting()
    (made,) = only(Offered, call(stage, "i", "c-chat", "own"))
    assert (made.agent, made.explanation.facts[0]) == ("own", "last_owner")
    (taken,) = only(ItemAssigned, stage.do(OfferAccepted(made.offer, "own")))
    assert taken.agent == "own"


def test_a_call_of_somebody_else_is_not_theirs_beside_a_chat() -> None:
    stage = chatting()
    call(stage, "i", "c-else")
    assert stage.offered_to("i") == "other"


def test_who_declines_is_not_asked_again_at_once() -> None:
    stage = chatting()
    (made,) = only(Offered, call(stage, "i", "c-chat", "own"))
    stage.do(OfferDeclined(made.offer, "own", "busy"))
    assert stage.offered_to("i") == "other"


def test_with_other_work_it_is_kept_until_that_has_ended() -> None:
    stage = chatting()
    stage.item("more", preferred="own")
    stage.do(OfferAccepted("more-1", "own"))
    call(stage, "i", "c-chat", "own")
    assert stage.offered_to("i") is None
    stage.after(10)
    stage.do(WorkEnded("more"))
    assert stage.offered_to("i") == "own"


def test_not_whom_no_call_reaches() -> None:
    stage = chatting(per_channel={"voice": 0})
    call(stage, "i", "c-chat", "own")
    assert stage.offered_to("i") != "own"
    stage = chatting()
    stage.do(AwayReserved("own", "lunch"))
    call(stage, "i", "c-chat", "own")
    assert stage.offered_to("i") == "other"


def test_a_queue_that_accepts_by_itself_does_so_here() -> None:
    stage = Stage(QueuePolicy("q", "Q", auto_accept=True))
    stage.agent("own", units=4)
    stage.item("chat")
    (taken,) = only(ItemAssigned, call(stage, "i", "c-chat", "own"))
    assert taken.agent == "own"


def loads(decided: list[Decision]) -> list[tuple[int, Activity]]:
    return [(one.free, one.activity) for one in only(AgentLoadChanged, decided)]


def test_who_helps_in_a_call_is_offered_nothing() -> None:
    stage = Stage()
    stage.agent("a", units=3)
    assert loads(stage.do(Engaged("a", True))) == [(0, Activity.busy)]
    stage.item("i")
    assert stage.offered_to("i") is None
    (seen,) = stage.engine.explain("i").candidates
    assert seen.obstacle == "exclusive"
    assert stage.do(Engaged("a", True)) == []
    stage.after(30)
    stage.do(Engaged("a", False))
    assert stage.offered_to("i") == "a"
    found = stage.engine.agent("a")
    assert found is not None
    assert found.worked_until == START + 30_000_000, "it counts as work"


def test_helping_is_known_after_a_restart_and_keeps_from_leaving() -> None:
    stage = Stage()
    stage.agent("a", units=3)
    stage.do(Engaged("a", True))
    stage.do(AwayReserved("a", "lunch"))
    stage.engine = Engine.restore(stage.engine.state(), START)
    stage.item("i")
    assert stage.offered_to("i") is None
    stage.do(Engaged("a", False))
    found = stage.engine.agent("a")
    assert found is not None
    assert found.presence is Presence.away
