"""A supervisor at the board acts on agents and their work; the agents' desks follow."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import Locator, expect

from tests.e2e.houses import House, choose
from tests.e2e.people import Agent

pytestmark = pytest.mark.browser

ENGLISH = """
[agent.tom]
name = "Tom"
language = "en"
roles = ["supervisor"]
teams = ["front"]
[agent.ben]
language = "en"
"""


async def at_the_board(house: House, name: str, locale: str) -> Agent:
    """Sign a supervisor in and open the board."""
    supervisor = await house.agent(name, locale=locale)
    await supervisor.page.goto(f"{house.url}/board")
    await expect(agent_row(supervisor, "Ann")).to_be_visible()
    return supervisor


def agent_row(board: Agent, name: str) -> Locator:
    """Return an agent's row."""
    return board.page.locator("section").last.get_by_role("row", name=name)


def part(board: Agent, title: str) -> Locator:
    """Return a part of the board by its heading."""
    heading = board.page.get_by_role("heading", name=title)
    return board.page.locator("section").filter(has=heading)


def acts_on(board: Agent, where: Locator, name: str) -> Locator:
    """Return the button with the acts on somebody."""
    label = board.words["board"]["actsOn"].replace("{name}", name)
    return where.get_by_role("button", name=label, exact=True)


async def end(board: Agent, piece: Locator, word: str) -> None:
    """End a conversation with its result."""
    await choose(board.page, piece, word)
    dialog = board.page.get_by_role("dialog")
    await dialog.get_by_role("radio", name="Solved").click()
    await dialog.get_by_role("button", name=word).click()
    await expect(dialog).to_be_hidden()


async def test_who_waits_and_who_works_is_live_and_presence_is_set(house: House) -> None:
    board = await at_the_board(house, "sue", "ja-JP")
    words = board.words
    waits = part(board, words["board"]["waiting"]).locator("tbody tr")
    ann = await house.agent("ann")
    row = agent_row(board, "Ann")

    await ann.available()
    await expect(row).to_contain_text(words["presence"]["available"])
    menu = acts_on(board, row, "Ann")
    await choose(board.page, menu, words["board"]["makeAway"], words["away"]["lunch"])
    told = words["presence"]["changedBy"].replace("{name}", "Sue")
    await expect(ann.page.locator(".presence.away")).to_contain_text(words["away"]["lunch"])
    await expect(ann.page.locator(".presence")).to_contain_text(told)
    await expect(row).to_contain_text(told)

    await house.here.sms("+819055500187", "届きません")
    await expect(waits).to_have_count(1)
    await expect(waits).to_contain_text(re.compile(r"#\d+"))
    waited = await waits.locator(".wait").inner_text()
    await expect(waits.locator(".wait")).not_to_have_text(waited)
    await choose(board.page, menu, words["board"]["makeAvailable"])
    await expect(ann.page.locator(".presence")).to_contain_text(words["presence"]["available"])
    await expect(waits).to_contain_text("Annさんに依頼中")
    await ann.accept()
    await expect(waits).to_have_count(0)
    await expect(row).to_contain_text(words["presence"]["busy"])
    await expect(row.locator(".piece")).to_have_attribute("title", re.compile(r"#\d+$"))

    await choose(board.page, menu, "対応枠", "2")
    await expect(ann.page.locator("header .capacity")).to_contain_text("1/2")
    await expect(row).to_contain_text("1/2")
    await end(board, row.locator(".piece"), "終了する")
    # What is open on the desk stays in its list until it is left, and says that it is over.
    await expect(ann.page.locator(".item")).to_contain_text("終了")
    await expect(ann.page.locator("header .capacity")).to_contain_text("0/2")
    assert house.faults == []
    assert house.foreign == []


