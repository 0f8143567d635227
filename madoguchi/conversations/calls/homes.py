"""Where a call to a number belongs: in a conversation of its customer, or in a new one."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from madoguchi.conversations import repository as conversations
from madoguchi.conversations import telling
from madoguchi.conversations.tables import conversation
from madoguchi.conversations.visibility import visible
from madoguchi.model.channels import Account
from madoguchi.model.conversation import Conversation, ConversationState
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor, Address, Scheme
from madoguchi.security.permissions import Action, Facts, may, require
from madoguchi.store.log import append
from madoguchi.store.work import Work
from unified_profile.resolver import Claim
from unified_profile.service import known_to, meet
from unified_profile.tables import customer_of

_OPEN = conversation.c.state != ConversationState.CLOSED.value


def thread_of(number: str) -> str:
    """Return the thread of everybody who calls from a number, and whom we call there."""
    return f"{Scheme.PHONE.value}:{number}"


def who(actor: Actor, number: str) -> Work[dict[str, Any] | None]:
    """Return the customer of a number; None: nobody, or nobody whom the actor may know."""
    known = yield from known_to([_claim(number, "")])
    customer = next(iter(known.customers.values()), None)
    if customer is None:
        return None
    rows = yield _of_customer(customer.id).where(visible(actor)).limit(1)
    return {"id": customer.id, "name": customer.name} if rows else None


def home(
    actor: Actor, account: Account, number: str, now: datetime, new_id: Callable[[], Id]
) -> Work[tuple[Id, bool]]:
    """Return the conversation in which a number is called, and whether it is new: the open one of
    the number's line, else an open one of its customer that the actor has or may pull. Raises
    Forbidden: the actor serves no queue.
    """
    claim = _claim(number, account.language)
    people = yield from meet([claim], (yield from known_to([claim])), now, new_id)
    identity, customer = people[claim.address]
    line = and_(conversation.c.account == account.id, conversation.c.thread == thread_of(number))
    free = or_(conversation.c.owner == actor.id, conversation.c.owner.is_(None))
    rows = yield (
        _of_customer(customer.id)
        .where(_OPEN, or_(line, and_(free, visible(actor))))
        .order_by(line.desc(), conversation.c.owner.is_(None), conversation.c.last_at.desc())
        .limit(1)
    )
    if rows:
        return rows[0].id, False
    one = Conversation(
        id=new_id(),
        number=(yield from conversations.next_numbers(1)),
        account=account.id,
        channel=account.channel,
        thread=thread_of(number),
        identity=identity.id,
        state=ConversationState.OPEN,
        queue=_queue(actor, account),
        language=account.language,
        created_at=now,
        last_at=now,
    )
    yield conversations.insert_conversations([one])
    yield append([telling.conversation_changed(one, now)])
    return one.id, True


def _claim(number: str, language: str) -> Claim:
    return Claim(Address(Scheme.PHONE, number), False, "", language)


def _of_customer(customer: Id) -> Any:
    return (
        select(conversation.c.id)
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .where(customer_of.c.customer == customer)
    )


def _queue(actor: Actor, account: Account) -> str:
    """Return the queue of a new conversation: the account's, where the actor serves it."""
    own = Facts(frozenset(), account.queue)
    if may(actor, Action.PULL, own) or not actor.queues:
        require(actor, Action.PULL, own)
        return account.queue
    return min(actor.queues)
