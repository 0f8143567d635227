"""Replies to another address of the customer: by which account, and where the answer lands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import select

from connectors.web_chat import sign_identity
from madoguchi.store.tables import outbox
from madoguchi.store.work import Work
from tests.hub.test_chat import accepted
from tests.support.hubs import NUMBER, Person, Running, SilentTwilio, Stream, Widget, hub_running
from tests.support.waiting import wait_for

PHONE = "+819055500187"


class Scene:
    """Ann talks by chat with a customer whose telephone is known."""

    def __init__(self, here: Running, provider: SilentTwilio) -> None:
        self.here = here
        self.provider = provider
        self.ann: Person
        self.desk: Stream
        self.widget: Widget
        self.conversation = ""

    async def begin(self) -> None:
        """Let the signed-in visitor write and Ann accept."""
        self.widget = await Widget(self.here).start()
        now = self.here.hub.clock.now().isoformat()
        claim = {"id": "C-7", "name": "Sato", "phone": PHONE, "mail": "", "issued_at": now}
        signature = sign_identity("shop-secret", "C-7", "Sato", PHONE, "", now)
        signed = {**claim, "signature": signature}
        assert (await self.widget.call("identify", signed))["ok"]
        self.ann = await self.here.person("ann")
        self.desk = await self.ann.available()
        await self.widget.send("きょう届きますか？")
        self.conversation = await accepted(self.ann, self.desk)

    def account(self, key: str) -> str:
        """Return an account's id."""
        return self.here.hub.configuration.catalog.accounts[key].id

    async def identity(self, scheme: str) -> str:
        """Return the customer's identity of a scheme."""
        shown = await self.ann.call("GET", f"/conversations/{self.conversation}")
        customer = await self.ann.call("GET", f"/customers/{shown['customer']['id']}")
        return str(next(i["id"] for i in customer["identities"] if i["scheme"] == scheme))

    async def say(self, text: str, **more: Any) -> tuple[int, dict[str, Any]]:
        """Reply as Ann."""
        path = f"/conversations/{self.conversation}/messages"
        status, answer = await self.ann.raw("POST", path, {"mode": "reply", "text": text, **more})
        return status, dict(answer)

    async def by_sms(self) -> dict[str, str]:
        """Return the customer's telephone as a reply's address."""
        return {"identity": await self.identity("phone"), "account": self.account("sms")}


async def set_scene(here: Running, provider: SilentTwilio) -> Scene:
    """Begin."""
    scene = Scene(here, provider)
    await scene.begin()
    return scene


async def test_a_reply_goes_by_the_chosen_account_once_and_stays_in_the_conversation(
    tmp_path: Path, database: str
) -> None:
    provider = SilentTwilio()
    async with hub_running(tmp_path, database=database, twilio=provider) as here:
        scene = await set_scene(here, provider)
        id, to = here.hub.clock.new_id(), await scene.by_sms()
        first = await scene.say("SMS でお送りします。", id=id, to=to)
        status, message = await scene.say("SMS でお送りします。", id=id, to=to)
        assert (first[0], status) == (201, 201)
        assert message["conversation"] == scene.conversation
        assert (message["channel"], message["account"]) == ("sms", scene.account("sms"))
        assert message["identity"] == to["identity"]
        await wait_for(lambda: provider.got, "the SMS")
        assert [(g["To"], g["From"], g["Body"]) for g in provider.got] == [
            (PHONE, NUMBER, "SMS でお送りします。")
        ]
        await scene.desk.until(lambda s: s.of("message", id).get("state") == "sending", "sent")
        shown = await scene.ann.call("GET", f"/conversations/{scene.conversation}")
        assert (shown["state"], shown["preview"]) == ("waiting_customer", "SMS でお送りします。")

        await scene.say("チャットにもお返事します。")
        await wait_for(lambda: len(scene.widget.messages()) == 2, "the chat's own reply")
        texts = [m["parts"][0]["text"] for m in scene.widget.messages()]
        assert texts == ["きょう届きますか？", "チャットにもお返事します。"]
        fresh = await Widget(here).start()
        fresh.token = scene.widget.token
        await scene.widget.close()
        await fresh.close()
        again = Widget(here)
        again.token = scene.widget.token
        await again.start()
        assert [m["parts"][0]["text"] for m in again.messages()] == texts
        now = here.hub.clock.now().isoformat()
        await again.call("seen", {"delivered": [id], "read_to": now})
        await scene.desk.until(
            lambda s: any(m["state"] == "read" for m in s.all("message")), "the chat's is read"
        )
        assert scene.desk.of("message", id)["state"] == "sending"
        await again.close()


