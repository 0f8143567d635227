"""Erlang A: Poisson arrivals, exponential work, exponential patience, n servers (M/M/n+M); pure.

Palm (1957); Garnett, Mandelbaum and Reiman, "Designing a call center with impatient customers"
(M&SOM 4, 2002); the formulas by Zeltyn and Mandelbaum, "Call centers with impatient customers:
many-server asymptotics of the M/M/n+G queue" (Queueing Systems 51, 2005, §2), for exponential
patience. Seconds and rates per second throughout.

With g(x) = exp(λ(1 − exp(−θx))/θ − nμx), what matters is J(t) = ∫ g from t on, which is an
incomplete gamma function, and E = 1/B(n − 1), the inverse of Erlang's loss formula. Both leave the
range of floats, J where more come than can be served, E where far fewer do: so logarithms.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

MOST_SERVERS = 100_000
ENDLESS = 1e280
"""From here on 1/B counts as infinite: nobody ever waits."""

TERMS = 10_000_000
PRECISE = 1e-15
PANELS = 240
WIDE = 12
"""Deviations around its summit within which a bell has all that a float can tell."""


class NotSteady(ValueError):
    """As many come as can be served, or more, and nobody ever leaves: the line grows for ever."""


@dataclass(frozen=True, slots=True)
class Steady:
    """How n servers get along in the long run; shares are of all who come.

    ``in_time``: answered within the target. ``mean_wait_s`` counts those who left, too,
    ``asa_s`` only those who were answered.
    """

    servers: int
    in_time: float
    p_wait: float
    p_abandoned: float
    mean_wait_s: float
    asa_s: float
    occupancy: float


@dataclass(frozen=True, slots=True)
class _Parts:
    """Summands of the figures, all divided by exp(``scale``): 1, J, and E + λJ, ``together``."""

    rate: float
    scale: float
    one: float
    j: float
    together: float
    in_time: float


@dataclass(frozen=True, slots=True)
class ErlangA:
    """What comes: λ contacts a second, who keep a server for ``handling_s`` and wait for
    ``patience_s``, both on average; patience None: for ever (Erlang C).
    """

    arrivals: float
    handling_s: float
    patience_s: float | None = None

    @property
    def load(self) -> float:
        """Return the servers that all this work would keep busy."""
        return self.arrivals * self.handling_s

    def steady(self, servers: int, within_s: float) -> Steady:
        """Return the figures of so many servers. Raises NotSteady."""
        if not self.load:
            return Steady(servers, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        if servers == 0:
            self._must_be_steady(0)
            return Steady(0, 0.0, 1.0, 1.0, self.patience_s or 0.0, 0.0, 0.0)
        parts = self._parts(servers, within_s)
        if parts is None:
            return Steady(servers, 1.0, 0.0, 0.0, 0.0, 0.0, self.load / servers)
        return self._of(servers, parts)

    def in_time(self, servers: int, within_s: float) -> float:
        """Return the share that is answered in time, which costs less than all figures. Raises
        NotSteady.
        """
        if not self.load:
            return 1.0
        if servers == 0:
            self._must_be_steady(0)
            return 0.0
        parts = self._parts(servers, within_s)
        return 1.0 if parts is None else parts.in_time

    def needed(self, share: float, within_s: float) -> int:
        """Return the fewest servers by whom a share in [0, 1) is answered in time."""
        return self.fewest(lambda servers: self.in_time(servers, within_s) >= share)

    def fewest(self, enough: Callable[[int], bool]) -> int:
        """Return the fewest servers that are enough; more of them always are, too."""
        if not self.load:
            return 0
        # Without impatience fewer than the load are never steady.
        low = 0 if self.patience_s is not None else math.floor(self.load)
        high, step = max(low + 1, math.ceil(self.load)), 1 + math.isqrt(math.ceil(self.load))
        while high < MOST_SERVERS and not enough(high):
            low, high, step = high, high + step, 2 * step
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if enough(middle) else (middle, high)
        return high

    def _must_be_steady(self, servers: int) -> None:
        if self.patience_s is None and self.load >= servers:
            raise NotSteady(f"{self.load:g} servers' work for {servers}")

    def _parts(self, servers: int, within_s: float) -> _Parts | None:
        """Return what the figures are made of; None: so many serve that nobody waits."""
        self._must_be_steady(servers)
        none_waits = _inverse_loss(servers - 1, self.load)
        if none_waits >= ENDLESS:
            return None
        rate = servers / self.handling_s
        whole, behind = self._log_j(rate, 0.0), self._log_j(rate, within_s)
        first = self._log_g(rate, within_s)
        # Everything is divided by the largest of the summands.
        scale = max(math.log(none_waits), whole + math.log(self.arrivals), first)
        e, one, g, j = (math.exp(log - scale) for log in (math.log(none_waits), 0.0, first, whole))
        together = e + self.arrivals * j
        in_time = e + g - one + rate * (j - math.exp(behind - scale))
        return _Parts(rate, scale, one, j, together, _share(in_time / together))

    def _of(self, servers: int, parts: _Parts) -> Steady:
        rate, j, together = parts.rate, parts.j, parts.together
        if self.patience_s is None:
            abandoned = 0.0
            mean_wait = asa = self.arrivals * j / together / (rate - self.arrivals)
        else:
            abandoned = _share((parts.one + (self.arrivals - rate) * j) / together)
            mean_wait = abandoned * self.patience_s
            waited = self.arrivals * self._waited(rate, parts.scale) / together
            asa = waited / (1.0 - abandoned) if abandoned < 1.0 else 0.0
        return Steady(
            servers,
            parts.in_time,
            _share(self.arrivals * j / together),
            abandoned,
            mean_wait,
            asa,
            _share(self.arrivals * (1.0 - abandoned) / rate),
        )

    def _log_g(self, rate: float, at: float) -> float:
        if self.patience_s is None:
            return (self.arrivals - rate) * at
        gone = -math.expm1(-at / self.patience_s) * self.patience_s
        return self.arrivals * gone - rate * at

    def _log_j(self, rate: float, at: float) -> float:
        """Return log ∫ g from a time on."""
        if self.patience_s is None:
            return self._log_g(rate, at) - math.log(rate - self.arrivals)
        come = self.arrivals * self.patience_s * math.exp(-at / self.patience_s)
        tail = _log_gamma_tail(rate * self.patience_s, come)
        return self._log_g(rate, at) + tail + math.log(self.patience_s)

    def _waited(self, rate: float, scale: float) -> float:
        """Return ∫ x exp(−θx) g(x) dx, scaled, by Simpson's rule: how long the answered waited."""
        patience = self.patience_s or math.inf
        ahead = rate + 1.0 / patience
        summit = max(0.0, math.log(self.arrivals / ahead) * patience)
        # Around its summit g is a bell, and where it only falls it does so as an exponential.
        bell = WIDE * math.sqrt(patience / rate)
        slope = ahead - self.arrivals
        fall = 4 * WIDE / slope if slope > 0 else bell
        first, last = max(0.0, summit - bell), summit + max(min(bell, fall), 1e-12)

        def value(at: float) -> float:
            return at * math.exp(self._log_g(rate, at) - at / patience - scale)

        return _simpson([value(at) for at in _grid(first, last)], last - first)


