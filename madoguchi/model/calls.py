"""A call and its legs: the fold of what happened, in the order in which it happened.

Events come from providers, browsers and agents, late, doubled and in any order; :func:`fold` sorts
them, so that the order of arrival has no effect. Pure.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import permutations
from typing import Any

from madoguchi.model.ids import Id

CALLER = "customer"
"""The leg of the customer whose call it is."""


class Party(StrEnum):
    """As what somebody takes part."""

    CUSTOMER = "customer"
    AGENT = "agent"
    EXPERT = "expert"
    SUPERVISOR = "supervisor"
    NUMBER = "number"


class LegState(StrEnum):
    """Rung, in the call, or out of it."""

    RINGING = "ringing"
    CONNECTED = "connected"
    ENDED = "ended"


class CallState(StrEnum):
    """Nobody of the center is there, somebody is, or it is over."""

    WAITING = "waiting"
    TALKING = "talking"
    ENDED = "ended"


class Mode(StrEnum):
    """How a supervisor takes part: unheard, heard by the agents only, or by all."""

    LISTEN = "listen"
    WHISPER = "whisper"
    BARGE = "barge"


class Recording(StrEnum):
    """Whether the call is being recorded."""

    OFF = "off"
    ON = "on"
    PAUSED = "paused"


class Happened(StrEnum):
    """What an event says. ``data``: of BEGAN ``direction``; of RANG ``party`` and, where they are
    known, ``agent``, ``name``, ``address``, ``mode``, and ``hand_over`` where whoever is rung has
    the call once they answer; of BECAME ``party``; of HELD ``for`` which leg's sake; of VIDEO and
    SCREEN ``on``; of MODE ``mode``; of LEFT and ENDED ``why``; of ANSWERED ``step``, ``name``,
    ``value``; of RECORDING ``state``; of FAILED ``what`` the provider did not do to the ``leg``,
    and whether it is tried ``again``. DIALLED: the provider is asked to call a number, or has said
    under which name it does (``rung``). DROPPED: the sound of a leg is gone, and may come back.
    AGREED: the customer has said that it may be recorded; TOLD: they have heard that it is. HANDED:
    the center has left the call to a number.
    """

    BEGAN = "began"
    RANG = "leg.rang"
    DIALLED = "leg.dialled"
    CONNECTED = "leg.connected"
    BECAME = "leg.became"
    HELD = "leg.held"
    RESUMED = "leg.resumed"
    MUTED = "leg.muted"
    UNMUTED = "leg.unmuted"
    VIDEO = "leg.video"
    SCREEN = "leg.screen"
    MODE = "leg.mode"
    DROPPED = "leg.dropped"
    LEFT = "leg.ended"
    ANSWERED = "answered"
    AGREED = "agreed"
    TOLD = "told"
    RECORDING = "recording"
    HANDED = "handed"
    FAILED = "failed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class CallEvent:
    """One thing that happened; ``id`` is its source's, unique in the call, ``seq`` the source's
    counter among what happened at one moment.
    """

    id: str
    at: datetime
    kind: Happened
    leg: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)
    seq: int = 0

    @property
    def place(self) -> tuple[Any, ...]:
        """Where it stands among a call's events; what begins comes before what follows from it."""
        return (self.at, self.seq, _RANK[self.kind], self.id)


_RANK = {kind: rank for rank, kind in enumerate(Happened)}


@dataclass(frozen=True, slots=True)
class Leg:
    """One who takes part. ``held_for``: the time on hold that is over. ``dialled``: the provider
    was asked to call them, once; ``rung``: its name of that call. ``waits_for``: the leg for whose
    sake it is held. ``hands_over``: it has the call once it is there.
    """

    id: str
    party: Party
    state: LegState = LegState.RINGING
    agent: Id | None = None
    name: str = ""
    address: str = ""
    held: bool = False
    muted: bool = False
    dialled: bool = False
    rung: str = ""
    video: bool = False
    screen: bool = False
    mode: Mode | None = None
    why: str = ""
    waits_for: str = ""
    hands_over: bool = False
    rang_at: datetime | None = None
    connected_at: datetime | None = None
    held_at: datetime | None = None
    ended_at: datetime | None = None
    held_for: timedelta = timedelta(0)

    @property
    def live(self) -> bool:
        """Tell whether it is rung or in the call."""
        return self.state is not LegState.ENDED

    @property
    def there(self) -> bool:
        """Tell whether it is in the call."""
        return self.state is LegState.CONNECTED


