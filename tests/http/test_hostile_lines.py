"""Hostile paths, queries and header lines: 4xx, never a fault of ours, and nothing found."""

from __future__ import annotations

import base64
import re
from itertools import product
from pathlib import Path

import orjson
from structlog.testing import capture_logs
from yarl import URL

from madoguchi.http.table import Operation
from tests.support.hubs import PASSWORD
from tests.support.raw import cookie, exchange, request
from tests.support.worlds import World, named, sample, world

KEY = re.compile("[a-z0-9][a-z0-9_.-]{0,63}")
PLACES = [
    "%00",
    "x%00y",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e",
    "-1",
    "1e999",
    "%ff%fe",
    "%ED%A0%80",
    "'%20OR%20'1'='1",
    "%F0%9F%98%80",
    "x" * 3000,
    "01980000-0000-7000-8000-00000000000g",
    "01980000-0000-7000-8000-000000000000",
    "00000000-0000-0000-0000-000000000000",
]


def cursor(*place: object) -> str:
    """Return a timeline cursor as an attacker makes it."""
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


QUERIES = [
    "%00",
    "-1",
    "0",
    "1e999",
    "99999999999999999999",
    "9223372036854775807",
    "x" * 3000,
    "%ff",
    "true",
    "1;select%20pg_sleep(5)",
    cursor(1, 1, "x"),
    cursor(10**18, 10**18, "x"),
    cursor(-(10**18), 0, "01980000-0000-7000-8000-000000000000"),
    cursor(1e300, None, "01980000-0000-7000-8000-000000000000"),
    cursor(1, 1, "01980000-0000-7000-8000-000000000000"),
    cursor({}, [], 1),
    cursor(),
]


async def ask(one: World, operation: Operation, path: str) -> int:
    """Call an encoded path with the operation's sample body; return the status."""
    assert one.boss.http is not None
    async with one.boss.http.request(
        operation.method,
        URL(f"{one.here.url}{path}", encoded=True),
        json=sample(operation),
        headers={"X-CSRF-Token": one.boss.csrf},
        allow_redirects=False,
    ) as answer:
        return answer.status


async def test_hostile_paths_find_nothing(tmp_path: Path, database: str) -> None:
    wrong = []
    with capture_logs() as logs:
        async with world(tmp_path, database) as one:
            for operation in one.here.hub.api.operations:
                if "{" not in operation.path:
                    continue
                for place in PLACES:
                    path = operation.path.replace("{id}", place).replace("{key}", place)
                    path = path.replace("{leg}", place).replace("{take}", place)
                    path = path.replace("{kind}", "queue" if "{key}" in operation.path else place)
                    status = await ask(one, operation, path)
                    named_well = operation.changes and KEY.fullmatch(place)
                    if not 400 <= status < 500 and not ("{key}" in operation.path and named_well):
                        wrong.append((named(operation), place[:40], status))
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []


async def test_hostile_queries_are_refused_or_harmless(tmp_path: Path, database: str) -> None:
    wrong = []
    with capture_logs() as logs:
        async with world(tmp_path, database) as one:
            for operation in one.here.hub.api.operations:
                if operation.query is None:
                    continue
                for name in [*operation.query.model_fields, "no_such_field"]:
                    for value in QUERIES:
                        path = f"/api/v1{one.path(operation)}?{name}={value}"
                        status = await ask(one, operation, path)
                        if status >= 500 or (name == "no_such_field" and status < 400):
                            wrong.append((named(operation), name, value[:60], status))
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []


