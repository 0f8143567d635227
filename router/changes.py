"""From the engine's decisions to rows, written in one transaction."""

from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import update

from madoguchi.clock import from_micros, to_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.callbacks import GIVEN_UP
from madoguchi.conversations.turning_away import WHY
from madoguchi.model import log
from madoguchi.model.channels import Line
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import Entity, LogEntry
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import (
    AgentLoadChanged,
    Callback,
    Decision,
    ItemAssigned,
    ItemBlocked,
    ItemCallback,
    ItemClosed,
    ItemFacts,
    ItemRanked,
    ItemResumed,
    ItemState,
    ItemWaiting,
    ItemWrapUp,
    Offer,
    OfferClosed,
    Offered,
    OfferState,
    PresenceChanged,
)
from madoguchi.security.audit import record
from madoguchi.store.log import append
from madoguchi.store.work import Work
from router import matters
from router import statements as sql
from router.calling import MISSED, Calls, answers
from router.engine.engine import Engine
from router.matters import Moves
from router.offering import snapshots
from router.pauses import ENDED, released_us
from router.rebuild import Kept, routing_of
from router.standing import Standing
from router.tables import assignment


@dataclass(frozen=True, slots=True)
class Answer:
    """A contact that somebody took for the first time."""

    queue: str
    channel: str
    waited_us: int


