"""The demo company in a process of its own, and people before browsers."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio
from playwright.async_api import Browser

from tests.e2e.people import Demo
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
