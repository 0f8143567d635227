"""Memory: the idle demo, and each agent's desk that is connected.

.venv/bin/python benchmarks/memory.py [--agents 500 2000]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

import psutil
from support import Server, free_port, hub, report

KIB = 1024
MIB = 1024 * 1024
LIMIT = 65_536
PEOPLE = 40
"""Whose desks they are: what one agent may send at once is limited."""


def rss(pid: int) -> int:
    """Return resident bytes."""
    return int(psutil.Process(pid).memory_info().rss)


def idle_demo() -> float:
    """Return the demo's resident MiB ten seconds after its start."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        environment = {
            **os.environ,
            "MADOGUCHI_DATA": folder,
            "MADOGUCHI_PORT": str(free_port()),
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "madoguchi", "demo"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            time.sleep(11)
            return rss(process.pid) / MIB
        finally:
            process.terminate()
            process.wait(15)


async def sockets(server: Server, counts: list[int], sessions: list[tuple[str, str]]) -> list[int]:
    """Open desks up to each count; return the server's resident bytes at each."""
    assert server.process is not None
    found = []
    open_: list[asyncio.StreamWriter] = []
    for count in counts:
        while len(open_) < count:
            open_.append(await desk(server.port, *sessions[len(open_) % len(sessions)]))
        await asyncio.sleep(3)
        found.append(rss(server.process.pid))
    for writer in open_:
        writer.close()
    return found


async def desk(port: int, cookie: str, csrf: str) -> asyncio.StreamWriter:
    """Open one websocket by hand, join /agent and say hello; nothing of ours is heavy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        (
            "GET /live/?EIO=4&transport=websocket HTTP/1.1\r\n"
            f"Host: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Cookie: {cookie}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    for text in (f'40/agent,{{"token":"{csrf}"}}', '42/agent,0["hello",{"pos":null}]'):
        data = text.encode()
        writer.write(bytes([0x81, 0x80 | len(data), 0, 0, 0, 0]) + data)
    asyncio.get_running_loop().create_task(_pong(reader, writer))
    await asyncio.sleep(0.005)
    return writer


async def _pong(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(LIMIT):
        if b"\x012" in data:
            writer.write(bytes([0x81, 0x81, 0, 0, 0, 0]) + b"3")


async def signed_in(server: Server, name: str) -> tuple[str, str]:
    """Make an agent and return the cookie and the token of its session."""
    import aiohttp

    password = "correct horse battery"  # noqa: S105
    connector = aiohttp.UnixConnector(str(server.folder / "control.sock"))
    async with aiohttp.ClientSession(connector=connector) as control:
        path = f"http://control/api/v1/config/agent/{name}"
        async with control.put(path, json={"body": {"name": name}}) as answer:
            agent = await answer.json()
        path = f"http://control/api/v1/agents/{agent['id']}/password"
        async with control.put(path, json={"password": password}):
            pass
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        body = {"name": name, "password": password}
        async with session.post(f"{server.url}/api/v1/session", json=body) as answer:
            csrf = (await answer.json())["csrf"]
        cookie = "; ".join(f"{m.key}={m.value}" for m in session.cookie_jar)
    return cookie, csrf


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agents", nargs="+", type=int, default=[500, 2000])
    options = parser.parse_args()
    figures: dict[str, Any] = {"idle_demo_mib": idle_demo()}
    with hub() as server:

        async def run() -> list[int]:
            sessions = [await signed_in(server, f"desk-{n}") for n in range(PEOPLE)]
            return await sockets(server, options.agents, sessions)

        found = asyncio.run(run())
    slope = (found[-1] - found[0]) / (options.agents[-1] - options.agents[0])
    figures["agents"] = dict(zip(options.agents, (f / MIB for f in found), strict=True))
    figures["kib_per_agent"] = slope / KIB
    report("memory", figures)


if __name__ == "__main__":
    main()
