"""One agent's shift: other addresses, own keys, blocks, a lost connection, wrap-up, away."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.people import Agent, Demo, Visitor
from tests.e2e.test_accessible import clean
from tests.e2e.test_center_opens import PHONE, sms

pytestmark = pytest.mark.browser

QUESTION = "注文した豆はいつ届きますか？"
SHOWN = "090-5550-0187"
assert SHOWN.replace("-", "") == PHONE


async def member(demo: Demo) -> Visitor:
    """Open the shop's chat as a customer who is signed in there."""
    page = await demo.page(width=1280)
    visitor = Visitor(demo, page, "ja")
    await page.goto(f"{demo.server.url}/demo/shop")
    async with page.expect_response("**/demo/shop/identity"):
        await page.locator("#member").click()
    await page.get_by_role("button", name=visitor.words["open"]).click()
    await visitor.panel.get_by_role("button", name=visitor.words["start"]).click()
    return visitor


async def to_the_desk(agent: Agent) -> None:
    """Take the focus out of every field."""
    await agent.page.locator("header h2").click()


async def test_a_shift_at_the_finished_desk(demo: Demo) -> None:
    agent = await demo.agent("takahashi")
    await agent.available()
    await sms(demo, QUESTION)
    await agent.accept()
    await agent.reply("本日お届けします。")
    visitor = await member(demo)
    await visitor.write("チャットでもお聞きします。")
    await agent.accept()

    await answer_by_sms(agent, visitor)
    await follow_the_page(visitor)
    await give_a_key(agent, await demo.agent("takahashi"))
    await move_a_block(agent)
    await lose_the_connection(demo, agent)
    await leave_after_this_work(demo, agent)
    assert demo.faults == []
    assert demo.foreign == []


async def answer_by_sms(agent: Agent, visitor: Visitor) -> None:
    """The customer's number is offered; the reply goes there, and not into the chat."""
    words = agent.words["composer"]
    aim = agent.page.locator(".aim")
    await expect(agent.composer).to_be_focused()
    await aim.click()
    await agent.page.get_by_role("menuitemcheckbox", name=SHOWN).click()
    await expect(aim).to_have_accessible_name(words["goesTo"].replace("{to}", f"SMS {SHOWN}"))
    await clean(agent.page, "a reply to another address")
    await agent.reply("SMS でお送りします。")
    sent = agent.page.locator(".message.out", has_text="SMS でお送りします。")
    await expect(sent).to_contain_text(SHOWN)
    await expect(sent).to_contain_text(agent.words["message"]["state"]["delivered"])
    await agent.page.reload()
    await expect(aim).to_contain_text(SHOWN)
    await expect(agent.composer).to_be_focused()
    await aim.click()
    await agent.page.get_by_role("menuitemcheckbox").first.click()
    await expect(agent.composer).to_be_focused()
    await agent.reply("こちらにもお返事します。")
    await expect(visitor.talk).to_contain_text("こちらにもお返事します。")
    await expect(visitor.talk).not_to_contain_text("SMS でお送りします。")


async def follow_the_page(visitor: Visitor) -> None:
    """The open widget speaks what its page speaks, and is dark with it."""
    page = visitor.page
    colour = "() => getComputedStyle(document.querySelector('#madoguchi')).colorScheme"
    await page.evaluate("document.documentElement.lang = 'en'")
    await expect(page.locator("#madoguchi .all")).to_have_attribute("lang", "en")
    await expect(visitor.panel.get_by_role("button", name="Send")).to_be_visible()
    await page.evaluate("document.documentElement.style.colorScheme = 'dark'")
    await page.wait_for_function(f"({colour})() === 'dark'")
    await page.evaluate("document.documentElement.lang = 'ja'")
    await expect(visitor.panel.get_by_role("button", name=visitor.words["send"])).to_be_visible()


