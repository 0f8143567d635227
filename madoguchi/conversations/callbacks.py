"""Calls instead of waiting: what a conversation keeps of the wish, what customers are told, and
what their words mean. Pure; the words are the queue's or ours.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from madoguchi.configuration.queue_parts import Callback
from madoguchi.i18n import catalogue
from madoguchi.model.conversation import Conversation
from madoguchi.model.ids import Id
from madoguchi.model.people import Identity, Scheme
from unified_profile.identity import Called, called

MARK = "callback"
"""Under this key a conversation's context keeps the wish to be called, and of which item."""

ASKED, CANCELLED = "conversation.callback_asked", "conversation.callback_cancelled"
"""What the log says when customers want to be called, and when they do not any more."""

LONG_MINUTES = 120
"""From here on people speak of hours."""

GIVEN_UP = "callback_given_up"
"""For this reason the router ends an item whose customer was called in vain."""


class Wish(StrEnum):
    """Where it stands: offered, asked for, not wanted, reached, or nobody tries any more."""

    OFFERED = "offered"
    ASKED = "asked"
    DECLINED = "declined"
    REACHED = "reached"
    GIVEN_UP = "given_up"


def wish(one: Conversation, item: Id | None) -> dict[str, Any]:
    """Return what a conversation keeps of an item's call; empty where none was ever offered."""
    found: dict[str, Any] = one.context.get(MARK) or {}
    return found if found and found["item"] == item else {}


def marked(one: Conversation, **values: Any) -> dict[str, Any]:
    """Return a conversation's context after its wish has changed."""
    return {**one.context, MARK: {**(one.context.get(MARK) or {}), **values}}


def offered(one: Conversation, item: Id, now: datetime) -> dict[str, Any]:
    """Return a conversation's context in which a call is offered; nothing of earlier wishes stays
    but the number.
    """
    before: Mapping[str, Any] = one.context.get(MARK) or {}
    number = {name: before.get(name) for name in ("number", "shown")}
    kept = {"item": item, "state": Wish.OFFERED.value, "offered_at": now.isoformat(), "calls": 0}
    return {**one.context, MARK: {**kept, **number, "next_at": None}}


def forgotten(one: Conversation) -> dict[str, Any]:
    """Return a conversation's context without any wish: its work begins anew."""
    return {key: value for key, value in one.context.items() if key != MARK}


def carried(one: Conversation, item: Id) -> dict[str, Any]:
    """Return a conversation's context as new work begins for a call that was asked for just now."""
    return marked(one, item=item, calls=0, next_at=None)


def asked(one: Conversation, to: Called, now: datetime) -> dict[str, Any]:
    """Return a conversation's context in which a call to a number is asked for."""
    since = wish_since(one) or now.isoformat()
    return marked(
        one,
        state=Wish.ASKED.value,
        number=to.number,
        shown=to.shown,
        country=to.country,
        zone=to.zone,
        asked_at=since,
    )


def wish_since(one: Conversation) -> str | None:
    """Return since when a customer wants to be called; None: they do not."""
    found: Mapping[str, Any] = one.context.get(MARK) or {}
    return found["asked_at"] if found.get("state") == Wish.ASKED else None


def number_of(one: Conversation, sender: Identity | None) -> Called | None:
    """Return the number at which a customer who names none can be called: the one that they named
    before, their address, or what they told the page.
    """
    named = (one.context.get(MARK) or {}).get("number")
    if named:
        return called(named)
    if sender is not None and sender.address.scheme is Scheme.PHONE:
        return called(sender.address.value)
    return called(str((one.context.get("claims") or {}).get("phone", "")))


@dataclass(frozen=True, slots=True)
class Words:
    """What a customer's text says of a call: with a number, perhaps; or that none is wanted."""

    wanted: bool
    number: str = ""


_NONE = re.compile(
    r"(?:no\s*call(?:\s+please)?|(?:please\s+)?(?:do\s+not|don['’]?t)\s+call(?:\s+me)?"
    r"|お?電話\s*は?\s*(?:不要|なし|結構|いりません|いらない|要りません|要らない)(?:です)?)",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"(?:お?電話|でんわ|デンワ|(?:please\s+)?call(?:\s+me)?)"
    r"(?:を?希望(?:です|します)?|を?お?願います|を?お願い(?:します|いたします)?"
    r"|して(?:ください|下さい)?|を?(?:ください|下さい)|\s+please)?"
    r"[\s:：,、。.!?？]*(?P<number>[+0-9(][0-9()\s.\-‐-―−ー]*)?",
    re.IGNORECASE,
)


def understood(text: str) -> Words | None:
    """Return what a text says of a call, None where it speaks of something else."""
    plain = unicodedata.normalize("NFKC", text).strip().rstrip("。.!?")
    if _NONE.fullmatch(plain):
        return Words(wanted=False)
    found = _CALL.fullmatch(plain)
    return Words(wanted=True, number=(found["number"] or "").strip()) if found else None


def offer(policy: Callback, language: str, *, closed: bool = False) -> str:
    """Return the words that offer a call, without how to answer."""
    own = policy.text if language == "ja" else policy.text_en or policy.text
    return own or say(language, "offerClosed" if closed else "offer")


def how(language: str, number: Called | None) -> str:
    """Return how to answer where one can only write."""
    if number is None:
        return say(language, "how")
    return say(language, "howKnown", number=number.shown)


def missed(language: str, number: str, retry_s: float) -> str:
    """Return what is said after a call in vain: when the next one comes, in minutes or hours."""
    minutes = max(1, round(retry_s / 60))
    if minutes < LONG_MINUTES:
        return say(language, "missed", number=number, minutes=minutes)
    return say(language, "missedHours", number=number, hours=round(minutes / 60))


def say(language: str, word: str, **values: Any) -> str:
    """Return one of our sentences."""
    words: Mapping[str, str] = catalogue("ja" if language == "ja" else "en")["callback"]
    return words[word].format(**values)
