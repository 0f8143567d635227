"""Socket.IO servers as this product needs them: lean sockets, bounded queues, quick pings."""

import asyncio
import logging
import socket
from typing import Any, ClassVar
from weakref import WeakSet

import orjson
import socketio
import structlog
from aiohttp import web
from engineio.async_drivers import aiohttp as driver

from madoguchi.http.table import encode

log = structlog.get_logger(__name__)

MOST_PACKETS = 256
MOST_BYTES = 1024 * 1024
BLOCKED_S = 5.0
WATCH_S = 1.0
SEND_BUFFER = 64 * 1024


class LeanWebSocket(driver.WebSocket):  # type: ignore[misc]
    """The driver's websocket without permessage-deflate (33 KB a socket instead of 134), which
    knows since when its client has not read.
    """

    open: ClassVar[WeakSet["LeanWebSocket"]] = WeakSet()

    async def __call__(self, environ: dict[str, Any]) -> web.WebSocketResponse:
        """Serve one upgraded request to its end."""
        request = environ["aiohttp.request"]
        self._transport = request.transport
        self._since: float | None = None
        raw = request.transport and request.transport.get_extra_info("socket")
        if raw is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._sock = web.WebSocketResponse(
            max_msg_size=self.server.max_http_buffer_size, compress=False
        )
        await self._sock.prepare(request)
        self.environ = environ
        self.open.add(self)
        await self.handler(self)
        return self._sock

    async def send(self, message: str | bytes) -> None:
        """Send one packet; while it blocks, the clock runs."""
        self._since = asyncio.get_running_loop().time()
        try:
            await super().send(message)
        finally:
            self._since = None

    def stuck(self, now: float) -> bool:
        """Tell whether the client has let too much wait for too long."""
        queue = self.handler.__self__.queue
        if queue.qsize() > MOST_PACKETS:
            return True
        if self._transport and self._transport.get_write_buffer_size() > MOST_BYTES:
            return True
        return self._since is not None and now - self._since > BLOCKED_S

    def abort(self) -> None:
        """Cut the connection without a farewell; the client resumes when it can."""
        if self._transport is not None:
            self._transport.abort()


class Json:
    """The JSON codec of the sockets: the same as REST's."""

    @staticmethod
    def dumps(value: Any, **_: Any) -> str:
        """Return JSON text."""
        return encode(value).decode()

    @staticmethod
    def loads(text: str | bytes, **_: Any) -> Any:
        """Return the value of a JSON text."""
        return orjson.loads(text)


def make(origins: str | list[str] | None) -> Any:
    """Return a Socket.IO server; ``origins`` None: our own host only."""
    server = socketio.AsyncServer(
        async_mode="aiohttp",
        cors_allowed_origins=origins,
        cors_credentials=False,
        always_connect=True,
        ping_interval=10,
        ping_timeout=5,
        max_http_buffer_size=200_000,
        json=Json,
        namespaces="*",
        logger=_faults("socketio.server"),
        engineio_logger=_faults("engineio.server"),
    )
    server.eio._async = {**server.eio._async, "websocket": LeanWebSocket}  # noqa: SLF001
    return server


def _faults(name: str) -> logging.Logger:
    """Return a library's logger; one that is given to it gets no handler that writes raw lines."""
    logger = logging.getLogger(name)
    logger.setLevel(logging.ERROR)
    return logger


async def push(server: Any, sid: str, namespace: str, name: str, *bodies: Any) -> None:
    """Send one packet to one socket: ``emit`` without its task and its rooms; half of its cost."""
    transport = server.manager.eio_sid_from_sid(sid, namespace)
    if transport is not None:
        arguments = encode(bodies).decode()
        await server.eio.send(transport, f'2{namespace},["{name}",{arguments[1:]}')


class Watchdog:
    """Drops clients that do not read, whichever server they are on."""

    def __init__(self) -> None:
        self.dropped = 0

    async def run(self) -> None:
        """Look every second; a supervised task."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(WATCH_S)
            for one in list(LeanWebSocket.open):
                if one.stuck(loop.time()):
                    self.dropped += 1
                    log.info("a client does not read, its socket is dropped")
                    one.abort()