@dataclass(frozen=True, slots=True)
class CallFacts:
    """A call as it stands after its events; ``answered_at``: when somebody first was there;
    ``trouble``: what its provider could not do last; ``handed``: it is a number's now.
    """

    direction: str = "in"
    state: CallState = CallState.WAITING
    why: str = ""
    legs: Mapping[str, Leg] = field(default_factory=dict)
    answers: tuple[Mapping[str, Any], ...] = ()
    agreed: bool = False
    handed: bool = False
    told: bool = False
    recording: Recording = Recording.OFF
    trouble: Mapping[str, Any] | None = None
    began_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None

    def of(self, party: Party) -> list[Leg]:
        """Return the living legs of a party, in the order in which they came."""
        return [leg for leg in self.legs.values() if leg.party is party and leg.live]

    def leg_of(self, agent: Id) -> Leg | None:
        """Return the living leg of an agent."""
        return next((leg for leg in self.legs.values() if leg.agent == agent and leg.live), None)

    @property
    def over(self) -> bool:
        """Tell whether the call has ended."""
        return self.state is CallState.ENDED


def fold(events: Iterable[CallEvent]) -> CallFacts:
    """Return what a call's events come to, whatever order they are given in, and how often."""
    once = {one.id: one for one in sorted(events, key=lambda one: one.place, reverse=True)}
    facts = CallFacts()
    for one in sorted(once.values(), key=lambda one: one.place):
        facts = _then(facts, one)
    return facts


def _then(facts: CallFacts, one: CallEvent) -> CallFacts:
    if one.kind in _OF_CALL:
        return _OF_CALL[one.kind](facts, one)
    if facts.over:
        return facts
    leg = facts.legs.get(one.leg)
    if one.kind is Happened.RANG:
        leg = leg or _rung(one)
    elif leg is None or not leg.live or (facts.handed and one.kind is Happened.HELD):
        return facts
    else:
        leg = _OF_LEG[one.kind](leg, one)
    legs = {**facts.legs, leg.id: leg}
    if not leg.live:
        # Who was held for a colleague's sake goes on when that colleague is gone.
        legs = {k: _resumed(v, one) if v.waits_for == leg.id else v for k, v in legs.items()}
    facts = replace(facts, legs=legs)
    here = any(each.there for each in facts.of(Party.CUSTOMER))
    if leg.hands_over and leg.there and here and not facts.handed:
        facts = _handed(facts, one)
    return _settled(facts, one)


def _settled(facts: CallFacts, one: CallEvent) -> CallFacts:
    """Return a call whose state follows from its legs."""
    customers = [leg for leg in facts.legs.values() if leg.party is Party.CUSTOMER]
    if customers and not any(leg.live for leg in customers):
        gone = "hung_up" if facts.answered_at else "abandoned"
        return _ended(facts, replace(one, data={"why": customers[-1].why or gone}))
    others = facts.of(Party.NUMBER) if facts.handed else _ours(facts)
    if facts.handed and not others:
        return _ended(facts, replace(one, data={"why": "hung_up"}))
    met = any(leg.there for leg in customers) and any(leg.there for leg in others)
    state = CallState.TALKING if met else CallState.WAITING
    answered = facts.answered_at or (one.at if met else None)
    return replace(facts, state=state, answered_at=answered)


def _ours(facts: CallFacts) -> list[Leg]:
    return [leg for leg in facts.legs.values() if leg.party in {Party.AGENT, Party.EXPERT}]


def _rung(one: CallEvent) -> Leg:
    data = one.data
    return Leg(
        one.leg,
        Party(data["party"]),
        agent=data.get("agent"),
        name=data.get("name", ""),
        address=data.get("address", ""),
        mode=Mode(data["mode"]) if data.get("mode") else None,
        video=bool(data.get("video")),
        hands_over=bool(data.get("hand_over")),
        rang_at=one.at,
    )


def _connected(leg: Leg, one: CallEvent) -> Leg:
    return leg if leg.there else replace(leg, state=LegState.CONNECTED, connected_at=one.at)


def _held(leg: Leg, one: CallEvent) -> Leg:
    if leg.held:
        return leg
    return replace(leg, held=True, held_at=one.at, waits_for=str(one.data.get("for", "")))


