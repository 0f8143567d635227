"""The board and its half hours as CSV and XLSX: the same figures, safe to open, and audited."""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from sqlalchemy import select

from madoguchi.clock import ManualClock
from madoguchi.security.tables import audit
from madoguchi.store.work import Work
from tests.hub.test_chat import accepted
from tests.support.hubs import Person, Running, hub_running
from tests.support.waiting import wait_for

SHEET = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
START = datetime(2026, 11, 22, 5, 10, tzinfo=UTC)


async def fetched(person: Person, path: str) -> tuple[int, str, bytes]:
    """Return status, media type and body."""
    assert person.http is not None
    async with person.http.get(f"{person.running.url}/api/v1{path}") as answer:
        return answer.status, answer.headers["Content-Type"], await answer.read()


async def table(person: Person, path: str) -> list[dict[str, str]]:
    """Return the rows of a CSV."""
    status, kind, body = await fetched(person, path)
    assert (status, kind) == (200, "text/csv; charset=utf-8")
    assert body.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def sheets(body: bytes) -> list[list[list[str]]]:
    """Return the cells of each sheet of an XLSX."""
    found = []
    with zipfile.ZipFile(io.BytesIO(body)) as book:
        for name in sorted(n for n in book.namelist() if n.startswith("xl/worksheets/sheet")):
            root = ElementTree.fromstring(book.read(name))  # noqa: S314
            found.append([["".join(c.itertext()) for c in row] for row in root.iter(f"{SHEET}row")])
    return found


async def a_day(here: Running, clock: ManualClock) -> tuple[Person, Person]:
    """One answered at 5:10 and one at 5:40, whose agent is named like a formula."""
    await here.configure('[agent.ann]\nname = "=HYPERLINK(1)"')
    ann, sue = await here.person("ann"), await here.person("sue")
    desk = await ann.available()
    for wait_s, work_s in ((2, 30), (8, 50)):
        await here.sms(f"+8190555001{wait_s:02d}", "hello")
        await desk.until(lambda s: s.all("offer"), "an offer")
        clock.advance(wait_s)
        id = await accepted(ann, desk)
        clock.advance(work_s)
        one = desk.of("conversation", id)
        await ann.call("POST", f"/conversations/{id}/end", {"inbound_seq": one["inbound_seq"]})
        await ann.call("POST", f"/conversations/{id}/wrap-up", {"code": "solved"})
        clock.advance(1800)
    board = here.hub.router.board
    assert board is not None
    await wait_for(lambda: board.shown("orders")["handled"] == 2, "both are done")
    return ann, sue


async def test_tables_tell_what_the_board_tells(tmp_path: Path, database: str) -> None:
    clock = ManualClock(START)
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        ann, sue = await a_day(here, clock)
        queues = await table(sue, "/board/table?of=queues&language=en")
        whole = next(row for row in queues if (row["Queue"], row["Channel"]) == ("Orders", "All"))
        assert (whole["Answered"], whole["Handled"], whole["Handling time (s)"]) == (
            "2",
            "2",
            "40.0",
        )
        assert [row["Channel"] for row in queues if row["Queue"] == "Orders"] == ["All", "SMS"]
        agents = await table(sue, "/board/table?of=agents&language=en")
        row = next(one for one in agents if one["Answered"] == "2")
        assert row["Agent"] == "'=HYPERLINK(1)", "no spreadsheet takes a name for a formula"
        assert "担当者" in (await table(sue, "/board/table?of=agents&language=ja"))[0]
        status, kind, body = await fetched(sue, "/board/table?format=xlsx&language=ja")
        assert (status, "spreadsheetml" in kind) == (200, True)
        first, second = sheets(body)
        assert first[0][0] == "窓口"
        assert any("=HYPERLINK(1)" in row for row in second)
        assert b"<f>" not in body
        assert (await fetched(ann, "/board/table"))[0] == 403


async def test_half_hours(tmp_path: Path, database: str) -> None:
    clock = ManualClock(START)
    async with hub_running(tmp_path, database=database, clock=clock, time_zone="UTC") as here:
        ann, sue = await a_day(here, clock)
        days = "first=2026-11-21&last=2026-11-23&language=en"
        rows = await table(sue, f"/board/half-hours?{days}")
        told = [
            (r["Begins"], r["Offered"], r["Longest wait (s)"], r["Handling time (s)"]) for r in rows
        ]
        assert told == [
            ("2026-11-22 05:00:00", "1", "2.0", "30.0"),
            ("2026-11-22 05:30:00", "1", "8.0", "50.0"),
        ]
        _, _, body = await fetched(sue, f"/board/half-hours?{days}&format=xlsx")
        assert [len(rows) for rows in sheets(body)] == [3]
        status, answer = await sue.raw("GET", "/board/half-hours?first=2026-11-23&last=2026-11-22")
        assert (status, answer["code"]) == (422, "days_out_of_order")
        status, answer = await sue.raw("GET", "/board/half-hours?first=2025-01-01&last=2026-11-22")
        assert (status, answer["code"]) == (422, "too_many_days")
        assert (await sue.raw("GET", "/board/half-hours?first=x&last=y"))[0] == 422
        assert (await fetched(ann, f"/board/half-hours?{days}"))[0] == 403
        notes = await exported(here)
        assert [note["table"] for note in notes] == ["half_hours", "half_hours"]
        assert notes[0]["first"] == "2026-11-21"


async def exported(here: Running) -> list[Any]:
    """Return what the audit says of files that were taken away."""

    def unit() -> Work[list[Any]]:
        query = select(audit.c.detail).where(audit.c.action == "board.exported")
        return list((yield query.order_by(audit.c.id)))

    return [row.detail for row in await here.hub.store.read(unit)]
