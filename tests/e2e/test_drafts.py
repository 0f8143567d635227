"""Drafts: what is being written outlives the sending of something else."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.e2e.houses import House, finish
from tests.e2e.people import Agent
from tests.support.hubs import Person, Stream

pytestmark = pytest.mark.browser


async def writing(house: House, phone: str) -> tuple[Agent, str, Stream]:
    """Return Ann in a conversation, its id, and a stream that hears of her drafts."""
    stream = await (await house.here.person("ann")).connect()
    ann = await house.agent("ann")
    await ann.available()
    await house.here.sms(phone, "こんにちは。")
    await ann.accept()
    await ann.composer.click()
    return ann, ann.page.url.split("/")[-1].split("#")[0], stream


def draft(stream: Stream, conversation: str) -> str:
    """Return the text of Ann's draft as the hub has it."""
    view = stream.of("draft", f"{conversation}:{stream.person.id}")
    return str(view.get("text", ""))


def answered(stream: Stream, conversation: str) -> bool:
    """Tell whether a reply has gone out."""
    return bool(stream.of("conversation", conversation).get("state") == "waiting_customer")


async def end(house: House, conversation: str) -> Person:
    """End what a test has begun; return who did it."""
    sue = await house.here.person("sue")
    await finish(sue, conversation)
    return sue


async def tab(house: House, page: Page, conversation: str) -> Page:
    """Open the conversation in another tab of the same browser."""
    other = await page.context.new_page()
    await other.goto(f"{house.url}/inbox/open/{conversation}")
    await expect(other.locator(".composer textarea")).to_be_visible()
    return other


async def test_the_draft_of_the_next_reply_outlives_the_sending_of_the_one_before(
    house: House,
) -> None:
    ann, here, stream = await writing(house, "+819055500111")
    saved = asyncio.Event()

    async def late(route: Route) -> None:
        await saved.wait()
        await route.continue_()

    await ann.page.route("**/messages", late)
    await ann.reply("first")
    await ann.page.keyboard.insert_text("second")
    await stream.until(lambda s: draft(s, here) == "second", "the draft")
    saved.set()
    await stream.until(lambda s: answered(s, here), "the reply")
    await stream.until(lambda s: draft(s, here) == "second", "the draft, again")
    await expect(ann.composer).to_have_value("second")
    other = await tab(house, ann.page, here)
    await expect(other.locator(".composer textarea")).to_have_value("second")
    await ann.page.reload()
    await expect(ann.composer).to_have_value("second")
    await end(house, here)
    assert house.faults == []


async def test_a_reply_from_one_tab_leaves_what_another_is_writing(house: House) -> None:
    ann, here, stream = await writing(house, "+819055500112")
    await ann.page.keyboard.insert_text("from tab one")
    await stream.until(lambda s: draft(s, here) == "from tab one", "the draft")
    other = await tab(house, ann.page, here)
    field = other.locator(".composer textarea")
    await expect(field).to_have_value("from tab one")
    await field.fill("from tab two")
    await field.press("Enter")
    await expect(field).to_have_value("")
    await stream.until(lambda s: answered(s, here), "the reply")
    await stream.until(lambda s: draft(s, here) == "from tab one", "the draft, again")
    await ann.page.reload()
    await expect(ann.composer).to_have_value("from tab one")
    await stream.until(lambda s: draft(s, here) == "from tab one", "the draft, at last")
    await end(house, here)
    assert house.faults == []


async def test_a_draft_that_the_hub_refuses_is_told_and_kept_in_the_tab(house: House) -> None:
    ann, here, _ = await writing(house, "+819055500113")
    puts: list[str] = []

    async def refuse(route: Route) -> None:
        puts.append(route.request.method)
        problem: dict[str, Any] = {"code": "too_large", "detail": "too large"}
        await route.fulfill(status=413, json=problem)

    await ann.page.route("**/draft", refuse)
    await ann.page.keyboard.insert_text("long")
    await expect(ann.page.locator(".unkept")).to_have_text(ann.words["unsent"]["draftRefused"])
    assert puts == ["PUT"]
    await ann.page.reload()
    await expect(ann.composer).to_have_value("long")
    await ann.page.unroute("**/draft")
    await ann.composer.fill("short")
    await expect(ann.page.locator(".unkept")).to_be_hidden()
    await ann.composer.fill("")
    await end(house, here)
    assert house.faults == []
