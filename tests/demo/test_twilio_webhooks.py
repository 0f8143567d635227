"""What the fake posts to us: signatures, callbacks late, doubled and shuffled, any content."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_from_bytes

import aiohttp
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from connectors.base import HookRequest, Refused
from madoguchi.clock import ManualClock
from madoguchi.demo.twilio_message import signed
from madoguchi.model.conversation import MessageState
from madoguchi.model.inbound import InboundMessage, InboundReceipt
from madoguchi.model.people import Address, Scheme
from tests.demo.stage import CUSTOMER, NUMBER, SID, TOKEN, Stage, connector
from tests.support.ports import free_port

BASE = "https://desk.example.jp"
URL = f"{BASE}/hooks/sms"
FORM = [
    ("MessageSid", "SM" + "7" * 32),
    ("AccountSid", SID),
    ("From", CUSTOMER),
    ("To", NUMBER),
    ("NumMedia", "0"),
]


def request(signature: str, url: str = URL) -> HookRequest:
    return HookRequest("POST", url, "", {"X-Twilio-Signature": signature}, {})


async def test_customer_writes(stage: Stage) -> None:
    media = [("https://api.twilio.com/media/1", "image/jpeg")]
    assert await stage.twilio.receive(CUSTOMER, "豆が届きません", media) == 204
    (event,) = stage.hook.events
    assert event.lane == f"sender:{CUSTOMER}"
    (found,) = stage.connector().parse(event)
    assert isinstance(found, InboundMessage)
    assert found.sender == Address(Scheme.PHONE, CUSTOMER)
    assert found.verified
    assert [p["type"] for p in found.parts] == ["text", "file"]
    assert found.parts[1]["media_type"] == "image/jpeg"
    assert stage.twilio.thread(CUSTOMER)[0].hook == 204


@pytest.mark.parametrize(
    ("answers", "result", "calls"), [([500], 204, 2), ([500, 502], 502, 2), ([403], 403, 1)]
)
async def test_failing_webhook_is_called_once_more(
    stage: Stage, answers: list[int], result: int, calls: int
) -> None:
    stage.hook.answers = answers
    assert await stage.twilio.receive(CUSTOMER, "x") == result
    assert len(stage.hook.calls) == calls
    assert len({body for _, body in stage.hook.calls}) == 1


async def test_unreachable_webhook(stage: Stage) -> None:
    stage.twilio.webhook = f"http://127.0.0.1:{free_port()}/hooks/sms"
    assert await stage.twilio.receive(CUSTOMER, "x") is None
    assert [(e.what, e.status) for e in stage.twilio.log] == [("webhook", None)] * 2
    assert stage.twilio.thread(CUSTOMER)[0].hook == 0


@pytest.mark.parametrize(
    ("modes", "told"),
    [
        ({}, ["queued", "sending", "sent", "delivered"]),
        ({"outcome": "undelivered"}, ["queued", "sending", "sent", "undelivered"]),
        ({"outcome": "failed"}, ["queued", "sending", "failed"]),
        ({"callbacks": False}, []),
        ({"shuffled": True}, ["sending", "delivered", "sent", "queued"]),
        ({"outcome": "failed", "doubled": True}, ["queued"] * 2 + ["sending"] * 2 + ["failed"] * 2),
    ],
)
async def test_callbacks_on_demand(stage: Stage, modes: dict[str, Any], told: list[str]) -> None:
    stage.answering(**modes)
    await stage.connector().send(stage.outbound("x"))
    await stage.twilio.quiet()
    assert stage.statuses == told
    answered = [(e.detail, e.status) for e in stage.twilio.log if e.what == "callback"]
    assert answered == [(status, 204) for status in told]


async def test_late_callbacks_come_after_the_last_status(stage: Stage) -> None:
    stage.answering(late_s=30)
    outbound = stage.outbound("x")
    await stage.connector().send(outbound)
    await stage.twilio.quiet()
    assert stage.waits[-1] == 30
    assert len(stage.statuses) == 4


async def test_receipts_say_our_message_and_the_reason(stage: Stage) -> None:
    stage.answering(outcome="undelivered", shuffled=True, doubled=True)
    outbound = stage.outbound("x")
    receipt = await stage.connector().send(outbound)
    await stage.twilio.quiet()
    found = [one for event in stage.hook.events for one in stage.connector().parse(event)]
    assert len({e.event_id for e in stage.hook.events}) == 4
    assert all(
        isinstance(r, InboundReceipt)
        and (r.message, r.provider_id) == (outbound.message, receipt.provider_id)
        for r in found
    )
    failed = [r for r in found if isinstance(r, InboundReceipt) and r.state is MessageState.FAILED]
    assert [r.reason for r in failed] == ["invalid_recipient: Twilio 30005"] * 2


async def test_altered_callbacks_are_refused(stage: Stage) -> None:
    await stage.connector().send(stage.outbound("x"))
    await stage.twilio.quiet()
    hook, body = stage.hook.calls[0]
    ours = stage.connector()
    altered = HookRequest(hook.method, hook.url + "x", hook.tail, hook.headers, hook.query)
    for call, content in (
        (hook, body.replace(b"queued", b"delivered")),
        (hook, body + b"&ErrorCode=30001"),
        (altered, body),
    ):
        with pytest.raises(Refused):
            ours.verify(call, content)
    with pytest.raises(Refused):
        stage.connector(auth_token="another").verify(hook, body)
    assert ours.verify(hook, body)


async def test_both_tokens_hold_while_one_is_rotated(stage: Stage) -> None:
    stage.hook.connector = stage.connector(auth_token="new", previous_auth_token=TOKEN)
    assert await stage.twilio.receive(CUSTOMER, "signed with the old token") == 204
    stage.twilio.token = "new"
    assert await stage.twilio.receive(CUSTOMER, "signed with the new token") == 204
    stage.twilio.token = "stolen"
    assert await stage.twilio.receive(CUSTOMER, "signed with neither") == 403


async def test_signatures(stage: Stage) -> None:
    ours = connector(stage.http, stage.clock, BASE)
    body, signature = signed(TOKEN, URL, [*FORM, ("Body", "a"), ("Body", "b")])
    assert ours.verify(request(signature), body)
    for wrong in ("", "é", signature[:-2] + "A=", signature.lower()):
        with pytest.raises(Refused):
            ours.verify(request(wrong), body)
    for altered in (body.replace(b"&Body=b", b""), body + b"&Body=c", body + b"&Extra=", b""):
        with pytest.raises(Refused):
            ours.verify(request(signature), altered)
    with pytest.raises(Refused):
        ours.verify(request(signature, URL.replace("https", "http")), body)
    for form in (FORM[2:], [*FORM[:1], ("AccountSid", "AC" + "0" * 32), *FORM[2:]]):
        body, signature = signed(TOKEN, URL, form)
        with pytest.raises(Refused):
            ours.verify(request(signature), body)
    body, signature = signed(TOKEN, f"{BASE}:443/hooks/sms", FORM)
    assert ours.verify(request(signature), body), "Twilio may sign the port"


async def test_any_content_is_kept() -> None:
    async with aiohttp.ClientSession() as http:
        ours = connector(http, ManualClock(), BASE)

        def parsed(body: bytes, signature: str) -> str:
            (event,) = ours.verify(request(signature), body)
            (found,) = ours.parse(event)
            assert isinstance(found, InboundMessage)
            text = found.parts[0]["text"]
            text.encode()
            assert "\x00" not in text
            return str(text)

        @settings(max_examples=150, deadline=None)
        @given(st.text(st.characters(), max_size=1600))
        @example("☕" * 1600)
        @example("👨‍👩‍👧 &=+%;\r\n\x00")
        @example("\ud83d alone \udc00")
        def any_text(text: str) -> None:
            found = parsed(*signed(TOKEN, URL, [*FORM, ("Body", text)]))
            whole = text.replace("\x00", "\ufffd")
            if not any("\ud800" <= c <= "\udfff" for c in whole):
                assert found == whole

        @settings(max_examples=100, deadline=None)
        @given(st.binary(max_size=300))
        @example(b"\xed\xa0\x80\xff\x00")
        def any_bytes(content: bytes) -> None:
            plain = content.decode("utf-8", "replace")
            body, signature = signed(TOKEN, URL, [*FORM, ("Body", plain)])
            head = body.rpartition(b"&Body=")[0]
            parsed(head + b"&Body=" + quote_from_bytes(content).encode(), signature)

        any_text()
        any_bytes()
