"""Who serves each queue: agents by state, and how much of their time work has taken; pure.

occupancy = time with work or wrap-up ÷ (that time + time available without any)

of today. Time with work counts whatever the presence is: who works on while away is occupied. Time
away without work counts nowhere. A queue's occupancy is that of all who serve it, together, so an
agent who serves two queues counts in both. Sums are kept as agents change; nothing here looks
at all agents but the turn of the day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from madoguchi.model.routing import Activity, AgentFacts, Load, Presence

EVERYBODY = ""
"""No queue's key: under it all agents are counted, each once."""


class Sign(StrEnum):
    """What stands beside an agent's name: activity while there is one, else the presence.

    ``lost``: no desk of theirs is connected though they have not signed out.
    """

    available = "available"
    busy = "busy"
    wrap_up = "wrap_up"
    away = "away"
    missed = "missed"
    lost = "lost"
    offline = "offline"


def sign_of(facts: AgentFacts, load: Load) -> Sign:
    """Return the one state of an agent, as desks show it."""
    if facts.presence is Presence.missed:
        return Sign.missed
    if facts.presence is Presence.offline:
        return Sign.offline
    if facts.disconnected_since is not None:
        return Sign.lost
    if load.activity is not Activity.idle:
        return Sign(load.activity.value)
    return Sign(facts.presence.value)


def spends(facts: AgentFacts | None, load: Load) -> Activity | None:
    """Return as what an agent's time counts: busy, wrap-up, idle while available, else None."""
    if facts is None:
        return None
    if load.activity is not Activity.idle:
        return load.activity
    return Activity.idle if facts.presence is Presence.available else None


@dataclass(slots=True)
class Spent:
    """Time of today in µs, as far as it is known at any moment: handled + handling × moment, and
    the same for what was free.
    """

    handled: int = 0
    handling: int = 0
    free: int = 0
    idle: int = 0

    def begin(self, activity: Activity | None, at: int, sign: int = 1) -> None:
        """Begin to count a time as what it is; ``sign`` −1: end it."""
        if activity is Activity.idle:
            self.free -= sign * at
            self.idle += sign
        elif activity is not None:
            self.handled -= sign * at
            self.handling += sign

    def add(self, other: Spent, sign: int) -> None:
        """Add (+1) or take away (−1) somebody's time."""
        self.handled += sign * other.handled
        self.handling += sign * other.handling
        self.free += sign * other.free
        self.idle += sign * other.idle

    def move(self, leap: int) -> None:
        """Follow a clock that was set: what is past stays as long as it was."""
        self.handled -= self.handling * leap
        self.free -= self.idle * leap

    def occupancy(self, at: int) -> float | None:
        """Return the share of work in whole hundredths, None before there is any time."""
        handled = self.handled + self.handling * at
        whole = handled + self.free + self.idle * at
        return round(handled / whole, 2) if whole > 0 else None


@dataclass(slots=True)
class _Crew:
    """Those who serve one queue."""

    signs: Counter[Sign] = field(default_factory=Counter)
    spent: Spent = field(default_factory=Spent)


@dataclass(slots=True)
class _Member:
    queues: frozenset[str]
    sign: Sign
    activity: Activity | None
    spent: Spent


class Staff:
    """All agents of a domain; instants are µs of the engine's clock."""

    def __init__(self) -> None:
        self._members: dict[str, _Member] = {}
        self._crews: dict[str, _Crew] = {}
        self.changed: set[str] = set()

    @property
    def agents(self) -> Iterable[str]:
        """Everybody who is counted."""
        return self._members.keys()

    def stands(
        self, agent: str, queues: frozenset[str], sign: Sign, activity: Activity | None, at: int
    ) -> None:
        """Take in where an agent stands from a moment on."""
        member = self._members.get(agent)
        if member is None:
            member = self._members[agent] = _Member(queues, sign, None, Spent())
        elif (member.queues, member.sign, member.activity) == (queues, sign, activity):
            return
        else:
            self._count(member, -1)
        if member.activity is not activity:
            member.spent.begin(member.activity, at, -1)
            member.spent.begin(activity, at)
        member.queues, member.sign, member.activity = queues, sign, activity
        self._count(member, 1)

    def sign(self, agent: str) -> Sign:
        """Return an agent's state; KeyError for who is none."""
        return self._members[agent].sign

    def spent(self, agent: str, activity: Activity, us: int) -> None:
        """Take in a time that is over, as the store tells it."""
        member = self._members.get(agent)
        if member is not None:
            self._count(member, -1)
            member.spent.begin(activity, us, -1)
            member.spent.begin(activity, 0)
            self._count(member, 1)

    def leaves(self, agent: str) -> None:
        """Forget who is no agent any more."""
        self._count(self._members.pop(agent), -1)

    def new_day(self, at: int) -> None:
        """Begin to count anew."""
        for member in self._members.values():
            self._count(member, -1)
            member.spent = Spent()
            member.spent.begin(member.activity, at)
            self._count(member, 1)

    def move(self, leap: int) -> None:
        """Follow a clock that was set."""
        for member in self._members.values():
            member.spent.move(leap)
        for crew in self._crews.values():
            crew.spent.move(leap)

    def by_sign(self, queue: str) -> Mapping[Sign, int]:
        """Return how many of those who may serve a queue are in each state, without the signed
        out.
        """
        crew = self._crews.get(queue)
        counts = crew.signs if crew else {}
        return {sign: counts.get(sign, 0) for sign in Sign if sign is not Sign.offline}

    def occupancy(self, queue: str, at: int) -> float | None:
        """Return the occupancy of those who serve a queue."""
        crew = self._crews.get(queue)
        return crew.spent.occupancy(at) if crew else None

    def occupancy_of(self, agent: str, at: int) -> float | None:
        """Return an agent's occupancy."""
        member = self._members.get(agent)
        return member.spent.occupancy(at) if member else None

    def _count(self, member: _Member, sign: int) -> None:
        for queue in (EVERYBODY, *member.queues):
            crew = self._crews.setdefault(queue, _Crew())
            crew.signs[member.sign] += sign
            crew.spent.add(member.spent, sign)
        self.changed |= member.queues
