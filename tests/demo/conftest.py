"""The stage that the tests of this room share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.demo.stage import Serve, Stage, standing


@pytest_asyncio.fixture
async def stage(aiohttp_server: Serve) -> AsyncIterator[Stage]:
    """The fake, a connector and a webhook on one loopback server."""
    async with standing(aiohttp_server) as found:
        yield found
