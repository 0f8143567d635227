"""How many agents each half hour of a day needs, and how many were there; pure.

Each half hour is taken for itself, as if it went on for ever like this (a stationary independent
period), by :mod:`router.trials.erlang`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.kinds import Queue
from madoguchi.model.channels import Channel
from madoguchi.model.routing import MICROS, AgentSpec
from router.configured import specs
from router.engine.policy import lacks
from router.trials.day import HALF_HOUR_US, Contact, Day, part_of_half_hours
from router.trials.erlang import ErlangA
from router.trials.fit import Curve
from router.trials.trial import Fits

HALF_HOUR_S = HALF_HOUR_US / MICROS
NOBODY: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for: the share that is to be answered within each queue's target, the share of
    paid time in which agents are not there (breaks, meetings, leave), contacts for each one.
    """

    share: float = 0.8
    shrinkage: float = 0.0
    factor: float = 1.0

    def paid(self, needed: float) -> float:
        """Return the agents to be paid for so many to be there."""
        return needed / (1.0 - self.shrinkage)


@dataclass(frozen=True, slots=True)
class Kind:
    """What a queue's contacts are like: means of the day, seconds.

    ``handling_s``: how long one keeps an agent, accepting and wrap-up included; None: nobody ever
    finished one. ``patience_s`` None: nobody ever left. ``at_once``: how many an agent serves.
    """

    target_s: float
    accept_s: float
    handling_s: float | None
    patience_s: float | None
    at_once: float


@dataclass(frozen=True, slots=True)
class HalfHour:
    """One half hour of a queue.

    ``needed``: agents for this queue's own work, None: nobody knows how long it takes. ``there``
    agents may serve it; ``own`` is what they are for it when each one's time is shared out among
    their queues by the work that comes. ``expected`` is the share in time by ``needed`` agents,
    ``abandoned`` the share that leaves and ``asa_s`` the mean wait of the answered then,
    ``recorded`` the day's own share in time; None where nobody came.
    """

    arrivals: float
    load: float
    needed: int | None
    paid: float | None
    there: float
    own: float
    expected: float | None
    abandoned: float | None
    asa_s: float | None
    occupancy: float | None
    recorded: float | None


@dataclass(frozen=True, slots=True)
class Together:
    """One half hour of all queues: ``needed`` when nobody serves two queues, ``pooled`` when
    everybody serves all of them; what is needed lies between. ``there``: each agent once.
    """

    arrivals: float
    needed: int
    pooled: int
    paid: float
    there: float


@dataclass(frozen=True, slots=True)
class Plan:
    """A day's staffing."""

    kinds: Mapping[str, Kind]
    queues: Mapping[str, tuple[HalfHour, ...]]
    total: tuple[Together, ...]


def plan(day: Day, fits: Fits, catalog: Catalog, terms: Terms) -> Plan:
    """Return what a day needs of those queues of the configuration to which anybody came."""
    came = _by_queue(day, catalog)
    people = {id: spec for id, spec in specs(catalog).items() if id in day.there}
    serving = {key: _serving(catalog.queues[key].object, key, people) for key in came}
    kinds = {
        key: _kind(catalog.queues[key].object, contacts, fits, [people[id] for id in serving[key]])
        for key, contacts in came.items()
    }
    counts = {key: _arrivals(contacts, day, terms.factor) for key, contacts in came.items()}
    loads = {
        key: [rate / HALF_HOUR_S * (kinds[key].handling_s or 0.0) for rate in counts[key]]
        for key in came
    }
    was = {key: _recorded(came[key], kinds[key].target_s, day) for key in came}
    queues_of = {id: [key for key in came if id in serving[key]] for id in people}
    present = {id: part_of_half_hours(day, id) for id in people}
    queues = {
        key: tuple(
            _half_hour(
                counts[key][at],
                kinds[key],
                terms,
                sum(present[id][at] for id in serving[key]),
                _own(key, at, serving[key], queues_of, loads, present),
                was[key][at],
            )
            for at in range(day.half_hours)
        )
        for key in came
    }
    total = tuple(
        _together({key: counts[key][at] for key in came}, kinds, fits, terms,
                  [queues[key][at] for key in came], sum(one[at] for one in present.values()))
        for at in range(day.half_hours)
    )  # fmt: skip
    return Plan(kinds, queues, total)


# ---------------------------------------------------------------- what comes


def _by_queue(day: Day, catalog: Catalog) -> dict[str, list[Contact]]:
    came: dict[str, list[Contact]] = {}
    for contact in day.contacts:
        if contact.queue in catalog.queues:
            came.setdefault(contact.queue, []).append(contact)
    return dict(sorted(came.items()))


def _arrivals(contacts: Sequence[Contact], day: Day, factor: float) -> list[float]:
    """Return how many come in each half hour; of a forecast the mean of its days."""
    each = factor / (day.forecast_of or 1)
    found = [0.0] * day.half_hours
    for contact in contacts:
        found[_place(contact, day)] += each
    return found


