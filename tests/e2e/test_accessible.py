"""axe finds nothing on any page, in both languages, light and dark."""

from __future__ import annotations

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Locator, Page, expect

from tests.e2e.people import Agent, Demo
from tests.e2e.test_center_opens import sms

pytestmark = pytest.mark.browser

ADMIN = (
    "queues",
    "rules",
    "rules/+",
    "hours",
    "hours/shop",
    "agents",
    "teams",
    "skills",
    "accounts",
    "deadletters",
    "versions",
)


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


async def menu_is_clean(page: Page, what: str, *entries: str) -> None:
    """Look at an open menu and at the menus of these entries, and close it."""
    await expect(page.get_by_role("menu")).to_be_visible()
    await clean(page, what)
    for entry in entries:
        await expect(page.get_by_role("menuitem", name=entry)).to_be_visible()
        await page.get_by_role("menuitem", name=entry).press("ArrowRight")
        await expect(page.get_by_role("menu")).to_have_count(2)
        await clean(page, f"{what}, {entry}")
        await page.keyboard.press("ArrowLeft")
        await expect(page.get_by_role("menu")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("menu")).to_have_count(0)


async def dialog_is_clean(page: Page, what: str, opener: Locator, entry: str = "") -> None:
    """Open a dialog, from a menu's entry or at once, look at it, and close it."""
    await opener.click()
    if entry:
        await page.get_by_role("menuitem", name=entry).click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    await clean(page, what)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()


async def desk_opens(agent: Agent) -> None:
    """Look at what an agent with a conversation opens."""
    page, words = agent.page, agent.words
    self_menu = page.locator(".self")
    await page.locator(".presence").click()
    await menu_is_clean(page, "presence", words["presence"]["whenDone"])
    await self_menu.click()
    await menu_is_clean(page, "self", words["self"]["language"], words["self"]["theme"])
    more = page.locator("main").get_by_role("button", name=words["act"]["more"])
    await more.click()
    await menu_is_clean(page, "more about a conversation")
    await dialog_is_clean(page, "subject", more, words["conversation"]["rename"])
    await dialog_is_clean(page, "why it was assigned", more, words["explain"]["title"])
    await dialog_is_clean(page, "sign-out", self_menu, words["self"]["signOut"])
    await page.get_by_role("button", name=agent.glossary["transfer"]).click()
    await page.get_by_role("dialog").get_by_role("radio").nth(1).click()
    await clean(page, "transfer to a colleague")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.get_by_role("searchbox").fill("zzz")
    await expect(page.get_by_text(words["list"]["empty"]["search"])).to_be_visible()
    await clean(page, "a search that finds nothing")
    await page.keyboard.press("Escape")
    await expect(page.locator(".item")).to_be_visible()


async def board_opens(supervisor: Agent) -> None:
    """Look at what a supervisor opens on the board."""
    page, words = supervisor.page, supervisor.words["board"]
    agent = page.locator("section").last.get_by_role("row", name="高橋 直子")
    await page.locator(".figure").first.hover()
    await clean(page, "how a figure comes about")
    await agent.locator(".acts button").last.press("Enter")
    await menu_is_clean(page, "acts on an agent", words["makeAway"])
    await page.locator(".piece").click()
    await menu_is_clean(page, "acts on a conversation")
    await dialog_is_clean(page, "end", page.locator(".piece"), supervisor.glossary["end"])


async def administration_opens(demo: Demo, administrator: Agent) -> None:
    """Look at forms, their faults and the dialogs of administration."""
    page, words = administrator.page, administrator.words["admin"]
    await page.goto(f"{demo.server.url}/admin/agents/liam")
    remove = page.get_by_role("button", name=words["remove"])
    await dialog_is_clean(page, "delete", remove)
    password = page.get_by_role("button", name=words["password"]["set"])
    await dialog_is_clean(page, "a password", password)
    await page.get_by_role("textbox", name=words["field"]["name"], exact=True).fill("")
    await page.get_by_role("textbox", name=words["reason"]).fill("test")
    await page.get_by_role("button", name=administrator.words["act"]["save"]).click()
    await expect(page.get_by_text(words["faults"].replace("{count}", "1"))).to_be_visible()
    await clean(page, "a form with a fault")
    page.once("dialog", lambda asked: asked.accept())
    await page.goto(f"{demo.server.url}/admin/versions")
    apply = page.get_by_role("button", name=words["toml"]["apply"])
    await apply.click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox", name=words["toml"]["text"]).fill(
        "[queue.orders]\nservice_level_s = 90"
    )
    await dialog.get_by_role("button", name=words["toml"]["dryRun"]).click()
    await expect(dialog.locator(".diff")).to_contain_text("90")
    await clean(page, "the configuration as text, with its differences")


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
    await agent.page.keyboard.press("Shift+F2")
    await menu_is_clean(agent.page, "the reasons to decline")
    await agent.accept()
    await expect(agent.composer).to_be_focused()
    await agent.page.keyboard.press("Escape")
    await desk_opens(agent)
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
    await board_opens(supervisor)

    administrator = await demo.agent("admin", locale=locale, dark=dark)
    await administrator.speak(locale[:2])
    for name in ADMIN:
        await administrator.page.goto(f"{demo.server.url}/admin/{name}")
        await expect(administrator.page.get_by_role("heading").first).to_be_visible()
        await clean(administrator.page, name)
    await administration_opens(demo, administrator)
