"""Free TCP ports for servers that tests start."""

from __future__ import annotations

import random
import socket

# Above 32767 the kernel takes ports for outgoing connections, which would collide.
_RANGE = range(20000, 32768)


def free_port() -> int:
    """Return a TCP port of 127.0.0.1, below 32768, that nobody listened on a moment ago."""
    for port in random.SystemRandom().sample(_RANGE, 200):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise RuntimeError("no free port between 20000 and 32767")
