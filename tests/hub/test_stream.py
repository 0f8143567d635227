"""Snapshot plus events equals a fresh snapshot, after every command that the API knows."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from madoguchi.clock import Clock
from madoguchi.http.table import Operation
from tests.hub.stream_calls import CALLS, calling, register
from tests.support.hubs import Person, Running, SilentTwilio, Stream, hub_running
from tests.support.waiting import wait_for

Step = Callable[["World"], Awaitable[None]]
GENERATORS: dict[str, Step] = {}


class World:
    """The people of a run, what they may act on, and the dice."""

    def __init__(self, here: Running, seed: int) -> None:
        self.here = here
        self.dice = random.Random(seed)  # noqa: S311
        self.agents: list[Person] = []
        self.supervisor: Person
        self.admin: Person
        self.streams: list[Stream] = []
        self.visitors: list[tuple[Any, str]] = []
        self.customers = [f"+8190555001{n:02d}" for n in range(6)]

    async def gather(self) -> None:
        """Let everybody sign in and open their desks."""
        for name in ("ann", "ben"):
            person = await self.here.person(name)
            self.agents.append(person)
            self.streams.append(await person.available())
        self.supervisor = await self.here.person("sue")
        self.streams.append(await self.supervisor.connect("/supervisor"))
        self.admin = await self.here.person("adam")

    def desk(self) -> Stream:
        """Return some agent's stream."""
        return self.dice.choice(self.streams[:2])

    def one(self, stream: Stream, entity: str, **wanted: Any) -> dict[str, Any] | None:
        """Return some view with these values."""
        found = [
            v
            for v in stream.all(entity)
            if all(v.get(name) == value for name, value in wanted.items())
        ]
        return self.dice.choice(found) if found else None

    async def ask(self, person: Person, method: str, path: str, body: Any = None) -> int:
        """Call REST; refusals are part of life, faults of ours are not."""
        status, answer = await person.raw(method, path, body)
        assert status < 500, (method, path, status, answer)
        return status


def generates(operation: str) -> Callable[[Step], Step]:
    """Register the generator of an operation, named as in the route table."""

    def keep(step: Step) -> Step:
        GENERATORS[operation] = step
        return step

    return keep


async def write_in(world: World) -> None:
    """A customer writes an SMS."""
    await world.here.sms(world.dice.choice(world.customers), f"text {world.dice.random()}")


@generates("POST /api/v1/offers/{id}/accept")
async def accept(world: World) -> None:
    stream = world.desk()
    if offer := world.one(stream, "offer"):
        await world.ask(stream.person, "POST", f"/offers/{offer['id']}/accept")


@generates("POST /api/v1/offers/{id}/decline")
async def decline(world: World) -> None:
    stream = world.desk()
    if offer := world.one(stream, "offer"):
        await world.ask(stream.person, "POST", f"/offers/{offer['id']}/decline", {"reason": "busy"})


