"""A supervisor plans a day on its page: how many agents it needs, and what gives most."""

from __future__ import annotations

import csv
import io
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.e2e.houses import House
from tests.e2e.test_accessible import clean
from tests.support.days import Came, record

pytestmark = pytest.mark.browser

RUNS_MS = 90_000
COMPANY = """
[skill.return]
name = "返品"
name_en = "Return"
[queue.returns]
service_level_s = 30
requires = { return = 2 }
[team.back]
name = "返品チーム"
name_en = "Returns team"
serves = [{ queue = "returns" }]
[agent.rae]
name = "Rae"
units = 1
teams = ["back"]
skills = { return = 3 }
[agent.ned]
name = "Ned"
units = 1
teams = ["back"]
skills = {}
"""
THERE = [(8 * 3600.0, 18 * 3600.0)]


def a_day() -> list[Came]:
    """Return returns for which Rae is not enough."""
    numbers = random.Random(6)  # noqa: S311
    at, found = 9 * 3600.0, []
    while at < 15 * 3600:
        at += numbers.expovariate(1 / 100)
        left = numbers.random() < 0.1
        talk = None if left else numbers.expovariate(1 / 120)
        found.append(Came(at, 4 + numbers.expovariate(1 / 30), talk, 20, 3, "returns", "rae"))
    return found


async def prepared(house: House) -> None:
    """Give the hub a yesterday, once."""
    here = house.here
    if "rae" in here.hub.configuration.catalog.agents:
        return
    await here.configure(COMPANY)
    zone = here.hub.settings.zone or datetime.now(UTC).astimezone().tzinfo
    midnight = here.hub.clock.now().astimezone(zone).replace(hour=0, minute=0, second=0)
    begins = midnight.replace(microsecond=0) - timedelta(days=1)
    await record(here.hub, a_day(), {"rae": THERE, "ned": THERE}, begins)


def _text(path: Path) -> str:
    return path.read_text("utf-8-sig")


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_what_a_day_needs(house: House, locale: str, dark: bool) -> None:
    await prepared(house)
    sue = await house.agent("sue", locale=locale, dark=dark)
    await sue.speak(locale[:2])
    page, words = sue.page, sue.words["plan"]["staffing"]
    await page.get_by_role("link", name=sue.words["nav"]["plan"]).click()
    await page.get_by_role("combobox", name=sue.glossary["queue"]).select_option("returns")
    ten = page.get_by_role("row", name="10:00")
    await expect(ten).to_be_visible()
    needs = ten.get_by_role("cell").nth(1)
    before = int(await needs.inner_text())
    await page.get_by_label(words["share"]).fill("99")
    await page.get_by_label(words["away"]).fill("20")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("columnheader", name=words["paid"])).to_be_visible()
    await expect(needs).not_to_have_text(str(before))
    needed = int(await needs.inner_text())
    assert needed > before
    assert float(await ten.get_by_role("cell").nth(2).inner_text()) == pytest.approx(
        needed / 0.8, abs=0.06
    )
    async with page.expect_download() as begun:
        await page.get_by_role("link", name=words["export"]).click()
    text = _text(await (await begun.value).path())
    rows = list(csv.DictReader(io.StringIO(text)))
    (row,) = [one for one in rows if one["half_hour"] == "10:00"]
    assert (row["queue"], int(row["needed"])) == ("returns", needed)
    await clean(page, "the staffing of a day")
    assert house.faults == []


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_what_gives_most(house: House, locale: str, dark: bool) -> None:
    await prepared(house)
    sue = await house.agent("sue", locale=locale, dark=dark)
    await sue.speak(locale[:2])
    page, words = sue.page, sue.words["plan"]["moves"]
    await page.goto(f"{house.url}/plan/staffing?queue=returns")
    await page.get_by_role("link", name=words["title"]).press("Enter")
    await page.get_by_role("button", name=words["search"]).press("Enter")
    done = page.get_by_role("progressbar", name=words["done"].partition("{of}")[2].strip())
    await expect(done).to_be_visible(timeout=RUNS_MS)
    skill = {"ja": "返品", "en": "Return"}[locale[:2]]
    learns = words["sentence"]["skill"].format(name="Ned", skill=skill, level=2)
    await expect(page.get_by_role("row", name=learns)).to_contain_text(words["harmsNone"])
    best = page.get_by_role("row").nth(1)
    await expect(best.locator(".tag.ok")).to_be_visible()
    await expect(page.locator(".strip.good")).to_be_visible()
    await clean(page, "what gives most")
    await page.get_by_role("textbox", name=sue.words["trial"]["day"], exact=True).fill("2020-01-01")
    await expect(page.get_by_role("row")).to_have_count(0)
    await page.get_by_role("button", name=words["search"]).click()
    await expect(page.get_by_role("alert").filter(has_text="2020-01-01")).to_be_visible()
    assert house.faults == []


async def test_what_gives_most_is_tried_on_top(house: House) -> None:
    """From the foot of a trial: found, added, tried with it, and taken out again."""
    await prepared(house)
    sue = await house.agent("sue", locale="en-US")
    await sue.speak("en")
    page, trial, moves = sue.page, sue.words["trial"], sue.words["plan"]["moves"]
    await page.goto(f"{house.url}/admin/queues/returns")
    await page.get_by_label(sue.words["admin"]["field"]["wrap_up_s"]).fill("10")
    await page.get_by_role("button", name=sue.glossary["tryItFirst"]).click()
    dialog = page.get_by_role("dialog")
    done = dialog.get_by_role("progressbar", name=trial["progress"]["done"].replace("{of}", "20"))
    await expect(done).to_be_visible(timeout=RUNS_MS)
    await expect(dialog.locator(".strip")).to_contain_text("Returns")
    await expect(dialog.get_by_text(trial["steps"])).to_be_visible()
    await dialog.get_by_role("button", name=moves["find"]).press("Enter")
    learns = moves["sentence"]["skill"].format(name="Ned", skill="Return", level=2)
    add = dialog.get_by_role("button", name=moves["add"])
    await expect(add).to_be_visible(timeout=RUNS_MS)
    await expect(dialog.get_by_text(learns)).to_be_visible()
    await clean(page, "a trial with the move that gives most")
    await add.press("Enter")
    added = moves["added"].replace("{move}", learns)
    await expect(dialog.get_by_text(added)).to_contain_text(moves["addedAgent"], timeout=RUNS_MS)
    await expect(done).to_be_visible(timeout=RUNS_MS)
    await expect(dialog.get_by_text("Agent Ned")).to_be_visible()
    await dialog.get_by_role("button", name=moves["remove"]).click()
    await expect(dialog.get_by_text(added)).to_have_count(0)
    await page.keyboard.press("Escape")
    assert house.faults == []
