"""Calls by telephone through a whole hub: the flow, the line, the agent, whatever order."""

from __future__ import annotations

from pathlib import Path

import pytest

from madoguchi.conversations.tables import conversation, message, work_item
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from madoguchi.store.tables import inbox, job, outbox
from tests.hub.test_opening_hours import rows
from tests.support.hubs import NUMBER
from tests.support.telephones import Telephones, leg_of, telephones
from tests.support.waiting import wait_for

CUSTOMER = "+819055500187"
CUT = '</Say><Dial><Number>+81311112222</Number></Dial><Say>"&'
FLOW = f"""
[flow.main]
name = "代表電話"
start = "what"
[flow.main.steps.what]
do = "menu"
text = '''{CUT} ご返品は1、伝言は2、折り返しは3を押してください。'''
name = "topic"
choices = [
    {{ key = "1", to = "returns", value = "returns", phrases = ["返品"] }},
    {{ key = "2", to = "message" }},
    {{ key = "3", to = "callback" }},
    {{ key = "4", to = "chat" }},
]
otherwise = "returns"
[flow.main.steps.returns]
do = "queue"
text = "おつなぎします。"
queue = "returns"
[flow.main.steps.message]
do = "voicemail"
text = "メッセージをどうぞ。"
queue = "returns"
[flow.main.steps.callback]
do = "callback"
queue = "returns"
otherwise = "returns"
[flow.main.steps.chat]
do = "message"
text = "リンクをお送りします。"
sms = "続きはこちら {{link}}"
otherwise = "returns"
[account.phone]
flow = "main"
"""


async def test_menu_then_queue_then_agent_until_they_hang_up(tmp_path: Path, database: str) -> None:
    async with telephones(tmp_path, FLOW, database=database) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER, name="サトウ ミサキ")
        (menu,) = await phone.hear()
        assert menu.startswith(CUT)
        await phone.press("1")
        heard = await phone.hear()
        assert heard[0] == "おつなぎします。"
        assert len(heard) == 3
        id = await center.call_of(line)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        softphone = await center.join(ann, desk, line)
        assert phone.hears() == {softphone.address}
        answers = desk.of("call", id)["answers"]
        assert answers == [{"step": "what", "name": "topic", "value": "returns"}]
        assert desk.of("call", id)["by"] == "phone"
        await desk.until(lambda s: s.of("call", id)["state"] == "talking", "they talk")
        assert [room.name for room in center.voice.rooms.all.values()] == [id]
        await phone.hang_up()
        assert await over(center) == ["ended"]
        shown = await ann.call("GET", f"/calls/{id}")
        assert (shown["state"], shown["why"]) == ("ended", "hung_up")
        assert (await softphone.hear(), softphone.here.state) == ([], "ended")
        (matter,) = await rows(center.here, conversation)
        assert (matter["queue"], matter["channel"]) == ("returns", "voice")
        assert center.voice.errors == []


@pytest.mark.parametrize("seed", range(6))
async def test_callbacks_shuffled_and_doubled_come_to_the_same_call(
    tmp_path: Path, seed: int
) -> None:
    async with telephones(tmp_path, FLOW) as center:
        center.answering(shuffled=True, doubled=True, seed=seed)
        ann = await center.here.person("ann")
        desk = await ann.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        await phone.press("1")
        await phone.hear()
        id = await center.call_of(line)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        center.here.hub.clock.advance(5)  # type: ignore[attr-defined]
        softphone = await center.join(ann, desk, line)
        center.here.hub.clock.advance(5)  # type: ignore[attr-defined]
        await phone.hang_up()
        await softphone.hear()
        await center.voice.quiet()
        assert await over(center) == ["ended"]
        shown = await ann.call("GET", f"/calls/{id}")
        assert shown["why"] == "hung_up"
        assert [leg["party"] for leg in shown["legs"]] == ["customer", "agent"]
        assert len(await center.calls()) == 1
        ids = [row["event_id"] for row in await rows(center.here, inbox)]
        assert len(ids) == len(set(ids))