def _place(contact: Contact, day: Day) -> int:
    return min(day.half_hours - 1, contact.at // HALF_HOUR_US)


def _recorded(contacts: Sequence[Contact], target_s: float, day: Day) -> list[float | None]:
    """Return the share in time of each half hour as it was; None where nobody came, and of a day
    that was not recorded.
    """
    came, in_time = [0] * day.half_hours, [0] * day.half_hours
    for one in contacts:
        at = _place(one, day)
        came[at] += 1
        in_time[at] += one.talk is not None and one.waited / MICROS <= target_s
    if day.forecast_of:
        return [None] * day.half_hours
    return [part / all_ if all_ else None for part, all_ in zip(in_time, came, strict=True)]


def _kind(
    queue: Queue, contacts: Sequence[Contact], fits: Fits, agents: Sequence[AgentSpec]
) -> Kind:
    talk = mean(fits.talk.of(queue.key))
    accept = mean(fits.accept.of(queue.key)) or 0.0
    wrap_up = mean(fits.wrap_up.of(queue.key)) or 0.0
    return Kind(
        target_s=queue.service_level_s,
        accept_s=accept,
        handling_s=None if talk is None else accept + talk + wrap_up,
        patience_s=mean(fits.patience.of(queue.key)),
        at_once=_at_once(queue, contacts, agents),
    )


def mean(curve: Curve) -> float | None:
    """Return the mean of exponential times of which some were not seen to their end: all time seen
    ÷ all ends seen, the maximum of the likelihood; None: nothing ever ended.
    """
    return 1.0 / curve.hazard if curve.hazard else None


def _at_once(queue: Queue, contacts: Sequence[Contact], agents: Sequence[AgentSpec]) -> float:
    """Return how many contacts an agent serves at once, on average over contacts and agents."""
    channels = dict.fromkeys(sorted({one.channel for one in contacts}), 0)
    for one in contacts:
        channels[one.channel] += 1
    held = sum(
        count / fmean([_room(one, channel, queue) for one in agents] or [1])
        for channel, count in channels.items()
    )
    return len(contacts) / held


def _room(agent: AgentSpec, channel: str, queue: Queue) -> int:
    weight = queue.weights.get(Channel(channel), 1)
    room = agent.units // weight
    return max(1, min(room, agent.per_channel.get(channel, room)))


# ---------------------------------------------------------------- who is there


def _serving(queue: Queue, key: str, people: Mapping[str, AgentSpec]) -> list[str]:
    requires = queue.requires.items()
    return [id for id, one in people.items() if lacks(one, key, NOBODY, requires) is None]


def _own(
    key: str,
    at: int,
    serving: Sequence[str],
    queues_of: Mapping[str, Sequence[str]],
    loads: Mapping[str, Sequence[float]],
    present: Mapping[str, Sequence[float]],
) -> float:
    work = {queue: load[at] for queue, load in loads.items()}
    return sum(present[id][at] * _part(key, queues_of[id], work) for id in serving)


def _part(key: str, queues: Sequence[str], work: Mapping[str, float]) -> float:
    """Return which part of an agent's time is a queue's, of all queues that they serve."""
    together = sum(work[queue] for queue in queues)
    return work[key] / together if together else 1.0 / len(queues)


# ---------------------------------------------------------------- what is needed


def _half_hour(
    arrivals: float, kind: Kind, terms: Terms, there: float, own: float, recorded: float | None
) -> HalfHour:
    if not arrivals or kind.handling_s is None:
        needed = None if arrivals else 0
        paid = None if arrivals else 0.0
        return HalfHour(arrivals, 0.0, needed, paid, there, own, None, None, None, None, recorded)
    system = ErlangA(arrivals / HALF_HOUR_S, kind.handling_s, kind.patience_s)
    within = max(0.0, kind.target_s - kind.accept_s)
    places = system.needed(terms.share, within)
    needed = agents(places, kind.at_once)
    reached = system.steady(round(needed * kind.at_once), within)
    return HalfHour(
        arrivals,
        system.load,
        needed,
        terms.paid(needed),
        there,
        own,
        reached.in_time,
        reached.p_abandoned,
        # Who is answered at once has waited until the agent accepted.
        reached.asa_s + kind.accept_s,
        reached.occupancy,
        recorded,
    )


def agents(places: int, at_once: float) -> int:
    """Return the agents who have so many places together."""
    return -int(-places // at_once)


def _together(
    counts: Mapping[str, float],
    kinds: Mapping[str, Kind],
    fits: Fits,
    terms: Terms,
    parts: Sequence[HalfHour],
    there: float,
) -> Together:
    known = {key: n for key, n in counts.items() if n and kinds[key].handling_s is not None}
    needed = sum(part.needed or 0 for part in parts)
    pooled = min(needed, _pooled(known, kinds, mean(fits.patience.shared), terms))
    return Together(sum(counts.values()), needed, pooled, terms.paid(needed), there)


def _pooled(
    counts: Mapping[str, float], kinds: Mapping[str, Kind], patience_s: float | None, terms: Terms
) -> int:
    """Return the agents that everybody's work needs when they all serve everything: one line,
    first come, first served, in which each contact has its own queue's target.
    """
    come = sum(counts.values())
    if not come:
        return 0
    busy = {key: n * (kinds[key].handling_s or 0.0) for key, n in counts.items()}
    work = sum(busy.values())
    at_once = work / sum(held / kinds[key].at_once for key, held in busy.items())
    system = ErlangA(come / HALF_HOUR_S, work / come, patience_s)
    targets: dict[float, float] = {}
    for key, count in counts.items():
        within = max(0.0, kinds[key].target_s - kinds[key].accept_s)
        targets[within] = targets.get(within, 0.0) + count / come

    def enough(servers: int) -> bool:
        reached = sum(part * system.in_time(servers, within) for within, part in targets.items())
        return reached >= terms.share

    return agents(system.fewest(enough), at_once)
