"""What is left alone for a while: accounts whose provider said so, rows that failed with us."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from connectors.base import Connector, ConnectorSettings
from madoguchi.clock import Clock
from madoguchi.model.ids import Id

FIRST_REST_S = 2.0
LONGEST_REST_S = 60.0


class Pauses:
    """Accounts whose providers asked for a pause.

    A pause belongs to the settings under which it was asked for: with other credentials or another
    address the provider is asked at once.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until: dict[Id, float] = {}
        self._settings: dict[Id, ConnectorSettings] = {}

    def holds(self, account: Id) -> bool:
        """Tell whether a provider has asked for a pause that is not over."""
        return self.left_s(account) > 0

    def left_s(self, account: Id) -> float:
        """Return the seconds left of an account's pause, 0 when there is none."""
        return max(0.0, self._until.get(account, float("-inf")) - self._clock.monotonic())

    def known(self, account: Id) -> bool:
        """Tell whether a pause was ever asked for, be it over."""
        return account in self._until

    def ask(self, account: Id, seconds: float) -> None:
        """Ask nothing of a provider for a while. Of parallel answers the longest pause counts."""
        until = self._clock.monotonic() + seconds
        self._until[account] = max(until, self._until.get(account, until))

    def follow(self, connectors: Iterable[Connector]) -> list[Id]:
        """End the pauses of accounts whose settings have changed since the last call; return these
        accounts.
        """
        now = {one.account.id: one.settings for one in connectors}
        changed = [id for id, kept in self._settings.items() if now.get(id, kept) != kept]
        for id in changed:
            self._until.pop(id, None)
        self._settings |= now
        return changed


@dataclass(frozen=True, slots=True)
class _Rest:
    until: float
    pause: float


class Rests:
    """Outbox rows that failed on our own side: each is left alone, longer each time."""

    def __init__(self) -> None:
        self._rests: dict[int, _Rest] = {}

    def rest(self, row: int) -> None:
        """Leave a row alone for a while."""
        before = self._rests.get(row)
        pause = min(before.pause * 2, LONGEST_REST_S) if before else FIRST_REST_S
        self._rests[row] = _Rest(asyncio.get_running_loop().time() + pause, pause)

    def forget(self, row: int) -> None:
        """A row has worked."""
        self._rests.pop(row, None)

    def holds(self, row: int) -> bool:
        """Tell whether a row is to be left alone now."""
        found = self._rests.get(row)
        return found is not None and found.until > asyncio.get_running_loop().time()

    @property
    def rows(self) -> list[int]:
        """The rows that are to be left alone now."""
        return [row for row in self._rests if self.holds(row)]
