"""Recorded days for tests: as values, and as rows of a hub's store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from madoguchi.app import Hub
from madoguchi.configuration import text
from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import KINDS
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import OfferState
from madoguchi.store.work import Many, Work
from router.tables import assignment, offer, presence_period
from router.trials.day import DAY_US, Contact, Day, Reaction, Span

BEGINS = datetime(2026, 11, 20, tzinfo=UTC)
Spans = Mapping[str, Sequence[tuple[float, float]]]
"""Agent -> seconds of the day (from, to) in which they were available."""


@dataclass(frozen=True)
class Came:
    """A contact: when it came, how long it waited, for how long it was worked on; None: it left.

    ``accept`` is the last part of the wait: the agent accepts. Times are seconds.
    """

    at: float
    waited: float
    talk: float | None = None
    wrap_up: float = 0
    accept: float = 0
    queue: str = "orders"
    agent: str = "ann"
    channel: str = "sms"

    def contact(self) -> Contact:
        """Return it as a day tells it."""
        return Contact(
            queue=self.queue,
            channel=self.channel,
            at=us(self.at),
            waited=us(self.waited),
            left=self.talk is None,
            talk=None if self.talk is None else Span(us(self.talk), whole=True),
            wrap_up=None if self.talk is None else Span(us(self.wrap_up), whole=True),
            accept=None if self.talk is None else us(self.accept),
        )


def us(seconds: float) -> int:
    """Return microseconds."""
    return round(seconds * 1_000_000)


def day_of(came: Sequence[Came], there: Spans) -> Day:
    """Return a day."""
    return Day(
        BEGINS,
        DAY_US,
        tuple(one.contact() for one in sorted(came, key=lambda one: one.at)),
        {agent: tuple((us(a), us(b)) for a, b in spans) for agent, spans in there.items()},
        reactions=tuple(
            Reaction(one.agent, one.queue, OfferState.accepted, us(one.accept))
            for one in came
            if one.talk is not None and one.accept
        ),
    )


def catalog_of(toml: str, number: int = 1) -> Catalog:
    """Return the configuration of a text; agents are called by their keys."""
    objects = {
        (one.kind, one.key): Entry(one.key, 1, KINDS[one.kind](key=one.key, **one.body))
        for one in text.changes(toml, Catalog(0))
        if one.body is not None
    }
    return Catalog(number, objects)


async def record(hub: Hub, came: Sequence[Came], there: Spans, begins: datetime = BEGINS) -> None:
    """Store a day's rows, as if the hub had lived through it."""
    agents = {key: entry.id for key, entry in hub.configuration.catalog.agents.items()}

    def at(seconds: float) -> datetime:
        return begins + timedelta(seconds=seconds)

    items, offers, spells = [], [], []
    for one in came:
        item, taken = hub.clock.new_id(), one.talk is not None
        answered = at(one.at + one.waited)
        ended = at(one.at + one.waited + (one.talk or 0) + one.wrap_up)
        items.append(
            {
                "id": item,
                "domain": DOMAIN,
                "conversation": hub.clock.new_id(),
                "queue": one.queue,
                "came_to": one.queue,
                "kind": "text",
                "channel": one.channel,
                "state": "done" if taken else "abandoned",
                "enqueued_at": at(one.at),
                "assigned_at": answered if taken else None,
                "answered_in": one.queue if taken else None,
                "waited_us": us(one.waited) if taken else None,
                "closed_at": ended,
                "version": 1,
            }
        )
        if one.talk is None:
            continue
        offers.append(
            {
                "id": f"{item}-1",
                "domain": DOMAIN,
                "item": item,
                "agent": agents[one.agent],
                "state": "accepted",
                "transfer": False,
                "explanation": {},
                "snapshot": {},
                "made_at": at(one.at + one.waited - one.accept),
                "deadline": answered,
                "closed_at": answered,
                "version": 2,
            }
        )
        spells.append(
            {
                "id": hub.clock.new_id(),
                "domain": DOMAIN,
                "item": item,
                "agent": agents[one.agent],
                "offer": f"{item}-1",
                "started_at": answered,
                "wrap_up_at": at(one.at + one.waited + one.talk),
                "ended_at": ended,
            }
        )
    periods = [
        {
            "id": hub.clock.new_id(),
            "domain": DOMAIN,
            "agent": agents[agent],
            "presence": "available",
            "reason": "",
            "began_at": at(began),
            "ended_at": at(ended),
        }
        for agent, spans in there.items()
        for began, ended in spans
    ]

    def unit() -> Work[None]:
        for table, rows in (
            (work_item, items),
            (offer, offers),
            (assignment, spells),
            (presence_period, periods),
        ):
            for first in range(0, len(rows), 500):
                yield Many(table.insert(), rows[first : first + 500])

    await hub.store.write(unit)
