"""Scenario files: who contacts, who serves, under which queue configuration.

YAML; times in seconds, rates per hour. Unknown keys are an error that names the key.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, Field, ValidationError, field_validator, model_validator

from madoguchi.configuration import kinds, queue_parts
from madoguchi.configuration.queue_parts import Ageing, Order, Part, one_order, routed_order
from madoguchi.model.routing import AgentChoice, IdleSince, Limit, QueuePolicy
from madoguchi.model.ways import reachable, way_round

Seconds = Annotated[float, Field(ge=0)]
Rate = Annotated[float, Field(ge=0)]


class BadScenario(Exception):
    """A scenario cannot be run; each line names a place and says why."""


class Lognormal(Part):
    """A lognormal time by its mean and coefficient of variation."""

    mean: float = Field(gt=0)
    cv: float = Field(gt=0)


class Times(Part):
    """How long something takes: exactly one of these."""

    exponential_s: float | None = Field(default=None, gt=0)
    lognormal_s: Lognormal | None = None
    fixed_s: Seconds | None = None
    empirical: Path | None = None

    @model_validator(mode="after")
    def _one(self) -> Times:
        _exactly_one(self)
        return self


class Arrivals(Part):
    """When contacts come: exactly one of these."""

    poisson_per_hour: Rate | None = None
    profile_per_hour: list[Rate] | None = None
    replay: Path | None = None

    @field_validator("profile_per_hour")
    @classmethod
    def _day(cls, rates: list[float] | None) -> list[float] | None:
        if rates is not None and (len(rates) not in {24, 48, 96} or not any(rates)):
            raise ValueError("a profile has 24, 48 or 96 rates, and not all of them are 0")
        return rates

    @model_validator(mode="after")
    def _one(self) -> Arrivals:
        _exactly_one(self)
        return self


class Traffic(Part):
    """The contacts of one queue."""

    arrivals: Arrivals
    handling: Times
    patience: Times | None = None
    wrap_up: Times = Field(default_factory=lambda: Times(fixed_s=0))


class RingPart(queue_parts.Ring):
    """A step that widens who may serve, ``after`` seconds after the enqueue time."""

    relax: dict[str, Annotated[int, Field(ge=0, le=5)]] = Field(default_factory=dict)
    add_groups: list[str] = Field(default_factory=list)


class OverflowPart(queue_parts.Overflow):
    """A move to another queue, ``after`` seconds after the enqueue time."""

    to_queue: str


class OfferPart(Part):
    """How soon agents accept, and after how long an offer times out."""

    accept: Times = Field(default_factory=lambda: Times(fixed_s=0))
    timeout_s: float = Field(default=20, gt=0)


class QueuePart(Part):
    """A queue's configuration as a supervisor writes it."""

    name: str
    requires: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    prefers: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    priority: int = Field(default=1, ge=1)
    order: Order = "age"
    ageing: Ageing = Field(default_factory=Ageing)
    service_level_s: float | None = Field(default=None, gt=0)
    rings: list[RingPart] = Field(default_factory=list)
    overflow: list[OverflowPart] = Field(default_factory=list)
    max_waiting: int | None = Field(default=None, ge=0)
    agent_choice: AgentChoice = AgentChoice.longest_idle
    idle_since: IdleSince = IdleSince.work
    group_order: list[list[str]] = Field(default_factory=list)
    offer: OfferPart = Field(default_factory=OfferPart)

    @model_validator(mode="after")
    def _one_order(self) -> QueuePart:
        one_order(self.order, self.ageing)
        return self

    def policy(
        self, target_s: float, last_level: int = 1, delays_s: tuple[float, ...] = ()
    ) -> QueuePolicy:
        """Return the engine's view; raises ValueError for values that cannot work."""
        return QueuePolicy(
            id=self.name,
            name=self.name,
            requires=self.requires,
            priority=self.priority,
            ageing=routed_order(self.order, self.ageing, target_s),
            agent_choice=self.agent_choice,
            idle_since=self.idle_since,
            prefers=self.prefers,
            offer_timeout_s=self.offer.timeout_s,
            misses=1_000_000_000,
            rings=tuple(ring.routed() for ring in self.rings),
            overflow=tuple(step.routed() for step in self.overflow),
            max_waiting=self.max_waiting,
            team_order=tuple(tuple(groups) for groups in self.group_order),
            last_level=last_level,
            delays_s=delays_s,
        )

    def fully_relaxed(self) -> dict[str, int]:
        """Return the requirements behind the last ring."""
        least = dict(self.requires)
        for ring in self.rings:
            least.update({s: min(n, least[s]) for s, n in ring.relax.items() if s in least})
        return least


