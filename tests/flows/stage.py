"""Flows to try, and what is known of a call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from madoguchi.configuration.flow_check import flow_faults
from madoguchi.configuration.kinds import Flow
from madoguchi.conversations.choice import blank
from madoguchi.flows.interpreter import FlowFacts
from madoguchi.flows.turns import Gather, Turn

NOON = datetime(2026, 11, 27, 3, 0, tzinfo=UTC)
CALLER = "+819055500187"

STEPS: dict[str, Any] = {
    "language": {
        "do": "menu",
        "text": "日本語は1を押してください。",
        "text_en": "For English, press 2.",
        "name": "language",
        "choices": [
            {"key": "1", "to": "open", "value": "ja", "phrases": ["日本語"]},
            {"key": "2", "to": "open", "value": "en", "phrases": ["English", "eigo"]},
        ],
        "otherwise": "open",
    },
    "open": {"do": "branch", "cases": [{"closed": "orders", "to": "late"}], "otherwise": "what"},
    "late": {"do": "voicemail", "text": "本日の受付は終了しました。", "queue": "orders"},
    "what": {
        "do": "menu",
        "text": "ご注文は1、折り返しは2、チャットは3を押してください。",
        "text_en": "Press 1 for orders, 2 to be called back, 3 to chat.",
        "name": "topic",
        "choices": [
            {"key": "1", "to": "number", "value": "order", "phrases": ["注文"]},
            {"key": "2", "to": "callback"},
            {"key": "3", "to": "chat"},
            {"key": "9", "to": "what"},
        ],
        "otherwise": "agent",
    },
    "number": {
        "do": "ask",
        "text": "ご注文番号を押してください。",
        "name": "order",
        "least": 4,
        "most": 6,
        "next": "lookup",
        "otherwise": "agent",
    },
    "lookup": {
        "do": "lookup",
        "url": "https://shop.example.jp/orders/{order}?from={number}",
        "keep": {"state": "order.state"},
        "next": "sort",
        "otherwise": "agent",
    },
    "sort": {
        "do": "branch",
        "cases": [{"when": 'answers["state"] == "sent" && language == "en"', "to": "sent"}],
        "otherwise": "agent",
    },
    "sent": {"do": "hang_up", "text": "発送済みです。", "text_en": "It is on its way."},
    "agent": {"do": "queue", "queue": "orders", "priority": 2},
    "callback": {"do": "callback", "queue": "orders", "otherwise": "agent"},
    "chat": {
        "do": "message",
        "text": "リンクをお送りします。",
        "sms": "チャットはこちら {link}",
        "otherwise": "agent",
    },
}


def flow(steps: dict[str, Any] | None = None, start: str = "language") -> Flow:
    """Return a flow that may be saved."""
    body = {"name": "代表電話", "start": start, "steps": STEPS if steps is None else steps}
    made = Flow.model_validate({"key": "main", **body})
    assert flow_faults(made) == []
    return made


def known(number: str = CALLER, open: bool = True) -> FlowFacts:
    """Return what is known of a call."""
    contact = {**blank(NOON, UTC), "channel": "voice", "account": "phone", "language": "ja"}
    return FlowFacts(contact, number, lambda _: open)


def said(turn: Turn) -> list[str]:
    """Return the words of a turn, those of a question too."""
    found = []
    for one in turn.instructions:
        prompts = one.prompts if isinstance(one, Gather) else (one,)
        found += [prompt.text for prompt in prompts if prompt.do == "say"]
    return found
