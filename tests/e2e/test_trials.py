"""A supervisor tunes a queue on a recorded day, applies it and rolls it back, while a center of 200
agents works.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Page, expect

from tests.e2e.houses import House
from tests.e2e.test_accessible import clean
from tests.support.center import Crowd, crowded
from tests.support.days import Came, record
from tests.support.hubs import Running
from tests.support.waiting import wait_for

pytestmark = pytest.mark.browser

RUNS_MS = 90_000
AGENTS = 200


def a_day() -> list[Came]:
    """Return a day on which twelve of the agents were there and wrap-up took long."""
    numbers = random.Random(4)  # noqa: S311
    at, found = 8 * 3600.0, []
    while at < 16 * 3600:
        at += numbers.expovariate(1 / 22)
        left = numbers.random() < 0.08
        talk = None if left else numbers.expovariate(1 / 180)
        agent = f"crowd{numbers.randrange(12)}"
        found.append(Came(at, numbers.expovariate(1 / 40), talk, 60, 2, agent=agent))
    return found


async def remember(here: Running) -> None:
    """Give the hub a yesterday."""
    zone = here.hub.settings.zone or datetime.now(UTC).astimezone().tzinfo
    midnight = here.hub.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0)
    begins = midnight.replace(microsecond=0) - timedelta(days=1)
    there = {f"crowd{n}": [(8 * 3600.0, 16.5 * 3600)] for n in range(12)}
    await record(here.hub, a_day(), there, begins)


async def goes_on(crowd: Crowd) -> None:
    """Wait until the center has answered more, and left nobody behind."""
    before = crowd.answered
    await wait_for(lambda: crowd.answered > before + 3, "the center goes on")
    assert crowd.written - crowd.answered < 20


async def wrap_up(here: Running) -> float:
    return here.hub.configuration.catalog.queues["orders"].object.wrap_up_s


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_tuned_tried_applied_and_rolled_back(house: House, locale: str, dark: bool) -> None:
    here = house.here
    agents = 0 if "crowd0" in here.hub.configuration.catalog.agents else AGENTS
    async with crowded(here, AGENTS) as crowd:
        if agents:
            await remember(here)
        sue = await house.agent("sue", locale=locale, dark=dark)
        await sue.speak(locale[:2])
        page, words = sue.page, sue.words
        await page.goto(f"{house.url}/admin/queues")
        await page.get_by_role("link", name="Orders").click()
        await page.get_by_label(words["admin"]["field"]["wrap_up_s"]).fill("15")
        await page.get_by_role("button", name=sue.glossary["tryItFirst"]).click()
        dialog = page.get_by_role("dialog")
        trial = words["trial"]
        done = trial["progress"]["done"].replace("{of}", "20")
        await expect(dialog.get_by_role("progressbar", name=done)).to_be_visible(timeout=RUNS_MS)
        level = dialog.get_by_role("row", name=trial["figure"]["service_level"])
        await expect(level).to_contain_text(trial["verdict"]["better"])
        await expect(dialog.get_by_role("row", name="Front")).to_contain_text(
            trial["verdict"]["less"]
        )
        await clean(page, "a trial")
        await goes_on(crowd)
        await applied_and_back(page, here, trial, sue.glossary["rollBack"])
        await goes_on(crowd)
        await expect(page.get_by_label(words["admin"]["field"]["wrap_up_s"])).to_have_value("0")
    assert house.faults == []


async def applied_and_back(page: Page, here: Running, words: dict[str, str], back: str) -> None:
    """Apply what was tried with the keyboard, then take it back."""
    dialog = page.get_by_role("dialog")
    await dialog.get_by_role("textbox").last.fill("tried on yesterday")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(dialog.get_by_role("status").last).to_contain_text(
        words["applied"].partition("{")[0].strip()
    )
    assert await wrap_up(here) == 15
    await dialog.get_by_role("button", name=back).click()
    await expect(dialog.get_by_role("button", name=back)).to_have_count(0)
    await wait_for(lambda: _stands(here, 0), "rolled back")
    await dialog.get_by_role("button", name=words["close"]).last.click()
    await expect(dialog).to_have_count(0)


def _stands(here: Running, seconds: float) -> bool:
    return here.hub.configuration.catalog.queues["orders"].object.wrap_up_s == seconds


async def test_a_day_without_contacts_and_a_bad_change_are_told(house: House) -> None:
    sue = await house.agent("sue")
    page, words = sue.page, sue.words
    await page.goto(f"{house.url}/admin/queues/orders")
    await page.get_by_label(words["admin"]["field"]["priority"]).fill("-1")
    await page.get_by_role("button", name=sue.glossary["tryItFirst"]).click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator(".faults")).to_contain_text(words["admin"]["field"]["priority"])
    await page.get_by_label(words["admin"]["field"]["priority"]).fill("2")
    await page.get_by_role("button", name=sue.glossary["tryItFirst"]).click()
    dialog = page.get_by_role("dialog")
    day = dialog.get_by_label(words["trial"]["day"])
    await day.fill("2020-01-01")
    await expect(dialog.get_by_role("alert")).to_contain_text("2020-01-01")
    await page.keyboard.press("Escape")
    await expect(dialog).to_have_count(0)
