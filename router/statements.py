"""The statements by which the router writes what it decided; compiled once per engine.

Its rows are its own: nobody else changes or locks them, and its lease keeps other routers away.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BindParameter, Table, bindparam, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.conversations.tables import work_item
from madoguchi.model.routing import Activity, ItemState, OfferState
from madoguchi.store.hot import Hot, constant
from router.tables import activity_period, agent_status, alert, assignment, offer, presence_period


def _given(table: Table, *names: str) -> dict[str, BindParameter[Any]]:
    """Return column → the parameter ``b_<column>`` of its type."""
    return {name: bindparam(f"b_{name}", type_=table.c[name].type) for name in names}


def _item(*names: str) -> Hot:
    """Return the statement that stores some columns of an item."""
    here = work_item.c.id == bindparam("b_id", type_=work_item.c.id.type)
    return Hot(update(work_item).where(here).values(_given(work_item, *names)).inline(), owned=True)


ITEM = _item("queue", "state", "owner", "priority", "routing", "closed_at", "version")
REASON, HANDOVER, WRAP_UP = _item("reason"), _item("handover"), _item("wrap_up")
ENQUEUED = _item("enqueued_at")
ANSWERED = _item("assigned_at", "answered_in", "waited_us")
OFFER = Hot(
    update(offer)
    .where(
        offer.c.id == bindparam("b_id", type_=offer.c.id.type),
        offer.c.state == constant(OfferState.pending),
    )
    .values(_given(offer, "state", "reason", "closed_at", "version"))
    .inline(),
    owned=True,
)
OFFER_MOVED = Hot(
    update(offer)
    .where(offer.c.id == bindparam("b_id", type_=offer.c.id.type))
    .values(_given(offer, "made_at", "deadline", "version"))
    .inline(),
    owned=True,
)
NEW_OFFER = Hot(offer.insert().inline(), *(column.name for column in offer.columns))
END_ASSIGNMENT = Hot(
    update(assignment)
    .where(
        assignment.c.item == bindparam("b_item", type_=assignment.c.item.type),
        assignment.c.ended_at.is_(None),
    )
    .values(_given(assignment, "ended_at", "why", "released_us"))
    .inline(),
    owned=True,
)
NEW_ASSIGNMENT = Hot(
    assignment.insert().inline(), "id", "domain", "item", "agent", "queue", "offer", "started_at"
)
NEW_PERIOD = Hot(
    presence_period.insert().inline(),
    "id",
    "domain",
    "agent",
    "presence",
    "reason",
    "began_at",
)
END_PERIOD = Hot(
    update(presence_period)
    .where(
        presence_period.c.agent == bindparam("b_agent", type_=presence_period.c.agent.type),
        presence_period.c.ended_at.is_(None),
    )
    .values(_given(presence_period, "ended_at"))
    .inline(),
    owned=True,
)
NEW_ACTIVITY = Hot(
    activity_period.insert().inline(), "id", "domain", "agent", "activity", "began_at"
)
END_ACTIVITY = Hot(
    update(activity_period)
    .where(
        activity_period.c.agent == bindparam("b_agent", type_=activity_period.c.agent.type),
        activity_period.c.ended_at.is_(None),
    )
    .values(_given(activity_period, "ended_at"))
    .inline(),
    owned=True,
)
NEW_ALERT = Hot(
    alert.insert().inline(), "id", "domain", "queue", "figure", "bound", "reached", "began_at"
)
END_ALERT = Hot(
    update(alert)
    .where(alert.c.id == bindparam("b_id", type_=alert.c.id.type))
    .values(_given(alert, "ended_at"))
    .inline(),
    owned=True,
)
_AGENT = (
    "presence",
    "reason",
    "since",
    "disconnected_since",
    "absent_since",
    "worked_until",
    "misses",
    "routing",
    "away_after",
    "activity",
    "activity_since",
    "used",
    "reserved",
    "free",
    "version",
)


def _upsert(*names: str) -> Hot:
    """Return the statement that stores where agents stand."""
    row = insert(agent_status).values(_given(agent_status, "agent", "domain", *names))
    return Hot(
        row.on_conflict_do_update(
            index_elements=["agent"], set_={name: row.excluded[name] for name in names}
        ).inline(),
        owned=True,
    )


AGENT_STANDS = _upsert(*_AGENT)
AGENT_CHANGED_BY = _upsert(*_AGENT, "changed_by")


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    """Return JSON-ready data: enums and tuples become texts and lists."""
    return {
        k: plain(v)
        if isinstance(v, Mapping)
        else list(v)
        if isinstance(v, tuple)
        else v.value
        if isinstance(v, Activity | ItemState)
        else v
        for k, v in value.items()
    }
