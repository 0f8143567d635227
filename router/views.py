"""How items, offers and agents look to desks."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import Row, select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.conversations.views import visible_in_lists
from madoguchi.live.views import View
from madoguchi.model import log
from madoguchi.model.conversation import UNFINISHED, ConversationState
from madoguchi.model.ids import Id
from madoguchi.model.people import Actor, Role
from madoguchi.model.routing import Activity, Callback, OfferState, Presence
from madoguchi.store.hot import Hot, Listed, among, constant
from madoguchi.store.work import Work
from router.offering import told_handover
from router.rebuild import moment
from router.tables import agent_status, assignment, offer

_OPEN = [s.value for s in UNFINISHED]


ITEMS = Listed(lambda ids: select(work_item).where(among(work_item.c.id, ids)), work_item.c.id)
"""Work items by id, as they are stored."""

_OFFERS_OF = Listed(
    lambda ids: select(offer).where(among(offer.c.item, ids)).order_by(offer.c.made_at),
    offer.c.item,
)
_PAST = Listed(
    lambda ids: (
        select(assignment).where(among(assignment.c.item, ids)).order_by(assignment.c.started_at)
    ),
    assignment.c.item,
)
_OFFERS = Listed(
    lambda ids: (
        select(
            offer,
            work_item.c.owner.label("item_owner"),
            work_item.c.enqueued_at.label("item_enqueued_at"),
        )
        .join(work_item, work_item.c.id == offer.c.item)
        .where(among(offer.c.id, ids))
    ),
    offer.c.id,
)
_AGENTS = Listed(
    lambda ids: select(agent_status).where(among(agent_status.c.agent, ids)),
    agent_status.c.agent,
)

_SIGNED_IN = Hot(
    select(agent_status.c.agent)
    .where(
        agent_status.c.disconnected_since.is_(None),
        agent_status.c.presence != constant(Presence.offline),
    )
    .limit(1)
)


def somebody_is_there() -> Work[bool]:
    """Return whether some agent is signed in, their desk connected, whatever they do."""
    return bool((yield _SIGNED_IN()))


class RouterViews:
    """Renderers of the router's room; names come from the configuration."""

    def __init__(self, catalog: Callable[[], Catalog]) -> None:
        self._catalog = catalog

    def items(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render work items with their pending offer and the history of who had them."""
        rows = yield ITEMS(ids)
        offers = yield _OFFERS_OF(ids)
        past = yield _PAST(ids)
        return {
            r.id: View(
                r.version,
                _item_readers(r),
                self._item(
                    r, [o for o in offers if o.item == r.id], [a for a in past if a.item == r.id]
                ),
            )
            for r in rows
        }

    def _item(
        self, row: Row[Any], offers: Sequence[Row[Any]], past: Sequence[Row[Any]]
    ) -> dict[str, Any]:
        name = self._catalog().agent_name
        routing = row.routing or {}
        pending = [o for o in offers if o.state == OfferState.pending.value]
        facts = {o.id: list((o.explanation or {}).get("facts", [])) for o in offers}
        return {
            "id": row.id,
            "version": row.version,
            "conversation": row.conversation,
            "queue": row.queue,
            "channel": row.channel,
            "kind": row.kind,
            "state": row.state,
            "owner": row.owner,
            "owner_name": name(row.owner),
            "enqueued_at": row.enqueued_at,
            "topic": row.topic,
            "priority": row.priority,
            "moved": bool(routing.get("ahead")),
            "transfer": routing.get("transfer"),
            "paused": routing.get("paused_since") is not None,
            "wrap_up_until": moment(routing.get("wrap_up_until")),
            "callback": routing.get("callback", Callback.none.value),
            "calls": routing.get("calls", 0),
            "not_before": moment(routing.get("not_before") or None),
            "handover": told_handover(row.handover, self._catalog()),
            "reason": row.reason,
            "offer": _pending(pending, name) if pending else None,
            "history": [
                {
                    "id": a.id,
                    "agent": a.agent,
                    "agent_name": name(a.agent),
                    "offer": a.offer,
                    "started_at": a.started_at,
                    "wrap_up_at": a.wrap_up_at,
                    "ended_at": a.ended_at,
                    "why": a.why,
                    "facts": facts.get(a.offer, []),
                }
                for a in past
            ],
            "closed_at": row.closed_at,
        }

    def offers(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render offers with everything that an agent needs before accepting."""
        rows = yield _OFFERS(ids)
        return {r.id: View(r.version, _offer_readers(r), self._offer(r)) for r in rows}

    def _offer(self, row: Row[Any]) -> dict[str, Any]:
        name = self._catalog().agent_name
        explanation = row.explanation or {}
        over = row.state != OfferState.pending.value
        return {
            **row.snapshot,
            # A pending offer waits since its item does, which moves when the wall clock is set.
            **({} if over else {"enqueued_at": row.item_enqueued_at}),
            "id": row.id,
            "version": row.version,
            "item": row.item,
            "agent": row.agent,
            "agent_name": name(row.agent),
            "state": row.state,
            "reason": row.reason,
            "winner_name": name(row.item_owner) if over else "",
            "transfer": row.transfer,
            "made_at": row.made_at,
            "deadline": row.deadline,
            "closed_at": row.closed_at,
            "facts": list(explanation.get("facts", [])),
            "waited_s": (explanation.get("waited_us") or 0) / 1e6,
        }

    def agents(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render agents with presence, activity and load."""
        rows = yield _AGENTS(ids)
        known = {r.agent: r for r in rows}
        return {id: view for id in ids if (view := self._agent(id, known.get(id))) is not None}

    def _agent(self, id: Id, row: Row[Any] | None) -> View | None:
        catalog = self._catalog()
        entry = catalog.agent_by_id.get(id)
        if entry is None or not entry.object.active:
            return None
        person = entry.object
        version = row.version if row else 0
        # Who has not signed in yet is offline by nobody's doing, since the hub knows of them.
        never_set = row and row.presence == Presence.offline.value and row.changed_by is None
        return View(
            version,
            frozenset({log.agent(id), log.SUPERVISORS}),
            {
                "id": id,
                "version": version,
                "key": person.key,
                "name": person.name,
                "presence": row.presence if row else Presence.offline,
                "reason": row.reason if row else "",
                "away_after": row.away_after if row else None,
                "since": row.since if row and not never_set else None,
                "changed_by": row.changed_by if row else None,
                "changed_by_name": catalog.agent_name(row.changed_by) if row else "",
                "activity": row.activity if row else Activity.idle,
                "activity_since": row.activity_since if row else None,
                "used": row.used if row else 0,
                "reserved": row.reserved if row else 0,
                "free": row.free if row else person.units,
                "units": person.units,
                "connected": bool(row and row.disconnected_since is None),
                "queues": sorted(catalog.serves(person)),
                "skills": dict(person.skills),
                "teams": list(person.teams),
            },
        )

    def snapshot_items(self, actor: Actor) -> Work[list[str]]:
        """Return unfinished items of the conversations in an actor's lists."""
        rows = yield (
            select(work_item.c.id)
            .join(conversation, conversation.c.id == work_item.c.conversation)
            .where(
                work_item.c.state.in_(_OPEN),
                conversation.c.state != ConversationState.CLOSED.value,
                visible_in_lists(actor),
            )
        )
        return [r.id for r in rows]

    def snapshot_offers(self, actor: Actor) -> Work[list[str]]:
        """Return an actor's pending offers, all of the domain for supervisors."""
        query = select(offer.c.id).where(offer.c.state == OfferState.pending.value)
        if not actor.has(Role.SUPERVISOR):
            query = query.where(offer.c.agent == actor.id)
        return [r.id for r in (yield query)]

    def snapshot_agents(self, actor: Actor) -> Work[list[str]]:
        """Return the actor, everybody for supervisors."""
        yield from ()
        catalog = self._catalog()
        return [
            id
            for id, entry in catalog.agent_by_id.items()
            if entry.object.active
            and Role.AGENT in entry.object.roles
            and (id == actor.id or actor.has(Role.SUPERVISOR))
        ]


def _pending(rows: Sequence[Row[Any]], name: Callable[[Id | None], str]) -> dict[str, Any]:
    """Return the pending offer of an item, the first of several that were made at once."""
    row = min(rows, key=lambda one: one.id)
    return {
        "id": row.id,
        "agent": row.agent,
        "agent_name": name(row.agent),
        "deadline": row.deadline,
        "transfer": row.transfer,
        "others": len(rows) - 1,
    }


def _offer_readers(row: Row[Any]) -> frozenset[str]:
    """A closed offer stays with its agent's desk for a moment, to say how it ended."""
    if row.state != OfferState.pending.value:
        return frozenset({log.agent(row.agent)})
    return frozenset({log.agent(row.agent), log.SUPERVISORS})


def _item_readers(row: Row[Any]) -> frozenset[str]:
    if row.state not in _OPEN:
        return frozenset({log.conversation(row.conversation)})
    mine = log.agent(row.owner) if row.owner else log.queue(row.queue)
    return frozenset({mine, log.SUPERVISORS, log.conversation(row.conversation)})
