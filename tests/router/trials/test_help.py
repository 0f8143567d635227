"""Help by figures in a replay: the hub's own code, and what looking each second would tell."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from typing import Any

import pytest

from madoguchi.model.routing import TeamsLetIn
from router.engine.engine import Engine
from router.simulator.cast import Cast
from router.simulator.replication import Outcome, Replication
from router.simulator.watch import Watch
from router.trials.casting import cast
from router.trials.figures import compared
from router.trials.replay import replayed
from router.trials.trial import Trial, fits
from tests.support.days import Came, catalog_of, day_of

FIGURES = (
    "waiting", "longest_wait", "expected_wait", "service_level", "abandoned",
)  # fmt: skip
LIMITS = {"waiting": 2, "longest_wait": 45, "expected_wait": 60, "abandoned": 3}
THERE = {
    "ann": [(0.0, 9_000.0), (9_500.0, 20_000.0)],
    "ben": [(0.0, 20_000.0)],
    "cid": [(500.0, 19_000.0)],
    "dan": [(0.0, 20_000.0)],
}


def company(*helps: str, more: str = "") -> str:
    """Return two queues; the second's people may help in the first."""
    return f"""
[queue.orders]
name = "Orders"
service_level_s = 30
help = [{", ".join(helps)}]
{more}
[queue.returns]
name = "Returns"
help = [{{ when = "expected_wait", over = 200, add_groups = ["front"] }}]
[team.front]
name = "Front"
serves = [{{ queue = "orders" }}]
[team.back]
name = "Back"
serves = [{{ queue = "returns" }}]
[agent.ann]
name = "Ann"
teams = ["front"]
units = 1
[agent.ben]
name = "Ben"
teams = ["front"]
units = 1
[agent.cid]
name = "Cid"
teams = ["back"]
units = 1
[agent.dan]
name = "Dan"
teams = ["back"]
units = 2
"""


def help_by(figure: str) -> str:
    """Return a help as it is written."""
    limit = f"over = {LIMITS[figure]}" if figure in LIMITS else "under = 0.8"
    return f'{{ when = "{figure}", {limit}, add_groups = ["back"] }}'


def a_day(seed: int = 3) -> list[Came]:
    """Return a day with a peak that two agents do not manage, and a calm before and behind it."""
    numbers = random.Random(seed)  # noqa: S311
    found = []
    for queue, peak in (("orders", 55), ("returns", 130)):
        at = 0.0
        while at < 18_000:
            mean = peak if 5_000 < at < 12_000 else 3 * peak
            at += numbers.expovariate(1 / mean)
            left = numbers.random() < 0.1
            talk = None if left else numbers.expovariate(1 / 120)
            found.append(Came(at, numbers.expovariate(1 / 90), talk, 20, queue=queue))
    return found


class EachSecond(Watch):
    """Looks each second, at all queues that have help, as the hub does."""

    def __init__(self, engine: Engine, of: Cast) -> None:
        super().__init__(engine, of)
        self.due = 0
        self.tells_time = True

    def look(self, at: int) -> list[TeamsLetIn]:
        for queue in self._queues.values():
            queue.due = at // 1_000_000
        found = super().look(at)
        self.due = at + 1_000_000
        return found

    def _touch(self, queues: Iterable[str], second: int) -> None:
        pass


class Told(Replication):
    """A run that notes who was let in when."""

    def __init__(self, of: Cast, kind: type[Watch]) -> None:
        super().__init__(of)
        self._watch = kind(self._engine, of)
        self.changes: list[tuple[int, TeamsLetIn]] = []

    def _do(self, command: Any) -> bool:
        if isinstance(command, TeamsLetIn):
            self.changes.append((self._now, command))
        return super()._do(command)


def both(of: Sequence[Cast]) -> list[tuple[list[tuple[int, TeamsLetIn]], Outcome]]:
    """Return what two runs of the same tell: looked at each second, and only where need be."""
    found = []
    for one, kind in zip(of, (EachSecond, Watch), strict=True):
        run = Told(one, kind)
        found.append((run.changes, run.run()))
    return found


@pytest.mark.parametrize("more", ["", 'order = "service_level"'])
@pytest.mark.parametrize("figure", [*FIGURES, "all"])
def test_what_is_looked_at_is_what_looking_each_second_would_tell(figure: str, more: str) -> None:
    helps = [help_by(one) for one in (FIGURES if figure == "all" else [figure])]
    catalog = catalog_of(company(*helps, more=more))
    day = day_of(a_day(), THERE)
    trial = Trial(day, fits(day), catalog, catalog)
    each, needed = both([cast(trial, catalog, 0) for _ in range(2)])
    assert each == needed
    let_in = [one for _, one in needed[0] if one.queue == "orders"]
    assert len(let_in) >= 2, "it comes and goes"
    assert {one.teams for one in let_in} == {(), ("back",)}


def test_who_tries_help_sees_what_it_gives() -> None:
    day = day_of(a_day(), THERE)
    old = catalog_of(company().replace("help = ", "# "))
    assert cast(Trial(day, fits(day), old, old), old, 0).helps == {}, "nothing is watched"
    for figure in FIGURES:
        new = catalog_of(company(help_by(figure)))
        one = Trial(day, fits(day), old, new)
        found = compared(one, [replayed(one, old, 0)], [replayed(one, new, 0)])["queues"]
        wait, back = (found[key]["difference"]["mean_wait_s"]["mean"] for key in found)
        assert wait < -50, figure
        assert back > 0, "they are missed elsewhere"
