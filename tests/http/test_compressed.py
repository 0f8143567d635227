"""Scripts travel compressed to those who take them so."""

from __future__ import annotations

import gzip
from pathlib import Path

from agent_ui.pages import STATIC
from tests.support.hubs import hub_running
from tests.support.raw import exchange, request


async def test_scripts_are_compressed_for_those_who_accept_it(tmp_path: Path) -> None:
    script = next((STATIC / "desk" / "assets").glob("index-*.js"))
    async with hub_running(tmp_path) as here:
        for path, file in (
            (f"/assets/{script.name}", script),
            ("/widget.js", STATIC / "widget" / "widget.js"),
        ):
            plain = await exchange(here.port, request("GET", path))
            short = await exchange(here.port, request("GET", path, b"Accept-Encoding: gzip"))
            assert plain.body == file.read_bytes() == gzip.decompress(short.body)
            assert len(short.body) < len(plain.body) / 2
            assert "content-encoding" not in plain.headers
            assert short.headers["content-encoding"] == "gzip"
            assert "accept-encoding" in short.headers["vary"].lower()
            assert short.headers["content-type"] == plain.headers["content-type"]
