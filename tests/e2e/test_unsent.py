"""Replies that the hub refuses after a break are kept, shown, and decided about by their author."""

from __future__ import annotations

import pytest
from playwright.async_api import Locator, Page, expect

from tests.e2e.houses import House, finish, written
from tests.e2e.people import Agent
from tests.e2e.test_accessible import clean
from tests.support.proxy import Proxy

pytestmark = pytest.mark.browser

FIRST, SECOND = "本日お届けします。", "夕方になります。"
SUES = "明日の午前中になります。"


def conversation(page: Page) -> str:
    """Return the id of the conversation that a page shows."""
    return page.url.split("/")[-1].split("#")[0]


async def sms(ann: Agent, house: House, phone: str, text: str) -> str:
    """Let a customer write and Ann accept; return the conversation."""
    await house.here.sms(phone, text)
    await expect(ann.offer).to_contain_text(text)
    await ann.page.keyboard.press("Escape")
    await ann.page.keyboard.press("F2")
    await expect(ann.timeline).to_contain_text(text)
    return conversation(ann.page)


class Card:
    """The card of what was not sent, in the open conversation."""

    def __init__(self, ann: Agent) -> None:
        self.words = ann.words["unsent"]
        self.body = ann.page.locator(".unsent")
        self.texts = self.body.locator("li .text")

    def act(self, word: str) -> Locator:
        """Return the button of an act on the whole."""
        return self.body.locator(".acts.all").get_by_role("button", name=word)


@pytest.mark.parametrize(("locale", "dark"), [("ja-JP", False), ("en-US", True)])
async def test_replies_that_a_colleague_overtook_are_kept_and_sent_in_order(
    beyond: House, proxy: Proxy, locale: str, dark: bool
) -> None:
    sue = await beyond.here.person("sue")
    ann = await beyond.agent("ann", locale=locale, dark=dark)
    await ann.speak(locale[:2])
    await ann.available()
    here = await sms(ann, beyond, f"+81905550010{dark:d}", "いつ届きますか？")
    proxy.refuse()
    await ann.reply(FIRST)
    await ann.reply(SECOND)
    await sue.call("POST", f"/conversations/{here}/messages", {"mode": "reply", "text": SUES})
    await proxy.open()

    card = Card(ann)
    await expect(card.texts).to_have_text([FIRST, SECOND])
    await expect(card.body).to_contain_text(SUES)
    await expect(ann.page.locator(".unsent-place [role=status]")).to_contain_text("2")
    await clean(ann.page, f"the card, {locale}")
    await ann.page.reload()
    await expect(card.texts).to_have_text([FIRST, SECOND])
    assert await written(sue, here, "out") == [SUES]
    await card.act(card.words["all"]["anyway"]).click()
    await expect(card.body).to_have_count(0)
    await expect(ann.page.locator(".message.out .bubble")).to_have_text([SUES, FIRST, SECOND])
    assert await written(sue, here, "out") == [SUES, FIRST, SECOND]
    await finish(sue, here)
    assert beyond.faults == []


async def test_a_reply_refused_elsewhere_is_marked_until_its_author_has_decided(
    beyond: House, proxy: Proxy
) -> None:
    sue = await beyond.here.person("sue")
    ann = await beyond.agent("ann")
    await ann.available()
    there = await sms(ann, beyond, "+819055500102", "いつ届きますか？")
    here = await sms(ann, beyond, "+819055500103", "返品できますか？")
    await ann.page.locator(f"a.item[href*='{there}']").click()
    proxy.refuse()
    await ann.reply(FIRST)
    await ann.page.locator(f"a.item[href*='{here}']").click()
    await sue.call("POST", f"/conversations/{there}/messages", {"mode": "reply", "text": SUES})
    await proxy.open()

    card = Card(ann)
    toast = ann.page.get_by_role("listitem").filter(has_text=card.words["toast"])
    await expect(toast).to_be_visible()
    mark = ann.page.locator(".unsent-banner a")
    await expect(mark).to_contain_text(FIRST)
    await expect(card.body).to_have_count(0)
    await ann.page.reload()
    await expect(mark).to_contain_text(FIRST)
    await clean(ann.page, "the banner")
    await mark.press("Enter")
    await expect(card.texts).to_have_text([FIRST])
    await expect(mark).to_have_count(0)
    field = card.act(card.words["field"])
    await expect(field).to_be_focused()
    await expect(ann.page.locator(f"a.item[href*='{there}']")).to_contain_text(card.words["tag"])
    await field.press("Enter")
    await expect(ann.composer).to_have_value(FIRST)
    await expect(ann.composer).to_be_focused()
    await expect(card.body).to_have_count(0)
    await ann.page.reload()
    await expect(ann.composer).to_have_value(FIRST)
    assert await written(sue, there, "out") == [SUES]
    await finish(sue, here, there)
    assert beyond.faults == []


