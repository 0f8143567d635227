"""Our connector and the official SDK against the fake: refusals, faults, settling, callbacks."""

from __future__ import annotations

import asyncio
import base64
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.base.exceptions import TwilioRestException
from twilio.rest import Client

from connectors.twilio_api import SdkTransport
from madoguchi.model.conversation import MessageState
from madoguchi.model.inbound import AuthFailed, Receipt, Rejected, RetryLater, UnknownOutcome
from tests.demo.stage import CUSTOMER, NUMBER, SERVICE, SID, TOKEN, Serve, Stage, standing
from tests.support.ports import free_port
from tests.support.waiting import wait_for

MESSAGES = f"/demo/twilio/2010-04-01/Accounts/{SID}/Messages.json"
GOOD = {"To": CUSTOMER, "From": NUMBER, "Body": "hello"}


def sdk(stage: Stage, token: str = TOKEN) -> Client:
    transport = SdkTransport(stage.http, f"{stage.base}/demo/twilio", 5.0)
    return Client(SID, token, http_client=transport)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def call(
    stage: Stage, method: str, path: str, fields: list[tuple[str, str]], auth: str | None = None
) -> tuple[int, Any]:
    headers = {"Authorization": basic(SID, TOKEN) if auth is None else auth}
    body = None
    if method == "POST":
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(fields)
    elif fields:
        path += "?" + urlencode(fields)
    url = stage.base + path
    async with stage.http.request(method, url, data=body, headers=headers) as answer:
        return answer.status, await answer.json()


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"to": "09055500187"}, 21211),
        ({"to": "+81 90 5550 0187"}, 21211),
        ({"to": "+0"}, 21211),
        ({"from_": "+815099999999"}, 21606),
        ({"from_": None}, 21603),
        ({"to": NUMBER}, 21266),
        ({"body": None}, 21602),
        ({"body": "あ" * 1601}, 21617),
        ({"status_callback": "/hooks/sms"}, 21609),
        ({"status_callback": "ftp://example.com/x"}, 21609),
        ({"status_callback": "http://a_b.example/x"}, 21609),
        ({"status_callback": "http://a.example:port/x"}, 21609),
        ({"from_": None, "messaging_service_sid": "MG" + "0" * 32}, 21701),
        ({"messaging_service_sid": "MG1"}, 20001),
        ({"validity_period": 36_001}, 20001),
        ({"content_retention": "burn"}, 20001),
        ({"smart_encoded": "perhaps"}, 20001),
        ({"media_url": ["cat.png"]}, 20001),
        ({"schedule_type": "fixed"}, 35111),
        ({"max_price": "cheap"}, 20001),
        ({"send_at": "tomorrow"}, 20001),
    ],
)
async def test_refuses_what_twilio_refuses(stage: Stage, change: dict[str, Any], code: int) -> None:
    fields: dict[str, Any] = {"to": CUSTOMER, "from_": NUMBER, "body": "hello"} | change
    wanted = {name: value for name, value in fields.items() if value is not None}
    with pytest.raises(TwilioRestException) as refused:
        await sdk(stage).messages.create_async(**wanted)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert not stage.twilio.messages
    assert stage.twilio.log[-1].detail == str(code)


async def test_refusals_that_the_sdk_cannot_provoke(stage: Stage) -> None:
    good = list(GOOD.items())
    assert (await call(stage, "POST", MESSAGES, good[1:]))[1]["code"] == 21604
    status, body = await call(stage, "POST", MESSAGES, [*good, ("Colour", "red")])
    assert status == 400
    assert body == {
        "code": 20001,
        "message": "Unknown parameter: Colour",
        "more_info": "https://www.twilio.com/docs/errors/20001",
        "status": 400,
    }
    assert (await call(stage, "POST", MESSAGES, [*good, good[0]]))[1]["code"] == 20001
    other = MESSAGES.replace(SID, "AC" + "0" * 32)
    assert (await call(stage, "POST", other, good))[0] == 404
    assert (await call(stage, "GET", "/demo/twilio/2010-04-01/Calls.json", []))[1]["code"] == 20404