LINES = [
    b"Origin: http://[::1",
    b"Origin: null",
    b"Origin: \xff",
    b"X-CSRF-Token: \xff\xfe",
    b"Cookie: madoguchi_session=\xff\xfe",
    b'Cookie: madoguchi_session="\\377"; a=b; ; =; madoguchi_session',
    b"Cookie: madoguchi_session=" + b"x" * 5000,
    b"If-Match: \xd9\xa3",
    b'If-Match: "99999999999999999999999"',
    b"If-Match: W/",
    b'If-Match: "-1"',
    b"Idempotency-Key: \xff",
    b"Idempotency-Key: " + b"k" * 65,
    b"Content-Type: application/json; charset=nonsense",
    b"Content-Type: \xff",
    b"Content-Encoding: gzip",
    b"Content-Encoding: nonsense",
    b"X-Forwarded-For: \xff, 127.0.0.1",
    b"X-Forwarded-Host: evil.example",
    b"X-HTTP-Method-Override: DELETE",
    b"Accept: \xff",
    b"User-Agent: \xff\xfe\xed\xa0\x80",
    b"Range: bytes=99-1",
    b"If-Modified-Since: \xff",
]


async def test_hostile_header_lines(tmp_path: Path) -> None:
    wrong = []
    with capture_logs() as logs:
        async with world(tmp_path) as one:
            port, boss = one.here.port, one.boss
            body = orjson.dumps({"name": "boss", "password": PASSWORD})
            nobody = orjson.dumps({"name": "nobody", "password": ""})
            for line in LINES:
                for data in (
                    request("GET", "/api/v1/session", line, person=boss),
                    request("POST", "/api/v1/session", line, body=nobody),
                    request(
                        "PUT",
                        f"/api/v1/customers/{one.customer}",
                        line,
                        person=boss,
                        body=b'{"name": "x"}',
                    ),
                    request("GET", "/", line),
                    request("POST", "/hooks/sms", line, body=b"a=b"),
                    request("POST", "/api/v1/widget/shop/session", line, body=b"{}"),
                ):
                    answer = await exchange(port, data)
                    if answer.status >= 500 or answer.status == 0:
                        wrong.append((data.split(b"\r\n")[0], line[:40], answer.status))
            signed_in = request(
                "POST", "/api/v1/session", b"User-Agent: \xff\xed\xa0\x80 curl", body=body
            )
            assert (await exchange(port, signed_in)).status == 200
            answer = await exchange(port, request("GET", "/api/v1/session", person=boss))
            assert answer.status == 200
    assert wrong == []
    assert [e for e in logs if e["event"] == "request failed"] == []


MALFORMED = [
    b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
    b"POST /api/v1/session HTTP/1.1\r\nHost: a\r\nContent-Length: +2\r\n\r\n{}",
    b"GET / HTTP/1.1\nHost: a\n\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 9000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 500 + b"\r\n",
    b"GET /" + b"x" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
]


async def test_smuggling_is_refused_by_the_parser(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for data in MALFORMED:
            answer = await exchange(one.here.port, data)
            assert answer.status in {0, 400}, (data[:60], answer.status)
        assert (await exchange(one.here.port, request("GET", "/healthz"))).status == 200


OUTSIDE = [
    "..%2f..%2fpages.py",
    "%2e%2e%2f%2e%2e%2fpages.py",
    "..%5c..%5cpages.py",
    "....//pages.py",
    "..%252f..%252fpages.py",
    "%c0%ae%c0%ae%2fpages.py",
    "..%00/pages.py",
    "x%00.js",
    "/etc/passwd",
    "//etc/passwd",
    "%2fetc%2fpasswd",
    ".htaccess",
    "..",
    ".",
    "%2e",
    "~root",
    "C:%5cWindows",
    "a" * 300,
    "%ff%ff",
    "",
]


async def test_nothing_outside_a_folder_is_served(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        folders = ("/assets/", "/files/", "/hooks/", "/api/v1/files/")
        for folder, place in product(folders, OUTSIDE):
            data = request("GET", folder + place, person=one.boss)
            answer = await exchange(one.here.port, data)
            assert answer.status in {400, 403, 404}, (folder + place, answer.status)
            assert b"root:" not in answer.body
            assert b"STATIC" not in answer.body


async def test_cookies_of_other_names_are_ignored(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        lines = f'Cookie: theme="dark; =; x; {cookie(one.boss)}; other=1'.encode()
        answer = await exchange(one.here.port, request("GET", "/api/v1/session", lines))
        assert answer.status == 200
