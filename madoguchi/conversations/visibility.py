"""``visible(actor)``: the SQL side of the permission table, for lists, timelines and searches."""

from sqlalchemy import ColumnElement, exists, false, or_, select, true

from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.conversation import UNFINISHED, Conversation, ConversationState, ItemKind
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, Facts, NotFound, Scope, may, require, scopes
from madoguchi.store.hot import constant
from madoguchi.store.work import Work
from unified_profile.tables import customer_of


def visible(actor: Actor) -> ColumnElement[bool]:
    """Return the condition on ``conversation`` rows that the actor may read.

    Owning one open conversation shows all of that customer's.
    """
    held = scopes(actor, Action.READ)
    if Scope.DOMAIN in held:
        return true()
    allowed: list[ColumnElement[bool]] = [false()]
    if Scope.QUEUE in held and actor.queues:
        allowed.append(conversation.c.queue.in_(sorted(actor.queues)))
    if Scope.OWN in held:
        allowed += [mine(actor.id), _of_my_customers(actor.id)]
    return or_(*allowed)


def mine(agent: Id) -> ColumnElement[bool]:
    """Return the condition on ``conversation`` rows that an agent has them, or their call."""
    call = (
        exists()
        .where(
            work_item.c.conversation == conversation.c.id,
            work_item.c.kind == constant(ItemKind.CALL),
            work_item.c.owner == agent,
            or_(*(work_item.c.state == constant(state) for state in UNFINISHED)),
        )
        .correlate(conversation)
    )
    return or_(conversation.c.owner == agent, call)


_MINE = conversation.alias("mine")
_MY_POINTER = customer_of.alias("my_pointer")
_POINTER = customer_of.alias("pointer")
_OF_OPEN_ONES = (
    select(_POINTER.c.identity)
    .join(_MY_POINTER, _MY_POINTER.c.customer == _POINTER.c.customer)
    .join(_MINE, _MINE.c.identity == _MY_POINTER.c.identity)
    .where(_MINE.c.state != ConversationState.CLOSED.value)
)


def _of_my_customers(agent: Id) -> ColumnElement[bool]:
    return conversation.c.identity.in_(_OF_OPEN_ONES.where(_MINE.c.owner == agent))


def facts(one: Conversation) -> Facts:
    """Return what ``may`` asks of a conversation."""
    return Facts(frozenset({one.owner} if one.owner else ()), one.queue)


def seen_by(actor: Actor, id: Id) -> Work[None]:
    """Raise NotFound unless the actor may read a conversation."""
    rows = yield select(conversation.c.id).where(conversation.c.id == id, visible(actor))
    if not rows:
        raise NotFound("conversation")


def allow(actor: Actor, action: Action, one: Conversation, owner: Id | None = None) -> Work[None]:
    """Raise NotFound when the actor may not see it, Forbidden when they may not do this to it.

    ``owner``: who has the work that it is about, where that may be another than the conversation's.
    """
    if may(actor, action, facts(one)) or may(actor, action, Facts(frozenset({owner or ""}))):
        return
    yield from seen_by(actor, one.id)
    require(actor, action, facts(one))
