"""The system's own few colours, and little movement: focus is seen, states are told apart."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.houses import House
from tests.e2e.test_accessible import clean

pytestmark = pytest.mark.browser

UNSEEN = """() => {
  let it = document.activeElement
  while (it?.shadowRoot?.activeElement) it = it.shadowRoot.activeElement
  if (!it || it === document.body) return null
  for (let at = it, up = 0; at && up < 3; at = at.parentElement, up++) {
    const { outlineStyle, outlineWidth } = getComputedStyle(at)
    if (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2) return null
  }
  return it.outerHTML.slice(0, 160)
}"""

MOVING = """() => {
  const inner = [...document.querySelectorAll('*')].flatMap((it) => it.shadowRoot ?? [])
  return [document, ...inner].flatMap((root) => root.getAnimations())
    .filter((each) => each.effect.getComputedTiming().duration > 80)
    .map((each) => each.animationName ?? each.transitionProperty)
}"""


async def focus_is_seen(page: Page, stops: int) -> None:
    """Go through a page by Tab; every stop has an outline."""
    for _ in range(stops):
        await page.keyboard.press("Tab")
        assert await page.evaluate(UNSEEN) is None


async def told_apart(*places: Locator) -> None:
    """Fail when two of some small drawings look the same."""
    pictures = [await place.screenshot() for place in places]
    assert len(set(pictures)) == len(pictures), [str(place) for place in places]


async def edge(place: Locator) -> str:
    """Return an element's borders and outline."""
    return str(
        await place.evaluate(
            """(it) => { const s = getComputedStyle(it)
            return [s.borderLeft, s.borderBottom, s.outline] }"""
        )
    )


async def test_the_desk_in_forced_colours(house: House) -> None:
    ann = await house.agent("ann", forced=True)
    page = ann.page
    await ann.available()
    for phone, text in (("+819055500187", "一つ目"), ("+818055500142", "二つ目")):
        await house.here.sms(phone, text)
        await expect(ann.offer).to_contain_text(text)
        await page.keyboard.press("F2")
        await expect(ann.timeline).to_contain_text(text)
    await house.here.sms("+817055500111", "三つ目")
    await expect(ann.offer).to_contain_text("三つ目")
    await clean(page, "the desk in forced colours")
    pips = page.locator("header .capacity .pips i")
    await told_apart(pips.nth(0), pips.nth(2), pips.nth(3))
    items, tabs = page.locator(".item"), page.locator(".tabs .tab")
    assert await edge(items.and_(page.locator(".on"))) != await edge(
        items.and_(page.locator(":not(.on)"))
    )
    assert await edge(tabs.nth(0)) != await edge(tabs.nth(1))
    modes = page.locator(".composer .modes button")
    assert await edge(modes.nth(0)) != await edge(modes.nth(1))
    accept = page.locator(".offer .accept")
    await expect(accept).not_to_have_css("border-top-style", "none")
    await ann.composer.focus()
    assert await page.evaluate(UNSEEN) is None
    await page.locator(".search input").focus()
    await focus_is_seen(page, 24)
    assert await page.evaluate(MOVING) == []
    assert house.faults == []


async def test_the_widget_in_forced_colours(house: House) -> None:
    await (await house.here.person("ben")).available()
    visitor = await house.visitor(forced=True)
    page = visitor.page
    await clean(page, "an empty chat in forced colours")
    await visitor.write("こんにちは。")
    await clean(page, "a chat in forced colours")
    assert await page.evaluate(UNSEEN) is None
    await focus_is_seen(page, 8)
    bubble = visitor.talk.locator(".mine .bubble")
    await expect(bubble).not_to_have_css("border-top-style", "none")
    await visitor.panel.get_by_role("button", name=visitor.words["back"]).click()
    await clean(page, "the widget's home in forced colours")
    await focus_is_seen(page, 6)
    assert await page.evaluate(MOVING) == []
    assert house.faults == []
