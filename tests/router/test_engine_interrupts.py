"""What comes to an agent although there is work: the interrupt matrix."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    AgentSpec,
    ItemAssigned,
    OfferAccepted,
    Offered,
    Presence,
    PresenceSet,
    WorkEnded,
)
from router.engine.policy import TEXTS_ONLY
from tests.router.stage import Stage, only

CALLS = {"voice": ("email", "chat")}


def busy(stage: Stage, channel: str, number: int) -> None:
    """Let the agents accept so many items of a channel."""
    for n in range(number):
        stage.assigned(f"{channel}-{n}", channel=channel)


def test_a_call_comes_to_who_is_busy_with_what_it_interrupts() -> None:
    stage = Stage()
    stage.agent("a", units=2, interrupts=CALLS)
    busy(stage, "email", 2)
    stage.item("chat")
    assert stage.offered_to("chat") is None, "only calls interrupt"
    (offered,) = only(Offered, stage.item("call", channel="voice", exclusive=True))
    (taken,) = only(ItemAssigned, stage.do(OfferAccepted(offered.offer, "a")))
    assert not taken.over_capacity, "what rests does not count"
    stage.item("call-2", channel="voice", exclusive=True)
    assert stage.offered_to("call-2") is None, "nothing interrupts a call"
    stage.do(WorkEnded("call"))
    assert stage.offered_to("call-2") == "a"


@pytest.mark.parametrize("interrupts", [{}, CALLS])
def test_who_takes_texts_only_is_offered_no_call(interrupts: dict[str, tuple[str, ...]]) -> None:
    stage = Stage()
    stage.agent("a", units=2, interrupts=interrupts)
    stage.do(PresenceSet("a", Presence.available, TEXTS_ONLY, "a"))
    stage.item("call", channel="voice", exclusive=True)
    stage.item("video", channel="video", exclusive=True)
    assert stage.offered_to("call") is None
    assert stage.offered_to("video") is None
    stage.item("chat")
    assert stage.offered_to("chat") == "a"
    stage.do(OfferAccepted("chat-1", "a"))
    stage.do(WorkEnded("chat"))
    stage.do(PresenceSet("a", Presence.available, "", "a"))
    assert stage.offered_to("call") == "a", "the microphone is back"


def test_without_the_matrix_a_call_waits() -> None:
    stage = Stage()
    stage.agent("a", units=2)
    busy(stage, "email", 1)
    stage.item("call", channel="voice", exclusive=True)
    assert stage.offered_to("call") is None
    stage.do(WorkEnded("email-0"))
    assert stage.offered_to("call") == "a"


def test_other_work_still_keeps_it_away() -> None:
    stage = Stage()
    stage.agent("a", units=2, interrupts={"voice": ("email",)})
    busy(stage, "email", 1)
    busy(stage, "chat", 1)
    stage.item("call", channel="voice", exclusive=True)
    assert stage.offered_to("call") is None, "there is a chat, which it does not interrupt"
    stage.do(WorkEnded("chat-0"))
    assert stage.offered_to("call") == "a"


def test_chats_count_among_themselves_and_leave_room_when_the_rest_is_done() -> None:
    stage = Stage()
    stage.agent("a", units=2, interrupts={"chat": ("email",)})
    busy(stage, "email", 2)
    busy(stage, "chat", 2)
    stage.item("late")
    assert stage.offered_to("late") is None, "two chats are all that fits"
    stage.item("mail", channel="email")
    stage.do(WorkEnded("email-0"))
    assert stage.offered_to("mail") is None, "the chats and a mail are there"
    stage.do(WorkEnded("chat-0"))
    assert stage.offered_to("late") == "a"


def test_a_channel_cannot_interrupt_itself() -> None:
    with pytest.raises(ValueError, match="itself"):
        AgentSpec("a", 1, interrupts={"chat": ("chat",)})
