"""What a customer is told while a queue is closed. Pure; the words are the queue's or ours."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

from madoguchi.configuration.queue_parts import Outside
from madoguchi.i18n import catalogue
from madoguchi.model.channels import Capabilities
from madoguchi.model.conversation import (
    Author,
    Conversation,
    Direction,
    Message,
    MessageState,
    Visibility,
)
from madoguchi.model.hours import WEEKDAYS, Opening, Why
from madoguchi.model.ids import Id

MARK = "outside"
"""Under this key a conversation's context keeps of which closed period the customer knows."""

OPENS = "{opens}"
_SENTENCES = re.compile(r"(?<=[。！？\n])|(?<=[.!?])(?=\s)")


def told(one: Conversation, opening: Opening, now: datetime) -> bool:
    """Tell whether the customer knows of this closed period already."""
    mark = one.context.get(MARK)
    if not mark or mark["queue"] != one.queue:
        return False
    until = mark["until"] and datetime.fromisoformat(mark["until"])
    return now < until if until else opening.opens is None


def mark(one: Conversation, opening: Opening) -> dict[str, Any]:
    """Return what a conversation's context keeps of what its customer is told."""
    until = opening.opens.isoformat() if opening.opens else None
    return {MARK: {"queue": one.queue, "until": until}}


def unmarked(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the context of a conversation that begins again: nobody knows whether a queue that
    was closed by hand has been open meanwhile.
    """
    forgotten = {MARK} if (context.get(MARK) or {"until": True})["until"] is None else set()
    return {key: value for key, value in context.items() if key not in forgotten}


def text(policy: Outside, opening: Opening, language: str) -> str:
    """Return what the customer is told. Where nobody knows when it opens, the sentences that
    would say so are left out.
    """
    own = policy.text if language == "ja" else policy.text_en or policy.text
    ours = _words(language)["byHand" if opening.why is Why.BY_HAND else "closed"]
    if opening.opens is None:
        return _without_opens(own) or _without_opens(ours)
    return (own or ours).replace(OPENS, moment(opening.opens, opening.zone, language)).strip()


def _without_opens(written: str) -> str:
    return "".join(one for one in _SENTENCES.split(written) if OPENS not in one).strip()


def moment(at: datetime, zone: str, language: str) -> str:
    """Return a moment as people there write it: 11月27日（金） 9:00; Fri 27 Nov, 9:00."""
    words, local = _words(language), at.astimezone(ZoneInfo(zone))
    return str(words["moment"]).format(
        month=words["month"][str(local.month)],
        day=local.day,
        weekday=words["day"][WEEKDAYS[local.weekday()]],
        time=f"{local.hour}:{local.minute:02d}",
    )


def message(id: Id, one: Conversation, can: Capabilities, text: str, now: datetime) -> Message:
    """Return the message that says so, to the address that wrote last."""
    return Message(
        id=id,
        conversation=one.id,
        author=Author.SYSTEM,
        direction=Direction.OUT,
        visibility=Visibility.PUBLIC,
        channel=one.channel,
        account=one.account,
        identity=one.identity,
        agent=None,
        parts=({"type": "text", "text": text},),
        state=MessageState.SENT if can.stream else MessageState.QUEUED,
        provider_at=None,
        received_at=now,
    )


@cache
def _words(language: str) -> dict[str, Any]:
    return dict(catalogue("ja" if language == "ja" else "en")["hours"])
