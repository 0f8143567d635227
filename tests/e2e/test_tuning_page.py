"""How a queue is served is edited on its page: steps, other queues, help, order and weights."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from madoguchi.configuration.kinds import Queue
from tests.e2e.houses import House
from tests.e2e.test_accessible import clean
from tests.e2e.test_administration import administrator

pytestmark = pytest.mark.browser


def orders(house: House) -> Queue:
    return house.here.hub.configuration.catalog.queues["orders"].object


async def save(page: Page, words: dict[str, str], reason: str, label: str) -> None:
    await page.get_by_label(words["reason"]).fill(reason)
    await page.get_by_role("button", name=label).click()


async def test_steps_and_help_are_added_on_the_page(house: House) -> None:
    await house.here.configure(
        '[team.night]\nname = "夜間"\n[queue.orders]\nrequires = {order = 3}'
    )
    adam = await administrator(house, "queues/orders")
    page, words = adam.page, adam.words["admin"]
    step, field = words["step"], words["field"]
    await page.get_by_role("button", name=step["addRing"], exact=True).click()
    ring = page.get_by_role("group", name=f"{field['rings']} 1")
    await save(page, words, "試し", adam.words["act"]["save"])
    await expect(ring).to_contain_text(words["fault"]["ringWidensNothing"])
    await ring.get_by_role("radio", name=step["atLeast"].replace("{level}", "2")).click()
    await ring.get_by_role("checkbox", name="夜間").click()
    await ring.get_by_label(step["after"]).fill("45")

    await page.get_by_role("button", name=step["addOverflow"], exact=True).click()
    overflow = page.get_by_role("group", name=f"{field['overflow']} 1")
    await overflow.get_by_label(step["after"]).fill("300")
    await overflow.get_by_role("radio").first.click()

    await page.get_by_role("button", name=step["addHelp"], exact=True).click()
    help = page.get_by_role("group", name=f"{field['help']} 1")
    await help.get_by_role("radio", name=words["figure"]["service_level"]).click()
    await help.get_by_label(step["under"]).fill("75")
    await help.get_by_role("checkbox", name="夜間").click()

    await page.get_by_role("radio", name=words["order"]["service_level"]).click()
    await page.get_by_role("radio", name=words["choice"]["weighted"]).click()
    await page.get_by_label(f"{field['weights']} SMS").fill("2")
    await page.get_by_label(field["preferred_wait_s"]).fill("30")
    await clean(page, "the form of a queue")
    await page.get_by_role("button", name=adam.words["act"]["save"]).click()
    await expect(page.get_by_role("button", name=adam.words["act"]["save"])).to_have_count(0)

    queue = orders(house)
    (only,) = queue.rings
    assert (only.after, only.relax, only.add_groups, only.priority) == (
        45,
        {"order": 2},
        ["night"],
        None,
    )
    assert [(one.after, one.to_queue) for one in queue.overflow] == [(300, "returns")]
    assert [(one.when, one.under, one.over) for one in queue.help] == [
        ("service_level", 0.75, None)
    ]
    assert (queue.order, queue.agent_choice, queue.preferred_wait_s) == (
        "service_level",
        "weighted",
        30,
    )
    assert queue.weights == {"sms": 2}
    assert house.faults == []


async def test_a_level_is_changed_and_what_else_is_set_stays(house: House) -> None:
    await house.here.configure(
        """
        [team.far]
        name = "遠隔"
        serves = [{ queue = "orders", level = 5, after = 20, keep_free = 2 }]
        """
    )
    adam = await administrator(house, "teams/far")
    page, words = adam.page, adam.words["admin"]
    levels = page.get_by_role("radiogroup").filter(
        has_text=words["servesLevel"].replace("{level}", "5")
    )
    await levels.get_by_role("radio", name=words["servesLevel"].replace("{level}", "2")).click()
    await page.get_by_label(words["serves"]["after"]).fill("40")
    await save(page, words, "遅めに", adam.words["act"]["save"])
    await expect(page.get_by_role("button", name=adam.words["act"]["save"])).to_have_count(0)
    (served,) = house.here.hub.configuration.catalog.teams["far"].object.serves
    assert (served.level, served.after, served.keep_free) == (2, 40, 2)
    assert house.faults == []
