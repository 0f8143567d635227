"""REST of queues' conditions on agents: checked while they are written, with who would be left."""

from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field

from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.facts import AGENT, SKILLS
from madoguchi.configuration.kinds import Agent
from madoguchi.configuration.routes import V1
from madoguchi.configuration.service import Configuration
from madoguchi.configuration.suiting import agent_facts
from madoguchi.expressions.cel import Expression, Refused, Unanswered
from madoguchi.expressions.cost import BUDGET
from madoguchi.http.table import Body, Call, Nothing, Operation
from madoguchi.model.faults import Fault
from madoguchi.model.people import Role
from madoguchi.security.permissions import Action


class ConditionBody(Body):
    """A condition as it is being written."""

    when: Annotated[str, Field(max_length=10_000)]


@dataclass(frozen=True)
class SuitingApi:
    """The operations of conditions on agents."""

    configuration: Configuration

    def operations(self) -> list[Operation]:
        """Return this part of the route table."""
        conditions, write = f"{V1}/agent-conditions", Action.CONFIGURE
        return [
            Operation("GET", f"{conditions}/facts", self.facts, "What they may ask", action=write),
            Operation(
                "POST",
                f"{conditions}/check",
                self.check,
                "Does it compile, and who suits?",
                ConditionBody,
                action=write,
            ),
        ]

    async def facts(self, call: Call[Nothing]) -> Any:
        """Return the names and types that conditions may speak of; then the agents' attributes."""
        found = [{"name": name, "type": each.type} for name, each in AGENT.variables.items()]
        agents = self.configuration.catalog.agents.values()
        names = sorted({name for entry in agents for name in entry.object.attributes})
        return {"facts": found, "attributes": names}

    async def check(self, call: Call[ConditionBody]) -> Any:
        """Return what a condition costs at most and whom it lets in, or its first fault."""
        answer: dict[str, Any] = {"steps": None, "budget": BUDGET, "fault": None, "agents": []}
        try:
            condition = AGENT.compile(call.body.when)
        except Refused as wrong:
            answer["fault"] = Fault("agents", str(wrong), wrong.type, wrong.facts).view()
            return answer
        answer["steps"] = condition.steps
        answer["agents"] = _suiting(condition, self.configuration.catalog)
        return answer


def _suiting(condition: Expression, catalog: Catalog) -> list[dict[str, Any]]:
    asked = [skill for name, skill in condition.asked if name == SKILLS]
    working = [
        entry.object
        for _, entry in sorted(catalog.agents.items())
        if entry.object.active and Role.AGENT in entry.object.roles
    ]
    return [_view(agent, condition, asked) for agent in working]


def _view(agent: Agent, condition: Expression, asked: list[str]) -> dict[str, Any]:
    view = {"key": agent.key, "name": agent.name, "suits": False, "why": ""}
    try:
        view["suits"] = condition.holds(agent_facts(agent, asked))
    except Unanswered as wrong:
        view["why"] = str(wrong)
    return view
