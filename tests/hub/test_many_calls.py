"""A hundred calls at once: whatever order callbacks come in, and how often, each call comes to the
same.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from madoguchi.clock import ManualClock
from madoguchi.configuration import text
from madoguchi.conversations.calls import acts, repository
from madoguchi.conversations.calls.repository import Call
from madoguchi.conversations.calls.tables import call, call_event
from madoguchi.conversations.tables import work_item
from madoguchi.demo.twilio_phone import Phone
from madoguchi.model.calls import Happened, Party
from madoguchi.model.people import SYSTEM
from madoguchi.model.routing import (
    Assigned,
    ConnectionChanged,
    OfferAccepted,
    Presence,
    PresenceSet,
)
from router.orders import Order
from router.tables import offer
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import FLOW
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, telephones
from tests.support.waiting import wait_for

MANY = 100
ENDS = ("menu", "queue", "message", "callback", "chat")
"""How far a caller gets; then they hang up, or the flow lets them go."""


async def one_call(center: Telephones, number: int) -> None:
    """Let one person call, choose, and hang up."""
    phone = center.phone(f"+8190555{number:05d}")
    phone.dial(NUMBER)
    await phone.hear()
    end = ENDS[number % len(ENDS)]
    if end == "queue":
        await phone.press("1")
        await phone.hear()
    elif end == "message":
        await phone.press("2")
        await phone.hear()
        await phone.speak("折り返しお願いします")
        await phone.press("#")
        await phone.hear()
    elif end == "callback":
        for key in ("3", "1"):
            await phone.press(key)
            await phone.hear()
    elif end == "chat":
        await phone.press("4")
        await phone.hear()
    if phone.here.state != "ended":
        await phone.hang_up()


async def outcomes(folder: Path, **modes: Any) -> dict[str, tuple[object, ...]]:
    """Return what each caller's call came to, by their number."""
    async with telephones(folder, FLOW) as center:
        center.answering(**modes)
        await asyncio.gather(*(one_call(center, n) for n in range(MANY)))
        await center.voice.quiet()

        async def over() -> bool:
            found = await center.calls()
            return len(found) == MANY and {row["state"] for row in found} == {"ended"}

        await wait_for(over, "all calls are over", within=120)
        legs = {
            row["call"]: row["data"].get("address")
            for row in await rows(center.here, call_event)
            if row["kind"] == "leg.rang"
        }
        sue = await center.here.person("sue")
        found: dict[str, tuple[object, ...]] = {}
        for row in await rows(center.here, call):
            shown = await sue.call("GET", f"/calls/{row['id']}")
            answers = tuple((each["name"], each["value"]) for each in shown["answers"])
            states = tuple((leg["party"], leg["state"]) for leg in shown["legs"])
            found[str(legs[row["id"]])] = (shown["state"], shown["why"], answers, states)
        return found


async def test_a_hundred_calls_come_to_the_same_in_any_order(tmp_path: Path) -> None:
    ordered = await outcomes(tmp_path / "ordered")
    shuffled = await outcomes(tmp_path / "shuffled", shuffled=True, doubled=True, seed=7)
    assert len(ordered) == MANY
    assert shuffled == ordered
    # The clock stands still, so that nobody's order is told by time: it is the events' own.
    assert len({answers for _, _, answers, _ in ordered.values()}) == len(ENDS)


SPARE = MANY // 5
"""As many calls are given to another agent."""


