"""Calls that other pages make in our name, and the headers of every kind of answer."""

from __future__ import annotations

from pathlib import Path

from tests.support.hubs import PASSWORD
from tests.support.raw import Answer, cookie, exchange, request
from tests.support.worlds import World, named, sample, world

ORIGINS = ["https://evil.example", "null", "http://[::1", "http://127.0.0.1:1", "//", "file://"]


async def ask(one: World, method: str, path: str, *lines: bytes, body: bytes = b"{}") -> Answer:
    """Call with the boss's cookie and these header lines only."""
    head = (f"Cookie: {cookie(one.boss)}".encode(), *lines)
    return await exchange(one.here.port, request(method, path, *head, body=body))


async def test_every_change_needs_the_token_and_our_own_origin(tmp_path: Path) -> None:
    wrong = []
    async with world(tmp_path) as one:
        token = f"X-CSRF-Token: {one.boss.csrf}".encode()
        for operation in one.here.hub.api.operations:
            if not operation.changes or operation.public:
                continue
            path = f"/api/v1{one.path(operation)}"
            for lines in (
                (),
                (b"X-CSRF-Token: wrong",),
                (b"X-CSRF-Token: ",),
                *((token, f"Origin: {origin}".encode()) for origin in ORIGINS),
            ):
                answer = await ask(one, operation.method, path, *lines)
                if answer.status != 403:
                    wrong.append((named(operation), lines, answer.status))
        assert wrong == []
        ours = f"Origin: http://127.0.0.1:{one.here.port}".encode()
        host = f"Host: 127.0.0.1:{one.here.port}".encode()
        data = request("PUT", f"/api/v1/customers/{one.customer}", ours, person=one.boss,
                       body=b'{"name": "x"}').replace(b"Host: 127.0.0.1", host)  # fmt: skip
        assert (await exchange(one.here.port, data)).status == 200


async def test_signing_in_cannot_be_forged_either(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        body = f'{{"name": "boss", "password": "{PASSWORD}"}}'.encode()
        for origin in ORIGINS:
            data = request("POST", "/api/v1/session", f"Origin: {origin}".encode(), body=body)
            assert (await exchange(one.here.port, data)).status == 403, origin
        assert (await ask(one, "POST", "/api/v1/session", body=body)).status == 200, "a 2nd tab"


async def test_reading_never_changes(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for operation in one.here.hub.api.operations:
            assert operation.method in {"GET", "POST", "PUT", "DELETE"}
            if not operation.changes:
                assert sample(operation) is None


ANSWERS = [
    ("GET", "/", 200),
    ("GET", "/inbox/anything", 200),
    ("GET", "/no/such/page", 404),
    ("GET", "/assets/none.js", 404),
    ("GET", "/files/none", 404),
    ("GET", "/widget.js", 200),
    ("GET", "/healthz", 200),
    ("GET", "/readyz", 200),
    ("GET", "/metrics", 200),
    ("GET", "/api/v1/openapi.json", 200),
    ("GET", "/api/v1/session", 401),
    ("POST", "/api/v1/session", 422),
    ("PATCH", "/api/v1/session", 405),
    ("POST", "/hooks/sms", 403),
    ("POST", "/hooks/none", 404),
    ("PUT", "/hooks/sms", 405),
    ("GET", "/api/v1/widget/shop", 200),
    ("GET", "/api/v1/widget/none", 404),
    ("POST", "/api/v1/widget/shop/files", 401),
]


async def test_security_headers_are_on_every_answer(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for method, path, status in ANSWERS:
            answer = await exchange(one.here.port, request(method, path, body=b"{}"))
            assert answer.status == status
            policy = dict(
                part.strip().partition(" ")[::2]
                for part in answer.headers["content-security-policy"].split(";")
            )
            assert policy["script-src"] == "'self'"
            assert policy["default-src"] == "'self'"
            assert (
                policy["object-src"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
            )
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "same-origin"
            assert "python" not in answer.headers.get("server", "").lower()
            if path.startswith("/api/"):
                assert answer.headers["cache-control"] == "no-store"
            if status >= 400:
                assert answer.headers["content-type"] == "application/problem+json"
                assert b"Traceback" not in answer.body
