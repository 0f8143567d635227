"""Rows of calls and their events, and back."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.conversations.calls.tables import call, call_event
from madoguchi.model import log
from madoguchi.model.calls import CallEvent, CallFacts, Happened, Party, fold
from madoguchi.model.channels import Channel
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import Entity, LogEntry
from madoguchi.store.hot import Listed, among, constant
from madoguchi.store.log import append
from madoguchi.store.work import Many, Work

ENDED = "call.ended"
"""What the log says of a call that has just ended; the router hears of its work by it."""


@dataclass(frozen=True)
class Call:
    """A call: where it belongs, and everything that happened in it.

    ``name`` is the provider's, or the client's, unique in its account; ``stored`` the version of
    its row, 0 where there is none yet.
    """

    id: Id
    conversation: Id
    account: Id
    thread: str
    name: str
    channel: Channel
    queue: str
    began_at: datetime
    item: Id | None = None
    events: tuple[CallEvent, ...] = ()
    stored: int = 0

    @cached_property
    def facts(self) -> CallFacts:
        """The call as it stands; worked out once, for events never change."""
        return fold(self.events)

    def after(self, *events: CallEvent) -> "Call":
        """Return the call with more that has happened."""
        return replace(self, events=(*self.events, *events))


_HOMES = Listed(
    lambda keys: select(call.c.conversation).where(among((call.c.account, call.c.name), keys)),
    call.c.account,
    call.c.name,
)
_BY_NAMES = Listed(
    lambda keys: (
        select(call)
        .where(among((call.c.account, call.c.name), keys))
        .order_by(call.c.id)
        .with_for_update()
    ),
    call.c.account,
    call.c.name,
)
_LOCKED = Listed(
    lambda ids: select(call).where(among(call.c.id, ids)).order_by(call.c.id).with_for_update(),
    call.c.id,
)
_PLAIN = Listed(lambda ids: select(call).where(among(call.c.id, ids)), call.c.id)
_OF_ITEMS_LOCKED = Listed(
    lambda ids: select(call).where(among(call.c.item, ids)).order_by(call.c.id).with_for_update(),
    call.c.item,
)
_OF_ITEMS = Listed(lambda ids: select(call).where(among(call.c.item, ids)), call.c.item)
_EVENTS = Listed(
    lambda ids: select(call_event).where(among(call_event.c.call, ids)), call_event.c.call
)


_LINES = Listed(
    lambda keys: select(call.c.account, call.c.thread, call.c.name).where(
        among((call.c.account, call.c.thread), keys), call.c.state != constant("ended")
    ),
    call.c.account,
    call.c.thread,
)


def lines(keys: Iterable[tuple[Id, str]]) -> Work[set[tuple[Id, str, str]]]:
    """Return the living calls of some (account, thread): (account, thread, name)."""
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    return {(row.account, row.thread, row.name) for row in (yield _LINES(wanted))}


def taken(ids: Sequence[Id]) -> Work[set[Id]]:
    """Return which ids calls have already."""
    if not ids:
        return set()
    return {row.id for row in (yield _PLAIN(sorted(set(ids))))}


def homes_of(keys: Iterable[tuple[Id, str]]) -> Work[set[Id]]:
    """Return the conversations of calls by (account, name); they are locked before the calls."""
    wanted = sorted(set(keys))
    if not wanted:
        return set()
    return {row.conversation for row in (yield _HOMES(wanted))}


def by_names(keys: Iterable[tuple[Id, str]]) -> Work[dict[tuple[Id, str], Call]]:
    """Return calls by (account, name), locked: events are going to be added."""
    wanted = sorted(set(keys))
    if not wanted:
        return {}
    found = yield from _whole((yield _BY_NAMES(wanted)))
    return {(one.account, one.name): one for one in found}


def by_ids(ids: Iterable[Id], *, lock: bool = False) -> Work[dict[Id, Call]]:
    """Return calls by id, with their events."""
    wanted = sorted(set(ids))
    if not wanted:
        return {}
    found = yield from _whole((yield (_LOCKED if lock else _PLAIN)(wanted)))
    return {one.id: one for one in found}


def of_items(items: Iterable[Id], *, lock: bool = False) -> Work[dict[Id, Call]]:
    """Return item → its call, with its events. Whoever locks calls has locked their conversations
    before.
    """
    wanted = sorted(set(items))
    if not wanted:
        return {}
    found = yield from _whole((yield (_OF_ITEMS_LOCKED if lock else _OF_ITEMS)(wanted)))
    return {one.item: one for one in found if one.item is not None}


def recent(since: datetime) -> Work[list[Id]]:
    """Return the calls that have not ended, and those that ended after a moment."""
    rows = yield select(call.c.id).where(
        call.c.domain == DOMAIN, (call.c.state != "ended") | (call.c.ended_at > since)
    )
    return [row.id for row in rows]


def live() -> Work[list[Id]]:
    """Return the calls that have not ended."""
    rows = yield select(call.c.id).where(call.c.domain == DOMAIN, call.c.state != "ended")
    return [row.id for row in rows]


def _whole(rows: Sequence[Any]) -> Work[list[Call]]:
    if not rows:
        return []
    events: dict[Id, list[CallEvent]] = {row.id: [] for row in rows}
    for row in (yield _EVENTS(sorted(events))):
        one = CallEvent(row.id, row.at, Happened(row.kind), row.leg, row.data, row.seq)
        events[row.call].append(one)
    return [
        Call(
            id=row.id,
            conversation=row.conversation,
            account=row.account,
            thread=row.thread,
            name=row.name,
            channel=Channel(row.channel),
            queue=row.queue,
            began_at=row.began_at,
            item=row.item,
            events=tuple(sorted(events[row.id], key=lambda one: one.place)),
            stored=row.version,
        )
        for row in rows
    ]


def save(before: dict[Id, Call], after: Iterable[Call], now: datetime) -> Work[None]:
    """Store calls with what has happened since they were read, and tell it.

    ``before``: the calls as they were read, by id; those who are not among them are new.
    """
    changed = [one for one in after if one != before.get(one.id)]
    rows = [_row(one) for one in changed]
    fresh = [row for row, one in zip(rows, changed, strict=True) if not one.stored]
    if fresh:
        yield Many(call.insert(), fresh)
    for row in rows:
        if row["version"] > 1:
            yield update(call).where(call.c.id == row["id"]).values(row)
    events = [
        _event_row(one.id, event, now) for one in changed for event in _new(before.get(one.id), one)
    ]
    if events:
        yield Many(insert(call_event).on_conflict_do_nothing(), events)
    yield append([_entry(before.get(one.id), one, now) for one in changed])


def _new(before: Call | None, after: Call) -> list[CallEvent]:
    """Return the events that are not stored yet, each once."""
    known = {one.id for one in before.events} if before else set()
    return list({one.id: one for one in after.events if one.id not in known}.values())


def _row(one: Call) -> dict[str, Any]:
    facts = one.facts
    return {
        "id": one.id,
        "domain": DOMAIN,
        "conversation": one.conversation,
        "account": one.account,
        "thread": one.thread,
        "name": one.name,
        "channel": one.channel.value,
        "queue": one.queue,
        "item": one.item,
        "state": facts.state.value,
        "began_at": facts.began_at or one.began_at,
        "answered_at": facts.answered_at,
        "ended_at": facts.ended_at,
        "version": one.stored + 1,
    }


def _event_row(id: Id, event: CallEvent, now: datetime) -> dict[str, Any]:
    return {
        "call": id,
        "id": event.id,
        "domain": DOMAIN,
        "at": event.at,
        "seq": event.seq,
        "kind": event.kind.value,
        "leg": event.leg,
        "data": dict(event.data),
        "received_at": now,
    }


def readers(one: Call, facts: CallFacts) -> frozenset[str]:
    """Return who of the center has a call before the eyes: who has its conversation open; while it
    lives, supervisors and whoever takes part.
    """
    here = log.conversation(one.conversation)
    if facts.over:
        return frozenset({here})
    people = {log.agent(leg.agent) for leg in facts.legs.values() if leg.agent and leg.live}
    return frozenset({log.SUPERVISORS, here, *people})


def _entry(before: Call | None, one: Call, now: datetime) -> LogEntry:
    facts = one.facts
    over = facts.over and not (before is not None and before.facts.over)
    # Whoever has left hears of it, too: they have it no more.
    people = {log.agent(leg.agent) for leg in facts.legs.values() if leg.agent}
    mine = log.visitor(one.account, one.thread)
    was, are = aside(before), aside(one)
    audience = sorted({*readers(one, facts), *people, log.SUPERVISORS, mine})
    return LogEntry(
        ENDED if over else "call.changed",
        Entity.CALL,
        one.id,
        one.stored + 1,
        tuple(audience),
        now,
        {
            "item": one.item,
            "conversation": one.conversation,
            **({"joined": sorted(are - was), "left": sorted(was - are)} if was != are else {}),
            **({"why": facts.why} if over else {}),
            **({"ends": True} if _ends(before, facts) else {}),
        },
    )


def _ends(before: Call | None, facts: CallFacts) -> bool:
    """Tell whether the center's part of a call is over now: once, by its end or its hand-over."""
    was = before is not None and (before.facts.over or before.facts.handed)
    return (facts.over or facts.handed) and not was


def aside(one: Call | None) -> frozenset[Id]:
    """Return the agents who take part in a call that is a colleague's; None: there is no call."""
    if one is None:
        return frozenset()
    legs = (*one.facts.of(Party.EXPERT), *one.facts.of(Party.SUPERVISOR))
    return frozenset(leg.agent for leg in legs if leg.agent)


def helping() -> Work[dict[Id, set[Id]]]:
    """Return agent → the living calls of colleagues in which they take part."""
    found: dict[Id, set[Id]] = {}
    for id, one in (yield from by_ids((yield from live()))).items():
        for agent in aside(one):
            found.setdefault(agent, set()).add(id)
    return found