async def test_webhook_that_is_sent_again_is_answered_the_same(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        form = {"CallSid": "CA" + "7" * 32, "From": CUSTOMER, "To": NUMBER, "CallStatus": "ringing"}
        post, url = center.voice.post, center.voice.url
        first = await post.fetch(url, list(form.items()), "POST")
        await center.here.configure(FLOW.replace("ご返品は", "変わりました。ご返品は"))
        second = await post.fetch(url, list(form.items()), "POST")
        assert first.status == second.status == 200
        assert first.text == second.text
        other = await post.fetch(url, [*(form | {"CallSid": "CA" + "8" * 32}).items()], "POST")
        assert "変わりました" in other.text


async def test_message_after_the_tone_waits_for_an_agent(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("2")
        assert await phone.hear() == ["メッセージをどうぞ。"]
        await phone.speak("折り返しお願いします")
        await phone.press("#")
        assert await phone.hear() == [
            "メッセージをお預かりしました。お電話ありがとうございました。"
        ]
        (told,) = await waiting(center, 1)
        assert (told["kind"], told["queue"]) == ("text", "returns")
        (recording,) = center.voice.recordings.values()
        file = await fetched(center)
        ann = await center.here.person("ann")
        assert ann.http is not None
        async with ann.http.get(f"{center.here.url}/api/v1/files/{file['file']}") as answer:
            assert await answer.read() == recording.sound()
        assert center.voice.errors == []


async def fetched(center: Telephones) -> dict[str, object]:
    """Return the part of a message that is a file of ours, once it is there."""

    async def there() -> dict[str, object]:
        parts = [p for row in await rows(center.here, message) for p in row["parts"]]
        return next((p for p in parts if p["type"] == "file" and "url" not in p), {})

    return await wait_for(there, "the file is ours")


async def test_message_that_is_not_given_at_once_is_fetched_later(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("2")
        await phone.hear()
        center.answering(answer="500", once=True)
        await phone.speak("折り返しお願いします")
        await phone.press("#")
        await waiting(center, 1)
        await wait_for(lambda: failed(center), "a first try in vain")
        center.here.hub.clock.advance(2)  # type: ignore[attr-defined]
        assert (await fetched(center))["size"]


async def failed(center: Telephones) -> bool:
    """Tell whether a job waits for another try."""
    return any(row["attempts"] for row in await rows(center.here, job))


async def test_message_that_is_too_large_is_lost(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        center.here.hub.files.limit = 1000
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("2")
        await phone.hear()
        await phone.speak("折り返しお願いします")
        await phone.press("#")
        found = await fetched(center)
        assert (found["lost"], "file" in found) == (True, False)


async def test_callback_that_was_asked_for_waits_for_an_agent(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        await phone.press("3")
        await phone.hear()
        await phone.press("1")
        (noted,) = await phone.hear()
        assert "0 9 0 5 5 5 0 0 1 8 7" in noted
        assert line.state == "ended"
        (told,) = await waiting(center, 1)
        assert told["queue"] == "returns"
        texts = [p.get("text", "") for r in await rows(center.here, message) for p in r["parts"]]
        assert any("090-5550-0187" in text for text in texts)
        (call,) = await center.calls()
        assert (call["state"], call["item"]) == ("ended", None)


async def test_link_to_the_chat_comes_once_by_text_message(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        await center.here.configure('[account.phone.settings]\nchat_url = "https://shop.example"')
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("4")
        assert await phone.hear() == ["リンクをお送りします。"]
        (sms,) = await wait_for(lambda: center.twilio.thread(CUSTOMER), "a text message")
        assert sms.body == "続きはこちら https://shop.example"
        assert phone.here.state == "ended"


async def test_link_that_is_not_taken_at_once_comes_later(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        center.answering(answer="429", retry_after_s=7, once=True)
        await phone.press("4")
        await phone.hear()

        async def put_off() -> bool:
            return any(row["error"] for row in await rows(center.here, outbox))

        await wait_for(put_off, "a first try in vain")
        assert not center.twilio.thread(CUSTOMER)
        center.here.hub.clock.advance(7)  # type: ignore[attr-defined]
        (sms,) = await wait_for(lambda: center.twilio.thread(CUSTOMER), "a text message")
        assert sms.body.startswith("続きはこちら ")

        async def delivered() -> bool:
            found = await rows(center.here, message)
            return [r["state"] for r in found if r["channel"] == "sms"] == ["delivered"]

        await wait_for(delivered, "its delivery is told")


async def test_who_hangs_up_in_the_menu_leaves_nothing_open(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.hang_up()
        assert await over(center) == ["ended"]
        (matter,) = await rows(center.here, conversation)
        assert matter["state"] == "closed"
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("1")
        await phone.hear()
        await waiting(center, 1)
        (matter,) = await rows(center.here, conversation)
        assert matter["state"] == "open"


@pytest.mark.parametrize("shown", ["anonymous", "+266696687", "Restricted", "", "sip:bob@x"])
async def test_withheld_callers_are_somebody_new_each_time(tmp_path: Path, shown: str) -> None:
    async with telephones(tmp_path, FLOW) as center:
        for _ in range(2):
            phone = center.phone(CUSTOMER)
            phone.dial(NUMBER, shown)
            await phone.hear()
            await phone.press("1")
            await phone.hear()
        await waiting(center, 2)
        matters = await rows(center.here, conversation)
        assert len({matter["identity"] for matter in matters}) == 2
        assert center.voice.errors == []


async def over(center: Telephones) -> list[object]:
    """Return the states of all calls once none goes on."""

    async def ended() -> list[object]:
        states = [row["state"] for row in await center.calls()]
        return states if set(states) == {"ended"} else []

    return await wait_for(ended, "no call goes on")


async def waiting(center: Telephones, count: int) -> list[dict[str, object]]:
    """Return the work items once there are so many."""

    async def there() -> list[dict[str, object]]:
        found = [dict(row) for row in await rows(center.here, work_item)]
        return found if len(found) == count else []

    return await wait_for(there, f"{count} items")


async def test_controls_hold_mute_coach_ring_let_go_and_end(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        ann = await center.here.person("ann")
        desk = await ann.available()
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        id = await center.call_of(line)
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await ann.call("POST", f"/offers/{offer['id']}/accept")
        softphone = await center.join(ann, desk, line)
        mine = leg_of(desk, id, ann.id)["id"]
        controls = center.connector.controls
        await controls.hold(id, "customer")
        assert phone.hears() == softphone.hears() == set()
        await wait_for(lambda: line.sounds, "music")
        await controls.resume(id, "customer")
        assert phone.hears() == {softphone.address}
        await controls.mute(id, mine, muted=True)
        assert phone.hears() == set()
        await controls.mute(id, mine, muted=False)
        expert = center.phone("+81312340000")
        await controls.ring(id, line.call.sid, CUSTOMER, "expert-leg", expert.address)
        await expert.answer()
        await expert.hear()
        assert expert.hears() == {CUSTOMER, softphone.address}
        await controls.coach(id, "expert-leg", mine)
        assert phone.hears() == {softphone.address}
        assert expert.address in softphone.hears()
        await controls.coach(id, "expert-leg", None)
        assert expert.address in phone.hears()
        for _ in range(2):
            await controls.let_go(id, "expert-leg")
        await expert.hear()
        assert expert.here.state == "ended"
        for _ in range(2):
            await controls.end(id)
        await phone.hear()
        assert softphone.here.state == "ended"
        # The call itself goes on as long as the hub does not end it.
        assert line.state == "conference"
        await phone.hang_up()
        assert await over(center) == ["ended"]
        assert center.voice.errors == []


@pytest.mark.parametrize(
    ("modes", "failure"),
    [
        ({"answer": "429", "retry_after_s": 7}, RetryLater),
        ({"answer": "500"}, UnknownOutcome),
        ({"answer": "cut"}, UnknownOutcome),
        ({"answer": "garbage"}, UnknownOutcome),
        ({"answer": "400"}, Rejected),
    ],
)
async def test_failures_during_hold_are_typed(
    tmp_path: Path, modes: dict[str, object], failure: type[Exception]
) -> None:
    async with telephones(tmp_path) as center:
        phone = center.phone(CUSTOMER)
        line = phone.dial(NUMBER)
        await phone.hear()
        id = await center.call_of(line)
        controls = center.connector.controls
        center.answering(**modes, once=True)
        with pytest.raises(failure) as failed:
            await controls.hold(id, "customer")
        if isinstance(failed.value, RetryLater):
            assert failed.value.after_s == 7
        await controls.hold(id, "customer")
        await center.here.configure('[account.phone.settings]\nauth_token = "another"')
        with pytest.raises(AuthFailed):
            await center.connector.controls.resume(id, "customer")
