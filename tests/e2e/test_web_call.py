"""Calls between a visitor's browser and a desk: real packets, by way of the hub's signals alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Locator, expect

from tests.e2e.callers import CALLS, FLAGS, Line, answer, bar, caller, desk, hang_up, wrap_up
from tests.e2e.houses import House
from tests.support.browser import running_browser
from tests.support.hubs import Running
from tests.support.waiting import wait_for

pytestmark = pytest.mark.browser


@pytest_asyncio.fixture(loop_scope="session")
async def talking(here: Running) -> AsyncIterator[House]:
    """The module's hub before a browser with a microphone and a camera."""
    await here.configure(CALLS)
    async with running_browser(*FLAGS) as browser:
        house = House(here, browser)
        yield house
        await house.close()
        assert house.faults == []


async def test_a_visitor_and_an_agent_talk_hold_reload_and_hang_up(talking: House) -> None:
    ann = await desk(talking, "ann")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    talks = visitor.words["talking"].replace("{name}", "Ann")
    await expect(visitor.page.get_by_text(talks)).to_be_visible()
    lines = (visitor.line, Line(ann.page))
    for line in lines:
        await line.flows()

    await ann.page.keyboard.press("Shift+F8")
    await expect(visitor.page.get_by_text(visitor.words["held"])).to_be_visible()
    for line in lines:
        await line.rests()
    await ann.page.keyboard.press("Shift+F8")
    for line in lines:
        await line.flows()

    await ann.page.reload()
    await expect(bar(ann).locator(".leg.connected")).to_be_visible()
    for line in lines:
        await line.flows()
        assert len(await line.each()) == 1

    await visitor.page.reload()
    await expect(visitor.page.get_by_text(talks)).to_be_visible()
    for line in lines:
        await line.flows()
        assert len(await line.each()) == 1

    await hang_up(ann)


async def test_a_whisper_sends_the_customer_no_packet(talking: House) -> None:
    ann, sue = await desk(talking, "ann"), await desk(talking, "sue")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    await visitor.line.flows()

    await sue.page.goto(f"{talking.url}/calls")
    modes = sue.words["call"]["mode"]
    row = sue.page.get_by_role("row").last
    await row.get_by_role("radio", name=modes["whisper"]).click()
    await Line(sue.page).flows()
    whispered = await visitor.line.each()
    assert sorted(one["received"] > 0 for one in whispered) == [False, True]
    assert all(one["sent"] > 0 for one in whispered)
    await expect(visitor.page.get_by_text("Sue")).to_have_count(0)

    await row.get_by_role("radio", name=modes["barge"]).click()
    await wait_for(lambda: heard_by_all(visitor.line), "the visitor hears both")
    leave = sue.page.get_by_role("button", name=sue.words["call"]["leave"])
    await leave.click()
    await expect(leave).to_have_count(0)
    await hang_up(ann)


async def heard_by_all(line: Line) -> bool:
    """Tell whether something has come by each of a page's connections."""
    return all(one["received"] > 0 for one in await line.each())


async def test_a_colleague_is_consulted_and_has_the_call_then(talking: House) -> None:
    ann, ben = await desk(talking, "ann"), await desk(talking, "ben")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    await visitor.line.flows()
    await ben.available()

    words = ann.words["call"]
    await bar(ann).get_by_role("button", name=ann.glossary["consult"]).click()
    await ann.page.get_by_role("dialog").get_by_role("radio", name="Ben").click()
    await ann.page.get_by_role("button", name=words["consultRing"]).click()
    await ben.page.get_by_role("button", name=ben.glossary["acceptCall"]).click()
    await expect(visitor.page.get_by_text(visitor.words["held"])).to_be_visible()
    await Line(ben.page).flows()
    await visitor.line.rests()

    await bar(ann).get_by_role("button", name=words["joinAll"]).click()
    await visitor.line.flows()
    await wait_for(lambda: heard_by_all(visitor.line), "the visitor hears both")
    await bar(ann).get_by_role("button", name=words["handOver"]).click()
    talks = visitor.words["talking"].replace("{name}", "Ben")
    await expect(visitor.page.get_by_text(talks)).to_be_visible()
    await visitor.line.flows()
    await hang_up(ben)


async def test_a_video_call_shows_the_customer(talking: House) -> None:
    ann = await desk(talking, "ann")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call("video")
    await expect(ann.offer).to_be_visible()
    await ann.page.keyboard.press("F2")
    picture = ann.page.locator(".pictures video").first
    await expect(picture).to_be_visible()
    await wait_for(lambda: moves(picture), "the picture moves")
    await bar(ann, "video").get_by_role("button", name=ann.words["call"]["cameraOn"]).click()
    await visitor.line.flows("video")
    await visitor.button("hangUp").click()
    await expect(bar(ann, "video")).to_have_count(0)
    await wrap_up(ann)


async def moves(picture: Locator) -> bool:
    """Tell whether a picture has been drawn."""
    return bool(await picture.evaluate("(video) => video.videoWidth > 0 && video.currentTime > 0"))


async def test_a_call_is_recorded_by_the_agents_browser(talking: House) -> None:
    await talking.here.configure('[queue.orders]\nrecording = { when = "always" }\n')
    ann = await desk(talking, "ann")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    words = ann.words["call"]
    await expect(bar(ann)).to_contain_text(words["recording"]["on"])
    sue = await talking.here.person("sue")
    (live,) = (await sue.connect("/supervisor")).all("call")
    await visitor.line.flows()
    await bar(ann).get_by_role("button", name=words["recordPause"]).click()
    await expect(bar(ann)).to_contain_text(words["recording"]["paused"])
    await bar(ann).get_by_role("button", name=words["record"]).click()
    await expect(bar(ann)).to_contain_text(words["recording"]["on"])
    await visitor.line.flows()
    await hang_up(ann)

    path = f"/calls/{live['id']}/recordings"

    async def both() -> list[dict[str, Any]]:
        takes: list[dict[str, Any]] = (await sue.call("GET", path))["takes"]
        return takes if len(takes) > 1 else []

    takes = await wait_for(both, "two takes are kept")
    assert [take["holes"] for take in takes] == [[], []]
    assert all(take["size"] > 0 for take in takes)
