"""The websockets: who may connect, and what hostile packets do (nothing)."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from tests.support.hubs import Person, Running, Stream, Widget, hub_running
from tests.support.raw import cookie
from tests.support.waiting import wait_for
from tests.support.worlds import world


async def connects(
    here: Running,
    path: str,
    namespace: str,
    headers: dict[str, str] | None = None,
    auth: dict[str, Any] | None = None,
) -> bool:
    """Try to open a namespace; tell whether it stays open for a first call."""
    client = socketio.AsyncClient(reconnection=False)
    try:
        await client.connect(
            here.url,
            headers=headers or {},
            auth=auth,
            namespaces=[namespace],
            socketio_path=path,
            transports=["websocket"],
            wait_timeout=3,
        )
        answer = await client.call("hello", {"pos": None}, namespace=namespace, timeout=0.5)
        return bool(answer and "pos" in answer)
    except (socketio.exceptions.SocketIOError, aiohttp.ClientError, ValueError):
        return False
    finally:
        await client.disconnect()


async def test_who_may_open_the_desks_stream(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        here = one.here
        otto, sue = await here.person("otto"), await here.person("sue")
        mine = {"Cookie": cookie(otto)}
        ok = {"token": otto.csrf}
        assert await connects(here, "/live", "/agent", mine, ok)
        refused: list[tuple[str, str, dict[str, str], Any]] = [
            ("/live", "/agent", {}, ok),
            ("/live", "/agent", mine, None),
            ("/live", "/agent", mine, {}),
            ("/live", "/agent", mine, {"token": "wrong"}),
            ("/live", "/agent", mine, {"token": sue.csrf}),
            ("/live", "/agent", mine, {"token": {"$gt": ""}}),
            ("/live", "/agent", {"Cookie": "madoguchi_session=x"}, ok),
            ("/live", "/agent", {**mine, "Origin": "https://evil.example"}, ok),
            ("/live", "/agent", {**mine, "Origin": "null"}, ok),
            ("/live", "/supervisor", mine, ok),
            ("/live", "/visitor", mine, ok),
            ("/live", "/nonsense", mine, ok),
            ("/widget/live", "/agent", mine, ok),
        ]
        found = await asyncio.gather(*(connects(here, *one) for one in refused))
        assert [r for r, stays in zip(refused, found, strict=True) if stays] == []
        assert await connects(
            here, "/live", "/supervisor", {"Cookie": cookie(sue)}, {"token": sue.csrf}
        )


async def test_who_may_open_the_widgets_stream(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await second_shop(here)
        widget = await Widget(here).start()
        other = await Widget(here, "second").start()
        ok = {"account": "shop", "token": widget.token}
        path, namespace = "/widget/live", "/visitor"
        assert await connects(here, path, namespace, None, ok)
        allowed = {"Origin": "https://second.example"}
        theirs = {"account": "second", "token": other.token}
        assert await connects(here, path, namespace, allowed, theirs)
        refused: list[tuple[dict[str, str], Any]] = [
            ({}, None),
            ({}, {"account": "shop"}),
            ({}, {"account": "shop", "token": "x"}),
            ({}, {"account": "shop", "token": other.token}),
            ({}, {"account": "second", "token": widget.token}),
            ({}, {"account": "sms", "token": widget.token}),
            ({}, {"account": ["shop"], "token": [widget.token]}),
            ({}, {"account": "shop", "token": widget.token[::-1]}),
            ({"Origin": "https://evil.example"}, ok),
            ({"Origin": "https://second.example"}, ok),
        ]
        found = await asyncio.gather(*(connects(here, path, namespace, *one) for one in refused))
        assert [r for r, stays in zip(refused, found, strict=True) if stays] == []
        await widget.close()
        await other.close()


async def second_shop(here: Running) -> None:
    """Add a second web site."""
    boss = await here.person("adam")
    body = {
        "name": "Second",
        "connector": "web_chat",
        "queue": "orders",
        "settings": {"origins": ["https://second.example"]},
    }
    await boss.call("PUT", "/config/account/second", {"body": body})


async def test_rest_of_the_widget_is_for_its_origins(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await second_shop(here)
        url = f"{here.url}/api/v1/widget/second"
        async with aiohttp.ClientSession() as session:
            for origin, status in (("https://evil.example", 403), ("https://second.example", 200)):
                headers = {"Origin": origin}
                async with session.get(url, headers=headers) as answer:
                    assert answer.status == status
                    allowed = answer.headers.get("Access-Control-Allow-Origin")
                    assert allowed == (origin if status == 200 else None)
                    assert "Access-Control-Allow-Credentials" not in answer.headers
                async with session.options(f"{url}/session", headers=headers) as answer:
                    assert answer.status == (204 if status == 200 else 403)


FUZZ: list[Any] = [
    None,
    True,
    -1,
    1e300,
    2**63,
    "",
    "x" * 5000,
    "\x00",
    "\u202e",
    [],
    [[], {}],
    {},
    {"a": None},
    {"conversation": {"a": 1}},
    {"conversation": ["x"]},
]
FIELDS = (
    "pos",
    "conversation",
    "inbound_seq",
    "on",
    "id",
    "text",
    "files",
    "delivered",
    "read_to",
    "signature",
    "issued_at",
    "name",
    "page",
    "language",
    "topic",
    "phone",
    "mail",
)


def packets(dice: random.Random, count: int) -> list[Any]:
    """Return hostile payloads: bare values, and known fields with values of wrong types."""
    found = list(FUZZ)
    for _ in range(count):
        names = dice.sample(FIELDS, dice.randint(1, 6))
        found.append({name: dice.choice(FUZZ) for name in names})
    return found


async def test_fuzzed_events_harm_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    dice = random.Random(3)  # noqa: S311
    async with world(tmp_path) as one:
        otto = await one.here.person("otto")
        desk = await otto.connect()
        widget = await Widget(one.here).start()
        for payload in packets(dice, 120):
            for name in ("hello", "open", "close", "seen", "typing", "viewing", "nonsense"):
                await desk.client.emit(name, payload, namespace="/agent")
            for name in ("hello", "send", "typing", "seen", "identify", "nonsense"):
                await widget.client.emit(name, payload, namespace="/visitor")
        good = {"id": "c", "signature": "é" * 64, "issued_at": "x"}

        async def told() -> bool:
            return bool((await widget.call("identify", good))["code"] == "not_identified")

        await wait_for(told, "the flood is over, the visitor is listened to again")
        await wait_for(lambda: answers(desk), "the flood is over, the desk may speak again")
        await still_fine(one.here, otto)
        await widget.close()
    assert "Traceback" not in caplog.text
    assert "exception" not in caplog.text.lower()


async def answers(desk: Stream) -> bool:
    """Tell whether a desk that has sent too much gets its snapshot again."""
    answer = await desk.client.call("hello", {}, namespace="/agent")
    return bool(answer.get("mode") == "snapshot")


async def still_fine(here: Running, person: Person) -> None:
    """Fail unless the hub works and nothing became a dead letter."""
    assert (await person.raw("GET", "/session"))[0] == 200
    failing = {n: s.failing for n, s in here.hub.tasks.states.items() if s.failing}
    assert failing == {}
    boss = next(p for p in here.people if p.name in {"boss", "adam"})
    letters = await boss.call("GET", "/deadletters")
    assert letters == {"deadletters": []}


RAW = [
    "",
    "9",
    "4",
    "42",
    "42[",
    '42["hello"]',
    "42" + "[" * 5000,
    '451-["a",{"_placeholder":true}]',
    "499999999999-[]",
    '42/agent,99999999999999999999999["hello",{}]',
    "40/agent,{",
    "40/agent,",
    "41/agent,",
    "0{}",
    "1",
    "2probe",
    "3",
    "5",
    "6",
    "b" + "A" * 99,
    '42/agent,["\\ud800"]',
    '43/agent,7["x"]',
    '44/agent,"x"',
    "4" + "/" * 3000,
]


async def test_raw_packets_of_strangers(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        for path in ("/live/", "/widget/live/"):
            url = f"{one.here.url}{path}?EIO=4&transport=websocket"
            async with aiohttp.ClientSession() as session:
                for packet in RAW:
                    async with session.ws_connect(url) as socket:
                        await socket.receive(timeout=3)
                        await socket.send_str(packet)
                        await socket.send_bytes(packet.encode("utf-8", "replace"))
        await wait_for(lambda: len(one.here.hub.desk._sockets) == 1, "no stranger is left")
        assert (await one.boss.raw("GET", "/session"))[0] == 200


@pytest.mark.parametrize(
    ("data", "code"),
    [
        ({"text": "", "files": "x"}, "invalid"),
        ({"text": "", "files": {"a": 1}}, "invalid"),
        ({"text": "x", "files": ["01980000-0000-7000-8000-000000000000"] * 11}, "invalid"),
        ({"text": "x" * 10_001}, "too_long"),
        ({"text": "   "}, "empty"),
        ({"text": "x", "id": "no id"}, "invalid"),
        ({"text": None}, "invalid"),
    ],
)
async def test_bad_messages_of_a_visitor(tmp_path: Path, data: dict[str, Any], code: str) -> None:
    async with hub_running(tmp_path) as here:
        widget = await Widget(here).start()
        body = {"id": here.hub.clock.new_id(), **data}
        assert (await widget.call("send", body))["code"] == code
        await widget.close()


async def test_odd_visitors_make_no_dead_letters(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.person("adam")
        widget = await Widget(here).start()
        await widget.call("hello", {"pos": None, "language": "\x00\x00", "page": {"url": "\x00"}})
        assert await widget.send("nul \x00 and \u202e") == {"ok": True}
        for moment in ("2026-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "nonsense", "\x00"):
            await widget.call("seen", {"delivered": [], "read_to": moment})
        await wait_for(lambda: widget.messages(), "it arrives")
        assert widget.messages()[0]["parts"][0]["text"] == "nul \ufffd and \u202e"
        drained = here.hub.lanes
        await wait_for(lambda: drained.processed >= 5, "all is processed")
        await still_fine(here, here.people[0])
        await widget.close()


async def test_a_flood_of_one_visitor_is_limited(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        widget, other = await Widget(here).start(), await Widget(here).start()
        answers = [await widget.send(f"flood {n}") for n in range(90)]
        assert {a.get("code") for a in answers if not a["ok"]} == {"too_many"}
        assert await other.send("hello") == {"ok": True}
        statuses = [(await widget.rest("POST", "/session", {}))[0] for _ in range(40)]
        assert set(statuses) == {200, 429}
        await widget.close()
        await other.close()