@dataclass
class Changes:
    """Everything that one cycle of the router changes, gathered before anything is written.

    ``heard`` is how far the log was read for what is being decided; ``ends`` (conversation → place)
    keeps it for each work that ended, ``away`` (item → why) that no queue could take it. ``line``
    says by what an account speaks, None where it does not work. ``freed`` (item → µs) is for how
    long those who had an item were free of it, known when all is written.
    """

    engine: Engine
    kept: Kept
    now: datetime
    new_id: Callable[[], Id]
    catalog: Catalog
    line: Callable[[Id], Line | None]
    items: dict[Id, str] = field(default_factory=dict)
    closed: dict[Id, ItemState] = field(default_factory=dict)
    last: dict[Id, ItemFacts] = field(default_factory=dict)
    agents: dict[Id, str | None] = field(default_factory=dict)
    made: list[Offered] = field(default_factory=list)
    ended: list[OfferClosed] = field(default_factory=list)
    assigned: list[tuple[Id, Id | None, str | None]] = field(default_factory=list)
    wrapped: set[Id] = field(default_factory=set)
    resumed: set[Id] = field(default_factory=set)
    reasons: dict[Id, dict[str, Any]] = field(default_factory=dict)
    handovers: dict[Id, dict[str, Any]] = field(default_factory=dict)
    wrap_ups: dict[Id, dict[str, Any]] = field(default_factory=dict)
    audit: list[Any] = field(default_factory=list)
    moved: list[Offer] = field(default_factory=list)
    stands: dict[Id, int] = field(default_factory=dict)
    answered: dict[Id, Answer] = field(default_factory=dict)
    pauses: dict[Id, int] = field(default_factory=dict)
    heard: int = 0
    ends: dict[Id, int] = field(default_factory=dict)
    away: dict[Id, str] = field(default_factory=dict)
    freed: dict[Id, int] = field(default_factory=dict)
    calls: Calls = field(default_factory=Calls)

    def clock_set(self) -> None:
        """Write every stored instant anew, because the wall clock was set and all moved with it."""
        state = self.engine.state()
        self.moved = list(state.offers)
        self.stands = {one.spec.id: one.spec.enqueued_at for one in state.items}
        for item in state.items:
            self.touch(item.spec.id, "item.changed")
        for agent in state.agents:
            self.agents.setdefault(agent.spec.id, None)

    def remember(self, items: Iterable[Id]) -> None:
        """Keep what items were like before a command; a closed one is gone from the engine."""
        for id in items:
            facts = self.engine.item(id)
            if facts is not None:
                self.last[id] = facts

    def note(self, decisions: Iterable[Decision]) -> None:
        """Gather decisions in their order."""
        for decision in decisions:
            _NOTE[type(decision)](self, decision)

    def note_pause(self, item: Id) -> None:
        """Gather for how long an item's agent was free of it, where a command ended its pause."""
        past = released_us(self.last.get(item), self.engine.item(item), to_micros(self.now))
        if past:
            self.pauses[item] = self.pauses.get(item, 0) + past

    def _released(self, item: Id) -> int:
        return self.kept.released.get(item, 0) + self.pauses.get(item, 0)

    @property
    def _standing(self) -> Standing:
        return Standing(self.engine, self.kept, self.now, self.new_id)

    def touch(self, item: Id, type: str) -> None:
        """Mark an item as changed; ``type`` is what its log entry says."""
        self.items[item] = type

    def was_answered(self, item: Id) -> bool:
        """Tell whether anybody has had an item, before this cycle or in it."""
        return item in self.kept.answered or item in self.answered

    @property
    def empty(self) -> bool:
        """Tell whether there is nothing to write."""
        return not (self.items or self.agents or self.made or self.ended or self.audit)

    def write(self) -> Work[None]:
        """Write everything; the caller's transaction began with the lease."""
        entries: list[LogEntry] = []
        yield from self._write_offers(entries)
        yield from self._write_assignments()
        yield from matters.write(self, (yield from self._write_items(entries)))
        yield from self._standing.write(self.agents, entries)
        yield append(entries)
        for statement in self.audit:
            yield statement

    def commit(self) -> None:
        """Take over the versions that were written."""
        self.freed = {id: self._released(id) for id, _, _ in self.assigned}
        for id in self.items:
            facts = self.facts(id)
            self.kept.items[id] = self.kept.items.get(id, 0) + 1
            self.kept.placed[id] = (facts.spec.queue, facts.owner)
        self.kept.answered |= set(self.answered)
        for id in self.closed:
            self.kept.forget(id)
        for one in self.moved:
            self.kept.offers[one.id] = self.kept.offers.get(one.id, 1) + 1
        for end in self.ended:
            self.kept.offers.pop(end.offer, None)
        for id in self.pauses:
            self.kept.released[id] = self._released(id)
        for id, _, _ in self.assigned:
            self.kept.released.pop(id, None)
        self._standing.commit(self.agents)

    def _write_offers(self, entries: list[LogEntry]) -> Work[None]:
        fresh = {o.offer for o in self.made}
        yield sql.OFFER_MOVED.each([self._moved_row(o) for o in self.moved])
        yield sql.OFFER.each([self._ended_row(o) for o in self.ended if o.offer not in fresh])
        ends = {o.offer: o for o in self.ended}
        shown = yield from snapshots([o.item for o in self.made], self.handovers, self.catalog)
        rows = []
        for one in self.made:
            end = ends.get(one.offer)
            rows.append(
                {
                    "id": one.offer,
                    "domain": DOMAIN,
                    "item": one.item,
                    "agent": one.agent,
                    "state": (end.state if end else OfferState.pending).value,
                    "transfer": one.transfer,
                    "explanation": sql.plain(asdict(one.explanation)),
                    "snapshot": shown[one.item],
                    "reason": end.why if end else None,
                    "made_at": self.now,
                    "deadline": from_micros(one.deadline),
                    "closed_at": self.now if end else None,
                    "version": 1,
                }
            )
        yield sql.NEW_OFFER.each(rows)
        entries += [
            self._offer_entry("offer.changed", o.id, o.agent, self._stored_as(o.id))
            for o in self.moved
        ]
        entries += [self._offer_entry("offer.made", o.offer, o.agent, 1) for o in self.made]
        entries += [
            self._offer_entry(f"offer.{o.state.value}", o.offer, o.agent, self._ended_as(o.offer))
            for o in self.ended
        ]

    def _stored_as(self, offer: str) -> int:
        """Return the version of a pending offer's row after this cycle."""
        return self.kept.offers.get(offer, 1) + any(one.id == offer for one in self.moved)

    def _ended_as(self, offer: str) -> int:
        return self._stored_as(offer) + 1

    def _moved_row(self, one: Offer) -> dict[str, Any]:
        return {
            "b_id": one.id,
            "b_made_at": from_micros(one.offered_at),
            "b_deadline": from_micros(one.deadline),
            "b_version": self._stored_as(one.id),
        }

    def _ended_row(self, one: OfferClosed) -> dict[str, Any]:
        return {
            "b_id": one.offer,
            "b_state": one.state.value,
            "b_reason": one.why[:200],
            "b_closed_at": self.now,
            "b_version": self._ended_as(one.offer),
        }

    def _offer_entry(self, type: str, id: str, agent: Id, version: int) -> LogEntry:
        audience = (log.agent(agent), log.SUPERVISORS)
        return LogEntry(type, Entity.OFFER, id, version, audience, self.now)

    def _write_assignments(self) -> Work[None]:
        for item, agent, by in self.assigned:
            why = self.items.get(item, "")[:48]
            yield sql.END_ASSIGNMENT(
                b_item=item,
                b_ended_at=self.now,
                b_why=why,
                b_released_us=self._released(item),
            )
            if agent is not None:
                yield sql.NEW_ASSIGNMENT(
                    id=self.new_id(),
                    domain=DOMAIN,
                    item=item,
                    agent=agent,
                    queue=self.facts(item).spec.queue,
                    offer=by,
                    started_at=self.now,
                )
        if self.wrapped:
            yield (
                update(assignment)
                .where(assignment.c.item.in_(sorted(self.wrapped)), assignment.c.ended_at.is_(None))
                .values(wrap_up_at=self.now)
            )

    def _write_items(self, entries: list[LogEntry]) -> Work[Moves]:
        """Return which conversations have another queue and which another owner now."""
        rows = []
        moves = Moves()
        for id, type in self.items.items():
            facts = self.facts(id)
            rows.append(self._item_row(id, facts))
            before = self.kept.placed.get(id, (facts.spec.queue, None))
            moves.note(self, facts, before)
            entries.append(self._item_entry(id, type, facts))
        yield sql.ITEM.each(rows)
        yield sql.ENQUEUED.each(
            [{"b_id": i, "b_enqueued_at": from_micros(at)} for i, at in self.stands.items()]
        )
        yield sql.REASON.each(
            [{"b_id": i, "b_reason": sql.plain(r)} for i, r in self.reasons.items()]
        )
        yield sql.HANDOVER.each([{"b_id": i, "b_handover": h} for i, h in self.handovers.items()])
        yield sql.ANSWERED.each(
            [
                {
                    "b_id": i,
                    "b_assigned_at": self.now,
                    "b_answered_in": a.queue,
                    "b_waited_us": a.waited_us,
                }
                for i, a in self.answered.items()
            ]
        )
        yield sql.WRAP_UP.each([{"b_id": i, "b_wrap_up": w} for i, w in self.wrap_ups.items()])
        return moves

    def answer_of(self, item: Id) -> Answer:
        """Return what an item's first assignment says of its wait."""
        spec = self.facts(item).spec
        waited_us = to_micros(self.now) - spec.enqueued_at
        return Answer(spec.queue, spec.channel, max(0, waited_us))

    def facts(self, id: Id) -> ItemFacts:
        """Return an item as it stands; a closed one as it was before."""
        return self.engine.item(id) or self.last[id]

    def _item_row(self, id: Id, facts: ItemFacts) -> dict[str, Any]:
        final = self.closed.get(id)
        begun_anew = any(item == id for item, _, _ in self.assigned)
        released = 0 if begun_anew else self._released(id)
        ended = {ENDED: self.away[id]} if self.away.get(id) in WHY else {}
        return {
            "b_id": id,
            "b_queue": facts.spec.queue,
            "b_state": (final or facts.state).value,
            "b_owner": facts.owner,
            "b_priority": facts.spec.priority,
            "b_routing": {**routing_of(facts), "released_us": released, **ended},
            "b_closed_at": self.now if final else None,
            "b_version": self.kept.items.get(id, 0) + 1,
        }

    def _item_entry(self, id: Id, type: str, facts: ItemFacts) -> LogEntry:
        queue, owner = self.kept.placed.get(id, (facts.spec.queue, None))
        audience = {log.SUPERVISORS, log.conversation(facts.spec.conversation)}
        audience |= {log.agent(person) for person in (facts.owner, owner) if person}
        if facts.owner is None or owner is None:
            audience |= {log.queue(facts.spec.queue), log.queue(queue)}
        version = self.kept.items.get(id, 0) + 1
        return LogEntry(type, Entity.ITEM, id, version, tuple(sorted(audience)), self.now)


