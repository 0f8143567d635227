"""Questions of call flows to other systems: asked once the turn is durable, while callers wait."""

import asyncio
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

import aiohttp
import orjson
import structlog

from madoguchi.configuration.facts import ATTRIBUTE
from madoguchi.flows.turns import Lookup

log = structlog.get_logger(__name__)

MOST_BYTES = 64 * 1024
KEPT = 10_000

Found = dict[str, str]


class Lookups:
    """What is being asked and what came of it, by the turn that asks."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._tasks: OrderedDict[str, asyncio.Task[Found | None]] = OrderedDict()

    def ask(self, turn: str, lookup: Lookup) -> None:
        """Begin to ask, once for each turn."""
        if turn in self._tasks:
            return
        self._tasks[turn] = asyncio.create_task(self._asked(lookup))
        while len(self._tasks) > KEPT:
            self._tasks.popitem(last=False)[1].cancel()

    def pending(self, turn: str) -> bool:
        """Tell whether a turn's answer is still to come; one that nobody asked for is."""
        task = self._tasks.get(turn)
        return task is None or not task.done()

    def found(self, turn: str) -> Found | None:
        """Return what was found, None for nothing."""
        task = self._tasks.get(turn)
        return task.result() if task is not None and task.done() else None

    async def _asked(self, lookup: Lookup) -> Found | None:
        timeout = aiohttp.ClientTimeout(total=lookup.timeout_s)
        try:
            async with self._http.get(lookup.url, timeout=timeout, allow_redirects=False) as answer:
                answer.raise_for_status()
                return kept(orjson.loads(await _body(answer)), lookup.keep)
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError) as fault:
            # The address holds what callers have given; it is nothing for a log.
            log.warning("a call's look-up failed", why=f"{type(fault).__name__}: {fault}"[:200])
            return None


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer. Raises ValueError where it is too long."""
    body = b""
    async for chunk in answer.content.iter_chunked(MOST_BYTES):
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError("the answer is too long")
    return body


def kept(answer: Any, keep: Mapping[str, str]) -> Found:
    """Return what is kept of an answer: texts, numbers and truths; "" for what is not there."""
    return {name: _at(answer, place) for name, place in keep.items()}


def _at(value: Any, place: str) -> str:
    for part in place.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)[:ATTRIBUTE] if isinstance(value, str | int | float) else ""
