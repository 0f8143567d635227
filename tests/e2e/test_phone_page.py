"""The agent's Phone page: a number is dialled, refused in words, and found among the last calls."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.async_api import expect

from madoguchi.clock import Clock
from tests.e2e.callers import FLAGS, bar
from tests.e2e.houses import House
from tests.e2e.test_accessible import clean
from tests.hub.test_dialling import JAPAN
from tests.hub.test_phone_call import FLOW
from tests.support.browser import running_browser
from tests.support.telephones import telephones

pytestmark = pytest.mark.browser


async def test_a_number_is_dialled_and_stands_among_the_last_calls(tmp_path: Path) -> None:
    async with (
        telephones(tmp_path, FLOW + JAPAN, clock=Clock()) as center,
        running_browser(*FLAGS) as browser,
    ):
        house = House(center.here, browser)
        ann = await house.agent("ann")
        await ann.available()
        words, page = ann.words["phone"], ann.page
        await page.keyboard.press("g")
        await page.keyboard.press("p")
        await expect(page.get_by_text(words["none"]["mine"])).to_be_visible()
        field, call = page.get_by_label(words["number"]), ann.words["call"]["dialNow"]
        button = page.get_by_role("button", name=call, exact=True)
        await field.fill("110")
        await expect(page.get_by_text(ann.words["refused"]["not_dialled"])).to_be_visible()
        await expect(button).to_be_disabled()
        await field.fill("")
        for key in "09055500187":
            await page.get_by_role("button", name=key, exact=True).click()
        await expect(page.get_by_text(words["unknown"])).to_contain_text("090-5550-0187")
        await clean(page, "the Phone page")

        await button.click()
        await expect(bar(ann)).to_be_visible()
        note = page.get_by_role("radio", name=ann.words["composer"]["callNote"])
        await expect(note).to_be_checked()
        await bar(ann).get_by_role("button", name=ann.glossary["endCall"]).click()
        await expect(bar(ann)).to_have_count(0)
        await page.goto(f"{house.url}/phone")
        row = page.get_by_role("listitem").filter(has_text="090-5550-0187")
        await expect(row).to_contain_text(ann.words["call"]["why"]["hung_up"])
        again = ann.words["call"]["dial"].replace("{number}", "090-5550-0187")
        await row.get_by_role("button", name=again).click()
        await expect(bar(ann)).to_be_visible()
        await house.close()
        assert house.faults == []
