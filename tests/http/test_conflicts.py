"""Who loses a race is told what happened; the database's words are for the log."""

from __future__ import annotations

from pathlib import Path

import orjson
from aiohttp import web
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from madoguchi.http.problems import problem_of
from madoguchi.http.runner import Runner
from madoguchi.http.server import Figures, middleware
from madoguchi.store.work import Clash, Conflict, Unavailable
from tests.support.ports import free_port
from tests.support.raw import exchange, request
from tests.support.stores import mark, opened


async def test_the_databases_words_stay_in_the_log(tmp_path: Path, database: str) -> None:
    async with opened(tmp_path, database) as store:
        await store.write(lambda: mark("taken"))

        async def handler(_: web.Request) -> web.Response:
            await store.write(lambda: mark("taken"))
            raise AssertionError("unreachable")

        app = web.Application(middlewares=[middleware(Figures(CollectorRegistry()))])
        app.router.add_post("/", handler)
        runner, port = Runner(app, 0.2), free_port()
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        with capture_logs() as logs:
            answer = await exchange(port, request("POST", "/"))
        await runner.cleanup()
    problem = orjson.loads(answer.body)
    assert (answer.status, problem["code"]) == (409, "conflict")
    assert "nothing of this call was stored" in problem["detail"]
    for word in (b"cursor", b"UNIQUE", b"unique", b"constraint", b"Key", b"taken"):
        assert word not in answer.body
    told = next(e for e in logs if e["event"] == "lost every race")
    assert "cursor" in told["why"]
    assert told["request"] in problem["instance"]


def test_our_own_words_are_told() -> None:
    problem = problem_of(Conflict("the customer is at version 3"))
    assert problem is not None
    assert problem.detail == "the customer is at version 3"
    problem = problem_of(Clash("UNIQUE constraint failed: message.id"))
    assert problem is not None
    assert "UNIQUE" not in problem.detail


def test_an_outage_is_told_without_hosts_and_names() -> None:
    problem = problem_of(Unavailable("the database is out of reach: db.internal:5432 refused"))
    assert problem is not None
    assert (problem.status, problem.detail) == (503, "the database is out of reach")
