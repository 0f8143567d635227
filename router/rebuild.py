"""The engine's facts out of the store: at the start, and whenever the engine was dropped."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

from sqlalchemy import Row, select

from madoguchi.clock import EPOCH, from_micros, to_micros
from madoguchi.conversations.calls import repository as calls
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.model.conversation import UNFINISHED, ItemKind
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.routing import (
    Activity,
    AgentFacts,
    AgentSpec,
    Callback,
    ItemFacts,
    ItemSpec,
    ItemState,
    Offer,
    OfferState,
    Preference,
    Presence,
    QueuePolicy,
    RouterState,
    TransferPhase,
    micros,
)
from madoguchi.store.log import read_cursor
from madoguchi.store.work import Work
from router.configured import Configured
from router.engine.book import DAY
from router.engine.records import CONNECTION_GRACE_S
from router.tables import activity_period, agent_status, assignment, offer

CONSUMER = "router"


@dataclass
class Kept:
    """What the service keeps beside the engine: versions of the rows that only it writes; where
    each item was (queue, owner) when it was last written; how many texts of the customer it has
    heard of; which items somebody has taken before; and in which calls of colleagues agents help.

    ``newest``: the last instant that was past when it was stored.
    """

    items: dict[Id, int] = field(default_factory=dict)
    conversations: dict[Id, Id] = field(default_factory=dict)
    agents: dict[Id, int] = field(default_factory=dict)
    offers: dict[str, int] = field(default_factory=dict)
    activity: dict[Id, tuple[Activity, datetime]] = field(default_factory=dict)
    released: dict[Id, int] = field(default_factory=dict)
    presences: dict[Id, tuple[Presence, str]] = field(default_factory=dict)
    spends: dict[Id, Activity | None] = field(default_factory=dict)
    placed: dict[Id, tuple[str, Id | None]] = field(default_factory=dict)
    texts: dict[Id, int] = field(default_factory=dict)
    texts_of: dict[Id, Id] = field(default_factory=dict)
    calls_of: dict[Id, Id] = field(default_factory=dict)
    answered: set[Id] = field(default_factory=set)
    helping: dict[Id, set[Id]] = field(default_factory=dict)
    cursor: int = 0
    newest: datetime = EPOCH

    def remember(
        self, items: Sequence[Row[Any]], statuses: Sequence[Row[Any]], offers: Sequence[Row[Any]]
    ) -> None:
        """Take in rows as they are stored."""
        for row in items:
            self.know(row)
            self.texts[row.id] = row.inbound_seq
            self.released[row.id] = (row.routing or {}).get("released_us", 0)
            if row.assigned_at is not None:
                self.answered.add(row.id)
        for row in offers:
            self.offers[row.id] = row.version
        for row in statuses:
            self.agents[row.agent] = row.version
            self.activity[row.agent] = (Activity(row.activity), row.activity_since)
            self.presences[row.agent] = (Presence(row.presence), row.reason)

    def know(self, row: Row[Any]) -> None:
        """Take in an item that waits or is worked on."""
        self.items[row.id] = row.version
        self.conversations[row.id] = row.conversation
        self.placed[row.id] = (row.queue, row.owner)
        book = self.calls_of if row.kind == ItemKind.CALL.value else self.texts_of
        book[row.conversation] = row.id

    def of(self, conversation: Id) -> list[Id]:
        """Return a conversation's unfinished items, that of its texts first."""
        found = (self.texts_of.get(conversation), self.calls_of.get(conversation))
        return [item for item in found if item is not None]

    def forget(self, item: Id) -> None:
        """Drop an item that has ended."""
        self.answered.discard(item)
        conversation = self.conversations.get(item, "")
        for book in (self.texts_of, self.calls_of):
            if book.get(conversation) == item:
                del book[conversation]
        for kept in (self.items, self.conversations, self.placed, self.texts):
            kept.pop(item, None)

    def move(self, leap: timedelta) -> None:
        """Follow a wall clock that was set."""
        self.activity = {id: (one, at + leap) for id, (one, at) in self.activity.items()}


def midnight(now: datetime, zone: tzinfo | None) -> int:
    """Return when a day begins in a zone, None: the machine's, in µs after midnight UTC."""
    return -(now.astimezone(zone).utcoffset() or timedelta(0)) // timedelta(microseconds=1)


def _left(configured: Configured, items: Sequence[Row[Any]]) -> tuple[QueuePolicy, ...]:
    """Return queues that are gone and still have items, as bare as can be: nobody serves them, so
    the board shows what waits there, and people give it elsewhere.
    """
    known = {queue.id for queue in configured.policies}
    return tuple(QueuePolicy(name, name) for name in sorted({row.queue for row in items} - known))


