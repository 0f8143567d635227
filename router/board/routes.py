"""REST of the board: figures, alerts, and tables of both for spreadsheets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, tzinfo
from typing import Annotated, Any, Literal

from aiohttp import web
from pydantic import Field

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Configuration
from madoguchi.http.problems import Problem
from madoguchi.http.sheets import Format, send
from madoguchi.http.table import Body, Call, Nothing, Operation
from madoguchi.model.ids import is_id
from madoguchi.security.audit import record
from madoguchi.security.permissions import Action, NotFound
from madoguchi.store.work import Store, Work
from router.board.alert_rows import listed
from router.board.board import Board
from router.board.exports import Tables
from router.service import RouterService
from router.views import RouterViews

DAYS = 400
"""So many days one table of half hours may tell: a year, and the month before to compare with."""

FIRST_DAY, LAST_DAY = date(2000, 1, 1), date(2100, 1, 1)
Language = Literal["", "ja", "en"]


class AlertsQuery(Body):
    """Which alerts; ``before`` is the last one that is known."""

    open: bool = False
    before: Annotated[str, Field(max_length=64)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class BoardTableQuery(Body):
    """Which table of the board: XLSX has both whatever ``of`` says."""

    format: Format = "csv"
    of: Literal["queues", "agents"] = "queues"
    language: Language = ""


class HalfHoursQuery(Body):
    """Of which days, the last included."""

    first: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    last: Annotated[date, Field(ge=FIRST_DAY, le=LAST_DAY)]
    format: Format = "csv"
    language: Language = ""


@dataclass(frozen=True)
class BoardApi:
    """The board's operations."""

    store: Store
    clock: Clock
    service: RouterService
    views: RouterViews
    configuration: Configuration
    zone: tzinfo | None

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        board, may = f"{V1}/board", Action.WATCH
        return [
            Operation(
                "GET", board, self.board, "Queues and agents: how they stand, today", action=may
            ),
            Operation(
                "GET",
                f"{V1}/alerts",
                self.alerts,
                "Alerts, the newest first",
                query=AlertsQuery,
                action=may,
            ),
            Operation(
                "GET",
                f"{board}/table",
                self.table,
                "The board as CSV or XLSX",
                query=BoardTableQuery,
                action=may,
            ),
            Operation(
                "GET",
                f"{board}/half-hours",
                self.half_hours,
                "What happened in each half hour of some days, as CSV or XLSX",
                query=HalfHoursQuery,
                action=may,
            ),
        ]

    @property
    def _catalog(self) -> Catalog:
        return self.configuration.catalog

    def _board(self) -> Board:
        board = self.service.board
        if board is None:
            raise Problem(503, "router_elsewhere", "the router does not run in this process now")
        return board

    async def board(self, call: Call[Nothing]) -> Any:
        """Return how each queue and agent stands today; 503 where the router is not."""
        board = self._board()
        return {
            "queues": [board.shown(queue) for queue in sorted(self._catalog.queues)],
            "agents": [board.shown_agent(agent) for agent in sorted(board.agents)],
            "whole": board.whole(),
        }

    async def alerts(self, call: Call[AlertsQuery]) -> Any:
        """Return alerts; those without ``ended_at`` go on."""
        query = call.body
        if query.before and not is_id(query.before):
            raise NotFound("alert")
        before = query.before or None
        found = await self.store.read(lambda: listed(query.limit, before, open_only=query.open))
        return {"alerts": found}

    async def table(self, call: Call[BoardTableQuery]) -> web.StreamResponse:
        """Answer with the board as it stands; 503 where the router is not."""
        board, query = self._board(), call.body
        tables = self._tables(call, query.language)
        sheets = [
            tables.queues([board.shown(queue) for queue in sorted(self._catalog.queues)]),
            tables.agents(await self._agents(board), board.shown_agent),
        ]
        if query.of == "agents" and query.format == "csv":
            sheets.reverse()
        await self._note(call, {"table": query.of, "format": query.format})
        name = f"board-{tables.now.astimezone(self.zone):%Y%m%d-%H%M}"
        return await send(call.request, name, query.format, sheets)

    async def _agents(self, board: Board) -> Sequence[Mapping[str, Any]]:
        views = await self.store.read(lambda: self.views.agents(sorted(board.agents)))
        known = set(board.agents)
        rows = [{**v.body, "sign": board.sign(id)} for id, v in views.items() if id in known]
        return sorted(rows, key=lambda row: (row["name"], row["id"]))

    async def half_hours(self, call: Call[HalfHoursQuery]) -> web.StreamResponse:
        """Answer with half hours of some days, each as the database counts it when it is its turn.

        422 ``days_out_of_order``, ``too_many_days``.
        """
        query = call.body
        if query.last < query.first:
            raise Problem(422, "days_out_of_order", "the last day lies before the first")
        if (query.last - query.first).days >= DAYS:
            raise Problem(422, "too_many_days", f"at most {DAYS} days at once", most=DAYS)
        sheet = self._tables(call, query.language).half_hours(self.store, query.first, query.last)
        days = {"first": query.first.isoformat(), "last": query.last.isoformat()}
        await self._note(call, {"table": "half_hours", "format": query.format, **days})
        name = f"half-hours-{query.first:%Y%m%d}-{query.last:%Y%m%d}"
        return await send(call.request, name, query.format, [sheet])

    def _tables(self, call: Call[Any], language: str) -> Tables:
        known = self._catalog.agent_by_id.get(call.actor.id)
        own = known.object.language if known else "ja"
        return Tables(self._catalog, language or own, self.zone, self.clock.now())

    async def _note(self, call: Call[Any], detail: Mapping[str, Any]) -> None:
        """Keep who took figures away; the file is sent only after that is stored."""
        now = self.clock.now()

        def unit() -> Work[None]:
            yield record(call.actor, "board.exported", "board", detail, now, call.client)

        await self.store.write(unit)
