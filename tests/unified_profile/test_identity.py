"""Normal forms: what makes two addresses the same, and what is no address at all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.model.people import Scheme
from unified_profile.identity import called, clean, mail, phone, sender

SAME = "+819055500187"


@pytest.mark.parametrize(
    "written",
    [
        "+819055500187",
        "090-5550-0187",
        "09055500187",
        "０９０－５５５０－０１８７",
        "+81 (0)90 5550 0187",
        "+81(0)90-5550-0187",
        "＋８１ ９０ ５５５０ ０１８７",
        "81-90-5550-0187".replace("81-", "+81 "),
        " 090 5550 0187 ",
        "010-81-90-5550-0187",
    ],
)
def test_one_number_however_it_is_written(written: str) -> None:
    found = phone(written)
    assert found is not None
    assert (found.scheme, found.value) == (Scheme.PHONE, SAME)


@pytest.mark.parametrize(
    "written",
    ["", "110", "MinatoCoffee", "12", "+", "０", "++81", "x" * 500, "\x00", "+999", "'--"],
)
def test_what_is_no_number(written: str) -> None:
    assert phone(written) is None
    found = sender(written)
    assert found.scheme is Scheme.RAW
    assert found.value
    assert "\x00" not in found.value
    assert len(found.value) <= 320


def test_senders_that_differ_stay_different() -> None:
    assert sender("MinatoCoffee") != sender("Minato")
    assert sender("").value == "anonymous"
    assert sender("+819055500187") == sender("090-5550-0187")


@pytest.mark.parametrize(
    ("written", "wanted"),
    [
        ("Sato@Example.JP", "sato@example.jp"),
        (" sato@example.jp ", "sato@example.jp"),
        ("ｓａｔｏ＠ｅｘａｍｐｌｅ．ｊｐ", "sato@example.jp"),
        ("a+b@example.co.jp", "a+b@example.co.jp"),
        ("no at all", None),
        ("a@b", None),
        ("a@@b.c", None),
        ("a b@c.d", None),
        ("x" * 400 + "@c.d", None),
        ("", None),
    ],
)
def test_mail_addresses(written: str, wanted: str | None) -> None:
    found = mail(written)
    assert (found.value if found else None) == wanted


@given(st.text())
def test_no_text_breaks_the_normal_forms(text: str) -> None:
    for found in (phone(text), mail(text), sender(text)):
        if found is not None:
            again = sender(found.value) if found.scheme is Scheme.PHONE else found
            assert again == found, "a normal form is its own normal form"
            found.value.encode()


@given(st.text(st.characters(), max_size=50), st.integers(1, 40))
def test_clean_texts_are_storable(text: str, limit: int) -> None:
    found = clean(text + "\x00\ud800", limit)
    found.encode()
    assert "\x00" not in found
    assert len(found) <= limit


@pytest.mark.parametrize(
    ("written", "shown", "country", "zone"),
    [
        ("０９０－５５５０－０１８７", "090-5550-0187", "JP", ""),
        ("03-1234-5678", "03-1234-5678", "JP", ""),
        ("+1 202 555 0123", "+1 202-555-0123", "US", "America/New_York"),
        ("+7 916 123 45 67", "+7 916 123-45-67", "RU", ""),
    ],
)
def test_a_number_that_can_be_called(written: str, shown: str, country: str, zone: str) -> None:
    found = called(written)
    assert found is not None
    assert (found.shown, found.country, found.zone) == (shown, country, zone)


@pytest.mark.parametrize(
    "written",
    ["", "110", "188", "0990-123456", "0570-000-000", "+1 900 555 0123", "090-5550", "call me"],
)
def test_nobody_is_called_there(written: str) -> None:
    assert called(written) is None


def test_where_several_clocks_agree_the_zone_is_known() -> None:
    found = called("+44 7911 123456")
    assert found is not None
    assert found.zone.startswith("Europe/"), "Guernsey and London tell the same time"


@given(st.text(max_size=60))
def test_any_text_is_a_number_or_none(text: str) -> None:
    found = called(text)
    assert found is None or found.number.startswith("+")
