"""What a spreadsheet could take for a formula, and what it must read as it is."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest

from madoguchi.http.sheets import Sheet, csv_lines, write_book


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+81", "-2", "@SUM(A1)", "\tx", "\rx", "\n=x", " =x", "＝1", "＋1", "－1", "＠x"],
)
def test_no_text_is_a_formula(text: str) -> None:
    line = csv_lines([[text]]).decode().strip("\n")
    assert line.lstrip('"').startswith("'")


def test_numbers_stay_numbers_and_nothing_is_empty() -> None:
    at = datetime(2026, 11, 22, 5, 30, tzinfo=UTC)
    line = csv_lines([[-5, 0.5, None, "a,b", at, "窓口"]])
    assert line == '-5,0.5,,"a,b",2026-11-22 05:30:00,窓口\r\n'.encode()


async def test_what_has_too_many_lines_goes_on_in_another_sheet() -> None:
    async def rows() -> AsyncIterator[list[list[int]]]:
        yield [[n] for n in range(5)]
        yield [[n] for n in range(5, 7)]

    file = io.BytesIO()
    await write_book(file, [Sheet("Half hours", ["n"], rows())], lines_most=4)
    with zipfile.ZipFile(file) as book:
        names = book.read("xl/workbook.xml").decode()
        pages = [name for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
        lines = [book.read(name).decode().count("<row ") for name in sorted(pages)]
    assert lines == [4, 4, 2], "each with its titles"
    assert "Half hours (3)" in names
