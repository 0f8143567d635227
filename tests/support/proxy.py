"""A TCP proxy between a browser and a hub that fails as networks do: cut, refuse, hang."""

from __future__ import annotations

import asyncio
from typing import cast

from tests.support.ports import free_port


class Proxy:
    """Listens on ``port`` and passes bytes on to the port behind it."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self.port = free_port()
        self.ends: set[End] = set()
        self.hanging = False
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Where browsers reach the hub."""
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        """Listen; also after :meth:`refuse`."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Near(self), "127.0.0.1", self.port)

    def cut(self) -> None:
        """Break every connection; new ones are taken."""
        for end in list(self.ends):
            end.abort()

    def refuse(self) -> None:
        """Break every connection and take no new one."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self.cut()

    def hang(self) -> None:
        """Let every connection, new ones too, take bytes and pass none on."""
        self.hanging = True
        for end in self.ends:
            end.deaf = True

    def fall_silent(self) -> None:
        """Let what is open take bytes and pass none on for ever; new connections work."""
        for end in self.ends:
            end.deaf = True

    def mend(self) -> None:
        """Pass on again; what hung is broken, as by the reset that its peer sends."""
        self.hanging = False
        self.cut()

    async def close(self) -> None:
        """Leave nothing open."""
        self.refuse()


class End(asyncio.Protocol):
    """One of the two ends of a connection."""

    def __init__(self, proxy: Proxy) -> None:
        self.proxy = proxy
        self.deaf = proxy.hanging
        self.other: End | None = None
        self.transport: asyncio.Transport | None = None
        self._early: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Pass on what came before there was a connection."""
        self.transport = cast(asyncio.Transport, transport)
        self.proxy.ends.add(self)
        for data in self._early:
            self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        """Pass bytes to the other end."""
        if not self.deaf and self.other is not None:
            self.other.write(data)

    def write(self, data: bytes) -> None:
        """Send bytes, as soon as that is possible."""
        if self.transport is None:
            self._early.append(data)
        else:
            self.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """End the other end, too, unless nothing is passed on any more."""
        self.proxy.ends.discard(self)
        other = self.other
        if other is not None and other.transport is not None and not self.deaf:
            other.transport.close()

    def abort(self) -> None:
        """Break this end."""
        if self.transport is not None:
            self.transport.abort()


class Near(End):
    """The browser's end: opens the one to the hub."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Dial the hub."""
        super().connection_made(transport)
        self.other = far = End(self.proxy)
        far.other = self
        self._dialling = asyncio.create_task(self._dial(far))

    async def _dial(self, far: End) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: far, "127.0.0.1", self.proxy.behind)
        except OSError:
            self.abort()
        if self.transport is None or self.transport.is_closing():
            far.abort()
