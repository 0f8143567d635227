"""An input method at work: nothing is sent, accepted or drawn anew until its text is confirmed."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.async_api import CDPSession, Locator, Page, expect

from tests.e2e.houses import House, written
from tests.support.hubs import Person

pytestmark = pytest.mark.browser

PROCESS = 229
"""The key code of every key that an input method takes."""

WATCH = """(field) => {
  field.watched = { ends: 0, keys: [] }
  field.addEventListener('compositionend', () => field.watched.ends++)
  field.addEventListener('keydown', (press) => field.watched.keys.push(press.isComposing))
}"""


class InputMethod:
    """A Japanese input method, as Chromium is told about it."""

    def __init__(self, cdp: CDPSession, field: Locator) -> None:
        self._cdp = cdp
        self.field = field

    @staticmethod
    async def on(page: Page, field: Locator) -> InputMethod:
        """Turn it on in a field, which from now on notes what it hears."""
        await field.click()
        await field.evaluate(WATCH)
        return InputMethod(await page.context.new_cdp_session(page), field)

    async def compose(self, text: str) -> None:
        """Show text that is not confirmed."""
        end = len(text)
        await self._cdp.send(
            "Input.imeSetComposition", {"text": text, "selectionStart": end, "selectionEnd": end}
        )

    async def press(self, key: str, code: str, number: int = PROCESS) -> None:
        """Press a key that the input method takes for itself."""
        for kind in ("rawKeyDown", "keyUp"):
            press = {"type": kind, "key": key, "code": code, "windowsVirtualKeyCode": number}
            await self._cdp.send("Input.dispatchKeyEvent", press)

    async def confirm(self, text: str) -> None:
        """Confirm the text."""
        await self._cdp.send("Input.insertText", {"text": text})

    async def heard(self) -> dict[str, Any]:
        """Return what the field noted; fails when it is another field than before."""
        found = await self.field.evaluate("(field) => field.watched ?? null")
        assert found is not None, "the field was replaced"
        return dict(found)

    async def everything(self) -> None:
        """Press what must do nothing while composing: Enter, Escape, F keys, letters."""
        await self.press("Enter", "Enter", 13)
        await self.press("Process", "Enter")
        await self.press("Escape", "Escape", 27)
        for number in (2, 6, 7, 8, 9, 10):
            await self.press(f"F{number}", f"F{number}", 111 + number)
        for letter in "ejntq1":
            code = f"Key{letter.upper()}" if letter.isalpha() else f"Digit{letter}"
            await self.press("Process", code)


async def test_the_desk_leaves_an_input_method_alone(house: House) -> None:
    ann = await house.agent("ann")
    await ann.available()
    await house.here.sms("+819055500187", "いつ届きますか？")
    await ann.accept()
    await house.here.sms("+818055500142", "別の件です。")
    await expect(ann.offer).to_contain_text("別の件です。")

    method = await InputMethod.on(ann.page, ann.composer)
    await method.compose("ほんじつ")
    await method.everything()
    await house.here.sms("+819055500187", "急いでいます。")
    await expect(ann.timeline).to_contain_text("急いでいます。")
    heard = await method.heard()
    assert heard["ends"] == 0
    assert heard["keys"] == [True] * len(heard["keys"]) != []
    await expect(ann.composer).to_be_focused()
    await expect(ann.composer).to_have_value("ほんじつ")
    await expect(ann.page.get_by_role("dialog")).to_have_count(0)
    await expect(ann.page.locator(".composer.reply")).to_be_visible()
    await expect(ann.page.locator(".message.out")).to_have_count(0)
    await expect(ann.offer).to_be_visible()

    await method.compose("本日")
    await method.confirm("本日お届けします。")
    await method.press("Process", "Enter")
    await expect(ann.composer).to_have_value("本日お届けします。")
    await expect(ann.page.locator(".outgoing")).to_have_count(0)
    await ann.page.keyboard.press("Enter")
    await expect(ann.page.locator(".message.out")).to_contain_text("本日お届けします。")
    await expect(ann.composer).to_have_value("")
    await ann.page.keyboard.press("Enter")
    await ann.reply("二通目です。")
    sent = ann.page.locator(".message.out .bubble")
    await expect(sent).to_have_text(["本日お届けします。", "二通目です。"])
    assert (await method.heard())["ends"] == 1
    assert house.faults == []


async def test_the_widget_leaves_an_input_method_alone(house: House) -> None:
    ben = await house.here.person("ben")
    desk = await ben.available()
    visitor = await house.visitor()
    await visitor.write("こんにちは。")
    offer = await desk.until(
        lambda s: next((o for o in s.all("offer") if o["channel"] == "chat"), None), "an offer"
    )
    await ben.call("POST", f"/offers/{offer['id']}/accept")
    await desk.client.call("open", {"conversation": offer["conversation"]}, namespace="/agent")

    method = await InputMethod.on(visitor.page, visitor.field)
    await method.compose("おねがい")
    await method.everything()
    await say(ben, offer["conversation"], "ご用件をどうぞ。")
    await expect(visitor.talk).to_contain_text("ご用件をどうぞ。")
    heard = await method.heard()
    assert heard["ends"] == 0
    assert heard["keys"] == [True] * len(heard["keys"]) != []
    await expect(visitor.field).to_be_focused()
    await expect(visitor.field).to_have_value("おねがい")
    await expect(visitor.panel).to_be_visible()
    assert await written(ben, offer["conversation"], "in") == ["こんにちは。"]

    await method.confirm("お願いします。")
    await method.press("Process", "Enter")
    await expect(visitor.field).to_have_value("お願いします。")
    await visitor.page.keyboard.press("Enter")
    await expect(visitor.field).to_have_value("")
    await visitor.page.keyboard.press("Enter")
    await visitor.write("以上です。")
    await desk.until(
        lambda s: any("以上です。" in str(m["parts"]) for m in s.all("message")), "the last words"
    )
    said = await written(ben, offer["conversation"], "in")
    assert said == ["こんにちは。", "お願いします。", "以上です。"]
    assert house.faults == []


async def say(person: Person, conversation: str, text: str) -> None:
    """Reply as an agent without a browser."""
    body = {"mode": "reply", "text": text}
    await person.call("POST", f"/conversations/{conversation}/messages", body)
