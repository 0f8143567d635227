"""The end of a conversation's work, and the text that arrives at that very moment."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from madoguchi.conversations import repository, telling
from madoguchi.conversations.callbacks import ASKED, carried, forgotten
from madoguchi.conversations.choice import resumed
from madoguchi.conversations.turning_away import Away, tell
from madoguchi.model import log
from madoguchi.model.conversation import (
    Conversation,
    ConversationState,
    Message,
    MessageState,
)
from madoguchi.model.ids import Id
from madoguchi.store.log import after, append
from madoguchi.store.work import Work


def close(
    heard: Mapping[Id, int],
    now: datetime,
    new_id: Callable[[], Id],
    wrap_up: Mapping[Id, dict[str, Any]],
    away: Mapping[Id, Away],
    calls: Collection[Id] = (),
) -> Work[None]:
    """Close conversations whose work is done; part of the router's transaction. The customers of
    those in ``away`` are told why.

    ``heard`` is conversation → how far the router had read the log when the work ended. A text, or
    the wish to be called, behind it was stored before this closing and after the decision to it:
    its conversation stays open and gets new work, as if it had come a moment later. So does a text
    of a conversation whose work was a call (``calls``), when nobody has answered it.
    """
    found = yield from repository.by_ids(heard, lock=True)
    # Under the locks nobody can store a text any more, and all that were stored are in the log.
    late = yield from _written_to(found, heard)
    unanswered = (id for id in calls if id in found and found[id].unanswered_since is not None)
    late |= {id: False for id in unanswered if id not in late}
    closed = [
        replace(
            one,
            state=ConversationState.CLOSED,
            closed_at=now,
            wrap_up=wrap_up.get(id),
            unanswered_since=None,
            version=one.version + 1,
        )
        for id, one in found.items()
        if one.state is not ConversationState.CLOSED and id not in late
    ]
    items = {id: new_id() for id in sorted(late)}
    again = [_anew(found[id], item, called=late[id]) for id, item in items.items()]
    work = [resumed(one, items[one.id], now) for one in again]
    called = [one for one in again if late[one.id]]
    closed, words = _last_words(closed, away, now, new_id)
    yield repository.update_conversations([*closed, *again])
    yield from say(words, found, now)
    yield repository.insert_items(work)
    yield append(
        [
            *(telling.conversation_changed(one, now, "conversation.closed") for one in closed),
            *(telling.conversation_changed(one, now) for one in again),
            *(telling.item_enqueued(one, now) for one in work),
            *(telling.conversation_changed(one, now, ASKED, item=items[one.id]) for one in called),
        ]
    )


def _anew(one: Conversation, item: Id, *, called: bool) -> Conversation:
    """Return a conversation that goes on with new work, to call its customer or not."""
    return replace(
        one,
        context=carried(one, item) if called else forgotten(one),
        unanswered_since=one.inbound_at,
        version=one.version + 1,
    )


def _last_words(
    closed: list[Conversation],
    away: Mapping[Id, Away],
    now: datetime,
    new_id: Callable[[], Id],
) -> tuple[list[Conversation], list[Message]]:
    """Return the conversations that end, and what the customers of some are told."""
    words = []
    for n, one in enumerate(closed):
        if one.id in away:
            closed[n], told = tell(one, away[one.id], now, new_id)
            words += [told] if told is not None else []
    return closed, words


def say(words: list[Message], found: Mapping[Id, Conversation], now: datetime) -> Work[None]:
    """Store what the hub itself says in some conversations, and send it."""
    if not words:
        return
    yield repository.insert_messages(words)
    if outgoing := [one for one in words if one.state is MessageState.QUEUED]:
        yield repository.enqueue(outgoing, now)
    yield append(
        [
            telling.message_changed(one, _visitor(found[one.conversation]), now, telling.AUTOMATIC)
            for one in words
        ]
    )


def _visitor(one: Conversation) -> str:
    return log.visitor(one.account, one.thread)


def _written_to(found: Mapping[Id, Conversation], heard: Mapping[Id, int]) -> Work[dict[Id, bool]]:
    """Return which conversations have got a customer's text behind their place of the log, or the
    wish to be called (True).
    """
    audiences = {log.conversation(id): id for id in found}
    late: dict[Id, bool] = {}
    place = min((heard[id] for id in found), default=0)
    while found and (entries := (yield from after(place))):
        for one in entries:
            data = one.entry.data or {}
            text = one.entry.type == "message.received" and data.get("author") == "customer"
            asked = one.entry.type == ASKED
            for id in {audiences[name] for name in one.entry.audience if name in audiences}:
                if (text or asked) and one.position > heard[id]:
                    late[id] = late.get(id, False) or asked
        place = entries[-1].position
    return late
