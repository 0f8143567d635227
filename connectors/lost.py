"""People who are in no call any more, though nobody has said so."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from madoguchi.clock import Clock
from madoguchi.conversations.calls import absences, repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.live.relay import Relay
from madoguchi.model import log
from madoguchi.model.calls import Leg, Party
from madoguchi.model.ids import Id
from madoguchi.model.routing import Command, Refused, Requeued
from madoguchi.store.work import Store, Work

GRACE = timedelta(seconds=30)
"""So long a browser may be away, as it is when its page is loaded again."""

COMES_IN = timedelta(seconds=45)
"""So long somebody who is rung, or has taken a call, may need until they are in it."""

LOOK_S = 5.0

ASIDE = (Party.EXPERT, Party.SUPERVISOR)

Place = tuple[Id, str]
"""A call, and a leg of it."""


@dataclass
class Lost:
    """Lets those leave whose browsers are gone for good, and colleagues who do not come in; gives
    calls to others whose agent has taken them and does not come in: a microphone that is refused, a
    page that hangs. A desk that is gone is the router's matter. By the router's process only
    (``mine``); ``ask``: how the router is asked.
    """

    store: Store
    relay: Relay
    clock: Clock
    mine: Callable[[], bool]
    by_browser: Callable[[Id], bool]
    ask: Callable[[Command], Awaitable[Any]]
    gone: dict[Place, datetime] = field(default_factory=dict)

    async def run(self) -> None:
        """Look for ever; a supervised task."""
        while True:
            await asyncio.sleep(LOOK_S)
            if self.mine():
                await self.look()

    async def look(self) -> None:
        """Let wait again what nobody came in to, and leave who is not there."""
        calls = await self.store.read(_live)
        now = self.clock.now()
        for one in calls.values():
            if one.item is None or not any(_late(leg, now) for leg in one.facts.of(Party.AGENT)):
                continue
            if _nobody_yet(one):
                await self.store.write(partial(absences.end, one.id, "no_media", now))
                continue
            with suppress(Refused):
                await self.ask(Requeued(one.item, "no_media"))
        left = dict.fromkeys(_unanswered(calls, now), "no_answer")
        left |= dict.fromkeys(await self._away(calls, now), "lost")
        for id in sorted({call for call, _ in left}):
            legs = {leg: why for (call, leg), why in left.items() if call == id}
            await self.store.write(partial(absences.leave, id, legs, now))

    async def _away(self, calls: Mapping[Id, Call], now: datetime) -> list[Place]:
        """Return the legs whose browsers have been away for too long."""
        browsers = dict(self._browsers(calls))
        known = sorted(set(browsers.values()))
        there = dict(zip(known, await asyncio.gather(*map(self.relay.there, known)), strict=True))
        away = [place for place, address in browsers.items() if not there[address]]
        self.gone = {place: self.gone.get(place, now) for place in away}
        return [place for place, since in self.gone.items() if now - since >= GRACE]

    def _browsers(self, calls: Mapping[Id, Call]) -> Iterator[tuple[Place, str]]:
        """Yield the legs of calls between browsers, with the addresses where these are."""
        for id, one in calls.items():
            if not self.by_browser(one.account):
                continue
            for leg in one.facts.of(Party.CUSTOMER):
                yield (id, leg.id), log.visitor(one.account, one.thread)
            for leg in (leg for party in ASIDE for leg in one.facts.of(party)):
                if leg.agent is not None and leg.there:
                    yield (id, leg.id), log.agent(leg.agent)


def _nobody_yet(call: Call) -> bool:
    """Tell whether a call that we make has not reached anybody: there is nobody to give it to."""
    legs = call.facts.legs.values()
    met = any(leg.connected_at for leg in legs if leg.party is Party.CUSTOMER)
    return call.facts.direction == "out" and not met


def _unanswered(calls: Mapping[Id, Call], now: datetime) -> list[Place]:
    """Return the colleagues who have been rung for too long."""
    return [
        (id, leg.id)
        for id, one in calls.items()
        for party in ASIDE
        for leg in one.facts.of(party)
        if _late(leg, now)
    ]


def _late(leg: Leg, now: datetime) -> bool:
    """Tell whether somebody has not come in for too long."""
    return not leg.there and leg.rang_at is not None and now - leg.rang_at >= COMES_IN


def _live() -> Work[dict[Id, Call]]:
    return (yield from repository.by_ids((yield from repository.live())))
