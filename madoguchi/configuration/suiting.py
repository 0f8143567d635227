"""Whether a queue's condition lets an agent in; decided when one of the two has changed."""

from collections.abc import Iterable

from madoguchi.configuration.facts import AGENT, SKILLS
from madoguchi.configuration.kinds import Agent
from madoguchi.expressions.cel import Expression, Facts, Unanswered


def agent_facts(agent: Agent, asked_skills: Iterable[str]) -> Facts:
    """Return what conditions are told of an agent; a skill that they ask for and that the agent
    does not have is 0.
    """
    return AGENT.facts(
        {
            "agent": agent.attributes,
            "agent.key": agent.key,
            "agent.name": agent.name,
            "agent.language": agent.language,
            "agent.teams": agent.teams,
            SKILLS: {**dict.fromkeys(asked_skills, 0), **agent.skills},
        }
    )


def holds(condition: Expression, facts: Facts) -> bool:
    """Tell whether a condition is true of an agent; one that cannot tell is not."""
    try:
        return condition.holds(facts)
    except Unanswered:
        return False
