"""The desk by keyboard and by ear: names, visible focus that comes back, what is announced."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.houses import House
from tests.e2e.people import Agent, Demo
from tests.e2e.test_center_opens import sms

pytestmark = pytest.mark.browser

JAPANESE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
WITHOUT_WORDS = re.compile(r"[\W\d]*(SMS|Madoguchi|English|Liam Chen|[A-Z])?[\W\d]*")
"""What a Japanese page says in another script: figures, keys, names."""

VISIBLE = """() => {
  const here = document.activeElement
  if (!here || here === document.body) return { end: true }
  const own = getComputedStyle(here)
  const outlined = own.outlineStyle !== 'none' && parseFloat(own.outlineWidth) >= 2
  const field = here.matches('input, textarea') && own.boxShadow !== 'none'
  const around = [here.parentElement, here.parentElement?.parentElement]
  const ring = (each) => getComputedStyle(each).boxShadow.includes('0px 0px 0px 3px')
  const ringed = around.some((each) => each && ring(each))
  return { end: false, seen: outlined || field || ringed, what: here.outerHTML.slice(0, 200) }
}"""
"""Whether the focus is seen: an outline, or the ring of a field or of the box around it."""


async def names(page: Page) -> list[str]:
    """Return what everything that takes the focus is called, as a screen reader is told."""
    session = await page.context.new_cdp_session(page)
    tree = await session.send("Accessibility.getFullAXTree")
    await session.detach()
    found = []
    for node in tree["nodes"]:
        facts = {each["name"]: each["value"].get("value") for each in node.get("properties", [])}
        role = node.get("role", {}).get("value")
        if node.get("ignored") or not facts.get("focusable") or role in ("RootWebArea", "list"):
            continue
        name = str(node.get("name", {}).get("value", "")).strip()
        assert name, f"{role} without a name"
        found.append(name)
    assert found
    return found


async def only_japanese(page: Page) -> None:
    for name in await names(page):
        assert JAPANESE.search(name) or WITHOUT_WORDS.fullmatch(name), name


async def only_english(page: Page) -> None:
    for name in await names(page):
        assert not JAPANESE.search(name), name


async def focus_is_seen(page: Page, steps: int) -> None:
    """Walk by Tab; whatever has the focus shows it."""
    for _ in range(steps):
        await page.keyboard.press("Tab")
        found = await page.evaluate(VISIBLE)
        if found["end"]:
            return
        assert found["seen"], found["what"]


async def comes_back(page: Page, opener: Locator, entry: str = "") -> None:
    """Open a dialog by keyboard, from a menu's entry or at once; Escape gives the focus back."""
    await opener.press("Enter")
    if entry:
        await page.get_by_role("menuitem", name=entry).press("Enter")
    dialog = page.get_by_role("dialog")
    await expect(dialog).to_be_visible()
    await expect(dialog.locator(":focus")).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(opener).to_be_focused()


async def desk_dialogs(agent: Agent) -> None:
    page, words = agent.page, agent.words
    more = page.locator("main").get_by_role("button", name=words["act"]["more"])
    await comes_back(page, page.get_by_role("button", name=agent.glossary["transfer"]))
    await comes_back(page, page.locator("main .link", has_text=words["explain"]["more"]))
    await comes_back(page, more, words["conversation"]["rename"])
    await comes_back(page, page.locator(".self"), words["keys"]["title"])
    await comes_back(page, page.locator(".self"), words["self"]["signOut"])
    await comes_back(page, page.locator(".presence"), words["presence"]["signOut"])


async def test_a_japanese_desk_by_keyboard_and_ear(demo: Demo) -> None:
    agent = await demo.agent("takahashi")
    page, words = agent.page, agent.words
    await only_japanese(page)
    await page.get_by_role("button", name=words["presence"]["receive"], exact=True).press("Enter")
    await expect(page.locator(".presence.available")).to_be_visible()
    await sms(demo, "今日中に届きますか？")
    said = words["offer"]["said"].split("。")[0]
    await expect(page.locator("[aria-live=assertive]", has_text=said)).to_have_count(1)
    await only_japanese(page)
    await agent.accept()
    await agent.reply("本日お届けします。")
    await expect(page.locator(".message.out")).to_have_attribute("aria-live", "off")
    await expect(agent.timeline).to_have_attribute("aria-live", "polite")
    await sms(demo, "ありがとうございます。")
    await expect(agent.timeline.locator(".message.incoming:not([aria-live])")).to_have_count(2)

    await page.keyboard.press("Escape")
    await only_japanese(page)
    await desk_dialogs(agent)
    await page.locator("a.entry").first.focus()
    await focus_is_seen(page, 40)
    await page.set_viewport_size({"width": 1024, "height": 900})
    strip = page.locator("#customer-panel > button").first
    await strip.press("Enter")
    await page.locator("#customer-panel .drawer .fold").first.focus()
    await page.keyboard.press("Escape")
    await expect(strip).to_be_focused()

    for name, place in (("okamoto", "board"), ("admin", "admin/queues/orders")):
        other = await demo.agent(name)
        await other.page.goto(f"{demo.server.url}/{place}")
        await expect(other.page.get_by_role("heading").nth(1)).to_be_visible()
        await only_japanese(other.page)
        await focus_is_seen(other.page, 40)
    assert demo.faults == []


async def test_an_english_desk_has_english_names(house: House) -> None:
    ann = await house.agent("ann", locale="en-US", dark=True)
    page, words = ann.page, ann.words
    await ann.speak("en")
    await ann.available()
    await house.here.sms("+818055500142", "Where is my parcel?")
    said = words["offer"]["said"].split(":")[0]
    await expect(page.locator("[aria-live=assertive]", has_text=said)).to_have_count(1)
    await only_english(page)
    await ann.accept()
    await expect(ann.composer).to_be_focused()
    await page.keyboard.press("Escape")
    await only_english(page)
    await page.keyboard.press("t")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await only_english(page)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await focus_is_seen(page, 40)
    for name, place in (
        ("sue", "board"),
        ("adam", "admin/queues/orders"),
        ("adam", "admin/teams/front"),
        ("adam", "admin/rules/+"),
    ):
        other = await house.agent(name, locale="en-US", dark=True)
        await other.speak("en")
        await other.page.goto(f"{house.url}/{place}")
        await expect(other.page.get_by_role("heading").nth(1)).to_be_visible()
        await only_english(other.page)
        await focus_is_seen(other.page, 40)
    assert house.faults == []
