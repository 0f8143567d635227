"""All configuration of a domain as one frozen value, checked as a whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Generic, TypeVar

from madoguchi.configuration.flow_check import files_of, flow_faults
from madoguchi.configuration.kinds import (
    Account,
    Agent,
    Flow,
    Hours,
    Object,
    Queue,
    RoutingRule,
    Served,
    Skill,
    Team,
)
from madoguchi.configuration.suiting import agent_facts, holds
from madoguchi.expressions.cel import Facts
from madoguchi.expressions.cost import BUDGET
from madoguchi.model.channels import Account as ConnectedAccount
from madoguchi.model.channels import Channel
from madoguchi.model.faults import Fault
from madoguchi.model.hours import Opening, Why, public_holidays
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor, Role
from madoguchi.model.ways import way_round

RULES_BUDGET = 5 * BUDGET
"""Steps that all routing rules together may take: at most about a tenth of a second."""

O_co = TypeVar("O_co", bound=Object, covariant=True)


@dataclass(frozen=True, slots=True)
class Entry(Generic[O_co]):
    """An object with the id that rows point to and the version that changes count."""

    id: Id
    version: int
    object: O_co


@dataclass(frozen=True)
class Catalog:
    """Every object of the domain by kind and key; ``number`` is the configuration's version."""

    number: int
    objects: Mapping[tuple[str, str], Entry[Object]] = field(default_factory=dict)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is configured, without what was worked out from it."""
        return {"number": self.number, "objects": self.objects}

    def of(self, kind: type[O_co]) -> dict[str, Entry[O_co]]:
        """Return key → entry of one kind."""
        return {
            key: entry  # type: ignore[misc]
            for (name, key), entry in self.objects.items()
            if name == kind.kind
        }

    @cached_property
    def queues(self) -> dict[str, Entry[Queue]]:
        """Queues by key."""
        return self.of(Queue)

    @cached_property
    def hours(self) -> dict[str, Entry[Hours]]:
        """Opening hours by key."""
        return self.of(Hours)

    @cached_property
    def skills(self) -> dict[str, Entry[Skill]]:
        """Skills by key."""
        return self.of(Skill)

    @cached_property
    def routing_rules(self) -> tuple[Entry[RoutingRule], ...]:
        """The rules that are in use, in the order in which they are asked."""
        rules = [entry for entry in self.of(RoutingRule).values() if entry.object.active]
        return tuple(sorted(rules, key=lambda entry: entry.object.order))

    @cached_property
    def flows(self) -> dict[str, Entry[Flow]]:
        """What callers hear, by key."""
        return self.of(Flow)

    @cached_property
    def sounds(self) -> dict[str, Id]:
        """The sound files that flows play, by the place that names each."""
        flows = [files_of(entry.object) for entry in self.flows.values()]
        return {place: file for each in flows for place, file in each.items()}

    @cached_property
    def teams(self) -> dict[str, Entry[Team]]:
        """Teams by key."""
        return self.of(Team)

    @cached_property
    def accounts(self) -> dict[str, Entry[Account]]:
        """Accounts by key."""
        return self.of(Account)

    @cached_property
    def agents(self) -> dict[str, Entry[Agent]]:
        """Agents by sign-in name."""
        return self.of(Agent)

    @cached_property
    def agent_by_id(self) -> dict[Id, Entry[Agent]]:
        """Agents by id."""
        return {entry.id: entry for entry in self.agents.values()}

    @cached_property
    def account_by_id(self) -> dict[Id, Entry[Account]]:
        """Accounts by id."""
        return {entry.id: entry for entry in self.accounts.values()}

    def serves(self, agent: Agent) -> dict[str, int]:
        """Return queue → level that an agent serves: by its teams, else by its skills; without
        those whose condition keeps the agent out.
        """
        return {key: n for key, n in self._assigned(agent).items() if self.suits(agent, key)}

    def served(self, agent: Agent) -> dict[str, tuple[str, Served]]:
        """Return queue → how an agent serves it, and for which team: at the best level; of equal
        ones soonest, and keeping least free.
        """
        return {key: way for key, way in self._ways(agent).items() if self.suits(agent, key)}

    def kept_out(self, agent: Agent, queue: str) -> bool:
        """Tell whether an agent would serve a queue, but for the queue's condition."""
        return queue in self._assigned(agent) and not self.suits(agent, queue)

    def suits(self, agent: Agent, queue: str) -> bool:
        """Tell whether a queue's condition lets an agent in; one that cannot tell does not."""
        condition = self.queues[queue].object.condition
        if condition is None:
            return True
        known = self._suiting.get((agent.key, queue))
        if known is None:
            facts = self._agent_facts.setdefault(agent.key, agent_facts(agent, self._asked_skills))
            known = self._suiting[agent.key, queue] = holds(condition, facts)
        return known

    @cached_property
    def _suiting(self) -> dict[tuple[str, str], bool]:
        """What was found out already: nothing in a catalog changes."""
        return {}

    @cached_property
    def _agent_facts(self) -> dict[str, Facts]:
        return {}

    @cached_property
    def _asked_skills(self) -> frozenset[str]:
        asked = (entry.object.asked_skills for entry in self.queues.values())
        return frozenset().union(*asked)

    def _assigned(self, agent: Agent) -> dict[str, int]:
        if agent.teams:
            return {queue: one.level for queue, (_, one) in self._ways(agent).items()}
        return {
            key: 1
            for key, entry in self.queues.items()
            if all(agent.skills.get(s, 0) >= least for s, least in entry.object.requires.items())
        }

    def _ways(self, agent: Agent) -> dict[str, tuple[str, Served]]:
        ways = [(team, one) for team in agent.teams for one in self.teams[team].object.serves]
        return {one.queue: (team, one) for team, one in sorted(ways, key=_best, reverse=True)}

    def look_at_agents(self, known: "Catalog") -> None:
        """Find out for everybody whom the queues' conditions let in; what ``known`` has found out
        of the same agents and queues is taken from it.
        """
        self._suiting.update(known.found_of(self))
        if any(entry.object.agents for entry in self.queues.values()):
            for entry in self.agents.values():
                self.serves(entry.object)

    def found_of(self, later: "Catalog") -> dict[tuple[str, str], bool]:
        """Return (agent, queue) → what was found out that holds in a later catalog, too."""
        return {
            (agent, queue): suits
            for (agent, queue), suits in list(self._suiting.items())
            if later.agents.get(agent) is self.agents.get(agent)
            and later.queues.get(queue) is self.queues.get(queue)
        }

    def delays(self, queue: str) -> tuple[float, ...]:
        """Return the ages from which teams serve a queue, but for those who do so at once."""
        return tuple(sorted({one.after for one in self._servings.get(queue, ()) if one.after}))

    @cached_property
    def _servings(self) -> dict[str, list[Served]]:
        """How teams serve each queue."""
        found: dict[str, list[Served]] = {}
        for team in self.teams.values():
            for one in team.object.serves:
                found.setdefault(one.queue, []).append(one)
        return found

    def opening(self, queue: str, at: datetime) -> Opening:
        """Return whether a queue is open at a moment; one without hours always is, and so is one
        that is not there any more.
        """
        entry = self.queues.get(queue)
        if entry is None:
            return Opening()
        if entry.object.closed:
            return Opening(Why.BY_HAND)
        hours = self.hours.get(entry.object.hours)
        return hours.object.schedule.opening(at) if hours else Opening()

    def destination(self, queue: str, at: datetime) -> tuple[str, Opening]:
        """Return the queue in which a new contact of a queue waits at a moment, and how it stands
        there: closed queues may hand on to others.
        """
        while True:
            opening = self.opening(queue, at)
            further = "" if opening.open else self.queues[queue].object.outside.next_queue
            if not further:
                return queue, opening
            queue = further

    def look_up_holidays(self, at: datetime) -> None:
        """Have the holidays of this year and the next at hand: the first look takes a moment."""
        for entry in self.hours.values():
            for year in (at.year, at.year + 1) if entry.object.holidays else ():
                public_holidays(entry.object.holidays, year)

    def last_level(self, queue: str) -> int:
        """Return the highest level at which a team serves a queue."""
        return max((one.level for one in self._servings.get(queue, ())), default=1)

    def actor(self, id: Id) -> Actor | None:
        """Return the actor of an active agent, None for unknown and disabled ones."""
        entry = self.agent_by_id.get(id)
        if entry is None or not entry.object.active:
            return None
        person = entry.object
        return Actor(
            id=entry.id,
            name=person.name,
            roles=frozenset(Role(role) for role in person.roles),
            queues=frozenset(self.serves(person)) if Role.AGENT in person.roles else frozenset(),
            teams=frozenset(person.teams),
            language=person.language,
        )

    def agent_name(self, id: Id | None) -> str:
        """Return the name to show for an agent id; empty for nobody."""
        entry = self.agent_by_id.get(id or "")
        return entry.object.name if entry else ""


