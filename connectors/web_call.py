"""Calls from a web site: what visitors do in them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from madoguchi.model.calls import CALLER, CallEvent, Happened, Party
from madoguchi.model.channels import Channel
from madoguchi.model.ids import is_id
from madoguchi.model.inbound import Inbound, InboundCall
from madoguchi.model.people import Address, Scheme

CALL_ACTS: frozenset[str] = frozenset(
    {"start", "agree", "connected", "mute", "unmute", "video", "screen", "end", "score"}
)
ONCE = frozenset({"agree", "connected", "end", "score"})
MOST_SCORE = 10
MEDIA = frozenset({"voice", "video"})


def asked(data: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return what a visitor's client says of a call as it is stored; None: it makes no sense."""
    id, act, media = data.get("id"), data.get("act"), data.get("media", "voice")
    on = data.get("on", True)
    if not isinstance(act, str) or not isinstance(media, str):
        return None
    if not is_id(id) or act not in CALL_ACTS or media not in MEDIA or not isinstance(on, bool):
        return None
    found = {"call": id, "act": act, "media": media, "on": on}
    if act == "score":
        value = data.get("value")
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MOST_SCORE:
            return None
        found["value"] = value
    return found


def parse(body: Mapping[str, Any], at: datetime) -> list[Inbound]:
    """Return what a visitor's act in a call means; its customer's leg is the whole of it."""
    visitor, call, act = str(body["visitor"]), str(body["call"]), str(body["act"])
    media = Channel.VIDEO if body.get("media") == "video" else Channel.VOICE
    if act == "start":
        events = _started(at, video=media is Channel.VIDEO)
    else:
        # What can happen once only has happened once, however often a client says so.
        name = act if act in ONCE else f"{act}:{body['id']}"
        events = (CallEvent(name, at, _HAPPENED[act], CALLER, _said(act, body)),)
    return [
        InboundCall(
            sender=Address(Scheme.VISITOR, visitor),
            verified=False,
            thread=visitor,
            call=f"{visitor}:{call}",
            events=events,
            channel=media,
            id=call,
            begins=act == "start",
            wants=act == "start",
            language=str(body.get("language") or ""),
            topic=str(body["topic"])[:120] if body.get("topic") else None,
        )
    ]


def _said(act: str, body: Mapping[str, Any]) -> dict[str, Any]:
    if act == "score":
        return {"step": "survey", "name": "score", "value": str(int(body["value"]))}
    return {"on": bool(body["on"])} if act in {"video", "screen"} else {}


def _started(at: datetime, *, video: bool) -> tuple[CallEvent, ...]:
    """Return how a visitor's call begins: they are on the line, and wait."""
    rung = {"party": Party.CUSTOMER.value, "video": video}
    return (
        CallEvent("start", at, Happened.BEGAN, data={"direction": "in"}),
        CallEvent("start:leg", at, Happened.RANG, CALLER, rung),
        CallEvent("start:there", at, Happened.CONNECTED, CALLER),
    )


_HAPPENED = {
    "agree": Happened.AGREED,
    "connected": Happened.CONNECTED,
    "mute": Happened.MUTED,
    "unmute": Happened.UNMUTED,
    "video": Happened.VIDEO,
    "screen": Happened.SCREEN,
    "end": Happened.LEFT,
    "score": Happened.ANSWERED,
}
