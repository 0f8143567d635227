"""Tables as files for spreadsheets: CSV and XLSX, row by row, in memory that does not grow.

CSV is UTF-8 with a byte order mark, which Excel needs to read Japanese, and CRLF (RFC 4180). A text
that a spreadsheet would take for a formula gets an apostrophe before it (OWASP, CSV injection);
XLSX says of each cell what it is, and needs none.
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any, Literal

from aiohttp import web
from xlsxwriter import Workbook

Cell = str | int | float | datetime | None
"""A moment is aware and in the zone in which it shall be read."""

Row = Sequence[Cell]
Format = Literal["csv", "xlsx"]
CHUNK = 64 * 1024
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
NAME_MOST, LINES_MOST = 31, 1_048_576
"""Excel's limits for the name of a sheet and for its lines."""

MEDIA = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table; its rows come in bundles, as they are read."""

    name: str
    titles: Sequence[str]
    rows: AsyncIterator[Sequence[Row]]


async def bundle(rows: Iterable[Row]) -> AsyncIterator[Sequence[Row]]:
    """Yield rows that are there already."""
    yield list(rows)


async def send(
    request: web.Request, name: str, kind: Format, sheets: Sequence[Sheet]
) -> web.StreamResponse:
    """Answer with a file of this name; a CSV has one table, the first."""
    answer = web.StreamResponse()
    answer.headers["Content-Type"] = MEDIA[kind]
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    if kind == "csv":
        await _send_csv(request, answer, sheets[0])
    else:
        await _send_xlsx(request, answer, sheets)
    await answer.write_eof()
    return answer


async def _send_csv(request: web.Request, answer: web.StreamResponse, sheet: Sheet) -> None:
    await answer.prepare(request)
    await answer.write(b"\xef\xbb\xbf" + csv_lines([sheet.titles]))
    async for rows in sheet.rows:
        await answer.write(csv_lines(rows))


def csv_lines(rows: Iterable[Row]) -> bytes:
    """Return rows as lines of a CSV."""
    text = io.StringIO()
    csv.writer(text).writerows([[_plain(cell) for cell in row] for row in rows])
    return text.getvalue().encode()


def _plain(cell: Cell) -> str | int | float | None:
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, str) and (cell.startswith(FORMULA) or cell.lstrip().startswith(FORMULA)):
        return f"'{cell}"
    return cell


async def _send_xlsx(
    request: web.Request, answer: web.StreamResponse, sheets: Sequence[Sheet]
) -> None:
    with tempfile.TemporaryFile() as file:
        await write_book(file, sheets)
        await answer.prepare(request)
        await _copy(file, answer)


async def write_book(
    file: IO[bytes], sheets: Sequence[Sheet], lines_most: int = LINES_MOST
) -> None:
    """Write sheets as XLSX; what has more lines than a sheet can have goes on in another one."""
    book = Workbook(file, {"constant_memory": True})
    moment = book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
    for sheet in sheets:
        page, number, line = _page(book, sheet, 1), 1, 1
        async for rows in sheet.rows:
            left = rows
            while left:
                if line == lines_most:
                    number, line = number + 1, 1
                    page = _page(book, sheet, number)
                part, left = left[: lines_most - line], left[lines_most - line :]
                await asyncio.to_thread(_fill, page, line, part, moment)
                line += len(part)
    await asyncio.to_thread(book.close)


def _page(book: Workbook, sheet: Sheet, number: int) -> Any:
    again = "" if number == 1 else f" ({number})"
    page = book.add_worksheet(sheet.name[: NAME_MOST - len(again)] + again)
    page.freeze_panes(1, 0)
    page.set_column(0, len(sheet.titles), 14)
    page.set_column(0, 0, 20)
    bold = book.add_format({"bold": True})
    for column, title in enumerate(sheet.titles):
        page.write_string(0, column, title, bold)
    return page


def _fill(page: Any, line: int, rows: Sequence[Row], moment: Any) -> None:
    for at, row in enumerate(rows, line):
        for column, cell in enumerate(row):
            if isinstance(cell, str):
                page.write_string(at, column, cell)
            elif isinstance(cell, datetime):
                page.write_datetime(at, column, cell.replace(tzinfo=None), moment)
            elif cell is not None:
                page.write_number(at, column, cell)


async def _copy(file: IO[bytes], answer: web.StreamResponse) -> None:
    file.seek(0)
    while part := await asyncio.to_thread(file.read, CHUNK):
        await answer.write(part)
