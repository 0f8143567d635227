"""The kinds of configuration objects: their fields, limits and references."""

from functools import cached_property
from typing import Annotated, Any, ClassVar, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from madoguchi.configuration.facts import (
    AGENT,
    ATTRIBUTES,
    CONTACT,
    SKILLS,
    AgentCondition,
    Attribute,
    AttributeName,
    ContactCondition,
)
from madoguchi.configuration.flow_parts import AnyStep
from madoguchi.configuration.queue_parts import (
    Ageing,
    Alert,
    Callback,
    Full,
    Help,
    Key,
    Level,
    MaybeKey,
    Name,
    Named,
    Order,
    Outside,
    Overflow,
    Part,
    Recording,
    Ring,
    WrapUpCode,
    callback_in_time,
    one_order,
)
from madoguchi.configuration.times import DAY, Date, DayHours, Place, TimeZone, spans
from madoguchi.expressions.cel import Expression
from madoguchi.model import hours
from madoguchi.model.channels import Channel
from madoguchi.model.people import Role
from madoguchi.model.routing import AgentChoice, IdleSince
from madoguchi.model.ways import way_round


class Object(BaseModel):
    """What all kinds share: a stable key that people choose, and no unknown fields."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: ClassVar[str]
    key: Key

    def references(self) -> list[tuple[str, str, str]]:
        """Return (field, kind, key) of every object that must exist for this one."""
        return []

    def __getstate__(self) -> dict[Any, Any]:
        """Return the fields alone: compiled expressions cannot go to another process."""
        state = super().__getstate__()
        fields = {k: v for k, v in state["__dict__"].items() if k in type(self).model_fields}
        return {**state, "__dict__": fields}


class Skill(Named, Object):
    """Something an agent can do, at a proficiency from 1 to 5."""

    kind: ClassVar[str] = "skill"


class Week(Part):
    """The hours of each weekday; breaks are what lies between them."""

    mon: DayHours = Field(default_factory=list)
    tue: DayHours = Field(default_factory=list)
    wed: DayHours = Field(default_factory=list)
    thu: DayHours = Field(default_factory=list)
    fri: DayHours = Field(default_factory=list)
    sat: DayHours = Field(default_factory=list)
    sun: DayHours = Field(default_factory=list)

    @property
    def days(self) -> tuple[tuple[hours.Span, ...], ...]:
        """Return the hours of each day in minutes, from Monday."""
        written = (self.mon, self.tue, self.wed, self.thu, self.fri, self.sat, self.sun)
        return tuple(spans(day) for day in written)

    @model_validator(mode="after")
    def _apart(self) -> "Week":
        days = self.days
        for day, next_day in zip(days, days[1:] + days[:1], strict=True):
            if day and next_day and day[-1][1] - DAY > next_day[0][0]:
                text = "what goes over midnight overlaps the hours of the next day"
                raise PydanticCustomError("spans_overlap_next_day", text)
        return self


class SpecialDay(Part):
    """A date with other hours than its weekday's, or none: closed."""

    date: Date
    name: str = Field("", max_length=120)
    name_en: str = Field("", max_length=120)
    hours: DayHours = Field(default_factory=list)


class Hours(Named, Object):
    """When queues are open; ``holidays`` is a place whose public holidays are closed: JP, US-CA."""

    kind: ClassVar[str] = "hours"
    time_zone: TimeZone = "Asia/Tokyo"
    week: Week = Field(default_factory=Week)
    holidays: Place = ""
    days: list[SpecialDay] = Field(default_factory=list, max_length=500)

    @field_validator("days")
    @classmethod
    def _once(cls, days: list[SpecialDay]) -> list[SpecialDay]:
        dates = [day.date for day in days]
        twice = sorted({day for day in dates if dates.count(day) > 1})
        if twice:
            facts = {"date": twice[0].isoformat()}
            raise PydanticCustomError("date_twice", "{date} stands here twice", facts)
        return days

    @cached_property
    def schedule(self) -> hours.Schedule:
        """Return it as it is reckoned with."""
        days = {
            day.date: hours.Day(spans(day.hours), (day.name, day.name_en or day.name))
            for day in self.days
        }
        return hours.Schedule(ZoneInfo(self.time_zone), self.week.days, self.holidays, days)