@pytest.mark.parametrize(
    "auth", ["", "Bearer x", "Basic", "Basic !!", basic(SID, "x"), basic("x", TOKEN)]
)
async def test_refuses_wrong_authentication(stage: Stage, auth: str) -> None:
    status, body = await call(stage, "POST", MESSAGES, list(GOOD.items()), auth)
    assert (status, body["code"]) == (401, 20003)
    assert not stage.twilio.messages


async def test_connector_sends_and_callbacks_move_the_message(stage: Stage) -> None:
    outbound = stage.outbound("ご注文を承りました。☕")
    receipt = await stage.connector().send(outbound)
    assert receipt.state is MessageState.SENDING
    await stage.twilio.quiet()
    assert receipt.provider_id is not None
    sent = stage.twilio.messages[receipt.provider_id]
    assert (sent.body, sent.recipient, sent.status) == (outbound.text, CUSTOMER, "delivered")
    assert stage.statuses == ["queued", "sending", "sent", "delivered"]
    assert {e.lane for e in stage.hook.events} == {f"message:{outbound.message}"}
    fetched = await sdk(stage).messages(receipt.provider_id).fetch_async()
    assert (fetched.status, fetched.date_sent) == ("delivered", stage.clock.now())


async def test_messaging_service_chooses_the_number(stage: Stage) -> None:
    await stage.connector(messaging_service_sid=SERVICE).send(stage.outbound("x"))
    await stage.twilio.quiet()
    (made,) = stage.twilio.messages.values()
    assert (made.sender, made.service) == (NUMBER, SERVICE)
    assert b"MessagingServiceSid" in stage.hook.calls[0][1]


@pytest.mark.parametrize(
    ("modes", "error"),
    [
        ({"answer": "400", "code": 21612}, Rejected),
        ({"answer": "500"}, UnknownOutcome),
        ({"answer": "garbage"}, UnknownOutcome),
        ({"answer": "cut"}, UnknownOutcome),
        ({"answer": "cut", "taken": False}, UnknownOutcome),
        ({"answer": "429", "retry_after_s": None}, RetryLater),
    ],
)
async def test_faults_have_one_meaning_each(
    stage: Stage, modes: dict[str, Any], error: type[Exception]
) -> None:
    stage.answering(**modes)
    with pytest.raises(error):
        await stage.connector().send(stage.outbound("x"))
    sends = [e for e in stage.twilio.log if e.what == "send"]
    assert len(sends) == 1, "a request was repeated: two SMS"
    taken = error is UnknownOutcome and modes.get("taken", True)
    assert len(stage.twilio.messages) == int(taken)


async def test_no_answer_at_all_is_an_unknown_outcome(stage: Stage) -> None:
    stage.answering(answer="hang")
    with pytest.raises(UnknownOutcome):
        await stage.connector(timeout_s=0.05).send(stage.outbound("x"))
    assert len(stage.twilio.messages) == 1


async def test_hanging_requests_are_let_go_by_a_new_mode(stage: Stage) -> None:
    stage.answering(answer="hang")
    sending = asyncio.create_task(stage.connector().send(stage.outbound("x")))
    await wait_for(lambda: stage.twilio.log or None, "the request")
    stage.answering()
    with pytest.raises(UnknownOutcome):
        await sending


async def test_busy_says_when_to_come_back_and_once_means_once(stage: Stage) -> None:
    stage.answering(answer="429", retry_after_s=7, once=True)
    outbound = stage.outbound("x")
    with pytest.raises(RetryLater) as later:
        await stage.connector().send(outbound)
    assert later.value.after_s == 7
    assert (await stage.connector().send(outbound)).provider_id in stage.twilio.messages


async def test_wrong_token_and_nobody_there(stage: Stage) -> None:
    with pytest.raises(AuthFailed, match="20003"):
        await stage.connector(auth_token="wrong").send(stage.outbound("x"))
    nobody = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(RetryLater):
        await stage.connector(api_base=nobody).send(stage.outbound("x"))


