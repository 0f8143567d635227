"""What the benchmarks share: servers as processes on a core of their own, a lean HTTP client."""

from __future__ import annotations

import asyncio
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psutil
from twilio.request_validator import RequestValidator

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from tests.support.hubs import SID, TOKEN  # noqa: E402
from tests.support.ports import free_port  # noqa: E402
from tests.support.postgres import running_postgres  # noqa: E402
from tests.support.servers import Server  # noqa: E402

SERVER_CORE, LOAD_CORE = 0, 1


def pin(core: int) -> None:
    """Keep this process on one core, where the machine has two."""
    if (os.cpu_count() or 1) > 1:
        os.sched_setaffinity(0, {core})


def report(name: str, figures: dict[str, Any]) -> None:
    """Print the figures as one JSON object."""
    machine = {"python": platform.python_version(), "cores": os.cpu_count()}
    print(json.dumps({"benchmark": name, "machine": machine, **figures}, indent=2))


def percentile(values: Sequence[float], share: float) -> float:
    """Return a percentile of some values."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def webhook(url: str, path: str, number: int, senders: int = 1000) -> bytes:
    """Return a signed SMS webhook as the bytes of one HTTP request."""
    fields = {
        "MessageSid": f"SM{number:032x}",
        "AccountSid": SID,
        "From": f"+8190{number % senders:08d}",
        "Body": f"message {number}",
    }
    body = urlencode(fields).encode()
    signature = RequestValidator(TOKEN).compute_signature(f"{url}{path}", fields)
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\n"
        f"Content-Type: application/x-www-form-urlencoded\r\nX-Twilio-Signature: {signature}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection(asyncio.Protocol):
    """A keep-alive connection that has one request on its way at a time."""

    def __init__(self) -> None:
        self.answer: asyncio.Future[bytes] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Take an answer; ours are small and come whole."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_result(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail what waits."""
        if self.answer is not None and not self.answer.done():
            self.answer.set_exception(exc or ConnectionResetError())

    async def ask(self, request: bytes) -> bytes:
        """Send a request; return the beginning of its answer."""
        self.answer = asyncio.get_running_loop().create_future()
        self.transport.write(request)  # type: ignore[attr-defined]
        return await self.answer


async def closed_loop(port: int, requests: Sequence[bytes], connections: int) -> dict[str, float]:
    """Send all requests over some connections, each as soon as its last was answered."""
    loop = asyncio.get_running_loop()
    todo = iter(requests)
    seconds: list[float] = []
    refused = 0

    async def one() -> None:
        nonlocal refused
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        for request in todo:
            began = time.perf_counter()
            answer = await connection.ask(request)
            seconds.append(time.perf_counter() - began)
            refused += not answer.startswith(b"HTTP/1.1 2")
        connection.transport.close()

    began = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(connections)))
    took = time.perf_counter() - began
    return {
        "per_s": len(seconds) / took,
        "p50_ms": percentile(seconds, 0.5) * 1000,
        "p99_ms": percentile(seconds, 0.99) * 1000,
        "refused": refused,
    }


@contextmanager
def bare(*arguments: str) -> Iterator[tuple[int, psutil.Process]]:
    """Run the bare stack on the server's core; give its port and process."""
    port = free_port()
    script = ROOT / "benchmarks" / "bare.py"
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, str(script), str(port), *arguments]
    )
    try:
        _until_listening(port)
        yield port, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def hub(database: str = "") -> Iterator[Server]:
    """Run a hub with the test's company on the server's core."""
    with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
        server = Server(Path(folder), database)
        asyncio.run(server.start())
        asyncio.run(server.furnish())
        assert server.process is not None
        if (os.cpu_count() or 1) > 1:
            os.sched_setaffinity(server.process.pid, {SERVER_CORE})
            for thread in psutil.Process(server.process.pid).threads():
                os.sched_setaffinity(thread.id, {SERVER_CORE})
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def databases(which: Sequence[str]) -> Iterator[dict[str, str]]:
    """Give name → MADOGUCHI_DATABASE for sqlite and postgresql."""
    if "postgresql" not in which:
        yield {"sqlite": ""}
        return
    with running_postgres() as postgres, postgres.database() as dsn:
        yield {name: dsn if name == "postgresql" else "" for name in which}


def _until_listening(port: int) -> None:
    import socket

    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")