class Queue(Named, Object):
    """Where work items wait; see docs/routing.md for the exact meaning. Groups are teams.

    ``agents``: CEL that must be true of an agent who serves it (:mod:`.facts`); empty: everybody.
    """

    kind: ClassVar[str] = "queue"
    requires: dict[Key, Level] = Field(default_factory=dict)
    prefers: dict[Key, Level] = Field(default_factory=dict)
    agents: AgentCondition = ""
    priority: int = Field(1, ge=1, le=100)
    order: Order = "age"
    ageing: Ageing = Field(default_factory=Ageing)
    rings: list[Ring] = Field(default_factory=list, max_length=12)
    overflow: list[Overflow] = Field(default_factory=list, max_length=12)
    help: list[Help] = Field(default_factory=list, max_length=12)
    alerts: list[Alert] = Field(default_factory=list, max_length=12)
    max_waiting: int | None = Field(None, ge=0, le=100_000)
    max_wait_s: float = Field(0, ge=0, le=2_592_000)
    full: Full = Full()
    callback: Callback = Callback()
    recording: Recording = Recording()
    agent_choice: AgentChoice = AgentChoice.longest_idle
    idle_since: IdleSince = IdleSince.work
    group_order: list[list[Key]] = Field(default_factory=list, max_length=20)
    weights: dict[Channel, Annotated[int, Field(ge=1, le=50)]] = Field(default_factory=dict)
    offer_timeout_s: float = Field(20, ge=5, le=600)
    offer_to: int = Field(1, ge=1, le=20)
    auto_accept: bool = False
    preferred_wait_s: float = Field(0, ge=0, le=86_400)
    misses: int = Field(1, ge=1, le=20)
    transfer_timeout_s: float = Field(60, ge=5, le=600)
    service_level_s: float = Field(120, ge=1, le=86_400)
    wrap_up_s: float = Field(0, ge=0, le=3600)
    wrap_up: list[WrapUpCode] = Field(default_factory=list, max_length=40)
    hours: MaybeKey = ""
    closed: bool = False
    outside: Outside = Outside()

    @model_validator(mode="after")
    def _one_order(self) -> "Queue":
        one_order(self.order, self.ageing)
        return self

    @model_validator(mode="after")
    def _one_way_to_accept(self) -> "Queue":
        if self.auto_accept and self.offer_to > 1:
            text = "work that begins by itself is given to one agent; leave one of the two out"
            raise PydanticCustomError("auto_accept_alone", text)
        return self

    @model_validator(mode="after")
    def _callback_in_time(self) -> "Queue":
        callback_in_time(self.callback, self.outside, self.max_wait_s)
        return self

    @field_validator("alerts")
    @classmethod
    def _told_once(cls, alerts: list[Alert]) -> list[Alert]:
        if len({alert.routed() for alert in alerts}) < len(alerts):
            raise PydanticCustomError("alert_twice", "two alerts say the same; leave one out")
        return alerts

    @field_validator("rings", "overflow")
    @classmethod
    def _in_order(cls, steps: Any) -> Any:
        times = [step.after for step in steps]
        if times != sorted(times):
            raise PydanticCustomError("steps_out_of_order", "steps stand in the order of times")
        return steps

    @cached_property
    def condition(self) -> Expression | None:
        """Return what must be true of an agent, as it is evaluated."""
        return AGENT.compile(self.agents) if self.agents else None

    @cached_property
    def asked_skills(self) -> frozenset[str]:
        """Return the skills that the condition on agents names."""
        asked = self.condition.asked if self.condition else ()
        return frozenset(skill for name, skill in asked if name == SKILLS)

    def references(self) -> list[tuple[str, str, str]]:
        """A queue needs the skills that it asks for, the teams, the queues, the hours."""
        found = [(f"requires.{skill}", "skill", skill) for skill in self.requires]
        found += [(f"prefers.{skill}", "skill", skill) for skill in self.prefers]
        found += [("agents", "skill", skill) for skill in sorted(self.asked_skills)]
        for n, ring in enumerate(self.rings):
            found += [(f"rings.{n}.relax.{skill}", "skill", skill) for skill in ring.relax]
            found += [
                (f"rings.{n}.add_groups.{m}", "team", team)
                for m, team in enumerate(ring.add_groups)
            ]
        found += [
            (f"help.{n}.add_groups.{m}", "team", team)
            for n, help in enumerate(self.help)
            for m, team in enumerate(help.add_groups)
        ]
        found += [
            (f"overflow.{n}.to_queue", "queue", step.to_queue)
            for n, step in enumerate(self.overflow)
        ]
        found += [
            (f"group_order.{n}.{m}", "team", team)
            for n, teams in enumerate(self.group_order)
            for m, team in enumerate(teams)
        ]
        if self.hours:
            found.append(("hours", "hours", self.hours))
        if self.outside.to_queue:
            found.append(("outside.to_queue", "queue", self.outside.to_queue))
        if self.full.to_queue:
            found.append(("full.to_queue", "queue", self.full.to_queue))
        return found


