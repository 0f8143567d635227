"""A network that breaks: desk and widget tell it, keep what is written, and send it once."""

from __future__ import annotations

import re
import time

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House, finish, written
from tests.e2e.people import Agent, Visitor
from tests.support.proxy import Proxy

pytestmark = pytest.mark.browser

PHONES = ("+819055500187", "+818055500142")
LATER = "つながったら送ります"


async def talking(house: House, phone: str) -> tuple[Agent, Visitor, str, str]:
    """Return an agent who has an SMS and a chat, the visitor, and the two conversations."""
    ann = await house.agent("ann")
    await ann.available()
    visitor = await house.visitor()
    await visitor.write("こんにちは。")
    await ann.accept()
    chat = ann.page.url.split("/")[-1].split("#")[0]
    await ann.reply("どうぞ。")
    await expect(visitor.talk).to_contain_text("どうぞ。")
    await house.here.sms(phone, "いつ届きますか？")
    await expect(ann.offer).to_contain_text("いつ届きますか？")
    await ann.page.keyboard.press("F2")
    await expect(ann.timeline).to_contain_text("いつ届きますか？")
    await expect(ann.composer).to_be_focused()
    sms = ann.page.url.split("/")[-1].split("#")[0]
    return ann, visitor, chat, sms


async def taken(visitor: Visitor) -> None:
    """Wait until the hub has the visitor's last message, and so all before it."""
    either = re.compile(f"{visitor.words['taken']}|{visitor.words['delivered']}")
    await expect(visitor.talk.locator(".mark").last).to_contain_text(either)


async def test_what_is_written_while_cut_goes_out_once_and_in_order(
    beyond: House, proxy: Proxy
) -> None:
    sue = await beyond.here.person("sue")
    phone = PHONES[0]
    ann, visitor, chat, sms = await talking(beyond, phone)
    banner = ann.page.locator(".banner.warn")

    proxy.refuse()
    began = time.monotonic()
    await expect(banner).to_be_visible()
    assert time.monotonic() - began > 1.8
    await expect(banner).to_contain_text(re.compile(r"つなぎ直しています（\d+ 秒後）"))
    await expect(visitor.panel).to_contain_text(visitor.words["lost"])
    await ann.reply("本日お届けします。")
    await ann.reply("夕方になります。")
    waiting = ann.page.locator(".outgoing")
    await expect(waiting).to_have_count(2)
    await expect(waiting.first).to_contain_text(LATER)
    for text in ("一つ目です。", "二つ目です。", "三つ目です。"):
        await visitor.write(text)
    await expect(visitor.talk).to_contain_text(LATER)
    await beyond.here.sms(phone, "急いでいます。")
    await beyond.here.sms(phone, "お願いします。")
    await expect(ann.timeline).not_to_contain_text("急いでいます。")

    await proxy.open()
    await ann.page.get_by_role("button", name=ann.words["link"]["tryNow"]).click()
    back = ann.page.locator(".banner.ok")
    await expect(back).to_contain_text(re.compile(r"[1-9]\d* 件を反映しました"))
    for text in ("急いでいます。", "お願いします。"):
        await expect(ann.timeline).to_contain_text(text)
    await expect(waiting).to_have_count(0)
    own = ann.page.locator(".message.out .bubble")
    await expect(own).to_have_text(["本日お届けします。", "夕方になります。"])
    await expect(visitor.panel).not_to_contain_text(visitor.words["lost"])
    await expect(visitor.talk).not_to_contain_text(LATER)
    await taken(visitor)
    assert await written(sue, sms, "out") == ["本日お届けします。", "夕方になります。"]
    expected = ["こんにちは。", "一つ目です。", "二つ目です。", "三つ目です。"]
    await expect(visitor.talk.locator(".mine .bubble p")).to_have_text(expected)
    assert await written(sue, chat, "in") == expected
    await finish(sue, chat, sms)
    assert beyond.faults == []


async def test_a_hang_without_a_close_is_noticed_and_mended(beyond: House, proxy: Proxy) -> None:
    sue = await beyond.here.person("sue")
    phone = PHONES[1]
    ann, visitor, chat, sms = await talking(beyond, phone)

    proxy.hang()
    await ann.reply("すぐに確認します。")
    await visitor.write("まだですか？")
    await beyond.here.sms(phone, "返事をください。")
    waiting = ann.page.locator(".outgoing")
    await expect(waiting).to_contain_text(ann.words["message"]["state"]["sending"])

    await expect(ann.page.locator(".banner.warn")).to_be_visible()
    await expect(waiting).to_contain_text(LATER)
    await expect(visitor.panel).to_contain_text(visitor.words["lost"])
    await expect(visitor.talk).to_contain_text(LATER)
    proxy.mend()
    await expect(ann.page.locator(".banner.ok")).to_be_visible()
    await expect(ann.timeline).to_contain_text("返事をください。")
    await expect(waiting).to_have_count(0)
    own = ann.page.locator(".message.out .bubble")
    await expect(own).to_have_text(["すぐに確認します。"])
    mine = visitor.talk.locator(".mine .bubble p")
    await expect(mine).to_have_text(["こんにちは。", "まだですか？"])
    await taken(visitor)
    assert await written(sue, sms, "out") == ["すぐに確認します。"]
    assert await written(sue, chat, "in") == ["こんにちは。", "まだですか？"]
    await finish(sue, chat, sms)
    assert beyond.faults == []
