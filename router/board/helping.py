"""Teams that help a queue while its figures ask for it. Pure; the router's service looks at them.

A team comes as soon as the figure is past its limit. It goes when the figure has been back for
:data:`STAYS_S`: else it would come and go with every contact at the limit.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from functools import partial
from typing import Generic, TypeVar

from madoguchi.model.routing import Figure, Help, Threshold

STAYS_S = 60.0
"""So long the figure must be back before a team goes."""

WINDOW_S = 1800.0
"""The service level that help looks at is that of the contacts of so long."""

FEWEST = 5
"""Of fewer contacts there is no service level to speak of."""

Reading = Callable[[Figure], float | None]


K = TypeVar("K", bound=Hashable)


class Lasting(Generic[K]):
    """Which conditions hold: one begins at once, and ends when it has been back for
    :data:`STAYS_S`.
    """

    def __init__(self) -> None:
        self._past_at: dict[K, float] = {}

    def holds(self, key: K, at: float, *, past: bool) -> bool:
        """Take in whether a figure is past its limit now; tell whether the condition holds."""
        if past:
            self._past_at[key] = at
        elif at - self._past_at.get(key, at) >= STAYS_S:
            del self._past_at[key]
        return key in self._past_at

    def ends_at(self, key: K) -> float | None:
        """Return when a condition ends if its figure stays back; None: it does not hold."""
        past_at = self._past_at.get(key)
        return None if past_at is None else past_at + STAYS_S

    def forget(self, key: K) -> None:
        """Let a condition hold no more."""
        self._past_at.pop(key, None)

    def __iter__(self) -> Iterator[K]:
        return iter(list(self._past_at))


def past_limit(one: Threshold, reading: Reading) -> bool:
    """Tell whether a figure is past its limit; one that nobody knows is not."""
    value = reading(one.figure)
    return value is not None and one.asked(value)


class Helping:
    """Which helps of each queue are on. Instants are seconds of any one clock.

    ``now`` is queue -> the teams that help it, as the last look found them.
    """

    def __init__(self) -> None:
        self.now: Mapping[str, tuple[str, ...]] = {}
        self._on: Lasting[tuple[str, Help]] = Lasting()

    def look(
        self,
        helps: Mapping[str, Sequence[Help]],
        reading: Callable[[str, Figure], float | None],
        at: float,
    ) -> dict[str, tuple[str, ...]]:
        """Return, for those of some queues where that has changed, the teams that help them."""
        now = {
            queue: self.teams(queue, several, partial(reading, queue), at)
            for queue, several in helps.items()
        }
        changed = {q: teams for q, teams in now.items() if teams != self.now.get(q, ())}
        self.now = {queue: teams for queue, teams in {**self.now, **now}.items() if teams}
        return changed

    def ends_at(self, queue: str, help: Help) -> float | None:
        """Return when a help ends if its figure stays back; None: it is not on."""
        return self._on.ends_at((queue, help))

    def teams(
        self, queue: str, helps: Sequence[Help], reading: Reading, at: float
    ) -> tuple[str, ...]:
        """Return the teams that help a queue now; a figure that nobody knows asks for nobody."""
        for key in self._on:
            if key[0] == queue and key[1] not in helps:
                self._on.forget(key)
        on: set[str] = set()
        for help in helps:
            if self._on.holds((queue, help), at, past=past_limit(help, reading)):
                on.update(help.teams)
        return tuple(sorted(on))


class RecentLevel:
    """The service level of a queue's last contacts."""

    def __init__(self) -> None:
        self._contacts: deque[tuple[float, bool, bool]] = deque()
        self._in_time = self._left = 0

    def add(self, at: float, *, in_time: bool, left: bool = False) -> None:
        """A contact was answered, or abandoned: not in time."""
        self._contacts.append((at, in_time, left))
        self._in_time += in_time
        self._left += left

    def level(self, at: float) -> float | None:
        """Return the part answered in time; None: there are too few contacts."""
        self._pass(at)
        count = len(self._contacts)
        return self._in_time / count if count >= FEWEST else None

    def left(self, at: float) -> int:
        """Return how many were abandoned."""
        self._pass(at)
        return self._left

    def changes_at(self) -> float | None:
        """Return when the next contact is too old to count; None: none counts."""
        return self._contacts[0][0] + WINDOW_S if self._contacts else None

    def _pass(self, at: float) -> None:
        while self._contacts and at - self._contacts[0][0] > WINDOW_S:
            _, in_time, left = self._contacts.popleft()
            self._in_time -= in_time
            self._left -= left
