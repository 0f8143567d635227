"""Who may read /metrics: this machine, or who has the token."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from aiohttp import web

from madoguchi.http.runner import Runner
from madoguchi.http.server import client_address, from_this_machine
from madoguchi.settings import BadSettings, load
from tests.support.hubs import hub_running
from tests.support.ports import free_port
from tests.support.raw import Answer, exchange, request

TOKEN = "a-token-of-thirty-two-characters"


async def ask(port: int, *lines: bytes) -> Answer:
    """Ask for the figures."""
    return await exchange(port, request("GET", "/metrics", *lines))


async def test_this_machine_may_without_a_token(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        assert (await ask(here.port)).status == 200
        for line in (
            b"X-Forwarded-For: 203.0.113.9",
            b"X-Forwarded-For: 127.0.0.1",
            b"X-Forwarded-For: ",
            b"Forwarded: for=127.0.0.1",
            b"X-Real-IP: 127.0.0.1",
            b"Via: 1.1 proxy",
        ):
            answer = await ask(here.port, line)
            assert answer.status == 401, line
            assert answer.headers["content-type"] == "application/problem+json"
            assert orjson.loads(answer.body)["code"] == "metrics_token"
            assert b"madoguchi_" not in answer.body


async def test_behind_a_proxy_the_proxys_word_counts(tmp_path: Path) -> None:
    async with hub_running(tmp_path, trusted_proxies=1) as here:
        for lines, status in (
            ((), 200),
            ((b"X-Forwarded-For: 127.0.0.1",), 200),
            ((b"X-Forwarded-For: ::1",), 200),
            ((b"X-Forwarded-For: 203.0.113.9",), 401),
            ((b"X-Forwarded-For: 127.0.0.1, 203.0.113.9",), 401),
            ((b"X-Forwarded-For: , 203.0.113.9",), 401),
            ((b"X-Forwarded-For: 127.0.0.1", b"X-Forwarded-For: 203.0.113.9"), 401),
            ((b"X-Forwarded-For: nonsense",), 401),
            ((b"X-Forwarded-Host: evil.example",), 401),
        ):
            assert (await ask(here.port, *lines)).status == status, lines
    async with hub_running(tmp_path / "two", trusted_proxies=2) as here:
        assert (await ask(here.port, b"X-Forwarded-For: 127.0.0.1")).status == 401, "one is missing"
        line = b"X-Forwarded-For: 127.0.0.1, 10.0.0.1"
        assert (await ask(here.port, line)).status == 200


async def test_the_token_opens_it_from_anywhere(tmp_path: Path) -> None:
    async with hub_running(tmp_path, metrics_token=TOKEN) as here:
        far = b"X-Forwarded-For: 203.0.113.9"
        good = f"Authorization: Bearer {TOKEN}".encode()
        assert (await ask(here.port, far, good)).status == 200
        for wrong in (
            b"Authorization: Bearer ",
            b"Authorization: Bearer",
            good + b"x",
            good[:-1],
            b"Authorization: Basic " + TOKEN.encode(),
            b"Authorization: Bearer \xff",
        ):
            assert (await ask(here.port, far, wrong)).status == 401, wrong
        assert (await ask(here.port)).status == 200, "this machine still may"


async def test_no_token_is_not_an_empty_token(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        far = b"X-Forwarded-For: 203.0.113.9"
        for line in (b"Authorization: Bearer ", b"Authorization: Bearer"):
            assert (await ask(here.port, far, line)).status == 401


@pytest.mark.parametrize("token", ["short", "x" * 201, "with a space in the middle", "é" * 20])
def test_a_bad_token_is_refused_at_the_start(token: str) -> None:
    with pytest.raises(BadSettings, match="METRICS_TOKEN"):
        load({"MADOGUCHI_METRICS_TOKEN": token})
    assert load({"MADOGUCHI_METRICS_TOKEN": TOKEN}).metrics_token == TOKEN


@pytest.mark.parametrize(
    ("proxies", "lines", "client"),
    [
        (0, [b"X-Forwarded-For: 9.9.9.9"], "127.0.0.1"),
        (1, [b"X-Forwarded-For: 9.9.9.9"], "9.9.9.9"),
        (1, [b"X-Forwarded-For: 1.1.1.1, 9.9.9.9"], "9.9.9.9"),
        (1, [b"X-Forwarded-For: 1.1.1.1", b"X-Forwarded-For: 9.9.9.9"], "9.9.9.9"),
        (1, [b"X-Forwarded-For: , 9.9.9.9"], "9.9.9.9"),
        (2, [b"X-Forwarded-For: 9.9.9.9, 10.0.0.1"], "9.9.9.9"),
        (2, [b"X-Forwarded-For: 9.9.9.9"], "127.0.0.1"),
        (1, [], "127.0.0.1"),
    ],
)
async def test_whose_address_counts(proxies: int, lines: list[bytes], client: str) -> None:
    async def told(asked: web.Request) -> web.Response:
        near = from_this_machine(asked, proxies)
        assert not from_this_machine(asked.clone(remote="203.0.113.5"), proxies)
        return web.json_response([client_address(proxies)(asked), near])

    app = web.Application()
    app.router.add_get("/", told)
    runner, port = Runner(app, 0.2), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    answer = await exchange(port, request("GET", "/", *lines))
    await runner.cleanup()
    assert orjson.loads(answer.body) == [client, not lines]


async def test_a_far_peer_is_far_whatever_it_says() -> None:
    """Somebody who reaches our port without the proxy can write any header."""
    found = []

    async def told(asked: web.Request) -> web.Response:
        for remote in ("203.0.113.5", "127.0.0.1", "::1"):
            found.append(from_this_machine(asked.clone(remote=remote), 1))
        return web.Response()

    app = web.Application()
    app.router.add_get("/", told)
    runner, port = Runner(app, 0.2), free_port()
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    answer = await exchange(port, request("GET", "/", b"X-Forwarded-For: 127.0.0.1"))
    await runner.cleanup()
    assert answer.status == 200
    assert found == [False, True, True]
