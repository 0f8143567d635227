"""Attacks that fit nowhere else: planted sessions, forged lines, doubled fields, huge bodies."""

from __future__ import annotations

import logging
from pathlib import Path
from urllib.parse import urlencode

import aiohttp
import orjson
import pytest
import structlog
from multidict import MultiDict
from twilio.request_validator import RequestValidator

from connectors.base import HookRequest, Refused
from connectors.twilio_api import SID as SID_FORM
from connectors.twilio_sms import TwilioSms
from madoguchi import log_setup
from madoguchi.http.table import Nothing
from tests.support.hubs import NUMBER, PASSWORD, SID, TOKEN, Running, hub_running
from tests.support.raw import exchange, request
from tests.support.worlds import named, world

PLANTED = "A" * 43


async def test_a_planted_session_is_never_taken_over(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        body = orjson.dumps({"name": "ann", "password": PASSWORD})
        planted = f"Cookie: madoguchi_session={PLANTED}".encode()
        answer = await exchange(here.port, request("POST", "/api/v1/session", planted, body=body))
        assert answer.status == 200
        given = answer.headers["set-cookie"].partition("madoguchi_session=")[2].partition(";")[0]
        assert given not in {PLANTED, ""}
        for flag in ("HttpOnly", "SameSite=Lax", "Path=/"):
            assert flag in answer.headers["set-cookie"]
        assert (await exchange(here.port, request("GET", "/api/v1/session", planted))).status == 401
        mine = f"Cookie: madoguchi_session={given}".encode()
        both = mine + f"; madoguchi_session={PLANTED}".encode()
        assert (await exchange(here.port, request("GET", "/api/v1/session", mine))).status == 200
        assert (await exchange(here.port, request("GET", "/api/v1/session", both))).status in {
            200,
            401,
        }
        again = await exchange(here.port, request("POST", "/api/v1/session", mine, body=body))
        assert given not in again.headers["set-cookie"], "each sign-in has a session of its own"


async def test_signing_out_ends_the_session_for_whoever_copied_it(tmp_path: Path) -> None:
    async with world(tmp_path) as one:
        sue = await one.here.person("sue")
        assert sue.http is not None
        copied = {m.key: m.value for m in sue.http.cookie_jar}
        await sue.call("DELETE", "/session")
        async with (
            aiohttp.ClientSession(cookies=copied) as thief,
            thief.get(f"{one.here.url}/api/v1/session") as answer,
        ):
            assert answer.status == 401


async def test_no_operation_takes_in_a_body_over_the_limit(tmp_path: Path) -> None:
    wrong = []
    async with world(tmp_path) as one:
        big = b'{"a": "' + b"x" * one.here.hub.settings.body_limit + b'"}'
        operations = [*one.here.hub.api.operations, *one.here.hub.widget.operations()]
        for operation in operations:
            if operation.body is Nothing:
                continue
            path = f"/api/v1{one.path(operation)}".replace("{account}", "shop")
            answer = await exchange(
                one.here.port, request(operation.method, path, person=one.boss, body=big)
            )
            if answer.status not in {401, 413} or (
                answer.status == 401 and operation.security is None
            ):
                wrong.append((named(operation), answer.status))
    assert wrong == []


FORGED = "x\n2026-11-25T00:00:00Z [error] forged \x1b[2J\x1b[31m\u202e\u2028end"


@pytest.mark.parametrize("form", ["text", "json"])
def test_no_text_of_a_stranger_begins_a_line_of_the_log(
    form: str, capsys: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    kept, level = root.handlers[:], root.level
    server = logging.getLogger("aiohttp.server").level
    try:
        log_setup.configure("info", form)
        log = structlog.get_logger("test")
        log.warning("webhook refused", account=FORGED, more=[FORGED])
        logging.getLogger("engineio.server").error("Invalid session %s", FORGED)
        log.error("request failed", path=FORGED, exc_info=ValueError(FORGED))
    finally:
        structlog.reset_defaults()
        root.handlers[:] = kept
        root.setLevel(level)
        logging.getLogger("aiohttp.server").setLevel(server)
    told = capsys.readouterr().err
    lines = told.splitlines()
    assert "Invalid session x" in told, "what libraries say is there, too"
    assert not any(line.startswith("2026-11-25T00:00:00Z") for line in lines)
    assert not {"\x1b", "\u202e", "\u2028"} & set(told)
    if form == "json":
        assert len([orjson.loads(line) for line in lines]) == 3


class Doubled:
    """Sends signed forms with fields that stand twice."""

    def __init__(self, here: Running) -> None:
        self.here = here

    async def send(self, pairs: list[tuple[str, str]]) -> int:
        """POST pairs, signed as Twilio signs duplicates: all values, sorted; return the status."""
        url = f"{self.here.url}/hooks/sms"
        signature = RequestValidator(TOKEN).compute_signature(url, MultiDict(pairs))
        headers = {
            "X-Twilio-Signature": signature,
            "Content-Type": "application/x-www-form-urlencoded",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=urlencode(pairs), headers=headers) as answer,
        ):
            return answer.status


async def test_doubled_fields_of_twilio_are_refused(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        sid = "SM" + "a" * 32
        event = [
            ("MessageSid", sid),
            ("AccountSid", SID),
            ("From", "+819055500187"),
            ("To", NUMBER),
            ("Body", "hello"),
        ]
        doubled = Doubled(here)
        for name, value in (
            ("From", "+819055500100"),
            ("MessageSid", "SM" + "b" * 32),
            ("AccountSid", "AC" + "2" * 32),
            ("To", "+815000000000"),
        ):
            for pairs in ([*event, (name, value)], [(name, value), *event]):
                assert await doubled.send(pairs) == 403, name
        assert await doubled.send([*event, ("MediaUrl", "a"), ("MediaUrl", "b")]) == 204
        adam = await here.person("adam")
        assert await adam.call("GET", "/deadletters") == {"deadletters": []}


async def test_a_recorded_event_cannot_be_cut_into_a_new_one(tmp_path: Path) -> None:
    """The signature joins names and values without marks; the ids' form tells them apart."""
    async with hub_running(tmp_path) as here:
        connector = here.hub.registry.by_key("sms")
        assert isinstance(connector, TwilioSms)
        sid = "SM" + "a" * 32
        genuine = {"AccountSid": SID, "Body": "x", "From": "+819055500187", "MessageSid": sid,
                   "SmsSid": sid, "SmsStatus": "received", "To": NUMBER}  # fmt: skip
        cut = {**genuine, "MessageS": f"id{sid}", "SmsSid": f"{sid}SmsStatusreceived"}
        del cut["MessageSid"], cut["SmsStatus"]
        url = f"{here.url}/hooks/sms"
        validator = RequestValidator(TOKEN)
        signature = validator.compute_signature(url, genuine)
        assert validator.compute_signature(url, cut) == signature, "the same signature fits"

        def verified(fields: dict[str, str]) -> list[str]:
            headers = {"X-Twilio-Signature": signature}
            hook = HookRequest(method="POST", url=url, tail="", headers=headers, query={})
            return [e.event_id for e in connector.verify(hook, urlencode(fields).encode())]

        assert verified(genuine) == [sid]
        with pytest.raises(Refused, match="MessageSid"):
            verified(cut)
        assert not SID_FORM.fullmatch(cut["SmsSid"])
