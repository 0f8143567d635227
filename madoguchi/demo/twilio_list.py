"""Twilio's list of messages: filters, dates and pages, without I/O."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import urlencode

from multidict import MultiDict, MultiMapping

from madoguchi.demo.twilio_message import VERSION, Message
from madoguchi.demo.twilio_rules import Refusal, check_known


def _anything(_: str) -> bool:
    return True


def _whole(value: str) -> bool:
    return value.isascii() and value.isdecimal() and len(value) <= 9


def _size(value: str) -> bool:
    return _whole(value) and 1 <= int(value) <= 1000


def _parsed(value: str) -> date | datetime:
    """Return a day, or a moment in UTC. Raises ValueError."""
    if len(value) == len("2026-11-22"):
        return date.fromisoformat(value)
    moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _dated(value: str) -> bool:
    try:
        _parsed(value)
    except ValueError:
        return False
    return True


_KNOWN: Mapping[str, Callable[[str], bool]] = {
    "To": _anything,
    "From": _anything,
    "DateSent": _dated,
    "DateSent<": _dated,
    "DateSent>": _dated,
    "PageSize": _size,
    "Page": _whole,
    "PageToken": _anything,
}


def page(account: str, messages: Iterable[Message], query: MultiMapping[str]) -> dict[str, Any]:
    """Return one page of messages, newest first. Raises Refusal.

    A message that has not been sent yet has no DateSent and no filter by it finds it.
    """
    asked = MultiDict(query)
    check_known(asked, _KNOWN)
    found = [m for m in reversed(list(messages)) if _fits(m, asked)]
    size, number = int(asked.get("PageSize", "50")), int(asked.get("Page", "0"))
    start = size * number
    if number and start >= len(found):
        raise Refusal(20006, "Page number out of range")
    shown = found[start : start + size]

    def uri(n: int) -> str:
        rest = [(k, v) for k, v in asked.items() if k not in {"PageSize", "Page", "PageToken"}]
        parameters = urlencode([*rest, ("PageSize", size), ("Page", n)])
        return f"/{VERSION}/Accounts/{account}/Messages.json?{parameters}"

    return {
        "end": max(0, start + len(shown) - 1),
        "first_page_uri": uri(0),
        "messages": [m.resource() for m in shown],
        "next_page_uri": uri(number + 1) if start + size < len(found) else None,
        "page": number,
        "page_size": size,
        "previous_page_uri": uri(number - 1) if number else None,
        "start": start,
        "uri": uri(number),
    }


def _fits(message: Message, asked: MultiMapping[str]) -> bool:
    if asked.get("To", message.recipient) != message.recipient:
        return False
    if asked.get("From", message.sender) != message.sender:
        return False
    return all(
        _dated_so(message.sent, name.removeprefix("DateSent"), _parsed(value))
        for name, value in asked.items()
        if name.startswith("DateSent")
    )


def _dated_so(sent: datetime | None, relation: str, limit: date | datetime) -> bool:
    if sent is None:
        return False
    day = sent.astimezone(UTC).date()
    if not relation:
        return day == (limit.date() if isinstance(limit, datetime) else limit)
    moment: Any = sent if isinstance(limit, datetime) else day
    return bool(moment <= limit if relation == "<" else moment >= limit)
