"""Which change is told to whom: log entries of conversations and messages."""

from datetime import datetime
from typing import Any

from madoguchi.model import log
from madoguchi.model.conversation import Conversation, Message, NewItem, Visibility
from madoguchi.model.log import Entity, LogEntry

AUTOMATIC = "message.automatic"
"""What the log says of a message that the hub itself has written."""


def conversation_changed(
    one: Conversation,
    at: datetime,
    type: str = "conversation.changed",
    *,
    left: str | None = None,
    **data: Any,
) -> LogEntry:
    """Tell the owner, supervisors, open desks and the visitor's widget; and the queue it has left.

    The queue hears of a conversation only while nobody owns it: a text to one agent's
    conversation is no news to two hundred colleagues.
    """
    audience = [
        log.SUPERVISORS,
        log.conversation(one.id),
        log.visitor(one.account, one.thread),
    ]
    if one.owner is None:
        audience.append(log.queue(one.queue))
    if left is not None:
        audience.append(log.queue(left))
    for person in {one.owner, one.last_owner} - {None}:
        audience.append(log.agent(str(person)))
    return LogEntry(
        type, Entity.CONVERSATION, one.id, one.version, tuple(audience), at, data or None
    )


def message_changed(
    one: Message, visitor: str, at: datetime, type: str = "message.changed", **data: Any
) -> LogEntry:
    """Tell open desks, and ``visitor`` (an audience) what is public and goes by their account."""
    audience = [log.conversation(one.conversation)]
    elsewhere = one.account is not None and not visitor.startswith(log.visitor(one.account, ""))
    if one.visibility is Visibility.PUBLIC and not elsewhere:
        audience.append(visitor)
    return LogEntry(
        type,
        Entity.MESSAGE,
        one.id,
        one.version,
        tuple(audience),
        at,
        {"conversation": one.conversation, **data},
    )


def item_enqueued(item: NewItem, at: datetime) -> LogEntry:
    """Tell the router that a conversation needs an agent, and which rule chose the queue."""
    audience = (log.queue(item.queue), log.SUPERVISORS)
    data = {"rule": item.rule[0], "rule_version": item.rule[1]} if item.rule else None
    return LogEntry("item.enqueued", Entity.ITEM, item.id, 1, audience, at, data)
