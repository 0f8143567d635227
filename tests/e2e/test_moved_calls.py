"""Calls that go to somebody else, or are ended by somebody else, and what their customer hears."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import expect

from madoguchi.security.tables import audit
from tests.e2e.callers import (
    CALLS,
    FLAGS,
    Caller,
    Line,
    answer,
    bar,
    caller,
    desk,
    hang_up,
    wrap_up,
)
from tests.e2e.houses import House
from tests.e2e.test_accessible import clean
from tests.hub.test_opening_hours import rows
from tests.support.browser import running_browser
from tests.support.hubs import Running

pytestmark = pytest.mark.browser

EVERY_MS = 50
LISTEN = """(every) => {
  window.longest = 0
  let [last, since] = [-1, performance.now()]
  setInterval(async () => {
    let now = 0
    for (const one of window.connections) {
      if (one.connectionState === 'closed') continue
      for (const each of (await one.getStats()).values()) {
        if (each.type === 'inbound-rtp' && each.kind === 'audio') now += each.packetsReceived
      }
    }
    if (now !== last) since = performance.now()
    window.longest = Math.max(window.longest, performance.now() - since)
    last = now
  }, every)
}"""


@pytest_asyncio.fixture(loop_scope="session")
async def talking(here: Running) -> AsyncIterator[House]:
    """The module's hub before a browser with a microphone."""
    await here.configure(CALLS)
    async with running_browser(*FLAGS) as browser:
        house = House(here, browser)
        yield house
        await house.close()
        assert house.faults == []


async def silence(visitor: Caller) -> float:
    """Return the longest time in seconds for which no packet has come to a visitor."""
    return float(await visitor.page.evaluate("window.longest")) / 1000


async def test_a_call_goes_to_a_colleague_and_its_customer_hears_on(talking: House) -> None:
    ann, ben = await desk(talking, "ann"), await desk(talking, "ben")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    await visitor.line.flows()
    await ben.available()
    await clean(ann.page, "a call at the desk")
    await clean(visitor.page, "a call in the widget")
    await visitor.page.evaluate(LISTEN, EVERY_MS)

    await bar(ann).get_by_role("button", name=ann.glossary["transfer"]).click()
    dialog = ann.page.get_by_role("dialog")
    await dialog.get_by_role("radiogroup").first.get_by_role("radio").nth(1).click()
    await dialog.get_by_role("radio", name="Ben").click()
    transfer = ann.words["transfer"]
    await dialog.get_by_role("radio", name=transfer["reason"]["expert"]).click()
    await dialog.get_by_role("textbox").fill("ふたの割れたグラインダーの交換")
    await dialog.get_by_role("button", name=transfer["do"]).click()
    await expect(ben.offer).to_contain_text("Ann")
    await visitor.line.flows()
    assert await silence(visitor) < 1, "until somebody comes the customer hears the agent"

    began = time.monotonic()
    await ben.page.keyboard.press("F2")
    await expect(bar(ben).locator(".leg.connected")).to_be_visible()
    talks = visitor.words["talking"].replace("{name}", "Ben")
    await expect(visitor.page.get_by_text(talks)).to_be_visible()
    for line in (visitor.line, Line(ben.page)):
        await line.flows()
    change = time.monotonic() - began
    assert await silence(visitor) <= change
    end = ann.glossary["endCall"]
    await expect(bar(ann).get_by_role("button", name=end)).to_have_count(0)
    assert await Line(ann.page).each() == [], "Ann is out of it"
    await hang_up(ben)


async def test_a_supervisor_ends_a_call_after_a_question(talking: House) -> None:
    ann, sue = await desk(talking, "ann"), await desk(talking, "sue")
    await ann.available()
    visitor = await caller(talking)
    await visitor.call()
    await answer(ann)
    await sue.page.goto(f"{talking.url}/calls")
    words = sue.words["call"]["live"]
    name = words["end"].replace("{name}", sue.words["customer"]["unknown"])
    end = sue.page.get_by_role("button", name=name)
    await end.click()
    dialog = sue.page.get_by_role("dialog")
    await expect(dialog).to_contain_text("Ann")
    await clean(sue.page, "the question before a call is ended")
    await dialog.get_by_role("button", name=sue.words["act"]["cancel"]).click()
    await visitor.line.flows()
    await end.click()
    await dialog.get_by_role("button", name=sue.glossary["endCall"]).click()
    await expect(visitor.page.get_by_text(visitor.words["ended"])).to_be_visible()
    await expect(sue.page.get_by_text(words["none"])).to_be_visible()
    why = ann.words["call"]["why"]["ended_by_supervisor"]
    await expect(ann.timeline).to_contain_text(why)
    ends = [row for row in await rows(talking.here, audit) if row["action"] == "call.hang_up"]
    assert len(ends) == 2, "Ben's, and hers"
    await wrap_up(ann)
