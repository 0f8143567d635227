"""What the desk does in a telephone call happens at the provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from madoguchi.clock import Clock, ManualClock
from madoguchi.demo.twilio_phone import Phone
from tests.hub.test_opening_hours import OFFICE
from tests.hub.test_phone_call import CUSTOMER
from tests.support.hubs import NUMBER, Person, Stream
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for


async def softphone(center: Telephones, person: Person, desk: Stream, call: str) -> Phone:
    """Let somebody who is rung come in as their browser does: by what the hub's REST gives."""
    leg = await desk.until(lambda s: leg_of(s, call, person.id), "they are rung")
    found = await person.call("GET", f"/calls/{call}/legs/{leg['id']}/softphone")
    phone = center.phone(f"client:{person.id}")
    phone.connect(found["token"], {"ticket": found["ticket"]})
    await phone.hear()
    await desk.until(lambda s: leg_of(s, call, person.id)["state"] == "connected", "they are there")
    return phone


async def talking(center: Telephones) -> tuple[Phone, Phone, Person, Stream, str]:
    """Let a customer talk with Ann."""
    ann = await center.here.person("ann")
    desk = await ann.available()
    customer = center.phone(CUSTOMER)
    line = customer.dial(NUMBER)
    await customer.hear()
    call = await center.call_of(line)
    offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
    await ann.call("POST", f"/offers/{offer['id']}/accept")
    return customer, await softphone(center, ann, desk, call), ann, desk, call


async def test_hold_consult_transfer_and_end(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        customer, mine, ann, desk, call = await talking(center)
        ben = await center.here.person("ben")
        other = await ben.available()
        theirs = leg_of(desk, call, None)["id"]
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/hold")
        await wait_for(lambda: not customer.hears() and not mine.hears(), "nobody hears")
        await wait_for(lambda: customer.here.sounds, "music")
        clock.advance(20)
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/resume")
        await wait_for(lambda: customer.hears() == {mine.address}, "they hear each other")
        clock.advance(20)
        await ann.call("POST", f"/calls/{call}/consult", {"agent": ben.id})
        colleague = await softphone(center, ben, other, call)
        await wait_for(lambda: mine.hears() == {colleague.address}, "the two talk alone")
        assert customer.hears() == set()
        clock.advance(20)
        await ann.call("POST", f"/calls/{call}/transfer", {})
        await wait_for(lambda: mine.here.state == "ended", "Ann is out")
        await wait_for(lambda: customer.hears() == {colleague.address}, "Ben has the customer")
        await ben.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "ended", "it is over")
        assert colleague.here.state == "ended"
        assert center.voice.errors == []


