"""One run: a virtual clock drives the product's engine from event to event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum
from heapq import heappop, heappush

from madoguchi.model.routing import (
    MICROS,
    AgentLoadChanged,
    Command,
    Decision,
    ItemAssigned,
    ItemBlocked,
    ItemCancelled,
    ItemClosed,
    ItemEnqueued,
    ItemSpec,
    ItemState,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    OfferState,
    Presence,
    PresenceChanged,
    Refused,
    Requeued,
    TimePassed,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
)
from router.engine.engine import Engine
from router.simulator.cast import Asked, Cast, Coming, Member, Reply, Turn
from router.simulator.figures import End, Group, Record, Span
from router.simulator.people import People
from router.simulator.watch import Watch

NEVER = 1 << 62


class What(IntEnum):
    """Kinds of events; at one instant the smaller goes first."""

    end = 0
    shift = 1
    engine = 2
    look = 3
    accept = 4
    decline = 5
    arrival = 6
    abandonment = 7


@dataclass(slots=True)
class Contact:
    """A contact that has not left yet.

    ``turn``: so often it was handed on. ``direct`` is the offer to whom it was meant for,
    ``returned``: they could not take it. ``on_offer``: to so many it is now. ``nobody``: nobody
    could ever take it. ``asked`` is agent -> how often they were.
    """

    coming: Coming
    counted: bool
    waits: bool = True
    turn: int = 0
    direct: str = ""
    returned: bool = False
    on_offer: int = 0
    nobody: bool = False
    asked: dict[str, int] = field(default_factory=dict)

    @property
    def taken_over(self) -> Turn | None:
        """The turn at which it is; None: with its first agent."""
        return self.coming.turns[self.turn - 1] if self.turn else None

    @property
    def last(self) -> bool:
        """Whether it is handed on no more."""
        return self.turn == len(self.coming.turns)


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
        self._now, self._what = 0, What.engine
        self._events: list[tuple[int, What, int, str]] = []
        self._order = 0
        self._come = 0
        self._last = cast.warmup + cast.contacts
        self._left = 0
        self._next_of: dict[str, Coming] = {}
        self._contacts: dict[str, Contact] = {}
        self._records: list[Record] = []
        self._queues = {name: Span() for name in cast.queues}
        self._people = People(
            cast, self._engine, self._do, lambda at, key: self._post(at, What.shift, key)
        )
        self._groups: dict[str, Group] = self._people.groups
        self._watch = Watch(self._engine, cast) if cast.helps else None
        self._looks_at: int | None = None
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
            self._now, self._what = at, what
            self._happen(what, key)
        for span in self._spans():
            span.close(self._now)
        waiting = [
            Record(
                one.coming.queue, one.coming.at, self._now - one.coming.at, End.waiting, one.nobody
            )
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
        elif what is What.shift:
            self._people.shift(key, self._now)
        elif what is What.look:
            self._look()
        else:
            self._answer(what, key)

    def _open(self) -> None:
        self._do(self._cast.configuration)
        for member in self._cast.members:
            self._people.hire(member, self._now)
        for name in self._cast.streams:
            self._expect(name)

    def _look(self) -> None:
        """Let teams help whom a look finds in need, and no longer who is not."""
        if self._watch is None or self._watch.due != self._now:
            return
        if self._watch.tells_time:
            self._do(TimePassed())
        for command in self._watch.look(self._now):
            self._do(command)
        self._expect_look()

    def _expect_look(self) -> None:
        due = self._watch.due if self._watch is not None else None
        if due is not None and due != self._looks_at:
            self._looks_at = due
            self._post(due, What.look, "")

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

    def _answer(self, what: What, offer: str) -> None:
        pending = self._engine.offer(offer)
        if pending is None:
            return
        if what is What.accept:
            self._do(OfferAccepted(offer, pending.agent))
        else:
            self._do(OfferDeclined(offer, pending.agent))

    def _finish(self, name: str) -> None:
        contact = self._contacts.get(name)
        if contact is None:
            return
        if contact.last and not contact.returned:
            del self._contacts[name]
            self._do(WorkEnded(name))
        else:
            self._hand_on(name, contact)

    def _hand_on(self, name: str, contact: Contact) -> None:
        """Give a contact to whom it is meant for, else to the queue; its turn counts from now."""
        if not contact.returned:
            contact.turn += 1
            turn = contact.coming.turns[contact.turn - 1]
            if turn.agent and self._do(TransferredToAgent(name, turn.agent)):
                return
        contact.returned = False
        turn = contact.coming.turns[contact.turn - 1]
        item = self._engine.item(name)
        if item is not None and item.spec.queue == turn.queue:
            self._do(Requeued(name, "transfer"))
        else:
            self._do(TransferredToQueue(name, turn.queue))

    def _do(self, command: Command) -> bool:
        """Carry out a command and all that follows from it; tell whether it could be."""
        try:
            decisions, done = self._engine.apply(command, self._now), True
        except Refused as refused:
            decisions, done = refused.decisions, False
        if self._watch is not None:
            self._watch.learn(command, decisions, self._now, late=self._what >= What.look)
            self._expect_look()
        for decision in decisions:
            self._follow(decision)
        return done

    def _follow(self, decision: Decision) -> None:
        if isinstance(decision, AgentLoadChanged):
            self._people.loaded(decision.agent, self._now)
        elif isinstance(decision, Offered):
            self._offered(decision)
        elif isinstance(decision, OfferClosed):
            self._offer_closed(decision)
        elif isinstance(decision, ItemAssigned):
            self._served(decision)
        elif isinstance(decision, ItemClosed):
            if decision.state is not ItemState.done:
                left = End.abandoned if decision.state is ItemState.abandoned else End.blocked
                self._leave(self._contacts.pop(decision.item), left)
        elif isinstance(decision, ItemBlocked):
            self._blocked(decision)
        elif isinstance(decision, PresenceChanged) and decision.presence is Presence.missed:
            self._people.missed(decision.agent, self._now)

    def _blocked(self, blocked: ItemBlocked) -> None:
        """Note whether nobody can ever take a contact: it is told when it comes, or never."""
        contact = self._contacts.get(blocked.item)
        if contact is not None and contact.waits:
            contact.nobody = blocked.blocked and contact.coming.at == self._now

    def _offered(self, offered: Offered) -> None:
        if len(self._explained) < self._explain:
            self._explained.append(self._in_words(offered))
        contact = self._contacts[offered.item]
        contact.nobody = False
        reply = self._reply(contact, offered)
        contact.on_offer += 1
        if reply.end is OfferState.declined:
            self._post(self._now + reply.after_us, What.decline, offered.offer)
        elif reply.end is OfferState.timed_out:
            return
        elif reply.after_us:
            self._post(self._now + reply.after_us, What.accept, offered.offer)
        else:
            self._do(OfferAccepted(offered.offer, offered.agent))

    def _reply(self, contact: Contact, offered: Offered) -> Reply:
        """Return what an agent does with an offer; whom a contact was handed to takes it."""
        if offered.transfer:
            contact.direct = offered.offer
        turn = contact.taken_over
        own = Reply(OfferState.accepted, turn.accept_us if turn else contact.coming.accept_us)
        conduct = self._cast.conduct
        if conduct is None or offered.transfer:
            return own
        time = contact.asked.get(offered.agent, 0)
        contact.asked[offered.agent] = time + 1
        queue, beside = contact.coming.queue, contact.on_offer > 0
        return conduct.reply(Asked(int(offered.item), queue, offered.agent, time, beside), own)

    def _offer_closed(self, closed: OfferClosed) -> None:
        contact = self._contacts.get(closed.item)
        if contact is None:
            return
        contact.on_offer -= 1
        if contact.direct == closed.offer:
            contact.direct = ""
            if closed.state is OfferState.withdrawn:
                # Its agent has it still, who gives it to the queue now.
                contact.returned = True
                self._post(self._now, What.end, closed.item)

    def _served(self, assigned: ItemAssigned) -> None:
        contact = self._contacts[assigned.item]
        member = self._people.members[assigned.agent]
        busy = self._busy_s(assigned.item, contact, member)
        if contact.waits:
            self._leave(contact, End.answered)
        if contact.counted:
            for group in member.groups:
                self._groups[group].contacts += 1
        self._post(self._now + round(busy * MICROS), What.end, assigned.item)

    def _busy_s(self, name: str, contact: Contact, member: Member) -> float:
        """Return for how long a contact keeps its agent, until it is handed on or done with."""
        coming, turn = contact.coming, contact.taken_over
        handling = turn.handling_s if turn else coming.handling_s
        wrap_up = coming.wrap_up_s if contact.last else 0.0
        if self._cast.wrap_up_most and wrap_up:
            item = self._engine.item(name)
            most = self._cast.wrap_up_most.get(item.spec.queue if item else coming.enters)
            wrap_up = wrap_up if most is None else min(wrap_up, most)
        return handling / member.speed.get(coming.queue, 1.0) + wrap_up

    def _leave(self, contact: Contact, end: End) -> None:
        """Note how a contact's wait has ended."""
        coming = contact.coming
        contact.waits = False
        self._queues[coming.queue].change(-1, self._now)
        if contact.counted:
            self._left += 1
            waited = self._now - coming.at
            self._records.append(Record(coming.queue, coming.at, waited, end, contact.nobody))

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
        patient=coming.patient,
    )
