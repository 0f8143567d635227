"""Hostile JSON for every operation of the route table: 4xx, never a fault of ours."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import aiohttp
import orjson
from structlog.testing import capture_logs

from madoguchi.http.table import Nothing, Operation
from tests.support.hubs import Running, Widget, hub_running
from tests.support.worlds import SAMPLES, World, named, sample, world

RAW = {
    "array": b"[]",
    "number": b"1",
    "null": b"null",
    "text": b'"x"',
    "cut": b'{"a": ',
    "not utf-8": b'{"a": "\xff\xfe"}',
    "deep array": b"[" * 100_000,
    "deep object": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
    "deep but allowed": b'{"a":' * 1000 + b'"\\u0000"' + b"}" * 1000,
    "nul": b'{"a": "x\\u0000y"}',
    "nul in a name": b'{"a\\u0000": 1}',
    "raw nul": b'{"a": "\x00"}',
    "lone surrogate": b'{"a": "\\ud800"}',
    "too large": b'{"a": 1e999}',
    "not a number": b'{"a": NaN}',
    "huge number": b'{"a": ' + b"9" * 5000 + b"}",
    "unknown field": b'{"no_such_field": 1}',
    "mass assignment": b'{"id": "x", "owner": "me", "roles": ["administrator"], "domain": 2}',
}
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**31,
    2**63,
    10**30,
    1e308,
    "",
    "x" * 70_000,
    "\u202e\u200b\ufeff",
    "'; SELECT pg_sleep(5);--",
    "{{7*7}}",
    [],
    [[]],
    [10**30],
    {},
    {"$gt": ""},
    {"a": {"b": [1e308, None]}},
]


def encoded(value: Any) -> bytes:
    """Return JSON; numbers that orjson does not write are written by hand."""
    if isinstance(value, int) and abs(value) > 2**64:
        return str(value).encode()
    if value == [10**30]:
        return b"[1" + b"0" * 30 + b"]"
    return orjson.dumps(value)


def variants(operation: Operation, body: dict[str, Any] | None) -> list[bytes]:
    """Return a sample with each field replaced by each hostile value."""
    if body is None:
        return []
    found = []
    for name in operation.body.model_fields:
        for value in VALUES:
            fields = {k: orjson.dumps(v) for k, v in body.items()} | {name: encoded(value)}
            pairs = b",".join(orjson.dumps(k) + b":" + v for k, v in fields.items())
            found.append(b"{" + pairs + b"}")
    return found


async def send(one: World, operation: Operation, raw: bytes) -> tuple[int, str, bytes]:
    """Send bytes as the boss; return status, content type and the answer."""
    assert one.boss.http is not None
    async with one.boss.http.request(
        operation.method,
        f"{one.here.url}/api/v1{one.path(operation)}",
        data=raw,
        headers={"X-CSRF-Token": one.boss.csrf, "Content-Type": "application/json"},
    ) as answer:
        return answer.status, answer.headers.get("Content-Type", ""), await answer.read()


def fault(status: int, kind: str, answer: bytes) -> str:
    """Return what is wrong with an answer, nothing when it is fine."""
    if status >= 500:
        return "a fault of ours"
    if status >= 400:
        if kind != "application/problem+json":
            return f"no problem but {kind}"
        problem = orjson.loads(answer)
        if problem["status"] != status or not problem["code"] or not problem["detail"]:
            return "an incomplete problem"
    return ""


def bodies(one: World) -> list[Operation]:
    """Return the operations that take a body."""
    return [o for o in one.here.hub.api.operations if o.body is not Nothing]


async def test_every_operation_stands_hostile_bodies(tmp_path: Path, database: str) -> None:
    wrong = []
    with capture_logs() as logs:
        async with world(tmp_path, database) as one:
            assert {o.body.__name__ for o in bodies(one)} == set(SAMPLES)
            for operation in bodies(one):
                for name, raw in () if database else RAW.items():
                    status, kind, answer = await send(one, operation, raw)
                    why = fault(status, kind, answer)
                    if status < 400 and not (name == "unknown field" and status == 429):
                        why = "accepted"
                    if why:
                        wrong.append((named(operation), name, status, why))
                for raw in variants(operation, sample(operation)):
                    status, kind, answer = await send(one, operation, raw)
                    if why := fault(status, kind, answer):
                        wrong.append((named(operation), raw[:90].decode(), status, why))
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []


VISITORS = {
    "/session": {"language": "ja"},
    "/offline": {"text": "call me", "name": "Sato", "mail": "a@example.jp", "language": "ja"},
}


async def test_the_widgets_operations_stand_hostile_bodies(tmp_path: Path) -> None:
    """Anybody may call these; a fault is readable for the page that called, too."""
    wrong = []
    with capture_logs() as logs:
        async with hub_running(tmp_path) as here:
            widget = await Widget(here).start()
            operations = {o.path.rpartition("}")[2]: o for o in here.hub.widget.operations()}
            assert {p for p, o in operations.items() if o.body is not Nothing} == set(VISITORS)
            for path, body in VISITORS.items():
                hostile = [*RAW.values(), *variants(operations[path], body)]
                for raw in hostile:
                    status, kind, answer = await visit(here, widget, path, raw)
                    if why := fault(status, kind, answer):
                        wrong.append((path, raw[:90], status, why))
            drained = await here.person("adam")
            assert await drained.call("GET", "/deadletters") == {"deadletters": []}
            await widget.close()
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []


async def visit(here: Running, widget: Widget, path: str, raw: bytes) -> tuple[int, str, bytes]:
    """Send bytes as a page of our own origin; every answer must be readable there."""
    headers = {
        "Authorization": f"Bearer {widget.token}",
        "Content-Type": "application/json",
        "Origin": here.url,
    }
    url = f"{here.url}/api/v1/widget/shop{path}"
    async with (
        aiohttp.ClientSession() as session,
        session.post(url, data=raw, headers=headers) as answer,
    ):
        assert answer.headers["Access-Control-Allow-Origin"] == here.url
        return answer.status, answer.headers.get("Content-Type", ""), await answer.read()


TOML = (
    "a = " + "[" * 5000,
    "[queue." + "a." * 3000 + "b]",
    '[skill.x]\nname = "\\u0000"',
    "[skill.x]\nname = 1979-05-27T07:32:00Z",
    "[queue.x]\nname = 'x'\npriority = 9" + "9" * 400,
    "[queue.x]\nname = 'x'\noffer_timeout_s = nan",
    "[queue.x]\nname = 'x'\noffer_timeout_s = inf",
    "[skill]\nx = 1",
    "skill = 1",
    "[nonsense.x]\nname = 'x'",
    "based_on = 99999999999999999999",
    "based_on = -1\n[skill.x]\nname = 'x'\n[skill.x]\nname = 'y'",
    "based_on = true",
    "[account.x]\nname = 'x'\nconnector = 'no.such'\nqueue = 'orders'",
    "[account.sms]\nsettings = { account_sid = { a = 1 } }",
    "[account.sms]\nsettings = { auth_token = 'enc:v1:!!!' }",
    "[account.sms]\nsettings = { auth_token = 'enc:v1:AAAA' }",
    "[account.sms]\nsettings = { auth_token = 'file:/bin/true' }",
    "[account.sms]\nsettings = { auth_token = 'file:/' }",
    "[account.sms]\nsettings = { auth_token = 'env:NO_SUCH_VARIABLE' }",
    "[account.sms]\nsettings = { auth_token = 'env:MADOGUCHI_SECRET_NOT_THERE' }",
    "[account.new]\nname = 'x'\nconnector = 'twilio_sms'\nqueue = 'orders'\n"
    "settings = { account_sid = 'AC11111111111111111111111111111111', auth_token = '<kept>', "
    "number = '+815012345678' }",
    "[skill.'A B']\nname = 'x'",
    "[skill.'" + "x" * 500 + "']\nname = 'x'",
    "[team.x]\nname = 'x'\nserves = [{ queue = 'missing' }]",
)


async def test_hostile_toml_is_refused_with_the_place(tmp_path: Path, database: str) -> None:
    wrong = []
    with capture_logs() as logs:
        async with world(tmp_path, database) as one:
            before = one.here.hub.configuration.catalog
            for toml in TOML:
                body = {"toml": toml, "reason": "attack"}
                status, answer = await one.boss.raw("POST", "/config/apply", body)
                if status != 422 or not answer["faults"][0]["place"]:
                    wrong.append((toml[:60], status, answer))
            assert one.here.hub.configuration.catalog.number == before.number
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []
