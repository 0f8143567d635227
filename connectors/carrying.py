"""What is decided about telephone calls is carried out where their sound is: at the provider.

A call's row says who is held, silent, heard by whom, and gone; whatever differs from what was asked
of the provider last is asked now. All that is asked may be asked twice.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import partial
from typing import Any

import structlog

from connectors import taking
from connectors.base import Controls, Take
from connectors.reading import Reader
from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations.calls import carried, dialling, repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.model.calls import CallFacts, Happened, Leg, LegState, Mode, Party
from madoguchi.model.ids import Id
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from madoguchi.model.log import Entity, NumberedEntry
from madoguchi.store.work import Store, Work

log = structlog.get_logger(__name__)

RING = "ring"

RECENT = timedelta(minutes=10)
"""Of calls that ended so lately a process that begins makes sure that they did at the provider."""

AGAIN_S = 2.0
"""So soon what the provider could not do is asked again."""

OURS = frozenset({"let_go", "left", "transferred", "requeued", "handed_over"})
"""Why a leg ended by our own decision: the provider does not know of it."""


@dataclass(frozen=True, slots=True)
class Heard:
    """How a leg that is there ``since`` a moment is to be heard: not at all while ``held`` or
    ``muted``; ``only_by`` one leg.
    """

    held: bool = False
    muted: bool = False
    only_by: str | None = None
    since: datetime | None = None


def wanted(facts: CallFacts) -> dict[str, Heard]:
    """Return how the legs that are there are to be heard."""
    agents = [leg.id for leg in facts.of(Party.AGENT) if leg.there]
    return {leg.id: _wanted(leg, agents) for leg in facts.legs.values() if leg.there}


def _wanted(leg: Leg, agents: list[str]) -> Heard:
    whispers = leg.mode is Mode.WHISPER
    alone = agents[0] if whispers and agents else None
    silent = leg.mode is Mode.LISTEN or (whispers and alone is None)
    return Heard(leg.held, leg.muted or silent, alone, leg.connected_at)


def begins(leg: Leg) -> Heard:
    """Return how a leg is heard when it comes in: supervisors are silent until they are to talk."""
    return Heard(muted=leg.party is Party.SUPERVISOR)


Asked = tuple[str, Callable[[Controls], Any]]


class Answer(Enum):
    """What a provider says to something: it was done, it is to be asked again, it never will be."""

    DONE = "done"
    AGAIN = "again"
    NEVER = "never"


def steps(
    call: Call, done: Mapping[str, Heard], *, unsure: bool = False
) -> Iterator[tuple[str, Heard | None, list[Asked]]]:
    """Yield for each leg how it is then (None: gone), and what is asked of the provider for that.

    Who is to be heard by one only is so before anybody hears them. ``unsure``: another process may
    have asked for anything before us, so all is asked for.
    """
    facts = call.facts
    wants = wanted(facts)
    for leg in facts.legs.values():
        want, had = wants.get(leg.id), done.get(leg.id)
        if want is not None and had is not None and want.since != had.since:
            # Who has come in again is heard as anybody who comes in.
            had = None
        if want is not None and want != had:
            before = had or (_opposite(want) if unsure else begins(leg))
            yield leg.id, want, list(_differences(call.id, leg.id, before, want))
        elif not leg.live and (had is not None or unsure or _came_back(call, leg)):
            gone = leg.why in OURS or _came_back(call, leg)
            yield leg.id, None, [("let go", partial(_let_go, call.id, leg))] if gone else []
        elif had is None and _to_be_rung(facts, leg):
            yield leg.id, begins(leg), [(RING, partial(_ring, call, leg))]
        elif had is None and leg.dialled and leg.state is LegState.RINGING:
            # Whoever rings since before our start is let go as others are.
            yield leg.id, begins(leg), []


def _opposite(want: Heard) -> Heard:
    """Return how a leg must have been so that all of what is wanted is asked for."""
    return Heard(not want.held, not want.muted, None if want.only_by else "")


def _came_back(call: Call, leg: Leg) -> bool:
    """Tell whether somebody has come in again who is in the call no more."""
    over = leg.ended_at
    return over is not None and any(
        one.leg == leg.id and one.kind is Happened.CONNECTED and one.at > over
        for one in call.events
    )


def _to_be_rung(facts: CallFacts, leg: Leg) -> bool:
    """Tell whether a number is to be called now: a customer's once the agent has come in."""
    if leg.state is not LegState.RINGING or leg.dialled:
        return False
    agent = any(one.there for one in facts.of(Party.AGENT))
    called = leg.party is Party.CUSTOMER and facts.direction == "out" and agent
    return called or leg.party is Party.NUMBER


