"""Teams come when a figure is past its limit and go when it has been back for a while."""

from __future__ import annotations

import pytest

from madoguchi.model.routing import Figure, Help
from router.board.helping import FEWEST, STAYS_S, WINDOW_S, Helping, RecentLevel

CROWD = Help(Figure.waiting, 10, ("night",))
LATE = Help(Figure.service_level, 0.8, ("spare", "night"))


class Readings:
    def __init__(self, **values: float | None) -> None:
        self.values = values

    def __call__(self, figure: Figure) -> float | None:
        return self.values.get(figure.value)


def test_a_team_comes_when_the_limit_is_passed_and_not_before() -> None:
    helping = Helping()
    assert helping.teams("q", [CROWD], Readings(waiting=10), 0) == ()
    assert helping.teams("q", [CROWD], Readings(waiting=11), 1) == ("night",)


def test_a_level_asks_for_help_below_its_limit() -> None:
    helping = Helping()
    assert helping.teams("q", [LATE], Readings(service_level=0.8), 0) == ()
    assert helping.teams("q", [LATE], Readings(service_level=0.79), 1) == ("night", "spare")


def test_a_team_stays_until_the_figure_has_been_back_for_a_while() -> None:
    helping = Helping()
    helping.teams("q", [CROWD], Readings(waiting=20), 0)
    assert helping.teams("q", [CROWD], Readings(waiting=3), STAYS_S - 1) == ("night",)
    helping.teams("q", [CROWD], Readings(waiting=20), STAYS_S)
    assert helping.teams("q", [CROWD], Readings(waiting=3), 2 * STAYS_S - 1) == ("night",)
    assert helping.teams("q", [CROWD], Readings(waiting=3), 2 * STAYS_S) == ()


def test_what_nobody_knows_asks_for_nobody() -> None:
    """Else a team let in at the evening's peak would help until five contacts come at night."""
    helping = Helping()
    assert helping.teams("q", [LATE], Readings(service_level=None), 0) == ()
    helping.teams("q", [LATE], Readings(service_level=0.2), 1)
    assert helping.teams("q", [LATE], Readings(service_level=None), STAYS_S) == ("night", "spare")
    assert helping.teams("q", [LATE], Readings(service_level=None), STAYS_S + 1) == ()


def test_several_helps_add_up_and_a_team_stays_for_the_last_of_them() -> None:
    helping = Helping()
    both = [CROWD, LATE]
    assert helping.teams("q", both, Readings(waiting=20, service_level=0.5), 0) == (
        "night",
        "spare",
    )
    assert helping.teams("q", both, Readings(waiting=20, service_level=0.9), 100) == ("night",)


def test_a_help_that_is_taken_out_of_the_configuration_is_over() -> None:
    helping = Helping()
    helping.teams("q", [CROWD], Readings(waiting=20), 0)
    assert helping.teams("q", [], Readings(waiting=20), 1) == ()
    assert helping.teams("q", [CROWD], Readings(waiting=5), 2) == ()


def test_queues_do_not_share_what_they_remember() -> None:
    helping = Helping()
    helping.teams("q", [CROWD], Readings(waiting=20), 0)
    assert helping.teams("r", [CROWD], Readings(waiting=5), 1) == ()


def test_the_level_is_that_of_the_last_half_hour() -> None:
    recent = RecentLevel()
    for n in range(FEWEST):
        assert recent.level(n) is None
        recent.add(n, in_time=False)
    assert recent.level(FEWEST) == 0
    for _ in range(FEWEST):
        recent.add(WINDOW_S, in_time=True)
    assert recent.level(WINDOW_S) == pytest.approx(0.5)
    assert recent.level(WINDOW_S + FEWEST) == 1
    assert recent.level(3 * WINDOW_S) is None
