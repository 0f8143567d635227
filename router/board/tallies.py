"""What each agent has done today, and what they hold by channel; pure.

* answered: contacts that came into their hands, whoever gave them; each time counts
* declined, missed: their offers that ended so
* handling time = from being taken to the end of wrap-up or until it was given away, without the
  pauses in which it took no capacity; it counts where and when it ends, in the queue in which
  the agent took it
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from madoguchi.model.routing import MICROS, OfferState


@dataclass(slots=True)
class Tally:
    """An agent's day; µs."""

    answered: int = 0
    declined: int = 0
    missed: int = 0
    handled: int = 0
    handling_us: int = 0

    def shown(self) -> dict[str, Any]:
        """Return it in seconds; no mean of nothing."""
        mean = round(self.handling_us / self.handled / MICROS, 3) if self.handled else None
        return {
            "answered": self.answered,
            "declined": self.declined,
            "missed": self.missed,
            "handled": self.handled,
            "handling_s": mean,
        }


class Hand(NamedTuple):
    """Work in somebody's hands: whose, of which queue and channel, since when (µs)."""

    agent: str
    queue: str
    channel: str
    since: int


class Tallies:
    """The tallies of a domain's agents; instants are µs of the engine's clock."""

    def __init__(self) -> None:
        self._of: dict[str, Tally] = {}
        self._hands: dict[str, Hand] = {}
        self._loads: dict[str, Mapping[str, int]] = {}
        self.changed: set[str] = set()

    def taken(self, item: str, hand: Hand) -> None:
        """Work came into somebody's hands today."""
        self.holds(item, hand)
        self.of(hand.agent).answered += 1

    def holds(self, item: str, hand: Hand) -> None:
        """Work is in somebody's hands, since whenever."""
        self._hands[item] = hand

    def let_go(self, item: str, at: int, released_us: int) -> tuple[Hand, int] | None:
        """End whatever hand holds an item; return it with the handling time, None: nobody's."""
        hand = self._hands.pop(item, None)
        if hand is None:
            return None
        handling_us = max(0, at - hand.since - released_us)
        self.handled(hand.agent, handling_us)
        return hand, handling_us

    def handled(self, agent: str, handling_us: int) -> None:
        """Work of somebody has ended today."""
        tally = self.of(agent)
        tally.handled += 1
        tally.handling_us += handling_us

    def offered(self, agent: str, end: OfferState) -> None:
        """An offer to somebody has ended today."""
        if end is OfferState.declined:
            self.of(agent).declined += 1
        elif end is OfferState.timed_out:
            self.of(agent).missed += 1

    def carries(self, agent: str, load: Mapping[str, int]) -> None:
        """Take in an agent's units in use by channel."""
        if self._loads.get(agent, {}) != load:
            self._loads[agent] = load
            self.changed.add(agent)

    def forget(self, agent: str) -> None:
        """Forget who is no agent any more."""
        self._of.pop(agent, None)
        self._loads.pop(agent, None)
        self.changed.discard(agent)

    def new_day(self) -> None:
        """Begin to count anew; what is in hand stays there."""
        self.changed |= set(self._of)
        self._of.clear()

    def move(self, leap: int) -> None:
        """Follow a clock that was set."""
        self._hands = {
            item: hand._replace(since=hand.since + leap) for item, hand in self._hands.items()
        }

    def of(self, agent: str) -> Tally:
        """Return an agent's tally, to be changed."""
        self.changed.add(agent)
        return self._of.setdefault(agent, Tally())

    def shown(self, agent: str) -> dict[str, Any]:
        """Return what is told of an agent."""
        tally = self._of.get(agent) or Tally()
        return {**tally.shown(), "load": dict(sorted(self._loads.get(agent, {}).items()))}
