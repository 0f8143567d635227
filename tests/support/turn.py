"""A real TURN server, coturn, on loopback."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import wait_for_blocking

SECRET = "shared-with-the-hub"
_HOST = "127.0.0.1"
_FLAGS = (
    "--no-tls",
    "--no-dtls",
    "--no-cli",
    "--no-multicast-peers",
    "--allow-loopback-peers",
    "--use-auth-secret",
    f"--static-auth-secret={SECRET}",
    "--realm=madoguchi",
    "--min-port=33000",
    "--max-port=33999",
    "--verbose",
    "--simple-log",
)


@dataclass(frozen=True)
class Turn:
    """A running server."""

    port: int
    log: Path

    @property
    def address(self) -> str:
        """What the hub's setting says."""
        return f"turn:{_HOST}:{self.port}?transport=udp"

    def said(self, words: str) -> int:
        """Return how often its log says something."""
        return self.log.read_text(errors="replace").count(words)


@contextmanager
def running_turn() -> Iterator[Turn]:
    """Give a TURN server and stop it afterwards."""
    if shutil.which("turnserver") is None:
        raise RuntimeError("coturn is not installed: run .ci/system")
    with tempfile.TemporaryDirectory(prefix="madoguchi-turn-") as name:
        folder = Path(name)
        port, log = free_port(), folder / "log"
        where = (f"--listening-port={port}", f"--listening-ip={_HOST}", f"--relay-ip={_HOST}")
        files = (f"--log-file={log}", f"--userdb={folder / 'db'}", f"--pidfile={folder / 'pid'}")
        process = subprocess.Popen(  # noqa: S603
            ["turnserver", "-n", *_FLAGS, *where, *files],  # noqa: S607
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            turn = Turn(port, log)
            wait_for_blocking(lambda: log.exists() and turn.said("listener opened"), "it listens")
            yield turn
        finally:
            process.kill()
            process.wait()
