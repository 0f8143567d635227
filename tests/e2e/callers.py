"""People who talk with each other by their browsers, with microphones that hum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from playwright.async_api import Locator, Page, expect

from tests.e2e.houses import House
from tests.e2e.people import Agent, words
from tests.support.browser import DEVICES
from tests.support.waiting import wait_for

CALLS = """
[account.shop.settings]
calls = "video"
"""

FLAGS = (
    *DEVICES,
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
)

REMEMBER = """
window.connections = []
window.RTCPeerConnection = class extends RTCPeerConnection {
  constructor(...given) { super(...given); window.connections.push(this) }
}
"""

COUNT = """(kind) => {
  const open = window.connections.filter((one) => one.connectionState !== 'closed')
  return Promise.all(open.map(async (one) => {
    const sum = { sent: 0, received: 0 }
    for (const each of (await one.getStats()).values()) {
      if (each.kind !== kind) continue
      if (each.type === 'outbound-rtp') sum.sent += each.packetsSent
      if (each.type === 'inbound-rtp') sum.received += each.packetsReceived
    }
    return sum
  }))
}"""


@dataclass(frozen=True)
class Line:
    """One end of a call: a page, and what goes through its connections."""

    page: Page

    async def each(self, kind: str = "audio") -> list[dict[str, int]]:
        """Return packets sent and received by each of the page's open connections."""
        return list(await self.page.evaluate(COUNT, kind))

    async def count(self, kind: str = "audio") -> dict[str, int]:
        """Return packets sent and received by all of them."""
        found = await self.each(kind)
        return {way: sum(one[way] for one in found) for way in ("sent", "received")}

    async def flows(self, kind: str = "audio") -> None:
        """Wait until packets go both ways."""
        before = await self.count(kind)
        await wait_for(lambda: self._more(kind, before), f"{kind} flows both ways")

    async def _more(self, kind: str, before: dict[str, int]) -> bool:
        now = await self.count(kind)
        return all(now[way] > before[way] + 10 for way in ("sent", "received"))

    async def rests(self) -> None:
        """Wait until no sound goes out of this page any more."""
        last = -1

        async def still() -> bool:
            nonlocal last
            before, last = last, (await self.count())["sent"]
            return before == last

        await wait_for(still, "silence", every=0.5)


@dataclass(frozen=True)
class Caller:
    """A visitor who calls from the shop's page."""

    page: Page
    words: dict[str, Any]

    @property
    def line(self) -> Line:
        """Their end of the call."""
        return Line(self.page)

    def button(self, word: str) -> Locator:
        """A button by its word."""
        return self.page.get_by_role("button", name=self.words[word], exact=True)

    async def call(self, word: str = "call") -> None:
        """Look at the microphone, and call."""
        await self.button(word).click()
        await self.button("begin").click()
        await expect(self.page.get_by_text(self.words["ringing"])).to_be_visible()


async def caller(house: House, locale: str = "ja-JP") -> Caller:
    """Open the shop and its chat in a browser that remembers its connections."""
    page = await house.page(locale=locale, width=1280)
    await page.add_init_script(REMEMBER)
    await page.goto(f"{house.url}{house.shop}")
    catalogue = words(locale[:2])
    await page.get_by_role("button", name=catalogue["widget"]["open"]).click()
    return Caller(page, catalogue["widgetCall"])


async def desk(house: House, name: str, locale: str = "ja-JP") -> Agent:
    """Sign somebody in whose browser remembers its connections."""
    agent = await house.agent(name, locale=locale)
    await agent.page.add_init_script(REMEMBER)
    await agent.page.reload()
    await expect(agent.page.locator(".self")).to_be_visible()
    return agent


def bar(agent: Agent, channel: str = "voice") -> Locator:
    """The call's bar at a desk."""
    return agent.page.get_by_role("region", name=agent.words["call"]["title"][channel], exact=True)


async def answer(agent: Agent) -> None:
    """Take the call that is offered, and be connected."""
    await expect(agent.offer).to_be_visible()
    await agent.page.keyboard.press("F2")
    await expect(bar(agent).locator(".leg.connected")).to_be_visible()


async def hang_up(agent: Agent) -> None:
    """End the call and the work after it."""
    await bar(agent).get_by_role("button", name=agent.glossary["endCall"]).click()
    await expect(bar(agent)).to_have_count(0)
    await wrap_up(agent)


async def wrap_up(agent: Agent) -> None:
    """Say what came of the call."""
    await agent.page.get_by_role("radio", name="Solved").click()
    await agent.page.get_by_role("button", name=agent.words["wrapUp"]["finish"]).click()
    await expect(agent.page.get_by_role("radio", name="Solved")).to_have_count(0)
