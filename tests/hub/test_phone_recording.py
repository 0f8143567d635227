"""Telephone calls that are recorded at the provider: by whose leave, and ours alone then."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from madoguchi.clock import ManualClock
from madoguchi.conversations.calls.tables import recording_part
from madoguchi.demo.twilio_recording import BY_API, Recording
from madoguchi.flows.words import words
from madoguchi.store.tables import job
from tests.hub.test_dialling import asked
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import CUSTOMER
from tests.hub.test_phone_carrying import softphone, talking
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for

ALWAYS = '[queue.orders.recording]\nwhen = "always"\nkeep_days = 30\n'
AGREED = '[queue.orders.recording]\nwhen = "agreed"\n'


async def take(center: Telephones, status: str) -> Recording:
    """Return the one recording that there is, once it is in a status."""

    def there() -> Recording | None:
        found = [one for one in center.voice.recordings.values() if one.source == BY_API]
        return found[0] if len(found) == 1 and found[0].status == status else None

    return await wait_for(there, f"a recording that is {status}")


async def kept(center: Telephones) -> dict[str, Any]:
    """Return the row of the one take that is ours, once it is and Twilio has it no more."""

    async def there() -> dict[str, Any]:
        found = [dict(row) for row in await rows(center.here, recording_part)]
        return found[0] if len(found) == 1 and not center.voice.recordings else {}

    return await wait_for(there, "the take is ours alone")


async def test_what_is_said_is_recorded_without_pauses_and_heard(
    tmp_path: Path, database: str
) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, ALWAYS, clock=clock, database=database) as center:
        customer, _, ann, desk, call = await talking(center)
        made = await take(center, "in-progress")
        assert made.call == customer.here.call.sid
        clock.advance(10)
        await ann.call("POST", f"/calls/{call}/recording/pause")
        await take(center, "paused")
        clock.advance(100)
        await ann.call("POST", f"/calls/{call}/recording/resume")
        await take(center, "in-progress")
        clock.advance(5)
        theirs = leg_of(desk, call, None)["id"]
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/hold")
        await take(center, "paused")
        clock.advance(100)
        await ann.call("POST", f"/calls/{call}/legs/{theirs}/resume")
        await take(center, "in-progress")
        clock.advance(7)
        sound = made.sound
        await ann.call("POST", f"/calls/{call}/hang_up")
        row = await kept(center)
        assert (row["seconds"], row["queue"], row["agent"]) == (22, "orders", ann.id)
        (found,) = (await ann.call("GET", f"/calls/{call}/recordings"))["takes"]
        assert (found["seconds"], found["holes"]) == (22, [])
        assert ann.http is not None
        path = f"{center.here.url}/api/v1/calls/{call}/recordings/{found['take']}"
        async with ann.http.get(path) as answer:
            assert answer.headers["Content-Type"] == "audio/x-wav"
            assert await answer.read() == sound()
        async with ann.http.get(path, headers={"Range": "bytes=0-3"}) as answer:
            assert (answer.status, await answer.read()) == (206, b"RIFF")
        assert center.voice.errors == []


async def test_caller_hears_before_the_line_that_they_are_recorded(tmp_path: Path) -> None:
    async with telephones(tmp_path, ALWAYS + 'text = "録音します。"\n') as center:
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        assert (await phone.hear())[0] == "録音します。"
        await center.call_of(line)
        assert center.voice.recordings == {}


@pytest.mark.parametrize("key", ["1", "2"])
async def test_caller_is_asked_whether_they_may_be_recorded(tmp_path: Path, key: str) -> None:
    async with telephones(tmp_path, AGREED) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        assert await phone.hear() == [words("ja")["mayRecord"], words("ja")["agree"]]
        await phone.press(key)
        await phone.hear()
        call = await center.call_of(line)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        await softphone(center, ann, desk, call)
        await desk.until(lambda s: s.of("call", call)["state"] == "talking", "they talk")
        if key == "1":
            await take(center, "in-progress")
        shown = await ann.call("GET", f"/calls/{call}")
        assert shown["recording"] == ("on" if key == "1" else "off")
        assert len(center.voice.recordings) == int(key == "1")


async def test_who_answers_our_call_hears_that_they_are_recorded(tmp_path: Path) -> None:
    async with asked(tmp_path) as here:
        await here.center.here.configure(
            '[queue.returns]\nrecording = { when = "always", text = "録音します。" }'
        )
        id = await here.dial()
        await here.come_in(id)
        await here.phone.answer()
        await take(here.center, "in-progress")
        heard = here.phone.here.sounds
        await wait_for(lambda: "録音します。" in [sound.text for sound in heard], "it is said")
        assert (await here.state(id, "talking"))["recording"] == "on"
        await here.phone.hang_up()
        await kept(here.center)


async def test_recording_that_is_refused_is_none(tmp_path: Path) -> None:
    async with telephones(tmp_path, ALWAYS) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        call = await center.call_of(line)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        await desk.until(lambda s: leg_of(s, call, ann.id), "she is rung")
        center.answering(answer="400", once=True)
        await softphone(center, ann, desk, call)
        await desk.until(lambda s: s.of("call", call)["trouble"], "she is told")
        assert desk.of("call", call)["trouble"]["what"] == "record"
        await desk.until(lambda s: s.of("call", call)["recording"] == "off", "what is true")
        assert center.voice.recordings == {}


async def test_pause_that_is_refused_is_none(tmp_path: Path) -> None:
    async with telephones(tmp_path, ALWAYS) as center:
        _, _, ann, desk, call = await talking(center)
        await take(center, "in-progress")
        center.answering(answer="400", once=True)
        await ann.call("POST", f"/calls/{call}/recording/pause")
        await desk.until(lambda s: s.of("call", call)["trouble"], "she is told")
        assert desk.of("call", call)["trouble"]["what"] == "pause"
        await desk.until(lambda s: s.of("call", call)["recording"] == "on", "what is true")
        await take(center, "in-progress")


async def test_recording_that_is_not_given_at_once_is_fetched_later(tmp_path: Path) -> None:
    clock = ManualClock()
    async with telephones(tmp_path, ALWAYS, clock=clock) as center:
        customer, *_ = await talking(center)
        await take(center, "in-progress")
        clock.advance(3)
        center.answering(answer="500")
        await customer.hang_up()

        async def tried() -> bool:
            return any(row["attempts"] for row in await rows(center.here, job))

        await wait_for(tried, "a first try in vain")
        assert len(center.voice.recordings) == 1, "it is not deleted before it is ours"
        center.answering()
        clock.advance(2)
        assert (await kept(center))["seconds"] == 3
