"""Serving a hub: the lock, the keys, the port, the control socket, signals."""

import asyncio
import errno
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import uvloop
from aiohttp import web

from agent_ui import pages
from madoguchi import log_setup
from madoguchi.app import Hub, application, control, running
from madoguchi.http.runner import Runner
from madoguchi.memory import settle
from madoguchi.security.secrets import BadSecret, new_key, parse_keys
from madoguchi.settings import Settings
from madoguchi.store.opening import FolderLock, InUse
from madoguchi.store.work import Unavailable

Routes = list[web.AbstractRouteDef]
Prepare = Callable[[Hub], Awaitable[Routes]]

SHUTDOWN_S = 5.0
CONTROL = "control.sock"


class CannotStart(Exception):
    """One clear line why the server does not start."""


def control_address(folder: Path) -> str:
    """Return where the command line reaches the server of a data folder: the shorter of the two
    ways there, as the system takes about a hundred bytes (sun_path in unix(7)).
    """
    path = str(folder / CONTROL)
    return min(path, os.path.relpath(path), key=len)


def with_keys(settings: Settings) -> Settings:
    """Return settings with secret keys: the given ones, else those kept in the data folder.

    A new folder gets a new key (file mode 0600). Raises CannotStart.
    """
    keys = settings.secret_keys or _kept_key(settings.data / "secret_keys")
    try:
        parse_keys(keys)
    except BadSecret as wrong:
        raise CannotStart(str(wrong)) from wrong
    return settings.model_copy(update={"secret_keys": keys})


def _kept_key(path: Path) -> str:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(new_key())
        return path.read_text(encoding="ascii").strip()
    except OSError as fault:
        raise CannotStart(f"cannot write into {path.parent}: {fault.strerror}") from fault


def serve(
    settings: Settings, prepare: Prepare | None = None, ready: Callable[[Hub], None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT. ``prepare`` may add routes, ``ready`` is told when we listen.

    Raises CannotStart with one clear line.
    """
    log_setup.configure(settings.log_level, settings.log_format)
    # The loop shares the interpreter with the writer and the readers: 5 ms turns would add up.
    sys.setswitchinterval(0.0005)
    try:
        pages.check()
        lock = _locked(settings.data)
        uvloop.run(_serve(with_keys(settings), prepare, ready))
        lock.close()
    except (InUse, pages.PagesMissing) as why:
        raise CannotStart(str(why)) from why
    except Unavailable as why:
        raise CannotStart(str(why)) from why
    except PermissionError as why:
        raise CannotStart(f"{why.filename}: {why.strerror}") from why


def _locked(folder: Path) -> FolderLock:
    try:
        return FolderLock(folder)
    except OSError as why:
        raise CannotStart(f"cannot use {folder} as data folder: {why.strerror}") from why


async def _serve(
    settings: Settings, prepare: Prepare | None, ready: Callable[[Hub], None] | None
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    async with AsyncExitStack() as stack:
        hub = await stack.enter_async_context(running(settings))
        extra = await prepare(hub) if prepare else []
        await _listen(stack, application(hub, extra), settings)
        await _control(stack, hub)
        if ready is not None:
            ready(hub)
        settle()
        await stop.wait()


async def _listen(stack: AsyncExitStack, app: web.Application, settings: Settings) -> None:
    runner = Runner(app, SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    site = web.TCPSite(runner, settings.host, settings.port)
    try:
        await site.start()
    except OSError as fault:
        raise CannotStart(
            f"cannot listen on {settings.host}:{settings.port}: {_why_deaf(fault)}"
        ) from fault


def _why_deaf(fault: OSError) -> str:
    """Return what is wrong with the address or the port, and what to do about it."""
    host = "set MADOGUCHI_HOST to 127.0.0.1 (this machine only), 0.0.0.0 (all networks) or "
    if isinstance(fault, socket.gaierror):
        return f"no address is known for this host; {host}an address of this machine"
    if fault.errno == errno.EADDRNOTAVAIL:
        return f"this machine does not have this address; {host}one of its own"
    if fault.errno == errno.EADDRINUSE:
        return "another program listens there; set MADOGUCHI_PORT to a free port"
    if fault.errno in (errno.EACCES, errno.EPERM):
        return "the system forbids this port; set MADOGUCHI_PORT to one from 1024 on"
    why = os.strerror(fault.errno) if fault.errno else str(fault)
    return f"{why}; look at MADOGUCHI_HOST and MADOGUCHI_PORT"


async def _control(stack: AsyncExitStack, hub: Hub) -> None:
    """Open control.sock for the command line; only this system user can reach it."""
    path = hub.settings.data / CONTROL
    path.unlink(missing_ok=True)
    runner = Runner(control(hub), SHUTDOWN_S)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    mask = os.umask(0o177)
    try:
        await web.UnixSite(runner, control_address(hub.settings.data)).start()
    except OSError as why:
        raise CannotStart(
            f"cannot open {path}: {why.strerror or why}; MADOGUCHI_DATA may name a shorter path"
        ) from why
    finally:
        os.umask(mask)
    stack.callback(path.unlink, missing_ok=True)
