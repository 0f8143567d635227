"""A desk or a widget that sends too much is told so, and nobody else is slowed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from agent_ui.stream import MOST_OPEN
from madoguchi.clock import ManualClock
from tests.security.test_sockets import connects
from tests.support.hubs import Running, Stream, Widget, hub_running
from tests.support.raw import cookie, exchange, request
from tests.support.worlds import world


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


async def test_a_desk_that_connects_for_ever_is_refused(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        ann, ben = await here.person("ann"), await here.person("ben")
        desk = await ann.connect()
        assert (await asked(desk, "seen", {}, 1))[0]["code"] == "invalid"
        limiter = here.hub.desk._per_agent
        while limiter.take(ann.id) == 0:
            pass
        headers, token = {"Cookie": cookie(ann)}, {"token": ann.csrf}
        assert not await connects(here, "/live", "/agent", headers, token)
        assert (await refused(here))["connect"] == 1
        await ben.connect()


async def test_conversations_open_at_once_are_bounded(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        socket = next(iter(one.here.hub.desk._sockets.values()))
        socket.opened |= {one.here.hub.clock.new_id(): set() for _ in range(MOST_OPEN)}
        body = {"conversation": one.conversation}
        assert (await asked(one.desk, "open", body, 1))[0]["code"] == "too_many_open"
        gone = {"conversation": next(iter(socket.opened))}
        assert (await asked(one.desk, "close", gone, 1))[0] == {"ok": True}
        assert (await asked(one.desk, "open", body, 1))[0]["ok"]
        assert (await asked(one.desk, "open", body, 1))[0]["ok"], "again is no further one"


async def test_a_visitor_who_floods_is_limited_in_everything(tmp_path: Path) -> None:
    async with hub_running(tmp_path, clock=ManualClock()) as here:
        widget, other = await Widget(here).start(), await Widget(here).start()
        leaves = [await widget.call("leave", {}) for _ in range(10)]
        assert [a["ok"] for a in leaves] == [True] * 5 + [False] * 5
        for _ in range(150):
            await widget.call("identify", {})
        for name in ("hello", "send", "typing", "seen", "identify", "leave"):
            assert (await widget.call(name, {}))["code"] == "too_many", name
        assert (await other.call("identify", {}))["code"] == "not_identified"
        assert (await refused(here))["visitor.hello"] == 1
        await widget.close()
        await other.close()


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