class ServesPart(kinds.Served):
    """A queue that a group serves."""

    queue: str


class ShiftPart(Part):
    """When agents are there, by the clock of each day."""

    start: str = Field(alias="from", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    end: str = Field(alias="to", pattern=r"^(([01]\d|2[0-3]):[0-5]\d|24:00)$")

    def seconds(self) -> tuple[int, int]:
        """Return from and to in seconds after midnight; to is behind from, if need be tomorrow."""
        start, end = _clock(self.start), _clock(self.end)
        return start, end if end > start else end + 86_400


class Group(Part):
    """Agents who are alike."""

    name: str
    agents: int = Field(ge=0)
    skills: dict[str, Annotated[int, Field(ge=1, le=5)]] = Field(default_factory=dict)
    serves: list[ServesPart] | None = None
    speed: float | dict[str, Annotated[float, Field(gt=0)]] = 1.0
    capacity: int = Field(default=1, ge=1)
    share: int = Field(default=1, ge=1)
    shifts: list[ShiftPart] = Field(default_factory=list)

    @field_validator("serves", mode="before")
    @classmethod
    def _bare(cls, serves: Any) -> Any:
        if not isinstance(serves, list):
            return serves
        return [{"queue": one} if isinstance(one, str) else one for one in serves]

    @field_validator("speed")
    @classmethod
    def _moves(cls, speed: float | dict[str, float]) -> float | dict[str, float]:
        if isinstance(speed, int | float) and speed <= 0:
            raise ValueError("speed must be above 0")
        return speed

    def speed_for(self, queue: str) -> float:
        """Return by what a handling time is divided."""
        return self.speed.get(queue, 1.0) if isinstance(self.speed, dict) else self.speed


class LimitPart(Part):
    """A waiting room that queues share."""

    queues: list[str] = Field(min_length=1)
    max_waiting: int = Field(ge=0)

    def limit(self) -> Limit:
        """Return the engine's view."""
        return Limit(tuple(self.queues), self.max_waiting)


class Scenario(Part):
    """A whole scenario."""

    seed: int = 1
    replications: int = Field(default=20, ge=1)
    contacts: int = Field(default=20_000, ge=1)
    warmup: int = Field(default=0, ge=0)
    service_level_s: Seconds = 20
    queues: list[QueuePart] = Field(min_length=1)
    limits: list[LimitPart] = Field(default_factory=list)
    traffic: dict[str, Traffic] = Field(min_length=1)
    groups: list[Group] = Field(min_length=1)

    @property
    def targets(self) -> dict[str, float]:
        """Return queue -> seconds within which to answer: its own, else the scenario's."""
        return {
            queue.name: self.service_level_s
            if queue.service_level_s is None
            else queue.service_level_s
            for queue in self.queues
        }

    def served(self, group: Group) -> list[ServesPart]:
        """Return what a group serves: by default every queue whose requirements it can meet."""
        if group.serves is not None:
            return group.serves
        return [
            ServesPart(queue=queue.name)
            for queue in self.queues
            if all(group.skills.get(s, 0) >= least for s, least in queue.fully_relaxed().items())
        ]

    @model_validator(mode="after")
    def _names(self) -> Scenario:
        queues = [queue.name for queue in self.queues]
        groups = [group.name for group in self.groups]
        _unique("queue", queues)
        _unique("group", groups)
        for queue in self.queues:
            place = f"queue {queue.name}"
            _known(place, "queue", (step.to_queue for step in queue.overflow), queues)
            _known(place, "group", (g for ring in queue.rings for g in ring.add_groups), groups)
            _known(place, "group", (g for order in queue.group_order for g in order), groups)
            queue.policy(self.targets[queue.name])
        _ends(self.queues)
        for limit in self.limits:
            _known("limits", "queue", limit.queues, queues)
        _known("traffic", "queue", self.traffic, queues)
        for group in self.groups:
            place = f"group {group.name}"
            _known(place, "queue", (one.queue for one in group.serves or ()), queues)
            _known(place, "queue", group.speed if isinstance(group.speed, dict) else (), queues)
        self._somebody_serves()
        return self

    def _somebody_serves(self) -> None:
        """Refuse contacts who would wait for ever: such a run has no end."""
        ahead = {queue.name: [step.to_queue for step in queue.overflow] for queue in self.queues}
        served = {queue.name for queue in self.queues if any(self._serves(queue))}
        for name, traffic in self.traffic.items():
            if traffic.patience is None and not served & reachable(name, ahead.__getitem__):
                raise ValueError(f"traffic {name}: nobody can ever serve it, and nobody gives up")

    def _serves(self, queue: QueuePart) -> Iterator[bool]:
        """Yield for each group whether one of its agents can ever serve a queue."""
        added = {group for ring in queue.rings for group in ring.add_groups}
        least = queue.fully_relaxed()
        for group in self.groups:
            kept = [one.keep_free for one in self.served(group) if one.queue == queue.name]
            free = min([*kept, *([0] if group.name in added else [])], default=group.agents)
            skilled = all(group.skills.get(skill, 0) >= n for skill, n in least.items())
            yield skilled and free < group.agents


def read(path: Path) -> Scenario:
    """Return the scenario of a file; files that it names lie beside it. Raises BadScenario."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as why:
        raise BadScenario(f"{path}: {why.strerror or why}") from why
    except (yaml.YAMLError, UnicodeDecodeError) as why:
        raise BadScenario(f"{path}: this is no YAML: {why}") from why
    if not isinstance(found, dict):
        raise BadScenario(f"{path}: a scenario is a mapping with queues, traffic and groups")
    try:
        scenario = Scenario.model_validate(found)
    except ValidationError as why:
        raise BadScenario("\n".join(_said(path, one) for one in why.errors())) from why
    return scenario


def _said(path: Path, fault: Any) -> str:
    place = ".".join(str(part) for part in fault["loc"])
    message = str(fault["msg"]).removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        message = "there is no such key"
    return f"{path}: {place}: {message}" if place else f"{path}: {message}"


def _exactly_one(part: BaseModel) -> None:
    names = list(type(part).model_fields)
    if sum(getattr(part, name) is not None for name in names) != 1:
        raise ValueError(f"give exactly one of {', '.join(names)}")


def _unique(kind: str, names: list[str]) -> None:
    double = {name for name in names if names.count(name) > 1}
    if double:
        raise ValueError(f"two {kind}s have the name {sorted(double)[0]}")


def _known(place: str, kind: str, names: Any, known: list[str]) -> None:
    for name in names:
        if name not in known:
            raise ValueError(f"{place}: there is no {kind} {name}")


def _ends(queues: list[QueuePart]) -> None:
    """Refuse overflows that lead back to where they began."""
    ahead = {queue.name: [step.to_queue for step in queue.overflow] for queue in queues}
    for start in ahead:
        if way := way_round(start, ahead.__getitem__):
            raise ValueError(f"what overflows comes back: {' → '.join(way)}")


def _clock(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60
