"""A client that never reads is dropped; the others notice nothing."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

from tests.hub.test_chat import accepted
from tests.support.hubs import Person, hub_running
from tests.support.waiting import wait_for

NOTE = "x" * 60_000


async def never_reading(person: Person, conversation: str) -> asyncio.StreamWriter:
    """Open a desk by hand that has a conversation open and reads nothing."""
    assert person.http is not None
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await asyncio.get_running_loop().sock_connect(raw, ("127.0.0.1", person.running.port))
    reader, writer = await asyncio.open_connection(sock=raw, limit=4096)
    cookie = "; ".join(f"{m.key}={m.value}" for m in person.http.cookie_jar)
    writer.write(
        (
            "GET /live/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{person.running.port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nCookie: {cookie}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    for text in (
        f'40/agent,{{"token":"{person.csrf}"}}',
        '42/agent,0["hello",{"pos":null}]',
        f'42/agent,1["open",{{"conversation":"{conversation}"}}]',
    ):
        data = text.encode()
        writer.write(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)
    await writer.drain()
    writer.transport.pause_reading()  # type: ignore[attr-defined]
    return writer


async def test_a_client_that_never_reads_is_dropped(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.available()
        await here.sms("+819055500187", "hello")
        conversation = await accepted(ann, desk)
        stuck = await never_reading(ben, conversation)
        await wait_for(lambda: here.hub.desk.connected(ben.id), "the silent desk is there")
        body = {"mode": "note", "text": NOTE}

        async def dropped() -> bool:
            await ann.call("POST", f"/conversations/{conversation}/messages", body)
            return not here.hub.desk.connected(ben.id)

        await wait_for(dropped, "it is dropped", within=20, every=0.05)
        notes = len(desk.all("message"))
        await ann.call("POST", f"/conversations/{conversation}/messages", body)
        await desk.until(lambda s: len(s.all("message")) > notes, "the other goes on")
        assert desk.holes == 0
        stuck.close()
