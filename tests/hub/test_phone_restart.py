"""A hub that was away: it reads at the provider what nobody could tell it, and carries all out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from connectors.carrying import Carrier, steps
from madoguchi.clock import ManualClock
from madoguchi.conversations.calls.present import Present, differences
from madoguchi.conversations.calls.repository import Call
from madoguchi.demo.fake_twilio import Modes
from madoguchi.model.calls import CallEvent, Happened, fold
from madoguchi.model.channels import Channel
from madoguchi.security.secrets import new_key
from tests.hub.test_dialling import JAPAN, wished
from tests.hub.test_phone_call import FLOW, over
from tests.hub.test_phone_carrying import talking
from tests.support.hubs import hub_running
from tests.support.ports import free_port
from tests.support.telephones import (
    PointedTwilio,
    Telephones,
    connected,
    leg_of,
    provider,
    telephones,
)
from tests.support.waiting import wait_for

Start = Callable[[], Any]


@asynccontextmanager
async def center_at(folder: Path, database: str = "") -> AsyncIterator[tuple[PointedTwilio, Start]]:
    """Run a provider; return it, and what starts a hub of the same place."""
    port, keys, clock = free_port(), new_key(), ManualClock()
    more: dict[str, Any] = {"database": database, "port": port, "secret_keys": keys}
    async with provider(clock) as twilio:
        yield twilio, lambda: hub_running(folder, clock=clock, twilio=twilio, **more)


def forgetful(twilio: PointedTwilio) -> None:
    """Let no callback reach anybody."""
    twilio.behave(Modes(callbacks=False))


def advance(twilio: PointedTwilio, seconds: float) -> None:
    """Let time pass for all."""
    assert isinstance(twilio.clock, ManualClock)
    twilio.clock.advance(seconds)


def refused(twilio: PointedTwilio) -> bool:
    """Tell whether something that only asks was answered with a fault."""
    return any(one.what == "fetch" and one.status == 500 for one in twilio.log)


async def test_customer_who_hung_up_meanwhile_is_gone(tmp_path: Path, database: str) -> None:
    async with center_at(tmp_path, database) as (twilio, start):
        async with start() as here:
            customer, mine, _, _, call = await talking(await connected(here, twilio))
        forgetful(twilio)
        advance(twilio, 30)
        await customer.hang_up()
        await mine.hang_up()
        advance(twilio, 300)
        async with start() as here:
            center = Telephones(here, twilio)
            assert await over(center) == ["ended"]
            ann = await here.person("ann")
            shown = await ann.call("GET", f"/calls/{call}")
            assert shown["why"] == "hung_up"
            ended = twilio.voice.calls[customer.here.call.sid].ended
            assert ended is not None
            assert shown["ended_at"][:19] == ended.isoformat()[:19]
            await twilio.close()


async def test_agent_who_dropped_meanwhile_is_rung_again(tmp_path: Path) -> None:
    async with center_at(tmp_path) as (twilio, start):
        async with start() as here:
            _, mine, ann, _, call = await talking(await connected(here, twilio))
        forgetful(twilio)
        await mine.hang_up()
        advance(twilio, 5)
        async with start() as here:
            ann = await here.person("ann")
            desk = await ann.connect()
            await desk.until(
                lambda s: leg_of(s, call, ann.id).get("state") == "ringing", "she is rung"
            )
            assert (await ann.call("GET", f"/calls/{call}"))["state"] == "waiting"
            await twilio.close()


async def test_provider_that_does_not_answer_is_asked_again(tmp_path: Path) -> None:
    async with center_at(tmp_path) as (twilio, start):
        async with start() as here:
            customer, *_ = await talking(await connected(here, twilio))
        forgetful(twilio)
        await customer.hang_up()
        advance(twilio, 5)
        twilio.behave(twilio.modes.model_copy(update={"reads": "500"}))
        async with start() as here:
            center = Telephones(here, twilio)
            await wait_for(lambda: refused(twilio), "it was asked in vain")
            assert [row["state"] for row in await center.calls()] == ["talking"]
            forgetful(twilio)
            advance(twilio, 2)
            assert await over(center) == ["ended"]
            await twilio.close()


async def test_number_that_rings_can_be_let_go_after_a_start(tmp_path: Path) -> None:
    async with center_at(tmp_path) as (twilio, start):
        async with start() as here:
            center = await connected(here, twilio, FLOW + JAPAN)
            asked = await wished(center)
            one = await asked.dial()
            await asked.come_in(one)
            await asked.phone.ringing()
            await asked.desk.until(
                lambda s: leg_of(s, one, None).get("dialled"), "the provider rings"
            )
        async with start() as here:
            ann = await here.person("ann")
            await ann.call("POST", f"/calls/{one}/hang_up")
            phone = asked.phone
            await wait_for(lambda: phone.here.state == "ended", "it rings no longer")
            await twilio.close()


async def test_who_takes_over_asks_for_all_that_the_last_one_may_not_have(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        hub, passes, turn = center.here.hub, [0], asyncio.Event()

        def mine_now() -> bool:
            passes[0] += 1
            return turn.is_set()

        stands_by = Carrier(hub.store, clock, hub.registry, mine_now)
        hub.tail.watch(stands_by.told)
        task = asyncio.create_task(stands_by.run())
        clock.advance(5)
        customer, mine, *_, call = await talking(center)
        # The last one had the customer held, and is gone before it has let them talk again.
        await center.connector.controls.hold(call, "customer")
        assert not customer.hears()
        clock.advance(5)
        seen = passes[0]
        await wait_for(lambda: passes[0] > seen, "it still stands by")
        turn.set()
        await wait_for(lambda: customer.hears() == {mine.address}, "what is decided is so")
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_number_that_rings_since_before_the_start_is_let_go() -> None:
    at = ManualClock().now()
    began = CallEvent("b", at, Happened.BEGAN, data={"direction": "in"})
    rang = CallEvent("r", at, Happened.RANG, "n", {"party": "number", "address": "+81312340000"})
    rings = CallEvent("d", at, Happened.DIALLED, "n", {"rung": "CA1"})
    call = Call("id", "c", "a", "t", "CA0", Channel.VOICE, "q", at, events=(began, rang, rings))
    ((leg, then, asked),) = steps(call, {}, unsure=True)
    assert (leg, asked) == ("n", [])
    assert then is not None
    gone = call.after(CallEvent("l", at, Happened.LEFT, "n", {"why": "let_go"}))
    for done, unsure in (({leg: then}, False), ({}, True)):
        ((_, _, asked),) = steps(gone, done, unsure=unsure)
        assert [what for what, _ in asked] == ["let go"], "also by who does not know what was asked"


@pytest.mark.parametrize(
    ("there", "kinds"),
    [
        (Present(legs={"customer": True, "a": True}), []),
        (Present(legs={"customer": True, "a": True, "n": False}), []),
        (Present(legs={"customer": True, "a": True, "b": True}), ["leg.connected:b"]),
        (Present(legs={"customer": True}), ["leg.dropped:a"]),
        (Present(legs={}), ["leg.dropped:customer", "leg.dropped:a"]),
        (Present(over=True, legs={}), ["leg.ended:customer", "leg.dropped:a"]),
    ],
)
def test_what_differs_has_happened(there: Present, kinds: list[str]) -> None:
    at = ManualClock().now()
    legs = {"customer": "customer", "a": "agent", "b": "expert"}
    events = [CallEvent("b", at, Happened.BEGAN, data={"direction": "in"})]
    events += [CallEvent(f"r{x}", at, Happened.RANG, x, {"party": p}) for x, p in legs.items()]
    events += [CallEvent(f"c{x}", at, Happened.CONNECTED, x) for x in ("customer", "a")]
    found = differences(fold(events), there, at)
    assert sorted(f"{one.kind}:{one.leg}" for one in found) == sorted(kinds)
