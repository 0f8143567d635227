"""The bare stack: aiohttp with uvloop, the least that the same work can cost.

``bare.py PORT ack``: read the form, check the signature, answer 204.
``bare.py PORT path``: one INSERT (SQLite, FULL) and one emit to the socket that asked for it.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import tempfile
from urllib.parse import parse_qsl

import asyncpg
import socketio
import uvloop
from aiohttp import web
from multidict import MultiDict
from twilio.request_validator import RequestValidator

TOKEN = "token-of-the-test"  # noqa: S105


def checked(url: str, body: bytes, signature: str) -> MultiDict[str]:
    """Return the form of a signed request."""
    form = MultiDict(parse_qsl(body.decode(), keep_blank_values=True))
    if not RequestValidator(TOKEN).validate(url, form, signature):
        raise web.HTTPForbidden
    return form


async def main() -> None:
    """Serve until terminated."""
    port, mode = int(sys.argv[1]), sys.argv[2]
    dsn = sys.argv[3] if len(sys.argv) > 3 else ""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {0})
    app = web.Application()
    server = socketio.AsyncServer(async_mode="aiohttp")
    server.attach(app)
    insert = await inserter(dsn) if mode == "path" else None
    agents: list[str] = []

    @server.event  # type: ignore[untyped-decorator]
    async def connect(sid: str, environ: object) -> None:
        agents.append(sid)

    async def hook(request: web.Request) -> web.Response:
        url = f"http://{request.host}{request.path}"
        body = await request.read()
        form = checked(url, body, request.headers["X-Twilio-Signature"])
        if insert is not None:
            await insert(form["MessageSid"], body)
            to = agents[int(form["From"][-4:]) % len(agents)]
            await server.emit("event", {"id": form["MessageSid"]}, to=to)
        return web.Response(status=204)

    app.router.add_post("/hooks/sms", hook)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


async def inserter(dsn: str):  # type: ignore[no-untyped-def]
    """Return an async insert of one row, committed."""
    if dsn:
        pool = await asyncpg.create_pool(dsn)
        await pool.execute("CREATE TABLE IF NOT EXISTS bare (id text PRIMARY KEY, body bytea)")

        async def into_postgres(id: str, body: bytes) -> None:
            await pool.execute("INSERT INTO bare VALUES ($1, $2)", id, body)

        return into_postgres
    folder = tempfile.mkdtemp(prefix="madoguchi-bare-")
    connection = sqlite3.connect(f"{folder}/bare.db", isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE bare (id text PRIMARY KEY, body blob)")

    async def into_sqlite(id: str, body: bytes) -> None:
        connection.execute("INSERT INTO bare VALUES (?, ?)", (id, body))

    return into_sqlite


if __name__ == "__main__":
    uvloop.run(main())
