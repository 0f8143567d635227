"""The figures of today, of queues and of agents, pushed to supervisors: at most once a second, and
only what changed.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from router.board.board import Board
from router.board.staff import EVERYBODY

EVERY_S = 1.0
LOOKED_AT_ONCE = 25
"""So many queues and agents are looked at each second in turns: expected waits and occupancy move
without anything that happens.
"""

PARCEL = 500
"""So many queues and agents travel in one event, far below what a socket may hold back."""


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

    def __init__(self, router: Router, desks: Desks) -> None:
        self._router = router
        self._desks = desks
        self._board: Board | None = None
        self._greeted: set[str] = set()
        self._parts = (
            _Part("queues", lambda board: board.queues, Board.changed, Board.shown),
            _Part("agents", lambda board: board.agents, Board.changed_agents, Board.shown_agent),
            _Part("whole", lambda _: [EVERYBODY], lambda _: {EVERYBODY}, lambda b, _: b.whole()),
        )

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
        anew, self._board = board is not self._board, board
        changed = {part.name: part.look(board, anew=anew) for part in self._parts}
        for sid in sorted(watchers):
            new = sid not in self._greeted
            views = {part.name: part.all for part in self._parts} if new else changed
            self._greeted.add(sid)
            for body in _parcels(views):
                await self._desks.tell(sid, "figures", body)


class _Part:
    """Objects of one kind, as they were told last; told again when they look different."""

    def __init__(
        self,
        name: str,
        keys: Callable[[Board], Iterable[str]],
        changed: Callable[[Board], set[str]],
        shown: Callable[[Board, str], dict[str, Any]],
    ) -> None:
        self.name = name
        self._keys = keys
        self._changed = changed
        self._shown = shown
        self._told: dict[str, dict[str, Any]] = {}
        self._turn = 0

    @property
    def all(self) -> list[dict[str, Any]]:
        """Everything as it was told last."""
        return list(self._told.values())

    def look(self, board: Board, *, anew: bool) -> list[dict[str, Any]]:
        """Return what looks different now."""
        keys, changed = sorted(self._keys(board)), self._changed(board)
        if anew:
            self._told, looked = {}, keys
        else:
            first = self._turn % max(1, len(keys))
            self._turn = first + LOOKED_AT_ONCE
            in_turn = (keys + keys)[first : first + LOOKED_AT_ONCE]
            looked = sorted({*in_turn, *changed} & set(keys))
        known = set(keys)
        views = {key: self._shown(board, key) for key in looked}
        news = [view for key, view in views.items() if self._told.get(key) != view]
        self._told = {key: view for key, view in self._told.items() if key in known} | views
        return news


def _parcels(views: dict[str, list[dict[str, Any]]]) -> Iterator[dict[str, Any]]:
    """Yield bodies of bounded size with all of these views; none where there are none."""
    most = max(len(several) for several in views.values())
    for first in range(0, most, PARCEL):
        yield {name: several[first : first + PARCEL] for name, several in views.items()}
