"""Rows of conversations and messages, and back."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import and_, bindparam, or_, select, update
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
    NewItem,
    Visibility,
    occurred_at,
)
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.routing import ItemState
from madoguchi.store.hot import Bound, Hot, Listed, among, constant
from madoguchi.store.tables import outbox
from madoguchi.store.work import Many, Work

_CONVERSATION = [f.name for f in fields(Conversation)]
_MESSAGE = [f.name for f in fields(Message)]
_IMMUTABLE = {"id", "number", "account", "channel", "thread", "created_at"}
_ROUTERS = {"owner", "last_owner"}
_CHANGING = [name for name in _CONVERSATION if name not in _IMMUTABLE | _ROUTERS]
_UPDATE = Hot(
    update(conversation)
    .where(conversation.c.id == bindparam("b_id", type_=conversation.c.id.type))
    .values({name: bindparam(f"b_{name}", type_=conversation.c[name].type) for name in _CHANGING})
    .inline(),
    owned=True,
)
_ENUMS = {
    "channel": Channel,
    "state": ConversationState,
    "preview_author": Author,
}


def conversation_of(row: Any) -> Conversation:
    """Return the conversation of a row."""
    values = {name: getattr(row, name) for name in _CONVERSATION}
    for name, enum in _ENUMS.items():
        values[name] = enum(values[name])
    return Conversation(**values)


def _conversation_row(one: Conversation) -> dict[str, Any]:
    return {name: getattr(one, name) for name in _CONVERSATION}


def message_of(row: Any) -> Message:
    """Return the message of a row."""
    values = {name: getattr(row, name) for name in _MESSAGE}
    values["author"] = Author(row.author)
    values["direction"] = Direction(row.direction)
    values["visibility"] = Visibility(row.visibility)
    values["channel"] = Channel(row.channel)
    values["state"] = MessageState(row.state)
    values["parts"] = tuple(row.parts)
    return Message(**values)


_UNFINISHED = or_(*(work_item.c.state == constant(state) for state in UNFINISHED))
_TEXT = work_item.c.kind == constant(ItemKind.TEXT)

_BY_THREADS = Listed(
    lambda threads: (
        select(conversation, work_item.c.id.label("item"), work_item.c.owner.label("item_owner"))
        .select_from(
            conversation.outerjoin(
                work_item, and_(work_item.c.conversation == conversation.c.id, _TEXT, _UNFINISHED)
            )
        )
        .where(
            among((conversation.c.account, conversation.c.thread), threads),
            or_(
                conversation.c.state != constant(ConversationState.CLOSED),
                conversation.c.last_at >= bindparam("since", type_=conversation.c.last_at.type),
            ),
        )
        .order_by(conversation.c.id)
        .with_for_update(of=conversation)
    ),
    conversation.c.account,
    conversation.c.thread,
)


def by_threads(
    keys: Sequence[tuple[Id, str]], since: datetime
) -> Work[tuple[list[Conversation], dict[Id, Id]]]:
    """Return the conversations of some (account, thread), the open ones and those of late, and
    conversation → its unfinished text item.
    """
    if not keys:
        return [], {}
    rows = yield _BY_THREADS(keys, since=since)
    items = {r.id: r.item for r in rows if r.item}
    if any(_parted(r) for r in rows):
        items = {id: r.id for id, r in (yield from unfinished_items(r.id for r in rows)).items()}
    return [conversation_of(r) for r in rows], items


def _parted(row: Any) -> bool:
    """Tell whether a conversation and its item are not of one moment.

    Who has waited for a conversation's lock on PostgreSQL is given its newest row, but beside it
    the item as it was before the wait.
    """
    if row.state == ConversationState.CLOSED.value:
        return row.item is not None
    return row.item is None or row.item_owner != row.owner


_BY_IDS = Listed(
    lambda ids: (
        select(conversation).where(among(conversation.c.id, ids)).order_by(conversation.c.id)
    ),
    conversation.c.id,
)
_BY_IDS_LOCKED = Listed(
    lambda ids: (
        select(conversation)
        .where(among(conversation.c.id, ids))
        .order_by(conversation.c.id)
        .with_for_update()
    ),
    conversation.c.id,
)


def by_ids(ids: Iterable[Id], *, lock: bool = False) -> Work[dict[Id, Conversation]]:
    """Return conversations by id; locked in id order when they are going to be written."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = yield (_BY_IDS_LOCKED if lock else _BY_IDS)(wanted)
    return {r.id: conversation_of(r) for r in rows}


