"""How a recorded day's agents treated offers, for replays; pure.

Each contact and agent have numbers of their own, so both sides of a trial meet the same conduct.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b

from madoguchi.model.routing import MICROS, OfferState
from router.simulator.cast import Asked, Conduct, Reply
from router.trials.day import Day, Reaction
from router.trials.fit import Curve, Fitted, fitted

BACK_S = 120.0
"""After so long an agent is back who has missed offers, where the day has seen nobody do that."""

UNIT = float(1 << 64)
ANSWERS = frozenset({OfferState.accepted, OfferState.declined, OfferState.timed_out})


@dataclass(frozen=True, slots=True)
class Shares:
    """The shares of offers that are declined and missed."""

    declined: float = 0.0
    missed: float = 0.0


@dataclass(frozen=True, slots=True)
class Habits:
    """What a day tells of its agents, times in seconds: shares by agent, and of all together for
    those who were never asked; how long it took to decline, and to come back after missed offers.
    """

    own: Mapping[str, Shares]
    shared: Shares
    declining: Fitted
    back: Fitted

    def of(self, agent: str) -> Shares:
        """Return what an agent does with offers."""
        return self.own.get(agent, self.shared)


def habits(day: Day) -> Habits:
    """Return the habits of a day's agents."""
    of_agent: dict[str, list[Reaction]] = {}
    for one in day.reactions:
        if one.end in ANSWERS:
            of_agent.setdefault(one.agent, []).append(one)
    declined = [one for one in day.reactions if one.end is OfferState.declined]
    return Habits(
        own={agent: _shares(reactions) for agent, reactions in of_agent.items()},
        shared=_shares([one for reactions in of_agent.values() for one in reactions]),
        declining=fitted(declined, lambda one: one.agent, lambda one: (one.us / MICROS, True)),
        back=fitted(day.backs, lambda one: one[0], lambda one: (one[1].us / MICROS, one[1].whole)),
    )


def _shares(reactions: list[Reaction]) -> Shares:
    if not reactions:
        return Shares()
    ends = [one.end for one in reactions]
    return Shares(
        ends.count(OfferState.declined) / len(ends), ends.count(OfferState.timed_out) / len(ends)
    )


@dataclass(frozen=True, slots=True)
class AsRecorded(Conduct):
    """Agents decline and miss offers as often as they did. ``accept``: how long it takes to accept,
    by queue, drawn where several are asked at once; ``seed`` is that of the replication.
    """

    habits: Habits
    accept: Fitted
    seed: str

    def reply(self, asked: Asked, own: Reply) -> Reply:
        """Return what an agent does with an offer."""
        shares = self.habits.of(asked.agent)
        if not (asked.beside or shares.declined or shares.missed):
            return own
        what, when = self._numbers(f"{asked.contact}/{asked.agent}/{asked.time}")
        if what < shares.declined:
            curve = self.habits.declining.of(asked.agent)
            return Reply(OfferState.declined, _us(curve, when))
        if what < shares.declined + shares.missed:
            return Reply(OfferState.timed_out, 0)
        if asked.beside:
            return Reply(OfferState.accepted, _us(self.accept.of(asked.queue), when))
        return own

    def back_us(self, agent: str, time: int) -> int | None:
        """Return after how long an agent is back who has missed offers."""
        curve = self.habits.back.of(agent)
        if not curve.last:
            return round(BACK_S * MICROS)
        number, _ = self._numbers(f"{agent}/back/{time}")
        drawn = curve.draw(number)
        return round(drawn * MICROS) if math.isfinite(drawn) else None

    def _numbers(self, of: str) -> tuple[float, float]:
        """Return two numbers in [0, 1) that only depend on what they are for."""
        digest = blake2b(f"{self.seed}/{of}".encode(), digest_size=16).digest()
        first, second = digest[:8], digest[8:]
        return int.from_bytes(first, "big") / UNIT, int.from_bytes(second, "big") / UNIT


def _us(curve: Curve, number: float) -> int:
    drawn = curve.draw(number)
    return round((drawn if math.isfinite(drawn) else curve.last) * MICROS)
