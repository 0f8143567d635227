"""A simulated center: many agents who take what the hub offers them, and customers who write."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from sqlalchemy import select

from madoguchi.configuration import text
from madoguchi.model.ids import Id
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import (
    ConnectionChanged,
    OfferAccepted,
    OfferState,
    Presence,
    PresenceSet,
    Refused,
    WorkEnded,
    WrapUpStarted,
)
from madoguchi.store.work import Work
from router.orders import Order
from router.tables import offer
from tests.support.hubs import Running
from tests.support.waiting import wait_for

PAUSE_S = 0.05
"""Between two looks for offers: the center runs beside a test and is not to load the machine."""


class Crowd:
    """Agents without desks; ``answered`` counts what they have taken, ``written`` who has come."""

    def __init__(self, here: Running, agents: list[Id]) -> None:
        self.here = here
        self.agents = agents
        self.answered = 0
        self.written = 0

    async def arrive(self) -> None:
        """Everybody comes and is available."""
        for agent in self.agents:
            await self._ask(ConnectionChanged(agent, connected=True))
            await self._ask(PresenceSet(agent, Presence.available, by=agent))

    async def run(self) -> None:
        """Let customers write and agents work, until the test ends."""
        for number in count():
            assert await self.here.sms(f"+8190{number:08d}", "hello") == 204
            self.written += 1
            await wait_for(self.worked, "an offer that somebody takes", every=PAUSE_S)

    async def worked(self) -> bool:
        """Take every offer and be done with it; tell whether there was any."""
        before = self.answered
        for row in await self.here.hub.store.read(self._offers):
            try:
                await self._ask(OfferAccepted(row.id, row.agent))
                await self._ask(WrapUpStarted(row.item, row.agent))
                await self._ask(WorkEnded(row.item))
            except Refused:
                continue
            self.answered += 1
        return self.answered > before

    def _offers(self) -> Work[Any]:
        return (
            yield select(offer.c.id, offer.c.agent, offer.c.item).where(
                offer.c.state == OfferState.pending.value, offer.c.agent.in_(self.agents)
            )
        )

    async def _ask(self, command: Any) -> None:
        await self.here.hub.client.ask(Order(command))


@asynccontextmanager
async def crowded(here: Running, agents: int) -> AsyncIterator[Crowd]:
    """Run a center of so many agents beside a test."""
    hub = here.hub
    people = "".join(
        f'[agent.crowd{n}]\nname = "Crowd {n}"\nteams = ["front"]\n'
        "skills = { order = 2 }\nunits = 1\n"
        for n in range(agents)
    )
    await hub.configuration.change(
        SYSTEM, "a crowd", text.changes(people, hub.configuration.catalog)
    )
    known = hub.configuration.catalog.agents
    crowd = Crowd(here, [known[f"crowd{n}"].id for n in range(agents)])
    await crowd.arrive()
    running = asyncio.create_task(crowd.run())
    try:
        yield crowd
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait([running])
