"""Passing things: what one browser tells another through the hub, stored nowhere.

A thing is for an address, ``agent:…`` or ``visitor:…``, whose sockets may be on any process.
Whoever sends it learns whether a socket of that address got it; repeating is the sender's business.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

ASKS_S = 0.8
"""So long another process has to say that it has passed something on."""

THERE = "there"
"""An event that no socket is sent: whoever asks by it only wants to know of one."""

Deliver = Callable[[str, str, Mapping[str, Any]], Awaitable[bool]]
"""address, event, body → whether a socket of the address got it."""


class Wire(Protocol):
    """How processes speak with each other, where there are several."""

    async def say(self, word: Mapping[str, Any]) -> None:
        """Tell all other processes."""
        ...

    def hear(self, listener: Callable[[Mapping[str, Any]], Awaitable[None]]) -> None:
        """Give every word of another process to a listener."""
        ...


class Relay:
    """The sockets of all processes, by address."""

    def __init__(self, wire: Wire | None = None) -> None:
        self._wire = wire
        self._doors: list[Deliver] = []
        self._asked: dict[str, asyncio.Future[bool]] = {}
        if wire is not None:
            wire.hear(self._heard)

    def door(self, deliver: Deliver) -> None:
        """Add sockets of this process."""
        self._doors.append(deliver)

    async def send(self, address: str, name: str, body: Mapping[str, Any]) -> bool:
        """Pass something on to all sockets of an address; return whether anybody got it."""
        here = await self._here(address, name, body)
        if self._wire is None or (here and name == THERE):
            return here
        if here:
            await self._wire.say({"to": address, "name": name, "body": dict(body)})
            return True
        id = secrets.token_hex(8)
        future: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._asked[id] = future
        try:
            await self._wire.say({"id": id, "to": address, "name": name, "body": dict(body)})
            async with asyncio.timeout(ASKS_S):
                return await future
        except TimeoutError:
            return False
        finally:
            del self._asked[id]

    async def there(self, address: str) -> bool:
        """Tell whether any socket of an address is connected anywhere."""
        return await self.send(address, THERE, {})

    async def _here(self, address: str, name: str, body: Mapping[str, Any]) -> bool:
        return any([await deliver(address, name, body) for deliver in self._doors])

    async def _heard(self, word: Mapping[str, Any]) -> None:
        if "got" in word:
            waiting = self._asked.get(word["got"])
            if waiting is not None and not waiting.done():
                waiting.set_result(True)
            return
        got = await self._here(word["to"], word["name"], word["body"])
        if got and self._wire is not None and "id" in word:
            await self._wire.say({"got": word["id"]})
