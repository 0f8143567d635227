"""Why: what the index knew at a decision, and on demand what stood in each agent's way."""

from __future__ import annotations

from madoguchi.model.routing import (
    Candidate,
    Considered,
    Explanation,
    FilterCounts,
    FullExplanation,
    Key,
)
from router.engine.book import Book
from router.engine.policy import agent_rank, item_rank, level_of, membership, permitted, tier_of
from router.engine.records import AgentRecord, ItemRecord

_UNEXPLAINED = Explanation("", (), 0, None, None, None, FilterCounts(0, 0, 0, 0, 0), (), 0, 0)


def explain_offer(
    book: Book, item: ItemRecord, agent: AgentRecord, *, direct: bool = False
) -> Explanation:
    """Return why `item` is about to be offered to `agent`; call it before the offer is made."""
    if not book.explaining:
        return _UNEXPLAINED
    runner_up = (
        None
        if direct
        else book.index.best_agent(
            item, book.lot(item), book.clock, but=agent.id, beside=item.pending
        )
    )
    facts = _reasons(item, agent, runner_up, direct=direct)
    return _explanation(book, item, agent, runner_up, facts)


def explain_blocked(book: Book, item: ItemRecord, *, blocked: bool) -> Explanation:
    """Return who or what is missing for an item that nobody signed in could ever take; nothing is
    when somebody could again.
    """
    if not book.explaining:
        return _UNEXPLAINED
    return _explanation(book, item, None, None, _missing(book, item) if blocked else ())


def explain_fully(book: Book, item: ItemRecord) -> FullExplanation:
    """Return every agent with what removes them now. It looks at every agent."""
    considered = sorted(
        (_considered(book, item, agent) for agent in book.agents.values()),
        key=lambda each: _sort_key(book, each),
    )
    best = [
        Candidate(each.agent, each.key)
        for each in considered
        if each.obstacle is None and each.key is not None
    ]
    agent = book.agents[best[0].agent] if best else None
    runner_up = best[1] if len(best) > 1 else None
    facts = _reasons(item, agent, runner_up) if agent else _missing(book, item)
    return FullExplanation(_explanation(book, item, agent, runner_up, facts), tuple(considered))


def _considered(book: Book, item: ItemRecord, agent: AgentRecord) -> Considered:
    obstacle = permitted(agent, item, book.clock, book.index.teams.idle)
    return Considered(agent.id, obstacle, _agent_key(item, agent))


def _sort_key(book: Book, each: Considered) -> tuple[bool, Key, int, str]:
    order = book.agents[each.agent].spec.order
    return (
        each.obstacle is not None,
        each.key or () if not each.obstacle else (),
        order,
        each.agent,
    )


def _agent_key(item: ItemRecord, agent: AgentRecord) -> Key | None:
    if membership(agent.spec, item) == "serves":
        return None
    tier = tier_of(agent.spec, item.policy)
    return (tier, *agent_rank(item.policy, item.stage.skills, agent))


def _explanation(
    book: Book,
    item: ItemRecord,
    agent: AgentRecord | None,
    runner_up: Candidate | None,
    facts: tuple[str, ...],
) -> Explanation:
    spec = item.spec
    level = level_of(agent.spec, item.policy) if agent else 0
    ageing = item.policy.ageing
    return Explanation(
        queue=spec.queue,
        rank=item_rank(level, item.priority, ageing, spec.ranked_at, spec.id, book.clock),
        waited_us=max(0, book.clock - spec.enqueued_at),
        agent=agent.id if agent else None,
        agent_key=_agent_key(item, agent) if agent else None,
        runner_up=runner_up,
        counts=_counts(book, item, agent),
        facts=facts,
        version=book.version,
        sequence=book.sequence,
    )


def _counts(book: Book, item: ItemRecord, agent: AgentRecord | None) -> FilterCounts:
    index = book.index
    rivals = index.rivals(item, agent.id if agent else None, book.clock)
    pool = index.pool(item)
    return FilterCounts(
        signed_in=index.signed_in,
        serves=index.signed_serving(item.spec.queue),
        skills=pool.signed_in,
        room=rivals + (agent is not None),
        declined=index.count_barred(item, pool),
    )


def _reasons(
    item: ItemRecord, agent: AgentRecord, runner_up: Candidate | None, *, direct: bool = False
) -> tuple[str, ...]:
    """Return the facts for one agent, the most telling first."""
    if direct:
        facts = ["transfer"]
    elif item.spec.preferred == agent.id:
        facts = [item.spec.preference.value]
    else:
        facts = [item.policy.agent_choice.value if runner_up else "only_one"]
    skills = agent.spec.skills
    facts += [
        f"skill:{skill}:{skills[skill]}" for skill in sorted(item.requires) if skill in skills
    ]
    return (*facts, f"free:{agent.free()}/{agent.spec.units}")


def _missing(book: Book, item: ItemRecord) -> tuple[str, ...]:
    """Return what keeps everybody signed in from ever taking the item; empty: nothing does."""
    index = book.index
    pool = index.pool(item)
    if pool.signed_in:
        return ("all_declined",) if index.nobody(item) else ()
    serving = [agent for agent in index.serving(item.spec.queue) if agent.signed_in]
    if not serving:
        return (f"missing_queue:{item.spec.queue}",)
    lacking = tuple(
        f"missing_skill:{skill}:{least}"
        for skill, least in sorted(item.requires.items())
        if all(agent.spec.skills.get(skill, 0) < least for agent in serving)
    )
    return lacking or ("missing_combination",)
