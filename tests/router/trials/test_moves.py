"""Which moves are worth a replay: a cheap reckoning over the day without any."""

from __future__ import annotations

from madoguchi.configuration.catalog import Catalog
from router.configured import specs
from router.trials.figures import MEAN_WAIT, SERVICE_LEVEL
from router.trials.moves import MOST_MOVES, Move, MoveKind, needed, promising
from router.trials.replay import replayed
from router.trials.trial import Trial, fits
from tests.support.days import Came, Spans, catalog_of, day_of

HOUR = 3600.0
COMPANY = """
[skill.rare]
name = "Rare"
[queue.orders]
name = "Orders"
service_level_s = 30
requires = { rare = 2 }
[queue.returns]
name = "Returns"
service_level_s = 30
[team.front]
name = "Front"
serves = [{ queue = "orders" }]
[team.back]
name = "Back"
serves = [{ queue = "returns" }]
[agent.ann]
name = "Ann"
teams = ["front"]
units = 1
skills = { rare = 3 }
[agent.ben]
name = "Ben"
teams = ["front"]
units = 1
[agent.cid]
name = "Cid"
teams = ["back"]
units = 1
skills = { rare = 2 }
"""
THERE: Spans = {
    "ann": [(8 * HOUR, 18 * HOUR)],
    "ben": [(8 * HOUR, 18 * HOUR)],
    "cid": [(8 * HOUR, 18 * HOUR)],
}
LATE = [Came(9 * HOUR + n * 60, 20, 120) for n in range(100)]


def looked(
    toml: str = COMPANY, came: list[Came] = LATE, there: Spans = THERE, queue: str = ""
) -> tuple[list[Move], int, Catalog]:
    day, catalog = day_of(came, there), catalog_of(toml)
    base = [replayed(Trial(day, fits(day), catalog, catalog), catalog, 0)]
    return *promising(day, catalog, base, SERVICE_LEVEL, queue), catalog


def of_kind(moves: list[Move], kind: MoveKind) -> list[Move]:
    return [move for move in moves if move.kind is kind]


def test_each_kind_is_thought_of() -> None:
    moves, thought_of, catalog = looked()
    assert thought_of == len(moves)
    assert [move.key for move in moves] == [str(n) for n in range(1, len(moves) + 1)]
    (hired,) = of_kind(moves, MoveKind.agent)
    assert (hired.team, hired.agent) == ("front", "ann"), (
        "Ben would not help, nor would a second Cid"
    )
    assert hired.adds == {f"~{hired.key}": day_of([], THERE).there["ann"]}
    (learns,) = of_kind(moves, MoveKind.skill)
    assert (learns.agent, learns.skill, learns.level) == ("ben", "rare", 2)
    (ring,) = of_kind(moves, MoveKind.ring)
    assert (ring.queue, ring.team, ring.after_s) == ("orders", "back", 15)
    for move in moves:
        Catalog(1, {**catalog.objects, **move.objects})


def test_a_newcomer_changes_nothing_of_the_others() -> None:
    moves, _, catalog = looked()
    (hired,) = of_kind(moves, MoveKind.agent)
    with_them = specs(Catalog(1, {**catalog.objects, **hired.objects}))
    before = specs(catalog)
    assert {id: with_them[id] for id in before} == before
    (newcomer,) = set(with_them) - set(before)
    assert with_them[newcomer].skills == before["ann"].skills
    assert with_them[newcomer].order == len(before)


def test_who_comes_to_the_same_counts_once_and_few_are_replayed() -> None:
    more = "".join(
        f'[agent.x{n}]\nname = "X"\nteams = ["front"]\nunits = 1\nskills = {{ s{n} = 1 }}\n'
        f'[skill.s{n}]\nname = "S"\n[agent.y{n}]\nname = "Y"\nteams = ["front"]\nunits = 1\n'
        for n in range(30)
    )
    there = {**THERE, **{f"{one}{n}": [(8 * HOUR, 18 * HOUR)] for one in "xy" for n in range(30)}}
    moves, thought_of, _ = looked(COMPANY + more, there=there)
    assert len(moves) == MOST_MOVES
    assert thought_of == 1 + 1 + 31, "thirty others each, and Ben for all who are like him"
    assert {move.kind for move in moves} == set(MoveKind)


def test_what_was_served_well_needs_nothing() -> None:
    quiet = [Came(9 * HOUR + n * 600, 0, 60) for n in range(10)]
    assert looked(came=quiet)[:2] == ([], 0)
    assert looked(queue="returns")[:2] == ([], 0), "nobody asked for returns"


def test_the_need_is_what_the_figure_asks_for() -> None:
    day, catalog = day_of(LATE, THERE), catalog_of(COMPANY)
    base = [replayed(Trial(day, fits(day), catalog, catalog), catalog, 0)]
    need = needed(base, SERVICE_LEVEL)
    assert sum(need["orders"]) > 50
    assert sum(need["returns"]) == 0
    waits = needed(base, MEAN_WAIT, "orders")
    assert set(waits) == {"orders"}
    assert sum(waits["orders"]) > sum(need["orders"])
