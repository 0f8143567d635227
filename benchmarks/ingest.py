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


def burst(port: int, count: int, first: int = 0) -> dict[str, float]:
    """Send the burst."""
    url = f"http://127.0.0.1:{port}"
    requests = [webhook(url, "/hooks/sms", n) for n in range(first, first + count)]
    return uvloop.run(closed_loop(port, requests, CONNECTIONS))


async def asked(server: Server, database: str, query: str) -> int:
    """Run a statement beside the hub; return the number that it gives, 0 if it gives none."""
    if not database:
        connection = sqlite3.connect(server.folder / "madoguchi.db", isolation_level=None)
        try:
            row = connection.execute(query).fetchone()
            return int(row[0]) if row else 0
        finally:
            connection.close()
    reader = await asyncpg.connect(database)
    try:
        return int(await reader.fetchval(query) or 0)
    finally:
        await reader.close()


async def waiting(server: Server, database: str) -> int:
    """Return how many events wait in the inbox."""
    return await asked(server, database, "SELECT count(*) FROM inbox WHERE state = 0")


def hold_lanes(server: Server, database: str, *, on: bool) -> None:
    """Let somebody who does nothing hold all lanes, so that the hub's worker stands still."""
    moment = "253370764800000000" if not database else "'9999-01-01Z'"
    if not on:
        moment = "0" if not database else "'1970-01-01Z'"
    query = f"UPDATE lease SET holder = 'nobody.1', expires_at = {moment} WHERE name LIKE 'lane:%'"  # noqa: S608
    asyncio.run(asked(server, database, query))


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
                hold_lanes(server, database, on=True)
                stopped = burst(server.port, options.count, options.count)
                held = asyncio.run(waiting(server, database))
                hold_lanes(server, database, on=False)
                _, again = drained(server, database)
            figures[name] = {
                **found,
                "share_of_bare": found["per_s"] / figures["bare"]["per_s"],
                "waiting_after_burst": left,
                "drain_per_s": left / seconds if left else None,
                "whole_per_s": options.count / whole,
                "workers_stopped": {
                    **stopped,
                    "share_of_bare": stopped["per_s"] / figures["bare"]["per_s"],
                    "waiting_after_burst": held,
                    "drain_per_s": held / again,
                },
            }
    report("ingest", figures)


if __name__ == "__main__":
    main()
