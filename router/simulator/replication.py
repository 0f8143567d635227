"""One run of a scenario: a virtual clock drives the product's engine from event to event."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush
from pathlib import Path
from random import Random

from madoguchi.model.routing import (
    MICROS,
    AgentChanged,
    AgentSpec,
    AwayReserved,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    Decision,
    ItemAssigned,
    ItemCancelled,
    ItemClosed,
    ItemEnqueued,
    ItemSpec,
    ItemState,
    OfferAccepted,
    Offered,
    Presence,
    PresenceSet,
    Refused,
    Reserve,
    TimePassed,
    WorkEnded,
)
from router.engine import Engine
from router.simulator.draws import DAY_S, Draw, arrivals, stream, times
from router.simulator.figures import Group, Record, Span
from router.simulator.scenario import Group as GroupPart
from router.simulator.scenario import Scenario

PURPOSES = ("handling", "patience", "wrap_up", "choice", "accept")
NEVER = 1 << 62


class What(IntEnum):
    """Kinds of events; at one instant the smaller goes first."""

    end = 0
    shift = 1
    engine = 2
    accept = 3
    arrival = 4
    abandonment = 5


@dataclass(slots=True)
class _Traffic:
    """The stream of one queue's contacts."""

    queue: str
    coming: Iterator[float]
    draws: dict[str, Random]
    handling: Draw
    patience: Draw | None
    wrap_up: Draw
    accept: Draw


