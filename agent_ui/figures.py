"""The queues' figures of today, pushed to supervisors: at most once a second, what changed."""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Protocol

from router.board import Board

EVERY_S = 1.0
EXPECTED_AT_ONCE = 25
"""Of so many queues the expected wait is looked at each second, in turns."""


class Router(Protocol):
    """Where the board is, if it is here."""

    @property
    def board(self) -> Board | None:
        """The board of this process's router."""
        ...


class Desks(Protocol):
    """Who watches."""

    def watchers(self) -> set[str]:
        """Return the sockets of supervisors who listen."""
        ...

    async def tell(self, sid: str, name: str, body: Any) -> None:
        """Send an event to one of them."""
        ...


class FigureStream:
    """Tells each supervisor everything first, and then what changes."""

    def __init__(self, router: Router, desks: Desks, queues: Callable[[], Iterable[str]]) -> None:
        self._router = router
        self._desks = desks
        self._queues = queues
        self._board: Board | None = None
        self._told: dict[str, dict[str, Any]] = {}
        self._greeted: set[str] = set()
        self._turn = 0

    async def run(self) -> None:
        """Tell for ever; a supervised task."""
        while True:
            await asyncio.sleep(EVERY_S)
            await self.step()

    async def step(self) -> None:
        """Tell what changed since the last time, and everything to who is new."""
        watchers = self._desks.watchers()
        self._greeted &= watchers
        board = self._router.board
        if board is None or not watchers:
            return
        changed = self._changed(board)
        for sid in sorted(watchers):
            views = changed if sid in self._greeted else list(self._told.values())
            self._greeted.add(sid)
            if views:
                await self._desks.tell(sid, "figures", {"queues": views})

    def _changed(self, board: Board) -> list[dict[str, Any]]:
        queues, changed = sorted(self._queues()), board.changed()
        if board is not self._board:
            self._board, self._told, looked = board, {}, queues
        else:
            first = self._turn % max(1, len(queues))
            self._turn = first + EXPECTED_AT_ONCE
            in_turn = (queues + queues)[first : first + EXPECTED_AT_ONCE]
            looked = sorted({*in_turn, *changed} & set(queues))
        views = {queue: board.shown(queue) for queue in looked}
        news = [view for queue, view in views.items() if self._told.get(queue) != view]
        self._told = {q: view for q, view in self._told.items() if q in queues} | views
        return news