async def test_customer_who_opted_out_gets_nothing_until_start(stage: Stage) -> None:
    assert await stage.twilio.receive(CUSTOMER, " stop ") == 204
    with pytest.raises(Rejected, match="21610"):
        await stage.connector().send(stage.outbound("x"))
    await stage.twilio.receive(CUSTOMER, "START")
    assert isinstance(await stage.connector().send(stage.outbound("x")), Receipt)


async def test_settle_finds_what_was_taken(stage: Stage) -> None:
    stage.answering(answer="cut")
    outbound = stage.outbound("これは届きます")
    with pytest.raises(UnknownOutcome):
        await stage.connector().send(outbound)
    await stage.twilio.quiet()
    found = await stage.connector().settle(outbound)
    (made,) = stage.twilio.messages.values()
    assert found == Receipt(made.sid, MessageState.DELIVERED)


async def test_settle_finds_nothing_where_nothing_was_taken(stage: Stage) -> None:
    earlier = stage.outbound("同じ文面")
    await stage.connector().send(earlier)
    await stage.twilio.quiet()
    stage.clock.advance(3600)
    stage.answering(answer="500", taken=False)
    outbound = stage.outbound("同じ文面")
    with pytest.raises(UnknownOutcome):
        await stage.connector().send(outbound)
    assert await stage.connector().settle(outbound) is None, "an older SMS was taken for this one"


async def test_settle_does_not_guess(stage: Stage) -> None:
    connector, outbound = stage.connector(), stage.outbound("twice")
    await connector.send(outbound)
    await connector.send(outbound)
    await stage.twilio.quiet()
    assert await connector.settle(outbound) is None
    assert await stage.connector(auth_token="wrong").settle(outbound) is None
    nobody = f"http://127.0.0.1:{free_port()}"
    assert await stage.connector(api_base=nobody).settle(outbound) is None


async def test_settle_knows_nothing_before_the_message_is_sent(stage: Stage) -> None:
    stage.gate.clear()
    outbound = stage.outbound("on its way")
    await stage.connector().send(outbound)
    assert await stage.connector().settle(outbound) is None
    stage.gate.set()
    await stage.twilio.quiet()
    assert await stage.connector().settle(outbound) is not None


async def test_list_filters_and_pages(stage: Stage) -> None:
    for number in range(5):
        await stage.connector().send(stage.outbound(f"text {number}"))
    await stage.connector().send(stage.outbound("other", "+818055500142"))
    await stage.twilio.quiet()
    found = await sdk(stage).messages.list_async(to=CUSTOMER, from_=NUMBER, page_size=2, limit=9)
    assert [m.body for m in found] == [f"text {n}" for n in (4, 3, 2, 1, 0)]
    day = stage.clock.now().date()
    assert len(await sdk(stage).messages.list_async(date_sent=day)) == 6
    assert await sdk(stage).messages.list_async(date_sent_before="2026-11-21") == []
    for wrong in (("DateSent>", "soon"), ("PageSize", "0"), ("Color", "red"), ("Page", "99")):
        assert (await call(stage, "GET", MESSAGES, [wrong]))[0] == 400


async def test_journal_outlives_a_restart(aiohttp_server: Serve, tmp_path: Path) -> None:
    journal = tmp_path / "twilio.jsonl"
    async with standing(aiohttp_server, journal) as before:
        before.gate.clear()
        receipt = await before.connector().send(before.outbound("unfinished"))
        await before.twilio.receive(CUSTOMER, "STOP")
    with journal.open("ab") as file:
        file.write(b'{"sid": "SM')
    async with standing(aiohttp_server, journal) as after:
        after.twilio.resume()
        await after.twilio.quiet()
        sid = receipt.provider_id or ""
        assert after.twilio.messages[sid].status == "delivered"
        assert after.twilio.stopped == {CUSTOMER}
