"""A real PostgreSQL server in a folder of its own, and databases on it."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import free_port
from tests.support.waiting import wait_for_blocking

_HOST = "127.0.0.1"
_SUPERUSER = "app"


def _binaries() -> Path:
    found = [p.parent for p in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found:
        raise RuntimeError("PostgreSQL is not installed: run .ci/system")
    return max(found, key=lambda folder: int(folder.parent.name))


def _account() -> str | None:
    """Return the system account to run as: PostgreSQL refuses root."""
    return "postgres" if os.geteuid() == 0 else None


class PostgresServer:
    """A running server; ``dsn(name)`` is the address of one of its databases."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._bin = _binaries()
        self._process: subprocess.Popen[bytes] | None = None

    def dsn(self, database: str = "postgres") -> str:
        """Return the address of a database as asyncpg and libpq read it."""
        return f"postgresql://{_SUPERUSER}@{_HOST}:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster, start the server and return when it answers."""
        account = _account()
        if account is not None:
            os.chown(self.folder, pwd.getpwnam(account).pw_uid, pwd.getpwnam(account).pw_gid)
        data = self.folder / "data"
        options = ["--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8"]
        self._tool("initdb", "-D", str(data), "-U", _SUPERUSER, *options)
        settings = {
            "port": str(self.port),
            "listen_addresses": _HOST,
            "unix_socket_directories": str(self.folder),
            "max_connections": "200",
            "fsync": "off",
        }
        flags = [part for key, value in settings.items() for part in ("-c", f"{key}={value}")]
        with (self.folder / "log").open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603
                [self._bin / "postgres", "-D", data, *flags],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                user=account,
                group=account,
                extra_groups=[] if account else None,
            )
        wait_for_blocking(self._answers, "PostgreSQL answers", within=30.0)

    def stop(self) -> None:
        """Stop the server at once, without waiting for its clients."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(15)

    @contextmanager
    def database(self) -> Iterator[str]:
        """Make an empty database, give its address, and drop it with its connections."""
        name = f"t_{uuid.uuid4().hex}"
        self._client("createdb", "--template=template0", name)
        try:
            yield self.dsn(name)
        finally:
            self._client("dropdb", "--force", name)

    def _answers(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError((self.folder / "log").read_text(errors="replace"))
        ready = [str(self._bin / "pg_isready"), "-q", "-h", _HOST, "-p", str(self.port)]
        return subprocess.run(ready, check=False).returncode == 0  # noqa: S603

    def _client(self, name: str, *arguments: str) -> None:
        self._tool(name, "-h", _HOST, "-p", str(self.port), "-U", _SUPERUSER, *arguments)

    def _tool(self, name: str, *arguments: str) -> None:
        account = _account()
        done = subprocess.run(  # noqa: S603
            [str(self._bin / name), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            user=account,
            group=account,
            extra_groups=[] if account else None,
        )
        if done.returncode != 0:
            raise RuntimeError(f"{name} failed:\n{done.stdout}")


@contextmanager
def running_postgres() -> Iterator[PostgresServer]:
    """Give a running server and remove it with its data afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="mdg-pg-"))
    server = PostgresServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
