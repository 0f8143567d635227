"""Calls between a visitor's browser and a desk: real packets, by way of the hub's signals alone."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.callers import CALLS, FLAGS, Line, bar, caller, desk
from tests.e2e.houses import House
from tests.support.browser import running_browser
from tests.support.hubs import Running

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

    await expect(ann.offer).to_be_visible()
    await ann.page.keyboard.press("F2")
    await expect(bar(ann).locator(".leg.connected")).to_be_visible()
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
        assert (await line.count())["open"] == 1

    await bar(ann).get_by_role("button", name=ann.glossary["endCall"]).click()
    await expect(visitor.page.get_by_text(visitor.words["ended"])).to_be_visible()
    await expect(bar(ann)).to_have_count(0)
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name=ann.words["wrapUp"]["finish"]).click()
