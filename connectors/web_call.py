"""Calls from a web site: what visitors do in them, and signals between browsers.

The call itself goes from browser to browser; the hub carries what they need to find each other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson

from madoguchi.clock import Clock
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.live.relay import Relay
from madoguchi.model import log
from madoguchi.model.calls import CallEvent, Happened, Party
from madoguchi.model.channels import Channel
from madoguchi.model.ids import Id, is_id
from madoguchi.model.inbound import Inbound, InboundCall
from madoguchi.model.people import Address, Scheme
from madoguchi.model.routing import Command, Refused, Requeued
from madoguchi.store.work import Store, Work

CUSTOMER = "customer"
"""The leg of a visitor in their own call."""

MOST_SIGNAL = 64 * 1024
"""Bytes of what one browser tells another at once."""

MOST_NAME = 64

GRACE = timedelta(seconds=30)
"""So long a visitor's browser may be away, as it is when its page is loaded again."""

COMES_IN = timedelta(seconds=45)
"""So long an agent who has taken a call may need until they are in it."""

LOOK_S = 5.0

FIELDS = ("call", "from", "to", "session", "seq", "data")
NOT_THERE = {"ok": False, "code": "not_there"}
STRANGER = {"ok": False, "code": "not_in_call"}


@dataclass(frozen=True)
class Signals:
    """Carries signals between the legs of a call."""

    store: Store
    relay: Relay

    async def pass_on(self, sender: str, data: Mapping[str, Any]) -> dict[str, Any]:
        """Carry a signal from the browser at an address; return what the sender is told.

        Only legs of a living call are heard, and only by its other legs.
        """
        if not _whole(data):
            return {"ok": False, "code": "invalid", "detail": "a signal has " + ", ".join(FIELDS)}
        id = str(data["call"])
        call = (await self.store.look(lambda: repository.by_ids([id]))).get(id)
        if call is None or call.facts.over:
            return STRANGER
        to = _address(call, data["to"])
        if _address(call, data["from"]) != sender or to is None or data["from"] == data["to"]:
            return STRANGER
        body = {name: data[name] for name in FIELDS}
        return {"ok": True} if await self.relay.send(to, "signal", body) else NOT_THERE


def _whole(data: Mapping[str, Any]) -> bool:
    names = [data.get(name) for name in ("call", "from", "to", "session")]
    texts = all(isinstance(name, str) and len(name) <= MOST_NAME for name in names)
    seq = data.get("seq")
    number = isinstance(seq, int) and not isinstance(seq, bool)
    return texts and number and is_id(data["call"]) and _small(data.get("data"))


def _small(data: object) -> bool:
    """Tell whether it is an object that may travel; what cannot be written as JSON may not."""
    try:
        return isinstance(data, dict) and len(orjson.dumps(data)) <= MOST_SIGNAL
    except (orjson.JSONEncodeError, RecursionError):
        return False


def _address(call: Call, id: str) -> str | None:
    """Return where a leg's browsers are; None: it is not in the call."""
    leg = call.facts.legs.get(id)
    if leg is None or not leg.live:
        return None
    if leg.party is Party.CUSTOMER:
        return log.visitor(call.account, call.thread)
    return log.agent(leg.agent) if leg.agent else None


@dataclass
class Lost:
    """Ends the calls of visitors whose browsers are gone for good, and gives calls to others whose
    agent has taken them but does not come in: a microphone that is refused, a page that hangs. By
    the router's process only (``mine``); ``ask``: how the router is asked.
    """

    store: Store
    relay: Relay
    clock: Clock
    mine: Callable[[], bool]
    by_browser: Callable[[Id], bool]
    ask: Callable[[Command], Awaitable[Any]]
    gone: dict[Id, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        """Look for ever; a supervised task."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self.mine():
                await self.look()

    async def look(self) -> None:
        """End what has had no browser for too long; let wait again what nobody came in to."""
        calls = await self.store.read(_live)
        now = self.clock.now()
        for one in calls.values():
            if one.item is not None and _rings_in_vain(one, now):
                with suppress(Refused):
                    await self.ask(Requeued(one.item, "no_media"))
        self.gone = {id: since for id, since in self.gone.items() if id in calls}
        for id, one in calls.items():
            if not self.by_browser(one.account):
                continue
            if await self.relay.there(log.visitor(one.account, one.thread)):
                self.gone.pop(id, None)
            elif now - self.gone.setdefault(id, now) >= GRACE:
                await self.store.write(partial(repository.lose, id, now))


def _rings_in_vain(call: Call, now: datetime) -> bool:
    """Tell whether the agent who took a call has not come in for too long."""
    rung = [leg for leg in call.facts.of(Party.AGENT) if not leg.there and leg.rang_at]
    return any(leg.rang_at is not None and now - leg.rang_at >= COMES_IN for leg in rung)


def _live() -> Work[dict[Id, Call]]:
    return (yield from repository.by_ids((yield from repository.live())))


CALL_ACTS: frozenset[str] = frozenset(
    {"start", "agree", "connected", "mute", "unmute", "video", "screen", "end", "score"}
)
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
    name = f"{act}:{body['id']}"
    media = Channel.VIDEO if body.get("media") == "video" else Channel.VOICE
    if act == "start":
        events = _started(at, video=media is Channel.VIDEO)
    else:
        # Whoever answers twice has answered once.
        name = act if act == "score" else name
        events = (CallEvent(name, at, _HAPPENED[act], CUSTOMER, _said(act, body)),)
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
        CallEvent("start:leg", at, Happened.RANG, CUSTOMER, rung),
        CallEvent("start:there", at, Happened.CONNECTED, CUSTOMER),
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
