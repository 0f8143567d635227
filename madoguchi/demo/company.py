"""The demo company's data, its doors, and the words that greet whoever started it."""

import os
import secrets
from importlib.resources import files
from pathlib import Path

import orjson
from aiohttp import web

from madoguchi.app import Hub
from madoguchi.configuration import text
from madoguchi.configuration.service import Change, body_of
from madoguchi.demo.fake_twilio import FakeTwilio
from madoguchi.demo.pages import DemoPages
from madoguchi.demo.twilio_api import BASE
from madoguchi.model.people import SYSTEM

ACCOUNT_SID = "AC" + "0" * 28 + "d3e0"
NUMBER = "+815031234567"
SHOP = "shop"
TWILIO = "twilio"


async def open_doors(hub: Hub) -> list[web.AbstractRouteDef]:
    """Load the demo company into an empty hub; return the demo's routes."""
    kept = _kept(hub.settings.data / "demo.json")
    if not hub.configuration.catalog.objects:
        await _furnish(hub, kept)
    else:
        await _follow_port(hub)
    webhook = f"{hub.settings.base_url}/hooks/sms"
    twilio = FakeTwilio(
        ACCOUNT_SID,
        kept[TWILIO],
        NUMBER,
        hub.http,
        webhook=webhook,
        clock=hub.clock,
        journal=hub.settings.data / "demo-twilio.jsonl",
    )
    hub.tasks.start("fake twilio", twilio.run)
    pages = DemoPages(hub.clock, twilio, kept[SHOP])
    return [*twilio.routes(), *pages.routes()]


def _kept(path: Path) -> dict[str, str]:
    """Return the demo's secrets and passwords, made on the first start and kept (0600)."""
    if path.exists():
        return dict(orjson.loads(path.read_bytes()))
    people = ("takahashi", "nakamura", "liam", "okamoto", "admin")
    kept = {name: f"minato-{secrets.token_hex(3)}" for name in people}
    kept |= {TWILIO: secrets.token_hex(16), SHOP: secrets.token_hex(16)}
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(orjson.dumps(kept))
    return kept


async def _furnish(hub: Hub, kept: dict[str, str]) -> None:
    document = files("madoguchi.demo").joinpath("company.toml").read_text(encoding="utf-8")
    wanted = text.changes(document, hub.configuration.catalog)
    wanted += [_shop(hub, kept), _telephone(hub, kept)]
    await hub.configuration.change(SYSTEM, "demo_company", wanted)
    for key, entry in hub.configuration.catalog.agents.items():
        await hub.sessions.set_password(entry.id, kept[key])


async def _follow_port(hub: Hub) -> None:
    """Let the telephone's account find our own Twilio where it is now: MADOGUCHI_PORT moves it,
    and the data stays. An account that somebody has pointed elsewhere is left alone.
    """
    entry = hub.configuration.catalog.accounts.get("sms")
    if entry is None:
        return
    body = body_of(entry.object)
    standing, here = str(body["settings"].get("api_base", "")), _api_base(hub)
    if standing == here or not standing.endswith(BASE):
        return
    body["settings"] = {**body["settings"], "api_base": here}
    await hub.configuration.change(SYSTEM, "demo_port", [Change("account", "sms", body)])


def _api_base(hub: Hub) -> str:
    return f"{hub.settings.base_url}{BASE}"


def _shop(hub: Hub, kept: dict[str, str]) -> Change:
    body = {
        "name": "みなと珈琲店",
        "name_en": "Minato Coffee",
        "connector": "web_chat",
        "queue": "orders",
        "topics": {"orders": "orders", "returns": "returns"},
        "settings": {
            "secret": kept[SHOP],
            "greeting": "いらっしゃいませ。ご用件をお聞かせください。",
            "greeting_en": "Welcome. How can we help you?",
            "calls": "video",
        },
    }
    return Change("account", "shop", body)


def _telephone(hub: Hub, kept: dict[str, str]) -> Change:
    body = {
        "name": "みなと珈琲店 SMS",
        "name_en": "Minato Coffee SMS",
        "connector": "twilio_sms",
        "queue": "orders",
        "settings": {
            "account_sid": ACCOUNT_SID,
            "auth_token": kept[TWILIO],
            "number": NUMBER,
            "api_base": _api_base(hub),
        },
    }
    return Change("account", "sms", body)


def welcome(hub: Hub) -> None:
    """Print where everything is and how to sign in."""
    kept = _kept(hub.settings.data / "demo.json")
    base = hub.settings.base_url
    lines = [
        "",
        "  Madoguchi 窓口 is ready.",
        "",
        f"  Desk        {base}/",
        f"  Demo shop   {base}/demo/shop     (open the chat at the lower right)",
        f"  Telephone   {base}/demo/phone    (send an SMS to {NUMBER})",
        "",
        "  Sign in as            password",
    ]
    for key, entry in hub.configuration.catalog.agents.items():
        if key in kept:
            roles = ", ".join(entry.object.roles)
            lines.append(f"    {key:<19} {kept[key]:<18} {roles}")
    lines += ["", f"  Data is kept in {hub.settings.data}/. Stop with Ctrl-C.", ""]
    print("\n".join(lines), flush=True)
