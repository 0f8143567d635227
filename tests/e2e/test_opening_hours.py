"""An administrator writes opening hours, gives them to a queue and closes it; a visitor sees it."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from madoguchi.i18n import catalogue
from tests.e2e.houses import House

pytestmark = pytest.mark.browser


async def test_hours_are_made_given_to_a_queue_and_told_to_visitors(house: House) -> None:
    adam = await house.agent("adam")
    page, words = adam.page, adam.words["admin"]
    said, times = adam.words["opening"], words["hours"]
    save = page.get_by_role("button", name=adam.words["act"]["save"])
    saturday = page.get_by_role("group", name=times["day"]["sat"])
    begins = page.get_by_label(
        times["from"].replace("{day}", times["day"]["sat"]).replace("{n}", "1")
    )

    await page.goto(f"{house.url}/admin/hours/+")
    await page.get_by_label(words["field"]["key"], exact=True).fill("office")
    await page.get_by_label(words["field"]["name"], exact=True).fill("平日の受付")
    await saturday.get_by_role("button").first.click()
    await begins.fill("930x")
    await page.get_by_label(words["reason"]).fill("はじめての営業時間")
    await save.click()
    await expect(saturday).to_contain_text(words["fault"]["badTime"])
    await begins.fill("９３０")
    await begins.blur()
    await expect(begins).to_have_value("09:30")
    await page.get_by_role("radio", name=times["japan"]).click()
    await expect(page.get_by_text("元日")).to_be_visible()
    await save.click()
    await expect(page).to_have_url(f"{house.url}/admin/hours/office")
    kept = house.here.hub.configuration.catalog.hours["office"].object
    assert kept.week.sat == [("09:30", "18:00")]
    assert (kept.holidays, kept.time_zone) == ("JP", "Asia/Tokyo")

    await page.goto(f"{house.url}/admin/queues/orders")
    await page.get_by_role("radio", name="平日の受付").click()
    await page.get_by_label(words["reason"]).fill("営業時間を決める")
    await save.click()
    await expect(save).to_have_count(0)
    target = page.get_by_label(words["field"]["service_level_s"], exact=True)
    await target.fill("77")
    await page.get_by_role("button", name=said["close"]).click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").fill("台風のため")
    await dialog.get_by_role("button", name=said["close"]).click()
    await expect(page.get_by_text(said["byHand"])).to_be_visible()
    # What was being written beside it stays, and is saved on top of it.
    await expect(target).to_have_value("77")
    await page.get_by_label(words["reason"]).fill("目標")
    await save.click()
    await expect(save).to_have_count(0)
    queue = house.here.hub.configuration.catalog.queues["orders"].object
    assert (queue.hours, queue.closed, queue.service_level_s) == ("office", True, 77)

    visitor = await house.page()
    widget = catalogue("ja")["widget"]
    await visitor.goto(f"{house.url}{house.shop}")
    await visitor.get_by_role("button", name=widget["open"]).click()
    await expect(visitor.get_by_text(widget["closed"])).to_be_visible()
    await expect(visitor.get_by_role("button", name=widget["leave"])).to_be_visible()
    assert house.faults == []
    assert house.foreign == []
