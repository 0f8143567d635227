"""Who leaves a call without a word, and what that means for those whom they leave behind."""

from collections.abc import Mapping
from datetime import datetime

from madoguchi.conversations.calls import repository
from madoguchi.model.calls import CallEvent, CallFacts, Happened, Party
from madoguchi.model.ids import Id
from madoguchi.store.work import Work


def leave(id: Id, legs: Mapping[str, str], now: datetime) -> Work[None]:
    """Let legs of a call be gone, each for its reason. Whoever was held for a colleague's sake is
    not held any more when that colleague is gone.
    """
    found = yield from repository.by_ids([id], lock=True)
    if id not in found or found[id].facts.over:
        return
    before = found[id]
    gone = [leg for name, leg in before.facts.legs.items() if leg.live and name in legs]
    events = [
        CallEvent(f"hub:gone:{leg.id}", now, Happened.LEFT, leg.id, {"why": legs[leg.id]})
        for leg in gone
    ]
    if any(leg.party is Party.EXPERT for leg in gone):
        events += _resumed(before.facts, f"hub:gone:{gone[0].id}", now)
    yield from repository.save(found, [before.after(*events)], now)


def _resumed(facts: CallFacts, name: str, now: datetime) -> list[CallEvent]:
    held = [leg for leg in facts.of(Party.CUSTOMER) if leg.held]
    return [
        CallEvent(f"{name}:resumed:{leg.id}", now, Happened.RESUMED, leg.id, seq=1) for leg in held
    ]