def _offered(changes: Changes, one: Offered) -> None:
    changes.made.append(one)
    changes.agents.setdefault(one.agent, None)
    changes.touch(one.item, "item.offered")


def _offer_closed(changes: Changes, one: OfferClosed) -> None:
    changes.ended.append(one)
    if changes.engine.agent(one.agent) is not None:
        changes.agents.setdefault(one.agent, None)
    changes.touch(one.item, f"item.offer_{one.state.value}")


def _assigned(changes: Changes, one: ItemAssigned) -> None:
    changes.assigned.append((one.item, one.agent, one.offer))
    changes.touch(one.item, "item.assigned")
    _answered(changes, one.item)


def _answered(changes: Changes, item: Id) -> None:
    """Count the first answer that a customer gets."""
    if not changes.was_answered(item) and answers(changes.facts(item)):
        changes.answered[item] = changes.answer_of(item)


def _waiting(changes: Changes, one: ItemWaiting) -> None:
    changes.touch(one.item, f"item.{one.why or 'waiting'}"[:48])
    if one.owner is None:
        changes.assigned.append((one.item, None, None))
    if one.why == MISSED:
        changes.calls.missed(one.item)


def _callback(changes: Changes, one: ItemCallback) -> None:
    facts = changes.engine.item(one.item)
    if facts is not None and facts.owner is not None:
        _answered(changes, one.item)
    before = changes.last.get(one.item)
    wanted = before is not None and before.callback is Callback.asked
    turn = "cancelled" if wanted and one.callback is Callback.offered else one.callback.value
    changes.calls.note(one.item, one.callback)
    changes.touch(one.item, f"item.callback_{turn}")
    if one.callback in {Callback.offered, Callback.asked}:
        action = f"conversation.callback_{turn}"
        changes.audit.append(record(SYSTEM, action, f"item:{one.item}", {}, changes.now))


