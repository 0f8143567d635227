"""Why an item is where it is: for one that waits, what the engine finds now; for one that somebody
has or had, the decision as it was recorded.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.tables import work_item
from madoguchi.model.conversation import UNFINISHED
from madoguchi.model.ids import Id
from madoguchi.model.routing import FullExplanation, ItemState, OfferState
from madoguchi.store.work import Work, only
from router.tables import assignment, offer

_AT_DESKS = {ItemState.waiting.value, ItemState.offered.value}
"""States in which the present candidates say something."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """An item with its last assignment, and the offer that waits or that led to it."""

    item: Row[Any]
    assignment: Row[Any] | None
    offer: Row[Any] | None


def recorded(conversation: Id) -> Work[Recorded | None]:
    """Return what is recorded of a conversation's unfinished item, else of its last one."""
    rows = yield select(work_item).where(work_item.c.conversation == conversation)
    if not rows:
        return None
    open_ = [s.value for s in UNFINISHED]
    item = max(rows, key=lambda r: (r.state in open_, r.enqueued_at, r.id))
    last = only(
        (
            yield select(assignment)
            .where(assignment.c.item == item.id)
            .order_by(assignment.c.started_at.desc(), assignment.c.id.desc())
            .limit(1)
        )
    )
    wanted = offer.c.item == item.id
    if item.state == ItemState.offered.value:
        wanted &= offer.c.state == OfferState.pending.value
    else:
        wanted &= offer.c.id == (last.offer if last is not None else None)
    return Recorded(
        item, last, only((yield select(offer).where(wanted).order_by(offer.c.id).limit(1)))
    )


def told(
    one: Recorded, catalog: Catalog, explain: Callable[[Id], FullExplanation | None]
) -> dict[str, Any]:
    """Return the explanation for a page: who has it, since when, by what, and the facts."""
    state = one.item.state
    full = explain(one.item.id) if state in _AT_DESKS else None
    body = {
        "state": state,
        "agent": None,
        "agent_name": "",
        "since": None,
        "how": None,
        "by": None,
        "by_name": "",
        "facts": _waiting(one.item, full),
        "decision": None,
        "candidates": _candidates(full, catalog),
    }
    if state == ItemState.waiting.value:
        return body
    held = _held(one)
    if held is None:
        return {**body, "facts": []}
    agent, since = held
    how, by = _how(one, agent)
    explanation = (one.offer.explanation if one.offer is not None else None) or {}
    return {
        **body,
        "agent": agent,
        "agent_name": catalog.agent_name(agent),
        "since": since,
        "how": how,
        "by": by,
        "by_name": catalog.agent_name(by),
        "facts": list(explanation.get("facts", [])),
        "decision": _decision(explanation, catalog),
    }


def _held(one: Recorded) -> tuple[Id, datetime] | None:
    """Return who has or had an item and since when; None for one that nobody ever had."""
    if one.item.state == ItemState.offered.value and one.offer is not None:
        return one.offer.agent, one.offer.made_at
    if one.assignment is not None:
        return one.assignment.agent, one.assignment.started_at
    return None


def _waiting(item: Row[Any], full: FullExplanation | None) -> list[str]:
    """Return what keeps an item waiting: the engine's word now, else what was written last."""
    if full is not None:
        return list(full.explanation.facts)
    return list((item.reason or {}).get("facts", []))


def _candidates(full: FullExplanation | None, catalog: Catalog) -> list[dict[str, Any]]:
    if full is None:
        return []
    return [
        {
            "agent": c.agent,
            "agent_name": catalog.agent_name(c.agent),
            "obstacle": _named(c.obstacle, c.agent, full.explanation.queue, catalog),
        }
        for c in full.candidates
    ]


def _named(obstacle: str | None, agent: Id, queue: str, catalog: Catalog) -> str | None:
    """Return an obstacle with a person's name for their id, and as ``condition`` where the agent
    would serve the queue but for its condition.
    """
    code, _, other = (obstacle or "").partition(":")
    if code == "kept_for":
        return f"{code}:{catalog.agent_name(other)}"
    entry = catalog.agent_by_id.get(agent)
    if code == "serves" and entry is not None and catalog.kept_out(entry.object, queue):
        return "condition"
    return obstacle


def _how(one: Recorded, agent: Id) -> tuple[str, Id | None]:
    """Return how an agent came to an item, and who else had a hand in it."""
    handover = one.item.handover or {}
    if one.offer is not None:
        return ("transfer", handover.get("by")) if one.offer.transfer else ("offer", None)
    by = handover.get("by")
    return ("pull", None) if by == agent else ("given", by)


def _decision(explanation: dict[str, Any], catalog: Catalog) -> dict[str, Any] | None:
    """Return what the router knew at the offer; None when a person decided."""
    if not explanation:
        return None
    runner_up = (explanation.get("runner_up") or {}).get("agent")
    return {
        "waited_s": (explanation.get("waited_us") or 0) / 1e6,
        "counts": explanation.get("counts"),
        "runner_up": runner_up,
        "runner_up_name": catalog.agent_name(runner_up),
        "version": explanation.get("version"),
    }