def _differences(call: Id, leg: str, had: Heard, want: Heard) -> Iterator[Asked]:
    if want.muted and not had.muted:
        yield "mute", lambda at: at.mute(call, leg, muted=True)
    if want.only_by != had.only_by:
        yield "coach", lambda at: at.coach(call, leg, want.only_by)
    if had.muted and not want.muted:
        yield "unmute", lambda at: at.mute(call, leg, muted=False)
    if want.held and not had.held:
        yield "hold", lambda at: at.hold(call, leg)
    if had.held and not want.held:
        yield "resume", lambda at: at.resume(call, leg)


def _let_go(call: Id, leg: Leg, at: Controls) -> Any:
    return at.let_go(call, leg.id, leg.rung)


def _ring(call: Call, leg: Leg, at: Controls) -> Any:
    customer = next((one for one in call.facts.legs.values() if one.party is Party.CUSTOMER), None)
    return at.ring(call.id, call.name, customer.address if customer else "", leg.id, leg.address)


class Carrier:
    """Carries decisions out; ``mine`` tells whether this process is the one that does."""

    def __init__(
        self, store: Store, clock: Clock, registry: Registry, mine: Callable[[], bool]
    ) -> None:
        self._store = store
        self._clock = clock
        self._registry = registry
        self._mine = mine
        self._changed: set[Id] = set()
        self._wake = asyncio.Event()
        self._done: dict[Id, dict[str, Heard]] = {}
        self._takes: dict[Id, Take] = {}
        self._reader = Reader(store, clock, registry)
        self._looked = False
        self._unsure: set[Id] = set()
        self._began = clock.now()

    def told(self, entry: NumberedEntry) -> None:
        """Take in that a call has changed."""
        if entry.entry.entity is Entity.CALL:
            self._changed.add(entry.entry.entity_id)
            self._wake.set()

    async def run(self) -> None:
        """Work for ever; a supervised task."""
        while True:
            self._wake.clear()
            if self._mine():
                await self.look()
            else:
                # Until now others carried, and what they asked for is not known here.
                self._began = self._clock.now()
                self._looked, self._done, self._changed = False, {}, set()
                self._takes = {}
            try:
                await asyncio.wait_for(self._wake.wait(), AGAIN_S)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """Carry out what has changed; at first, of every call that goes on."""
        if not self._looked:
            since = self._clock.now() - RECENT
            self._unsure = set(await self._store.read(lambda: repository.recent(since)))
            self._changed |= self._unsure
            self._reader.begin(self._unsure, self._began)
            self._looked = True
        await self._reader.look()
        left, self._changed = self._changed, set()
        try:
            calls = await self._store.read(lambda: _calls(set(left)))
            left &= set(calls)
            for call in calls.values():
                connector = self._registry.by_id(call.account)
                controls = connector.calls_at if connector is not None else None
                if controls is None or await self._carried(call, controls):
                    left.discard(call.id)
        finally:
            # What a fault kept from being done is done the next time.
            self._changed |= left

    async def _carried(self, call: Call, controls: Controls) -> bool:
        """Carry a call's decisions out; tell whether all was done that can be."""
        if call.facts.over:
            self._done.pop(call.id, None)
            stopped = await self._recorded(call, controls)
            ended = await self._asked(call, ("end", lambda at: _end(call, at)), controls)
            return stopped and ended is not Answer.AGAIN
        # First, for card numbers are not to wait for anything.
        all_done = await self._recorded(call, controls)
        done = self._done.setdefault(call.id, {})
        unsure = call.id in self._unsure and call.began_at < self._began
        for leg, then, asked in list(steps(call, done, unsure=unsure)):
            answer = await self._leg(call, leg, asked, controls)
            all_done = all_done and answer is not Answer.AGAIN
            if answer is not Answer.DONE:
                continue
            if then is None:
                done.pop(leg, None)
            else:
                done[leg] = then
        if all_done:
            self._unsure.discard(call.id)
        return all_done

    async def _leg(self, call: Call, leg: str, asked: list[Asked], controls: Controls) -> Answer:
        """Ask all that is to be asked for a leg; what was refused and taken back never was."""
        for one in asked:
            if one[0] == RING:
                await self._rung(call, leg, one[1], controls)
                continue
            answer = await self._asked(call, one, controls, leg)
            if answer is Answer.AGAIN or (answer is Answer.NEVER and one[0] in carried.TAKEN_BACK):
                return answer
        return Answer.DONE

    async def _recorded(self, call: Call, controls: Controls) -> bool:
        """Let a call be recorded as it is to be; whoever has not heard that it is hears it first.
        Tell whether all was done that can be.
        """
        unsure, leg = call.id in self._unsure, taking.customer(call.facts)
        had = taking.known(call, self._takes.get(call.id), unsure=unsure)
        want = taking.wanted(call.facts)
        what = taking.ASKED.get((had, want))
        if what is None or leg is None:
            return True
        if want == "on" and taking.unheard(call.facts):
            tell = (what, lambda at: at.announce(call.id, leg.id))
            told = await self._asked(call, tell, controls, leg.id)
            if told is not Answer.DONE:
                return told is Answer.NEVER
            await self._store.write(partial(carried.told, call.id, self._clock.now()))
        record = (what, lambda at: at.record(call.id, call.name, leg.address, leg.id, want))
        answer = await self._asked(call, record, controls, leg.id)
        if answer is Answer.DONE or (answer is Answer.NEVER and what not in carried.TAKEN_BACK):
            self._takes[call.id] = want
        if call.facts.over:
            self._takes.pop(call.id, None)
        return answer is not Answer.AGAIN

    async def _asked(self, call: Call, asked: Asked, controls: Controls, leg: str = "") -> Answer:
        """Ask one thing; return whether it was done, or need not or should be asked again. What was
        not done is told; what never will be is taken back, so that nobody believes in a hold that
        is none.
        """
        what, do = asked
        try:
            await do(controls)
        except (RetryLater, UnknownOutcome) as fault:
            log.warning("the provider did not do it", call=call.id, what=what, why=str(fault))
            await self._told(call, leg, what, again=True)
            return Answer.AGAIN
        except (Rejected, AuthFailed) as fault:
            log.error("the provider refuses it", call=call.id, what=what, why=str(fault))  # noqa: TRY400
            await self._told(call, leg, what, again=False)
            return Answer.NEVER
        return Answer.DONE

    async def _told(self, call: Call, leg: str, what: str, *, again: bool) -> None:
        """Say in the call what its provider could not do."""
        now = self._clock.now()
        if leg:
            await self._store.write(partial(carried.failed, call.id, leg, what, now, again))

    async def _rung(self, call: Call, leg: str, do: Any, controls: Controls) -> None:
        """Let a number be called, once; a leg that is not called ends. Whether it was called of
        which nobody knows is told by the provider, or not: then the agent hangs up.
        """
        now = self._clock.now()
        if not await self._store.write(lambda: dialling.asked(call.id, leg, now)):
            return
        try:
            rung = await do(controls)
            await self._store.write(lambda: dialling.rung(call.id, leg, rung, now))
        except UnknownOutcome as fault:
            log.warning("nobody knows whether it rings", call=call.id, leg=leg, why=str(fault))
        except (RetryLater, Rejected, AuthFailed) as fault:
            log.warning("the provider does not ring", call=call.id, leg=leg, why=str(fault))
            why = "refused" if isinstance(fault, Rejected) else "failed"
            await self._store.write(lambda: dialling.failed(call.id, leg, why, now))


def _calls(ids: set[Id]) -> Work[dict[Id, Call]]:
    return (yield from repository.by_ids(ids))


async def _end(call: Call, at: Controls) -> None:
    """End a call that our side has ended; who has waited in vain is told so."""
    facts = call.facts
    ours = [one for one in facts.legs.values() if one.party is Party.CUSTOMER and one.why == "over"]
    alone = [one for one in facts.legs.values() if one not in ours and one.why == "over"]
    if facts.direction == "out":
        # Nobody knows how far it got: it may ring, and the agent is in.
        for leg in ours:
            await at.let_go(call.id, leg.id, leg.rung)
        await at.end(call.id)
    elif ours and facts.answered_at is None:
        await at.send_away(call.name)
    elif ours or alone:
        await at.end(call.id)