def _wrap_up(changes: Changes, one: ItemWrapUp) -> None:
    changes.wrapped.add(one.item)
    changes.touch(one.item, "item.wrap_up")


def _resumed(changes: Changes, one: ItemResumed) -> None:
    changes.resumed.add(one.item)
    changes.touch(one.item, "item.resumed")


def _closed(changes: Changes, one: ItemClosed) -> None:
    away = one.why in WHY
    changes.closed[one.item] = ItemState.abandoned if away else one.state
    ended = changes.engine.ended(one.item)
    if ended is not None:
        changes.last[one.item] = ended
    changes.ends[changes.last[one.item].spec.conversation] = changes.heard
    changes.touch(one.item, f"item.{one.why or one.state.value}")
    changes.assigned.append((one.item, None, None))
    if away or one.why == GIVEN_UP:
        changes.away[one.item] = one.why
    if one.why and one.why != GIVEN_UP:
        changes.audit.append(
            record(SYSTEM, f"conversation.{one.why}", f"item:{one.item}", {}, changes.now)
        )


def _presence(changes: Changes, one: PresenceChanged) -> None:
    changes.agents[one.agent] = "" if one.by == "system" else one.by


def _load(changes: Changes, one: AgentLoadChanged) -> None:
    changes.agents.setdefault(one.agent, None)


def _blocked(changes: Changes, one: ItemBlocked) -> None:
    changes.reasons[one.item] = {
        "blocked": one.blocked,
        "facts": list(one.explanation.facts),
    }
    changes.touch(one.item, "item.blocked" if one.blocked else "item.unblocked")


def _ranked(changes: Changes, one: ItemRanked) -> None:
    changes.touch(one.item, "item.changed")


_NOTE: dict[type[Any], Callable[[Changes, Any], None]] = {
    Offered: _offered,
    OfferClosed: _offer_closed,
    ItemAssigned: _assigned,
    ItemWaiting: _waiting,
    ItemWrapUp: _wrap_up,
    ItemResumed: _resumed,
    ItemClosed: _closed,
    PresenceChanged: _presence,
    AgentLoadChanged: _load,
    ItemBlocked: _blocked,
    ItemCallback: _callback,
    ItemRanked: _ranked,
}
