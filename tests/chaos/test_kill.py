"""kill -9 at any moment: every acknowledged webhook is there after the restart, once."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections import Counter
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import asyncpg
from twilio.request_validator import RequestValidator

from tests.support.hubs import SID, TOKEN
from tests.support.servers import Server
from tests.support.waiting import wait_for

KILLS = 20
SENDERS = 16


class Load:
    """Sixteen customers who write one after the other, as fast as they are acknowledged."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.acknowledged: dict[int, list[str]] = {n: [] for n in range(SENDERS)}
        self.sent = 0

    async def run(self) -> None:
        """Write until cancelled."""
        async with aiohttp.ClientSession() as session:
            await asyncio.gather(*(self._sender(session, n) for n in range(SENDERS)))

    async def _sender(self, session: aiohttp.ClientSession, number: int) -> None:
        while True:
            self.sent += 1
            sid = f"SM{self.sent:032x}"
            try:
                if await self._post(session, number, sid) == 204:
                    self.acknowledged[number].append(sid)
            except aiohttp.ClientError:
                await _turn()

    async def _post(self, session: aiohttp.ClientSession, number: int, sid: str) -> int:
        url = f"{self.server.url}/hooks/sms"
        fields = {
            "MessageSid": sid,
            "AccountSid": SID,
            "From": f"+8190123400{number:02d}",
            "Body": sid,
        }
        headers = {
            "X-Twilio-Signature": RequestValidator(TOKEN).compute_signature(url, fields),
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with session.post(url, data=urlencode(fields), headers=headers) as answer:
            return answer.status


async def _turn() -> None:
    """Let the loop turn for a moment between refused connections."""
    waiting = asyncio.Event()
    try:
        await asyncio.wait_for(waiting.wait(), 0.05)
    except TimeoutError:
        return


async def rows(server: Server, database: str, query: str) -> list[tuple[object, ...]]:
    """Read from the server's database."""
    if not database:
        connection = sqlite3.connect(server.folder / "madoguchi.db")
        try:
            return connection.execute(query).fetchall()
        finally:
            connection.close()
    reader = await asyncpg.connect(database)
    try:
        return [tuple(r) for r in await reader.fetch(query)]
    finally:
        await reader.close()


async def test_twenty_kills_under_load_lose_and_double_nothing(
    tmp_path: Path, database: str
) -> None:
    dice = random.Random(20)  # noqa: S311
    server = Server(tmp_path, database)
    await server.start()
    await server.furnish()
    load = Load(server)
    task = asyncio.create_task(load.run())
    for _ in range(KILLS):
        before = sum(map(len, load.acknowledged.values()))
        more = before + dice.randint(20, 200)
        await wait_for(
            lambda more=more: sum(map(len, load.acknowledged.values())) >= more,  # type: ignore[misc]
            "more is acknowledged",
            within=30,
        )
        server.kill()
        await server.start()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)

    async def drained() -> bool:
        waiting = await rows(server, database, "SELECT count(*) FROM inbox WHERE state <> 1")
        return waiting[0][0] == 0

    await wait_for(drained, "the inbox is drained", within=60, every=0.2)
    stored = await rows(
        server,
        database,
        "SELECT provider_id FROM message WHERE provider_id LIKE 'SM%' "
        "ORDER BY occurred_at, received_at, id",
    )
    counts = Counter(str(r[0]) for r in stored)
    acknowledged = {sid for sids in load.acknowledged.values() for sid in sids}
    assert acknowledged - set(counts) == set()
    assert [sid for sid, n in counts.items() if n > 1] == []
    place = {str(r[0]): n for n, r in enumerate(stored)}
    for sids in load.acknowledged.values():
        assert [place[s] for s in sids] == sorted(place[s] for s in sids)
    conversations = await rows(
        server, database, "SELECT count(*), count(DISTINCT thread) FROM conversation"
    )
    assert conversations[0] == (SENDERS, SENDERS)
    numbered = await rows(server, database, "SELECT count(*) FROM log WHERE position IS NULL")
    assert numbered[0][0] == 0
    assert server.stop() == 0
