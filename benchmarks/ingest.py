"""A burst of signed webhooks: acknowledgements a second against the bare stack, and the draining.

.venv/bin/python benchmarks/ingest.py [--count 20000] [--engines sqlite postgresql]
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import time
from typing import Any

import asyncpg
import uvloop
from support import LOAD_CORE, Server, bare, closed_loop, databases, hub, pin, report, webhook

CONNECTIONS = 64


def burst(port: int, count: int) -> dict[str, float]:
    """Send the burst."""
    url = f"http://127.0.0.1:{port}"
    requests = [webhook(url, "/hooks/sms", n) for n in range(count)]
    return uvloop.run(closed_loop(port, requests, CONNECTIONS))


async def waiting(server: Server, database: str) -> int:
    """Return how many events wait in the inbox."""
    query = "SELECT count(*) FROM inbox WHERE state = 0"
    if not database:
        connection = sqlite3.connect(server.folder / "madoguchi.db")
        try:
            return int(connection.execute(query).fetchone()[0])
        finally:
            connection.close()
    reader = await asyncpg.connect(database)
    try:
        return int(await reader.fetchval(query))
    finally:
        await reader.close()


def drained(server: Server, database: str) -> tuple[int, float]:
    """Wait until the inbox is empty; return how many waited at first and the seconds."""
    first = asyncio.run(waiting(server, database))
    began = time.perf_counter()
    while asyncio.run(waiting(server, database)):
        time.sleep(0.1)
    return first, time.perf_counter() - began


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--engines", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    pin(LOAD_CORE)
    figures: dict[str, Any] = {"count": options.count, "connections": CONNECTIONS}
    with bare("ack") as (port, _):
        figures["bare"] = burst(port, options.count)
    with databases(options.engines) as engines:
        for name, database in engines.items():
            with hub(database) as server:
                began = time.perf_counter()
                found = burst(server.port, options.count)
                left, seconds = drained(server, database)
                whole = time.perf_counter() - began
            figures[name] = {
                **found,
                "share_of_bare": found["per_s"] / figures["bare"]["per_s"],
                "waiting_after_burst": left,
                "drain_per_s": left / seconds if left else None,
                "whole_per_s": options.count / whole,
            }
    report("ingest", figures)


if __name__ == "__main__":
    main()
