"""What agents do to conversations: reply, note, draft, see, close. The only writer besides
:mod:`madoguchi.conversations.receive`.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import select, tuple_, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.conversations import repository, telling
from madoguchi.conversations.decide import preview
from madoguchi.conversations.tables import conversation, draft
from madoguchi.conversations.tables import message as message_table
from madoguchi.conversations.visibility import allow
from madoguchi.model import log
from madoguchi.model.channels import Line
from madoguchi.model.conversation import (
    Author,
    Conversation,
    ConversationState,
    Direction,
    Message,
    MessageState,
    Part,
    Visibility,
)
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import Entity, LogEntry
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, NotFound
from madoguchi.store.log import append
from madoguchi.store.work import Conflict, Work
from unified_profile import service as profile
from unified_profile.tables import customer_of

Mode = Literal["reply", "note"]


class Refusal(Exception):
    """The conversation is not in a state for this; ``code`` is for programs."""

    def __init__(self, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Recipient:
    """Another address of the customer, and the account that it is reached by."""

    identity: Id
    line: Line


@dataclass(frozen=True, slots=True)
class Text:
    """What somebody wants to say: the client's own message id makes a repeated send one send.

    ``to`` None: to the address that wrote last, by the conversation's own account.
    """

    conversation: Id
    mode: Mode
    parts: tuple[Part, ...]
    id: Id | None = None
    newest: Id | None = None
    to: Recipient | None = None


def say(
    actor: Actor, text: Text, *, stream: bool, now: datetime, new_id: Callable[[], Id]
) -> Work[Message]:
    """Store a reply or an internal note; return the message.

    ``stream``: the customer's client reads the log, so no outbox row is needed. A message id that
    exists already gives that message back. ``text.newest`` is the newest message that the author
    has seen; a colleague's answer after it is refused (``newer_answer``), and what the customer has
    written after it stays unread and unanswered.

    Raises NotFound, Forbidden, Refusal.
    """
    one = yield from _locked(text.conversation)
    action = Action.REPLY if text.mode == "reply" else Action.NOTE
    yield from allow(actor, action, one)
    if text.id is not None:
        there = yield from repository.messages_by_ids([text.id])
        if text.id in there:
            return _same(there[text.id], actor, one)
    if text.mode == "note":
        return (yield from _note(actor, one, text, now, new_id))
    if one.state is ConversationState.CLOSED:
        raise Refusal("closed", "the conversation has ended")
    if text.to is not None:
        yield from _check_recipient(one, text.to)
    unseen = Unseen()
    if text.newest is not None:
        unseen = yield from _come_since(actor, one, text.newest)
    return (yield from _reply(actor, one, text, unseen, stream, now, new_id))


def _locked(id: Id) -> Work[Conversation]:
    found = yield from repository.by_ids([id], lock=True)
    if id not in found:
        raise NotFound("conversation")
    return found[id]


def _same(there: Message, actor: Actor, one: Conversation) -> Message:
    if there.conversation != one.id or there.agent != actor.id:
        raise Refusal("id_taken", "another message has this id")
    return there


def _check_recipient(one: Conversation, to: Recipient) -> Work[None]:
    """Refuse an address that is not known to be this customer's, or that the account does not
    reach. Part of the sending transaction: customers are merged and split meanwhile.
    """
    customer = (yield from profile.customers_of([one.identity]))[one.identity].id
    known = (yield from profile.bodies([customer]))[customer]["identities"]
    reached = {
        each["id"]
        for each in known
        if (each["verified"] or each["linked"]) and each["scheme"] in to.line.capabilities.reaches
    }
    if to.identity not in reached or to.line.account.paused:
        raise Refusal("not_reachable", "this address cannot be written to from here")


@dataclass(frozen=True, slots=True)
class Unseen:
    """The customer's texts that an author had not before their eyes: how many, since when."""

    count: int = 0
    since: datetime | None = None


def _come_since(actor: Actor, one: Conversation, newest: Id) -> Work[Unseen]:
    """Return what has come after the newest message that the author saw. Raises Refusal when a
    colleague has answered after it.
    """
    table = message_table
    place = (table.c.occurred_at, table.c.received_at, table.c.id)
    seen = yield select(*place).where(table.c.id == newest, table.c.conversation == one.id)
    if not seen:
        return Unseen()
    yield from _nobody_was_faster(actor, one, tuple(seen[0]))
    # In the order in which they came to us: one that is late stands above what the author saw.
    came = (table.c.received_at, table.c.id)
    rows = yield (
        select(table.c.received_at)
        .where(
            table.c.conversation == one.id,
            table.c.author == Author.CUSTOMER.value,
            tuple_(*came) > (seen[0].received_at, seen[0].id),
        )
        .order_by(*came)
    )
    return Unseen(len(rows), rows[0].received_at) if rows else Unseen()


