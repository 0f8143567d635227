"""A visitor and agents in real browsers: chat, SMS, transfer, reload, kill and restart."""

from __future__ import annotations

import json

import aiohttp
import pytest
from playwright.async_api import expect

from tests.e2e.people import Demo

pytestmark = pytest.mark.browser

PHONE = "09055500187"


async def sms(demo: Demo, body: str) -> None:
    """Let the customer's telephone send an SMS, through the demo's provider."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(
            f"{demo.server.url}/demo/phone/send",
            data=json.dumps({"number": PHONE, "text": body}),
            headers={"Content-Type": "application/json", "Origin": demo.server.url},
        ) as answer,
    ):
        assert answer.status < 300, await answer.text()


async def test_a_visitor_and_agents_through_a_whole_day(demo: Demo) -> None:
    takahashi = await demo.agent("takahashi")
    await takahashi.available()
    visitor = await demo.visitor()

    await visitor.write("グラインダーのふたが割れていました。")
    await expect(takahashi.offer).to_contain_text("グラインダーのふたが割れていました。")
    await takahashi.accept()
    await takahashi.reply("お待たせしました。高橋です。")
    await expect(visitor.talk).to_contain_text("お待たせしました。高橋です。")
    await visitor.write("交換できますか？")
    await expect(takahashi.timeline).to_contain_text("交換できますか？")

    await takahashi.page.reload()
    await expect(takahashi.timeline).to_contain_text("交換できますか？")
    await visitor.come_back()
    await expect(visitor.talk).to_contain_text("お待たせしました。高橋です。")

    liam = await demo.agent("liam", locale="en-US", dark=True)
    await liam.available()
    await takahashi.transfer("Liam Chen", "Grinder lid broken, wants an exchange.")
    await expect(liam.offer).to_contain_text("Grinder lid broken, wants an exchange.")
    await liam.accept()
    await expect(liam.timeline).to_contain_text("グラインダーのふたが割れていました。")

    demo.server.kill()
    await liam.composer.click()
    await liam.page.keyboard.insert_text("A new lid is on its way.")
    await liam.page.keyboard.press("Enter")
    await demo.server.start()
    await expect(visitor.talk).to_contain_text("A new lid is on its way.", timeout=30_000)
    await visitor.write("助かります。")
    await expect(liam.timeline).to_contain_text("助かります。", timeout=30_000)

    assert demo.faults == []
    assert demo.foreign == []


async def test_an_sms_is_answered_and_its_delivery_is_seen(demo: Demo) -> None:
    takahashi = await demo.agent("takahashi")
    await takahashi.available()
    await sms(demo, "今日中に届きますか？")
    await expect(takahashi.offer).to_contain_text("今日中に届きますか？")
    await takahashi.accept()
    await takahashi.reply("本日お届けします。")
    delivered = takahashi.words["message"]["state"]["delivered"]
    await expect(takahashi.timeline).to_contain_text(delivered)
    assert demo.faults == []
