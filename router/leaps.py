"""What the router knows, moved along the time axis when the wall clock was set. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

from madoguchi.model.routing import AgentFacts, ItemFacts, Offer, RouterState


def moved(state: RouterState, leap: timedelta) -> RouterState:
    """Return the same state on a clock that was set by `leap`: every instant and the state's own
    time move together, so that each span and each order stays what it was.
    """
    by = leap // timedelta(microseconds=1)
    return replace(
        state,
        agents=tuple(_agent(one, by) for one in state.agents),
        items=tuple(_item(one, by) for one in state.items),
        offers=tuple(_offer(one, by) for one in state.offers),
        clock=state.clock + by,
    )


def _agent(one: AgentFacts, by: int) -> AgentFacts:
    return replace(
        one,
        since=one.since + by,
        disconnected_since=_maybe(one.disconnected_since, by),
        absent_since=_maybe(one.absent_since, by),
        worked_until=one.worked_until and one.worked_until + by,
        given={queue: at + by for queue, at in one.given.items()},
    )


def _item(one: ItemFacts, by: int) -> ItemFacts:
    return replace(
        one,
        spec=replace(
            one.spec,
            enqueued_at=one.spec.enqueued_at + by,
            not_before=one.spec.not_before and one.spec.not_before + by,
        ),
        paused_since=_maybe(one.paused_since, by),
        unanswered_since=_maybe(one.unanswered_since, by),
        blocks=_blocks(one.blocks, by),
        wrap_up_until=_maybe(one.wrap_up_until, by),
        waits_until=_maybe(one.waits_until, by),
    )


def _blocks(blocks: Mapping[str, int], by: int) -> dict[str, int]:
    return {agent: until + by for agent, until in blocks.items()}


def _offer(one: Offer, by: int) -> Offer:
    return replace(one, offered_at=one.offered_at + by, deadline=one.deadline + by)


def _maybe(at: int | None, by: int) -> int | None:
    return None if at is None else at + by
