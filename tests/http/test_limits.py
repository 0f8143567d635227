"""Too large, too slow, too many methods."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from madoguchi.http import table
from tests.support.hubs import NUMBER, SID, Widget, hub_running
from tests.support.raw import exchange, request
from tests.support.worlds import world


async def test_a_body_over_the_limit_is_413(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        big = b'{"name": "' + b"x" * one.here.hub.settings.body_limit + b'"}'
        path = f"/api/v1/customers/{one.customer}"
        for data in (
            request("PUT", path, person=one.boss, body=big),
            request("POST", "/hooks/sms", body=big),
            request("POST", "/api/v1/widget/shop/session", body=big),
        ):
            answer = await exchange(one.here.port, data)
            assert answer.status == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert orjson.loads(answer.body)["code"]
        chunked = request("PUT", path, b"Transfer-Encoding: chunked", person=one.boss)
        chunked = chunked.replace(b"Content-Length: 0\r\n", b"")
        pieces = b"".join(b"10000\r\n" + b"x" * 65536 + b"\r\n" for _ in range(20))
        answer = await exchange(one.here.port, chunked + pieces + b"0\r\n\r\n")
        assert answer.status == 413


async def test_a_bomb_does_not_grow(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        bomb = zlib.compress(b'{"a":"' + b"x" * 50_000_000 + b'"}', 9)
        assert len(bomb) < 100_000
        data = request("POST", "/hooks/sms", b"Content-Encoding: deflate", body=bomb)
        answer = await exchange(one.here.port, data)
        assert answer.status in {400, 413}


@pytest.fixture
def short_deadline() -> Iterator[None]:
    """Let the server wait half a second for bodies."""
    kept, table.READ_DEADLINE_S = table.READ_DEADLINE_S, 0.3
    yield
    table.READ_DEADLINE_S = kept


@pytest.mark.usefixtures("short_deadline")
async def test_a_slow_body_is_408_and_others_are_served(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        start = asyncio.get_running_loop().time()
        multipart = b"Content-Type: multipart/form-data; boundary=b"
        slow = [
            request("PUT", f"/api/v1/customers/{one.customer}", person=one.boss, body=b"x" * 90),
            request("POST", "/hooks/sms", body=b"x" * 90),
            request("POST", "/api/v1/widget/shop/session", body=b"x" * 90),
            request("POST", "/api/v1/files", multipart, person=one.boss, body=b"x" * 90),
        ]
        half = [data[:-60] for data in slow] * 10
        answers = asyncio.gather(*(exchange(one.here.port, data, within=5) for data in half))
        healthy = await exchange(one.here.port, request("GET", "/api/v1/session", person=one.boss))
        assert healthy.status == 200
        assert asyncio.get_running_loop().time() - start < 2
        assert {a.status for a in await answers} == {408}


@pytest.mark.usefixtures("short_deadline")
async def test_a_slow_upload_of_a_visitor_is_408(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        widget = await Widget(here).start()
        lines = (
            f"Authorization: Bearer {widget.token}".encode(),
            b"Content-Type: multipart/form-data; boundary=b",
        )
        data = request("POST", "/api/v1/widget/shop/files", *lines, body=b"x" * 90)
        answer = await exchange(here.port, data[:-60], within=5)
        assert answer.status == 408
        await widget.close()


async def test_other_methods_are_405_and_say_which_are_allowed(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for method in ("TRACE", "PATCH", "PROPFIND", "OPTIONS"):
            data = request(method, "/api/v1/session", person=one.boss)
            answer = await exchange(one.here.port, data)
            assert answer.status in {400, 405}, method
            if answer.status == 405:
                assert set(answer.headers["allow"].split(",")) >= {"GET", "POST", "DELETE"}
        known: dict[str, set[str]] = {}
        for operation in one.here.hub.api.operations:
            known.setdefault(one.path(operation), set()).add(operation.method)
        for path, methods in known.items():
            for method in {"GET", "POST", "PUT", "DELETE"} - methods:
                data = request(method, f"/api/v1{path}", person=one.boss)
                answer = await exchange(one.here.port, data)
                assert answer.status in {405, 404}, (method, path, answer.status)
                if answer.status == 405:
                    assert answer.headers["content-type"] == "application/problem+json"


async def test_an_override_header_overrides_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        line = b"X-HTTP-Method-Override: DELETE"
        data = request("GET", "/api/v1/session", line, person=one.boss)
        assert (await exchange(one.here.port, data)).status == 200
        assert (await one.boss.raw("GET", "/session"))[0] == 200


async def test_half_open_connections_do_not_stop_others(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        waiting = [await asyncio.open_connection("127.0.0.1", one.here.port) for _ in range(200)]
        for _, writer in waiting:
            writer.write(b"POST /hooks/sms HTTP/1.1\r\nHost: a\r\nX-Half")
        answer = await exchange(one.here.port, request("GET", "/healthz"), within=2)
        assert answer.status == 200
        for _, writer in waiting:
            writer.close()


BAD_UPLOADS = [
    (b"multipart/form-data", b"--b\r\n\r\nx\r\n--b--"),
    (b"multipart/form-data; boundary=" + b"b" * 100, b"--b\r\n\r\nx\r\n--b--"),
    (b"multipart/form-data; boundary=b", b""),
    (b"multipart/form-data; boundary=b", b"nonsense"),
    (b"multipart/form-data; boundary=b", b"--b\r\n\r\nno name\r\n--b--\r\n"),
    (b"multipart/form-data; boundary=b", b'--b\r\nContent-Disposition: form-data; name="file"; '
     b'filename="x"\r\n\r\ncut off'),
    (b"multipart/form-data; boundary=b", b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n"
     b"\r\n--c\r\n\r\nx\r\n--c--\r\n--b--\r\n"),
    (b"multipart/form-data; boundary=b", b"--b\r\nX: " + b"x" * 20_000 + b"\r\n\r\nx\r\n--b--"),
    (b"multipart/mixed; boundary=b", b"--b\r\n" + b"X: y\r\n" * 5000 + b"\r\nx\r\n--b--"),
    (b"application/json", b"{}"),
]  # fmt: skip


async def test_broken_uploads_are_4xx_and_leave_nothing(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for kind, body in BAD_UPLOADS:
            data = request(
                "POST", "/api/v1/files", b"Content-Type: " + kind, person=one.boss, body=body
            )
            answer = await exchange(one.here.port, data, within=3)
            assert 400 <= answer.status < 500, (kind, body[:60], answer)
        left = [p for p in (tmp_path / "files").rglob("*") if p.is_file()]
        assert left == []


async def test_a_signed_sms_with_many_fields_is_kept(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        fields = {
            "MessageSid": "SM" + "b" * 32,
            "AccountSid": SID,
            "From": "+819055500187",
            "To": NUMBER,
            "Body": "many fields",
            **{f"Field{n}": "x" * 100 for n in range(5000)},
        }
        assert await one.here.hook("/hooks/sms", fields) == 204
        assert await one.here.hook("/hooks/sms", fields, token="wrong") == 403
