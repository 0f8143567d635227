"""What agents and supervisors do in calls. Each act is one unit: the call is locked, what happened
is added, and the call is worked out anew.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from madoguchi.conversations import repository as conversations
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.visibility import allow
from madoguchi.model.calls import CallEvent, CallFacts, Happened, Leg, Mode, Party, Recording
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor
from madoguchi.security.audit import record
from madoguchi.security.permissions import Action, Forbidden, NotFound, may, require
from madoguchi.store.work import Work

MOST_LEGS = 5
"""So many people are in a call at most: everybody's browser is joined with everybody's. A customer,
an agent and a colleague leave room for supervisors.
"""

ASKED = (Party.EXPERT, Party.NUMBER)
"""Whom the call's agent asks, beside the customer: one at a time."""

Doing = Callable[["Act"], Sequence[CallEvent]]


@dataclass(frozen=True)
class Act:
    """A call under an actor's hands."""

    actor: Actor
    call: Call
    facts: CallFacts
    now: datetime
    new_id: Callable[[], Id]

    def event(self, kind: Happened, leg: str = "", **data: Any) -> CallEvent:
        """Return something that happens now."""
        return CallEvent(f"hub:{self.new_id()}", self.now, kind, leg, data)

    @property
    def mine(self) -> Leg:
        """The actor's living leg. Raises Refusal."""
        leg = self.facts.leg_of(self.actor.id)
        if leg is None:
            raise Refusal("not_in_call", "you do not take part in this call")
        return leg

    def lead(self) -> None:
        """Refuse whoever does not have the call."""
        if self.mine.party is not Party.AGENT:
            raise Refusal("not_your_call", "a colleague has this call")

    def leg(self, id: str) -> Leg:
        """Return a living leg of the call. Raises NotFound."""
        found = self.facts.legs.get(id)
        if found is None or not found.live:
            raise NotFound("leg")
        return found

    def guest(self, id: str) -> Leg:
        """Return a living leg that is the agent's to hold or let go: no supervisor's. Raises
        NotFound.
        """
        found = self.leg(id)
        if found.party is Party.SUPERVISOR:
            raise NotFound("leg")
        return found

    def customers(self) -> list[Leg]:
        """Return the customer's living leg, as a list."""
        return self.facts.of(Party.CUSTOMER)

    def room(self) -> None:
        """Refuse one more leg in a call that is full."""
        if sum(leg.live for leg in self.facts.legs.values()) >= MOST_LEGS:
            raise Refusal("call_full", f"at most {MOST_LEGS} take part in a call")


def act(
    actor: Actor,
    id: Id,
    doing: Doing,
    now: datetime,
    new_id: Callable[[], Id],
    audit: tuple[str, dict[str, Any]] | None = None,
) -> Work[Call]:
    """Let an actor do something in a call; return the call after it.

    Raises NotFound, Forbidden, Refusal.
    """
    found = yield from repository.by_ids([id], lock=True)
    if id not in found:
        raise NotFound("call")
    call = found[id]
    yield from _seen(actor, call)
    if call.facts.over:
        raise Refusal("call_over", "the call has ended")
    after = call.after(*doing(Act(actor, call, call.facts, now, new_id)))
    yield from repository.save({id: call}, [after], now)
    if audit is not None:
        yield record(actor, audit[0], f"call:{id}", audit[1], now)
    return after


def _seen(actor: Actor, call: Call) -> Work[None]:
    """Refuse whoever may not see a call: it takes part in, or its conversation is in sight."""
    if any(leg.agent == actor.id for leg in call.facts.legs.values()):
        return
    found = yield from conversations.by_ids([call.conversation])
    if call.conversation not in found:
        raise NotFound("call")
    try:
        yield from allow(actor, Action.READ, found[call.conversation])
    except Forbidden as why:
        raise NotFound("call") from why


def look(actor: Actor, id: Id) -> Work[Call]:
    """Return a call that an actor may see. Raises NotFound."""
    found = yield from repository.by_ids([id])
    if id not in found:
        raise NotFound("call")
    yield from _seen(actor, found[id])
    return found[id]


def own(kind: Happened, leg: str, **data: Any) -> Doing:
    """Return what somebody does to their own leg."""

    def doing(one: Act) -> list[CallEvent]:
        if one.mine.id != leg:
            raise Refusal("not_your_leg", "this is another one's part of the call")
        return [one.event(kind, leg, **data)]

    return doing


