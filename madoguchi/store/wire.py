"""Words between the processes of one database: PostgreSQL's NOTIFY, cut to size and joined again.

Nothing is stored; a word that is lost, is lost.
"""

import asyncio
import base64
import secrets
import zlib
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import asyncpg
import orjson
from sqlalchemy import make_url

from madoguchi.store.work import Unavailable

CHANNEL = "madoguchi_wire"
PIECE = 7_000
"""Bytes of one notification; PostgreSQL takes less than 8,000."""
MOST_BEGUN = 1_000
FAREWELL_S = 2.0

Listener = Callable[[Mapping[str, Any]], Awaitable[None]]


class PostgresWire:
    """This process's end of the wire; :meth:`run` is a supervised task."""

    def __init__(self, dsn: str) -> None:
        url = make_url(dsn).set(drivername="postgresql")
        self._dsn = url.render_as_string(hide_password=False)
        self._name = secrets.token_hex(8)
        self._listener: Listener | None = None
        self._connection: asyncpg.Connection | None = None
        self._turn = asyncio.Lock()
        self._begun: dict[str, dict[int, str]] = {}
        self._tasks: set[asyncio.Future[None]] = set()

    def hear(self, listener: Listener) -> None:
        """Give every word of another process to a listener."""
        self._listener = listener

    async def say(self, word: Mapping[str, Any]) -> None:
        """Tell all other processes. Where nobody can be told, nobody is: the word is lost."""
        packed = base64.b85encode(zlib.compress(orjson.dumps(word))).decode()
        pieces = [packed[at : at + PIECE] for at in range(0, len(packed), PIECE)]
        id = secrets.token_hex(6)
        async with self._turn:
            connection = self._connection
            if connection is None or connection.is_closed():
                return
            for number, piece in enumerate(pieces):
                told = f"{self._name} {id} {number} {len(pieces)} {piece}"
                with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
                    await connection.execute("SELECT pg_notify($1, $2)", CHANNEL, told)

    async def run(self) -> None:
        """Listen for ever."""
        connection = await asyncpg.connect(self._dsn, timeout=5)
        cut = asyncio.Event()
        try:
            await connection.add_listener(CHANNEL, self._heard)
            connection.add_termination_listener(lambda _: cut.set())
            self._connection = connection
            await cut.wait()
            raise Unavailable("the connection between the processes was cut")
        finally:
            self._connection = None
            with suppress(Exception):
                await connection.close(timeout=FAREWELL_S)

    def _heard(self, _connection: Any, _pid: int, _channel: str, told: str) -> None:
        who, id, number, count, piece = told.split(" ", 4)
        if who == self._name:
            return
        pieces = self._begun.setdefault(f"{who} {id}", {})
        pieces[int(number)] = piece
        if len(pieces) == int(count):
            del self._begun[f"{who} {id}"]
            self._pass_on("".join(pieces[at] for at in sorted(pieces)))
        while len(self._begun) > MOST_BEGUN:
            del self._begun[next(iter(self._begun))]

    def _pass_on(self, packed: str) -> None:
        if self._listener is None:
            return
        word = orjson.loads(zlib.decompress(base64.b85decode(packed)))
        task = asyncio.ensure_future(self._listener(word))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
