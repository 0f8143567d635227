"""One run: a virtual clock drives the product's engine from event to event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush

from madoguchi.model.routing import (
    MICROS,
    AgentChanged,
    AgentLoadChanged,
    AwayReserved,
    Command,
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
    TimePassed,
    WorkEnded,
)
from router.engine.engine import Engine
from router.simulator.cast import DAY_US, Cast, Coming, Member
from router.simulator.figures import End, Group, Record, Span

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
class Contact:
    """A contact that has not left yet."""

    coming: Coming
    counted: bool
    waits: bool = True


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one replication saw; ``waiting``: whose wait had not ended when the run did."""

    records: list[Record]
    groups: dict[str, Group]
    queues: dict[str, Span]
    explained: list[str] = field(default_factory=list)
    waiting: list[Record] = field(default_factory=list)


class Replication:
    """A run; ``explain`` so many decisions in words."""

    def __init__(self, cast: Cast, explain: int = 0) -> None:
        self._cast = cast
        self._engine = Engine(seed=cast.seed, explaining=explain > 0)
        self._now = 0
        self._events: list[tuple[int, What, int, str]] = []
        self._order = 0
        self._come = 0
        self._last = cast.warmup + cast.contacts
        self._left = 0
        self._next_of: dict[str, Coming] = {}
        self._contacts: dict[str, Contact] = {}
        self._records: list[Record] = []
        self._queues = {name: Span() for name in cast.queues}
        self._groups = {name: Group() for name in cast.groups}
        self._members: dict[str, Member] = {}
        self._used: dict[str, int] = {}
        self._explain = explain
        self._explained: list[str] = []

    # ------------------------------------------------------------ the run

    def run(self) -> Outcome:
        """Run until every counted contact has left, or nobody comes any more and all are gone."""
        self._open()
        until = NEVER - 1 if self._cast.until is None else self._cast.until
        while self._left < self._cast.contacts and (self._next_of or self._contacts):
            at, what, key = self._next()
            if at > until:
                break
            self._now = at
            self._happen(what, key)
        for span in self._spans():
            span.close(self._now)
        waiting = [
            Record(one.coming.queue, one.coming.at, self._now - one.coming.at, End.waiting)
            for one in self._contacts.values()
            if one.waits and one.counted
        ]
        return Outcome(self._records, self._groups, self._queues, self._explained, waiting)

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
            self._arrive(key)
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
        self._do(self._cast.configuration)
        for member in self._cast.members:
            self._hire(member)
        for name in self._cast.streams:
            self._expect(name)

    def _hire(self, member: Member) -> None:
        name = member.spec.id
        self._members[name] = member
        self._do(AgentChanged(member.spec))
        self._do(ConnectionChanged(name, True))
        if member.shifts is None:
            self._do(PresenceSet(name, Presence.available))
            self._staff(member, 1)
        for start, end in member.shifts or ():
            self._post(start, What.shift, f"{name}/in")
            self._post(end, What.shift, f"{name}/out")

    def _shift(self, key: str) -> None:
        name, _, way = key.partition("/")
        if self._cast.daily:
            self._post(self._now + DAY_US, What.shift, key)
        if way == "in":
            self._do(PresenceSet(name, Presence.available))
            self._staff(self._members[name], 1)
        else:
            self._do(AwayReserved(name, "shift"))
            self._staff(self._members[name], -1)

    def _staff(self, member: Member, way: int) -> None:
        """Let an agent's units count from now on, or no longer."""
        for group in member.groups:
            self._groups[group].staff.change(way * member.spec.units, self._now)

    def _loaded(self, agent: str) -> None:
        """Note the units that an agent has in use now: what was decided may be over already."""
        used = self._engine.load(agent).used
        more = used - self._used.get(agent, 0)
        if more:
            self._used[agent] = used
            for group in self._members[agent].groups:
                self._groups[group].work.change(more, self._now)

    # ------------------------------------------------------------ the way of a contact

    def _expect(self, stream: str) -> None:
        coming = next(self._cast.streams[stream], None)
        if coming is None:
            self._next_of.pop(stream, None)
        else:
            self._next_of[stream] = coming
            self._post(coming.at, What.arrival, stream)

    def _arrive(self, stream: str) -> None:
        coming = self._next_of[stream]
        self._expect(stream)
        self._come += 1
        number = self._come
        if number == self._cast.warmup + 1:
            for span in self._spans():
                span.open(self._now)
        if number == self._last:
            for span in self._spans():
                span.close(self._now)
        name = f"{number:09}"
        counted = self._cast.warmup < number <= self._last
        contact = self._contacts[name] = Contact(coming, counted)
        self._queues[coming.queue].change(1, self._now)
        self._do(ItemEnqueued(_item(name, coming)))
        if contact.waits and coming.patience_us is not None:
            self._post(self._now + coming.patience_us, What.abandonment, name)

    def _accept(self, offer: str) -> None:
        pending = self._engine.offer(offer)
        if pending is not None:
            self._do(OfferAccepted(offer, pending.agent))

    def _finish(self, name: str) -> None:
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
        if isinstance(decision, AgentLoadChanged):
            self._loaded(decision.agent)
        elif isinstance(decision, Offered):
            self._offered(decision)
        elif isinstance(decision, ItemAssigned):
            self._served(decision)
        elif isinstance(decision, ItemClosed) and decision.state is not ItemState.done:
            left = End.abandoned if decision.state is ItemState.abandoned else End.blocked
            self._leave(self._contacts.pop(decision.item), left)

    def _offered(self, offered: Offered) -> None:
        if len(self._explained) < self._explain:
            self._explained.append(self._in_words(offered))
        after = self._contacts[offered.item].coming.accept_us
        if after:
            self._post(self._now + after, What.accept, offered.offer)
        else:
            self._do(OfferAccepted(offered.offer, offered.agent))

    def _served(self, assigned: ItemAssigned) -> None:
        contact = self._contacts[assigned.item]
        member = self._members[assigned.agent]
        busy = self._busy_s(assigned.item, contact.coming, member)
        self._leave(contact, End.answered)
        if contact.counted:
            for group in member.groups:
                self._groups[group].contacts += 1
        self._post(self._now + round(busy * MICROS), What.end, assigned.item)

    def _busy_s(self, name: str, coming: Coming, member: Member) -> float:
        """Return for how long a contact keeps its agent."""
        wrap_up = coming.wrap_up_s
        if self._cast.wrap_up_most:
            item = self._engine.item(name)
            most = self._cast.wrap_up_most.get(item.spec.queue if item else coming.enters)
            wrap_up = wrap_up if most is None else min(wrap_up, most)
        return coming.handling_s / member.speed.get(coming.queue, 1.0) + wrap_up

    def _leave(self, contact: Contact, end: End) -> None:
        """Note how a contact's wait has ended."""
        coming = contact.coming
        contact.waits = False
        self._queues[coming.queue].change(-1, self._now)
        if contact.counted:
            self._left += 1
            self._records.append(Record(coming.queue, coming.at, self._now - coming.at, end))

    def _in_words(self, offered: Offered) -> str:
        why = offered.explanation
        return (
            f"{self._now / MICROS:.3f} s: contact {int(offered.item)} of {why.queue} after "
            f"{why.waited_us / MICROS:.3f} s to agent {offered.agent}: {', '.join(why.facts)}; "
            f"rank {why.rank[:3]}, key {why.agent_key}, "
            f"next {why.runner_up.agent if why.runner_up else 'nobody'}"
        )


def _item(name: str, coming: Coming) -> ItemSpec:
    return ItemSpec(
        name,
        "",
        coming.enters,
        coming.channel,
        coming.at,
        weight=coming.weight,
        requires=coming.requires,
        priority=coming.priority,
        preferred=coming.preferred,
        preference=coming.preference,
        draw=coming.draw,
    )
