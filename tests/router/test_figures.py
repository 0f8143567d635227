"""A day's figures: the formulas, null where nothing is divided, other targets, a new day."""

from __future__ import annotations

from router.board.figures import DayFigures

NOTHING = {
    "answered": 0,
    "in_time": 0,
    "abandoned": 0,
    "service_level": None,
    "speed_of_answer_s": None,
    "handled": 0,
    "handling_s": None,
}


def test_nothing_happened_and_nothing_is_divided() -> None:
    assert DayFigures({"a": 20}).of("a") == {**NOTHING, "channels": {}}


def test_the_formulas_by_queue_and_channel() -> None:
    day = DayFigures({"a": 20, "b": 20})
    for waited_s in (5, 20, 65):
        day.answered("a", "sms", waited_s)
    day.answered("a", "web", 10)
    day.abandoned("a", "web")
    day.handled("a", "web", 90_000_000)
    day.handled("a", "sms", 30_500_000)
    found = day.of("a")
    channels = found.pop("channels")
    assert found == {
        "answered": 4,
        "in_time": 3,
        "abandoned": 1,
        "service_level": 3 / 5,
        "speed_of_answer_s": 25,
        "handled": 2,
        "handling_s": 60.25,
    }
    assert channels["web"] == {
        "answered": 1,
        "in_time": 1,
        "abandoned": 1,
        "service_level": 1 / 2,
        "speed_of_answer_s": 10,
        "handled": 1,
        "handling_s": 90,
    }
    assert channels["sms"]["service_level"] == 2 / 3
    assert day.of("b")["service_level"] is None


def test_another_target_judges_the_whole_day() -> None:
    day = DayFigures({"a": 20})
    day.answered("a", "sms", 30)
    assert day.of("a")["in_time"] == 0
    day.changed.clear()
    day.aim({"a": 30})
    assert day.of("a")["in_time"] == 1
    assert day.changed == {"a"}


def test_a_new_day_is_empty() -> None:
    day = DayFigures({})
    day.answered("a", "sms", 30)
    day.changed.clear()
    day.clear()
    assert day.of("a") == {**NOTHING, "channels": {}}
    assert day.changed == {"a"}
