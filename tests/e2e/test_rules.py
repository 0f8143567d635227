"""An administrator writes routing rules on their page, tries them and puts them in order."""

from __future__ import annotations

import pytest
from playwright.async_api import Page, expect

from madoguchi.configuration.service import Change
from madoguchi.model.people import SYSTEM
from tests.e2e.houses import House
from tests.e2e.test_administration import administrator

pytestmark = pytest.mark.browser

RULES = """
[routing_rule.first]
name = "一番目"
order = 10
when = 'product == "kettle"'
queue = "returns"
[routing_rule.second]
name = "二番目"
order = 20
when = 'text.contains("ケトル")'
queue = "orders"
[routing_rule.third]
name = "三番目"
order = 30
when = 'channel == "sms" && contract == "gold"'
queue = "returns"
"""


async def with_rules(house: House) -> None:
    """Have these rules and no others."""
    configuration = house.here.hub.configuration
    old = [Change("routing_rule", e.object.key, None) for e in configuration.catalog.routing_rules]
    await configuration.change(SYSTEM, "test", old)
    await house.here.configure(RULES)


async def order_on(page: Page, *names: str) -> None:
    await expect(page.locator(".rows b")).to_have_text(list(names))


async def test_a_rule_is_written_checked_tried_and_saved(house: House) -> None:
    await with_rules(house)
    adam = await administrator(house, "rules/+")
    page, words, rules = adam.page, adam.words["admin"], adam.words["rules"]
    await page.get_by_label(words["field"]["key"], exact=True).fill("osaka")
    await page.get_by_label(words["field"]["name"], exact=True).fill("大阪")
    when = page.get_by_label(words["field"]["when"], exact=True)
    await when.fill('true &&\n  chanel == "sms"')
    wrong = words["fault"]["expressionUndeclared"]
    said = wrong.replace("{line}", "2").replace("{column}", "3").replace("{name}", "chanel")
    await expect(when).to_have_accessible_description(said)
    await expect(when).to_have_attribute("aria-invalid", "true")
    await when.fill("")
    await page.get_by_text(rules["names"]).click()
    await page.get_by_role("button", name="location", exact=True).click()
    await expect(when).to_have_value("location")
    await when.fill('location.contains("大阪")')
    await expect(page.get_by_text(rules["fine"].split("{")[0])).to_be_visible()
    await page.get_by_role("radio", name="Returns").click()

    result = page.get_by_label(rules["result"])
    await expect(result).to_contain_text("Orders")
    await page.get_by_role("button", name=rules["addFact"]).click()
    name = page.get_by_label(rules["factName"]).last
    await name.fill("location")
    await page.get_by_label(rules["valueOf"].replace("{name}", "location")).fill("大阪市北区")
    await expect(result).to_contain_text("Returns")
    await expect(result.locator("li.holds")).to_contain_text("大阪")
    await expect(result.locator("li.not code").first).to_have_text('product == "kettle"')

    await page.get_by_label(words["reason"]).fill("大阪の窓口へ")
    await page.get_by_role("button", name=adam.words["act"]["save"]).click()
    await order_on(page, "一番目", "二番目", "三番目", "大阪")
    saved = house.here.hub.configuration.catalog.routing_rules[-1].object
    assert (saved.key, saved.queue, saved.order) == ("osaka", "returns", 40)
    assert house.faults == []
    assert house.foreign == []


async def test_rules_are_moved_by_the_keys_and_by_hand(house: House) -> None:
    await with_rules(house)
    adam = await administrator(house, "rules/third")
    page = adam.page
    label = adam.words["moving"]["label"]
    handle = page.get_by_role("button", name=label.replace("{name}", "三番目"))
    await handle.focus()
    await page.keyboard.press("ArrowUp")
    await order_on(page, "一番目", "三番目", "二番目")
    await expect(handle).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await order_on(page, "三番目", "一番目", "二番目")
    field = page.get_by_label(adam.words["admin"]["field"]["order"], exact=True)
    await expect(field).to_have_value("10")

    last = await page.get_by_role("button", name=label.replace("{name}", "二番目")).bounding_box()
    first = await handle.bounding_box()
    assert last is not None
    assert first is not None
    await page.mouse.move(last["x"] + 8, last["y"] + 20)
    await page.mouse.down()
    await page.mouse.move(first["x"] + 8, first["y"] + 5, steps=6)
    await page.mouse.up()
    await order_on(page, "二番目", "三番目", "一番目")
    await expect(field).to_have_value("20")
    await page.reload()
    await order_on(page, "二番目", "三番目", "一番目")
    assert [e.object.key for e in house.here.hub.configuration.catalog.routing_rules] == [
        "second",
        "third",
        "first",
    ]
    assert house.faults == []


async def test_the_desk_says_which_rule_chose_the_queue(house: House) -> None:
    await with_rules(house)
    ann = await house.agent("ann")
    await ann.available()
    await house.here.sms("+819055500100", "ケトルが壊れました")
    await ann.accept()
    page, words = ann.page, ann.words
    await page.get_by_role("button", name=words["explain"]["more"]).click()
    dialog = page.get_by_role("dialog")
    why = words["rules"]["why"]["rule"]
    said = why.replace("{name}", "二番目").replace("{version}", "1").replace("{queue}", "Orders")
    await expect(dialog).to_contain_text(words["rules"]["from"])
    await expect(dialog).to_contain_text(said)
    assert house.faults == []


async def test_a_queue_says_which_agents_may_and_the_page_shows_who(house: House) -> None:
    adam = await administrator(house, "agents/ann")
    page, words = adam.page, adam.words["admin"]
    suiting, rules = adam.words["suiting"], adam.words["rules"]
    await page.get_by_role("button", name=suiting["add"]).click()
    await page.get_by_label(rules["factName"]).fill("languages")
    await page.get_by_label(suiting["kind"].replace("{name}", "languages")).select_option("texts")
    value = page.get_by_label(rules["valueOf"].replace("{name}", "languages"))
    await value.fill("ja、en")
    await page.get_by_label(words["reason"]).fill("言語")
    save = page.get_by_role("button", name=adam.words["act"]["save"])
    await save.click()
    await expect(save).to_have_count(0)
    catalog = house.here.hub.configuration.catalog
    assert catalog.agents["ann"].object.attributes == {"languages": ["ja", "en"]}

    await page.goto(f"{house.url}/admin/queues/returns")
    condition = page.get_by_label(words["field"]["agents"], exact=True)
    await condition.fill('"en" in agent.languages')
    met = page.get_by_text(suiting["count"].replace("{count}", "1").split("{of}")[-1])
    await expect(met).to_be_visible()
    await expect(page.locator(".who .ok")).to_have_text(["Ann"])
    await condition.fill('"en" in agent.languages &&')
    await expect(condition).to_have_attribute("aria-invalid", "true")
    assert house.faults == []
