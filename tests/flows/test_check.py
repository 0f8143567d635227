"""What keeps a flow from being saved, beside what each fault's own words show."""

from __future__ import annotations

from pathlib import Path

from madoguchi.configuration.flow_check import CONDITIONS_BUDGET, flow_faults
from madoguchi.configuration.kinds import Flow
from tests.configuration.test_hours import exported
from tests.flows.stage import STEPS, flow
from tests.support.hubs import hub_running

BYE = {"do": "hang_up", "text": "では。"}
DEAR = "attributes.exists(a, topic.contains(a))"


def test_all_conditions_together_have_a_budget() -> None:
    cases = [{"when": f"{DEAR} || now.hour == {n}", "to": "bye"} for n in range(20)]
    one = {"do": "branch", "cases": cases, "otherwise": "bye"}
    steps = {"a": {**one, "otherwise": "b"}, "b": one, "bye": BYE}
    made = Flow.model_validate({"key": "main", "name": "x", "start": "a", "steps": steps})
    (fault,) = flow_faults(made)
    assert (fault.place, fault.type) == ("flow.main.steps", "flow_budget")
    assert fault.facts["budget"] == CONDITIONS_BUDGET < fault.facts["steps"]


def test_menu_that_repeats_itself_is_a_way_round_that_may_be() -> None:
    assert "9" in [choice["key"] for choice in STEPS["what"]["choices"]]
    flow()


async def test_flow_goes_out_as_text_and_comes_back(tmp_path: Path) -> None:
    toml = """
[flow.main]
name = "代表"
start = "menu"
[flow.main.steps.menu]
do = "menu"
text = "1を押してください。"
choices = [{ key = "1", to = "agent", phrases = ["注文"] }]
otherwise = "agent"
[flow.main.steps.agent]
do = "queue"
queue = "orders"
[account.sms]
flow = "main"
"""
    async with hub_running(tmp_path) as here:
        await here.configure(toml)
        number = here.hub.configuration.catalog.number
        told = await exported(here)
        assert "[flow.main.steps.menu]" in told
        await here.configure(told)
        catalog = here.hub.configuration.catalog
        assert catalog.number == number
        assert catalog.accounts["sms"].object.flow == "main"
