"""An administrator changes a queue, applies TOML and replays a dead letter, all on pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, expect

from madoguchi.model.inbound import ProviderEvent
from tests.e2e.houses import House
from tests.e2e.people import Agent
from tests.support.hubs import SID, TOKEN, hub_running

pytestmark = pytest.mark.browser


async def administrator(house: House, page: str, locale: str = "ja-JP") -> Agent:
    """Sign the administrator in and open one of the pages."""
    adam = await house.agent("adam", locale=locale)
    await adam.page.goto(f"{house.url}/admin/{page}")
    return adam


async def test_a_queue_is_changed_on_its_page(house: House) -> None:
    adam = await administrator(house, "queues/orders")
    page, words = adam.page, adam.words["admin"]
    target = page.get_by_label(words["field"]["service_level_s"], exact=True)
    save = page.get_by_role("button", name=adam.words["act"]["save"])
    await target.fill("90")
    await expect(page.get_by_text(words["changes"].replace("{count}", "1"))).to_be_visible()
    await expect(save).to_be_disabled()
    await page.get_by_label(words["reason"]).fill("年末にそなえて")

    await house.here.configure("[queue.orders]\nmisses = 3", "somebody was faster")
    await save.click()
    await expect(page.get_by_role("alert")).to_contain_text(words["conflict"]["title"])
    await expect(page.get_by_role("alert")).to_contain_text(words["field"]["misses"])
    await expect(target).to_have_value("90")
    await save.click()
    await expect(save).to_have_count(0)
    await expect(page.get_by_label(words["field"]["misses"], exact=True)).to_have_value("3")

    await page.get_by_role("link", name=adam.words["nav"]["versions"]).click()
    newest = page.locator(".version").first
    await expect(newest).to_contain_text("年末にそなえて")
    await expect(newest).to_contain_text("Adam")
    await expect(newest.locator("dd")).to_have_text(["120 → 90"])
    assert house.faults == []
    assert house.foreign == []


async def test_what_does_not_hold_is_said_at_its_field_in_the_own_language(house: House) -> None:
    adam = await administrator(house, "queues/orders")
    page, words = adam.page, adam.words["admin"]
    field = page.get_by_label(words["field"]["offer_timeout_s"], exact=True)
    await page.get_by_label(words["field"]["name"], exact=True).fill("")
    await field.fill("2")
    await page.get_by_label(words["reason"]).fill("too short")
    await page.get_by_role("button", name=adam.words["act"]["save"]).click()
    short, empty = words["fault"]["atLeast"].replace("{limit}", "5"), words["fault"]["missing"]
    summary = page.get_by_role("alert")
    await expect(summary).to_contain_text(f"{words['field']['offer_timeout_s']} {short}")
    await expect(summary).to_contain_text(f"{words['field']['name']} {empty}")
    await expect(field).to_have_accessible_description(short)
    await expect(page.get_by_label(words["field"]["name"], exact=True)).to_have_attribute(
        "aria-invalid", "true"
    )
    assert house.faults == []


async def test_toml_is_applied_on_the_page(house: House) -> None:
    adam = await administrator(house, "versions")
    page, words = adam.page, adam.words["admin"]["toml"]
    await page.get_by_role("button", name=words["apply"]).click()
    dialog = page.get_by_role("dialog")
    text = dialog.get_by_label(words["text"])
    look = dialog.get_by_role("button", name=words["dryRun"])
    apply = dialog.get_by_role("button", name=words["do"], exact=True)

    await text.fill("[queue.orders]\noffer_timeout_s = 1\nthreshold = 5\n[skil.x]\n")
    await look.click()
    faults = dialog.get_by_role("alert")
    await expect(faults).to_contain_text("skil")
    await text.fill("[queue.orders]\noffer_timeout_s = 1\nthreshold = 5\n")
    await look.click()
    for place in ("queue.orders.offer_timeout_s", "queue.orders.threshold"):
        await expect(faults).to_contain_text(place)
    await expect(apply).to_be_disabled()

    based_on = house.here.hub.configuration.catalog.number
    await house.here.configure("[queue.orders]\npriority = 2", "somebody was faster")
    await text.fill(f"based_on = {based_on}\n[queue.orders]\noffer_timeout_s = 30\n")
    await look.click()
    moved = words["moved"].replace("{what}", f"{adam.words['admin']['kind']['queue']} orders")
    await expect(faults).to_contain_text(moved)
    await expect(apply).to_be_disabled()

    await text.fill(f"based_on = {based_on + 1}\n[queue.orders]\noffer_timeout_s = 30\n")
    await look.click()
    await expect(faults).to_have_count(0)
    await expect(dialog.locator("dd")).to_have_text(["20 → 30"])
    await dialog.get_by_label(adam.words["admin"]["reason"]).fill("依頼の期限を延ばす")
    await apply.click()
    await expect(dialog).to_be_hidden()
    newest = page.locator(".version").first
    number = str(based_on + 2)
    await expect(newest).to_contain_text(adam.words["admin"]["version"].replace("{number}", number))
    await expect(newest).to_contain_text("依頼の期限を延ばす")
    assert house.here.hub.configuration.catalog.queues["orders"].object.offer_timeout_s == 30
    assert house.faults == []


@pytest_asyncio.fixture(loop_scope="session")
async def locked(tmp_path: Path, browser: Browser) -> AsyncIterator[House]:
    """A hub that was started with another secret key: its accounts' settings do not hold."""
    async with hub_running(tmp_path):
        pass
    async with hub_running(tmp_path) as here:
        house = House(here, browser)
        yield house
        await house.close()


