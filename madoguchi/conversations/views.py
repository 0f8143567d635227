"""How conversations, messages and drafts look to desks and to a visitor's widget."""

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Row, or_, select, true, tuple_

from madoguchi.conversations import callbacks
from madoguchi.conversations.tables import conversation, draft, message, work_item
from madoguchi.conversations.visibility import mine, visible
from madoguchi.live.views import View
from madoguchi.model import log
from madoguchi.model.conversation import (
    UNFINISHED,
    ConversationState,
    Direction,
    ItemKind,
    MessageState,
    Visibility,
)
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.model.routing import ItemState
from madoguchi.security.permissions import Action, Scope, scopes
from madoguchi.store.hot import Listed, among, constant
from madoguchi.store.tables import outbox
from madoguchi.store.work import Work
from unified_profile import service as profile
from unified_profile.tables import customer, customer_of

_SHOWN_WISHES = {callbacks.Wish.OFFERED, callbacks.Wish.ASKED, callbacks.Wish.DECLINED}

TOLD_FROM = timedelta(seconds=5)
"""A message that is tried again after less is just being sent."""

Name = Callable[[Id | None], str]
"""agent id → name to show."""

_FIELDS = (
    "id",
    "number",
    "version",
    "account",
    "channel",
    "queue",
    "state",
    "subject",
    "language",
    "owner",
    "last_owner",
    "continues",
    "preview",
    "preview_author",
    "identity",
    "last_at",
    "inbound_at",
    "inbound_seq",
    "seen_seq",
    "unanswered_since",
    "context",
    "wrap_up",
    "created_at",
    "closed_at",
)
_MESSAGE_FIELDS = (
    "id",
    "version",
    "conversation",
    "author",
    "direction",
    "visibility",
    "channel",
    "account",
    "identity",
    "agent",
    "parts",
    "state",
    "reason",
    "late",
    "provider_at",
    "received_at",
)


_CALL_OWNER = (
    select(work_item.c.owner)
    .where(
        work_item.c.conversation == conversation.c.id,
        work_item.c.kind == constant(ItemKind.CALL),
        or_(*(work_item.c.state == constant(state) for state in UNFINISHED)),
    )
    .correlate(conversation)
    .scalar_subquery()
)
_DESK = Listed(
    lambda ids: (
        select(
            conversation,
            customer_of.c.customer,
            customer.c.name.label("customer_name"),
            customer.c.language.label("customer_language"),
            _CALL_OWNER.label("call_owner"),
        )
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .join(customer, customer.c.id == customer_of.c.customer)
        .where(among(conversation.c.id, ids))
    ),
    conversation.c.id,
)
_VISITOR = Listed(
    lambda ids: select(conversation).where(among(conversation.c.id, ids)), conversation.c.id
)
_MESSAGES = Listed(lambda ids: select(message).where(among(message.c.id, ids)), message.c.id)
_ON_ITS_WAY = Listed(
    lambda ids: select(
        outbox.c.message, outbox.c.due_at, outbox.c.started_at, outbox.c.attempts, outbox.c.error
    ).where(
        among(outbox.c.message, ids),
        outbox.c.error.is_not(None)
        | ((outbox.c.attempts == constant(0)) & outbox.c.started_at.is_not(None)),
    ),
    outbox.c.message,
)
_VISITOR_MESSAGES = Listed(
    lambda ids: (
        select(message, conversation.c.account.label("hub_account"), conversation.c.thread)
        .join(conversation, conversation.c.id == message.c.conversation)
        .where(
            among(message.c.id, ids),
            message.c.visibility == constant(Visibility.PUBLIC),
            message.c.account.is_(None) | (message.c.account == conversation.c.account),
        )
    ),
    message.c.id,
)
_IN_WRAP_UP = Listed(
    lambda ids: select(work_item.c.conversation).where(
        among(work_item.c.conversation, ids),
        work_item.c.kind == constant(ItemKind.TEXT),
        work_item.c.state == constant(ItemState.wrap_up),
    ),
    work_item.c.conversation,
)


