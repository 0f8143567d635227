"""Teams that help a queue while its figures ask for it. Pure; the router's service looks at them.

A team comes as soon as the figure is past its limit. It goes when the figure has been back for
:data:`STAYS_S`: else it would come and go with every contact at the limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence

from madoguchi.model.routing import Figure, Help

STAYS_S = 60.0
"""So long the figure must be back before a team goes."""

WINDOW_S = 1800.0
"""The service level that help looks at is that of the contacts of so long."""

FEWEST = 5
"""Of fewer contacts there is no service level to speak of."""

Reading = Callable[[Figure], float | None]


class Helping:
    """Which helps of each queue are on. Instants are seconds of any one clock."""

    def __init__(self) -> None:
        self._past_at: dict[tuple[str, Help], float] = {}

    def teams(
        self, queue: str, helps: Sequence[Help], reading: Reading, at: float
    ) -> tuple[str, ...]:
        """Return the teams that help a queue now; a figure that nobody knows asks for nobody."""
        for key in [one for one in self._past_at if one[0] == queue and one[1] not in helps]:
            del self._past_at[key]
        on: set[str] = set()
        for help in helps:
            value = reading(help.figure)
            key = (queue, help)
            if value is not None and help.asked(value):
                self._past_at[key] = at
            elif at - self._past_at.get(key, at) >= STAYS_S:
                del self._past_at[key]
            if key in self._past_at:
                on.update(help.teams)
        return tuple(sorted(on))


class RecentLevel:
    """The service level of a queue's last contacts."""

    def __init__(self) -> None:
        self._contacts: deque[tuple[float, bool]] = deque()
        self._in_time = 0

    def add(self, at: float, *, in_time: bool) -> None:
        """A contact was answered, or abandoned: not in time."""
        self._contacts.append((at, in_time))
        self._in_time += in_time

    def level(self, at: float) -> float | None:
        """Return the part answered in time; None: there are too few contacts."""
        while self._contacts and at - self._contacts[0][0] > WINDOW_S:
            self._in_time -= self._contacts.popleft()[1]
        count = len(self._contacts)
        return self._in_time / count if count >= FEWEST else None