def _grid(first: float, last: float) -> Iterator[float]:
    return (first + (last - first) * n / PANELS for n in range(PANELS + 1))


def _simpson(values: list[float], length: float) -> float:
    odd, even = sum(values[1:-1:2]), sum(values[2:-1:2])
    return (values[0] + 4 * odd + 2 * even + values[-1]) * length / PANELS / 3


def _inverse_loss(servers: int, load: float) -> float:
    """Return 1/B(n): Erlang's loss formula by its recurrence, upside down."""
    inverse = 1.0
    for n in range(1, servers + 1):
        inverse = 1.0 + inverse * n / load
        if inverse > ENDLESS:
            return inverse
    return inverse


def _log_gamma_tail(shape: float, at: float) -> float:
    """Return log(exp(y) y^−c γ(c, y)): the series below c + 1, else Γ less the continued fraction
    (Abramowitz and Stegun 6.5.29, 6.5.31).
    """
    if at < shape + 1.0:
        return math.log(_series(shape, at))
    whole = at - shape * math.log(at) + math.lgamma(shape)
    return whole + math.log1p(-_fraction(shape, at) * math.exp(-whole))


def _series(shape: float, at: float) -> float:
    term = total = 1.0 / shape
    for n in range(1, TERMS):
        term *= at / (shape + n)
        total += term
        if term < total * PRECISE:
            break
    return total


def _fraction(shape: float, at: float) -> float:
    """Return exp(y) y^−c Γ(c, y) by Lentz's method."""
    tiny = 1e-300
    b = at + 1.0 - shape
    c, d = 1.0 / tiny, 1.0 / (b or tiny)
    found = d
    for n in range(1, TERMS):
        a = -n * (n - shape)
        b += 2.0
        d = 1.0 / ((a * d + b) or tiny)
        c = (b + a / c) or tiny
        found *= d * c
        if abs(d * c - 1.0) < PRECISE:
            break
    return found


def _share(value: float) -> float:
    return min(1.0, max(0.0, value))
