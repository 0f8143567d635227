"""What a run plays: a configuration, the people who serve and the contacts who come.

A scenario is cast by :mod:`router.simulator.staging`, a recorded day by :mod:`router.trials`.
Instants are µs on the run's own clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from madoguchi.model.routing import AgentSpec, ConfigurationChanged, Preference

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


class Coming(NamedTuple):
    """A contact with everything about it that no configuration changes.

    ``queue`` is whose figures count it, ``enters`` where it waits first. ``patience_us`` None: it
    never leaves. ``accept_us`` is how long an agent takes to accept it.
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


@dataclass(frozen=True, slots=True)
class Cast:
    """A whole run.

    ``streams`` bring contacts, each in the order of time; counted are ``contacts`` behind the first
    ``warmup``. ``daily``: shifts come again every day. ``until``: it ends then at the latest.
    ``wrap_up_most`` is queue -> the longest wrap-up in seconds.
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
