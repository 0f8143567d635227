"""What a change of configuration makes of the engine's view equals what is read from nothing."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Agent, Object, Queue, Skill, Team
from router.configured import Configured

QUEUES, TEAMS, AGENTS, SKILLS = ("q0", "q1", "q2"), ("t0", "t1"), ("a", "b", "c"), ("ja", "vip")
CONDITIONS = ("", "agent.site == 'osaka'", "agent.skills.ja >= 2")

levels = st.dictionaries(st.sampled_from(SKILLS), st.integers(1, 5), max_size=2)
queues = st.fixed_dictionaries(
    {"requires": levels, "agents": st.sampled_from(CONDITIONS), "priority": st.integers(1, 2)}
)
serves = st.lists(
    st.fixed_dictionaries(
        {
            "queue": st.sampled_from(QUEUES),
            "level": st.integers(1, 2),
            "after": st.sampled_from([0, 30]),
        }
    ),
    max_size=3,
    unique_by=lambda one: one["queue"],
)
teams = st.fixed_dictionaries({"serves": serves})
agents = st.fixed_dictionaries(
    {
        "teams": st.lists(st.sampled_from(TEAMS), max_size=2, unique=True),
        "skills": levels,
        "attributes": st.sampled_from([{}, {"site": "osaka"}, {"site": "tokyo"}]),
        "active": st.booleans(),
    }
)
changes = st.one_of(
    st.tuples(st.just(Queue), st.sampled_from(QUEUES), queues),
    st.tuples(st.just(Team), st.sampled_from(TEAMS), teams),
    st.tuples(st.just(Agent), st.sampled_from(AGENTS), agents),
    st.tuples(st.just(Agent), st.sampled_from(AGENTS), st.none()),
)


def entry(kind: type[Object], key: str, body: dict[str, Any], version: int) -> Entry[Object]:
    made: dict[str, Any] = {"key": key, "name": key, **body}
    return Entry(f"{kind.kind}-{key}", version, kind(**made))


def first() -> Catalog:
    """Every queue, team and agent, as plain as they can be."""
    objects = {("skill", key): entry(Skill, key, {}, 1) for key in SKILLS}
    objects |= {("queue", key): entry(Queue, key, {}, 1) for key in QUEUES}
    objects |= {("team", key): entry(Team, key, {"serves": []}, 1) for key in TEAMS}
    objects |= {("agent", key): entry(Agent, key, {}, 1) for key in AGENTS}
    return Catalog(1, objects)


@given(st.lists(st.lists(changes, min_size=1, max_size=3), max_size=5))
@settings(max_examples=300, deadline=None)
def test_the_view_after_changes_is_the_view_of_the_whole(
    steps: list[list[tuple[type[Object], str, dict[str, Any] | None]]],
) -> None:
    catalog = first()
    known = Configured.of(catalog)
    for step in steps:
        objects = dict(catalog.objects)
        for kind, key, body in step:
            at = (kind.kind, key)
            if body is None:
                objects.pop(at, None)
            else:
                version = objects[at].version + 1 if at in objects else 1
                objects[at] = entry(kind, key, body, version)
        later = Catalog(catalog.number + 1, objects)
        later.look_at_agents(catalog)
        known = known.after(later)
        afresh = Configured.of(Catalog(later.number, dict(objects)))
        assert (known.policies, known.specs) == (afresh.policies, afresh.specs)
        catalog = later
