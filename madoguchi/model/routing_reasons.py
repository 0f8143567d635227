"""Why the router decided as it did, and what stood in each agent's way. Times are in µs."""

from __future__ import annotations

from madoguchi.model.facts import fact

Key = tuple[float | str, ...]
"""A rank: compared element by element, the smallest goes first."""


@fact(frozen=True, slots=True)
class Candidate:
    """An agent with the key that the choice compares: (level, ...)."""

    agent: str
    key: Key


@fact(frozen=True, slots=True)
class FilterCounts:
    """How many agents were left after each filter; `declined` of them are barred from the item."""

    signed_in: int
    serves: int
    skills: int
    room: int
    declined: int


@fact(frozen=True, slots=True)
class Explanation:
    """What the index knew when it decided.

    `rank` is (level, priority, -score in µs, enqueued_at, item). `facts` are machine codes, the
    most telling first: `transfer`, a Preference, `only_one`, an AgentChoice,
    `skill:<skill>:<proficiency>`, `free:<units>/<units>`; of an item that nobody
    can take: `missing_queue:<queue>`, `missing_skill:<skill>:<minimum>`, `missing_combination`,
    `all_declined`.
    """

    queue: str
    rank: Key
    waited_us: int
    agent: str | None
    agent_key: Key | None
    runner_up: Candidate | None
    counts: FilterCounts
    facts: tuple[str, ...]
    version: int
    sequence: int


@fact(frozen=True, slots=True)
class Considered:
    """One agent as an item sees them now; `obstacle` None: they may take it."""

    agent: str
    obstacle: str | None
    key: Key | None


@fact(frozen=True, slots=True)
class FullExplanation:
    """Every agent and what removed each, best first, then by order."""

    explanation: Explanation
    candidates: tuple[Considered, ...]
