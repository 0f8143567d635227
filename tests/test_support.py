"""The test support itself: a server that does not start would hide behind skipped tests."""

from __future__ import annotations

import socket

import asyncpg
import pytest
from playwright.async_api import Page

from tests.support.ports import free_port
from tests.support.waiting import wait_for, wait_for_blocking


def test_a_free_port_can_be_taken_and_is_not_given_while_taken() -> None:
    with socket.create_server(("127.0.0.1", free_port())) as server:
        taken = server.getsockname()[1]
        assert taken < 32768
        assert all(free_port() != taken for _ in range(50))


async def test_waiting_returns_the_first_true_value() -> None:
    values = iter(["", "", "there"])
    assert await wait_for(lambda: next(values)) == "there"


async def test_waiting_too_long_names_what_was_missing() -> None:
    async def no() -> bool:
        return False

    with pytest.raises(AssertionError, match=r"not within 0\.03 s: rain"):
        await wait_for(no, "rain", within=0.03)
    with pytest.raises(AssertionError, match="snow"):
        wait_for_blocking(lambda: False, "snow", within=0.03)


@pytest.mark.postgres
async def test_each_test_gets_an_empty_postgresql_database(pg_database: str) -> None:
    connection = await asyncpg.connect(pg_database)
    try:
        assert await connection.fetchval("SHOW server_version_num") >= "150000"
        assert await connection.fetchval("SHOW synchronous_commit") == "on"
        await connection.execute("CREATE TABLE t (x text); INSERT INTO t VALUES ('窓口')")
        assert await connection.fetchval("SELECT x FROM t") == "窓口"
    finally:
        await connection.close()


@pytest.mark.browser
@pytest.mark.parametrize("_turn", [1, 2])
async def test_the_browser_starts_with_a_fresh_profile(page: Page, _turn: int) -> None:
    await page.set_content("<h1>窓口</h1>")
    assert await page.inner_text("h1") == "窓口"
    assert await page.evaluate("navigator.language") == "ja-JP"
    assert await page.context.cookies() == []
