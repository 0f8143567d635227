"""A desk without a microphone: its agent is told before calls come, and may take texts only."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from tests.e2e.callers import CALLS, caller
from tests.e2e.houses import House
from tests.e2e.people import Agent
from tests.e2e.test_accessible import clean
from tests.support.browser import DEVICES, running_browser
from tests.support.hubs import Running

pytestmark = pytest.mark.browser

REFUSED = "--deny-permission-prompts"


@pytest_asyncio.fixture(loop_scope="session")
async def deaf(here: Running) -> AsyncIterator[House]:
    """The module's hub, which takes calls, before a browser that may use no microphone."""
    await here.configure(CALLS)
    async with running_browser(DEVICES[0], REFUSED) as browser:
        house = House(here, browser)
        yield house
        await house.close()
        assert house.faults == []


async def told(ann: Agent) -> None:
    """Ask to be available; be told that the microphone is refused, and what to do."""
    await expect(ann.page.locator(".presence")).to_be_visible()
    await ann.page.keyboard.press("g")
    await ann.page.keyboard.press("1")
    alert = ann.page.get_by_role("dialog").get_by_role("alert")
    words = ann.words["call"]
    await expect(alert).to_contain_text(words["device"]["microphone"])
    await expect(alert).to_contain_text(words["fault"]["refused"])


async def test_nobody_is_available_for_calls_without_a_microphone(deaf: House) -> None:
    ann = await deaf.agent("ann")
    await told(ann)
    await clean(ann.page, "the microphone's dialog")
    words, page = ann.words["microphone"], ann.page
    assert not await page.locator(".presence.available").count()

    await page.get_by_role("button", name=words["textsOnly"]).click()
    await expect(page.locator(".presence.available")).to_contain_text(
        ann.words["presence"]["textsOnly"]
    )
    sue = await deaf.here.person("sue")
    board = await sue.connect("/supervisor")
    async with running_browser(*DEVICES) as able:
        shop = House(deaf.here, able)
        visitor = await caller(shop)
        await visitor.call()
        (call,) = await board.until(lambda s: s.all("call"), "somebody calls")
        assert await deaf.here.sms("+819055500187", "電話ではありません") < 300
        await expect(ann.offer).to_contain_text("電話ではありません")
        assert [o["channel"] for o in board.all("offer")] in ([], ["sms"])
        assert board.of("call", call["id"])["state"] == "waiting"
        await visitor.button("hangUp").click()
        await shop.close()

    await page.context.grant_permissions(["microphone"], origin=deaf.url)
    await page.get_by_role("button", name=words["callsToo"]).click()
    state = page.locator(".presence.available .word")
    await expect(state).to_have_text(ann.words["presence"]["available"])
