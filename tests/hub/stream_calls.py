"""Calls among what may happen in a run of the stream's test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.support.hubs import Stream, Widget

CALLS = """
[account.shop.settings]
calls = "voice"
"""
OWN = ("connected", "mute", "unmute", "end")
SHOWN = ("video", "screen")
ALL = ("transfer", "park", "conference", "hang_up")
OTHERS = ("hold", "resume")


async def calling(world: Any) -> None:
    """A visitor calls, or does something in their call."""
    if len(world.visitors) < len(world.customers):
        world.visitors.append((await Widget(world.here).start(), world.here.hub.clock.new_id()))
        act = "start"
    else:
        act = world.dice.choice(["mute", "unmute", "end"])
    widget, id = world.visitors[-1] if act == "start" else world.dice.choice(world.visitors)
    assert (await widget.call("call", {"id": id, "act": act}))["ok"]


def _call(world: Any, stream: Stream) -> dict[str, Any] | None:
    found: dict[str, Any] | None = world.one(stream, "call")
    return found


def _leg(world: Any, one: dict[str, Any], agent: str | None) -> str:
    found = [leg["id"] for leg in one["legs"] if leg["agent"] == agent and leg["state"] != "ended"]
    return str(world.dice.choice(found)) if found else "nobody"


def register(generates: Callable[[str], Callable[[Any], Any]]) -> None:
    """Register what people do in calls."""
    leg = "POST /api/v1/calls/{id}/legs/{leg}"
    for name in OWN:
        generates(f"{leg}/{name}")(_own(name, None))
    for name in SHOWN:
        generates(f"{leg}/{name}")(_own(name, {"on": True}))
    for name in OTHERS:
        generates(f"{leg}/{name}")(_other(name))
    one = "POST /api/v1/calls/{id}"
    generates(f"{one}/consult")(_consult)
    generates(f"{one}/number")(_bring_in)
    generates("POST /api/v1/conversations/{id}/call")(_dial)
    generates("POST /api/v1/calls")(_dial_number)
    generates(f"{one}/supervise")(_supervise)
    for name in (*ALL, "recording/pause", "recording/resume"):
        generates(f"{one}/{name}")(_all(name))


def _own(name: str, body: Any) -> Any:
    async def step(world: Any) -> None:
        stream = world.dice.choice(world.streams)
        if one := _call(world, stream):
            leg = _leg(world, one, stream.person.id)
            await world.ask(stream.person, "POST", f"/calls/{one['id']}/legs/{leg}/{name}", body)

    return step


def _other(name: str) -> Any:
    async def step(world: Any) -> None:
        stream = world.desk()
        if one := _call(world, stream):
            leg = _leg(world, one, None)
            await world.ask(stream.person, "POST", f"/calls/{one['id']}/legs/{leg}/{name}")

    return step


def _all(name: str) -> Any:
    async def step(world: Any) -> None:
        stream = world.desk()
        if one := _call(world, stream):
            await world.ask(stream.person, "POST", f"/calls/{one['id']}/{name}")

    return step


async def _dial(world: Any) -> None:
    stream = world.desk()
    if one := world.one(stream, "conversation"):
        body = {"number": world.dice.choice(world.customers)}
        await world.ask(stream.person, "POST", f"/conversations/{one['id']}/call", body)


async def _dial_number(world: Any) -> None:
    body = {"number": world.dice.choice(world.customers)}
    await world.ask(world.desk().person, "POST", "/calls", body)


async def _bring_in(world: Any) -> None:
    stream = world.desk()
    if one := _call(world, stream):
        body = {
            "number": world.dice.choice(world.customers),
            "hand_over": world.dice.random() < 0.5,
        }
        await world.ask(stream.person, "POST", f"/calls/{one['id']}/number", body)


async def _consult(world: Any) -> None:
    stream = world.desk()
    if one := _call(world, stream):
        body = {"agent": world.dice.choice(world.agents).id}
        await world.ask(stream.person, "POST", f"/calls/{one['id']}/consult", body)


async def _supervise(world: Any) -> None:
    stream = world.streams[-1]
    if one := _call(world, stream):
        body = {"mode": world.dice.choice(["listen", "whisper", "barge"])}
        await world.ask(stream.person, "POST", f"/calls/{one['id']}/supervise", body)
