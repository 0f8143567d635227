"""A page of another site at the desk's stream: refused, and told in one line of our own form."""

from __future__ import annotations

import logging

import orjson
import pytest
import structlog
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from madoguchi import log_setup
from madoguchi.live.server import make


async def test_a_foreign_origin_is_one_structured_line(capsys: pytest.CaptureFixture[str]) -> None:
    root, aiohttp = logging.getLogger(), logging.getLogger("aiohttp.server")
    kept, levels = root.handlers[:], (root.level, aiohttp.level)
    try:
        log_setup.configure("info", "json")
        app = web.Application()
        make(None).attach(app, "live")
        async with TestClient(TestServer(app)) as client:
            query = {"EIO": "4", "transport": "polling"}
            for _ in range(2):
                headers = {"Origin": "https://elsewhere.example"}
                answer = await client.get("/live/", params=query, headers=headers)
                assert answer.status == 400
    finally:
        structlog.reset_defaults()
        root.handlers[:] = kept
        root.setLevel(levels[0])
        aiohttp.setLevel(levels[1])
    (line,) = capsys.readouterr().err.splitlines()
    told = orjson.loads(line)
    assert "https://elsewhere.example is not an accepted origin" in told["event"]
    assert told["timestamp"]
    assert (told["level"], told["logger"]) == ("error", "engineio.server")
