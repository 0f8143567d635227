"""From a webhook to the agent's client: 200 agents connected, an open loop of messages.

    .venv/bin/python benchmarks/latency.py [--rates 50 200] [--seconds 20]

Every agent owns one conversation; a message goes to the owner's socket. The bare path is one
INSERT and one emit, with as many sockets, in the same run: the two take turns of some seconds, so
that what else happens on the machine meets both.
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
TURN_S = 5.0
PASSWORD = "correct horse battery"  # noqa: S105


class Side:
    """The hub or the bare stack: when each message reached its agent's client, and what it cost."""

    def __init__(self, port: int, process: psutil.Process) -> None:
        self.port = port
        self.process = process
        self.next = 20_000_000
        self.sent: dict[str, float] = {}
        self.seconds: list[float] = []
        self.count = 0
        self.cpu_s = 0.0

    def arrived(self, sid: str) -> None:
        """Note an arrival."""
        began = self.sent.pop(sid, None)
        if began is not None:
            self.seconds.append(time.perf_counter() - began)

    async def turn(self, rate: int, seconds: float) -> None:
        """Run the loop for some seconds."""
        before = self.process.cpu_times()
        await open_loop(self, rate, seconds)
        after = self.process.cpu_times()
        self.cpu_s += after.user + after.system - before.user - before.system

    def figures(self) -> dict[str, Any]:
        """Return what was measured since the last call."""
        found = {
            "p50_ms": percentile(self.seconds, 0.5) * 1000,
            "p99_ms": percentile(self.seconds, 0.99) * 1000,
            "arrived": len(self.seconds),
            "sent": self.count,
            "cpu_us_per_message": self.cpu_s / self.count * 1e6,
        }
        self.sent, self.seconds, self.count, self.cpu_s = {}, [], 0, 0.0
        return found


async def open_loop(side: Side, rate: int, seconds: float) -> None:
    """Send ``rate`` webhooks a second, whether or not the last was answered."""
    loop = asyncio.get_running_loop()
    url = f"http://127.0.0.1:{side.port}"
    free: list[Connection] = []
    began = loop.time()
    tasks = set()

    async def one(number: int) -> None:
        request = webhook(url, "/hooks/sms", number, AGENTS)
        if free:
            connection = free.pop()
        else:
            _, connection = await loop.create_connection(Connection, "127.0.0.1", side.port)
        side.sent[f"SM{number:032x}"] = time.perf_counter()
        await connection.ask(request)
        free.append(connection)

    for n in range(int(rate * seconds)):
        pause = began + n / rate - loop.time()
        if pause > 0:
            await asyncio.sleep(pause)
        task = asyncio.create_task(one(side.next))
        side.next += 1
        side.count += 1
        tasks.add(task)
        task.add_done_callback(tasks.discard)
    await asyncio.gather(*tasks)
    await asyncio.sleep(1.5)


async def bare_agents(side: Side) -> list[Any]:
    """Connect as many sockets to the bare stack."""
    clients = []
    for _ in range(AGENTS):
        client = socketio.AsyncClient(reconnection=False)
        client.on("event", lambda body: side.arrived(body["id"]))
        await client.connect(f"http://127.0.0.1:{side.port}", transports=["websocket"])
        clients.append(client)
    return clients


async def hub_agents(server: Server, side: Side) -> list[Any]:
    """Sign in 200 agents; each accepts one customer's conversation and opens it."""
    clients = []
    for n in range(AGENTS):
        clients.append(await _agent(server, n, side))
    return clients


async def _agent(server: Server, n: int, side: Side) -> Any:
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
                side.arrived(f"SM{number:032x}")

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
    hub_: Side, bare_: Side, rates: list[int], seconds: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Run the loop at each rate, turn by turn; return the hub's figures and the bare stack's."""
    ours: dict[str, Any] = {}
    plain: dict[str, Any] = {}
    turns = max(1, round(seconds / TURN_S))
    for rate in rates:
        for _ in range(turns):
            for side in (bare_, hub_):
                await side.turn(rate, seconds / turns)
        found, base = ours[f"{rate}/s"], plain[f"{rate}/s"] = hub_.figures(), bare_.figures()
        found["p50_ratio"] = found["p50_ms"] / base["p50_ms"]
        found["p99_ratio"] = found["p99_ms"] / base["p99_ms"]
    return ours, plain


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

    async def run(server: Server, bare_: Side) -> tuple[dict[str, Any], dict[str, Any]]:
        assert server.process is not None
        hub_ = Side(server.port, psutil.Process(server.process.pid))
        await _passwords(server)
        clients = await bare_agents(bare_) + await hub_agents(server, hub_)
        found = await measured(hub_, bare_, options.rates, options.seconds)
        await asyncio.gather(*(c.disconnect() for c in clients))
        return found

    with databases(options.engines) as engines:
        for name, database in engines.items():
            with (
                bare("path", *([database] if database else [])) as (port, process),
                hub(database) as server,
            ):
                done = server.command("apply", "-", text=crew())
                assert done.returncode == 0, done.stderr
                ours, plain = uvloop.run(run(server, Side(port, process)))
            figures[name] = {"bare": plain, "hub": ours}
    report("latency", figures)


if __name__ == "__main__":
    main()
