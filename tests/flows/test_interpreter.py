"""What callers hear, step by step."""

from __future__ import annotations

from typing import Any

import pytest

from madoguchi.configuration.kinds import Flow
from madoguchi.flows.interpreter import ASKED, begin, heard, resumed
from madoguchi.flows.turns import (
    Answer,
    Decision,
    Gather,
    HangUp,
    Heard,
    Lookup,
    Play,
    Record,
    State,
    Turn,
)
from tests.flows.stage import CALLER, STEPS, flow, known, said


def through(made: Flow, *inputs: Heard, **facts: Any) -> Turn:
    """Return the turn after some inputs; each state goes over the wire in between."""
    what = known(**facts)
    turn = begin(made, what)
    for each in inputs:
        turn = Turn.model_validate_json(turn.model_dump_json())
        turn = heard(made, turn.state, each, what)
    return turn


def keys(digits: str) -> Heard:
    return Heard(digits=digits)


def test_language_menu_is_read_in_both_languages_and_chooses() -> None:
    turn = through(flow())
    assert said(turn) == [STEPS["language"]["text"], STEPS["language"]["text_en"]]
    assert said(through(flow(), keys("2"))) == [STEPS["what"]["text_en"]]
    assert said(through(flow(), Heard(speech=" ｅｎｇｌｉｓｈ, please"))) == [
        STEPS["what"]["text_en"]
    ]


def test_order_number_is_asked_looked_up_and_answered() -> None:
    turn = through(flow(), keys("2"), keys("1"), keys("12345"))
    (lookup,) = turn.instructions
    assert isinstance(lookup, Lookup)
    assert lookup.url == "https://shop.example.jp/orders/12345?from=%2B819055500187"
    end = heard(flow(), turn.state, Heard(found={"state": "sent"}), known())
    assert said(end) == ["It is on its way."]
    assert end.decision == Decision(kind="hang_up")
    assert [(one.name, one.value) for one in end.state.answers] == [
        ("language", "en"),
        ("topic", "order"),
        ("order", "12345"),
        ("state", "sent"),
    ]
    failed = heard(flow(), turn.state, Heard(), known())
    assert failed.decision == Decision(kind="queue", queue="orders", priority=2)


@pytest.mark.parametrize("wrong", ["", "123", "1234567", "#"])
def test_wrong_length_is_asked_again_and_then_goes_on(wrong: str) -> None:
    before = (keys("1"), keys("1"))
    again = through(flow(), *before, keys(wrong))
    assert said(again) == [STEPS["number"]["text"]]
    end = through(flow(), *before, keys(wrong), keys(wrong))
    assert end.decision == Decision(kind="queue", queue="orders", priority=2)


def test_closed_queue_takes_a_message() -> None:
    turn = through(flow(), keys("1"), open=False)
    assert isinstance(turn.instructions[-1], Record)
    assert turn.decision == Decision(kind="voicemail", queue="orders")


def test_callback_to_the_number_that_calls() -> None:
    asked = through(flow(), keys("1"), keys("2"))
    assert said(asked) == [
        "0 9 0 5 5 5 0 0 1 8 7 に折り返しお電話します。"
        "よろしければ1を、ほかの番号をご希望の場合は2を押してください。"
    ]
    end = through(flow(), keys("1"), keys("2"), keys("1"))
    assert end.decision == Decision(kind="callback", queue="orders", number=CALLER)
    assert isinstance(end.instructions[-1], HangUp)


def test_callback_to_another_number() -> None:
    end = through(flow(), keys("1"), keys("2"), keys("2"), keys("0312345678#"))
    assert end.decision == Decision(kind="callback", queue="orders", number="+81312345678")


def test_withheld_number_is_asked_for_and_gets_no_text_message() -> None:
    asked = through(flow(), keys("1"), keys("2"), number="")
    assert said(asked)[-1].startswith("折り返し先のお電話番号")
    again = through(flow(), keys("1"), keys("2"), keys("0990123456"), number="")
    assert isinstance(again.instructions[-1], Gather)
    chat = through(flow(), keys("1"), keys("3"), number="")
    assert chat.decision == Decision(kind="queue", queue="orders", priority=2)


def test_chat_link_goes_to_the_caller() -> None:
    end = through(flow(), keys("1"), keys("3"))
    text = "チャットはこちら {link}"
    assert end.decision == Decision(kind="message", number=CALLER, text=text)


def test_whoever_repeats_without_end_is_handed_to_an_agent() -> None:
    turn = through(flow(), keys("1"), *[keys("9")] * (ASKED - 1))
    assert turn.decision is None
    turn = through(flow(), keys("1"), *[keys("9")] * ASKED)
    assert turn.decision == Decision(kind="queue")


def test_step_that_is_gone_hands_to_an_agent() -> None:
    state = through(flow(), keys("1")).state
    changed = flow({"bye": {"do": "hang_up", "text": "では。"}}, "bye")
    assert heard(changed, state, keys("1"), known()).decision == Decision(kind="queue")


def test_sound_file_stands_for_the_text_but_not_for_the_english_one() -> None:
    file = "01980000-0000-7000-8000-000000000001"
    steps = {"bye": {"do": "hang_up", "play": file, "text_en": "Goodbye."}}
    turn = begin(flow(steps, "bye"), known())
    assert turn.instructions == (Play(file=file), HangUp())
    assert said(begin(flow(steps, "bye"), known(), "en")) == ["Goodbye."]


@pytest.mark.parametrize("value", ["..", ".", "../admin", "a/../b", "..\\x", "/.."])
def test_nothing_given_leads_up_the_path_of_a_lookup(value: str) -> None:
    answers = (Answer(step="number", name="order", value=value),)
    turn = resumed(
        flow(), State(flow="main", step="lookup", language="ja", answers=answers), known()
    )
    assert not any(isinstance(one, Lookup) for one in turn.instructions)
    assert turn.decision == Decision(kind="queue", queue="orders", priority=2)


@pytest.mark.parametrize(
    ("value", "part"), [("%2e%2e", "%252e%252e"), ("a/b", "a%2Fb"), ("x?y#z", "x%3Fy%23z")]
)
def test_what_is_given_stays_one_part_of_a_lookup(value: str, part: str) -> None:
    answers = (Answer(step="number", name="order", value=value),)
    turn = resumed(
        flow(), State(flow="main", step="lookup", language="ja", answers=answers), known()
    )
    lookup = turn.instructions[-1]
    assert isinstance(lookup, Lookup)
    assert lookup.url.startswith(f"https://shop.example.jp/orders/{part}?")
