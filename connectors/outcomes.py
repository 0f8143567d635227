"""What became of a message on its way out, as it is stored with the message and told to desks."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from madoguchi.conversations import repository, telling
from madoguchi.conversations.tables import conversation
from madoguchi.model import log as audiences
from madoguchi.model.conversation import Message, MessageState, advance
from madoguchi.model.ids import Id
from madoguchi.store.log import append
from madoguchi.store.work import Work


def locked(id: Id) -> Work[Message | None]:
    """Lock a message, and return it. Whoever writes its outbox row too does this first."""
    return (yield from repository.messages_by_ids([id])).get(id)


def told(
    one: Message | None,
    state: MessageState,
    provider_id: str | None,
    why: str | None,
    now: datetime,
) -> Work[None]:
    """Let a locked message come as far as it is known to be; never back."""
    if one is None:
        return
    new: Message = replace(
        one,
        state=advance(one.state, state),
        provider_id=one.provider_id or provider_id,
        reason=why if state in {MessageState.FAILED, MessageState.UNKNOWN} else one.reason,
        version=one.version + 1,
    )
    if (new.state, new.provider_id) == (one.state, one.provider_id):
        return
    yield from _keep([new], now, "message.changed")


def put_off(found: Iterable[Message], now: datetime) -> Work[None]:
    """Tell that locked messages are tried later: their state stays, their view says when."""
    waiting = {MessageState.QUEUED, MessageState.SENDING}
    new = [replace(one, version=one.version + 1) for one in found if one.state in waiting]
    yield from _keep(new, now, "message.put_off")


def _keep(new: Sequence[Message], now: datetime, type: str) -> Work[None]:
    if not new:
        return
    rows = yield select(conversation.c.id, conversation.c.account, conversation.c.thread).where(
        conversation.c.id.in_(sorted({one.conversation for one in new}))
    )
    visitors = {r.id: audiences.visitor(r.account, r.thread) for r in rows}
    yield repository.update_messages(new)
    yield append(
        [telling.message_changed(one, visitors[one.conversation], now, type) for one in new]
    )