@dataclass(slots=True)
class _Contact:
    """A contact that has not left yet."""

    number: int
    queue: str
    at: int
    handling_s: float
    wrap_up_s: float
    accept_s: float
    counted: bool
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one replication saw."""

    records: list[Record]
    groups: dict[str, Group]
    queues: dict[str, Span]
    explained: list[str] = field(default_factory=list)


class Replication:
    """A run; ``explain`` so many decisions in words."""

    def __init__(self, scenario: Scenario, number: int, beside: Path, explain: int = 0) -> None:
        self._scenario = scenario
        self._engine = Engine(seed=f"{scenario.seed}/{number}", explaining=explain > 0)
        self._now = 0
        self._events: list[tuple[int, What, int, str]] = []
        self._order = 0
        self._come = 0
        self._last = scenario.warmup + scenario.contacts
        self._left = 0
        self._contacts: dict[str, _Contact] = {}
        self._records: list[Record] = []
        self._traffic = {
            name: self._stream(name, number, beside) for name in sorted(scenario.traffic)
        }
        self._coming = len(self._traffic)
        self._queues = {queue.name: Span() for queue in scenario.queues}
        self._groups = {group.name: Group() for group in scenario.groups}
        self._group_of: dict[str, GroupPart] = {}
        self._explain = explain
        self._explained: list[str] = []

    def _stream(self, name: str, number: int, beside: Path) -> _Traffic:
        seed, traffic = self._scenario.seed, self._scenario.traffic[name]
        queue = next(one for one in self._scenario.queues if one.name == name)
        return _Traffic(
            queue=name,
            coming=arrivals(traffic.arrivals, stream(seed, number, name, "arrival"), beside),
            draws={purpose: stream(seed, number, name, purpose) for purpose in PURPOSES},
            handling=times(traffic.handling, beside),
            patience=times(traffic.patience, beside) if traffic.patience else None,
            wrap_up=times(traffic.wrap_up, beside),
            accept=times(queue.offer.accept, beside),
        )

    # ------------------------------------------------------------ the run

    def run(self) -> Outcome:
        """Run until every counted contact has left, or nobody comes any more and all are gone."""
        self._open()
        while self._left < self._scenario.contacts and (self._coming or self._contacts):
            at, what, key = self._next()
            if at == NEVER:
                break
            self._now = at
            self._happen(what, key)
        end = self._now
        for span in self._spans():
            span.close(end)
        return Outcome(self._records, self._groups, self._queues, self._explained)

    def _spans(self) -> list[Span]:
        groups = self._groups.values()
        return [*self._queues.values(), *(span for one in groups for span in (one.staff, one.work))]

    def _next(self) -> tuple[int, What, str]:
        due = self._engine.next_due()
        if self._events:
            at, what, _, key = self._events[0]
            if due is None or (at, what) < (due, What.engine):
                heappop(self._events)
                return at, what, key
        return (NEVER, What.engine, "") if due is None else (due, What.engine, "")

    def _post(self, at: int, what: What, key: str) -> None:
        self._order += 1
        heappush(self._events, (at, what, self._order, key))

    def _happen(self, what: What, key: str) -> None:
        if what is What.engine:
            self._do(TimePassed())
        elif what is What.arrival:
            self._arrive(self._traffic[key])
        elif what is What.end:
            self._finish(key)
        elif what is What.abandonment:
            contact = self._contacts.get(key)
            if contact is not None and contact.waits:
                self._do(ItemCancelled(key, ItemState.abandoned))
        elif what is What.accept:
            self._accept(key)
        else:
            self._shift(key)

    # ------------------------------------------------------------ who is there

    def _open(self) -> None:
        scenario = self._scenario
        levels: dict[str, int] = {}
        delays: dict[str, set[float]] = {}
        for group in scenario.groups:
            for served in scenario.served(group):
                levels[served.queue] = max(served.level, levels.get(served.queue, 1))
                if served.after:
                    delays.setdefault(served.queue, set()).add(served.after)
        queues = tuple(
            queue.policy(
                scenario.service_level_s,
                levels.get(queue.name, 1),
                tuple(sorted(delays.get(queue.name, ()))),
            )
            for queue in scenario.queues
        )
        limits = tuple(limit.limit() for limit in scenario.limits)
        self._do(ConfigurationChanged(queues, limits=limits))
        order = 0
        for place, group in enumerate(scenario.groups):
            for number in range(group.agents):
                self._hire(group, f"{place:03}-{number:06}", order)
                order += 1
        for traffic in self._traffic.values():
            self._expect(traffic)

    def _hire(self, group: GroupPart, name: str, order: int) -> None:
        served = self._scenario.served(group)
        spec = AgentSpec(
            id=name,
            order=order,
            skills=group.skills,
            serves={one.queue: one.level for one in served},
            units=group.capacity,
            teams=(group.name,),
            keep_free={one.queue: Reserve(group.name, one.keep_free) for one in served
                       if one.keep_free},
            delays_s={one.queue: one.after for one in served if one.after},
            share=group.share,
        )  # fmt: skip
        self._group_of[name] = group
        self._do(AgentChanged(spec))
        self._do(ConnectionChanged(name, True))
        if not group.shifts:
            self._do(PresenceSet(name, Presence.available))
            self._groups[group.name].change(staffed=1, at=self._now)
        for shift in group.shifts:
            start, end = shift.seconds()
            self._post(start * MICROS, What.shift, f"{name}/in")
            self._post(end * MICROS, What.shift, f"{name}/out")

    def _shift(self, key: str) -> None:
        name, _, way = key.partition("/")
        self._post(self._now + round(DAY_S * MICROS), What.shift, key)
        group = self._groups[self._group_of[name].name]
        if way == "in":
            self._do(PresenceSet(name, Presence.available))
            group.change(staffed=1, at=self._now)
        else:
            self._do(AwayReserved(name, "shift"))
            group.change(staffed=-1, at=self._now)

    # ------------------------------------------------------------ the way of a contact

    def _expect(self, traffic: _Traffic) -> None:
        at = next(traffic.coming, None)
        if at is None:
            self._coming -= 1
        else:
            self._post(round(at * MICROS), What.arrival, traffic.queue)

    def _arrive(self, traffic: _Traffic) -> None:
        self._expect(traffic)
        self._come += 1
        number, draws = self._come, traffic.draws
        handling, patience, wrap_up, choice, accept = (draws[one].random() for one in PURPOSES)
        counted = self._scenario.warmup < number <= self._last
        if number == self._scenario.warmup + 1:
            for span in self._spans():
                span.open(self._now)
        if number == self._last:
            for span in self._spans():
                span.close(self._now)
        name = f"{number:09}"
        contact = self._contacts[name] = _Contact(
            number, traffic.queue, self._now, traffic.handling(handling),
            traffic.wrap_up(wrap_up),
            traffic.accept(accept),
            counted,
        )  # fmt: skip
        self._queues[traffic.queue].change(1, self._now)
        self._do(ItemEnqueued(ItemSpec(name, "", traffic.queue, "sim", self._now, draw=choice)))
        if contact.waits and traffic.patience is not None:
            leaves = self._now + round(traffic.patience(patience) * MICROS)
            self._post(leaves, What.abandonment, name)

    def _accept(self, offer: str) -> None:
        pending = self._engine.offer(offer)
        if pending is not None:
            self._do(OfferAccepted(offer, pending.agent))

    def _finish(self, name: str) -> None:
        item = self._engine.item(name)
        if item is not None and item.owner is not None:
            self._groups[self._group_of[item.owner].name].change(busy=-1, at=self._now)
        del self._contacts[name]
        self._do(WorkEnded(name))

    def _do(self, command: Command) -> None:
        try:
            decisions = self._engine.apply(command, self._now)
        except Refused as refused:
            decisions = refused.decisions
        for decision in decisions:
            self._follow(decision)

    def _follow(self, decision: Decision) -> None:
        if isinstance(decision, Offered):
            self._offered(decision)
        elif isinstance(decision, ItemAssigned):
            self._served(decision)
        elif isinstance(decision, ItemClosed) and decision.state is not ItemState.done:
            contact = self._contacts.pop(decision.item)
            self._leave(contact, "" if decision.state is ItemState.abandoned else None)

    def _offered(self, offered: Offered) -> None:
        if len(self._explained) < self._explain:
            self._explained.append(self._in_words(offered))
        after = round(self._contacts[offered.item].accept_s * MICROS)
        if after:
            self._post(self._now + after, What.accept, offered.offer)
        else:
            self._do(OfferAccepted(offered.offer, offered.agent))

    def _served(self, assigned: ItemAssigned) -> None:
        contact = self._contacts[assigned.item]
        group = self._group_of[assigned.agent]
        busy = contact.handling_s / group.speed_for(contact.queue) + contact.wrap_up_s
        self._groups[group.name].change(busy=1, at=self._now)
        self._leave(contact, group.name)
        self._post(self._now + round(busy * MICROS), What.end, assigned.item)

    def _leave(self, contact: _Contact, by: str | None) -> None:
        """Note how a contact's wait has ended: with a group, by abandoning ("") or blocked."""
        contact.waits = False
        self._queues[contact.queue].change(-1, self._now)
        if contact.counted:
            self._left += 1
            self._records.append(Record(contact.queue, self._now - contact.at, by))
            if by:
                self._groups[by].contacts += 1

    def _in_words(self, offered: Offered) -> str:
        why = offered.explanation
        return (
            f"{self._now / MICROS:.3f} s: contact {int(offered.item)} of {why.queue} after "
            f"{why.waited_us / MICROS:.3f} s to agent {offered.agent}: {', '.join(why.facts)}; "
            f"rank {why.rank[:3]}, key {why.agent_key}, "
            f"next {why.runner_up.agent if why.runner_up else 'nobody'}"
        )