_ITEMS = Listed(
    lambda ids: select(work_item).where(among(work_item.c.conversation, ids), _TEXT, _UNFINISHED),
    work_item.c.conversation,
)


def unfinished_items(conversations: Iterable[Id]) -> Work[dict[Id, Any]]:
    """Return conversation → the row of its unfinished text item."""
    wanted = sorted(set(conversations))
    if not wanted:
        return {}
    rows = yield _ITEMS(wanted)
    return {r.conversation: r for r in rows}


_ALL_ITEMS = Listed(
    lambda ids: select(work_item).where(among(work_item.c.conversation, ids), _UNFINISHED),
    work_item.c.conversation,
)


def unfinished_work(conversation: Id, kind: str | None) -> Work[Any]:
    """Return the row of a conversation's unfinished item of a kind, None where there is none; by
    default that of its texts, of its call where it has no other.
    """
    rows = yield _ALL_ITEMS([conversation])
    found = {row.kind: row for row in rows}
    if kind is not None:
        return found.get(kind)
    return found.get(ItemKind.TEXT.value) or found.get(ItemKind.CALL.value)


_HOMES = Listed(
    lambda ids: (
        select(conversation)
        .where(
            among(conversation.c.identity, ids),
            conversation.c.state != constant(ConversationState.CLOSED),
        )
        .order_by(conversation.c.id)
        .with_for_update()
    ),
    conversation.c.identity,
)


def homes(
    callers: Iterable[Id], others: Iterable[Id]
) -> Work[tuple[list[Conversation], dict[Id, Id], dict[Id, Any]]]:
    """Return the open conversations of some identities, whatever they came by, and those with
    some ids; conversation → its unfinished text item; and → the row of that of a call.
    """
    wanted = sorted(set(callers))
    rows = (yield _HOMES(wanted)) if wanted else []
    found = {r.id: conversation_of(r) for r in rows}
    found |= yield from by_ids(set(others) - set(found), lock=True)
    if not found:
        return [], {}, {}
    items = yield _ALL_ITEMS(sorted(found))
    texts = {r.conversation: r.id for r in items if r.kind == ItemKind.TEXT.value}
    calls = {r.conversation: r for r in items if r.kind == ItemKind.CALL.value}
    return list(found.values()), texts, calls


_MESSAGES = Listed(
    lambda ids: (
        select(message).where(among(message.c.id, ids)).order_by(message.c.id).with_for_update()
    ),
    message.c.id,
)
_BY_PROVIDER = Listed(
    lambda keys: select(message.c.id).where(
        among((message.c.account, message.c.provider_id), keys)
    ),
    message.c.account,
    message.c.provider_id,
)


