"""What callers hear of their place while they wait."""

from __future__ import annotations

from pathlib import Path

from madoguchi.flows.words import words
from tests.hub.test_phone_call import CUSTOMER, waiting
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, telephones
from tests.support.waiting import wait_for

ANOTHER = "+819055500188"


async def heard(center: Telephones, call: str, language: str) -> str:
    """Return the document that a caller hears next in the line."""
    url = f"{center.here.url}/hooks/phone/wait?language={language}&id={call}"
    form = [("CallSid", "CA" + "7" * 32)]
    answer = await center.voice.post.fetch(url, form, "POST")
    assert answer.status == 200
    return answer.text


async def wait_in_line(center: Telephones, address: str) -> str:
    """Let somebody call; return their call."""
    phone = center.phone(address)
    line = phone.dial(NUMBER)
    await phone.hear()
    return await center.call_of(line)


async def test_place_and_wait_are_told_in_the_caller_s_language(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        first = await wait_in_line(center, CUSTOMER)
        await waiting(center, 1)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        second = await wait_in_line(center, ANOTHER)
        await waiting(center, 2)
        for language, place in (("ja", "1番目"), ("en", "number 1 ")):

            async def told(language: str = language, place: str = place) -> bool:
                return place in await heard(center, second, language)

            await wait_for(told, "the place is told")
        taken = await heard(center, first, "ja")
        assert "番目" not in taken
        assert words("ja")["hold"] in taken


async def test_nobody_is_there(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        call = await wait_in_line(center, CUSTOMER)
        await waiting(center, 1)

        async def told() -> bool:
            return words("ja")["nobody"] in await heard(center, call, "ja")

        await wait_for(told, "that nobody is there is told")


async def test_call_that_is_not_known_hears_music(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        document = await heard(center, "nobody", "ja")
        assert words("ja")["hold"] in document
        assert "<Play>" in document