async def test_the_answer_comes_into_the_thread_of_its_address_to_the_same_agent(
    tmp_path: Path, database: str
) -> None:
    provider = SilentTwilio()
    async with hub_running(tmp_path, database=database, twilio=provider) as here:
        scene = await set_scene(here, provider)
        await (await here.person("ben")).available()
        await scene.say("SMS でお送りします。", to=await scene.by_sms())
        await here.sms(PHONE, "受け取りました。")
        other = await accepted(scene.ann, scene.desk)
        assert other != scene.conversation
        views = [
            await scene.ann.call("GET", f"/conversations/{id}")
            for id in (scene.conversation, other)
        ]
        assert [v["channel"] for v in views] == ["chat", "sms"]
        assert views[0]["customer"] == views[1]["customer"]
        entries = (await scene.ann.call("GET", f"/conversations/{other}/timeline"))["entries"]
        assert [e["parts"][0]["text"] for e in entries] == [
            "きょう届きますか？",
            "SMS でお送りします。",
            "受け取りました。",
        ]
        await scene.widget.close()


async def test_what_is_not_known_to_be_theirs_or_cannot_be_reached_is_refused(
    tmp_path: Path, database: str
) -> None:
    provider = SilentTwilio()
    async with hub_running(tmp_path, database=database, twilio=provider) as here:
        scene = await set_scene(here, provider)
        phone, visitor = await scene.identity("phone"), await scene.identity("visitor")
        sms, chat = scene.account("sms"), scene.account("shop")
        await here.sms("+819055500199", "somebody else")
        stranger = await scene.desk.until(
            lambda s: next((c for c in s.all("conversation") if c["channel"] == "sms"), None), "sms"
        )
        for identity, account in (
            (stranger["identity"], sms),
            (visitor, sms),
            (phone, chat),
            (here.hub.clock.new_id(), sms),
        ):
            to = {"identity": identity, "account": account}
            status, answer = await scene.say("no", to=to)
            assert (status, answer["code"]) == (409, "not_reachable")
        status, answer = await scene.say("no", to={"identity": phone, "account": visitor})
        assert (status, answer["code"]) == (409, "account_gone")
        status, answer = await scene.say("no", mode="note", to=await scene.by_sms())
        assert (status, answer["code"]) == (422, "note_has_no_address")
        status, answer = await scene.say("x" * 1601, to=await scene.by_sms())
        assert (status, answer["code"]) == (422, "too_long")
        status, _ = await scene.say("own", to={"identity": visitor, "account": chat})
        assert status == 201
        ben = await here.person("ben")
        path = f"/conversations/{scene.conversation}/messages"
        body = {"mode": "reply", "text": "not mine", "to": await scene.by_sms()}
        assert (await ben.raw("POST", path, body))[0] == 403

        def rows() -> Work[int]:
            return len((yield select(outbox.c.id)))

        assert await here.hub.store.read(rows) == 0
        await scene.widget.close()


async def test_a_linked_address_is_offered_and_says_so(tmp_path: Path) -> None:
    provider = SilentTwilio()
    async with hub_running(tmp_path, twilio=provider) as here:
        scene = await set_scene(here, provider)
        await here.sms("+819055500199", "my other telephone")
        other = await scene.desk.until(
            lambda s: next((c for c in s.all("conversation") if c["channel"] == "sms"), None), "sms"
        )
        mine = await scene.ann.call("GET", f"/conversations/{scene.conversation}")
        path = f"/customers/{mine['customer']['id']}/identities"
        await scene.ann.call("POST", path, {"identity": other["identity"]})
        customer = await scene.ann.call("GET", f"/customers/{mine['customer']['id']}")
        linked = {i["value"]: i["linked"] for i in customer["identities"]}
        assert linked["+819055500199"] is True
        assert linked[PHONE] is False
        to = {"identity": other["identity"], "account": scene.account("sms")}
        assert (await scene.say("to the other one", to=to))[0] == 201
        await wait_for(lambda: provider.got, "the SMS")
        assert provider.got[0]["To"] == "+819055500199"
        await scene.widget.close()