def _resumed(leg: Leg, one: CallEvent) -> Leg:
    if leg.held_at is None:
        return leg
    past = leg.held_for + (one.at - leg.held_at)
    return replace(leg, held=False, held_at=None, held_for=past, waits_for="")


def _dropped(leg: Leg, one: CallEvent) -> Leg:
    """Return a leg that is rung again: whoever it is may come in once more."""
    return replace(leg, state=LegState.RINGING, rang_at=one.at) if leg.there else leg


def _left(leg: Leg, one: CallEvent) -> Leg:
    why = str(one.data.get("why", ""))
    return replace(_resumed(leg, one), state=LegState.ENDED, ended_at=one.at, why=why)


_OF_LEG: Mapping[Happened, Callable[[Leg, CallEvent], Leg]] = {
    Happened.CONNECTED: _connected,
    Happened.DIALLED: lambda leg, one: replace(
        leg, dialled=True, rung=one.data.get("rung", leg.rung)
    ),
    Happened.BECAME: lambda leg, one: replace(leg, party=Party(one.data["party"])),
    Happened.HELD: _held,
    Happened.RESUMED: _resumed,
    Happened.MUTED: lambda leg, one: replace(leg, muted=True),
    Happened.UNMUTED: lambda leg, one: replace(leg, muted=False),
    Happened.VIDEO: lambda leg, one: replace(leg, video=bool(one.data["on"])),
    Happened.SCREEN: lambda leg, one: replace(leg, screen=bool(one.data["on"])),
    Happened.MODE: lambda leg, one: replace(leg, mode=Mode(one.data["mode"])),
    Happened.DROPPED: _dropped,
    Happened.LEFT: _left,
}


def _began(facts: CallFacts, one: CallEvent) -> CallFacts:
    if facts.began_at is not None:
        return facts
    return replace(facts, began_at=one.at, direction=str(one.data.get("direction", "in")))


def _ended(facts: CallFacts, one: CallEvent) -> CallFacts:
    if facts.over:
        return facts
    over = replace(one, data={"why": "over"})
    legs = {id: _left(leg, over) if leg.live else leg for id, leg in facts.legs.items()}
    why = str(one.data.get("why", ""))
    ended = replace(facts, state=CallState.ENDED, why=why, legs=legs, ended_at=one.at)
    return replace(ended, recording=Recording.OFF)


def _answered(facts: CallFacts, one: CallEvent) -> CallFacts:
    return replace(facts, answers=(*facts.answers, dict(one.data)))


def _recording(facts: CallFacts, one: CallEvent) -> CallFacts:
    return facts if facts.over else replace(facts, recording=Recording(one.data["state"]))


def _handed(facts: CallFacts, one: CallEvent) -> CallFacts:
    """Return a call that goes on between its customer and a number; the center has left it."""
    if facts.over or not any(leg.there for leg in facts.of(Party.NUMBER)):
        return facts
    gone = replace(one, data={"why": "handed_over"})
    stay = {Party.CUSTOMER, Party.NUMBER}
    legs = {
        id: leg if not leg.live else (_resumed if leg.party in stay else _left)(leg, gone)
        for id, leg in facts.legs.items()
    }
    return replace(facts, handed=True, recording=Recording.OFF, legs=legs)


_OF_CALL: Mapping[Happened, Callable[[CallFacts, CallEvent], CallFacts]] = {
    Happened.BEGAN: _began,
    Happened.ENDED: _ended,
    Happened.ANSWERED: _answered,
    Happened.AGREED: lambda facts, one: replace(facts, agreed=True),
    Happened.TOLD: lambda facts, one: replace(facts, told=True),
    Happened.RECORDING: _recording,
    Happened.HANDED: _handed,
    Happened.FAILED: lambda facts, one: replace(facts, trouble={**one.data, "at": one.at}),
}


def hears(facts: CallFacts) -> list[tuple[str, str]]:
    """Return who is to hear whom now, as (from leg, to leg); the one rule of sound.

    Who is held neither hears nor is heard. Supervisors hear all who talk; whispering they are heard
    by the agents, in a barge by all.
    """
    here = [leg for leg in facts.legs.values() if leg.there and not leg.held]
    return sorted((one.id, other.id) for one, other in permutations(here, 2) if _heard(one, other))


def _heard(one: Leg, other: Leg) -> bool:
    if one.muted:
        return False
    if one.party is not Party.SUPERVISOR or one.mode is Mode.BARGE:
        return True
    return one.mode is Mode.WHISPER and other.party is Party.AGENT
