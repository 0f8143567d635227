"""The provider's real softphone in an agent's page: loaded from our own pages, it looks for its
signalling where it is told to.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import expect

from madoguchi.clock import Clock
from tests.e2e.callers import FLAGS, bar
from tests.e2e.houses import House
from tests.hub.test_dialling import asked
from tests.support.browser import running_browser
from tests.support.ports import free_port
from tests.support.waiting import wait_for

pytestmark = pytest.mark.browser

HELLO = 0x16
"""The first byte of a TLS handshake."""


@asynccontextmanager
async def signalling() -> AsyncIterator[tuple[int, list[int]]]:
    """Listen where a softphone comes; yield the port, and the first bytes of who came."""
    came: list[int] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.extend((await reader.read(1))[:1])
        writer.close()

    port = free_port()
    server = await asyncio.start_server(greet, "127.0.0.1", port)
    try:
        yield port, came
    finally:
        server.close()


async def test_an_agent_calls_and_the_softphone_looks_for_its_signalling(tmp_path: Path) -> None:
    async with signalling() as (port, came), asked(tmp_path, clock=Clock()) as here:
        at = f'[account.phone.settings]\nsignalling = "127.0.0.1:{port}"'
        await here.center.here.configure(at)
        await here.ann.close()
        async with running_browser(*FLAGS) as browser:
            house = House(here.center.here, browser)
            ann = await house.agent("ann")
            fetched: list[str] = []
            ann.page.on("request", lambda request: fetched.append(request.url))
            await ann.page.goto(f"{house.url}/inbox/open/{here.conversation}")
            assert not [url for url in fetched if "/assets/twilio-" in url]
            call = ann.words["call"]["dial"].replace("{number}", "090-5550-0187")
            await ann.page.get_by_role("button", name=call).click()
            await expect(bar(ann)).to_be_visible()
            await wait_for(lambda: came, "the softphone looks for its signalling")
            assert came[0] == HELLO
            assert [url for url in fetched if "/assets/twilio-" in url]
            assert house.foreign == []
            await house.close()
