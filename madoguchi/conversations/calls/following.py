"""Legs follow the work item: whoever has it is in the call, and when it ends, so does the call."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.model.calls import CallEvent, CallFacts, Happened, Leg, Party, Recording
from madoguchi.model.ids import Id
from madoguchi.store.work import Work


@dataclass(frozen=True, slots=True)
class Wanted:
    """Who is to have a call, None: it waits; ``over``: why it is not to go on, empty: it is.
    ``queue``: where its item is; ``recorded``: whether all calls there are, None: nothing says so.
    """

    agent: Id | None
    over: str = ""
    queue: str = ""
    recorded: bool | None = None


def follow(
    wanted: Mapping[Id, Wanted],
    now: datetime,
    new_id: Callable[[], Id],
    records: Callable[[Id], bool] = lambda _: True,
) -> Work[None]:
    """Let calls follow their items; part of the router's transaction. ``records`` tells of which
    accounts' calls recordings are made.
    """
    if not wanted:
        return
    before = yield from repository.of_items(wanted, lock=True)
    after = [
        replace(one, queue=wanted[item].queue or one.queue).after(
            *_followed(one, _of(wanted[item], one, records), now, new_id)
        )
        for item, one in before.items()
    ]
    yield from repository.save({one.id: one for one in before.values()}, after, now)


def _of(wanted: Wanted, one: Call, records: Callable[[Id], bool]) -> Wanted:
    return wanted if records(one.account) else replace(wanted, recorded=False)


def _followed(
    one: Call, wanted: Wanted, now: datetime, new_id: Callable[[], Id]
) -> Iterator[CallEvent]:
    """Yield what happens in a call whose item has another agent, none any more, or has ended."""
    facts = one.facts

    def event(kind: Happened, leg: str = "", **data: object) -> CallEvent:
        return CallEvent(f"hub:{new_id()}", now, kind, leg, data)

    if facts.over or facts.handed:
        return
    if wanted.over:
        yield event(Happened.ENDED, why=wanted.over)
        return
    agents = facts.of(Party.AGENT)
    if [leg.agent for leg in agents] == ([wanted.agent] if wanted.agent else []):
        return
    if wanted.agent is not None:
        yield from _recorded(facts, wanted, event)
        yield _joined(facts.leg_of(wanted.agent), wanted.agent, event, new_id)
    why = "transferred" if wanted.agent else "requeued"
    gone = [leg for leg in agents if leg.agent != wanted.agent]
    yield from (event(Happened.LEFT, leg.id, why=why) for leg in gone)
    held = [leg for leg in facts.of(Party.CUSTOMER) if leg.held]
    yield from (event(Happened.RESUMED, leg.id) for leg in held)


def _recorded(
    facts: CallFacts, wanted: Wanted, event: Callable[..., CallEvent]
) -> Iterator[CallEvent]:
    """Yield what becomes of a recording in the queue where a call is taken; what its customer has
    agreed to goes on.
    """
    off = facts.recording is Recording.OFF
    if wanted.recorded and off:
        yield event(Happened.RECORDING, state=Recording.ON.value)
    elif wanted.recorded is False and not off:
        yield event(Happened.RECORDING, state=Recording.OFF.value)


def _joined(
    leg: Leg | None, agent: Id, event: Callable[..., CallEvent], new_id: Callable[[], Id]
) -> CallEvent:
    """Return how an agent comes to have a call: rung anew, or as the colleague who was asked."""
    if leg is None:
        return event(Happened.RANG, new_id(), party=Party.AGENT.value, agent=agent)
    return event(Happened.BECAME, leg.id, party=Party.AGENT.value)
