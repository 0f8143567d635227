"""Calls that are recorded: by whose leave, in parts, with holes, for so many days."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp

from madoguchi.clock import ManualClock
from madoguchi.conversations.calls import recordings
from madoguchi.files.tables import file
from madoguchi.security.tables import audit
from tests.hub.test_opening_hours import rows
from tests.hub.test_turning_away import DAY
from tests.hub.test_web_call import CALLS, Line, answered, refused
from tests.support.hubs import Person, Running, Widget, hub_running
from tests.support.waiting import wait_for

ALWAYS = f"""{CALLS}
[queue.orders.recording]
when = "always"
keep_days = 30
"""
AGREED = f"""{CALLS}
[queue.orders.recording]
when = "agreed"
"""
TAKE = "01980000-0000-7000-8000-00000000000a"


async def sent(person: Person, call: str, number: int, data: bytes, take: str = TAKE) -> int:
    """Send a part of a recording; return the status."""
    assert person.http is not None
    form = aiohttp.FormData()
    form.add_field("file", data, filename="part.webm")
    async with person.http.post(
        f"{person.running.url}/api/v1/calls/{call}/recordings/{take}/{number}",
        data=form,
        headers={"X-CSRF-Token": person.csrf},
    ) as answer:
        return answer.status


async def played(person: Person, call: str) -> bytes:
    """Return what a person hears of a take."""
    assert person.http is not None
    url = f"{person.running.url}/api/v1/calls/{call}/recordings/{TAKE}"
    async with person.http.get(url) as answer:
        assert answer.status == 200
        assert answer.headers["Content-Type"] == "audio/webm"
        return await answer.read()


async def with_a_call(here: Running, config: str) -> tuple[Line, Person, Any]:
    """Let Ann answer a visitor's call; return it, her, and her desk."""
    await here.configure(config)
    line = Line(here, await Widget(here).start())
    await line.begin()
    ann = await here.person("ann")
    desk = await ann.available()
    await answered(ann, desk, line)
    return line, ann, desk


async def test_a_call_is_recorded_in_parts_and_heard(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line, ann, desk = await with_a_call(here, ALWAYS)
        assert desk.of("call", line.id)["recording"] == line.shown["recording"] == "on"
        assert await sent(ann, line.id, 0, b"one ") == 204
        assert await sent(ann, line.id, 0, b"one again ") == 204, "a part that is sent twice"
        assert await sent(ann, line.id, 2, b"three") == 204
        await ann.call("POST", f"/calls/{line.id}/recording/pause")
        await wait_for(lambda: line.shown["recording"] == "paused", "the customer sees it")
        await ann.call("POST", f"/calls/{line.id}/recording/resume")
        await line.act("end")
        await wait_for(lambda: line.shown["state"] == "ended", "the call is over")
        assert await sent(ann, line.id, 3, b" four") == 204, "the last part comes after the end"
        clock.advance(601)
        assert await sent(ann, line.id, 4, b"late") == 409

        (take,) = (await ann.call("GET", f"/calls/{line.id}/recordings"))["takes"]
        assert (take["holes"], take["seconds"], take["size"]) == ([1], 20, 14)
        assert await played(ann, line.id) == b"one three four"
        sue = await here.person("sue")
        assert await played(sue, line.id) == b"one three four"
        ben = await here.person("ben")
        assert (await ben.raw("GET", f"/calls/{line.id}/recordings"))[0] in {403, 404}
        heard = [row for row in await rows(here, audit) if row["action"] == "call.played"]
        assert {row["actor"] for row in heard} == {ann.id, sue.id}
        await line.widget.close()


async def test_recordings_go_when_their_time_is_over(tmp_path: Path, database: str) -> None:
    clock = ManualClock(DAY)
    async with hub_running(tmp_path, database=database, clock=clock) as here:
        line, ann, _ = await with_a_call(here, ALWAYS)
        await sent(ann, line.id, 0, b"one")
        catalog = here.hub.configuration.catalog
        soon, then = (clock.now() + timedelta(days=days) for days in (29, 31))
        assert await here.hub.store.write(recordings.old(catalog, soon)) == 0
        assert await here.hub.store.write(recordings.old(catalog, then)) == 1
        assert (await ann.call("GET", f"/calls/{line.id}/recordings"))["takes"] == []
        clock.advance(2 * 86_400)
        assert await here.hub.files.sweep() == 1, "and their files"
        assert await rows(here, file) == []
        await line.widget.close()


async def test_nothing_is_recorded_without_leave(tmp_path: Path, database: str) -> None:
    async with hub_running(tmp_path, database=database) as here:
        line, ann, desk = await with_a_call(here, AGREED)
        assert line.shown["recording"] == "off"
        assert await sent(ann, line.id, 0, b"secret") == 409
        assert await refused(ann, f"/calls/{line.id}/recording/resume") == "not_recorded"
        assert (await line.act("agree"))["ok"]
        await desk.until(lambda s: s.of("call", line.id)["recording"] == "on", "by their leave")
        assert await sent(ann, line.id, 0, b"by leave") == 204
        await line.widget.close()


async def test_the_widget_is_told_before(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(AGREED)
        widget = Widget(here)
        _, about = await widget.rest("GET", "")
        assert about["recording"] == {"when": "agreed", "text": "", "text_en": ""}
        assert about["calls"] == "video"
        await widget.close()
