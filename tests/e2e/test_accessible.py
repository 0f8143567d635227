"""axe finds nothing on any page, in both languages, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from tests.e2e.people import Demo
from tests.e2e.test_center_opens import sms

pytestmark = pytest.mark.browser

ADMIN = ("queues", "agents", "teams", "skills", "accounts", "deadletters", "versions")


SETTLED = """async () => {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((next) => requestAnimationFrame(() => requestAnimationFrame(next)))
    const ending = document.getAnimations().filter(
      (each) => each.effect?.getComputedTiming().iterations !== Infinity)
    await Promise.all(ending.map((each) => each.finished.catch(() => null)))
  }
}"""


async def clean(page: Page, what: str) -> None:
    """Fail with axe's words when it finds something; fades must have come to their end."""
    await page.evaluate(SETTLED)
    found = await Axe().run(page)
    faults = [
        f"{v['id']}: {[(n['target'], n['failureSummary']) for n in v['nodes']][:3]}"
        for v in found.response["violations"]
    ]
    assert faults == [], what


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_axe_finds_nothing(demo: Demo, locale: str, dark: bool) -> None:
    door = await demo.page(locale=locale, dark=dark)
    await door.goto(f"{demo.server.url}/login")
    await expect(door.locator("input[type=password]")).to_be_visible()
    await clean(door, "sign-in")

    agent = await demo.agent("takahashi", locale=locale, dark=dark)
    await agent.speak(locale[:2])
    await clean(agent.page, "empty inbox")
    await agent.available()
    await sms(demo, "今日中に届きますか？")
    await expect(agent.offer).to_have_css("opacity", "1")
    await clean(agent.page, "an offer")
    await agent.accept()
    await agent.reply("本日お届けします。")
    await clean(agent.page, "a conversation")
    await agent.page.keyboard.press("Escape")
    await agent.page.keyboard.press("?")
    await agent.page.locator("li .ib").nth(2).click()
    await agent.page.keyboard.press("n")
    await clean(agent.page, "the keys, one of them refused")
    await agent.page.keyboard.press("Escape")
    await agent.page.keyboard.press("Escape")
    await expect(agent.page.get_by_role("dialog")).to_be_hidden()
    await agent.page.keyboard.press("e")
    await expect(agent.page.get_by_role("timer")).to_be_visible()
    await clean(agent.page, "wrap-up with its countdown")

    supervisor = await demo.agent("okamoto", locale=locale, dark=dark)
    await supervisor.speak(locale[:2])
    await supervisor.page.goto(f"{demo.server.url}/board")
    await expect(supervisor.page.get_by_role("table").first).to_be_visible()
    await clean(supervisor.page, "board")

    administrator = await demo.agent("admin", locale=locale, dark=dark)
    await administrator.speak(locale[:2])
    for name in ADMIN:
        await administrator.page.goto(f"{demo.server.url}/admin/{name}")
        await expect(administrator.page.get_by_role("heading").first).to_be_visible()
        await clean(administrator.page, name)
