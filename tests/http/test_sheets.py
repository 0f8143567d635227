"""What a spreadsheet could take for a formula, and what it must read as it is."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from madoguchi.http.sheets import csv_lines


@pytest.mark.parametrize("text", ["=1+1", "+81", "-2", "@SUM(A1)", "\tx", "\rx"])
def test_no_text_is_a_formula(text: str) -> None:
    line = csv_lines([[text]]).decode().strip("\n")
    assert line.lstrip('"').startswith("'")


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    at = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    line = csv_lines([[-5, 0.5, None, "a,b", at, "窓口"]])
    assert line == '-5,0.5,,"a,b",2026-11-22 05:30:00,窓口\r\n'.encode()
