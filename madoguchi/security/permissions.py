"""Permission = action × scope. One table, read by ``may`` here and by ``visible`` in SQL."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from madoguchi.model.ids import Id
from madoguchi.model.people import Actor, Role


class Action(StrEnum):
    """What somebody may be allowed to do."""

    READ = "conversation.read"
    REPLY = "conversation.reply"
    NOTE = "conversation.note"
    PULL = "conversation.pull"
    TRANSFER = "conversation.transfer"
    END = "conversation.end"
    REASSIGN = "conversation.reassign"
    LINK = "customer.link"
    SELF = "agent.self"
    STEER = "agent.steer"
    WATCH = "board.watch"
    SUPERVISE = "call.supervise"
    CLOSE = "queue.close"
    TUNE = "queue.tune"
    CONFIGURE = "config.write"
    SEE_CONFIG = "config.read"
    DEAD_LETTERS = "deadletters"
    AUDIT = "audit.read"


class Scope(StrEnum):
    """How far an action reaches."""

    OWN = "own"
    QUEUE = "queue"
    DOMAIN = "domain"


GRANTS: Mapping[Role, Mapping[Action, frozenset[Scope]]] = {
    Role.AGENT: {
        Action.READ: frozenset({Scope.OWN, Scope.QUEUE}),
        Action.REPLY: frozenset({Scope.OWN}),
        Action.NOTE: frozenset({Scope.OWN, Scope.QUEUE}),
        Action.PULL: frozenset({Scope.QUEUE}),
        Action.TRANSFER: frozenset({Scope.OWN, Scope.QUEUE}),
        Action.END: frozenset({Scope.OWN}),
        Action.LINK: frozenset({Scope.OWN, Scope.QUEUE}),
        Action.SELF: frozenset({Scope.OWN}),
        Action.SEE_CONFIG: frozenset({Scope.DOMAIN}),
    },
    Role.SUPERVISOR: {
        Action.READ: frozenset({Scope.DOMAIN}),
        Action.REPLY: frozenset({Scope.DOMAIN}),
        Action.NOTE: frozenset({Scope.DOMAIN}),
        Action.PULL: frozenset({Scope.DOMAIN}),
        Action.TRANSFER: frozenset({Scope.DOMAIN}),
        Action.END: frozenset({Scope.DOMAIN}),
        Action.REASSIGN: frozenset({Scope.DOMAIN}),
        Action.LINK: frozenset({Scope.DOMAIN}),
        Action.SELF: frozenset({Scope.OWN}),
        Action.STEER: frozenset({Scope.DOMAIN}),
        Action.WATCH: frozenset({Scope.DOMAIN}),
        Action.SUPERVISE: frozenset({Scope.DOMAIN}),
        Action.CLOSE: frozenset({Scope.DOMAIN}),
        Action.TUNE: frozenset({Scope.DOMAIN}),
        Action.SEE_CONFIG: frozenset({Scope.DOMAIN}),
    },
    Role.ADMINISTRATOR: {
        Action.CONFIGURE: frozenset({Scope.DOMAIN}),
        Action.CLOSE: frozenset({Scope.DOMAIN}),
        Action.TUNE: frozenset({Scope.DOMAIN}),
        Action.SEE_CONFIG: frozenset({Scope.DOMAIN}),
        Action.DEAD_LETTERS: frozenset({Scope.DOMAIN}),
        Action.AUDIT: frozenset({Scope.DOMAIN}),
    },
}


class Forbidden(Exception):
    """The actor sees the object but may not do this to it (403)."""


class NotFound(Exception):
    """There is no such object, or not for this actor (404)."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What ``may`` needs to know of an object: its owners and its queue."""

    owners: frozenset[Id] = frozenset()
    queue: str | None = None


def scopes(actor: Actor, action: Action) -> frozenset[Scope]:
    """Return every scope at which an actor may do something."""
    found: frozenset[Scope] = frozenset()
    for role in actor.roles:
        found |= GRANTS[role].get(action, frozenset())
    return found


def may(actor: Actor, action: Action, facts: Facts | None = None) -> bool:
    """Tell whether an actor may do something to an object (None: to anything at all)."""
    held = scopes(actor, action)
    if facts is None or Scope.DOMAIN in held:
        return bool(held)
    if Scope.OWN in held and actor.id in facts.owners:
        return True
    return Scope.QUEUE in held and facts.queue in actor.queues


def require(actor: Actor, action: Action, facts: Facts | None = None) -> None:
    """Raise Forbidden unless ``may``."""
    if not may(actor, action, facts):
        raise Forbidden(action.value)
