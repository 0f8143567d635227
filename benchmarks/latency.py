"""From a webhook to the agent's client: 200 agents connected, an open loop of messages.

    .venv/bin/python benchmarks/latency.py [--rates 50 200] [--seconds 20]

Every agent owns one conversation; a message goes to the owner's socket. The bare path is one
INSERT and one emit, with as many sockets, in the same run.
"""

from __future__ import annotations

import argparse
import asyncio
import time
from typing import Any

import aiohttp
import psutil
import socketio
import uvloop
from support import (
    LOAD_CORE,
    Connection,
    Server,
    bare,
    databases,
    hub,
    percentile,
    pin,
    report,
    webhook,
)

AGENTS = 200
PASSWORD = "correct horse battery"  # noqa: S105


class Arrivals:
    """When each message reached its agent's client."""

    def __init__(self) -> None:
        self.sent: dict[str, float] = {}
        self.seconds: list[float] = []

    def arrived(self, sid: str) -> None:
        """Note an arrival."""
        began = self.sent.pop(sid, None)
        if began is not None:
            self.seconds.append(time.perf_counter() - began)


async def open_loop(port: int, rate: int, seconds: float, arrivals: Arrivals, first: int) -> None:
    """Send ``rate`` webhooks a second, whether or not the last was answered."""
    loop = asyncio.get_running_loop()
    url = f"http://127.0.0.1:{port}"
    free: list[Connection] = []
    began = loop.time()
    tasks = set()

    async def one(number: int) -> None:
        request = webhook(url, "/hooks/sms", number, AGENTS)
        if free:
            connection = free.pop()
        else:
            _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        arrivals.sent[f"SM{number:032x}"] = time.perf_counter()
        await connection.ask(request)
        free.append(connection)

    for n in range(int(rate * seconds)):
        pause = began + n / rate - loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(one(first + n))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    await asyncio.sleep(1.5)


async def bare_agents(port: int, arrivals: Arrivals) -> list[Any]:
    """Connect as many sockets to the bare stack."""
    clients = []
    for _ in range(AGENTS):
        client = socketio.AsyncClient(reconnection=False)
        client.on("event", lambda body: arrivals.arrived(body["id"]))
        await client.connect(f"http://127.0.0.1:{port}", transports=["websocket"])
        clients.append(client)
    return clients


async def hub_agents(server: Server, arrivals: Arrivals) -> list[Any]:
    """Sign in 200 agents; each accepts one customer's conversation and opens it."""
    clients = []
    for n in range(AGENTS):
        clients.append(await _agent(server, n, arrivals))
    return clients


async def _agent(server: Server, n: int, arrivals: Arrivals) -> Any:
    session = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
    body = {"name": f"agent-{n}", "password": PASSWORD}
    csrf = await signed_in(session, f"{server.url}/api/v1/session", body)
    headers = {"X-CSRF-Token": csrf}
    cookie = "; ".join(f"{m.key}={m.value}" for m in session.cookie_jar)
    client = socketio.AsyncClient(reconnection=False)
    offers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    async def heard(*events: dict[str, Any]) -> None:
        for event in events:
            view = event["view"]
            if event["entity"] == "offer" and view and view["state"] == "pending":
                await offers.put(view)
            if event["entity"] == "message" and view:
                number = int(view["parts"][0]["text"].split()[1])
                arrivals.arrived(f"SM{number:032x}")

    client.on("event", heard, namespace="/agent")
    await client.connect(
        server.url,
        headers={"Cookie": cookie},
        auth={"token": csrf},
        namespaces=["/agent"],
        socketio_path="/live",
        transports=["websocket"],
    )
    await client.call("hello", {"pos": None}, namespace="/agent")
    api = f"{server.url}/api/v1"
    presence = {"presence": "available"}
    async with session.put(f"{api}/agents/me/presence", json=presence, headers=headers):
        pass
    first = 10_000_000 + n
    request = webhook(server.url, "/hooks/sms", first - first % AGENTS + n, AGENTS)
    _, connection = await asyncio.get_running_loop().create_connection(
        Connection, "127.0.0.1", server.port
    )
    await connection.ask(request)
    offer = await asyncio.wait_for(offers.get(), 10)
    async with session.post(f"{api}/offers/{offer['id']}/accept", headers=headers):
        pass
    async with session.put(
        f"{api}/agents/me/presence", json={"presence": "away", "reason": "full"}, headers=headers
    ):
        pass
    await client.call("open", {"conversation": offer["conversation"]}, namespace="/agent")
    await session.close()
    return client


