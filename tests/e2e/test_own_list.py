"""The list on the left: an open conversation stays in it; who is no agent has no own one."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House, choose
from tests.e2e.test_board import acts_on, agent_row, part

pytestmark = pytest.mark.browser


async def test_an_answered_conversation_stays_selected_until_it_is_left(house: House) -> None:
    ann = await house.agent("ann")
    await ann.available()
    await house.here.sms("+819055500187", "注文した豆はいつ届きますか？")
    await ann.accept()
    words, page = ann.words["list"], ann.page
    chosen = page.locator(".item.on")
    tabs = page.locator(".tabs .tab")
    await expect(tabs.nth(0)).to_have_text(f"{words['tab']['open']} 1")

    await ann.reply("本日お届けします。")
    await expect(tabs.nth(0)).to_have_text(f"{words['tab']['open']} 0")
    await expect(tabs.nth(1)).to_have_text(f"{words['tab']['waiting']} 1")
    await expect(chosen).to_contain_text(ann.words["conversation"]["state"]["waiting_customer"])
    await expect(chosen).to_have_attribute("aria-current", "true")
    await page.reload()
    await expect(chosen).to_have_count(1)
    await tabs.nth(1).click()
    await expect(chosen).to_have_count(1)
    await page.goto(f"{house.url}/inbox/open")
    await expect(page.get_by_text(words["empty"]["open"])).to_be_visible()
    assert house.faults == []


async def test_a_supervisor_without_the_role_of_an_agent_begins_at_the_board(house: House) -> None:
    sue = await house.agent("sue")
    await expect(agent_row(sue, "Ann")).to_be_visible()
    rail = sue.page.get_by_role("navigation", name=sue.words["nav"]["label"]).get_by_role("link")
    own = [sue.words["nav"][page] for page in ("board", "calls", "plan", "queues", "versions")]
    assert [
        await link.get_attribute("aria-label") or await link.inner_text()
        for link in await rail.all()
    ] == own
    await house.here.sms("+819055500188", "まだですか？")
    waits = part(sue, sue.words["board"]["waiting"]).locator("tbody tr")
    await expect(waits).to_have_count(1)
    name, number = waits.locator("b"), waits.locator("b + .muted")
    numbered = f"{await name.inner_text()} {await number.inner_text()}"
    menu = acts_on(sue, waits, numbered)
    await choose(sue.page, menu, sue.words["board"]["open"])
    await expect(sue.timeline).to_contain_text("まだですか？")
    await expect(sue.page.locator(".item.on")).to_have_count(1)
    await expect(sue.page.locator(".tabs .tab")).to_have_count(1)
    await expect(sue.page.get_by_role("button", name=sue.words["owner"]["take"])).to_have_count(0)
    await sue.page.get_by_role("link", name=sue.words["nav"]["board"]).click()
    await expect(waits).to_have_count(1)
    assert house.faults == []
