"""Alerts: a queue's figure is past a limit, and supervisors are told. Pure.

One begins at once and ends when the figure has been back for a minute, as help does
(:mod:`.helping`), so that none flaps. Which go on is told by the store, so that a restart neither
ends one nor begins it twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from madoguchi.model.ids import Id
from madoguchi.model.routing import Figure, Threshold
from router.board.helping import Lasting, past_limit

Readings = Callable[[str, Figure], float | None]


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that goes on; ``reached`` is the figure as it was when it began."""

    id: Id
    queue: str
    threshold: Threshold
    reached: float
    began_at: datetime

    def shown(self) -> dict[str, Any]:
        """Return what supervisors are told of it."""
        return {
            "id": self.id,
            "queue": self.queue,
            **told_threshold(self.threshold.figure, self.threshold.limit),
            "reached": round(self.reached, 3),
            "began_at": self.began_at,
        }


def told_threshold(figure: Figure, limit: float) -> dict[str, Any]:
    """Return a condition as it is configured."""
    level = figure is Figure.service_level
    return {"when": figure, "under" if level else "over": limit}


@dataclass(frozen=True, slots=True)
class Turned:
    """What a look changed."""

    begun: list[Raised]
    ended: list[Raised]


class Alerts:
    """The alerts of a domain's queues; ``going`` are those that go on, ``at`` is monotonic."""

    def __init__(self, going: Iterable[Raised], at: float) -> None:
        self._going = {(one.queue, one.threshold): one for one in going}
        self._on: Lasting[tuple[str, Threshold]] = Lasting()
        for key in self._going:
            self._on.holds(key, at, past=True)

    def look(
        self,
        watched: Mapping[str, Sequence[Threshold]],
        reading: Readings,
        at: float,
        now: datetime,
        new_id: Callable[[], Id],
    ) -> Turned:
        """Return what begins and ends now; what is not watched any more ends."""
        wanted = {(queue, one) for queue, several in watched.items() for one in several}
        ended = [self._end(key) for key in list(self._going) if key not in wanted]
        begun = []
        for key in sorted(wanted, key=lambda key: (key[0], key[1].figure, key[1].limit)):
            queue, one = key
            past = past_limit(one, partial(reading, queue))
            holds = self._on.holds(key, at, past=past)
            if holds and key not in self._going:
                reached = reading(queue, one.figure) or 0.0
                self._going[key] = Raised(new_id(), queue, one, reached, now)
                begun.append(self._going[key])
            elif not holds and key in self._going:
                ended.append(self._end(key))
        return Turned(begun, ended)

    def _end(self, key: tuple[str, Threshold]) -> Raised:
        self._on.forget(key)
        return self._going.pop(key)

    def of(self, queue: str) -> list[Raised]:
        """Return the alerts of a queue that go on, the oldest first."""
        found = [one for key, one in self._going.items() if key[0] == queue]
        return sorted(found, key=lambda one: (one.began_at, one.id))