def connected(entry: Entry[Account], channel: Channel) -> ConnectedAccount:
    """Return a configured account as contacts come through it."""
    one = entry.object
    return ConnectedAccount(
        id=entry.id,
        key=one.key,
        connector=one.connector,
        channel=channel,
        name=one.name,
        name_en=one.names["name_en"],
        queue=one.queue,
        language=one.language,
        paused=one.paused,
        topics=dict(one.topics),
        flow=one.flow,
    )


def _best(way: tuple[str, Served]) -> tuple[int, float, int, str]:
    """Sort the best way to serve a queue first."""
    team, one = way
    return one.level, one.after, one.keep_free, team


def check(objects: Mapping[tuple[str, str], Object]) -> list[Fault]:
    """Return every reference that leads nowhere, and every way that leads round."""
    nowhere = [
        Fault(
            f"{kind}.{key}.{place}",
            f"there is no {wanted} {target!r}",
            "no_such",
            {"kind": wanted, "key": target},
        )
        for (kind, key), item in objects.items()
        for place, wanted, target in item.references()
        if (wanted, target) not in objects
    ]
    queues = [one for one in objects.values() if isinstance(one, Queue)]
    overflows = {one.key: [step.to_queue for step in one.overflow] for one in queues}
    outside = {one.key: [to] if (to := one.outside.next_queue) else [] for one in queues}
    full = {one.key: [to] if (to := one.full.to_queue) else [] for one in queues}
    return [
        *nowhere,
        *_loops(full, "full.to_queue", "what finds no place here comes back"),
        *_loops(overflows, "overflow", "what overflows from here comes back"),
        *_loops(outside, "outside.to_queue", "what is handed on from here comes back"),
        *(fault for one in objects.values() if isinstance(one, Flow) for fault in flow_faults(one)),
        *_rule_faults([one for one in objects.values() if isinstance(one, RoutingRule)]),
    ]


