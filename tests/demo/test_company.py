"""The demo company's second start."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from connectors.twilio_sms import TwilioSms
from madoguchi.app import Hub, running
from madoguchi.configuration.service import Change, body_of
from madoguchi.demo.company import open_doors
from madoguchi.model.people import SYSTEM
from madoguchi.security.secrets import new_key
from tests.support.hubs import settings_for

KEY = new_key()


@asynccontextmanager
async def demo(folder: Path, port: int) -> AsyncIterator[Hub]:
    """Give a demo that would serve on a port."""
    async with running(settings_for(folder, port, secret_keys=KEY)) as hub:
        await open_doors(hub)
        yield hub


def telephone(hub: Hub) -> tuple[str, str]:
    """Return where the SMS account sends to, and with which token."""
    entry = hub.configuration.catalog.accounts["sms"]
    connector = hub.registry.by_id(entry.id)
    assert isinstance(connector, TwilioSms)
    return connector.settings.api_base, connector.settings.auth_token.get_secret_value()


async def test_a_demo_that_moved_to_another_port_still_sends(tmp_path: Path) -> None:
    async with demo(tmp_path, 18001) as hub:
        base, token = telephone(hub)
        assert base == "http://127.0.0.1:18001/demo/twilio"
    for _ in range(2):
        async with demo(tmp_path, 18002) as hub:
            assert telephone(hub) == ("http://127.0.0.1:18002/demo/twilio", token)
            assert hub.configuration.catalog.number == 2


async def test_an_account_that_was_pointed_elsewhere_stays_there(tmp_path: Path) -> None:
    async with demo(tmp_path, 18001) as hub:
        body = body_of(hub.configuration.catalog.accounts["sms"].object)
        settings = {**body["settings"], "api_base": "https://api.twilio.com"}
        change = Change("account", "sms", {**body, "settings": settings})
        await hub.configuration.change(SYSTEM, "real", [change])
    async with demo(tmp_path, 18002) as hub:
        assert telephone(hub)[0] == "https://api.twilio.com"
