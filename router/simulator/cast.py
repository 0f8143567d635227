"""What a run plays: a configuration, the people who serve and the contacts who come.

A scenario is cast by :mod:`router.simulator.staging`, a recorded day by :mod:`router.trials`.
Instants are µs on the run's own clock.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from madoguchi.model.routing import (
    AgentSpec,
    ConfigurationChanged,
    Help,
    OfferState,
    Preference,
)

DAY_US = 86_400_000_000


@dataclass(frozen=True, slots=True)
class Member:
    """An agent; ``groups`` are those whose figures they count for.

    ``shifts`` are (from, to); None: always there. ``speed`` is queue -> by what handling times are
    divided.
    """

    spec: AgentSpec
    groups: tuple[str, ...]
    shifts: tuple[tuple[int, int], ...] | None = None
    speed: Mapping[str, float] = field(default_factory=dict)


class Turn(NamedTuple):
    """A contact that is handed on: to ``agent`` alone if they can be asked, else (or where no agent
    is named) to whoever takes it in ``queue``; then it is worked on for so long.
    """

    queue: str
    agent: str
    handling_s: float
    accept_us: int


class Coming(NamedTuple):
    """A contact with everything about it that no configuration changes.

    ``queue`` is whose figures count it, ``enters`` where it waits first; ``patient``: that was
    closed then. ``patience_us`` None: it never leaves. ``accept_us`` is how long an agent takes to
    accept it, ``handling_s`` how long the first one works on it; ``turns`` come then, and wrap-up
    after the last.
    """

    at: int
    queue: str
    enters: str
    handling_s: float
    wrap_up_s: float
    patience_us: int | None
    accept_us: int
    draw: float
    channel: str = "sim"
    weight: int = 1
    requires: Mapping[str, int] | None = None
    priority: int | None = None
    preferred: str | None = None
    preference: Preference = Preference.last_owner
    patient: bool = False
    turns: tuple[Turn, ...] = ()


class Reply(NamedTuple):
    """What an agent does with an offer: they accept or decline it after so long, or let it time
    out.
    """

    end: OfferState
    after_us: int


class Asked(NamedTuple):
    """An offer of the n-th ``contact``, which came to ``queue``: to an agent for the so-many-th
    ``time`` (from 0); ``beside``: somebody else is asked at this time.
    """

    contact: int
    queue: str
    agent: str
    time: int
    beside: bool


class Conduct(ABC):
    """How agents treat offers. The same questions have the same answers, in any order."""

    @abstractmethod
    def reply(self, asked: Asked, own: Reply) -> Reply:
        """Return what an agent does with an offer; ``own``: who accepts it alone."""

    @abstractmethod
    def back_us(self, agent: str, time: int) -> int | None:
        """Return after how long an agent is available again who has missed offers for the
        so-many-th time (from 0); None: not before their next shift.
        """


@dataclass(frozen=True, slots=True)
class Cast:
    """A whole run.

    ``streams`` bring contacts, each in the order of time; counted are ``contacts`` behind the first
    ``warmup``. ``daily``: shifts come again every day. ``until``: it ends then at the latest.
    ``wrap_up_most`` is queue -> the longest wrap-up in seconds, ``helps`` who helps by figures,
    ``targets`` the seconds within which contacts should be answered, for these figures. ``conduct``
    None: everybody accepts.
    """

    seed: str
    configuration: ConfigurationChanged
    members: tuple[Member, ...]
    streams: Mapping[str, Iterator[Coming]]
    queues: tuple[str, ...]
    groups: tuple[str, ...]
    contacts: int
    warmup: int = 0
    daily: bool = True
    until: int | None = None
    wrap_up_most: Mapping[str, float] = field(default_factory=dict)
    helps: Mapping[str, tuple[Help, ...]] = field(default_factory=dict)
    targets: Mapping[str, float] = field(default_factory=dict)
    conduct: Conduct | None = None
