"""Who goes astray gets an answer of their kind: people a page, programs a problem."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.support.hubs import hub_running
from tests.support.raw import exchange, request

BROWSER = b"Accept: text/html,application/xhtml+xml,*/*;q=0.8"


async def test_people_get_the_desks_page(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        answer = await exchange(here.port, request("GET", "/inbx", BROWSER))
        assert answer.status == 404
        assert answer.headers["content-type"].startswith("text/html")
        assert answer.headers["cache-control"] == "no-cache"
        assert "content-security-policy" in answer.headers
        assert b"<!doctype html>" in answer.body.lower()


@pytest.mark.parametrize(
    ("method", "path", "accept"),
    [
        ("GET", "/inbx", b"Accept: */*"),
        ("GET", "/api/v1/nothing", BROWSER),
        ("GET", "/hooks/nothing", BROWSER),
        ("GET", "/assets/index-0.js", BROWSER),
        ("GET", "/files/nothing", BROWSER),
        ("POST", "/inbx", BROWSER),
    ],
)
async def test_programs_get_a_problem(
    tmp_path: Path, method: str, path: str, accept: bytes
) -> None:
    async with hub_running(tmp_path) as here:
        answer = await exchange(here.port, request(method, path, accept))
        assert answer.status == 404
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert orjson.loads(answer.body)["code"] == "not_found"
