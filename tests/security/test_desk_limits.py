"""A desk that sends too much is told so, and nobody else is slowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from madoguchi.clock import ManualClock
from tests.support.hubs import Running, Stream, hub_running
from tests.support.raw import exchange, request


async def refused(here: Running) -> dict[str, float]:
    """Return event → how often it was refused."""
    answer = await exchange(here.port, request("GET", "/metrics"))
    families = {f.name: f for f in text_string_to_metric_families(answer.body.decode())}
    samples = families["madoguchi_socket_events_refused"].samples
    return {s.labels["event"]: s.value for s in samples if s.name.endswith("_total")}


async def asked(desk: Stream, name: str, body: dict[str, Any], times: int) -> list[Any]:
    """Send an event many times; return the answers."""
    return [await desk.client.call(name, body, namespace=desk.namespace) for _ in range(times)]


async def test_a_flood_of_one_desk_is_limited(tmp_path: Path) -> None:
    clock = ManualClock()
    async with hub_running(tmp_path, clock=clock) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        desk, other = await ann.connect(), await ben.connect()
        body = {"conversation": "none", "inbound_seq": 1}
        answers = await asked(desk, "seen", body, 210)
        fine = [a for a in answers if a["code"] == "invalid"]
        assert 150 < len(fine) < 210, "a person may be quick"
        assert answers[-1]["code"] == "too_many"
        assert answers[-1]["retry_after_s"] > 0
        assert answers[-1]["detail"]
        for name in ("hello", "open", "close", "seen", "typing", "viewing"):
            assert (await asked(desk, name, body, 1))[0]["code"] == "too_many", name
        assert (await asked(other, "seen", body, 1))[0]["code"] == "invalid"
        assert set(await refused(here)) == {"hello", "open", "close", "seen", "typing", "viewing"}
        clock.advance(2)
        assert (await asked(desk, "seen", body, 1))[0]["code"] == "invalid"


async def test_many_sockets_are_no_way_around(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        ann = await here.person("ann")
        desks = [await ann.connect() for _ in range(4)]
        body = {"conversation": "none", "inbound_seq": 1}
        codes = [a["code"] for desk in desks for a in await asked(desk, "seen", body, 170)]
        assert codes.count("invalid") < 600
        assert codes[-1] == "too_many"
        for desk in desks[:-1]:
            await desk.close()


async def test_a_days_work_is_never_limited(tmp_path: Path) -> None:
    """Ten tabs that reconnect at once, and quick typing in each."""
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        ann = await here.person("ann")
        desks = [await ann.connect() for _ in range(10)]
        for desk in desks:
            await asked(desk, "typing", {"conversation": "none", "on": True}, 20)
            assert await desk.hello(None) == "snapshot"
        assert await refused(here) == {}
        for desk in desks[:-1]:
            await desk.close()
