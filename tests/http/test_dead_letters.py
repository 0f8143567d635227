"""Why an event was set aside: codes over REST, words at the desk and on the command line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from connectors.twilio_sms import TwilioSms
from madoguchi.cli import told
from madoguchi.i18n import catalogue
from madoguchi.model.dead_letters import DeadCode, DeadReason
from madoguchi.model.inbound import Inbound, ProviderEvent
from madoguchi.store.inbox import dead
from madoguchi.store.tables import inbox
from madoguchi.store.work import Work
from tests.support.hubs import Running, hub_running
from tests.support.waiting import wait_for

LETTER = {
    "id": 7,
    "received_at": "2026-11-26T05:00:00Z",
    "account": "sms",
    "event_id": "SM5",
    "code": "not_understood",
    "detail": "KeyError: 'From'",
    "running": True,
}


class Puzzled(TwilioSms):
    """A connector that cannot read what comes."""

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Fail as a mistake in the code does."""
        raise KeyError("From")


async def set_aside(here: Running) -> dict[str, Any]:
    """Wait for the one dead letter; return it as an administrator gets it."""
    await wait_for(lambda: here.hub.store.read(dead), "a dead letter")
    adam = await here.person("adam")
    (letter,) = (await adam.call("GET", "/deadletters"))["deadletters"]
    return dict(letter)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_each_code_has_words(language: str) -> None:
    assert set(catalogue(language)["desk"]["admin"]["dead"]["why"]) == set(DeadCode)


@pytest.mark.parametrize("code", DeadCode)
def test_a_reason_is_read_as_it_was_written(code: DeadCode) -> None:
    for detail in ("", "KeyError: 'From'", "not_understood: a: b"):
        reason = DeadReason(code, detail)
        assert DeadReason.read(reason.text) == reason


@pytest.mark.parametrize("text", ["", "LookupError: account 1 is not there", "newer_code: x"])
def test_a_text_without_a_known_code_is_all_detail(text: str) -> None:
    assert DeadReason.read(text) == DeadReason(DeadCode.FAILED, text)
    assert DeadReason.read(None).detail == ""


async def test_what_cannot_be_read_has_a_code_and_the_detail(tmp_path: Path) -> None:
    async with hub_running(tmp_path) as here:
        living = here.hub.registry._living
        for id, (version, one) in list(living.items()):
            if isinstance(one, TwilioSms):
                living[id] = (version, Puzzled(one.account, one.settings, one.ports))
        await here.sms("+819055500187", "hello")
        letter = await set_aside(here)
        assert (letter["code"], letter["detail"]) == ("not_understood", "KeyError: 'From'")
        assert letter["running"]


async def test_an_account_that_is_down_and_a_row_of_an_older_hub(tmp_path: Path) -> None:
    async with hub_running(tmp_path):
        pass
    # Another secret key: the accounts' settings do not hold.
    async with hub_running(tmp_path) as here:
        account = here.hub.configuration.catalog.accounts["sms"].id
        event = ProviderEvent("SM5", "sender:+8190", "message", b"", here.hub.clock.now())
        await here.hub.inbox.put(account, [event])
        letter = await set_aside(here)
        assert (letter["code"], letter["running"]) == ("account_down", False)
        assert account in letter["detail"]
        assert (letter["account_name"], letter["account_name_en"]) == ("SMS", "SMS")

        def older() -> Work[None]:
            yield update(inbox).values(error="ValueError: odd")

        await here.hub.store.write(older)
        letter = await set_aside(here)
        assert (letter["code"], letter["detail"]) == ("failed", "ValueError: odd")


@pytest.mark.parametrize("code", DeadCode)
def test_the_command_line_says_why_in_a_sentence(code: DeadCode) -> None:
    first, why, detail = told({**LETTER, "code": code}).splitlines()
    assert first == "7  2026-11-26T05:00:00Z  sms  SM5"
    assert why.strip() == catalogue("en")["desk"]["admin"]["dead"]["why"][code]
    assert detail.strip() == LETTER["detail"]


def test_the_command_line_says_that_an_account_is_down_and_shows_what_has_no_detail() -> None:
    assert "The account sms is not working." in told({**LETTER, "running": False})
    gone = {**LETTER, "account": "", "running": False}
    assert "The account has been deleted" in told(gone)
    assert len(told({**LETTER, "detail": ""}).splitlines()) == 2