def _nobody_was_faster(actor: Actor, one: Conversation, seen: tuple[Any, ...]) -> Work[None]:
    """Refuse when a colleague has answered after a place in the timeline."""
    table = message_table
    place = (table.c.occurred_at, table.c.received_at, table.c.id)
    rows = yield (
        select(table.c.id)
        .where(
            table.c.conversation == one.id,
            table.c.direction == Direction.OUT.value,
            table.c.visibility == Visibility.PUBLIC.value,
            table.c.agent != actor.id,
            tuple_(*place) > seen,
        )
        .order_by(*(column.desc() for column in place))
        .limit(1)
    )
    if rows:
        raise Refusal("newer_answer", "a colleague has answered meanwhile", message=rows[0].id)


def _written(
    actor: Actor, one: Conversation, text: Text, now: datetime, new_id: Callable[[], Id]
) -> Message:
    public = text.mode == "reply"
    to = text.to
    return Message(
        id=text.id or new_id(),
        conversation=one.id,
        author=Author.AGENT,
        direction=Direction.OUT,
        visibility=Visibility.PUBLIC if public else Visibility.INTERNAL,
        channel=to.line.account.channel if to else one.channel,
        account=(to.line.account.id if to else one.account) if public else None,
        identity=(to.identity if to else one.identity) if public else None,
        agent=actor.id,
        parts=text.parts,
        state=MessageState.SENT,
        provider_at=None,
        received_at=now,
    )


def _note(
    actor: Actor, one: Conversation, text: Text, now: datetime, new_id: Callable[[], Id]
) -> Work[Message]:
    message = _written(actor, one, text, now, new_id)
    yield repository.insert_messages([message])
    yield from _forget_draft(actor, one, text.mode, now)
    yield append([telling.message_changed(message, _widget(one), now, "message.noted")])
    return message


def _reply(
    actor: Actor,
    one: Conversation,
    text: Text,
    unseen: Unseen,
    stream: bool,
    now: datetime,
    new_id: Callable[[], Id],
) -> Work[Message]:
    message = _written(actor, one, text, now, new_id)
    if not stream:
        message = replace(message, state=MessageState.QUEUED)
    answered = _answered(one, message, unseen, now)
    items = yield from repository.unfinished_items([one.id])
    # The router hears of an answer; whoever still waits for one has got none.
    item = items[one.id].id if one.id in items and not unseen.count else None
    yield repository.insert_messages([message])
    yield repository.update_conversations([answered])
    if not stream:
        yield repository.enqueue([message], now)
    yield from _forget_draft(actor, one, text.mode, now)
    yield append(
        [
            telling.conversation_changed(answered, now),
            telling.message_changed(
                message, _widget(one), now, "message.sent", item=item, agent=actor.id
            ),
        ]
    )
    return message


def _answered(one: Conversation, message: Message, unseen: Unseen, now: datetime) -> Conversation:
    shown = replace(
        one,
        preview=preview(message),
        preview_author=Author.AGENT,
        last_at=now,
        version=one.version + 1,
    )
    if unseen.count:
        seen_seq = max(one.seen_seq, one.inbound_seq - unseen.count)
        return replace(shown, unanswered_since=unseen.since, seen_seq=seen_seq)
    return replace(
        shown,
        state=ConversationState.WAITING_CUSTOMER,
        unanswered_since=None,
        seen_to=now,
        seen_seq=one.inbound_seq,
    )


def _widget(one: Conversation) -> str:
    return log.visitor(one.account, one.thread)


@dataclass(frozen=True, slots=True)
class Draft:
    """What an agent has begun to write."""

    conversation: Id
    mode: Mode
    text: str
    version: int = 0


def keep_draft(actor: Actor, one: Draft, now: datetime) -> Work[int]:
    """Store a draft, the last writer wins; return its version. An empty one is deleted."""
    found = yield from _locked(one.conversation)
    yield from allow(actor, Action.NOTE, found)
    if not one.text:
        yield from _forget_draft(actor, found, None, now)
        return 0
    row = insert(draft).values(
        conversation=one.conversation,
        agent=actor.id,
        domain=DOMAIN,
        mode=one.mode,
        text=one.text,
        at=now,
        version=1,
    )
    rows = yield row.on_conflict_do_update(
        index_elements=["conversation", "agent"],
        set_={"mode": one.mode, "text": one.text, "at": now, "version": draft.c.version + 1},
    ).returning(draft.c.version)
    yield append([_draft_entry(actor, one.conversation, rows[0].version, now)])
    return int(rows[0].version)


def _forget_draft(actor: Actor, one: Conversation, mode: Mode | None, now: datetime) -> Work[None]:
    mine = (draft.c.conversation == one.id) & (draft.c.agent == actor.id)
    if mode is not None:
        mine &= draft.c.mode == mode
    # The row stays: the next draft's version has to be higher than any that a desk has seen.
    gone = yield (
        update(draft)
        .where(mine, draft.c.text != "")
        .values(text="", at=now, version=draft.c.version + 1)
        .returning(draft.c.version)
    )
    if gone:
        yield append([_draft_entry(actor, one.id, gone[0].version, now)])


