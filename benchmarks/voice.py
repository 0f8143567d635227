"""Telephone calls: a webhook until its TwiML, a call until its customer is on an agent's screen.

    .venv/bin/python benchmarks/voice.py [--calls 200] [--seconds 60]

So many calls come in the given time, beside each other and evenly. Each is two webhooks, signed as
the provider's: the call itself, answered by a menu, and the key, answered by the line. Agents are
connected and free; ``pop`` is from the second webhook's departure until the offer, with customer,
history and menu answers, is on the socket of the agent who is asked; then the customer hangs up.
The bare path answers a signed webhook with nothing done (see bare.py), in turns in
the same run. Hub and load share a process: what is told is an upper bound.

Prints JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp
from support import Connection, bare, percentile, report, webhook
from twilio.request_validator import RequestValidator

from tests.support.hubs import NUMBER, SID, TOKEN, Person, hub_running
from tests.support.postgres import running_postgres

AGENTS = 20
FLOW = f"""
[flow.main]
name = "代表電話"
start = "what"
[flow.main.steps.what]
do = "menu"
text = "ご注文は1、ご返品は2を押してください。"
name = "topic"
choices = [
    {{ key = "1", to = "orders", value = "orders" }},
    {{ key = "2", to = "returns", value = "returns" }},
]
otherwise = "orders"
[flow.main.steps.orders]
do = "queue"
text = "おつなぎします。"
queue = "orders"
[flow.main.steps.returns]
do = "queue"
text = "おつなぎします。"
queue = "returns"
[account.phone]
name = "代表電話"
connector = "twilio_voice"
queue = "orders"
flow = "main"
[account.phone.settings]
account_sid = "{SID}"
auth_token = "{TOKEN}"
number = "{NUMBER}"
"""


class Center:
    """What is measured, and the agents who are asked."""

    def __init__(self, url: str, http: aiohttp.ClientSession) -> None:
        self.url = url
        self.http = http
        self.answered: list[float] = []
        self.popped: list[float] = []
        self.began: dict[str, tuple[float, dict[str, str]]] = {}

    async def post(self, path: str, fields: dict[str, str]) -> str:
        """Send a signed webhook; return what it is answered with."""
        signature = RequestValidator(TOKEN).compute_signature(path, fields)
        headers = {"X-Twilio-Signature": signature}
        began = time.perf_counter()
        async with self.http.post(path, data=fields, headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200, (answer.status, text)
        self.answered.append(time.perf_counter() - began)
        return text

    async def over(self, fields: dict[str, str]) -> None:
        """Let a customer hang up."""
        path = f"{self.url}/hooks/phone/status"
        told = {**fields, "CallStatus": "completed"}
        signature = RequestValidator(TOKEN).compute_signature(path, told)
        async with self.http.post(path, data=told, headers={"X-Twilio-Signature": signature}):
            pass

    async def call(self, number: int) -> None:
        """Let a customer call and press 1."""
        caller = f"+8190{number:08d}"
        fields = {
            "CallSid": f"CA{number:032x}",
            "AccountSid": SID,
            "From": caller,
            "To": NUMBER,
            "CallStatus": "ringing",
        }
        menu = await self.post(f"{self.url}/hooks/phone/voice", fields)
        step = menu.partition('action="')[2].partition('"')[0].replace("&amp;", "&")
        self.began[caller] = (time.perf_counter(), fields)
        await self.post(step, {**fields, "CallStatus": "in-progress", "Digits": "1"})

    async def ask(self, person: Person) -> None:
        """Let an agent be there; whose call they are asked to take hangs up as soon as it shows."""
        desk = await person.available()
        while True:
            offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
            (identity,) = offer["customer"]["identities"]
            began, fields = self.began.pop(identity["value"], (0.0, {}))
            if fields:
                self.popped.append(time.perf_counter() - began)
                await self.over(fields)
            await desk.until(lambda s, id=offer["id"]: not s.of("offer", id), "it is over")


def agents() -> str:
    """Return agents who serve the queue."""
    return "".join(
        f'[agent.a{n}]\nname = "A{n}"\nteams = ["front"]\nskills = {{ order = 3 }}\n'
        for n in range(AGENTS)
    )


async def evenly(count: int, seconds: float, act: Any) -> None:
    """Run something so often in so many seconds, whether or not the last one has ended."""
    loop = asyncio.get_running_loop()
    began, tasks = loop.time(), []
    for n in range(count):
        await asyncio.sleep(max(0.0, began + n * seconds / count - loop.time()))
        tasks.append(asyncio.create_task(act(n)))
    await asyncio.gather(*tasks)


async def plain(port: int, count: int, seconds: float) -> list[float]:
    """Return how long the bare stack takes for as many signed webhooks."""
    found: list[float] = []
    loop = asyncio.get_running_loop()

    async def one(n: int) -> None:
        _, connection = await loop.create_connection(Connection, "127.0.0.1", port)
        began = time.perf_counter()
        await connection.ask(webhook(f"http://127.0.0.1:{port}", "/hooks/sms", n))
        found.append(time.perf_counter() - began)
        connection.transport.close()

    await evenly(count, seconds, one)
    return found


async def measured(folder: Path, database: str, calls: int, seconds: float) -> dict[str, Any]:
    """Run the calls against one store."""
    async with hub_running(folder, database=database) as here, aiohttp.ClientSession() as http:
        await here.configure(FLOW + agents())
        center = Center(here.url, http)
        people = [await here.person(f"a{n}") for n in range(AGENTS)]
        waiting = [asyncio.create_task(center.ask(person)) for person in people]
        await asyncio.sleep(2)
        await evenly(calls, seconds, center.call)
        await asyncio.sleep(2)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        return {"answer": told(center.answered), "pop": told(center.popped)}


def told(values: list[float]) -> dict[str, Any]:
    """Return the figures of some times, in milliseconds."""
    shares = {f"p{share}_ms": percentile(values, share / 100) * 1000 for share in (50, 99)}
    return {"count": len(values), **shares, "most_ms": max(values) * 1000}


async def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=60)
    asked = parser.parse_args()
    figures: dict[str, Any] = {"calls": asked.calls, "seconds": asked.seconds}
    with bare("ack") as (port, _):
        figures["bare"] = told(await plain(port, 2 * asked.calls, asked.seconds / 2))
    with running_postgres() as server, server.database() as dsn:
        for name, database in (("sqlite", ""), ("postgresql", dsn)):
            with tempfile.TemporaryDirectory(prefix="madoguchi-bench-") as folder:
                found = await measured(Path(folder), database, asked.calls, asked.seconds)
            found["ratio_p99"] = found["answer"]["p99_ms"] / figures["bare"]["p99_ms"]
            figures[name] = found
    report("voice", figures)


if __name__ == "__main__":
    asyncio.run(main())