class RoutingRule(Named, Object):
    """To which queue new contacts go of which ``when`` is true; the first rule by ``order`` wins.

    ``when`` is CEL over what is known of a contact (:mod:`madoguchi.configuration.facts`).
    ``priority`` and ``requires`` stand for the queue's own, where they are given. ``agent``: who is
    asked first, whatever they serve; the queue keeps it for them as long as it keeps things for
    those who know the customer.
    """

    kind: ClassVar[str] = "routing_rule"
    order: int = Field(ge=1, le=1_000_000)
    when: ContactCondition
    queue: Key
    priority: int | None = Field(None, ge=1, le=100)
    requires: dict[Key, Level] = Field(default_factory=dict)
    agent: MaybeKey = ""
    active: bool = True

    @cached_property
    def condition(self) -> Expression:
        """Return ``when`` as it is evaluated."""
        return CONTACT.compile(self.when)

    def references(self) -> list[tuple[str, str, str]]:
        """A rule needs its queue, the skills that it asks for, and whom it names."""
        skills = [(f"requires.{skill}", "skill", skill) for skill in self.requires]
        named = [("agent", "agent", self.agent)] if self.agent else []
        return [("queue", "queue", self.queue), *skills, *named]


class Served(Part):
    """A queue that a team serves; level 1 is looked at before level 2.

    ``after``: an agent takes its items only from this age on, in seconds. ``keep_free``: an agent
    takes its items only while so many others of the team are idle.
    """

    queue: Key
    level: int = Field(default=1, ge=1, le=20)
    after: float = Field(default=0, ge=0, le=86_400)
    keep_free: int = Field(default=0, ge=0, le=1000)


class Team(Named, Object):
    """Agents who serve the same queues."""

    kind: ClassVar[str] = "team"
    serves: list[Served] = Field(default_factory=list, max_length=500)

    def references(self) -> list[tuple[str, str, str]]:
        """A team needs the queues that it serves."""
        return [(f"serves.{i}.queue", "queue", s.queue) for i, s in enumerate(self.serves)]


class Agent(Object):
    """A person who signs in; the key is the sign-in name."""

    kind: ClassVar[str] = "agent"
    name: Name
    mail: str = Field("", max_length=320)
    language: str = Field("ja", pattern="^(ja|en)$")
    roles: list[Role] = Field(default_factory=lambda: [Role.AGENT], min_length=1)
    teams: list[Key] = Field(default_factory=list)
    skills: dict[Key, Level] = Field(default_factory=dict)
    units: int = Field(5, ge=0, le=50)
    per_channel: dict[Channel, Annotated[int, Field(ge=0, le=50)]] = Field(default_factory=dict)
    share: int = Field(1, ge=1, le=100)
    interrupts: dict[Channel, list[Channel]] = Field(default_factory=dict)
    attributes: dict[AttributeName, Attribute] = Field(default_factory=dict, max_length=ATTRIBUTES)
    active: bool = True

    @field_validator("interrupts")
    @classmethod
    def _not_round(cls, interrupts: dict[Channel, list[Channel]]) -> dict[Channel, list[Channel]]:
        for channel in interrupts:
            way = way_round(channel, lambda one: interrupts.get(Channel(one), ()))
            if way:
                text = "channels interrupt each other: work would be added without end ({way})"
                raise PydanticCustomError("interrupts_loop", text, {"way": " → ".join(way)})
        return interrupts

    def references(self) -> list[tuple[str, str, str]]:
        """An agent needs its teams and skills."""
        teams = [(f"teams.{i}", "team", team) for i, team in enumerate(self.teams)]
        return teams + [(f"skills.{skill}", "skill", skill) for skill in self.skills]


class Flow(Named, Object):
    """What callers hear before somebody talks with them: steps by name, see docs/calls.md.

    ``language``: in which the steps' ``text`` is written.
    """

    kind: ClassVar[str] = "flow"
    language: Literal["ja", "en"] = "ja"
    start: Key
    steps: dict[Key, AnyStep] = Field(min_length=1, max_length=200)

    def references(self) -> list[tuple[str, str, str]]:
        """A flow needs the queues to which it hands on, and whose hours it asks for."""
        return [
            (f"steps.{name}.{field}", "queue", queue)
            for name, step in self.steps.items()
            for field, queue in step.queues()
        ]


class Account(Named, Object):
    """One configured connection of a channel; ``settings`` belong to its connector. ``flow``: what
    callers hear first; without one they wait in the queue at once.
    """

    kind: ClassVar[str] = "account"
    connector: Key
    queue: Key
    language: str = Field("ja", pattern="^(ja|en)$")
    topics: dict[Key, Key] = Field(default_factory=dict)
    flow: MaybeKey = ""
    paused: bool = False
    settings: dict[str, Any] = Field(default_factory=dict, max_length=100)

    def references(self) -> list[tuple[str, str, str]]:
        """An account needs the queue where its contacts wait first."""
        topics = [(f"topics.{topic}", "queue", queue) for topic, queue in self.topics.items()]
        flow = [("flow", "flow", self.flow)] if self.flow else []
        return [("queue", "queue", self.queue), *topics, *flow]


KINDS: dict[str, type[Object]] = {
    k.kind: k for k in (Skill, Hours, Queue, RoutingRule, Team, Agent, Flow, Account)
}
"""In the order in which they may be made; deletion goes the other way."""
