"""Answers that Twilio may give and the fake does not: each still has one meaning."""

from __future__ import annotations

import orjson
import pytest
from aiohttp import web

from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from tests.demo.stage import Serve, Stage

PROBLEM = {"type": "urn:x", "title": "Bad", "status": 400, "code": 21211, "detail": "no number"}
BUSY = PROBLEM | {"status": 429, "code": 20429}


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (201, "", UnknownOutcome),
        (201, "{}", UnknownOutcome),
        (201, "[]", UnknownOutcome),
        (201, '{"sid": 7}', UnknownOutcome),
        (302, "{}", UnknownOutcome),
        (503, "<html>", UnknownOutcome),
        (400, "<html>", Rejected),
        (400, orjson.dumps(PROBLEM).decode(), Rejected),
        (403, '{"code": 20403, "message": "Forbidden"}', AuthFailed),
        (429, orjson.dumps(BUSY).decode(), RetryLater),
    ],
)
async def test_odd_answers(
    stage: Stage, aiohttp_server: Serve, status: int, body: str, error: type[Exception]
) -> None:
    asked: list[str] = []

    async def handle(request: web.Request) -> web.Response:
        asked.append(request.method)
        headers = {"Retry-After": "Sun, 22 Nov 2026 05:00:00 GMT"}
        return web.Response(status=status, text=body, headers=headers)

    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", handle)
    server = await aiohttp_server(app)
    ours = stage.connector(api_base=str(server.make_url("")).rstrip("/"))
    outbound = stage.outbound("x")
    with pytest.raises(error) as raised:
        await ours.send(outbound)
    assert asked == ["POST"]
    if isinstance(raised.value, RetryLater):
        assert raised.value.after_s is None, "a date is not read; our own back-off holds"
    assert await ours.settle(outbound) is None


@pytest.mark.parametrize(("header", "seconds"), [("5", 5.0), ("999999999999", 3600.0)])
async def test_retry_after_is_bounded(
    stage: Stage, aiohttp_server: Serve, header: str, seconds: float
) -> None:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(status=429, text="{}", headers={"Retry-After": header})

    app = web.Application()
    app.router.add_post("/{rest:.*}", handle)
    server = await aiohttp_server(app)
    ours = stage.connector(api_base=str(server.make_url("")).rstrip("/"))
    with pytest.raises(RetryLater) as later:
        await ours.send(stage.outbound("x"))
    assert later.value.after_s == seconds
