"""An administrator makes a call flow on its page, is told what is wrong with it, and mends it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House
from tests.e2e.test_accessible import clean

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_a_flow_is_made_refused_and_mended(house: House, locale: str, dark: bool) -> None:
    adam = await house.agent("adam", locale=locale, dark=dark)
    await adam.speak(locale[:2])
    page, words = adam.page, adam.words["admin"]
    flow = words["flow"]
    key = f"main-{locale[:2]}"
    await page.goto(f"{house.url}/admin/flows/+")
    await page.get_by_label(words["field"]["key"], exact=True).fill(key)
    await page.get_by_label(words["field"]["name"], exact=True).fill("代表電話")
    kind = page.get_by_label(flow["kind"])
    add = page.get_by_role("button", name=flow["add"])
    for one in ("menu", "queue", "hang_up"):
        await kind.last.select_option(one)
        await add.click()
    menu = page.get_by_role("group", name=f"menu: {flow['do']['menu']}")
    await menu.get_by_label(flow["field"]["text"]).fill("ご返品は1を押してください。")
    await menu.get_by_label(flow["field"]["to"]).select_option("queue")
    await page.get_by_label(words["reason"]).fill("test")
    await page.get_by_role("button", name=adam.words["act"]["save"]).click()
    await expect(page.get_by_role("alert").first).to_be_visible()

    await menu.get_by_label(flow["field"]["otherwise"]).select_option("hang-up")
    bye = page.get_by_role("group", name=f"hang-up: {flow['do']['hang_up']}")
    await bye.get_by_label(flow["field"]["text"]).fill("お電話ありがとうございました。")
    await bye.get_by_label(flow["name"]).fill("bye")
    await bye.get_by_label(flow["name"]).press("Tab")
    await expect(menu.get_by_label(flow["field"]["otherwise"])).to_have_value("bye")
    await clean(page, f"the flow's page, {locale}")
    await page.get_by_role("button", name=adam.words["act"]["save"]).click()
    await expect(page.get_by_role("link", name=key)).to_be_visible()
    found = house.here.hub.configuration.catalog.flows[key].object
    assert (found.start, set(found.steps)) == ("menu", {"menu", "queue", "bye"})
    assert found.steps["menu"].model_dump()["otherwise"] == "bye"
