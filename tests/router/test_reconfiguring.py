"""A change of configuration is taken in steps that each stand by themselves."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from madoguchi.model.routing import (
    AgentChanged,
    AgentFacts,
    AgentRemoved,
    AgentSpec,
    ConfigurationChanged,
    ConnectionChanged,
    ItemEnqueued,
    ItemSpec,
    Offered,
    Overflow,
    Presence,
    PresenceSet,
    QueuePolicy,
)
from router.configured import Configured
from router.engine.engine import Engine
from router.reconfiguring import BUDGET_S, STEP, Reconfiguring, way

AT = 1_700_000_000_000_000


def queues(steps: dict[str, str | None], priority: int) -> tuple[QueuePolicy, ...]:
    """Queues that overflow to others or to none."""
    return tuple(
        QueuePolicy(key, key, priority=priority, overflow=(Overflow(60, to),) if to else ())
        for key, to in sorted(steps.items())
    )


NAMES = "abcdef"


def known(number: int, policies: tuple[QueuePolicy, ...], *agents: AgentSpec) -> Configured:
    """What an engine knows of a version of the configuration."""
    catalog: Any = SimpleNamespace(number=number)
    return Configured(catalog, policies, {one.id: one for one in agents})


@st.composite
def configured(draw: st.DrawFn, priority: int) -> tuple[QueuePolicy, ...]:
    """Some of six queues, without a circle: each overflows to one that stands behind it in some
    order.
    """
    order = draw(st.permutations(NAMES))
    there = draw(st.sets(st.sampled_from(NAMES), min_size=1))
    line = [name for name in order if name in there]
    steps = {
        name: draw(st.sampled_from([None, *line[place + 1 :]])) for place, name in enumerate(line)
    }
    return queues(steps, priority)


@given(
    configured(1),
    configured(2),
    st.dictionaries(st.sampled_from(NAMES), st.integers(0, STEP), min_size=6),
)
def test_every_step_stands_by_itself(
    old: tuple[QueuePolicy, ...], new: tuple[QueuePolicy, ...], items: dict[str, int]
) -> None:
    engine = Engine()
    engine.apply(ConfigurationChanged(old, 1), AT)
    before = {queue.id: queue for queue in old}
    wanted = {queue.id: queue for queue in new}
    for n, queue in enumerate(old):
        if queue.id in wanted:
            engine.apply(ItemEnqueued(ItemSpec(f"i{n}", "c", queue.id, "chat", AT)), AT)
    taken = [*way(old, new, lambda queue: items[queue])]
    assert taken[-1] == new
    for step in taken:
        engine.apply(ConfigurationChanged(step, 2), AT)
        for queue in step:
            assert queue in (before.get(queue.id), wanted.get(queue.id))
    assert engine.state().queues == new


def test_queues_with_few_items_are_changed_together() -> None:
    old = queues(dict.fromkeys(NAMES), 1)
    new = queues(dict.fromkeys(NAMES), 2)
    assert len([*way(old, new, lambda _: STEP // 6)]) == 1
    assert len([*way(old, new, lambda _: STEP // 2)]) == 3
    assert len([*way(old, new, lambda _: STEP)]) == 6


def test_a_circle_on_the_way_is_stepped_over() -> None:
    old = queues({"a": None, "b": "a"}, 1)
    new = queues({"a": "b", "b": None}, 1)
    assert [*way(old, new, lambda _: STEP)] == [new]


def test_others_have_their_turn_when_the_time_is_over() -> None:
    one, other = QueuePolicy("a", "A"), QueuePolicy("b", "B")
    commands = Reconfiguring()
    commands._ahead += [ConfigurationChanged((one,), 1), ConfigurationChanged((one, other), 2)]
    moments = iter([0.0, BUDGET_S, 1.0, 1.0 + BUDGET_S])
    assert len([*commands.take(lambda: next(moments))]) == 1
    assert commands.going_on
    assert len([*commands.take(lambda: next(moments))]) == 1
    assert not commands.going_on


def test_nobody_is_offered_on_the_way_what_neither_end_allows() -> None:
    """A requirement goes, and with the same change the agent who did not meet it serves no more."""
    cleared = AgentSpec("cleared", 0, {"secret": 1}, {"q": 1})
    trainee = AgentSpec("trainee", 1, {}, {"q": 1})
    old = known(1, (QueuePolicy("q", "Q", {"secret": 1}),), cleared, trainee)
    new = known(2, (QueuePolicy("q", "Q"),), cleared, replace(trainee, serves={}))
    engine = Engine()
    engine.apply(ConfigurationChanged(old.policies, 1), AT)
    for spec in old.specs.values():
        engine.apply(AgentChanged(spec), AT)
    engine.apply(ConnectionChanged("trainee", True), AT)
    engine.apply(PresenceSet("trainee", Presence.available), AT)
    engine.apply(ItemEnqueued(ItemSpec("i", "c", "q", "chat", AT)), AT)
    commands = Reconfiguring()
    commands.plan(old, new, engine.number_in, 0, always=False)
    decided = [one for command in commands.take_all() for one in engine.apply(command, AT)]
    assert not [one for one in decided if isinstance(one, Offered)]
    assert engine.agent("trainee") == AgentFacts(
        new.specs["trainee"],
        Presence.available,
        since=AT,
        disconnected_since=None,
    )


def test_who_is_gone_goes_first_and_who_is_new_can_do_nothing_before_the_queues() -> None:
    gone, fresh = AgentSpec("gone", 0, {}, {"q": 1}), AgentSpec("new", 1, {"s": 2}, {"q": 1})
    old = known(1, (QueuePolicy("q", "Q", {"s": 1}),), gone)
    new = known(2, (QueuePolicy("q", "Q"),), fresh)
    commands = Reconfiguring()
    commands.plan(old, new, lambda _: 0, 0, always=False)
    assert [*commands.take_all()] == [
        AgentRemoved("gone"),
        AgentChanged(replace(fresh, skills={}, serves={})),
        ConfigurationChanged(new.policies, 2),
        AgentChanged(fresh),
    ]


def test_a_queue_that_still_has_items_can_stay_without_its_ways_out() -> None:
    engine = Engine()
    engine.apply(ConfigurationChanged(queues({"a": "b", "b": None}, 1), 1), AT)
    engine.apply(ItemEnqueued(ItemSpec("i", "c", "a", "chat", AT)), AT)
    (left,) = engine.left_in({"b"})
    assert left == queues({"a": None}, 1)[0]
    engine.apply(ConfigurationChanged((left,), 2), AT)
    assert engine.waiting("a") == ["i"]