def _client_id(row: Row[Any]) -> str | None:
    """Return the id that the widget gave its message: it is kept as ``visitor:id``, in older rows
    bare; neither a visitor's name nor an id has a colon.
    """
    if row.direction != Direction.IN or row.provider_id is None:
        return None
    return str(row.provider_id).rpartition(":")[2]


class ConversationViews:
    """Renderers of this room; they know agents' names by a port."""

    def __init__(self, agent_name: Name) -> None:
        self._name = agent_name

    def desk(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render conversations for desks."""
        rows = yield _DESK(ids)
        return {r.id: View(r.version, _readers(r), self._body(r)) for r in rows}

    def _body(self, row: Any) -> dict[str, Any]:
        body = {name: getattr(row, name) for name in _FIELDS}
        body["owner_name"] = self._name(row.owner)
        body["call_owner"] = row.call_owner
        body["customer"] = {
            "id": row.customer,
            "name": row.customer_name,
            "language": row.customer_language,
        }
        return body

    def visitor(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render conversations for widgets: state, who serves, how far we have read."""
        rows = yield _VISITOR(ids)
        ended = yield from _in_wrap_up([r.id for r in rows])
        return {
            r.id: View(
                r.version,
                frozenset({log.visitor(r.account, r.thread)}),
                {
                    "id": r.id,
                    "version": r.version,
                    "state": "closed" if r.id in ended else _visitor_state(r),
                    "agent": self._name(r.owner),
                    "read_to": r.seen_to,
                    "created_at": r.created_at,
                    "closed_at": r.closed_at,
                    "callback": _visitor_callback(r),
                },
            )
            for r in rows
        }

    def messages(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render messages for desks."""
        rows = yield _MESSAGES(ids)
        again = yield from retries(rows)
        return {
            r.id: View(r.version, _message_readers(r), self.message_body(r, again.get(r.id)))
            for r in rows
        }

    def message_body(self, row: Row[Any], again: dict[str, Any] | None) -> dict[str, Any]:
        """Return a message as desks get it; ``again``: its :func:`retries`."""
        body = {name: getattr(row, name) for name in _MESSAGE_FIELDS}
        body["agent_name"] = self._name(row.agent)
        body["retry"] = again
        return body

    def visitor_messages(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render public messages for the widget of their visitor."""
        rows = yield _VISITOR_MESSAGES(ids)
        return {
            r.id: View(
                r.version,
                frozenset({log.visitor(r.hub_account, r.thread)}),
                self.visitor_message_body(r),
            )
            for r in rows
        }

    def visitor_message_body(self, row: Row[Any]) -> dict[str, Any]:
        """Return a message as the widget gets it; ``client_id`` is the id the widget gave it."""
        return {
            "id": row.id,
            "version": row.version,
            "conversation": row.conversation,
            "author": row.author,
            "agent": self._name(row.agent),
            "parts": row.parts,
            "state": row.state,
            "client_id": _client_id(row),
            "at": row.received_at,
        }

    def drafts(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render drafts; an id is ``conversation:agent``."""
        pairs = [tuple(id.split(":", 1)) for id in ids]
        rows = yield select(draft).where(
            draft.c.conversation.in_(sorted({p[0] for p in pairs})),
            draft.c.agent.in_(sorted({p[1] for p in pairs})),
            draft.c.text != "",
        )
        found = {
            f"{r.conversation}:{r.agent}": View(
                r.version,
                frozenset({log.agent(r.agent)}),
                {
                    "id": f"{r.conversation}:{r.agent}",
                    "version": r.version,
                    "conversation": r.conversation,
                    "mode": r.mode,
                    "text": r.text,
                    "at": r.at,
                },
            )
            for r in rows
        }
        return {id: found[id] for id in ids if id in found}


def retries(rows: Iterable[Row[Any]]) -> Work[dict[Id, dict[str, Any]]]:
    """Return which of the messages that are to be sent wait for a pause to end: until when, and
    how often they were tried.

    Where it stands is the outbox's row: a restart changes nothing. A pause of a moment is none.
    """
    sending = [r.id for r in rows if r.state in {MessageState.QUEUED, MessageState.SENDING}]
    if not sending:
        return {}
    return {
        r.message: {"at": r.due_at, "attempts": r.attempts}
        for r in (yield _ON_ITS_WAY(sending))
        if not timedelta(0) <= r.due_at - r.started_at < TOLD_FROM
    }


def _readers(row: Row[Any]) -> frozenset[str]:
    """Who may have a conversation in their lists: nobody once it is closed, but open desks."""
    if row.state == ConversationState.CLOSED.value:
        return frozenset({log.conversation(row.id)})
    whose = log.agent(row.owner) if row.owner else log.queue(row.queue)
    caller = {log.agent(row.call_owner)} if row.call_owner else set()
    return frozenset({whose, log.SUPERVISORS, log.conversation(row.id), *caller})


def _message_readers(row: Row[Any]) -> frozenset[str]:
    return frozenset({log.conversation(row.conversation)})


def _visitor_state(row: Row[Any]) -> str:
    if row.state == ConversationState.CLOSED.value:
        return "closed"
    return "talking" if row.owner else "waiting"


def _visitor_callback(row: Row[Any]) -> dict[str, Any] | None:
    """Return what a customer's client shows of a call; None: there is nothing to say of one."""
    found = row.context.get(callbacks.MARK)
    if not found or row.state == ConversationState.CLOSED.value:
        return None
    if row.owner is not None and found["state"] != callbacks.Wish.ASKED:
        return None
    known = {name: found.get(name) for name in ("state", "number", "shown", "calls", "next_at")}
    return known if known["state"] in _SHOWN_WISHES else None


def _in_wrap_up(ids: Sequence[Id]) -> Work[set[Id]]:
    if not ids:
        return set()
    return {r.conversation for r in (yield _IN_WRAP_UP(ids))}


def snapshot_conversations(actor: Actor) -> Work[list[str]]:
    """Return what an actor's lists hold: own, and those of the own queues that are not closed."""
    mine = visible_in_lists(actor)
    rows = yield select(conversation.c.id).where(
        conversation.c.state != ConversationState.CLOSED.value, mine
    )
    return [r.id for r in rows]


def visible_in_lists(actor: Actor) -> ColumnElement[bool]:
    """Return the part of ``visible`` that lists show: own, and what nobody owns in own queues."""
    if Scope.DOMAIN in scopes(actor, Action.READ):
        return true()
    in_my_queues = conversation.c.queue.in_(sorted(actor.queues) or [""])
    return or_(mine(actor.id), conversation.c.owner.is_(None) & in_my_queues)


def snapshot_drafts(actor: Actor) -> Work[list[str]]:
    """Return the actor's drafts."""
    rows = yield select(draft.c.conversation).where(draft.c.agent == actor.id, draft.c.text != "")
    return [f"{r.conversation}:{actor.id}" for r in rows]


def timeline(
    actor: Actor, customer_conversations: Sequence[Id], before: tuple[Any, ...] | None, limit: int
) -> Work[list[Row[Any]]]:
    """Return the newest entries of some conversations before a place, newest first."""
    place = (message.c.occurred_at, message.c.received_at, message.c.id)
    query = (
        select(message)
        .join(conversation, conversation.c.id == message.c.conversation)
        .where(message.c.conversation.in_(customer_conversations), visible(actor))
        .order_by(*(c.desc() for c in place))
        .limit(limit)
    )
    if before is not None:
        query = query.where(tuple_(*place) < before)
    return list((yield query))


def customers(ids: Sequence[str]) -> Work[dict[str, View]]:
    """Render customers for the desks that have one of their conversations open."""
    found = yield from profile.bodies(ids)
    return {
        id: View(body["version"], frozenset({profile.audience(id)}), body)
        for id, body in found.items()
    }