async def test_a_dead_letter_is_explained_and_replayed(locked: House) -> None:
    await letter(locked, "注文番号は M-2041 です。")
    adam = await administrator(locked, "accounts")
    page, words = adam.page, adam.words["admin"]
    account = page.get_by_role("row", name="sms")
    await expect(account).to_contain_text(words["account"]["stopped"])
    await page.get_by_role("link", name=adam.words["nav"]["deadletters"]).click()
    row = page.locator("tbody tr").first
    await expect(row).to_contain_text(words["dead"]["down"].replace("{account}", "SMS"))
    await row.get_by_role("button").click()
    await expect(page.locator("pre")).to_contain_text("M-2041")

    await mend_account(adam)
    await page.get_by_role("link", name=adam.words["nav"]["accounts"]).click()
    await expect(account).to_contain_text(words["account"]["running"])
    await page.get_by_role("link", name=adam.words["nav"]["deadletters"]).click()
    ann = await locked.agent("ann")
    await ann.available()
    await row.get_by_role("checkbox").check()
    again = page.get_by_role("button", name=words["dead"]["replay"].replace("{count}", "1"))
    await again.click()
    await expect(page.get_by_text(words["dead"]["none"])).to_be_visible()
    await ann.accept()
    arrived = ann.page.locator(".message.incoming")
    await expect(arrived).to_contain_text("注文番号は M-2041 です。")
    await expect(arrived).to_contain_text(ann.words["message"]["late"])
    assert locked.faults == []


async def letter(house: House, body: str) -> None:
    """Store an event for an account that does not work; its lane sets it aside."""
    hub = house.here.hub
    account = hub.configuration.catalog.accounts["sms"]
    sid = "SM" + "5" * 32
    form = {"MessageSid": sid, "AccountSid": SID, "From": "+819055500187", "Body": body}
    data = urlencode(form).encode()
    event = ProviderEvent(sid, "sender:+819055500187", "message", data, hub.clock.now())
    await hub.inbox.put(account.id, [event])


async def mend_account(adam: Agent) -> None:
    """Give the account its secret again, as TOML."""
    page, words = adam.page, adam.words["admin"]
    await page.get_by_role("link", name=adam.words["nav"]["versions"]).click()
    await page.get_by_role("button", name=words["toml"]["apply"]).click()
    dialog: Locator = page.get_by_role("dialog")
    secret = f'[account.sms.settings]\nauth_token = "{TOKEN}"\n'
    await dialog.get_by_label(words["toml"]["text"]).fill(secret)
    await dialog.get_by_role("button", name=words["toml"]["dryRun"]).click()
    await expect(dialog.get_by_role("status")).to_contain_text("sms")
    await dialog.get_by_label(words["reason"]).fill("新しい鍵")
    await dialog.get_by_role("button", name=words["toml"]["do"], exact=True).click()
    await expect(dialog).to_be_hidden()
    await expect(page.locator(".version").first).not_to_contain_text(TOKEN)