def _draft_entry(actor: Actor, id: Id, version: int, now: datetime) -> LogEntry:
    return LogEntry(
        "draft.changed", Entity.DRAFT, f"{id}:{actor.id}", version, (log.agent(actor.id),), now
    )


def see(actor: Actor, id: Id, inbound_seq: int, now: datetime) -> Work[None]:
    """The owner's visible desk has shown the customer's messages up to ``inbound_seq``."""
    one = yield from _locked(id)
    yield from allow(actor, Action.READ, one)
    if one.owner != actor.id or inbound_seq <= one.seen_seq or inbound_seq > one.inbound_seq:
        return
    to = one.inbound_at if inbound_seq == one.inbound_seq else one.seen_to
    seen = replace(one, seen_seq=inbound_seq, seen_to=to, version=one.version + 1)
    yield repository.update_conversations([seen])
    yield append([telling.conversation_changed(seen, now)])


def rename(actor: Actor, id: Id, subject: str, now: datetime) -> Work[None]:
    """Give the matter a name."""
    one = yield from _locked(id)
    yield from allow(actor, Action.NOTE, one)
    named = replace(one, subject=subject, version=one.version + 1)
    yield repository.update_conversations([named])
    yield append([telling.conversation_changed(named, now)])


def check_end(actor: Actor, id: Id, inbound_seq: int) -> Work[Conversation]:
    """Return the conversation if it may end now.

    Refused (``newer_inbound``) when the customer has written what this desk has not shown.
    """
    one = yield from _locked(id)
    yield from allow(actor, Action.END, one)
    if one.state is ConversationState.CLOSED:
        raise Refusal("closed", "the conversation has ended already")
    if one.inbound_seq > inbound_seq:
        raise Refusal(
            "newer_inbound", "the customer has written since", inbound_seq=one.inbound_seq
        )
    return one


def hold(*groups: Iterable[Id]) -> Work[None]:
    """Lock what is going to be changed group by group: all at once, in id order, as the lanes do.

    One group locks its own in that order anyway.
    """
    several = [ids for group in groups if (ids := set(group))]
    together = set().union(*several)
    if len(several) > 1 and len(together) > 1:
        yield from repository.by_ids(together, lock=True)


def owned(owners: dict[Id, Id | None], now: datetime) -> Work[None]:
    """The router says who owns conversations; a former owner stays ``last_owner``.

    Part of the router's transaction.
    """
    found = yield from repository.by_ids(owners, lock=True)
    changed = []
    for id, one in found.items():
        owner = owners[id]
        if owner == one.owner:
            continue
        last = owner or one.owner or one.last_owner
        told = replace(one, owner=owner, last_owner=one.owner or last, version=one.version + 1)
        yield (
            update(conversation)
            .where(conversation.c.id == id)
            .values(owner=owner, last_owner=last, version=told.version)
        )
        entry = telling.conversation_changed(told, now)
        heard = {*entry.audience, log.queue(told.queue)}
        changed.append(replace(entry, audience=tuple(sorted(heard))))
    yield append(changed)


def moved(queues: dict[Id, str], now: datetime) -> Work[None]:
    """Conversations belong to another queue after a transfer; part of the router's transaction."""
    found = yield from repository.by_ids(queues, lock=True)
    entries = []
    changed = []
    for id, one in found.items():
        if one.queue == queues[id]:
            continue
        new = replace(one, queue=queues[id], version=one.version + 1)
        changed.append(new)
        entry = telling.conversation_changed(new, now)
        entries.append(replace(entry, audience=(*entry.audience, log.queue(one.queue))))
    yield repository.update_conversations(changed)
    yield append(entries)


def hold_people(customers: Sequence[Id]) -> Work[None]:
    """Lock the open conversations of customers who are going to be written: the lanes lock a
    conversation before its customer, too.

    Raises Conflict when one more came to them before all were locked: it would be locked too late.
    """
    theirs = (
        select(conversation.c.id)
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .where(
            customer_of.c.customer.in_(customers),
            conversation.c.state != ConversationState.CLOSED.value,
        )
    )
    found = {r.id for r in (yield theirs)}
    yield from repository.by_ids(found, lock=True)
    if not {r.id for r in (yield theirs)} <= found:
        raise Conflict("a conversation came to these customers meanwhile")


def touch_customers(identities: Sequence[Id], now: datetime) -> Work[None]:
    """Tell open conversations of some identities that their customer is another one now."""
    rows = yield select(conversation.c.id).where(
        conversation.c.identity.in_(identities),
        conversation.c.state != ConversationState.CLOSED.value,
    )
    yield from tell_again([r.id for r in rows], now)


def tell_again(ids: Sequence[Id], now: datetime) -> Work[None]:
    """Tell conversations whose view changed with their work item or their customer."""
    if not ids:
        return
    yield from repository.by_ids(ids, lock=True)
    yield (
        update(conversation)
        .where(conversation.c.id.in_(sorted(set(ids))))
        .values(version=conversation.c.version + 1)
    )
    found = yield from repository.by_ids(ids)
    yield append([telling.conversation_changed(one, now) for one in found.values()])
