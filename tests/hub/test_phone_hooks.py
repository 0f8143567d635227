"""Webhooks of calls: who is refused, what a look-up does, what is never said as markup."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from twilio.request_validator import RequestValidator
from twilio.twiml.voice_response import VoiceResponse

from connectors.base import Refused
from connectors.twilio_controls import Tickets, TwilioVoiceSettings
from madoguchi.demo.twilio_rules import Refusal
from madoguchi.demo.twilio_twiml import read
from madoguchi.store.tables import inbox
from tests.hub.test_opening_hours import rows
from tests.hub.test_phone_call import CUSTOMER, FLOW, waiting
from tests.support.hubs import NUMBER, SID, TOKEN
from tests.support.telephones import Telephones, telephones

FORM = {
    "CallSid": "CA" + "7" * 32,
    "AccountSid": SID,
    "From": CUSTOMER,
    "To": NUMBER,
    "CallStatus": "in-progress",
    "Digits": "1",
}
LOOKUP = """
[flow.main]
name = "注文"
start = "ask"
[flow.main.steps.ask]
do = "ask"
text = "注文番号をどうぞ。"
name = "order"
next = "look"
otherwise = "agent"
[flow.main.steps.look]
do = "lookup"
url = "{base}/orders/{{order}}"
keep = {{ state = "order.state" }}
timeout_s = 2
next = "said"
otherwise = "agent"
[flow.main.steps.said]
do = "branch"
cases = [{{ when = 'answers["state"] == "sent"', to = "sent" }}]
otherwise = "agent"
[flow.main.steps.sent]
do = "hang_up"
text = "発送済みです。"
[flow.main.steps.agent]
do = "queue"
text = "おつなぎします。"
[account.phone]
flow = "main"
"""


async def post(
    center: Telephones, path: str, form: list[tuple[str, str]], signature: str | None = None
) -> int:
    """POST a form, signed as Twilio does unless another signature is given."""
    url = f"{center.here.url}/hooks/phone/{path}"
    made = RequestValidator(TOKEN).compute_signature(url, dict(form))
    headers = {
        "X-Twilio-Signature": made if signature is None else signature,
        "Content-Type": "application/x-www-form-urlencoded",
    }
    async with (
        aiohttp.ClientSession() as http,
        http.post(url, data=urlencode(form), headers=headers) as answer,
    ):
        return answer.status


async def step_of(center: Telephones) -> str:
    """Return the path of the step that a new call's menu goes on at."""
    url = f"{center.here.url}/hooks/phone/voice"
    told = await center.voice.post.fetch(url, list(FORM.items()), "POST")
    (gather,) = read(told.text)
    return gather.attributes["action"].partition("/hooks/phone/")[2]


Forged = tuple[str, Callable[[str], str], dict[str, str]]
FORGED: list[Forged] = [
    ("no such webhook", lambda _: "nowhere", {}),
    ("no state", lambda step: step.replace("state=", "stat="), {}),
    ("a state that is none", lambda step: step.replace("state=", "state=x"), {}),
    ("an id that is none", lambda step: step + "x", {}),
    ("a form whose beginning went into the address", lambda step: step + "AccountSid", {}),
    ("another account", lambda step: step, {"AccountSid": "AC" + "9" * 32}),
    ("no CallSid", lambda step: step, {"CallSid": ""}),
    ("a CallSid that is none", lambda step: step, {"CallSid": "CA" + "7" * 33}),
    ("a ticket that is none", lambda _: "agent", {"ticket": "x.y.z"}),
]


@pytest.mark.parametrize(("_", "path", "fields"), FORGED, ids=[each[0] for each in FORGED])
async def test_what_is_not_twilios_is_refused_and_not_stored(
    tmp_path: Path, _: str, path: Callable[[str], str], fields: dict[str, str]
) -> None:
    async with telephones(tmp_path, FLOW) as center:
        step = await step_of(center)
        assert await post(center, path(step), list((FORM | fields).items())) == 403
        assert await post(center, step, list(FORM.items()), "AAAA") == 403
        assert await post(center, step, list(FORM.items()), "") == 403
        assert [row["kind"] for row in await rows(center.here, inbox)] == ["voice"]
        assert await post(center, step, list(FORM.items())) == 200


async def test_first_answer_to_a_question_counts(tmp_path: Path) -> None:
    async with telephones(tmp_path, FLOW) as center:
        step = await step_of(center)
        for digits in ("1", "2", "1"):
            assert await post(center, step, [*(FORM | {"Digits": digits}).items()]) == 200
        kinds = [row["kind"] for row in await rows(center.here, inbox)]
        assert kinds == ["voice", "step"]
        (item,) = await waiting(center, 1)
        assert item["queue"] == "returns"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ('{"order": {"state": "sent"}}', "発送済みです。"),
        ('{"order": {"state": 5}}', "おつなぎします。"),
        ("[]", "おつなぎします。"),
        ("no json", "おつなぎします。"),
        ("x" * 70_000, "おつなぎします。"),
        (None, "おつなぎします。"),
    ],
    ids=["sent", "other", "list", "text", "long", "silent"],
)
async def test_order_is_looked_up_while_the_caller_waits(
    tmp_path: Path, answer: str | None, said: str, aiohttp_server: Callable[..., object]
) -> None:
    asked: list[str] = []

    async def order(request: web.Request) -> web.Response:
        asked.append(request.match_info["id"])
        if answer is None:
            await asyncio.Event().wait()
        return web.Response(text=answer)

    shop = web.Application()
    shop.router.add_get("/orders/{id}", order)
    server = await aiohttp_server(shop)  # type: ignore[misc]
    base = str(server.make_url("")).rstrip("/")
    async with telephones(tmp_path, LOOKUP.format(base=base)) as center:
        phone = center.phone(CUSTOMER)
        phone.dial(NUMBER)
        await phone.hear()
        await phone.press("12 34#".replace(" ", ""))
        heard = await phone.hear()
        assert said in heard
        assert asked == ["1234"]
        assert center.voice.errors == []


async def test_tickets_are_for_one_agent() -> None:
    plain = {"account_sid": SID, "auth_token": TOKEN, "number": NUMBER}
    settings = TwilioVoiceSettings.model_validate(plain)
    tickets = Tickets(settings)
    ticket = tickets.issue("id", FORM["CallSid"], CUSTOMER, "leg", "ann", coached="CA1")
    kept = tickets.opened(ticket, "client:ann")
    assert (kept["leg"], kept["coached"], kept["muted"]) == ("leg", "CA1", False)
    for text, client in ((ticket, "client:ben"), (ticket, CUSTOMER), (ticket + "x", "client:ann")):
        with pytest.raises(Refused):
            tickets.opened(text, client)
    rotated = TwilioVoiceSettings.model_validate({**plain, "auth_token": "new"})
    with pytest.raises(Refused):
        Tickets(rotated).opened(ticket, "client:ann")
    both = rotated.model_copy(update={"previous_auth_token": settings.auth_token})
    assert Tickets(both).opened(ticket, "client:ann")["leg"] == "leg"


async def test_browser_with_a_foreign_token_is_not_connected(tmp_path: Path) -> None:
    async with telephones(tmp_path) as center:
        phone = center.phone("client:ann")
        for token in ("x", center.connector.controls.access_token("ben")):
            with pytest.raises(Refusal):
                phone.connect(token, {})


def test_no_text_is_markup() -> None:
    response = VoiceResponse()
    cut = "</Say><Dial>&\"'<!-- ]]>"
    response.say(cut)
    (say,) = read(str(response))
    assert say.text == cut
