"""Rows of conversations and messages, and back."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.conversations.tables import conversation, message, number_head, work_item
from madoguchi.model.channels import Channel
from madoguchi.model.conversation import (
    UNFINISHED,
    Author,
    Conversation,
    ConversationState,
    Direction,
    ItemKind,
    Message,
    MessageState,
    Visibility,
    occurred_at,
)
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.store.work import Many, Work

_CONVERSATION = [f.name for f in fields(Conversation)]
_MESSAGE = [f.name for f in fields(Message)]
_IMMUTABLE = {"id", "number", "account", "channel", "thread", "created_at"}
_ROUTERS = {"owner", "last_owner"}
_UPDATE = (
    update(conversation)
    .where(conversation.c.id == bindparam("b_id"))
    .values(
        {
            name: bindparam(f"b_{name}", type_=conversation.c[name].type)
            for name in _CONVERSATION
            if name not in _IMMUTABLE | _ROUTERS
        }
    )
)
_ENUMS = {
    "channel": Channel,
    "state": ConversationState,
    "preview_author": Author,
}


def conversation_of(row: Row[Any]) -> Conversation:
    """Return the conversation of a row."""
    values = {name: getattr(row, name) for name in _CONVERSATION}
    for name, enum in _ENUMS.items():
        values[name] = enum(values[name])
    return Conversation(**values)


def _conversation_row(one: Conversation) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _CONVERSATION}


def message_of(row: Row[Any]) -> Message:
    """Return the message of a row."""
    values = {name: getattr(row, name) for name in _MESSAGE}
    values["author"] = Author(row.author)
    values["direction"] = Direction(row.direction)
    values["visibility"] = Visibility(row.visibility)
    values["channel"] = Channel(row.channel)
    values["state"] = MessageState(row.state)
    values["parts"] = tuple(row.parts)
    return Message(**values)


def by_threads(keys: Sequence[tuple[Id, str]], since: datetime) -> Work[list[Conversation]]:
    """Return the conversations of some (account, thread), the open ones and those of late."""
    if not keys:
        return []
    rows = yield (
        select(conversation)
        .where(
            tuple_(conversation.c.account, conversation.c.thread).in_(keys),
            (conversation.c.state != ConversationState.CLOSED.value)
            | (conversation.c.last_at >= since),
        )
        .order_by(conversation.c.id)
        .with_for_update()
    )
    return [conversation_of(r) for r in rows]


def by_ids(ids: Iterable[Id], *, lock: bool = False) -> Work[dict[Id, Conversation]]:
    """Return conversations by id; locked in id order when they are going to be written."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    query = select(conversation).where(conversation.c.id.in_(wanted)).order_by(conversation.c.id)
    rows = yield query.with_for_update() if lock else query
    return {r.id: conversation_of(r) for r in rows}


def unfinished_items(conversations: Iterable[Id]) -> Work[dict[Id, Row[Any]]]:
    """Return conversation → its unfinished text item."""
    wanted = sorted(set(conversations))
    if not wanted:
        return {}
    rows = yield select(work_item).where(
        work_item.c.conversation.in_(wanted),
        work_item.c.kind == ItemKind.TEXT.value,
        work_item.c.state.in_([s.value for s in UNFINISHED]),
    )
    return {r.conversation: r for r in rows}


def messages_by_ids(ids: Iterable[Id]) -> Work[dict[Id, Message]]:
    """Return messages by id."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = yield select(message).where(message.c.id.in_(wanted)).with_for_update()
    return {r.id: message_of(r) for r in rows}


def messages_by_provider(keys: Sequence[tuple[Id, str]]) -> Work[dict[tuple[Id, str], Message]]:
    """Return messages by (account, provider's message id)."""
    if not keys:
        return {}
    rows = yield select(message).where(
        tuple_(message.c.account, message.c.provider_id).in_(sorted(set(keys)))
    )
    return {(r.account, r.provider_id): message_of(r) for r in rows}


def next_numbers(count: int) -> Work[int]:
    """Reserve short numbers for people; return the first."""
    if not count:
        return 0
    yield insert(number_head).values(domain=DOMAIN, next=1).on_conflict_do_nothing()
    rows = yield (
        update(number_head)
        .where(number_head.c.domain == DOMAIN)
        .values(next=number_head.c.next + count)
        .returning(number_head.c.next)
    )
    return int(rows[0].next) - count


def insert_conversations(new: Sequence[Conversation]) -> Many:
    """Return the statement that stores new conversations."""
    return Many(conversation.insert(), [{"domain": DOMAIN, **_conversation_row(c)} for c in new])


def update_conversations(changed: Sequence[Conversation]) -> Many:
    """Return the statement that stores changed ones; the owner is the router's to write."""
    rows = [
        {"b_id": c.id, **{f"b_{k}": v for k, v in _conversation_row(c).items()}} for c in changed
    ]
    dropped = {f"b_{name}" for name in (_IMMUTABLE | _ROUTERS) - {"id"}}
    return Many(_UPDATE, [{k: v for k, v in r.items() if k not in dropped} for r in rows])


def insert_messages(new: Sequence[Message]) -> Many:
    """Return the statement that stores new messages."""
    rows = []
    for one in new:
        row = {name: getattr(one, name) for name in _MESSAGE}
        row["parts"] = list(one.parts)
        row["domain"] = DOMAIN
        row["occurred_at"] = occurred_at(one.provider_at, one.received_at)
        rows.append(row)
    return Many(message.insert(), rows)


_UPDATE_MESSAGE = (
    update(message)
    .where(message.c.id == bindparam("b_id"))
    .values(
        state=bindparam("b_state"),
        reason=bindparam("b_reason"),
        provider_id=bindparam("b_provider_id"),
        version=bindparam("b_version"),
    )
)


def update_messages(changed: Sequence[Message]) -> Many:
    """Return the statement that stores how far messages have come."""
    return Many(
        _UPDATE_MESSAGE,
        [
            {
                "b_id": m.id,
                "b_state": m.state,
                "b_reason": m.reason,
                "b_provider_id": m.provider_id,
                "b_version": m.version,
            }
            for m in changed
        ],
    )