async def test_supervisor_is_never_heard_by_whom_they_must_not(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        customer, mine, *_, call = await talking(center)
        sue = await center.here.person("sue")
        board = await sue.connect()
        path = f"/calls/{call}/supervise"
        await sue.call("POST", path, {"mode": "whisper"})
        boss = await softphone(center, sue, board, call)
        heard: list[set[str]] = []

        def whispers() -> bool:
            heard.append(customer.hears())
            return boss.address in mine.hears()

        await wait_for(whispers, "the agent hears her")
        assert all(boss.address not in each for each in heard)
        assert boss.hears() == {customer.address, mine.address}
        await sue.call("POST", path, {"mode": "barge"})
        await wait_for(lambda: boss.address in customer.hears(), "all hear her")
        await sue.call("POST", path, {"mode": "listen"})
        await wait_for(lambda: boss.address not in customer.hears() | mine.hears(), "nobody does")
        assert boss.hears() == {customer.address, mine.address}
        assert center.voice.errors == []


@pytest.mark.parametrize("answer", ["429", "500"])
async def test_what_the_provider_could_not_do_is_asked_again(tmp_path: Path, answer: str) -> None:
    async with telephones(tmp_path) as center:
        customer, _, ann, desk, call = await talking(center)
        theirs = leg_of(desk, call, None)["id"]
        center.answering(answer=answer, once=True, taken=False)
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/hold")
        await wait_for(lambda: not customer.hears(), "the customer is held")


async def test_caller_of_a_closed_queue_is_told_so(tmp_path: Path) -> None:
    async with telephones(tmp_path, OFFICE + "closed = true\n") as center:
        customer = center.phone(CUSTOMER)
        line = customer.dial(NUMBER)
        await wait_for(lambda: line.state == "ended", "the call is over")
        assert (await customer.hear())[-1].startswith("申し訳ございません。")


async def test_only_the_own_leg_has_a_softphone(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        _, _, ann, desk, call = await talking(center)
        theirs = leg_of(desk, call, None)["id"]
        status, problem = await ann.raw("GET", f"/calls/{call}/legs/{theirs}/softphone")
        assert (status, problem["code"]) == (409, "not_your_leg")
        await center.here.configure('[account.phone.settings]\ntwiml_app_sid = ""')
        mine = leg_of(desk, call, ann.id)["id"]
        status, problem = await ann.raw("GET", f"/calls/{call}/legs/{mine}/softphone")
        assert (status, problem["code"]) == (409, "no_softphone")


async def test_a_line_that_drops_comes_back(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        customer, mine, ann, desk, call = await talking(center)
        clock.advance(5)
        await mine.hang_up()
        await desk.until(lambda s: leg_of(s, call, ann.id).get("state") == "ringing", "she is rung")
        assert desk.of("call", call)["state"] == "waiting", "and the customer hears music"
        clock.advance(5)
        again = await softphone(center, ann, desk, call)
        await wait_for(lambda: customer.hears() == {again.address}, "they talk on")
        await ann.call("POST", f"/calls/{call}/hang_up")
        await wait_for(lambda: customer.here.state == "ended", "it is over")


async def test_who_was_let_go_cannot_come_in_again(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, clock=clock) as center:
        customer, mine, ann, desk, call = await talking(center)
        leg = leg_of(desk, call, ann.id)["id"]
        pass_of = await ann.call("GET", f"/calls/{call}/legs/{leg}/softphone")
        ben = await center.here.person("ben")
        other = await ben.available()
        clock.advance(5)
        await ann.call("POST", f"/calls/{call}/consult", {"agent": ben.id})
        colleague = await softphone(center, ben, other, call)
        clock.advance(5)
        await ann.call("POST", f"/calls/{call}/transfer", {})
        await wait_for(lambda: mine.here.state == "ended", "Ann is out")
        clock.advance(5)
        sneaks = center.phone(f"client:{ann.id}")
        sneaks.connect(pass_of["token"], {"ticket": pass_of["ticket"]})
        await sneaks.hear()
        await wait_for(lambda: sneaks.here.state == "ended", "and stays out")
        assert customer.hears() == {colleague.address}


@pytest.mark.parametrize("clock", [ManualClock(), Clock()])
async def test_a_hold_that_is_refused_is_none(tmp_path: Path, clock: Clock) -> None:
    async with telephones(tmp_path, clock=clock) as center:
        customer, mine, ann, desk, call = await talking(center)
        theirs, own = leg_of(desk, call, None)["id"], leg_of(desk, call, ann.id)["id"]
        center.answering(answer="400")
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/hold")
        await desk.until(lambda s: s.of("call", call)["trouble"], "she is told")
        trouble = desk.of("call", call)["trouble"]
        assert (trouble["what"], trouble["leg"], trouble["again"]) == ("hold", theirs, False)
        await desk.until(lambda s: not leg_of(s, call, None)["held"], "and sees what is true")
        assert customer.hears() == {mine.address}
        center.answering()
        await ann.call("POST", f"/calls/{call}/legs/{own}/mute")
        await wait_for(lambda: not customer.hears(), "what comes next is carried out")
        kinds = [one["kind"] for one in (await ann.call("GET", f"/calls/{call}"))["timeline"]]
        assert kinds.count("failed") == 1, "what was taken back is asked of nobody"