async def test_work_is_reassigned_and_ended(house: House) -> None:
    await house.here.configure(ENGLISH)
    board = await at_the_board(house, "tom", "en-US")
    words = board.words
    ann, ben = await house.agent("ann"), await house.agent("ben", locale="en-US")
    await ann.available()
    await house.here.sms("+818055500142", "Where is my parcel?")
    await ann.accept()
    await ben.available()
    rows = {name: agent_row(board, name) for name in ("Ann", "Ben")}
    piece = board.page.locator(".piece")
    await expect(rows["Ann"].locator(piece)).to_be_visible()

    await choose(board.page, piece, words["board"]["reassign"], "Ben")
    await expect(rows["Ben"].locator(piece)).to_be_visible()
    await expect(rows["Ann"].locator(piece)).to_have_count(0)
    question = ben.page.locator(".item", has_text="Where is my parcel?")
    await expect(question).to_be_visible()
    await expect(ann.page.locator(".item", has_text="Where is my parcel?")).to_contain_text("Ben")
    await question.click()
    await ben.reply("It leaves today.")
    await expect(ann.page.locator(".composer.reply")).to_have_count(0)

    await end(board, piece, "End")
    await expect(piece).to_have_count(0)
    await expect(ben.page.locator(".item")).to_contain_text("Closed")
    await expect(rows["Ben"]).to_contain_text(words["presence"]["available"])
    assert house.faults == []


async def test_the_queues_of_today_are_told_live(house: House) -> None:
    sue = await at_the_board(house, "sue", "ja-JP")
    table = part(sue, sue.words["board"]["queues"])
    row = table.get_by_role("row", name="Orders")
    await expect(row).to_contain_text("–")
    ann = await house.agent("ann")
    await ann.available()
    await house.here.sms("+819055500100", "hello")
    await ann.offer.wait_for()
    await expect(row.get_by_role("cell").nth(0)).to_have_text("1")
    await ann.accept()
    await expect(row.get_by_role("cell").nth(0)).to_have_text("0")
    await expect(row).to_contain_text("100%")
    await expect(table.get_by_role("row", name="Returns")).to_contain_text("–")
    await sue.page.get_by_role("radio", name="Orders").click()
    await expect(table.get_by_role("row", name="SMS")).to_contain_text("100%")


async def test_agents_are_sorted_by_their_day_and_the_board_is_taken_away(house: House) -> None:
    sue = await at_the_board(house, "sue", "ja-JP")
    words = sue.words["board"]
    header = sue.page.get_by_role("columnheader", name=words["column"]["today"])
    await expect(header).to_have_attribute("aria-sort", "none")
    await header.get_by_role("button").click()
    await expect(header).to_have_attribute("aria-sort", "descending")
    async with sue.page.expect_download() as waiting:
        await choose(
            sue.page, sue.page.get_by_role("button", name=words["export"]), words["exportAgents"]
        )
    download = await waiting.value
    assert re.fullmatch(r"board-\d{8}-\d{4}\.csv", download.suggested_filename)
    assert house.faults == []


async def test_an_alert_is_told_on_every_page_and_leads_to_the_queue(house: House) -> None:
    await house.here.configure('[queue.orders]\nalerts = [{ when = "waiting", over = 1 }]')
    sue = await at_the_board(house, "sue", "ja-JP")
    words = sue.words["board"]
    alerts = sue.page.locator(".alerts li")
    await house.here.sms("+819055500710", "hello")
    await house.here.sms("+819055500711", "hello")
    told = words["alert"]["waiting"].replace("{over}", "1")
    await expect(alerts).to_contain_text(told)
    await expect(sue.page.locator(".rail .badge")).to_have_text("1")
    await alerts.get_by_role("link", name=words["tune"]).click()
    await sue.page.wait_for_url("**/admin/queues/orders")
    await house.here.configure('[queue.returns]\nalerts = [{ when = "waiting", over = 0 }]')
    await house.here.configure('[account.sms]\nqueue = "returns"')
    await house.here.sms("+819055500712", "hello")
    fresh = words["alert"]["waiting"].replace("{over}", "0")
    await expect(sue.page.get_by_role("listitem").filter(has_text=fresh)).to_be_visible()
    await expect(sue.page.locator(".rail .badge")).to_have_text("2")
    assert house.faults == []
