"""Who leaves a call without a word."""

from collections.abc import Mapping
from datetime import datetime

from madoguchi.conversations.calls import repository
from madoguchi.model.calls import CallEvent, Happened
from madoguchi.model.ids import Id
from madoguchi.store.work import Work


def leave(id: Id, legs: Mapping[str, str], now: datetime) -> Work[None]:
    """Let legs of a call be gone, each for its reason."""
    found = yield from repository.by_ids([id], lock=True)
    if id not in found or found[id].facts.over:
        return
    before = found[id]
    gone = [leg for name, leg in before.facts.legs.items() if leg.live and name in legs]
    events = [
        CallEvent(f"hub:gone:{leg.id}", now, Happened.LEFT, leg.id, {"why": legs[leg.id]})
        for leg in gone
    ]
    yield from repository.save(found, [before.after(*events)], now)


def end(id: Id, why: str, now: datetime) -> Work[None]:
    """End a call in which nobody is."""
    found = yield from repository.by_ids([id], lock=True)
    ended = CallEvent(f"hub:{why}", now, Happened.ENDED, data={"why": why})
    live = [one for one in found.values() if not one.facts.over]
    yield from repository.save(found, [one.after(ended) for one in live], now)