def _rule_faults(rules: Sequence[RoutingRule]) -> list[Fault]:
    """Return a fault for each rule whose place another one has, and one for too many steps."""
    faults = []
    first: dict[int, str] = {}
    for rule in sorted(rules, key=lambda each: each.key):
        other = first.setdefault(rule.order, rule.key)
        if other != rule.key:
            facts = {"order": rule.order, "rule": other}
            text = f"{rule.order} is the order of {other!r} already"
            faults.append(Fault(f"routing_rule.{rule.key}.order", text, "order_taken", facts))
    steps = sum(rule.condition.steps for rule in rules if rule.active)
    if steps > RULES_BUDGET:
        text = f"all rules together may take {steps} steps; {RULES_BUDGET} are allowed"
        facts = {"steps": steps, "budget": RULES_BUDGET}
        faults.append(Fault("routing_rule", text, "rules_budget", facts))
    return faults


def _loops(ahead: Mapping[str, Sequence[str]], place: str, text: str) -> list[Fault]:
    """Return a fault for each queue that a way of some kind leads back to."""
    return [
        Fault(
            f"queue.{key}.{place}",
            f"{text}: {' → '.join(way)}",
            f"{place.partition('.')[0]}_loop",
            {"way": " → ".join(way)},
        )
        for key in ahead
        if (way := way_round(key, lambda queue: ahead.get(queue, ())))
    ]


def administrators_lost(
    old: Mapping[tuple[str, str], Object], new: Mapping[tuple[str, str], Object]
) -> list[Fault]:
    """Return a fault for each administrator who goes when nobody is left who may configure."""
    before, after = _administrators(old), _administrators(new)
    if after or not before:
        return []
    message = "is the last active administrator; let somebody else be one first"
    return [Fault(f"agent.{key}", message, "last_administrator") for key in before]


def _administrators(objects: Mapping[tuple[str, str], Object]) -> list[str]:
    return sorted(
        item.key
        for item in objects.values()
        if isinstance(item, Agent) and item.active and Role.ADMINISTRATOR in item.roles
    )
