"""For how long work did not weigh on its agent, because it waited for the customer; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from madoguchi.model.routing import CHAT, ItemFacts, QueuePolicy, micros

ENDED = "ended"
"""Under this key a row's routing keeps why nobody could take it."""

CHAT_RELEASE_S = QueuePolicy("", "").chat_release_s


def released_us(before: ItemFacts | None, after: ItemFacts | None, at: int) -> int:
    """Return for how many µs the pause that has just ended had released the agent's units; 0 when
    none has. None: there was, or is, no such item.
    """
    if before is None or before.paused_since is None:
        return 0
    if after is not None and after.paused_since == before.paused_since:
        return 0
    spec = before.spec
    return _released(spec.channel, before.paused_since, at, spec.release_after_s)


def released_so_far(channel: str, routing: Mapping[str, Any], at: int) -> int:
    """Return the same of work that goes on, from its ``routing`` as it is stored."""
    paused_since = routing.get("paused_since")
    past = int(routing.get("released_us") or 0)
    return past + (0 if paused_since is None else _released(channel, paused_since, at, None))


def _released(channel: str, paused_since: int, at: int, release_after_s: float | None) -> int:
    if release_after_s is None:
        release_after_s = CHAT_RELEASE_S if channel == CHAT else 0
    return max(0, at - paused_since - micros(release_after_s))