def load(
    configured: Configured, now: datetime, zone: tzinfo | None = UTC
) -> Work[tuple[RouterState, Kept]]:
    """Return everything that an engine is rebuilt from, and what is kept beside it."""
    kept = Kept(cursor=(yield from read_cursor(CONSUMER)))
    items = yield (
        select(work_item, conversation.c.unanswered_since, conversation.c.inbound_seq)
        .join(conversation, conversation.c.id == work_item.c.conversation)
        .where(work_item.c.domain == DOMAIN, work_item.c.state.in_([s.value for s in UNFINISHED]))
    )
    # What is born for an agent is theirs once the log has told it.
    items = [row for row in items if row.owner is None or row.routing is not None]
    statuses = yield select(agent_status).where(agent_status.c.domain == DOMAIN)
    past = yield (
        select(offer)
        .join(work_item, work_item.c.id == offer.c.item)
        .where(work_item.c.domain == DOMAIN, work_item.c.state.in_([s.value for s in UNFINISHED]))
        .order_by(offer.c.made_at)
    )
    kept.remember(items, statuses, past)
    periods = yield select(activity_period.c.agent, activity_period.c.activity).where(
        activity_period.c.domain == DOMAIN, activity_period.c.ended_at.is_(None)
    )
    kept.spends = {row.agent: Activity(row.activity) for row in periods}
    kept.newest = yield from _newest(items, statuses, past)
    # What came due since the last that was stored has yet to happen.
    clock = min(to_micros(kept.newest), to_micros(now))
    begins = midnight(now, zone)
    kept.helping = yield from calls.helping()
    today = (clock - begins) // DAY
    agents = _agents(configured, statuses, kept.helping, now, today)
    offers: dict[Id, list[Row[Any]]] = {}
    for row in past:
        offers.setdefault(row.item, []).append(row)
    state = RouterState(
        queues=configured.policies + _left(configured, items),
        agents=tuple(agents[id] for id in sorted(agents)),
        items=tuple(
            _in_time(item_facts(r, offers.get(r.id, []), agents), now)
            for r in sorted(items, key=lambda r: r.id)
        ),
        offers=tuple(
            _offer(o) for o in past if o.state == OfferState.pending.value and o.agent in agents
        ),
        version=configured.catalog.number,
        clock=clock,
        midnight=begins,
    )
    return state, kept


def _newest(
    items: Sequence[Row[Any]], statuses: Sequence[Row[Any]], offers: Sequence[Row[Any]]
) -> Work[datetime]:
    """Return the last of the stored instants that were past when they were stored.

    The router writes all of them anew when the clock is set, so one that lies in the future says
    by how much all of them are ahead.
    """
    spans = yield (
        select(assignment.c.started_at, assignment.c.wrap_up_at)
        .join(work_item, work_item.c.id == assignment.c.item)
        .where(work_item.c.domain == DOMAIN, assignment.c.ended_at.is_(None))
    )
    pauses = [(row.routing or {}).get("paused_since") for row in items]
    known = [
        *_known(items, "enqueued_at", "unanswered_since"),
        *_known(statuses, "since", "disconnected_since", "absent_since", "worked_until"),
        *_known(statuses, "activity_since"),
        *_known(offers, "made_at", "closed_at"),
        *_known(spans, "started_at", "wrap_up_at"),
        *(from_micros(at) for at in pauses if at is not None),
    ]
    return max(known, default=EPOCH)


def _known(rows: Sequence[Row[Any]], *names: str) -> list[datetime]:
    found = [getattr(row, name) for row in rows for name in names]
    return [at for at in found if at is not None]


def _agents(
    configured: Configured,
    statuses: Sequence[Row[Any]],
    helping: Container[Id],
    now: datetime,
    today: int,
) -> dict[Id, AgentFacts]:
    known = {row.agent: row for row in statuses}
    return {
        id: replace(_agent(one, known.get(id), now, today), engaged=id in helping)
        for id, one in configured.specs.items()
    }


def _agent(one: AgentSpec, row: Row[Any] | None, now: datetime, today: int) -> AgentFacts:
    if row is None:
        return AgentFacts(one, since=to_micros(now), disconnected_since=to_micros(now))
    memory = row.routing or {}
    return AgentFacts(
        spec=one,
        presence=Presence(row.presence),
        reason=row.reason,
        since=to_micros(row.since),
        disconnected_since=_micros(row.disconnected_since),
        absent_since=_micros(row.absent_since),
        worked_until=_micros(row.worked_until) or 0,
        misses=row.misses,
        away_after=row.away_after,
        taken=memory.get("taken", 0) if memory.get("day") == today else 0,
        given=memory.get("given", {}),
    )


