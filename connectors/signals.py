"""Signals between the browsers of a call: how they find each other, carried and stored nowhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.live.relay import Relay
from madoguchi.model import log
from madoguchi.model.calls import Party
from madoguchi.model.ids import is_id
from madoguchi.store.work import Store

MOST_SIGNAL = 64 * 1024
"""Bytes of what one browser tells another at once."""

MOST_NAME = 64

FIELDS = ("call", "from", "to", "session", "seq", "data")
JOIN = "join"
"""What a page says first: it has the leg now."""

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
        if data["data"].get("type") == JOIN:
            # Of several pages of one leg the newest carries it: the others hear of it from the hub,
            # not from the other end, which could say anything.
            await self.relay.send(sender, "signal", body)
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
