"""Passing things between processes of one PostgreSQL database, as the signals of calls are."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import pytest
from sqlalchemy import make_url

from madoguchi.live.relay import Relay
from madoguchi.store.wire import CHANNEL, PostgresWire
from madoguchi.store.work import Unavailable
from tests.support.waiting import wait_for

pytestmark = pytest.mark.postgres

Got = list[tuple[str, str, Mapping[str, Any]]]


class Process:
    """A process: its end of the wire, and the sockets that it has."""

    def __init__(self, database: str, *addresses: str) -> None:
        self.wire = PostgresWire(database)
        self.relay = Relay(self.wire)
        self.addresses = addresses
        self.got: Got = []
        self.relay.door(self._deliver)

    async def _deliver(self, address: str, name: str, body: Mapping[str, Any]) -> bool:
        if address not in self.addresses:
            return False
        if name == "signal":
            self.got.append((address, name, body))
        return True


async def tell(database: str, sql: str) -> Any:
    url = make_url(database).set(drivername="postgresql")
    connection = await asyncpg.connect(url.render_as_string(hide_password=False))
    try:
        return await connection.fetch(sql)
    finally:
        await connection.close()


@asynccontextmanager
async def running(database: str, *processes: Process) -> AsyncIterator[None]:
    tasks = [asyncio.ensure_future(one.wire.run()) for one in processes]

    async def listen() -> bool:
        sql = "SELECT query FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
        said = [row["query"] for row in await tell(database, sql)]
        return sum("LISTEN" in one and CHANNEL in one for one in said) == len(processes)

    await wait_for(listen, "all listen")
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError, Unavailable):
                await task


async def test_what_is_for_another_process_gets_there_whole(pg_database: str) -> None:
    here, there = Process(pg_database, "agent:a"), Process(pg_database, "visitor:v")
    async with running(pg_database, here, there):
        body = {"sdp": secrets.token_hex(30_000), "emoji": "窓口 👋"}
        assert await here.relay.send("visitor:v", "signal", body)
        assert there.got == [("visitor:v", "signal", body)]
        assert here.got == []
        assert await there.relay.there("agent:a")
        assert not await here.relay.there("agent:nobody")


async def test_every_page_of_an_address_gets_it_wherever_it_is(pg_database: str) -> None:
    here, there = Process(pg_database, "agent:a"), Process(pg_database, "agent:a")
    async with running(pg_database, here, there):
        assert await here.relay.send("agent:a", "signal", {"seq": 1})
        assert here.got == [("agent:a", "signal", {"seq": 1})]
        await wait_for(lambda: there.got == here.got, "the other page has it, too")


async def test_a_cut_connection_is_told_and_the_wire_begins_anew(pg_database: str) -> None:
    here, there = Process(pg_database), Process(pg_database, "visitor:v")
    async with running(pg_database, there):
        running_here = asyncio.ensure_future(here.wire.run())

        async def others() -> Any:
            return await tell(
                pg_database,
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid()",
            )

        async def both() -> bool:
            return await here.relay.there("visitor:v")

        await wait_for(both, "they hear each other")
        mine = max(row["pid"] for row in await others())
        await tell(pg_database, f"SELECT pg_terminate_backend({mine})")
        with pytest.raises(Unavailable):
            await running_here
        assert not await here.relay.send("visitor:v", "signal", {}), "nobody can be told"
        again = asyncio.ensure_future(here.wire.run())
        await wait_for(both, "they hear each other again")
        again.cancel()
        with suppress(asyncio.CancelledError):
            await again
