"""Queues' conditions on agents: who is kept out, at once, and how the desk names it."""

from __future__ import annotations

from pathlib import Path

import pytest

from madoguchi.configuration.service import Invalid
from tests.hub.test_chat import accepted
from tests.support.hubs import Running, hub_running

SITES = """
[agent.ann]
attributes = { site = "osaka", languages = ["ja", "en"], grade = 2, night = true }
[agent.ben]
attributes = { site = "tokyo", grade = 4 }
"""


def serving(here: Running, queue: str = "orders") -> set[str]:
    """Return who serves a queue, as the router is told."""
    catalog = here.hub.configuration.catalog
    agents = ("ann", "ben")
    return {key for key in agents if queue in catalog.serves(catalog.agents[key].object)}


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        ("", {"ann", "ben"}),
        ("agent.site == 'osaka' && 'en' in agent.languages", {"ann"}),
        ("agent.skills.order >= 3 && !('trainee' in agent.teams)", {"ann", "ben"}),
        ("agent.skills.latin >= 1 || agent.grade > 3", {"ben"}),
        ("agent.skills['latin'] == 0 && agent.key == 'ann'", {"ann"}),
        ("agent.night == true", {"ann"}),
        ("agent.unheard == 1", set()),
        ("agent.name.startsWith('B') && agent.language == 'ja'", {"ben"}),
    ],
)
async def test_who_serves_with_a_condition(tmp_path: Path, condition: str, left: set[str]) -> None:
    async with hub_running(tmp_path) as here:
        queue = f'[queue.orders]\nagents = """{condition}"""'
        await here.configure(f'[skill.latin]\nname="Latin"\n{SITES}{queue}')
        assert serving(here) == left
        assert serving(here, "returns") == {"ann", "ben"}


@pytest.mark.parametrize(
    ("toml", "place", "type"),
    [
        ("[queue.orders]\nagents = 'agent.site = 1'", "queue.orders.agents", "expression_syntax"),
        ("[queue.orders]\nagents = 'site == 1'", "queue.orders.agents", "expression_undeclared"),
        ("[queue.orders]\nagents = 'agent.site'", "queue.orders.agents", "expression_not_bool"),
        ("[queue.orders]\nagents = 'agent.skills.greek > 1'", "queue.orders.agents", "no_such"),
        (
            "[agent.ann]\nattributes.teams = 1",
            "agent.ann.attributes.teams",
            "attribute_taken",
        ),
        ("[agent.ann]\nattributes = { 'a b' = 1 }", "agent.ann.attributes.a b", ""),
    ],
)
async def test_what_does_not_hold_is_refused_where_it_stands(
    tmp_path: Path, toml: str, place: str, type: str
) -> None:
    async with hub_running(tmp_path) as here:
        with pytest.raises(Invalid) as caught:
            await here.configure(toml)
        found = caught.value.faults[0]
        assert found.place.startswith(place)
        assert type in {"", found.type}


async def test_a_skill_that_a_condition_asks_for_is_not_deleted(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(
            "[skill.latin]\nname='L'\n[queue.orders]\nagents='agent.skills.latin > 1'"
        )
        adam = await here.person("adam")
        status, problem = await adam.raw("DELETE", "/config/skill/latin")
        assert status == 422
        assert [f["place"] for f in problem["faults"]] == ["queue.orders.agents"]


async def test_work_goes_to_who_suits_and_a_change_counts_at_once(
    tmp_path: Path, database: str
) -> None:
    async with hub_running(tmp_path, database=database) as here:
        await here.configure(f"{SITES}[queue.orders]\nagents = \"agent.site == 'osaka'\"")
        ann, ben = [await here.person(name) for name in ("ann", "ben")]
        bens = await ben.available()
        anns = await ann.connect()
        await here.sms("+819055500100", "hello")
        sue = await here.person("sue")

        watching = await sue.connect("/supervisor")
        one = await watching.until(lambda s: next(iter(s.all("conversation")), None), "it is there")
        await watching.until(
            lambda s: [i for i in s.all("item") if i["reason"]], "nobody may take it"
        )
        told = await sue.call("GET", f"/conversations/{one['id']}/explain")
        obstacles = {c["agent_name"]: c["obstacle"] for c in told["candidates"]}
        assert obstacles["Ben"] == "condition"
        assert obstacles["Ann"] == "not_signed_in"
        assert bens.all("offer") == []
        # Another attribute, and the waiting contact is offered at once.
        await here.configure('[agent.ben]\nattributes = { site = "osaka" }')
        shown = await accepted(ben, bens)
        assert bens.of("conversation", shown)["owner"] == ben.id
        assert anns.all("offer") == []


async def test_a_condition_is_checked_while_it_is_written_with_who_is_left(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        await here.configure(SITES)
        adam = await here.person("adam")
        known = await adam.call("GET", "/agent-conditions/facts")
        assert known["attributes"] == ["grade", "languages", "night", "site"]
        body = {"when": "agent.night == true"}
        found = await adam.call("POST", "/agent-conditions/check", body)
        agents = {a["key"]: (a["suits"], a["why"]) for a in found["agents"]}
        assert agents["ann"] == (True, "")
        assert not agents["ben"][0]
        assert "night" in agents["ben"][1]
        bad = await adam.call("POST", "/agent-conditions/check", {"when": "agent.site =="})
        assert (bad["agents"], bad["fault"]["type"]) == ([], "expression_syntax")
