"""The fake's calls: what is heard, what is told to the hub, what the API refuses."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from twilio.base.exceptions import TwilioRestException

from madoguchi.demo.twilio_call import new_sid
from tests.demo.stage import CUSTOMER, NUMBER
from tests.demo.voice_stage import Serve, VoiceStage, talking
from tests.support.waiting import wait_for

ROOM = (
    '<Dial><Conference waitUrl="wait" statusCallback="conference" beep="false" '
    'statusCallbackEvent="start end join leave mute hold modify">{name}</Conference></Dial>'
)
EXPERT = "+81312340000"


@pytest_asyncio.fixture
async def stage(aiohttp_server: Serve) -> AsyncIterator[VoiceStage]:
    async with talking(aiohttp_server) as found:
        yield found


async def test_menu_by_keys(stage: VoiceStage) -> None:
    gather = '<Gather action="step" numDigits="1"><Say language="ja-JP">1か2</Say></Gather>'
    stage.script.documents = {"voice": [gather], "step": ["<Say>thanks</Say><Hangup/>"]}
    phone = stage.phone()
    phone.dial(NUMBER, name="SATO MISAKI")
    assert await phone.hear() == ["1か2"]
    await phone.press("2")
    assert await phone.hear() == ["thanks"]
    assert phone.here.state == "ended"
    (first,) = stage.script.forms("voice")
    assert first["CallStatus"] == "ringing"
    assert (first["From"], first["To"], first["Direction"]) == (CUSTOMER, NUMBER, "inbound")
    assert first["CallerName"] == "SATO MISAKI"
    (step,) = stage.script.forms("step")
    assert (step["Digits"], step["CallStatus"]) == ("2", "in-progress")
    await stage.voice.quiet()
    (status,) = stage.script.forms("status")
    assert (status["CallStatus"], status["SequenceNumber"]) == ("completed", "0")
    assert stage.voice.errors == []


async def test_silence_falls_through_and_speech_needs_to_be_asked_for(stage: VoiceStage) -> None:
    first = '<Gather action="step"><Say>a</Say></Gather><Say>b</Say>'
    second = '<Gather action="step" input="dtmf speech"/>'
    stage.script.documents = {"voice": [first + second], "step": ["<Hangup/>"]}
    phone = stage.phone()
    phone.dial(NUMBER)
    await phone.speak("注文")
    assert phone.lost == ["注文"]
    await phone.stay_silent()
    assert await phone.hear() == ["a", "b"]
    await phone.speak("注文")
    await phone.hear()
    (step,) = stage.script.forms("step")
    assert (step["SpeechResult"], step["Confidence"]) == ("注文", "0.9")


async def test_conference_starts_holds_mutes_coaches_and_ends(stage: VoiceStage) -> None:
    stage.script.documents = {
        "voice": [ROOM.format(name="A")],
        "wait": ["<Play>/music.mp3</Play>"],
        "hold": ["<Say>hold</Say>"],
    }
    customer, agent, boss = stage.phone(), stage.phone("client:anna"), stage.phone("client:boss")
    customer.dial(NUMBER)
    assert await customer.hear() == ["/music.mp3"]
    made = await stage.api.conferences("A").participants.create_async(NUMBER, "client:anna")
    await agent.answer()
    assert await agent.hear() == []
    assert customer.hears() == {"client:anna"}
    await stage.api.conferences("A").participants.create_async(
        NUMBER, "client:boss", coaching=True, call_sid_to_coach=made.call_sid
    )
    await boss.answer()
    await boss.hear()
    assert customer.hears() == {"client:anna"}
    assert agent.hears() == {CUSTOMER, "client:boss"}
    assert boss.hears() == {CUSTOMER, "client:anna"}
    (room,) = await stage.api.conferences.list_async(friendly_name="A")
    member = stage.api.conferences(room.sid).participants(customer.here.call.sid)
    assert (await member.update_async(hold=True, hold_url=stage.url("hold"))).hold
    await wait_for(lambda: [sound.text for sound in customer.here.sounds] == ["hold"])
    assert customer.hears() == set()
    assert agent.hears() == {"client:boss"}
    await member.update_async(hold=False)
    assert (await member.update_async(muted=True)).muted
    assert agent.hears() == {"client:boss"}
    await stage.api.conferences(room.sid).update_async(status="completed")
    for phone in (customer, agent, boss):
        await phone.hear()
        assert phone.here.state == "ended"
    await stage.voice.quiet()
    told = [form["StatusCallbackEvent"] for form in stage.script.forms("conference")]
    assert told == [
        "participant-join",
        "participant-join",
        "conference-start",
        "participant-join",
        "participant-hold",
        "participant-unhold",
        "participant-mute",
        *["participant-leave"] * 3,
        "conference-end",
    ]
    numbers = [int(form["SequenceNumber"]) for form in stage.script.forms("conference")]
    assert numbers == list(range(1, 12))
    last = stage.script.forms("conference")[-1]
    assert last["ReasonConferenceEnded"] == "conference-ended-via-api"
    assert stage.voice.errors == []


async def test_message_of_somebody_who_hangs_up_is_kept(stage: VoiceStage) -> None:
    record = '<Record action="step" recordingStatusCallback="recording" maxLength="60"/>'
    stage.script.documents = {"voice": [record]}
    phone = stage.phone()
    phone.dial(NUMBER)
    await phone.speak("折り返しお願いします")
    await phone.hang_up()
    await stage.voice.quiet()
    (told,) = stage.script.forms("recording")
    assert told["RecordingStatus"] == "completed"
    found = await stage.api.recordings(told["RecordingSid"]).fetch_async()
    assert found.call_sid == phone.here.call.sid


async def test_dialled_call_tells_how_it_goes(stage: VoiceStage) -> None:
    stage.script.documents = {"voice": ["<Say>hello</Say>"]}
    expert = stage.phone(EXPERT)
    made = await stage.api.calls.create_async(
        EXPERT,
        NUMBER,
        url=stage.url("voice"),
        status_callback=stage.url("status"),
        status_callback_event=["initiated", "ringing", "answered", "completed"],
    )
    await expert.answer()
    assert await expert.hear() == ["hello"]
    await stage.voice.quiet()
    told = [(form["CallStatus"], form["SequenceNumber"]) for form in stage.script.forms("status")]
    assert told == [("initiated", "0"), ("ringing", "1"), ("in-progress", "2"), ("completed", "3")]
    assert (await stage.api.calls(made.sid).fetch_async()).status == "completed"


async def test_busy_nobody_there_and_bridged(stage: VoiceStage) -> None:
    dial = f'<Dial action="step"><Number>{EXPERT}</Number></Dial>'
    stage.script.documents = {"voice": [dial], "step": ["<Hangup/>"]}
    customer = stage.phone()
    customer.dial(NUMBER)
    await customer.hear()
    expert = stage.phone(EXPERT)
    customer.dial(NUMBER)
    await expert.decline()
    await customer.hear()
    customer.dial(NUMBER)
    await expert.answer()
    await customer.hear()
    assert customer.here.state == "bridged"
    await expert.hang_up()
    await customer.hear()
    ends = [form["DialCallStatus"] for form in stage.script.forms("step")]
    assert ends == ["no-answer", "busy", "completed"]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ("<Speak>hi</Speak>", 12200),
        ('<Say loudness="3">hi</Say>', 12200),
        ("<Gather><Dial/></Gather>", 12200),
        ("<Say>hi", 12100),
    ],
)
async def test_document_that_is_no_twiml_ends_the_call(
    stage: VoiceStage, document: str, code: int
) -> None:
    stage.script.documents = {"voice": [document]}
    phone = stage.phone()
    phone.dial(NUMBER)
    (said,) = await phone.hear()
    assert "application error" in said
    assert [found for found, _ in stage.voice.errors] == [code]
    assert phone.here.call.status == "completed"


async def test_webhook_that_does_not_answer_with_twiml(stage: VoiceStage) -> None:
    phone = stage.phone()
    phone.dial(NUMBER)
    await phone.hear()
    assert [code for code, _ in stage.voice.errors] == [12300]


async def test_refusals_are_twilios(stage: VoiceStage) -> None:
    calls, url = stage.api.calls, stage.url("voice")
    phone = stage.phone()
    stage.script.documents = {"voice": ["<Hangup/>"]}
    phone.dial(NUMBER)
    await phone.hear()
    ended = phone.here.call.sid
    attempts = [
        (calls.create_async("0120", NUMBER, url=url), 400, 21211),
        (calls.create_async(EXPERT, "+15005550006", url=url), 400, 21210),
        (calls.create_async(EXPERT, NUMBER), 400, 21205),
        (calls.create_async(EXPERT, NUMBER, url="ftp://x"), 400, 20001),
        (calls(ended).update_async(twiml="<Response/>"), 400, 21220),
        (calls(new_sid("CA")).fetch_async(), 404, 20404),
        (stage.api.conferences("CF0").participants(ended).update_async(hold=True), 404, 20404),
        (
            stage.api.conferences("A").participants.create_async(NUMBER, EXPERT, coaching=True),
            400,
            13257,
        ),
    ]
    for attempt, status, code in attempts:
        with pytest.raises(TwilioRestException) as refused:
            await attempt
        assert (refused.value.status, refused.value.code) == (status, code)


async def test_callbacks_late_doubled_and_shuffled_by_seed(stage: VoiceStage) -> None:
    stage.script.documents = {"voice": [ROOM.format(name="A")], "wait": ["<Play>/m.mp3</Play>"]}
    orders = []
    for seed in (1, 1, 2):
        stage.script.came.clear()
        stage.answering(shuffled=True, doubled=True, seed=seed)
        phone = stage.phone()
        phone.dial(NUMBER)
        await phone.hear()
        assert stage.script.forms("conference") == []
        await phone.hang_up()
        await stage.voice.quiet()
        names = ("StatusCallbackEvent", "CallStatus")
        orders.append([form.get(names[0], form.get(names[1])) for _, form in stage.script.came[2:]])
    assert orders[0] == orders[1] != orders[2]
    assert sorted(map(str, orders[0])) == sorted(map(str, orders[2]))
    assert len(orders[0]) == 2 * 4


async def test_recordings_are_begun_paused_and_ended_as_twilio_lets(stage: VoiceStage) -> None:
    stage.script.documents = {"voice": ['<Gather action="step"><Say>a</Say></Gather>']}
    phone = stage.phone()
    phone.dial(NUMBER)
    await phone.hear()
    takes = stage.api.calls(phone.here.call.sid).recordings
    made = await takes.create_async(
        recording_status_callback=stage.url("take"), recording_status_callback_event=["completed"]
    )
    stage.clock.advance(5)
    await takes(made.sid).update_async(status="paused", pause_behavior="skip")
    stage.clock.advance(50)
    await takes(made.sid).update_async(status="in-progress")
    stage.clock.advance(2)
    with pytest.raises(TwilioRestException) as refused:
        await stage.api.recordings(made.sid).delete_async()
    assert refused.value.status == 409
    await takes(made.sid).update_async(status="stopped")
    await stage.voice.quiet()
    (told,) = stage.script.forms("take")
    assert (told["RecordingStatus"], told["RecordingDuration"]) == ("completed", "7")
    for status, code in (("paused", 21220), ("completed", 20001)):
        with pytest.raises(TwilioRestException) as refused:
            await takes(made.sid).update_async(status=status)
        assert refused.value.code == code
    await stage.api.recordings(made.sid).delete_async()
    await phone.hang_up()
    with pytest.raises(TwilioRestException) as refused:
        await takes.create_async()
    assert refused.value.code == 21220


async def test_star_leaves_a_conference_and_the_call_goes_on(stage: VoiceStage) -> None:
    dial = '<Dial action="left"{how}><Conference statusCallback="conference" '
    dial += 'statusCallbackEvent="leave">A</Conference></Dial>'
    stage.script.documents = {
        "voice": [dial.format(how=' hangupOnStar="true"'), dial.format(how="")],
        "left": ["<Say>here</Say><Hangup/>"],
    }
    phone = stage.phone()
    phone.dial(NUMBER)
    await phone.hear()
    await phone.press("*")
    assert await phone.hear() == ["here"]
    await stage.voice.quiet()
    (leave,) = stage.script.forms("conference")
    assert leave["ParticipantCallStatus"] == "in-progress"
    phone.dial(NUMBER)
    await phone.hear()
    await phone.press("*")
    assert phone.lost == ["*"]
    await phone.hang_up()
    await stage.voice.quiet()
    assert stage.script.forms("conference")[-1]["ParticipantCallStatus"] == "completed"
    assert stage.script.forms("left")[-1]["CallStatus"] == "completed"
