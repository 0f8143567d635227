"""A hub that is killed in the middle of a call: the call goes on, and everybody finds it again."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from madoguchi.conversations.tables import work_item
from madoguchi.security.secrets import new_key
from tests.hub.test_opening_hours import rows
from tests.hub.test_web_call import BOTH, Line, answered, visitor
from tests.support.hubs import Widget, hub_running
from tests.support.ports import free_port
from tests.support.waiting import wait_for


async def test_a_call_outlives_the_hub(tmp_path: Path, database: str) -> None:
    port, keys = free_port(), new_key()
    same: dict[str, Any] = {"database": database, "port": port, "secret_keys": keys}
    async with hub_running(tmp_path, **same) as here:
        line = Line(here, await visitor(here))
        await line.begin()
        ann = await here.person("ann")
        await answered(ann, await ann.available(), line)
        widget = line.widget
    async with hub_running(tmp_path, **same) as here:
        again = Widget(here)
        again.token, again.visitor = widget.token, widget.visitor
        line.here, line.widget = here, await again.start()
        assert (line.shown["state"], len(line.shown["hears"])) == ("talking", BOTH)
        ann = await here.person("ann")
        desk = await ann.available()
        leg = line.leg(desk, ann)
        assert leg["state"] == "connected", "the desk that comes back has its leg"
        signal = {
            "call": line.id,
            "from": leg["id"],
            "to": line.leg(desk)["id"],
            "session": "after",
            "seq": 1,
            "data": {"type": "join"},
        }
        assert await desk.client.call("signal", signal, namespace="/agent") == {"ok": True}
        await ann.call("POST", f"/calls/{line.id}/hang_up")
        await wait_for(lambda: line.shown["state"] == "ended", "and ends it")

        async def wraps_up() -> bool:
            return [one["state"] for one in await rows(here, work_item)] == ["wrap_up"]

        await wait_for(wraps_up, "and wraps up")
        await again.close()
