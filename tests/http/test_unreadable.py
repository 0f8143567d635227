"""What aiohttp refuses by itself looks like every other answer of ours."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from structlog.testing import capture_logs

from tests.http.test_hostile_lines import MALFORMED
from tests.support.hubs import hub_running
from tests.support.raw import Answer, exchange, request

CHUNKED = (
    b"POST /hooks/sms HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    b"Connection: close\r\n\r\n"
)
BAD = {
    **{f"malformed {n}": data for n, data in enumerate(MALFORMED)},
    "no such version": b"GET / HTTP/9.9\r\nHost: a\r\n\r\n",
    "a broken method": b"G\xe9T / HTTP/1.1\r\nHost: a\r\n\r\n",
    "a space in a name": b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    "a NUL in a header": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
    "a bare CR": b"GET / HTTP/1.1\r\nHost: a\r\nX: a\rY: b\r\n\r\n",
    "markup": b"<script>alert(1)</script>\r\n\r\n",
    "a bad chunk size": CHUNKED + b"zz\r\nabc\r\n0\r\n\r\n",
    "a negative chunk": CHUNKED + b"-1\r\n\r\n",
    "a chunk without an end": CHUNKED + b"3\r\nabcdef\r\n0\r\n\r\n",
    "a huge chunk size": CHUNKED + b"f" * 40 + b"\r\n",
}
UPGRADE = (b"Upgrade: websocket", b"Connection: Upgrade")
SOCKETS = {
    "no key": UPGRADE,
    "a bad key": (*UPGRADE, b"Sec-WebSocket-Key: x", b"Sec-WebSocket-Version: 13"),
    "a bad version": (*UPGRADE, b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
                      b"Sec-WebSocket-Version: 1"),
    "no upgrade at all": (),
}  # fmt: skip


def check(answer: Answer) -> None:
    """Fail unless an answer is a problem with the headers of every answer."""
    assert 400 <= answer.status < 500
    assert answer.headers["content-type"] == "application/problem+json"
    problem = orjson.loads(answer.body)
    assert problem["status"] == answer.status
    assert problem["code"]
    assert problem["detail"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "default-src 'self'" in answer.headers["content-security-policy"]
    assert answer.headers["server"] == "Madoguchi"
    assert b"script" not in answer.body
    assert b"aiohttp" not in answer.body.lower()


@pytest.mark.parametrize("name", BAD)
async def test_unreadable_requests_are_problems(tmp_path: Path, name: str) -> None:
    with capture_logs() as logs:
        async with hub_running(tmp_path) as here:
            data = BAD[name]
            if b"Connection" not in data:
                data = data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)
            check(await exchange(here.port, data))
            assert (await exchange(here.port, request("GET", "/healthz"))).status == 200
    assert [
        e for e in logs if e["log_level"] in {"warning", "error"} and "request" in e["event"]
    ] == []


@pytest.mark.parametrize("name", SOCKETS)
@pytest.mark.parametrize("path", ["/live/", "/widget/live/"])
async def test_bad_websocket_upgrades_are_problems(tmp_path: Path, name: str, path: str) -> None:
    async with hub_running(tmp_path) as here:
        head = [f"GET {path}?EIO=4&transport=websocket HTTP/1.1".encode(), b"Host: 127.0.0.1"]
        data = b"\r\n".join([*head, *SOCKETS[name]]) + b"\r\n\r\n"
        check(await exchange(here.port, data))
