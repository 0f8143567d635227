"""A database connection that falls silent without a word is given up, and the work goes on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url, text

from madoguchi.store.postgres import PostgresStore
from madoguchi.store.work import Unavailable, Work
from tests.support.proxy import Proxy
from tests.support.stores import opened
from tests.support.waiting import wait_for

pytestmark = pytest.mark.postgres


@asynccontextmanager
async def behind_a_proxy(folder: Path, dsn: str) -> AsyncIterator[tuple[PostgresStore, Proxy]]:
    """Give an impatient store that reaches its database through a proxy."""
    url = make_url(dsn)
    assert url.port is not None
    proxy = Proxy(url.port)
    await proxy.open()
    through = url.set(port=proxy.port).render_as_string(hide_password=False)
    async with opened(folder, through) as store:
        assert isinstance(store, PostgresStore)
        store.longest_s, store.listens_s = 0.5, 0.2
        yield store, proxy
    await proxy.close()


def one() -> Work[Any]:
    return (yield text("SELECT 1"))


@pytest.mark.parametrize("way", ["write", "read", "look"])
async def test_a_silent_connection_is_given_up_and_a_new_one_works(
    tmp_path: Path, pg_database: str, way: str
) -> None:
    async with behind_a_proxy(tmp_path, pg_database) as (store, proxy):
        ask = getattr(store, way)
        await ask(one)
        proxy.fall_silent()
        async with asyncio.timeout(20):
            with pytest.raises(Unavailable):
                await ask(one)
        assert await ask(one)


async def test_a_silent_store_can_be_closed(tmp_path: Path, pg_database: str) -> None:
    async with asyncio.timeout(30), behind_a_proxy(tmp_path, pg_database) as (store, proxy):
        await store.read(one)
        proxy.hang()


async def test_the_connection_that_listens_is_asked_whether_it_lives(
    tmp_path: Path, pg_database: str
) -> None:
    async with behind_a_proxy(tmp_path, pg_database) as (store, proxy):
        hears = asyncio.create_task(store.notify())
        await wait_for(lambda: proxy.ends, "it listens")
        async with asyncio.timeout(20):
            done, _ = await asyncio.wait([hears], timeout=1)
            assert not done, "a living connection stays"
            proxy.fall_silent()
            with pytest.raises(Unavailable, match="silent"):
                await hears


async def test_nobody_gets_the_connection_of_a_unit_that_was_cancelled(
    tmp_path: Path, pg_database: str
) -> None:
    """Cancelled in its BEGIN, the driver takes the next unit for a part of that transaction."""
    async with behind_a_proxy(tmp_path, pg_database) as (store, proxy):
        store.longest_s = 60
        await store.write(one)
        proxy.fall_silent()
        unit = asyncio.create_task(store.write(one))
        await wait_for(lambda: not store._idle, "it has begun")
        unit.cancel()
        await asyncio.gather(unit, return_exceptions=True)
        async with asyncio.timeout(10):
            assert await store.write(one)
