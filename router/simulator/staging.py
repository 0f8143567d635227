"""A scenario as a cast: its groups become agents, its traffic contacts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from madoguchi.model.routing import MICROS, AgentSpec, ConfigurationChanged, Reserve
from router.simulator.cast import Cast, Coming, Member
from router.simulator.draws import arrivals, stream, times
from router.simulator.scenario import Group, Scenario

PURPOSES = ("handling", "patience", "wrap_up", "choice", "accept")


def cast(scenario: Scenario, number: int, beside: Path) -> Cast:
    """Return what one replication plays; files are looked for beside the scenario."""
    return Cast(
        seed=f"{scenario.seed}/{number}",
        configuration=_configuration(scenario),
        members=tuple(_members(scenario)),
        streams={
            name: _coming(scenario, name, number, beside) for name in sorted(scenario.traffic)
        },
        queues=tuple(queue.name for queue in scenario.queues),
        groups=tuple(group.name for group in scenario.groups),
        contacts=scenario.contacts,
        warmup=scenario.warmup,
    )


def _configuration(scenario: Scenario) -> ConfigurationChanged:
    targets = scenario.targets
    levels: dict[str, int] = {}
    delays: dict[str, set[float]] = {}
    for group in scenario.groups:
        for served in scenario.served(group):
            levels[served.queue] = max(served.level, levels.get(served.queue, 1))
            if served.after:
                delays.setdefault(served.queue, set()).add(served.after)
    queues = tuple(
        queue.policy(
            targets[queue.name],
            levels.get(queue.name, 1),
            tuple(sorted(delays.get(queue.name, ()))),
        )
        for queue in scenario.queues
    )
    return ConfigurationChanged(queues, limits=tuple(limit.limit() for limit in scenario.limits))


def _members(scenario: Scenario) -> Iterator[Member]:
    order = 0
    for place, group in enumerate(scenario.groups):
        shifts = [shift.seconds() for shift in group.shifts]
        there = tuple((start * MICROS, end * MICROS) for start, end in shifts) or None
        speed = {queue.name: group.speed_for(queue.name) for queue in scenario.queues}
        for number in range(group.agents):
            spec = _spec(scenario, group, f"{place:03}-{number:06}", order)
            yield Member(spec, (group.name,), there, speed)
            order += 1


def _spec(scenario: Scenario, group: Group, name: str, order: int) -> AgentSpec:
    served = scenario.served(group)
    return AgentSpec(
        id=name,
        order=order,
        skills=group.skills,
        serves={one.queue: one.level for one in served},
        units=group.capacity,
        teams=(group.name,),
        keep_free={
            one.queue: Reserve(group.name, one.keep_free) for one in served if one.keep_free
        },
        delays_s={one.queue: one.after for one in served if one.after},
        share=group.share,
    )


def _coming(scenario: Scenario, name: str, number: int, beside: Path) -> Iterator[Coming]:
    seed, traffic = scenario.seed, scenario.traffic[name]
    queue = next(one for one in scenario.queues if one.name == name)
    draws = [stream(seed, number, name, purpose) for purpose in PURPOSES]
    handling, wrap_up = times(traffic.handling, beside), times(traffic.wrap_up, beside)
    accept = times(queue.offer.accept, beside)
    patience = times(traffic.patience, beside) if traffic.patience else None
    for at in arrivals(traffic.arrivals, stream(seed, number, name, "arrival"), beside):
        numbers = [draw.random() for draw in draws]
        yield Coming(
            at=round(at * MICROS),
            queue=name,
            enters=name,
            handling_s=handling(numbers[0]),
            wrap_up_s=wrap_up(numbers[2]),
            patience_us=round(patience(numbers[1]) * MICROS) if patience else None,
            accept_us=round(accept(numbers[4]) * MICROS),
            draw=numbers[3],
        )