def led(kind: Happened, leg: str) -> Doing:
    """Return what the call's agent does to somebody's leg: hold, or let them go on."""

    def doing(one: Act) -> list[CallEvent]:
        one.lead()
        return [one.event(kind, one.guest(leg).id)]

    return doing


def leave(leg: str) -> Doing:
    """Return that somebody leaves, or that the call's agent lets somebody go."""

    def doing(one: Act) -> list[CallEvent]:
        gone = one.leg(leg)
        if one.mine.id != leg:
            one.lead()
            one.guest(leg)
        if gone.party is Party.AGENT:
            return [one.event(Happened.ENDED, why="hung_up")]
        return [one.event(Happened.LEFT, leg, why="left" if one.mine.id == leg else "let_go")]

    return doing


def consult(agent: Id) -> Doing:
    """Return that the call's agent asks a colleague, while the customer is held."""

    def doing(one: Act) -> list[CallEvent]:
        one.lead()
        if one.facts.leg_of(agent) is not None:
            raise Refusal("already_in_call", "they take part already")
        return _beside(one, party=Party.EXPERT.value, agent=agent)

    return doing


def bring_in(number: str, *, hand_over: bool) -> Doing:
    """Return that the call's agent calls a number into it, while the customer is held;
    ``hand_over``: whoever answers there has the call from then on.
    """

    def doing(one: Act) -> list[CallEvent]:
        one.lead()
        if not one.mine.there or not any(each.there for each in one.customers()):
            raise Refusal("nobody_there", "you and the customer are not both in the call")
        more = {"hand_over": True} if hand_over else {}
        return _beside(one, party=Party.NUMBER.value, address=number, **more)

    return doing


def _beside(one: Act, **who: Any) -> list[CallEvent]:
    """Return that one more is rung, for whose sake the customer is held."""
    if any(one.facts.of(party) for party in ASKED):
        raise Refusal("call_full", "one is asked at a time")
    leg = one.new_id()
    held = [each for each in one.customers() if not each.held]
    holds = [one.event(Happened.HELD, each.id, **{"for": leg}) for each in held]
    return [*holds, one.event(Happened.RANG, leg, **who)]


def consulted(one: CallFacts) -> Leg:
    """Return the colleague, or the number, that was asked and has answered. Raises Refusal."""
    legs = [leg for party in ASKED for leg in one.of(party)]
    found = next((leg for leg in legs if leg.there), None)
    if found is None:
        raise Refusal("nobody_consulted", "nobody who was asked is in the call")
    return found


def hand_over(one: Act) -> list[CallEvent]:
    """Return that the number that was asked has the call; the center leaves it."""
    one.lead()
    consulted(one.facts)
    return [one.event(Happened.HANDED)]


def conference(one: Act) -> list[CallEvent]:
    """Return that all who are in the call talk with each other."""
    one.lead()
    consulted(one.facts)
    return [
        one.event(Happened.RESUMED, leg.id)
        for leg in one.facts.legs.values()
        if leg.live and leg.held
    ]


def supervise(mode: Mode) -> Doing:
    """Return that a supervisor joins, or hears and is heard in another way from now on."""

    def doing(one: Act) -> list[CallEvent]:
        require(one.actor, Action.SUPERVISE)
        if one.facts.handed:
            raise Refusal("call_over", "the center has left this call")
        leg = one.facts.leg_of(one.actor.id)
        if leg is not None and leg.party is not Party.SUPERVISOR:
            raise Refusal("already_in_call", "you take part already")
        if leg is not None:
            return [one.event(Happened.MODE, leg.id, mode=mode.value)]
        one.room()
        party, agent = Party.SUPERVISOR.value, one.actor.id
        return [one.event(Happened.RANG, one.new_id(), party=party, agent=agent, mode=mode.value)]

    return doing


def recording(state: Recording) -> Doing:
    """Return that the call's agent pauses its recording, or lets it go on; never that of a call
    which is not to be recorded.
    """

    def doing(one: Act) -> list[CallEvent]:
        one.lead()
        if one.facts.recording is Recording.OFF:
            raise Refusal("not_recorded", "this call is not recorded")
        return [one.event(Happened.RECORDING, state=state.value)]

    return doing


def hang_up(one: Act) -> list[CallEvent]:
    """Return that the call's agent, or a supervisor, ends it for all."""
    leg = one.facts.leg_of(one.actor.id)
    if leg is not None and leg.party is Party.AGENT:
        return [one.event(Happened.ENDED, why="hung_up")]
    if not may(one.actor, Action.SUPERVISE):
        one.lead()
    return [one.event(Happened.ENDED, why="ended_by_supervisor")]
