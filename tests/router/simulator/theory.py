"""Exact queueing theory, to hold the simulator against.

Rates per second. Erlang (1917) for B and C; Palm (1957) for A, as a birth-death process summed far
beyond where it is ever; Cobham (1954) for two non-preemptive classes with equal service times.
"""

from __future__ import annotations

import math
from dataclasses import dataclass


def erlang_b(servers: int, load: float) -> float:
    """Return the probability that an arrival is blocked, without a waiting room."""
    blocked = 1.0
    for n in range(1, servers + 1):
        blocked = load * blocked / (n + load * blocked)
    return blocked


def erlang_c(servers: int, load: float) -> float:
    """Return the probability that an arrival waits, with room for all; load < servers."""
    blocked = erlang_b(servers, load)
    return blocked / (1 - load / servers * (1 - blocked))


@dataclass(frozen=True)
class Waiting:
    """M/M/c: arrivals and services per second and server."""

    servers: int
    arrivals: float
    services: float

    @property
    def p_wait(self) -> float:
        return erlang_c(self.servers, self.arrivals / self.services)

    @property
    def spare(self) -> float:
        """How much faster all servers together are than the arrivals."""
        return self.servers * self.services - self.arrivals

    @property
    def mean_wait(self) -> float:
        return self.p_wait / self.spare

    def within(self, seconds: float) -> float:
        """Return the share of arrivals that wait so long at most."""
        return 1 - self.p_wait * math.exp(-self.spare * seconds)


@dataclass(frozen=True)
class Impatient:
    """M/M/c+M: each who waits leaves at a rate of their own."""

    servers: int
    arrivals: float
    services: float
    patience: float

    def states(self) -> list[float]:
        """Return the probability of each number of customers, up to where it is nothing."""
        weights = [1.0]
        while len(weights) < 5_000:
            n = len(weights)
            busy = min(n, self.servers)
            leaving = busy * self.services + (n - busy) * self.patience
            weights.append(weights[-1] * self.arrivals / leaving)
        total = sum(weights)
        return [weight / total for weight in weights]

    @property
    def p_wait(self) -> float:
        return sum(self.states()[self.servers :])

    @property
    def queue(self) -> float:
        """The mean number who wait."""
        return sum((n - self.servers) * p for n, p in enumerate(self.states()) if n > self.servers)

    @property
    def p_abandoned(self) -> float:
        return self.patience * self.queue / self.arrivals

    @property
    def mean_wait(self) -> float:
        return self.queue / self.arrivals


def two_classes(servers: int, first: float, second: float, services: float) -> tuple[float, float]:
    """Return the mean waits of two classes that arrive at these rates."""
    capacity = servers * services
    p_wait = erlang_c(servers, (first + second) / services)
    urgent = p_wait / (capacity * (1 - first / capacity))
    return urgent, urgent / (1 - (first + second) / capacity)