def _micros(moment: datetime | None) -> int | None:
    return None if moment is None else to_micros(moment)


def moment(micros: int | None) -> datetime | None:
    """Return a stored moment of an engine's time."""
    return None if micros is None else from_micros(micros)


def item_spec(row: Row[Any]) -> ItemSpec:
    """Return the engine's view of a work item's row."""
    kept = row.routing or {}
    return ItemSpec(
        id=row.id,
        conversation=row.conversation,
        queue=row.queue,
        channel=row.channel,
        enqueued_at=to_micros(row.enqueued_at),
        weight=kept.get("weight", 1),
        ahead=kept.get("ahead", 0),
        by_hand=kept.get("by_hand", False),
        patient=kept.get("patient", False),
        not_before=kept.get("not_before", 0),
        requires=row.requires,
        priority=row.priority,
        exclusive=row.kind == ItemKind.CALL.value,
        preferred=kept.get("preferred", row.preferred),
        preference=Preference(
            kept.get("preference") or row.preference or Preference.last_owner.value
        ),
    )


def item_facts(row: Row[Any], offers: list[Row[Any]], agents: Mapping[Id, AgentFacts]) -> ItemFacts:
    """Return what the engine knew of an item; an owner who is gone owns nothing."""
    kept = row.routing or {}
    owner = row.owner if row.owner in agents else None
    state = ItemState(row.state)
    if owner is None and state in {ItemState.assigned, ItemState.wrap_up}:
        state = ItemState.waiting
    return ItemFacts(
        spec=item_spec(row),
        state=state,
        owner=owner,
        transfer=TransferPhase(kept["transfer"]) if kept.get("transfer") and owner else None,
        paused_since=kept.get("paused_since"),
        released=bool(kept.get("released")),
        unanswered_since=_micros(row.unanswered_since) if owner else None,
        blocks={a: until for a, until in (kept.get("blocks") or {}).items() if a in agents},
        offers=len(offers),
        closed=tuple(
            (int(o.id.rpartition("-")[2]), o.agent, OfferState(o.state))
            for o in offers
            if o.state != OfferState.pending.value
        ),
        told_blocked=bool(kept.get("told_blocked")),
        wrap_up_until=kept.get("wrap_up_until"),
        taken=kept.get("taken", row.assigned_at is not None),
        waits_until=kept.get("waits_until"),
        callback=Callback(kept.get("callback", Callback.none.value)),
        calls=kept.get("calls", 0),
    )


def _in_time(facts: ItemFacts, now: datetime) -> ItemFacts:
    """Return an item that waits long enough for desks to connect again after a start."""
    if facts.waits_until is None:
        return facts
    least = to_micros(now) + micros(CONNECTION_GRACE_S)
    return replace(facts, waits_until=max(facts.waits_until, least))


def same_but_text(facts: ItemFacts, before: ItemFacts | None) -> bool:
    """Tell whether nothing needs to be stored: a text that waits for its answer stands in the
    conversation already, and :func:`load` takes it from there.
    """
    if before is None or facts == before:
        return before is not None
    return replace(facts, unanswered_since=None) == replace(before, unanswered_since=None)


def routing_of(facts: ItemFacts) -> dict[str, Any]:
    """Return the part of an item's facts that lives in its ``routing`` column."""
    return {
        "weight": facts.spec.weight,
        "ahead": facts.spec.ahead,
        "by_hand": facts.spec.by_hand,
        "patient": facts.spec.patient,
        "preferred": facts.spec.preferred,
        "preference": facts.spec.preference.value,
        "transfer": facts.transfer.value if facts.transfer else None,
        "paused_since": facts.paused_since,
        "released": facts.released,
        "blocks": dict(facts.blocks),
        "told_blocked": facts.told_blocked,
        "wrap_up_until": facts.wrap_up_until,
        "waits_until": facts.waits_until,
        "not_before": facts.spec.not_before,
        "taken": facts.taken,
        "callback": facts.callback.value,
        "calls": facts.calls,
    }


def _offer(row: Row[Any]) -> Offer:
    return Offer(
        row.id,
        row.item,
        row.agent,
        to_micros(row.made_at),
        to_micros(row.deadline),
        row.transfer,
    )