@generates("POST /api/v1/conversations/{id}/messages")
async def say(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation", owner=stream.person.id):
        mode = world.dice.choice(["reply", "note"])
        body = {"mode": mode, "text": f"answer {world.dice.random()}"}
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/messages", body)


@generates("PUT /api/v1/conversations/{id}/draft")
async def draft(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation"):
        body = {"mode": "reply", "text": world.dice.choice(["", "begun", "longer"])}
        await world.ask(stream.person, "PUT", f"/conversations/{one['id']}/draft", body)


@generates("PUT /api/v1/conversations/{id}/subject")
async def subject(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation"):
        body = {"subject": f"matter {world.dice.random()}"}
        await world.ask(stream.person, "PUT", f"/conversations/{one['id']}/subject", body)


@generates("PUT /api/v1/customers/{id}")
async def rename(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation"):
        body = {"name": f"name {world.dice.random()}"}
        await world.ask(stream.person, "PUT", f"/customers/{one['customer']['id']}", body)


@generates("POST /api/v1/customers/{id}/identities")
async def link(world: World) -> None:
    stream = world.desk()
    one, other = world.one(stream, "conversation"), world.one(stream, "conversation")
    if one and other and world.dice.random() < 0.3:
        path = f"/customers/{one['customer']['id']}/identities"
        await world.ask(stream.person, "POST", path, {"identity": other["identity"]})


@generates("POST /api/v1/conversations/{id}/take")
async def take(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation", owner=None):
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/take")


@generates("POST /api/v1/conversations/{id}/transfer")
async def transfer(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation", owner=stream.person.id):
        to: dict[str, Any] = {"queue": world.dice.choice(["orders", "returns"])}
        if world.dice.random() < 0.5:
            to = {"agent": world.dice.choice(world.agents).id}
        body = {**to, "reason": "skill", "summary": "wants a new lid"}
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/transfer", body)


@generates("POST /api/v1/conversations/{id}/transfer/cancel")
async def cancel(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation", owner=stream.person.id):
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/transfer/cancel")


@generates("POST /api/v1/conversations/{id}/end")
async def end(world: World) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation", owner=stream.person.id):
        body = {"inbound_seq": one["inbound_seq"]}
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/end", body)


@generates("POST /api/v1/conversations/{id}/wrap-up")
async def wrap_up(world: World) -> None:
    stream = world.desk()
    if item := world.one(stream, "item", state="wrap_up", owner=stream.person.id):
        path = f"/conversations/{item['conversation']}/wrap-up"
        await world.ask(stream.person, "POST", path, {"code": "solved", "note": "fine"})


async def want_call(world: World) -> None:
    """A customer who was offered a call wants one, or none any more."""
    words = world.dice.choice(["電話", "電話", "電話 03-1234-5678", "電話不要"])
    await world.here.sms(world.dice.choice(world.customers), words)


@generates("POST /api/v1/conversations/{id}/callback")
async def call_back(world: World) -> None:
    stream = world.desk()
    if item := world.one(stream, "item", callback="asked", owner=stream.person.id):
        outcome = world.dice.choice(["reached", "reached", "missed", "given_up"])
        path = f"/conversations/{item['conversation']}/callback"
        await world.ask(stream.person, "POST", path, {"outcome": outcome})


@generates("POST /api/v1/conversations/{id}/wrap-up/extend")
async def extend(world: World) -> None:
    stream = world.desk()
    if item := world.one(stream, "item", state="wrap_up", owner=stream.person.id):
        path = f"/conversations/{item['conversation']}/wrap-up/extend"
        await world.ask(stream.person, "POST", path)


@generates("PUT /api/v1/agents/me/away-after-work")
async def reserve_away(world: World) -> None:
    agent = world.dice.choice(world.agents)
    await world.ask(agent, "PUT", "/agents/me/away-after-work", {"reason": "lunch"})


@generates("DELETE /api/v1/agents/me/away-after-work")
async def take_away_back(world: World) -> None:
    await world.ask(world.dice.choice(world.agents), "DELETE", "/agents/me/away-after-work")


@generates("POST /api/v1/conversations/{id}/assign")
async def assign(world: World) -> None:
    if one := world.one(world.streams[2], "conversation"):
        body = {"agent": world.dice.choice(world.agents).id}
        await world.ask(world.supervisor, "POST", f"/conversations/{one['id']}/assign", body)


@generates("POST /api/v1/items/{id}/priority")
async def priority(world: World) -> None:
    if item := world.one(world.streams[2], "item"):
        body = {"priority": world.dice.randint(1, 3)}
        await world.ask(world.supervisor, "POST", f"/items/{item['id']}/priority", body)


@generates("POST /api/v1/items/{id}/move")
async def move(world: World) -> None:
    if item := world.one(world.streams[2], "item"):
        body = {"place": world.dice.randint(1, 3)}
        await world.ask(world.supervisor, "POST", f"/items/{item['id']}/move", body)


@generates("PUT /api/v1/agents/{id}/presence")
async def presence(world: World) -> None:
    agent = world.dice.choice(world.agents)
    who = world.dice.choice([agent, world.supervisor])
    value = world.dice.choice(["available", "available", "away"])
    body = {"presence": value, "reason": "lunch" if value == "away" else ""}
    await world.ask(who, "PUT", f"/agents/{agent.id}/presence", body)


@generates("PUT /api/v1/agents/{id}/capacity")
async def capacity(world: World) -> None:
    agent = world.dice.choice(world.agents)
    body = {"units": world.dice.randint(1, 6)}
    await world.ask(world.supervisor, "PUT", f"/agents/{agent.id}/capacity", body)


@generates("POST /api/v1/agents/me/sign-out")
async def sign_out(world: World) -> None:
    if world.dice.random() < 0.2:
        agent = world.dice.choice(world.agents)
        body = {"open_work": world.dice.choice(["requeue", "keep"])}
        await world.ask(agent, "POST", "/agents/me/sign-out", body)
        await world.ask(agent, "PUT", "/agents/me/presence", {"presence": "available"})


@generates("PUT /api/v1/config/{kind}/{key}")
async def configure(world: World) -> None:
    body = {"body": {"name": "Returns", "offer_timeout_s": world.dice.randint(5, 30)}}
    await world.ask(world.admin, "PUT", "/config/queue/returns", body)


@generates("PUT /api/v1/queues/{key}/closed")
async def close_queue(world: World) -> None:
    """New contacts of a closed queue are told so, or go to the other one."""
    outside = world.dice.choice(["message", "queue"])
    toml = f"[queue.orders]\noutside = {{ action = '{outside}', to_queue = 'returns' }}\n"
    await world.ask(world.admin, "POST", "/config/apply", {"toml": toml})
    queue, closed = world.dice.choice(["orders", "returns"]), world.dice.random() < 0.6
    await world.ask(world.admin, "PUT", f"/queues/{queue}/closed", {"closed": closed})


@generates("PUT /api/v1/routing-rules/order")
async def order_rules(world: World) -> None:
    """New contacts go to another queue than before, or to the same."""
    toml = "".join(
        f"[routing_rule.{name}]\nname = '{name}'\norder = {at}\nqueue = '{name}'\n"
        f"when = 'text.size() % 3 == {at}'\n"
        for at, name in enumerate(("orders", "returns"), 1)
    )
    await world.ask(world.admin, "POST", "/config/apply", {"toml": toml})
    keys = world.dice.sample(["orders", "returns"], 2)
    number = world.here.hub.configuration.catalog.number
    body = {"keys": keys, "number": number}
    assert await world.ask(world.admin, "PUT", "/routing-rules/order", body) == 200


@generates("POST /api/v1/config/apply")
async def apply(world: World) -> None:
    toml = f"[queue.orders]\nwrap_up_s = 60\nservice_level_s = {world.dice.randint(10, 90)}\n"
    await world.ask(world.admin, "POST", "/config/apply", {"toml": toml})


@generates("POST /api/v1/config/versions/{number}/undo")
async def undo(world: World) -> None:
    await configure(world)
    number = world.here.hub.configuration.catalog.number
    await world.ask(world.admin, "POST", f"/config/versions/{number}/undo", {"reason": "test"})


@generates("DELETE /api/v1/config/{kind}/{key}")
async def delete(world: World) -> None:
    body = {"body": {"name": "Short-lived"}}
    await world.ask(world.admin, "PUT", "/config/skill/short-lived", body)
    assert await world.ask(world.admin, "DELETE", "/config/skill/short-lived") == 200


@generates("POST /api/v1/deadletters/replay")
async def replay(world: World) -> None:
    await world.ask(world.admin, "POST", "/deadletters/replay", {"ids": [1]})


@generates("PUT /api/v1/agents/me/preferences")
async def prefer(world: World) -> None:
    body = {"theme": world.dice.choice(["light", "dark"]), "order": [world.dice.choice("ab")]}
    await world.ask(world.dice.choice(world.agents), "PUT", "/agents/me/preferences", body)


register(generates)
OUTSIDE_THE_STREAM = {
    "POST /api/v1/calls/{id}/recordings/{take}/{number}",
    "POST /api/v1/session",
    "DELETE /api/v1/session",
    "POST /api/v1/files",
    "PUT /api/v1/agents/{id}/password",
    "POST /api/v1/hours/preview",
    "POST /api/v1/trials",
    "DELETE /api/v1/trials/{id}",
    "POST /api/v1/moves",
    "DELETE /api/v1/moves/{id}",
    "POST /api/v1/routing-rules/check",
    "POST /api/v1/routing-rules/try",
    "POST /api/v1/agent-conditions/check",
}
"""Commands that change nothing that a stream shows."""


def named(operation: Operation) -> str:
    """Return an operation's name in this test."""
    return f"{operation.method} {operation.path}"


async def test_every_command_has_a_generator(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        commands = {named(o) for o in here.hub.api.operations if o.method != "GET"}
        assert commands - OUTSIDE_THE_STREAM == set(GENERATORS)


def shown(stream: Stream) -> dict[tuple[str, str], Any]:
    """Return what lists show: everything but the timelines of opened conversations."""
    return {
        key: view for key, view in stream.views.items() if key[0] not in {"message", "customer"}
    }


async def fresh(stream: Stream) -> dict[tuple[str, str], Any]:
    """Return a fresh snapshot of the same desk, over a second socket."""
    second = Stream(stream.person, stream.namespace)
    await second.connect()
    found = shown(second)
    await second.close()
    return found


async def compare(world: World) -> None:
    """Fail unless every fold comes to equal a fresh snapshot."""
    for stream in world.streams:

        async def equal(stream: Stream = stream) -> bool:
            return shown(stream) == await fresh(stream)

        try:
            await wait_for(equal, "the fold equals a fresh snapshot", within=8, every=0.1)
        except AssertionError:
            assert shown(stream) == await fresh(stream)
        assert stream.holes == 0


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_snapshot_and_events_equal_a_fresh_snapshot(
    tmp_path: Path, database: str, seed: int
) -> None:
    async with hub_running(
        tmp_path, database=database, clock=Clock(), twilio=SilentTwilio()
    ) as here:
        await here.configure(CALLS)
        world = World(here, seed)
        await world.gather()
        steps = [write_in, write_in, calling, accept, accept, say, say, *GENERATORS.values()]
        for number in range(60):
            await world.dice.choice(steps)(world)
            if number % 15 == 14:
                await compare(world)
        await compare(world)
        for widget, _ in world.visitors:
            await widget.close()