def messages_by_ids(ids: Iterable[Id]) -> Work[dict[Id, Message]]:
    """Return messages by id, locked in id order: they are going to be written."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    rows = yield _MESSAGES(wanted)
    return {r.id: message_of(r) for r in rows}


def ids_by_provider(keys: Sequence[tuple[Id, str]]) -> Work[list[Id]]:
    """Return the ids of the messages that some (account, provider's message id) name."""
    if not keys:
        return []
    return [r.id for r in (yield _BY_PROVIDER(sorted(set(keys))))]


_NUMBERS = Hot(
    update(number_head)
    .where(number_head.c.domain == bindparam("b_domain", type_=number_head.c.domain.type))
    .values(next=number_head.c.next + bindparam("b_count", type_=number_head.c.next.type))
    .returning(number_head.c.next)
)


def next_numbers(count: int) -> Work[int]:
    """Reserve short numbers for people; return the first."""
    if not count:
        return 0
    rows = yield _NUMBERS(b_domain=DOMAIN, b_count=count)
    if not rows:
        yield insert(number_head).values(domain=DOMAIN, next=1).on_conflict_do_nothing()
        rows = yield _NUMBERS(b_domain=DOMAIN, b_count=count)
    return int(rows[0].next) - count


_NEW_CONVERSATION = Hot(conversation.insert().inline(), "domain", *_CONVERSATION)


def insert_conversations(new: Sequence[Conversation]) -> Bound:
    """Return the step that stores new conversations."""
    return _NEW_CONVERSATION.each([{"domain": DOMAIN, **_conversation_row(c)} for c in new])


def update_conversations(changed: Sequence[Conversation]) -> Bound:
    """Return the step that stores changed ones; the owner is the router's to write."""
    return _UPDATE.each(
        [{f"b_{name}": getattr(one, name) for name in ("id", *_CHANGING)} for one in changed]
    )


_NEW_MESSAGE = Hot(message.insert().inline(), "domain", "occurred_at", *_MESSAGE)


def insert_messages(new: Sequence[Message]) -> Bound:
    """Return the step that stores new messages."""
    rows = []
    for one in new:
        row = {name: getattr(one, name) for name in _MESSAGE}
        row["parts"] = list(one.parts)
        row["domain"] = DOMAIN
        row["occurred_at"] = occurred_at(one.provider_at, one.received_at)
        rows.append(row)
    return _NEW_MESSAGE.each(rows)


def enqueue(messages: Sequence[Message], now: datetime) -> Many:
    """Return the step that lets new messages go out, each in the lane of whom it is for."""
    return Many(
        outbox.insert(),
        [
            {
                "domain": DOMAIN,
                "account": one.account,
                "lane": f"{one.account}:{one.identity}",
                "message": one.id,
                "due_at": now,
            }
            for one in messages
        ],
    )


_UPDATE_MESSAGE = Hot(
    update(message)
    .where(message.c.id == bindparam("b_id", type_=message.c.id.type))
    .values(
        {
            name: bindparam(f"b_{name}", type_=message.c[name].type)
            for name in ("state", "reason", "provider_id", "version")
        }
    )
    .inline(),
    owned=True,
)


def update_messages(changed: Sequence[Message]) -> Bound:
    """Return the step that stores how far messages have come."""
    return _UPDATE_MESSAGE.each(
        [
            {
                "b_id": m.id,
                "b_state": m.state,
                "b_reason": m.reason,
                "b_provider_id": m.provider_id,
                "b_version": m.version,
            }
            for m in changed
        ]
    )


_NEW_ITEM = Hot(
    work_item.insert().inline(),
    "id",
    "domain",
    "conversation",
    "queue",
    "came_to",
    "kind",
    "channel",
    "state",
    "enqueued_at",
    "preferred",
    "preference",
    "topic",
    "priority",
    "requires",
    "owner",
    "version",
)


def insert_items(new: Sequence[NewItem]) -> Bound:
    """Return the step that stores new work items, which wait for the router."""
    return _NEW_ITEM.each(
        [
            {
                "id": item.id,
                "domain": DOMAIN,
                "conversation": item.conversation,
                "queue": item.queue,
                "came_to": item.came_to,
                "kind": item.kind.value,
                "channel": item.channel.value,
                "state": ItemState.waiting.value,
                "enqueued_at": item.enqueued_at,
                "preferred": item.preferred,
                "preference": item.preference,
                "topic": item.topic,
                "priority": item.priority,
                "requires": dict(item.requires) if item.requires else None,
                "owner": item.owner,
                "version": 1,
            }
            for item in new
        ]
    )
