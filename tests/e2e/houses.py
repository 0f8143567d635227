"""A hub in the test's own process that browsers visit, and the site that its chat is on."""

from __future__ import annotations

from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.e2e.people import Agent, Center
from tests.support.hubs import PASSWORD, Person, Running

SITE = """<!doctype html>
<html lang="ja"><head><meta charset="utf-8"><title>Minato</title></head>
<body><main><h1>Minato</h1><p>Coffee.</p></main>
<script src="/widget.js" data-account="shop"></script></body></html>"""


class House(Center):
    """The test's company; browsers reach it at ``url``, which may be a proxy's."""

    shop = "/site"

    def __init__(self, here: Running, browser: Browser, url: str = "") -> None:
        super().__init__(url or here.url, browser)
        self.here = here

    def password(self, name: str) -> str:
        """Return the password that all of them have."""
        return PASSWORD

    async def agent(
        self, name: str, *, locale: str = "ja-JP", dark: bool = False, forced: bool = False
    ) -> Agent:
        """Sign an agent in without the page for it, which other tests go through."""
        page = await self.page(locale=locale, dark=dark, forced=forced)
        body = {"name": name, "password": self.password(name)}
        signed = await page.request.post(f"{self.url}/api/v1/session", data=body)
        assert signed.ok, await signed.text()
        await page.goto(f"{self.url}/")
        await expect(page.locator(".self")).to_be_visible()
        return Agent(self, page, name, locale[:2])

    async def page(
        self, *, locale: str = "ja-JP", dark: bool = False, width: int = 1440, forced: bool = False
    ) -> Page:
        """Open a page; at ``/site`` is a site that has the chat."""
        page = await super().page(locale=locale, dark=dark, width=width, forced=forced)
        await page.route(f"{self.url}{self.shop}", _site)
        return page


async def _site(route: Route) -> None:
    await route.fulfill(body=SITE, content_type="text/html; charset=utf-8")


async def choose(page: Page, opener: Locator, *names: str) -> None:
    """Choose from a menu and its submenus."""
    await opener.click()
    for name in names[:-1]:
        await page.get_by_role("menuitem", name=name, exact=True).press("ArrowRight")
    last = page.get_by_role("menuitem", name=names[-1])
    ticked = page.get_by_role("menuitemcheckbox", name=names[-1], exact=True)
    await last.or_(ticked).click()
    await expect(page.get_by_role("menu")).to_have_count(0)


async def written(person: Person, conversation: str, direction: str) -> list[str]:
    """Return the texts of a conversation that came ``in`` or went ``out``, oldest first."""
    answer = await person.call("GET", f"/conversations/{conversation}/timeline")
    return [
        part["text"]
        for message in answer["entries"]
        if message["direction"] == direction and message["conversation"] == conversation
        for part in message["parts"]
        if part["type"] == "text"
    ]


async def finish(sue: Person, *conversations: str) -> None:
    """End what a test has begun, so that the next one begins anew."""
    for conversation in conversations:
        path = f"/conversations/{conversation}"
        await sue.call("POST", f"{path}/end", {"inbound_seq": 1_000})
        await sue.call("POST", f"{path}/wrap-up", {"code": "solved"})
