"""Who is in a call at its provider, and what follows where we know something else. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from madoguchi.model.calls import CallEvent, CallFacts, Happened, Leg, LegState, Party


@dataclass(frozen=True, slots=True)
class Present:
    """What a provider says: whether the caller's own call is ``over``, and since when; leg →
    whether it is in the call already, or still rings. Who is not named is not there.
    """

    over: bool = False
    over_at: datetime | None = None
    legs: Mapping[str, bool] = field(default_factory=dict)


def differences(facts: CallFacts, there: Present, at: datetime) -> list[CallEvent]:
    """Return what has happened in a call without our hearing of it, as of the moment when its
    provider was asked.
    """
    incoming = facts.direction == "in"
    found: list[CallEvent] = []
    for leg in facts.legs.values():
        if not leg.live:
            continue
        own = incoming and leg.party is Party.CUSTOMER
        if own and there.over:
            found.append(_event(Happened.LEFT, leg, max(there.over_at or at, facts.began_at or at)))
        else:
            found += _missed(facts, leg, there.legs.get(leg.id), at, own=own)
    return found


def _missed(
    facts: CallFacts, leg: Leg, there: bool | None, at: datetime, *, own: bool
) -> Iterator[CallEvent]:
    if there and leg.state is LegState.RINGING:
        yield _event(Happened.CONNECTED, leg, at)
    if there is not None:
        return
    if own:
        # Who hears a menu is in no conference yet.
        if leg.there and facts.answered_at is not None:
            yield _event(Happened.DROPPED, leg, at)
    elif leg.party in {Party.CUSTOMER, Party.NUMBER}:
        if leg.there or leg.dialled:
            yield _event(Happened.LEFT, leg, at, why="" if leg.there else "no_answer")
    elif leg.there:
        yield _event(Happened.DROPPED, leg, at)


def _event(kind: Happened, leg: Leg, at: datetime, **data: Any) -> CallEvent:
    return CallEvent(f"hub:read:{leg.id}:{at.isoformat()}", at, kind, leg.id, data)
