"""Recordings of calls. Between browsers they are parts of some seconds, as the agent's browser
sends them: a take is what one page has recorded without a break; its parts, one behind the other,
are one file; a part that never came is a hole, and is shown as one. What a provider has recorded is
a take of one part, which says how long it is.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.acts import Refusal
from madoguchi.conversations.calls import acts, repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.tables import recording_part
from madoguchi.files.service import StoredFile
from madoguchi.files.tables import file
from madoguchi.model.calls import Happened, Party
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import Actor
from madoguchi.security.audit import record
from madoguchi.security.permissions import Action, Forbidden, NotFound, may
from madoguchi.store.work import Work

MOST_PARTS = 10_000
"""Of one take: about fourteen hours."""

PART_S = 5
"""So long is a part."""

LATE = timedelta(minutes=10)
"""So long after the end of a call its last parts may come: a browser sends again what was cut."""

SLICE = 500

ORPHANS_KEPT = timedelta(days=90)
"""So long recordings are kept whose queue is gone, and its rule with it."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part on its way in."""

    call: Id
    take: Id
    number: int


def open_for(actor: Actor, part: Part, now: datetime) -> Work[Call]:
    """Return a call whose agent may send a part of its recording. Raises Refusal, NotFound."""
    call = yield from acts.look(actor, part.call)
    facts = call.facts
    mine = any(
        leg.agent == actor.id and leg.party in {Party.AGENT, Party.EXPERT}
        for leg in facts.legs.values()
    )
    if not mine:
        raise Refusal("not_in_call", "you do not take part in this call")
    if not any(event.kind is Happened.RECORDING for event in call.events):
        raise Refusal("not_recorded", "this call is not recorded")
    if facts.ended_at is not None and now - facts.ended_at > LATE:
        raise Refusal("call_over", "the call has ended")
    return call


def keep(actor: Actor, part: Part, stored: StoredFile, now: datetime) -> Work[None]:
    """Add a part; one that is there already stays, and the second copy is swept."""
    call = yield from open_for(actor, part, now)
    row = insert(recording_part).values(
        call=part.call,
        take=part.take,
        number=part.number,
        domain=DOMAIN,
        queue=call.queue,
        agent=actor.id,
        file=stored.id,
        size=stored.size,
        at=now,
    )
    fresh = yield row.on_conflict_do_nothing().returning(recording_part.c.file)
    if fresh:
        yield update(file).where(file.c.id == stored.id).values(conversation=call.conversation)


@dataclass(frozen=True, slots=True)
class Fetched:
    """What a provider has recorded of a call, as it is ours now."""

    call: Id
    take: Id
    file: StoredFile
    began_at: datetime
    seconds: int


def fetched(one: Fetched) -> Work[None]:
    """Add what a provider has recorded; it belongs to whoever had the call last."""
    found = yield from repository.by_ids([one.call])
    call = found[one.call]
    agents = [leg.agent for leg in call.facts.legs.values() if leg.party is Party.AGENT]
    row = insert(recording_part).values(
        call=one.call,
        take=one.take,
        number=0,
        domain=DOMAIN,
        queue=call.queue,
        agent=agents[-1] if agents else None,
        file=one.file.id,
        size=one.file.size,
        at=one.began_at,
        seconds=one.seconds,
    )
    yield row.on_conflict_do_nothing()
    yield update(file).where(file.c.id == one.file.id).values(conversation=call.conversation)


def takes(actor: Actor, id: Id) -> Work[list[dict[str, Any]]]:
    """Return the takes of a call: when each began, how long it is about, and which parts are
    missing. Raises NotFound, Forbidden.
    """
    yield from _may_hear(actor, id)
    rows = yield (
        select(recording_part)
        .where(recording_part.c.call == id)
        .order_by(recording_part.c.take, recording_part.c.number)
    )
    found: dict[Id, list[Any]] = {}
    for row in rows:
        found.setdefault(row.take, []).append(row)
    return [
        {
            "take": take,
            "agent": parts[0].agent,
            "began_at": parts[0].at,
            "seconds": _seconds(parts),
            "size": sum(part.size for part in parts),
            "holes": _holes([part.number for part in parts]),
        }
        for take, parts in sorted(found.items(), key=lambda one: one[1][0].at)
    ]


def _seconds(parts: Sequence[Any]) -> int:
    told = parts[-1].seconds
    return int(told) if told is not None else (int(parts[-1].number) + 1) * PART_S


def _holes(numbers: Sequence[int]) -> list[int]:
    return sorted(set(range(numbers[-1] + 1)) - set(numbers))


def files_of(actor: Actor, id: Id, take: Id, now: datetime) -> Work[list[Id]]:
    """Return the files of a take in their order; that somebody hears them is on the audit trail."""
    yield from _may_hear(actor, id)
    rows = yield (
        select(recording_part.c.file)
        .where(recording_part.c.call == id, recording_part.c.take == take)
        .order_by(recording_part.c.number)
    )
    if not rows:
        raise NotFound("take")
    yield record(actor, "call.played", f"call:{id}", {"take": take}, now)
    return [row.file for row in rows]


def _may_hear(actor: Actor, id: Id) -> Work[None]:
    """Refuse whoever neither supervises nor had the call."""
    call = yield from acts.look(actor, id)
    took_part = any(leg.agent == actor.id for leg in call.facts.legs.values())
    if not took_part and not may(actor, Action.SUPERVISE):
        raise Forbidden("call.play")


def whole(paths: Sequence[Path]) -> bytes:
    """Return the parts of a take as one file."""
    return b"".join(path.read_bytes() for path in paths if path.exists())


def old(catalog: Catalog, now: datetime) -> Callable[[], Work[int]]:
    """Return the unit that lets some recordings go that were kept long enough; it returns how many
    parts went. Their files are swept as those that nobody attached.
    """
    kept = {
        key: now - timedelta(days=entry.object.recording.keep_days)
        for key, entry in catalog.queues.items()
    }

    def unit() -> Work[int]:
        gone: list[Any] = []
        for queue, before in kept.items():
            table = recording_part
            rows = yield (
                select(table.c.call, table.c.take, table.c.number, table.c.file)
                .where(table.c.queue == queue, table.c.at < before)
                .limit(SLICE)
            )
            gone += rows
        table = recording_part
        gone += yield (
            select(table.c.call, table.c.take, table.c.number, table.c.file)
            .where(table.c.queue.not_in(sorted(kept)), table.c.at < now - ORPHANS_KEPT)
            .limit(SLICE)
        )
        files = [row.file for row in gone]
        if files:
            yield update(file).where(file.c.id.in_(files)).values(conversation=None)
            yield delete(recording_part).where(recording_part.c.file.in_(files))
        return len(gone)

    return unit
