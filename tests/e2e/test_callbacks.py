"""A visitor who waits is called instead: the whole story, from the offer to the end of the work."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House
from tests.e2e.people import Agent, Visitor

pytestmark = pytest.mark.browser

CALLS = """
[queue.orders]
callback = { after = 1, retry_s = 3 }
"""
NUMBER, WRITTEN, SHOWN = "+819012345678", "０９０-1234-5678", "090-1234-5678"


async def visitor_of(house: House) -> Visitor:
    """Open the chat of a center where somebody is signed in, and nobody takes anything."""
    await house.here.configure(CALLS)
    ben = await house.here.person("ben")
    await ben.connect()
    await ben.call("PUT", "/agents/me/presence", {"presence": "away", "reason": "lunch"})
    return await house.visitor()


async def ask(visitor: Visitor) -> None:
    """Ask for a call: a wrong number first, then their own."""
    card = visitor.panel.locator("form.card")
    number = card.get_by_label(visitor.words["callNumber"])
    button = card.get_by_role("button", name=visitor.words["callAsk"])
    await number.fill("119")
    await button.click()
    await expect(card.get_by_role("alert")).to_have_text(visitor.words["callWrong"])
    await number.fill(WRITTEN)
    await button.click()
    await expect(number).to_have_value(SHOWN)


async def call_back(ann: Agent, times: int) -> None:
    """Take the customer's item and see whom to call."""
    await expect(ann.offer).to_contain_text(SHOWN)
    await ann.accept()
    strip = ann.page.get_by_role("region", name=ann.words["callback"]["title"])
    await expect(strip.get_by_role("link", name=SHOWN)).to_have_attribute("href", f"tel:{NUMBER}")
    told = ann.words["callback"]["attempt"].replace("{n}", str(times)).replace("{most}", "3")
    await expect(strip).to_contain_text(told)


async def test_a_visitor_is_called_at_last(house: House) -> None:
    visitor = await visitor_of(house)
    await visitor.write("返品したいのですが")
    await ask(visitor)
    await visitor.page.close()

    sue = await house.agent("sue")
    await sue.page.goto(f"{house.url}/board")
    told = sue.words["board"]["callbacks"].replace("{count}", "1")
    await expect(sue.page.get_by_role("row", name="Orders").first).to_contain_text(told)

    ann = await house.agent("ann")
    await ann.available()
    await call_back(ann, 1)
    words = ann.words["callback"]
    end = ann.page.get_by_role("button", name=ann.glossary["end"], exact=True)
    await expect(end).to_have_count(0)
    await ann.page.get_by_role("button", name=re.compile(words["missed"].split("{")[0])).click()

    await call_back(ann, 2)
    await ann.page.get_by_role("button", name=words["giveUp"]).click()
    await expect(ann.page.get_by_text(words["sure"])).to_be_visible()
    await ann.page.get_by_role("button", name=words["back"]).click()
    await ann.page.get_by_role("button", name=words["reached"], exact=True).click()
    await expect(ann.timeline).to_contain_text(ann.words["system"]["callback_reached"])
    await end.click()
    await ann.page.get_by_role("radio", name="Solved").click()
    await ann.page.get_by_role("button", name=ann.words["wrapUp"]["finish"], exact=True).click()

    figures = sue.page.get_by_role("row", name="Orders").first
    await expect(figures).not_to_contain_text(told)
    assert house.faults == []
    assert house.foreign == []


async def test_a_visitor_thinks_again(house: House) -> None:
    visitor = await visitor_of(house)
    await visitor.write("Where is my parcel?")
    panel, words = visitor.panel, visitor.words
    await panel.get_by_role("button", name=words["callWait"]).click()
    await panel.get_by_role("button", name=words["callAsk"]).click()
    await ask(visitor)
    number = panel.get_by_label(words["callNumber"])
    await number.fill("+1 202 555 0123")
    await panel.get_by_role("button", name=words["callAsk"]).click()
    await expect(panel.get_by_label(words["callNumber"], exact=True)).to_have_value(
        "+1 202-555-0123"
    )
    await panel.get_by_role("button", name=words["callWait"]).click()
    await expect(panel.get_by_role("button", name=words["callAsk"])).to_be_visible()
    assert house.faults == []


async def test_a_queue_offers_calls_by_its_page(house: House) -> None:
    adam = await house.agent("adam")
    page, words = adam.page, adam.words["admin"]
    save = page.get_by_role("button", name=adam.words["act"]["save"])
    await page.goto(f"{house.url}/admin/queues/returns")
    await page.get_by_role("radio", name=words["callback"]["afterWait"]).click()
    after = page.get_by_label(words["callback"]["after"], exact=True)
    await expect(after).to_have_value("120")
    await after.fill("0")
    await page.get_by_label(words["reason"]).fill("折り返しを始める")
    await save.click()
    fault = words["fault"]["above"].replace("{limit}", "0")
    await expect(page.get_by_text(fault).first).to_be_visible()
    await after.fill("90")
    await save.click()
    await expect(save).to_have_count(0)
    kept = house.here.hub.configuration.catalog.queues["returns"].object.callback
    assert (kept.after, kept.attempts, kept.retry_s) == (90, 3, 900)
    await page.get_by_role("radio", name=words["callback"]["never"]).click()
    await page.get_by_label(words["reason"]).fill("やめる")
    await save.click()
    await expect(save).to_have_count(0)
    assert house.here.hub.configuration.catalog.queues["returns"].object.callback.after is None
    assert house.faults == []
