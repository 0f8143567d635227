"""People before browsers: agents at the desk, visitors in the shop."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.async_api import Browser, BrowserContext, Locator, Page, expect

from tests.support.browser import PATIENCE_MS
from tests.support.servers import Server

CATALOGUE = Path(__file__).resolve().parents[2] / "madoguchi" / "i18n" / "catalogue"

CHOSEN = """(language) => {
  const kept = JSON.parse(localStorage.getItem('madoguchi.settings') ?? '{}')
  localStorage.setItem('madoguchi.settings', JSON.stringify({ ...kept, language }))
}"""


def words(language: str) -> dict[str, Any]:
    """Return a language's catalogue."""
    return dict(json.loads((CATALOGUE / f"{language}.json").read_text(encoding="utf-8")))


class Center:
    """A center that browsers visit, and the profiles that were opened."""

    shop = "/demo/shop"
    """The page whose chat visitors use."""

    def __init__(self, url: str, browser: Browser) -> None:
        self.url = url
        self.browser = browser
        self.faults: list[str] = []
        self.foreign: list[str] = []
        self._contexts: list[BrowserContext] = []

    def password(self, name: str) -> str:
        """Return somebody's password."""
        raise NotImplementedError

    async def page(
        self, *, locale: str = "ja-JP", dark: bool = False, width: int = 1440, forced: bool = False
    ) -> Page:
        """Open a page in a profile of its own; faults and foreign requests are remembered.

        ``forced``: with the system's own few colours.
        """
        context = await self.browser.new_context(
            locale=locale,
            timezone_id="Asia/Tokyo",
            viewport={"width": width, "height": 900},
            color_scheme="dark" if dark else "light",
            forced_colors="active" if forced else "none",
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = await context.new_page()
        page.on("pageerror", lambda fault: self.faults.append(str(fault)))
        page.on("request", lambda request: self._asked(request.url))
        return page

    def _asked(self, url: str) -> None:
        own = (self.url, self.url.replace("http", "ws"), "data:", "blob:")
        if not url.startswith(own):
            self.foreign.append(url)

    async def agent(
        self, name: str, *, locale: str = "ja-JP", dark: bool = False, forced: bool = False
    ) -> Agent:
        """Sign an agent in."""
        page = await self.page(locale=locale, dark=dark, forced=forced)
        agent = Agent(self, page, name, locale[:2])
        await agent.sign_in()
        return agent

    async def visitor(self, *, locale: str = "ja-JP", forced: bool = False) -> Visitor:
        """Open the shop with the chat."""
        page = await self.page(locale=locale, width=1280, forced=forced)
        visitor = Visitor(self, page, locale[:2])
        await visitor.arrive()
        return visitor

    async def close(self) -> None:
        """Close every profile."""
        for context in self._contexts:
            await context.close()


class Demo(Center):
    """The running demo in a process of its own."""

    def __init__(self, server: Server, browser: Browser) -> None:
        super().__init__(server.url, browser)
        self.server = server

    @property
    def kept(self) -> dict[str, str]:
        """The demo's passwords and secrets."""
        return dict(json.loads((self.server.folder / "demo.json").read_text()))

    def password(self, name: str) -> str:
        """Return the password that the demo has made."""
        return self.kept[name]


class Agent:
    """Somebody at the desk, by the words of their language."""

    def __init__(self, center: Center, page: Page, name: str, language: str) -> None:
        self.center = center
        self.page = page
        self.name = name
        self.words = words(language)["desk"]
        self.glossary = words(language)["words"]

    async def sign_in(self) -> None:
        """Sign in by name and password."""
        await self.page.goto(f"{self.center.url}/")
        login = self.words["login"]
        await self.page.get_by_label(login["name"]).fill(self.name)
        await self.page.locator("input[type=password]").fill(self.center.password(self.name))
        await self.page.keyboard.press("Enter")
        await expect(self.page.locator(".self")).to_be_visible()

    async def speak(self, language: str) -> None:
        """Choose the desk's language, whatever the person's account says.

        Not on the desk's own page, which may keep its settings at the same moment.
        """
        here = self.page.url
        await self.page.goto(f"{self.center.url}/favicon.svg")
        await self.page.evaluate(CHOSEN, language)
        await self.page.goto(here)
        await expect(self.page.locator("html")).to_have_attribute("lang", language)
        await expect(self.page.locator(".self")).to_be_visible()

    async def available(self) -> None:
        """Set the presence by key: G, then 1."""
        await expect(self.page.locator(".presence")).to_be_visible()
        await self.page.keyboard.press("g")
        await self.page.keyboard.press("1")
        await expect(self.page.locator(".presence.available")).to_be_visible()

    @property
    def offer(self) -> Locator:
        """The first offer."""
        return self.page.get_by_role("alertdialog").first

    async def accept(self) -> None:
        """Accept the first offer by key."""
        await expect(self.offer).to_be_visible()
        await self.page.keyboard.press("F2")
        await expect(self.composer).to_be_visible()

    @property
    def composer(self) -> Locator:
        """Where the agent writes."""
        return self.page.locator(".composer textarea")

    @property
    def timeline(self) -> Locator:
        """Everything between the customer and the center."""
        return self.page.get_by_role("log")

    async def reply(self, text: str) -> None:
        """Write and send with Enter."""
        await self.composer.click()
        await self.page.keyboard.insert_text(text)
        await self.page.keyboard.press("Enter")
        await expect(self.composer).to_have_value("")

    async def transfer(self, to: str, summary: str) -> None:
        """Transfer the open conversation to a colleague with reason and summary."""
        await self.page.keyboard.press("Escape")
        await self.page.keyboard.press("t")
        dialog = self.page.get_by_role("dialog")
        kinds = dialog.get_by_role("radiogroup").first.get_by_role("radio")
        await kinds.nth(1).click()
        await dialog.get_by_text(to).click()
        reason = self.words["transfer"]["reason"]["expert"]
        await dialog.get_by_role("radio", name=reason).click()
        await dialog.get_by_role("textbox").fill(summary)
        await dialog.get_by_role("button", name=self.words["transfer"]["do"]).click()
        await expect(dialog).to_be_hidden()


class Visitor:
    """Somebody in the shop; the widget is in an open shadow root."""

    def __init__(self, center: Center, page: Page, language: str) -> None:
        self.center = center
        self.page = page
        self.words = words(language)["widget"]

    async def arrive(self) -> None:
        """Open the shop and the chat."""
        await self.page.goto(f"{self.center.url}{self.center.shop}")
        await self.page.get_by_role("button", name=self.words["open"]).click()
        await self.panel.get_by_role("button", name=self.words["start"]).click()
        await expect(self.field).to_be_visible()

    async def come_back(self) -> None:
        """Reload the page and open the chat where it was."""
        await self.page.reload()
        await self.page.get_by_role("button", name=self.words["open"]).click()
        resume = self.panel.get_by_role("button", name=self.words["resume"])
        await expect(resume.or_(self.talk).first).to_be_visible()
        if await resume.count():
            await resume.click()
        await expect(self.field).to_be_visible()

    @property
    def panel(self) -> Locator:
        """The open widget."""
        return self.page.get_by_role("dialog")

    @property
    def field(self) -> Locator:
        """Where the visitor writes."""
        return self.panel.get_by_role("textbox")

    @property
    def talk(self) -> Locator:
        """What was said."""
        return self.panel.get_by_role("log")

    async def write(self, text: str) -> None:
        """Write and send with Enter."""
        await self.field.click()
        await self.page.keyboard.insert_text(text)
        await self.page.keyboard.press("Enter")
        await expect(self.talk).to_contain_text(text)
