"""Room on pages: acts stand apart, and nothing that is to be read is cut off."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House
from tests.e2e.people import Demo, words

pytestmark = pytest.mark.browser

CUT = """() => {
  const pen = document.createElement('canvas').getContext('2d')
  const selects = [...document.querySelectorAll('select')].filter((one) => one.offsetWidth)
  const narrow = selects.filter((one) => {
    const style = getComputedStyle(one)
    pen.font = style.font
    const words = Math.max(...[...one.options].map((each) => pen.measureText(each.text).width))
    const arrow = 20
    return one.clientWidth - parseFloat(style.paddingLeft) - arrow < words
  })
  const log = document.querySelector('.log')
  const wide = [log, document.documentElement].filter((one) => one.scrollWidth > one.clientWidth)
  return [...narrow.map((one) => one.id), ...wide.map((one) => one.className)]
}"""


@pytest.mark.parametrize("language", ["ja", "en"])
async def test_the_acts_of_an_empty_list_stand_apart(house: House, language: str) -> None:
    await house.here.sms("+819055500187", "hello")
    ann = await house.here.person("ann")
    await ann.call("PUT", "/agents/me/preferences", {"language": language})
    agent = await house.agent("ann")
    await expect(agent.page.locator("html")).to_have_attribute("lang", language)
    acts = agent.page.locator(".empty .act > *")
    await expect(acts).to_have_count(2)
    boxes = [await acts.nth(n).bounding_box() for n in range(2)]
    first, second = (box for box in boxes if box)
    across = second["x"] - first["x"] - first["width"]
    below = second["y"] - first["y"] - first["height"]
    assert max(across, below) >= 8


async def test_the_demos_telephone_is_cut_off_nowhere(demo: Demo) -> None:
    page = await demo.page(locale="en-US")
    await page.goto(f"{demo.url}/demo/shop")
    await expect(page.locator("html")).to_have_attribute("lang", "en")
    for language in ("ja", "en"):
        await page.goto(f"{demo.url}/demo/phone?lang={language}")
        await page.locator("#text").fill("hello")
        await page.locator("#send").click()
        await expect(page.locator("#log")).to_contain_text("HTTP 204")
        await page.locator("#answer").select_option("429")
        label = words(language)["demo"]["phone"]["retryAfter"]
        await expect(page.get_by_label(label)).to_be_visible()
        for width in (1440, 1121, 1120, 900, 700, 480, 390):
            await page.set_viewport_size({"width": width, "height": 900})
            assert await page.evaluate(CUT) == [], (language, width)