async def give_a_key(agent: Agent, elsewhere: Agent) -> None:
    """A clash names the other act; another key works at once, and on another machine."""
    page, words = agent.page, agent.words["keys"]
    reply = words["change"].replace("{act}", words["act"]["reply"])
    await to_the_desk(agent)
    await page.keyboard.press("?")
    await page.get_by_role("button", name=reply).click()
    await page.keyboard.press("n")
    clash = words["clash"].replace("{key}", "N").replace("{act}", words["act"]["note"])
    await expect(page.get_by_text(clash)).to_be_visible()
    async with page.expect_response("**/agents/me/preferences"):
        await page.keyboard.press("q")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    for one in (page, elsewhere.page):
        if one is not page:
            await one.goto(page.url)
            await expect(elsewhere.composer).to_be_visible()
            await one.reload()
        await one.locator("header h2").click()
        await one.keyboard.press("r")
        await expect(one.locator(".composer textarea")).not_to_be_focused()
        await one.keyboard.press("q")
        await expect(one.locator(".composer textarea")).to_be_focused()
    await elsewhere.page.close()


async def titles(page: Page) -> list[str]:
    """Return the blocks of the customer's panel, in their order."""
    shown = await page.locator("#customer-panel .fold").all_inner_texts()
    return [each.split("\n")[0].strip() for each in shown]


async def move_a_block(agent: Agent) -> None:
    """By keyboard and by pointer, folded or not; it is so after a reload, too."""
    page = agent.page
    handle = page.locator("[data-handle=earlier]")
    await handle.focus()
    async with page.expect_response("**/agents/me/preferences"):
        await page.keyboard.press("ArrowUp")
    await expect(handle).to_be_focused()
    last = agent.words["customer"]["open"]
    await expect(page.locator("#customer-panel .fold").last).to_contain_text(last)
    await page.locator("#customer-panel .fold").last.click()
    page_block = page.locator("[data-handle=page]")
    await page_block.hover()
    await page.mouse.down()
    top = await box(page.locator("#customer-panel .fold").first)
    async with page.expect_response("**/agents/me/preferences"):
        await page.mouse.move(top["x"] + 300, top["y"] + 2, steps=5)
        await page.mouse.up()
    order = await titles(page)
    assert order[0].startswith(agent.words["customer"]["page"])
    await page.reload()
    await expect(page.locator("#customer-panel .fold").first).to_contain_text(order[0].strip())
    assert await titles(page) == order
    await expect(page.locator("#customer-panel .fold").last).to_have_attribute(
        "aria-expanded", "false"
    )


async def box(what: Locator) -> dict[str, Any]:
    """Return where something is."""
    found = await what.bounding_box()
    assert found is not None
    return dict(found)


async def lose_the_connection(demo: Demo, agent: Agent) -> None:
    """The banner tells it; nothing under the hand moves and nothing covers the composer."""
    page = agent.page
    places = [page.locator(name) for name in (".composer", ".presence", ".search", "header h2")]
    before = [await box(place) for place in places]
    demo.server.kill()
    banner = page.locator(".banner.warn")
    await expect(banner).to_be_visible()
    during = [await box(place) for place in places]
    for x in ("x", "y", "height"):
        assert [b[x] for b in during] == [b[x] for b in before]
    assert (await box(banner))["y"] + (await box(banner))["height"] <= 48
    await demo.server.start()
    await expect(page.locator(".banner.ok")).to_be_visible()


async def leave_after_this_work(demo: Demo, agent: Agent) -> None:
    """Nothing new comes; the wrap-up counts down and is extended; then the agent is away."""
    page, words = agent.page, agent.words
    await page.locator(".presence").click()
    await page.get_by_role("menuitem", name=words["presence"]["whenDone"]).press("ArrowRight")
    await page.get_by_role("menuitemcheckbox", name=words["away"]["lunch"]).click()
    after = words["presence"]["afterFor"].replace("{reason}", words["away"]["lunch"])
    await expect(page.locator(".presence")).to_contain_text(after)
    supervisor = await demo.agent("okamoto")
    await supervisor.page.goto(f"{demo.server.url}/board")
    row = supervisor.page.get_by_role("row", name="高橋 直子")
    await expect(row).to_contain_text(after)

    await to_the_desk(agent)
    await page.keyboard.press("e")
    timer = page.get_by_role("timer")
    await expect(timer).to_contain_text("1:5")
    await page.get_by_role("button", name=words["wrapUp"]["extend"]).click()
    await expect(timer).to_contain_text("2:2")
    await page.get_by_role("radio").first.click()
    await page.get_by_role("button", name=words["wrapUp"]["finishAndLeave"], exact=True).click()
    await expect(page.locator(".presence.away")).to_contain_text(words["away"]["lunch"])
    await expect(row).not_to_contain_text(after)