async def test_texts_for_a_conversation_that_a_colleague_got_can_be_seen_and_moved_to_a_note(
    beyond: House, proxy: Proxy
) -> None:
    sue, ben = await beyond.here.person("sue"), await beyond.here.person("ben")
    await ben.available()
    await ben.call("PUT", "/agents/me/presence", {"presence": "away"})
    ann = await beyond.agent("ann")
    await ann.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await ann.available()
    here = await sms(ann, beyond, "+819055500104", "住所を変えたいです。")
    proxy.refuse()
    await ann.reply(FIRST)
    await ann.reply(SECOND)
    await ann.page.keyboard.insert_text("書きかけです")
    await ann.page.locator("nav.rail a").first.click()
    await expect(ann.composer).to_have_count(0)
    await sue.call("POST", f"/conversations/{here}/assign", {"agent": ben.id})
    await proxy.open()

    card = Card(ann)
    toast = ann.page.get_by_role("listitem").filter(has_text=card.words["toast"])
    await expect(toast).to_be_visible()
    await toast.get_by_role("button", name=card.words["open"]).click()
    await expect(card.texts).to_contain_text([FIRST, SECOND, "書きかけです"])
    await expect(card.body).to_contain_text("Ben")
    await expect(toast).to_have_count(0)
    await expect(card.act(card.words["all"]["again"])).to_have_count(0)
    await card.act(card.words["all"]["copy"]).click()
    whole = f"{FIRST}\n{SECOND}\n書きかけです"
    assert await ann.page.evaluate("navigator.clipboard.readText()") == whole
    await expect(card.texts).to_have_count(3)
    await card.act(card.words["all"]["note"]).click()
    await expect(card.body).to_have_count(0)
    note = ann.page.get_by_label(ann.words["composer"]["label"]["note"]).locator("textarea")
    await expect(note).to_have_value(whole)
    await expect(note).to_be_focused()
    await ann.page.reload()
    await expect(note).to_have_value(whole)
    assert await written(sue, here, "out") == []
    await note.fill("")
    await finish(sue, here)
    await ben.close()
    assert beyond.faults == []


async def test_a_text_for_a_closed_conversation_is_kept_and_a_discarded_one_can_come_back(
    beyond: House, proxy: Proxy
) -> None:
    sue = await beyond.here.person("sue")
    ann = await beyond.agent("ann")
    await ann.available()
    here = await sms(ann, beyond, "+819055500105", "もう大丈夫です。")
    proxy.refuse()
    await ann.reply(FIRST)
    await ann.reply(SECOND)
    await finish(sue, here)
    await proxy.open()

    card = Card(ann)
    await expect(card.body).to_contain_text(card.words["over"])
    await expect(card.texts).to_have_text([FIRST, SECOND])
    await expect(ann.composer).to_have_count(0)
    await card.body.locator("li").first.get_by_role("button", name=card.words["discard"]).click()
    await expect(card.texts).to_have_text([SECOND])
    await expect(card.act(card.words["copy"])).to_be_focused()
    await ann.page.get_by_role("button", name=card.words["undo"]).click()
    await expect(card.texts).to_have_text([FIRST, SECOND])
    await card.act(card.words["all"]["discard"]).press("Enter")
    await expect(card.body).to_have_count(0)
    await expect(ann.timeline).to_be_focused()
    await ann.page.reload()
    await expect(ann.timeline).to_contain_text("もう大丈夫です。")
    await expect(card.body).to_have_count(0)
    assert await written(sue, here, "out") == []
    assert beyond.faults == []
