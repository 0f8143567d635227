"""One line through all rooms: signed SMS, offer, accept, reply, Twilio's API, receipts."""

from __future__ import annotations

from pathlib import Path

from tests.support.hubs import NUMBER, SID, SilentTwilio, hub_running
from tests.support.waiting import wait_for


async def test_an_sms_reaches_an_agent_and_the_reply_reaches_twilio(
    tmp_path: Path, database: str
) -> None:
    twilio = SilentTwilio()
    async with hub_running(tmp_path, database=database, twilio=twilio) as here:
        ann = await here.person("ann")
        desk = await ann.available()
        assert await here.sms("+819055500187", "届きますか？") == 204

        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        assert offer["preview"] == "届きますか？"
        assert offer["customer"]["identities"][0] == {
            "scheme": "phone",
            "value": "+819055500187",
            "verified": True,
        }
        done = await ann.call("POST", f"/offers/{offer['id']}/accept")
        conversation = done["conversation"]
        await desk.until(
            lambda s: s.of("conversation", conversation).get("owner") == ann.id, "owned"
        )
        assert await desk.client.call(
            "open", {"conversation": conversation}, namespace="/agent"
        ) == {"ok": True, "conversations": [conversation]}

        sent = await ann.call(
            "POST",
            f"/conversations/{conversation}/messages",
            {"mode": "reply", "text": "本日お届けします。"},
        )
        await wait_for(lambda: twilio.got, "Twilio got it")
        assert twilio.got[0]["Body"] == "本日お届けします。"
        assert twilio.got[0]["To"] == "+819055500187"
        assert twilio.got[0]["From"] == NUMBER
        callback = twilio.got[0]["StatusCallback"]
        await desk.until(lambda s: s.of("message", sent["id"]).get("state") == "sending", "sending")

        path = callback.removeprefix(here.url)
        fields = {"MessageSid": f"SM{1:032x}", "AccountSid": SID, "MessageStatus": "delivered"}
        assert await here.hook(path, fields) == 204
        await desk.until(
            lambda s: s.of("message", sent["id"]).get("state") == "delivered", "delivered"
        )
        timeline = await ann.call("GET", f"/conversations/{conversation}/timeline")
        assert [e["author"] for e in timeline["entries"]] == ["customer", "agent"]

        assert await here.sms("+819055500187", "ありがとう") == 204
        together = ["conversation.changed", "message.received"]
        await desk.until(lambda s: together in s.packets, "one packet for what happened together")
        status, problem = await ann.raw(
            "POST", f"/conversations/{conversation}/end", {"inbound_seq": 1}
        )
        assert (status, problem["code"]) == (409, "newer_inbound")
        await ann.call("POST", f"/conversations/{conversation}/end", {"inbound_seq": 2})
        status, problem = await ann.raw("POST", f"/conversations/{conversation}/wrap-up", {})
        assert (status, problem["code"]) == (422, "code_needed")
        await ann.call("POST", f"/conversations/{conversation}/wrap-up", {"code": "solved"})
        await desk.until(
            lambda s: s.of("conversation", conversation).get("state") == "closed", "closed"
        )
        assert desk.holes == 0
