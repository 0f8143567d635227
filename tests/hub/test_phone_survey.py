"""Callers who were served are asked how it was, by keys or words."""

from __future__ import annotations

from pathlib import Path

import pytest

from madoguchi.clock import ManualClock
from madoguchi.flows.hearing import number_said
from madoguchi.flows.turns import Heard
from madoguchi.flows.words import words
from tests.hub.test_phone_call import over
from tests.hub.test_phone_carrying import talking
from tests.support.hubs import Person
from tests.support.telephones import Telephones, telephones
from tests.support.waiting import wait_for

FIVE = '[queue.orders.survey]\nscale = 5\ntext = "いかがでしたか。"\n'
TEN = "[queue.orders.survey]\nscale = 10\n"
THANKS = words("ja")["thanks"]


async def scores(ann: Person, call: str) -> list[str]:
    """Return the answers of a call's customer."""
    found = (await ann.call("GET", f"/calls/{call}"))["answers"]
    return [one["value"] for one in found if (one["step"], one["name"]) == ("survey", "score")]


async def scored(ann: Person, call: str, value: str) -> None:
    """Return once a call has one answer."""

    async def there() -> bool:
        return await scores(ann, call) == [value]

    await wait_for(there, f"the answer is {value}")


@pytest.mark.parametrize(("said", "value"), [("4", "4"), ("五です", "5"), ("３点", "3")])
async def test_caller_answers_by_a_key_or_words(tmp_path: Path, said: str, value: str) -> None:
    async with telephones(tmp_path, FIVE) as center:
        customer, mine, ann, _, call = await talking(center)
        await ann.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "gather", "they are asked")
        (question,) = await customer.hear()
        assert question.startswith("いかがでしたか。")
        assert mine.here.state == "ended"
        await (customer.press(said) if said.isascii() else customer.speak(said))
        assert await customer.hear() == [THANKS]
        assert customer.here.state == "ended"
        await scored(ann, call, value)
        assert center.voice.errors == []


async def test_scale_of_ten_has_two_keys(tmp_path: Path) -> None:
    async with telephones(tmp_path, TEN) as center:
        customer, _, ann, _, call = await talking(center)
        await ann.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "gather", "they are asked")
        (question,) = await customer.hear()
        assert question.startswith(words("ja")["survey"])
        await customer.press("10")
        assert await customer.hear() == [THANKS]
        await scored(ann, call, "10")


async def test_who_gives_no_answer_is_asked_once_more(tmp_path: Path) -> None:
    async with telephones(tmp_path, FIVE) as center:
        customer, _, ann, _, call = await talking(center)
        await ann.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "gather", "they are asked")
        await customer.press("9")
        assert len(await customer.hear()) == 2
        await customer.stay_silent()
        assert await customer.hear() == [THANKS]
        assert await scores(ann, call) == []
        assert center.voice.errors == []


async def test_who_hangs_up_first_is_asked_nothing(tmp_path: Path) -> None:
    async with telephones(tmp_path, FIVE) as center:
        customer, mine, ann, _, call = await talking(center)
        await customer.hang_up()
        await wait_for(lambda: mine.here.state == "ended", "it is over")
        assert await over(center) == ["ended"]
        await center.voice.quiet()
        assert await scores(ann, call) == []
        assert center.voice.errors == []


async def test_answer_that_is_sent_again_counts_once(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, FIVE, clock=clock) as center:
        customer, _, ann, _, call = await talking(center)
        await ann.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "gather", "they are asked")
        gather, form = customer.here.gathering, customer.here.call.form()
        assert gather is not None
        for digits in ("2", "5"):
            url = gather.attributes["action"]
            answer = await center.voice.post.fetch(url, [*form, ("Digits", digits)], "POST")
            assert THANKS in answer.text
        await scored(ann, call, "2")


async def test_queue_without_a_survey_asks_nothing(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        await ends_silently(center)


async def ends_silently(center: Telephones) -> None:
    """Let the agent end a call; nothing more is said."""
    customer, _, ann, _, call = await talking(center)
    await ann.call("POST", f"/calls/{call}/hang_up")
    await wait_for(lambda: customer.here.state == "ended", "it is over")
    assert await customer.hear() == []


@pytest.mark.parametrize(
    ("speech", "number"),
    [("じゅう", 10), ("ten", 10), ("ご", None), ("7", 7), ("１０", 10), ("123", None)],
)
def test_numbers_as_they_are_heard(speech: str, number: int | None) -> None:
    assert number_said(Heard(speech=speech)) == number
