"""``madoguchi serve`` as a process of its own, to be killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import aiohttp

from tests.support.hubs import COMPANY, NUMBER, SID, TOKEN
from tests.support.ports import free_port
from tests.support.waiting import wait_for

ACCOUNT = f"""
[account.sms]
name = "SMS"
connector = "twilio_sms"
queue = "orders"
[account.sms.settings]
account_sid = "{SID}"
auth_token = "{TOKEN}"
number = "{NUMBER}"
"""


class Server:
    """A hub in a process; ``start`` returns when it answers."""

    def __init__(self, folder: Path, database: str = "", *, verb: str = "serve") -> None:
        self.folder = folder
        self.verb = verb
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("MADOGUCHI_")},
            "MADOGUCHI_DATA": str(folder),
            "MADOGUCHI_PORT": str(self.port),
            "MADOGUCHI_DATABASE": database,
        }

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    def command(self, *arguments: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """Run a ``madoguchi`` command against the same data."""
        return subprocess.run(  # noqa: S603
            [sys.executable, "-m", "madoguchi", *arguments],
            env=self.environment,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    async def start(self) -> None:
        """Start and wait until it answers."""
        self._launch()
        await wait_for(self._answers, "the server answers", within=30, every=0.05)

    async def furnish(self) -> None:
        """Give it the test's company by the command line."""
        done = self.command("apply", "-", "--reason", "test", text=COMPANY + ACCOUNT)
        assert done.returncode == 0, done.stderr

    def _launch(self) -> None:
        log = (self.folder / "server.log").open("ab")
        self.process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "madoguchi", self.verb],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
        log.close()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """Ask it to stop; return its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(15)

    def __del__(self) -> None:
        """Leave no process behind when a test fails."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    async def _answers(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError((self.folder / "server.log").read_text(errors="replace")[-3000:])
        try:
            async with aiohttp.ClientSession() as session, session.get(f"{self.url}/healthz") as a:
                return a.status == 200
        except aiohttp.ClientError:
            return False
