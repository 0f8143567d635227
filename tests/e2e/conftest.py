"""The demo company in a process of its own or a hub in the test's, and people before browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.houses import House
from tests.e2e.people import Demo
from tests.support.hubs import Running, hub_running
from tests.support.proxy import Proxy
from tests.support.servers import Server


@pytest_asyncio.fixture(loop_scope="session")
async def demo(tmp_path: Path, browser: Browser) -> AsyncIterator[Demo]:
    """A running demo and the browser to visit it with."""
    server = Server(tmp_path, verb="demo")
    await server.start()
    found = Demo(server, browser)
    try:
        yield found
    finally:
        await found.close()
        server.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    """One hub for all tests of a module, in this process."""
    async with hub_running(tmp_path_factory.mktemp("hub")) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def house(here: Running, browser: Browser) -> AsyncIterator[House]:
    """The module's hub with fresh browser profiles."""
    found = House(here, browser)
    yield found
    await found.close()


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def proxy(here: Running) -> AsyncIterator[Proxy]:
    """A proxy before the module's hub, which pings more often than in use."""
    for server in (here.hub.desk.server, here.hub.widget.server):
        server.eio.ping_interval, server.eio.ping_timeout = 2, 1
    found = Proxy(here.port)
    await found.open()
    yield found
    await found.close()


@pytest_asyncio.fixture(loop_scope="session")
async def beyond(here: Running, browser: Browser, proxy: Proxy) -> AsyncIterator[House]:
    """The hub as browsers beyond the proxy see it."""
    found = House(here, browser, proxy.url)
    yield found
    await found.close()
