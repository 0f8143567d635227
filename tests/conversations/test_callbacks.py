"""What customers' words mean where a call was offered, and what they are told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.configuration.queue_parts import Callback
from madoguchi.conversations.callbacks import how, offer, say, understood
from madoguchi.i18n import catalogue
from unified_profile.identity import called


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("電話", ""),
        (" 電話。", ""),
        ("電話お願いします。", ""),
        ("電話を希望します", ""),
        ("電話してください", ""),
        ("Call", ""),
        ("CALL ME please", ""),
        ("please call me", ""),
        ("お電話ください", ""),
        ("電話をお願いいたします", ""),
        ("電話希望です", ""),
        ("電話 (03)1234-5678", "(03)1234-5678"),
        ("電話 090-1234-5678", "090-1234-5678"),
        ("電話　０９０−１２３４−５６７８", "090−1234−5678"),
        ("call: +1 (202) 555-0123", "+1 (202) 555-0123"),
    ],
)
def test_a_call_is_wanted(text: str, number: str) -> None:
    said = understood(text)
    assert said is not None
    assert (said.wanted, said.number) == (True, number)


@pytest.mark.parametrize(
    "text",
    [
        "電話不要",
        "お電話は不要です",
        "電話 不要",
        "NO CALL",
        "no  call.",
        "電話いりません",
        "don't call",
    ],
)
def test_none_is_wanted(text: str) -> None:
    said = understood(text)
    assert said is not None
    assert not said.wanted


@pytest.mark.parametrize(
    "text",
    ["", "電話が鳴りません", "電話番号は変わりましたか", "calling", "STOP", "CANCEL", "090-1234"],
)
def test_other_things_are_not_about_a_call(text: str) -> None:
    assert understood(text) is None


@given(st.text(max_size=80))
def test_any_text_is_read(text: str) -> None:
    understood(text)


def test_a_queue_has_words_of_its_own() -> None:
    policy = Callback(after=60, text="お電話します。", text_en="We call you.")
    assert (offer(policy, "ja"), offer(policy, "en")) == ("お電話します。", "We call you.")
    only = Callback(after=60, text="お電話します。")
    assert offer(only, "en", closed=True) == "お電話します。"
    ours = catalogue("en")["callback"]
    assert offer(Callback(), "en", closed=True) == ours["offerClosed"]
    assert offer(Callback(), "fr") == ours["offer"]


@pytest.mark.parametrize("language", ["ja", "en"])
def test_how_to_answer_names_the_number_where_there_is_one(language: str) -> None:
    assert "090-1234-5678" in how(language, called("09012345678"))
    assert "{" not in how(language, None)
    for word in catalogue(language)["callback"]:
        assert "{" not in say(language, word, number="1", minutes=15, hours=2)
