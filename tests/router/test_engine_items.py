"""The life of an assigned item: texts, pauses, wrap-up, transfers, pulls and requeues."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import (
    MICROS,
    AgentReplied,
    Assigned,
    Command,
    CustomerWrote,
    ItemAssigned,
    ItemCancelled,
    ItemClosed,
    ItemEnqueued,
    ItemResumed,
    ItemSpec,
    ItemState,
    ItemWaiting,
    ItemWrapUp,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    OfferState,
    Presence,
    PresenceChanged,
    PresenceSet,
    QueuePolicy,
    Requeued,
    TransferCancelled,
    TransferPhase,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
    WrapUpStarted,
)
from tests.router.stage import START, Stage, only

SALES = QueuePolicy("sales", "Sales")
HELP = QueuePolicy("help", "Help")
BOTH = {"sales": 1, "help": 1}


# ---------------------------------------------------------------- replies and texts


@pytest.mark.parametrize("channel", ["sms", "email"])
def test_a_reply_releases_at_once(channel: str) -> None:
    stage = Stage()
    stage.agent("a", units=1)
    stage.assigned("i1", channel=channel)
    stage.item("i2")
    stage.do(AgentReplied("i1"))
    assert stage.engine.load("a").used == 0
    assert stage.offered_to("i2") == "a"
    assert stage.owner("i1") == "a"


def test_a_chat_is_released_after_ten_minutes_of_silence() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AgentReplied("i1"))
    stage.now = 599
    stage.do(AgentReplied("i1"))
    stage.after(599)
    assert stage.engine.load("a").used == 1
    stage.after(1)
    assert stage.engine.load("a").used == 0


def test_an_item_may_bring_its_own_release() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1", channel="sms", release_after_s=5)
    stage.do(AgentReplied("i1"))
    stage.after(4)
    assert stage.engine.load("a").used == 1
    stage.after(1)
    assert stage.engine.load("a").used == 0


def test_a_text_goes_to_the_owner_even_over_capacity() -> None:
    stage = Stage()
    stage.agent("a", units=1)
    stage.agent("b", units=1, order=9)
    stage.assigned("i1", channel="sms")
    stage.do(AgentReplied("i1"))
    assert stage.assigned("i2") == "a"
    assert only(Offered, stage.do(CustomerWrote("i1"))) == []
    load = stage.engine.load("a")
    assert (load.used, load.free) == (2, 0)
    stage.do(WorkEnded("i2"))
    stage.item("i3")
    assert stage.offered_to("i3") == "b"


def test_a_text_within_the_silence_keeps_the_units() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(AgentReplied("i1"))
    stage.do(CustomerWrote("i1"))
    stage.after(600)
    assert stage.engine.load("a").used == 1


def test_a_text_in_wrap_up_returns_the_item() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    assert only(ItemWrapUp, stage.do(WrapUpStarted("i1", "a"))) == [ItemWrapUp("i1", "a")]
    assert only(ItemResumed, stage.do(CustomerWrote("i1"))) == [ItemResumed("i1", "a")]
    item = stage.engine.item("i1")
    assert item is not None
    assert item.state is ItemState.assigned


def test_a_text_on_a_waiting_item_changes_nothing() -> None:
    stage = Stage()
    stage.item("i1")
    before = stage.engine.item("i1")
    assert stage.do(CustomerWrote("i1")) == []
    assert stage.engine.item("i1") == before


def test_what_a_text_has_brought_back_is_not_wrapped_up() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.do(WrapUpStarted("i1", "a"))
    stage.do(CustomerWrote("i1"))
    refused = stage.refuse(WorkEnded("i1", wrapped_up=True))
    assert (refused.code, refused.agent) == ("customer_wrote", "a")
    stage.do(WrapUpStarted("i1", "a"))
    stage.do(WorkEnded("i1", wrapped_up=True))
    assert stage.engine.item("i1") is None


def test_wrap_up_keeps_the_units_until_the_work_ends() -> None:
    stage = Stage()
    stage.agent("a", units=1)
    stage.assigned("i1")
    stage.item("i2")
    stage.do(WrapUpStarted("i1", "a"))
    stage.do(AgentReplied("i1"))
    assert stage.offered_to("i2") is None
    made = stage.do(WorkEnded("i1"))
    assert only(ItemClosed, made) == [ItemClosed("i1", ItemState.done)]
    assert stage.offered_to("i2") == "a"


def test_a_queue_without_wrap_up_ends_at_once() -> None:
    stage = Stage(QueuePolicy("q", "", wrap_up=False))
    stage.agent("a")
    stage.assigned("i1")
    made = stage.do(WrapUpStarted("i1", "a"))
    assert only(ItemClosed, made) == [ItemClosed("i1", ItemState.done)]


# ---------------------------------------------------------------- cancelling and requeueing


@pytest.mark.parametrize("why", [ItemState.cancelled, ItemState.abandoned])
def test_cancelling_ends_every_stage(why: ItemState) -> None:
    stage = Stage()
    stage.item("waiting")
    stage.agent("a", {"x": 1})
    assert only(ItemClosed, stage.do(ItemCancelled("waiting", why))) == [ItemClosed("waiting", why)]
    stage.agent("b")
    stage.assigned("assigned")
    stage.item("offered")
    made = stage.do(ItemCancelled("offered", why))
    assert only(OfferClosed, made)[0].state is OfferState.withdrawn
    stage.do(ItemCancelled("assigned", why))
    load = stage.engine.load("b")
    assert (load.used, load.reserved) == (0, 0)
    assert stage.refuse(ItemCancelled("assigned", why)).code == "finished"


def test_a_requeued_item_keeps_its_place_and_goes_to_others_first() -> None:
    stage = Stage()
    stage.agent("a", units=1)
    stage.agent("b", units=1, order=9)
    stage.assigned("old")
    stage.now = 5
    stage.assigned("busy")
    stage.now = 10
    stage.item("young")
    made = stage.do(Requeued("old", "signed_out"))
    assert only(ItemWaiting, made) == [ItemWaiting("old", "q", "signed_out")]
    assert stage.offered_to("young") == "a", "the giver is kept from it while b is there"
    stage.do(WorkEnded("busy"))
    assert stage.offered_to("old") == "b"


def test_the_only_agent_may_get_a_requeued_item_back() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    made = stage.do(Requeued("i1", "mistake"))
    assert only(Offered, made)[0].agent == "a"
    assert stage.refuse(Requeued("i1", "again")).code == "not_assigned"


# ---------------------------------------------------------------- transfers to a queue


def test_a_transfer_to_a_queue_keeps_the_enqueue_time_and_not_the_sender() -> None:
    stage = Stage(SALES, HELP)
    stage.agent("a", BOTH)
    stage.agent("b", BOTH, units=1)
    stage.item("busy", "help", preferred="b")
    stage.do(OfferAccepted("busy-1", "b"))
    stage.assigned("i1", queue="sales")
    stage.now = 30
    made = stage.do(TransferredToQueue("i1", "help", "a", "wrong queue"))
    assert only(ItemWaiting, made) == [ItemWaiting("i1", "help", "transfer")]
    assert stage.offered_to("i1") is None, "not straight back"
    item = stage.engine.item("i1")
    assert item is not None
    assert item.spec.enqueued_at == START
    stage.after(300)
    assert stage.offered_to("i1") == "a", "but b never had room"


def test_a_sender_who_is_alone_gets_it_back() -> None:
    stage = Stage(SALES, HELP)
    stage.agent("a", BOTH)
    stage.assigned("i1", queue="sales")
    stage.do(TransferredToQueue("i1", "help", "a"))
    assert stage.offered_to("i1") == "a"


def test_a_supervisor_moves_what_waits_or_is_on_offer() -> None:
    stage = Stage(SALES, QueuePolicy("help", "", priority=3))
    stage.item("i1", "sales")
    stage.do(TransferredToQueue("i1", "help", "sv"))
    assert stage.engine.waiting("help") == ["i1"]
    stage.agent("a", {"help": 1})
    assert stage.offered_to("i1") == "a"
    made = stage.do(TransferredToQueue("i1", "sales", "sv"))
    assert only(OfferClosed, made)[0].why == "transfer"
    assert stage.engine.waiting("sales") == ["i1"]


def test_transfers_that_cannot_be() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.assigned("wrap")
    stage.do(WrapUpStarted("wrap", "a"))
    refused: list[tuple[Command, str]] = [
        (TransferredToQueue("i1", "q"), "same_queue"),
        (TransferredToQueue("i1", "x"), "unknown_queue"),
        (TransferredToQueue("x", "q"), "unknown_item"),
        (TransferredToQueue("wrap", "q"), "finished"),
        (TransferredToAgent("wrap", "a"), "finished"),
        (TransferredToAgent("i1", "x"), "unknown_agent"),
        (TransferredToAgent("i1", "a"), "already_yours"),
        (TransferCancelled("i1"), "no_transfer"),
        (Requeued("wrap", ""), "finished"),
        (WrapUpStarted("i1", "b"), "not_yours"),
        (WrapUpStarted("wrap", "a"), "finished"),
    ]
    for command, code in refused:
        assert stage.refuse(command).code == code, command


# ---------------------------------------------------------------- transfers to an agent


def transferring() -> Stage:
    """`a` has i1 and offers it to `b`, who serves nothing; `c` serves the queue, too."""
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("b", {"x": 1})
    stage.now = 30
    stage.do(TransferredToAgent("i1", "b", "a", "knows it"))
    return stage


def test_the_sender_keeps_the_item_until_it_is_accepted() -> None:
    stage = transferring()
    (offer,) = stage.engine.state().offers
    assert (offer.agent, offer.transfer) == ("b", True)
    assert offer.deadline == START + 90 * MICROS
    assert stage.owner("i1") == "a"
    assert stage.engine.load("a").used == 1
    assert stage.engine.load("b").reserved == 1
    stage.do(CustomerWrote("i1"))
    made = stage.do(OfferAccepted("i1-2", "b"))
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "b", "a", "i1-2", False)]
    assert stage.engine.load("a").used == 0


def test_a_transfer_explains_itself() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("b")
    (offered,) = only(Offered, stage.do(TransferredToAgent("i1", "b")))
    assert offered.transfer
    assert offered.explanation.facts == ("transfer", "free:5/5")


def test_after_a_decline_the_sender_still_has_it() -> None:
    stage = transferring()
    made = stage.do(OfferDeclined("i1-2", "b", "no time"))
    assert only(OfferClosed, made)[0].why == "no time"
    item = stage.engine.item("i1")
    assert item is not None
    assert (item.owner, item.state, item.transfer) == ("a", ItemState.assigned, None)
    assert stage.do(TransferredToAgent("i1", "b")) != []


def test_unanswered_it_waits_in_the_queue_and_is_still_the_senders() -> None:
    stage = transferring()
    stage.agent("c", order=9)
    made = stage.after(60)
    assert only(PresenceChanged, made)[0].agent == "b"
    assert only(ItemWaiting, made) == [ItemWaiting("i1", "q", "transfer_timeout", "a")]
    assert stage.offered_to("i1") == "c"
    assert stage.owner("i1") == "a"
    assert stage.engine.load("a").used == 1
    stage.after(20)
    assert stage.engine.waiting("q") == ["i1"], "c let it pass as well; a is never asked"
    stage.do(PresenceSet("c", Presence.available, "", "c"))
    made = stage.do(OfferAccepted("i1-4", "c"))
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "c", "a", "i1-4", False)]
    item = stage.engine.item("i1")
    assert item is not None
    assert item.transfer is None


def test_a_transfer_is_taken_back() -> None:
    stage = transferring()
    made = stage.do(TransferCancelled("i1"))
    assert only(OfferClosed, made)[0].state is OfferState.withdrawn
    assert only(ItemResumed, made) == []
    stage.do(TransferredToAgent("i1", "b"))
    stage.after(60)
    assert only(ItemResumed, stage.do(TransferCancelled("i1"))) == [ItemResumed("i1", "a")]
    assert stage.engine.waiting("q") == []


def test_a_target_who_leaves_gives_it_back() -> None:
    stage = transferring()
    stage.do(PresenceSet("b", Presence.away, "lunch"))
    item = stage.engine.item("i1")
    assert item is not None
    assert (item.state, item.transfer) == (ItemState.assigned, None)


def test_work_that_ends_ends_its_transfer() -> None:
    for command in (WorkEnded("i1"), WrapUpStarted("i1", "a"), Requeued("i1", "signed_out")):
        stage = transferring()
        made = stage.do(command)
        assert only(OfferClosed, made)[0].state is OfferState.withdrawn
        assert stage.engine.load("b").reserved == 0


def test_a_waiting_item_is_offered_to_one_agent_first() -> None:
    stage = Stage()
    stage.item("i1")
    stage.agent("b", {"x": 1})
    stage.do(TransferredToAgent("i1", "b", "sv"))
    item = stage.engine.item("i1")
    assert item is not None
    assert (item.state, item.transfer) == (ItemState.offered, TransferPhase.direct)
    stage.agent("c")
    assert stage.offered_to("i1") == "b"
    stage.do(OfferDeclined("i1-1", "b"))
    assert stage.offered_to("i1") == "c"


def test_whom_nothing_can_be_transferred_to() -> None:
    stage = Stage()
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("full", {"x": 1}, units=1)
    stage.item("other", preferred="full")
    assert stage.refuse(TransferredToAgent("i1", "full")).code == "no_room"
    assert stage.refuse(TransferredToAgent("other", "a")).code == "already_offered"
    stage.do(PresenceSet("full", Presence.away, "lunch"))
    assert stage.refuse(TransferredToAgent("i1", "full")).code == "not_available"
    stage.do(PresenceSet("full", Presence.offline))
    assert stage.refuse(TransferredToAgent("i1", "full")).code == "not_signed_in"


# ---------------------------------------------------------------- pulls and assignments


def test_a_pull_may_exceed_capacity_and_the_first_wins() -> None:
    stage = Stage()
    stage.agent("a", units=1)
    stage.agent("b", {"x": 1}, units=1)
    stage.assigned("busy")
    stage.item("i1")
    made = stage.do(Assigned("i1", "a", "a"))
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "a", None, None, True)]
    refused = stage.refuse(Assigned("i1", "b", "b"))
    assert (refused.code, refused.agent) == ("taken", "a")
    assert stage.refuse(Assigned("i1", "a", "a")).code == "already_yours"


def test_a_pull_of_ones_own_offer_accepts_it() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.item("i1")
    refused = stage.refuse(Assigned("i1", "b", "b"))
    assert (refused.code, refused.agent) == ("already_offered", "a")
    made = stage.do(Assigned("i1", "a", "a"))
    assert only(OfferClosed, made)[0].state is OfferState.accepted
    assert only(ItemAssigned, made)[0].offer == "i1-1"


def test_a_supervisor_reassigns() -> None:
    stage = Stage()
    stage.agent("a")
    stage.agent("b")
    stage.assigned("i1")
    made = stage.do(Assigned("i1", "b", "sv"))
    assert only(ItemAssigned, made) == [ItemAssigned("i1", "b", "a", None, False)]
    stage.item("i2", preferred="a")
    made = stage.do(Assigned("i2", "b", "sv"))
    assert only(OfferClosed, made)[0].why == "assigned"
    stage.do(PresenceSet("a", Presence.offline))
    assert stage.refuse(Assigned("i2", "a", "sv")).code == "not_signed_in"


def test_what_is_refused_on_items_without_an_owner() -> None:
    stage = Stage()
    stage.item("i1")
    for command in (AgentReplied("i1"), WorkEnded("i1"), WrapUpStarted("i1", "a")):
        assert stage.refuse(command).code == "not_assigned"


def test_an_item_is_enqueued_once() -> None:
    stage = Stage()
    spec = ItemSpec("i1", "c", "q", "chat", START)
    stage.do(ItemEnqueued(spec))
    assert stage.refuse(ItemEnqueued(spec)).code == "already_enqueued"
    stage.do(ItemCancelled("i1"))
    assert stage.refuse(ItemEnqueued(spec)).code == "finished"
    elsewhere = ItemSpec("i2", "c", "x", "chat", START)
    assert stage.refuse(ItemEnqueued(elsewhere)).code == "unknown_queue"


def test_a_transfer_that_everybody_lets_pass_stays_with_its_owner() -> None:
    stage = Stage(QueuePolicy("q", "Q", misses=9))
    stage.agent("a")
    stage.assigned("i1")
    stage.agent("b")
    stage.do(TransferredToAgent("i1", "b"))
    (again,) = only(Offered, stage.after(60))
    assert (again.agent, stage.owner("i1")) == ("b", "a"), "nobody answered: the queue is asked"
    stage.do(OfferDeclined(again.offer, "b", "busy"))
    assert stage.owner("i1") == "a"
    assert stage.offered_to("i1") is None
    stage.agent("c")
    assert stage.offered_to("i1") == "c"