async def signed_in(session: aiohttp.ClientSession, url: str, body: dict[str, str]) -> str:
    """Sign in as often as the limit on sign-ins asks; return the token."""
    while True:
        async with session.post(url, json=body) as answer:
            found = await answer.json(content_type=None)
        if answer.status == 200:
            return str(found["csrf"])
        assert answer.status == 429, found
        await asyncio.sleep(found["retry_after_s"])


async def measured(
    port: int, process: psutil.Process, arrivals: Arrivals, rates: list[int], seconds: float
) -> dict[str, Any]:
    """Run the loop at each rate."""
    found: dict[str, Any] = {}
    first = 20_000_000
    for rate in rates:
        arrivals.seconds, arrivals.sent = [], {}
        before = process.cpu_times()
        await open_loop(port, rate, seconds, arrivals, first)
        after = process.cpu_times()
        cpu = after.user + after.system - before.user - before.system
        count = int(rate * seconds)
        first += count
        found[f"{rate}/s"] = {
            "p50_ms": percentile(arrivals.seconds, 0.5) * 1000,
            "p99_ms": percentile(arrivals.seconds, 0.99) * 1000,
            "arrived": len(arrivals.seconds),
            "sent": count,
            "cpu_us_per_message": cpu / count * 1e6,
        }
    return found


def crew() -> str:
    """Return the configuration of 200 agents of one team."""
    return "\n".join(
        f'[agent.agent-{n}]\nname = "Agent {n}"\nteams = ["front"]\nskills = {{ order = 3 }}'
        for n in range(AGENTS)
    )


async def _passwords(server: Server) -> None:
    connector = aiohttp.UnixConnector(str(server.folder / "control.sock"))
    async with aiohttp.ClientSession(connector=connector) as session:
        async with session.get("http://control/api/v1/config/agent") as answer:
            agents = (await answer.json())["objects"]
        for agent in agents:
            path = f"http://control/api/v1/agents/{agent['id']}/password"
            async with session.put(path, json={"password": PASSWORD}):
                pass


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rates", nargs="+", type=int, default=[50, 200])
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--engines", nargs="+", default=["sqlite", "postgresql"])
    options = parser.parse_args()
    pin(LOAD_CORE)
    figures: dict[str, Any] = {"agents": AGENTS, "seconds": options.seconds}

    async def run_bare(port: int, process: psutil.Process) -> dict[str, Any]:
        arrivals = Arrivals()
        clients = await bare_agents(port, arrivals)
        found = await measured(port, process, arrivals, options.rates, options.seconds)
        await asyncio.gather(*(c.disconnect() for c in clients))
        return found

    async def run_hub(server: Server) -> dict[str, Any]:
        assert server.process is not None
        arrivals = Arrivals()
        await _passwords(server)
        clients = await hub_agents(server, arrivals)
        process = psutil.Process(server.process.pid)
        found = await measured(server.port, process, arrivals, options.rates, options.seconds)
        await asyncio.gather(*(c.disconnect() for c in clients))
        return found

    with databases(options.engines) as engines:
        for name, database in engines.items():
            with bare("path", *([database] if database else [])) as (port, process):
                plain = uvloop.run(run_bare(port, process))
            with hub(database) as server:
                done = server.command("apply", "-", text=crew())
                assert done.returncode == 0, done.stderr
                ours = uvloop.run(run_hub(server))
            for rate, found in ours.items():
                found["p50_ratio"] = found["p50_ms"] / plain[rate]["p50_ms"]
                found["p99_ratio"] = found["p99_ms"] / plain[rate]["p99_ms"]
            figures[name] = {"bare": plain, "hub": ours}
    report("latency", figures)


if __name__ == "__main__":
    main()
