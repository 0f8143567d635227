"""What came of asking a call's provider for something, kept with the call."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.present import Present, differences
from madoguchi.model.calls import CallEvent, Happened, Recording
from madoguchi.model.ids import Id
from madoguchi.store.work import Work

TAKEN_BACK: Mapping[str, tuple[Happened, Mapping[str, Any]]] = {
    "hold": (Happened.RESUMED, {}),
    "mute": (Happened.UNMUTED, {}),
    "record": (Happened.RECORDING, {"state": Recording.OFF.value}),
    "pause": (Happened.RECORDING, {"state": Recording.ON.value}),
}
"""What is refused and taken back; what undoes these acts is not: it would go round for ever."""


def failed(id: Id, leg: str, what: str, now: datetime, again: bool) -> Work[None]:
    """Say in a call what its provider did not do, once for each try of somebody; what is not tried
    ``again`` is taken back.
    """
    found = yield from repository.by_ids([id], lock=True)
    if id not in found or found[id].facts.over:
        return
    before = found[id]
    trouble = before.facts.trouble or {}
    told = (trouble.get("what"), trouble.get("leg"), trouble.get("again")) == (what, leg, again)
    if told and again:
        return
    name = f"hub:failed:{len(before.events)}"
    data = {"what": what, "leg": leg, "again": again}
    events = [CallEvent(name, now, Happened.FAILED, data=data)]
    if not again and what in TAKEN_BACK:
        kind, taken = TAKEN_BACK[what]
        events.append(CallEvent(f"{name}:back", now, kind, leg, taken, seq=1))
    yield from repository.save(found, [before.after(*events)], now)


def told(id: Id, now: datetime) -> Work[None]:
    """Keep that a call's customer has heard that they are recorded."""
    found = yield from repository.by_ids([id], lock=True)
    told = CallEvent("hub:told", now, Happened.TOLD)
    yield from repository.save(found, [one.after(told) for one in found.values()], now)


def read(id: Id, there: Present, at: datetime, now: datetime) -> Work[None]:
    """Keep what a call's provider has told of it as it was asked ``at`` a moment."""
    found = yield from repository.by_ids([id], lock=True)
    before = found.get(id)
    if before is None or before.facts.over:
        return
    missed = differences(before.facts, there, at)
    if missed:
        yield from repository.save(found, [before.after(*missed)], now)