class Talks:
    """A hundred callers and as many agents; each step is taken by all at once."""

    def __init__(self, center: Telephones, clock: ManualClock) -> None:
        self.center = center
        self.clock = clock
        self.hub = center.here.hub
        self.callers: dict[str, Phone] = {}
        self.numbers: dict[str, int] = {}
        self.calls: dict[str, Call] = {}

    async def staff(self) -> None:
        """Let agents be available; nobody needs a desk for this."""
        names = [f"a{n:03}" for n in range(MANY + SPARE)]
        toml = "".join(
            f'[agent.{name}]\nname = "{name}"\nteams = ["front"]\nskills = {{ order = 3 }}\n'
            for name in names
        )
        configuration = self.hub.configuration
        await configuration.change(SYSTEM, "test", text.changes(toml, configuration.catalog))
        await self.hub.router.ready()
        for name in names:
            id = configuration.catalog.agents[name].id
            await self.hub.client.ask(Order(ConnectionChanged(id, True)))
            await self.hub.client.ask(Order(PresenceSet(id, Presence.available, by=id)))

    async def ring(self) -> None:
        """Let all call, and wait until each is on offer; then all are accepted."""
        for n in range(MANY):
            phone = self.center.phone(f"+8190555{n:05d}")
            phone.dial(NUMBER)
            self.callers[phone.here.call.sid] = phone
            self.numbers[phone.here.call.sid] = n
        await asyncio.gather(*(phone.hear() for phone in self.callers.values()))

        async def offered() -> list[Any]:
            found = await rows(self.center.here, offer)
            return [row for row in found if row["state"] == "pending"]

        accepted = 0
        while accepted < MANY:
            for row in await wait_for(offered, "offers", within=120):
                await self.hub.client.ask(Order(OfferAccepted(row["id"], row["agent"])))
                accepted += 1

    async def look(self, legs: int = 2) -> None:
        """Read all calls, once each has so many legs."""

        async def there() -> bool:
            ids = [row["id"] for row in await self.center.calls()]
            found = await self.hub.store.read(lambda: repository.by_ids(ids))
            self.calls = {one.name: one for one in found.values()}
            counts = [len(one.facts.legs) for one in found.values()]
            return len(counts) == MANY and min(counts) >= legs

        await wait_for(there, "all calls have their legs", within=120)

    def some(self, *kinds: int) -> list[Call]:
        """Return the calls of some kinds, in the order of their numbers."""
        found = [one for one in self.calls.values() if self.numbers[one.name] % 5 in kinds]
        return sorted(found, key=lambda one: self.numbers[one.name])

    async def come_in(self, one: Call) -> None:
        """Let the agent who has a call come into it."""
        (leg,) = one.facts.of(Party.AGENT)
        assert leg.agent is not None
        number = self.callers[one.name].address
        connector = self.center.connector
        ticket = connector.tickets.issue(one.id, one.name, number, leg.id, leg.agent)
        phone = self.center.phone(f"client:{leg.agent}")
        phone.connect(connector.controls.access_token(leg.agent), {"ticket": ticket})
        await phone.hear()

    async def act(self, one: Call, doing: acts.Doing) -> None:
        """Let a call's agent do something."""
        (leg,) = one.facts.of(Party.AGENT)
        actor = self.hub.configuration.catalog.actor(str(leg.agent))
        assert actor is not None
        now, new_id = self.clock.now(), self.clock.new_id
        await self.hub.store.write(lambda: acts.act(actor, one.id, doing, now, new_id))

    async def hold(self, calls: list[Call], *, held: bool) -> None:
        """Hold customers, or let them talk on, and wait until it is so at the provider."""
        kind = Happened.HELD if held else Happened.RESUMED
        for one in calls:
            await self.act(one, acts.led(kind, "customer"))
        phones = [self.callers[one.name] for one in calls]
        so = lambda: all(bool(phone.hears()) is not held for phone in phones)  # noqa: E731
        await wait_for(so, "it is so", within=120)

    async def hand_over(self, calls: list[Call]) -> None:
        """Give calls to agents who have none."""
        busy = {row["owner"] for row in await rows(self.center.here, work_item)}
        agents = self.hub.configuration.catalog.agents
        free = [e.id for key, e in sorted(agents.items()) if key[0] == "a" and key[1:].isdecimal()]
        free = [id for id in free if id not in busy]
        boss = agents["sue"].id
        for one, agent in zip(calls, free, strict=False):
            assert one.item is not None
            await self.hub.client.ask(Order(Assigned(one.item, agent, boss)))

    async def outcomes(self) -> dict[int, tuple[object, ...]]:
        """Return what each call came to, by its caller."""

        async def over() -> bool:
            found = await self.center.calls()
            return {row["state"] for row in found} == {"ended"}

        await wait_for(over, "all calls are over", within=120)
        await self.center.voice.quiet()
        await self.look()
        found: dict[int, tuple[object, ...]] = {}
        for name, one in self.calls.items():
            legs = tuple(
                (leg.party, leg.state, leg.why, leg.held_for) for leg in one.facts.legs.values()
            )
            found[self.numbers[name]] = (one.facts.state, one.facts.why, legs, len(legs))
        return found


async def talks(folder: Path, **modes: Any) -> dict[int, tuple[object, ...]]:
    """Let a hundred callers talk with agents; return what each call came to."""
    clock = ManualClock()
    async with telephones(folder, clock=clock) as center:
        center.answering(**modes)
        here = Talks(center, clock)
        await here.staff()
        await here.ring()
        await here.look()
        clock.advance(5)
        await asyncio.gather(*map(here.come_in, here.calls.values()))
        clock.advance(5)
        await here.hold(here.some(1, 2), held=True)
        clock.advance(5)
        await here.hold(here.some(2), held=False)
        given = here.some(3)
        await here.hand_over(given)
        clock.advance(5)
        await wait_for_legs(here, given)
        await asyncio.gather(*map(here.come_in, here.some(3)))
        clock.advance(5)
        for one in here.some(2, 4):
            await here.act(one, acts.hang_up)
        for one in here.some(0, 1, 3):
            await here.callers[one.name].hang_up()
        return await here.outcomes()


async def wait_for_legs(here: Talks, calls: list[Call]) -> None:
    """Return once calls have another agent."""
    ids = [one.id for one in calls]

    async def there() -> bool:
        found = await here.hub.store.read(lambda: repository.by_ids(ids))
        return all(len(one.facts.legs) == 3 for one in found.values())

    await wait_for(there, "they have another agent", within=120)
    await here.look()


async def test_a_hundred_talks_come_to_the_same_in_any_order(tmp_path: Path) -> None:
    ordered = await talks(tmp_path / "ordered")
    shuffled = await talks(tmp_path / "shuffled", shuffled=True, doubled=True, late_s=1, seed=7)
    assert len(ordered) == MANY
    assert shuffled == ordered
    assert {why for _, why, *_ in ordered.values()} == {"hung_up"}
    assert {count for *_, count in ordered.values()} == {2, 3}
