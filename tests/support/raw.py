"""HTTP as an attacker writes it: bytes on a socket."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.support.hubs import Person


@dataclass(frozen=True)
class Answer:
    """What came back: the status, the header lines by lower-case name, the body."""

    status: int
    headers: dict[str, str]
    body: bytes


async def exchange(port: int, data: bytes, within: float = 10.0) -> Answer:
    """Send bytes, read until the server closes or the answer is whole. Status 0: no answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        async with asyncio.timeout(within):
            return await read_answer(reader)
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """Read one answer with a Content-Length."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionResetError):
        return Answer(0, {}, b"")
    lines = head.decode("latin-1").split("\r\n")
    pairs = [line.partition(":") for line in lines[1:] if line]
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Answer(int(lines[0].split(" ")[1]), headers, body)


def request(
    method: str, path: str, *lines: bytes, person: Person | None = None, body: bytes = b""
) -> bytes:
    """Return the bytes of a request, signed in as a person when one is given."""
    head = [f"{method} {path} HTTP/1.1".encode(), b"Host: 127.0.0.1", b"Connection: close"]
    if person is not None:
        head += [f"Cookie: {cookie(person)}".encode(), f"X-CSRF-Token: {person.csrf}".encode()]
    head += [b"Content-Length: %d" % len(body), *lines]
    return b"\r\n".join(head) + b"\r\n\r\n" + body


def cookie(person: Person) -> str:
    """Return a person's Cookie header."""
    assert person.http is not None
    return "; ".join(f"{m.key}={m.value}" for m in person.http.cookie_jar)
