"""What the router decides about calls, told to customers and kept with their conversations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from madoguchi.configuration.queue_parts import Callback
from madoguchi.conversations import callbacks, outside, repository, telling
from madoguchi.conversations.callbacks import Wish
from madoguchi.conversations.closing import say
from madoguchi.conversations.turning_away import AUTOMATIC
from madoguchi.model.channels import Line
from madoguchi.model.conversation import (
    Author,
    Conversation,
    Direction,
    Message,
    MessageState,
    Visibility,
)
from madoguchi.model.ids import Id
from madoguchi.model.people import Identity
from madoguchi.store.log import append
from madoguchi.store.work import Work
from unified_profile.service import identities_by_id


@dataclass(frozen=True, slots=True)
class News:
    """What has become of an item's call, by its queue's rules; ``calls`` were in vain, the next one
    comes at ``next_at``. ``closed``: nobody is there now.
    """

    item: Id
    state: Wish
    policy: Callback
    calls: int = 0
    next_at: datetime | None = None
    closed: bool = False


def tell(
    news: Mapping[Id, News],
    line: Callable[[Id], Line | None],
    now: datetime,
    new_id: Callable[[], Id],
) -> Work[None]:
    """Keep and tell what has become of calls, by conversation; part of the router's transaction."""
    if not news:
        return
    found = yield from repository.by_ids(news, lock=True)
    senders = yield from identities_by_id({one.identity for one in found.values()})
    changed: list[Conversation] = []
    said: list[Message] = []
    for id, one in sorted(found.items()):
        context, message = _told(one, news[id], line(one.account), senders, now, new_id)
        if context is not None:
            changed.append(replace(one, context=context, version=one.version + 1))
            said += [message] if message is not None else []
    yield repository.update_conversations(changed)
    yield from say(said, found, now)
    yield append([telling.conversation_changed(one, now) for one in changed])


def _told(
    one: Conversation,
    news: News,
    line: Line | None,
    senders: Mapping[Id, Identity],
    now: datetime,
    new_id: Callable[[], Id],
) -> tuple[dict[str, Any] | None, Message | None]:
    """Return a conversation's new context and what is said; None: nothing changes."""
    known = callbacks.wish(one, news.item)
    reachable = line is not None and not line.account.paused
    if news.state is Wish.OFFERED:
        if known or not reachable or one.context.get(AUTOMATIC):
            return None, None
        text = callbacks.offer(news.policy, one.language, closed=news.closed)
        if line is not None and not line.capabilities.stream:
            sender = senders.get(one.identity)
            text += "\n" + callbacks.how(one.language, callbacks.number_of(one, sender))
        return callbacks.offered(one, news.item, now), _out(one, line, text, now, new_id)
    if not known:
        return None, None
    if news.state is Wish.REACHED:
        context = callbacks.marked(one, state=Wish.REACHED.value, next_at=None)
        return context, _line(one, "callback_reached", now, new_id)
    if known["state"] != Wish.ASKED.value:
        return None, None
    next_at = news.next_at.isoformat() if news.next_at else None
    context = callbacks.marked(one, calls=news.calls, next_at=next_at)
    text = callbacks.missed(one.language, known.get("shown", ""), news.policy.retry_s)
    return context, _out(one, line, text, now, new_id) if reachable else None


def _out(
    one: Conversation, line: Line | None, text: str, now: datetime, new_id: Callable[[], Id]
) -> Message | None:
    return outside.message(new_id(), one, line.capabilities, text, now) if line else None


def _line(one: Conversation, code: str, now: datetime, new_id: Callable[[], Id]) -> Message:
    """Return a line of the conversation's story, for the center only."""
    return Message(
        id=new_id(),
        conversation=one.id,
        author=Author.SYSTEM,
        direction=Direction.OUT,
        visibility=Visibility.INTERNAL,
        channel=one.channel,
        account=None,
        identity=None,
        agent=None,
        parts=({"type": "system", "code": code},),
        state=MessageState.SENT,
        provider_at=None,
        received_at=now,
    )
