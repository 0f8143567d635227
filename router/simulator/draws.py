"""Random times: contact *i* of a queue takes the *i*-th number of each stream, used or not, so that
two configurations meet the same customers.
"""

from __future__ import annotations

import csv
import math
import random
from bisect import bisect_right
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import NormalDist

from router.simulator.scenario import Arrivals, BadScenario, Times

DAY_S = 86_400.0
NORMAL = NormalDist()
Draw = Callable[[float], float]
"""A number in [0, 1) -> seconds."""


def stream(seed: int, replication: int, queue: str, purpose: str) -> random.Random:
    """Return the stream of numbers of one purpose."""
    return random.Random(f"{seed}/{replication}/{queue}/{purpose}")  # noqa: S311


def times(wanted: Times, beside: Path) -> Draw:
    """Return how a number becomes a time; files are looked for beside the scenario."""
    if wanted.exponential_s is not None:
        mean = wanted.exponential_s
        return lambda number: -mean * math.log1p(-number)
    if wanted.lognormal_s is not None:
        return _lognormal(wanted.lognormal_s.mean, wanted.lognormal_s.cv)
    if wanted.empirical is not None:
        values = column(beside / wanted.empirical)
        return lambda number: values[int(number * len(values))]
    fixed = wanted.fixed_s or 0.0
    return lambda _: fixed


def _lognormal(mean: float, cv: float) -> Draw:
    variance = math.log1p(cv * cv)
    middle, deviation = math.log(mean) - variance / 2, math.sqrt(variance)
    return lambda number: math.exp(middle + deviation * NORMAL.inv_cdf(number or 1e-12))


def arrivals(wanted: Arrivals, draws: random.Random, beside: Path) -> Iterator[float]:
    """Yield the seconds at which contacts come, ascending; a replay ends."""
    if wanted.replay is not None:
        yield from sorted(column(beside / wanted.replay))
    elif wanted.profile_per_hour is not None:
        yield from _by_profile(wanted.profile_per_hour, draws)
    elif wanted.poisson_per_hour:
        mean, at = 3600.0 / wanted.poisson_per_hour, 0.0
        while True:
            at -= mean * math.log1p(-draws.random())
            yield at


def _by_profile(rates: list[float], draws: random.Random) -> Iterator[float]:
    """Yield the arrivals of a rate that is constant in each part of the day: unit-rate arrivals,
    carried from expected numbers to times.
    """
    width = DAY_S / len(rates)
    sums = [0.0]
    for rate in rates:
        sums.append(sums[-1] + rate * width / 3600.0)
    expected = 0.0
    while True:
        expected -= math.log1p(-draws.random())
        day, within = divmod(expected, sums[-1])
        part = min(bisect_right(sums, within) - 1, len(rates) - 1)
        yield day * DAY_S + part * width + (within - sums[part]) * 3600.0 / rates[part]


def column(path: Path) -> list[float]:
    """Return the numbers of a file's first column; a first line without a number is its heading."""
    found = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if row and row[0].strip()]
    except (OSError, UnicodeDecodeError) as why:
        raise BadScenario(f"{path}: {why}") from why
    for number, row in enumerate(rows):
        try:
            value = float(row[0])
        except ValueError:
            if number == 0:
                continue
            raise BadScenario(f"{path}: line {number + 1}: {row[0]!r} is no number") from None
        if not value >= 0 or math.isinf(value):
            raise BadScenario(f"{path}: line {number + 1}: {row[0]} is no time")
        found.append(value)
    if not found:
        raise BadScenario(f"{path}: there are no numbers in it")
    return found
