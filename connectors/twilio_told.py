"""What Twilio told of a call and what was decided on it, as it is stored; and what that means.

Pure. Sources: twilio.com/docs/voice/twiml (requests), /docs/voice/twiml/conference (events).
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from madoguchi.conversations.calls.arriving import SURVEY
from madoguchi.conversations.calls.dialling import made_here
from madoguchi.conversations.calls.views import SCORE
from madoguchi.flows.turns import State, Turn
from madoguchi.i18n import catalogue
from madoguchi.model.calls import CALLER, CallEvent, Happened, Party
from madoguchi.model.conversation import Part
from madoguchi.model.ids import written_at
from madoguchi.model.inbound import (
    Inbound,
    InboundCall,
    InboundMessage,
    InboundUnknown,
    ProviderEvent,
    Recorded,
)
from madoguchi.model.people import Address, Scheme
from unified_profile.identity import called, clean, phone

STAR = "*"
"""The flow of who has left the line by a key; no flow of the configuration has such a name."""

WITHHELD = frozenset(
    {
        "anonymous",
        "restricted",
        "blocked",
        "unknown",
        "unavailable",
        # The same words on the keys of a telephone.
        "+266696687",
        "+7378742833",
        "+2562533",
        "+8656696",
        "+86282452253",
    }
)
PASSED = "TN-Validation-Passed-A"
"""The carrier knows its customer, and that the number is theirs; B and C do not say that."""

ROUND = 10_000
"""More than a conference has events: those of a later conference come after them."""

LAST = 1000
"""Nothing else of a call has such a number, as far as it is not a conference's."""

SECOND = timedelta(milliseconds=999)
"""Twilio tells times in whole seconds; what it tells has happened by the end of that second."""


class Told(BaseModel):
    """An event of a call. ``call`` is the caller's CallSid, ``number`` theirs, ``id`` the call's
    own id, "" where Twilio does not know it; ``leg`` whose event it is; ``before`` and ``turn``:
    the flow before and after it; ``queue``: where a message belongs; ``rounds``: of which
    conference of the call it is; ``value``: how the caller says that it was, ``language``: theirs.
    """

    model_config = ConfigDict(frozen=True)

    form: dict[str, str]
    call: str
    number: str = ""
    id: str = ""
    leg: str = CALLER
    queue: str = ""
    rounds: int = 0
    value: str = ""
    language: str = ""
    before: State | None = None
    turn: Turn | None = None


def number_of(form: Mapping[str, str]) -> str:
    """Return the caller's number in E.164, "" where it is withheld or none."""
    told = form.get("From", "").strip()
    if told.lower() in WITHHELD:
        return ""
    found = phone(told)
    return found.value if found else ""


def caller(call: str, number: str) -> Address:
    """Return who calls: whoever withholds their number is somebody new each time."""
    return Address(Scheme.PHONE, number) if number else Address(Scheme.RAW, f"anonymous:{call}")


def meaning(event: ProviderEvent) -> list[Inbound]:
    """Return what a stored event means; one that makes no sense is unknown."""
    try:
        told = Told.model_validate_json(event.body)
    except ValidationError:
        return [InboundUnknown("this is no event of a call")]
    take = _TAKES.get(event.kind)
    return list(take(told, event)) if take else [InboundUnknown(f"unknown kind {event.kind!r}")]


def _call(told: Told, events: tuple[CallEvent, ...], **more: Any) -> InboundCall:
    sender = caller(told.call, told.number)
    attributes = {
        name: clean(told.form.get(field, ""), 120)
        for name, field in (("city", "FromCity"), ("country", "FromCountry"), ("called", "To"))
        if told.form.get(field)
    }
    fields: dict[str, Any] = {
        "sender": sender,
        "verified": bool(more.get("begins")) and vouched(told),
        "thread": f"{sender.scheme}:{sender.value}",
        "call": told.call,
        "events": events,
        "begins": False,
        "name": clean(told.form.get("CallerName", ""), 120),
        "context": {"attributes": attributes} if attributes else {},
    }
    return InboundCall(**(fields | more))


def vouched(told: Told) -> bool:
    """Tell whether a caller's number is theirs, which the webhook of a new call says: its carrier
    vouches for it (twilio.com/docs/voice/trusted-calling-with-shakenstir), or there is nobody who
    could, outside of North America.
    """
    says = told.form.get("StirVerstat", "")
    if says:
        return says.startswith(PASSED)
    return bool(told.number) and not told.number.startswith("+1")


def _begun(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """A call comes in: it is on the line at once, and may wait for an agent at once."""
    at, sid = event.received_at, event.event_id
    rung = {"party": Party.CUSTOMER.value, "address": told.number}
    began = (
        CallEvent(f"{sid}:began", at, Happened.BEGAN, data={"direction": "in"}),
        CallEvent(f"{sid}:rang", at, Happened.RANG, CALLER, rung),
        CallEvent(f"{sid}:there", at, Happened.CONNECTED, CALLER),
    )
    yield from _gone_on(told, event, began, begins=True, id=told.id)


def _stepped(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    yield from _gone_on(told, event, ())


def _gone_on(
    told: Told, event: ProviderEvent, first: tuple[CallEvent, ...], **more: Any
) -> Iterator[Inbound]:
    """Yield what a turn of the flow means: answers, and what was decided."""
    at, turn = event.received_at, told.turn
    if turn is None:
        yield InboundUnknown("nothing was decided on this event")
        return
    before = told.before.answers if told.before else ()
    fresh = [one for one in turn.state.answers if one not in before]
    events = first + tuple(
        CallEvent(f"{event.event_id}:{n}", at, Happened.ANSWERED, data=one.model_dump(), seq=n)
        for n, one in enumerate(fresh)
    )
    decision = turn.decision
    if turn.told or turn.agreed:
        kind = Happened.AGREED if turn.agreed else Happened.TOLD
        events += (CallEvent(f"{event.event_id}:{kind}", at, kind),)
    if decision is not None and decision.kind == "queue":
        more |= {"wants": True, "queue": decision.queue or None, "priority": decision.priority}
    if decision is not None and decision.kind == "message":
        more |= {"asks_for": decision.text}
    if decision is not None and decision.kind not in {"queue", "voicemail"}:
        events += (_left(event, decision.kind, at),)
    yield _call(told, events, language=turn.state.language, **more)
    if decision is not None and decision.kind == "callback":
        instead = told.call if told.before and told.before.flow == STAR else ""
        wish = _wish(told, event, decision.number, decision.queue, turn.state.language)
        yield replace(wish, instead=instead)


def _left(event: ProviderEvent, why: str, at: datetime, seq: int = 99) -> CallEvent:
    data = {"why": why} if why else {}
    return CallEvent(f"{event.event_id}:left", at, Happened.LEFT, CALLER, data, seq)


def _wish(
    told: Told, event: ProviderEvent, number: str, queue: str, language: str
) -> InboundMessage:
    """Return the wish to be called as something that waits for an agent."""
    to = called(number)
    text = catalogue(language)["voice"]["wish"].format(number=to.shown if to else number)
    return _message(told, event, {"type": "text", "text": text}, queue)


def _message(told: Told, event: ProviderEvent, part: Part, queue: str) -> InboundMessage:
    sender = caller(told.call, told.number)
    return InboundMessage(
        sender=sender,
        verified=False,
        thread=f"{sender.scheme}:{sender.value}",
        parts=(part,),
        provider_id=event.event_id,
        queue=queue or None,
        # What answers by text would be told to somebody who has hung up.
        automatic=True,
    )


def _recorded(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """A caller has left a message."""
    yield _call(told, (_left(event, "voicemail", event.received_at),))
    if told.form.get("RecordingStatus") != "completed":
        return
    part: Part = {
        "type": "file",
        "name": "voicemail.wav",
        "media_type": "audio/x-wav",
        "url": clean(told.form.get("RecordingUrl", ""), 1000),
        "fetch": True,
    }
    yield _message(told, event, part, told.queue)


def _taken(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """A part of a call was recorded."""
    if told.form.get("RecordingStatus") == "completed":
        yield _call(told, (), recorded=made(told.form, event.received_at))


def _scored(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """A caller has said how it was."""
    if told.value:
        said = {"step": SURVEY, "name": SCORE, "value": told.value}
        # Whoever answers twice has answered once.
        yield _call(told, (CallEvent(SCORE, event.received_at, Happened.ANSWERED, data=said),))


def _joined(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """Somebody of the center takes part from now on, by their browser."""
    there = CallEvent(f"{event.event_id}:there", event.received_at, Happened.CONNECTED, told.leg)
    yield _call(told, (there,))


def _conferred(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """Somebody has come into the conference, or left; its end leaves nobody."""
    what, form = told.form.get("StatusCallbackEvent", ""), told.form
    kind = {
        "participant-join": Happened.CONNECTED,
        "participant-leave": Happened.LEFT,
        "conference-end": Happened.LEFT,
    }.get(what)
    if kind is None:
        return
    own = what == "conference-end" or form.get("CallSid") == told.call
    leg = CALLER if own else form.get("ParticipantLabel", "")
    if kind is Happened.LEFT and _may_come_back(told, own=own):
        kind = Happened.DROPPED
    seq = told.rounds * ROUND + _number(form)
    yield _call(told, (CallEvent(event.event_id, _when(told, event), kind, leg, seq=seq),))


def _may_come_back(told: Told, *, own: bool) -> bool:
    """Tell whether somebody who has left a conference may come in again: a page that is loaded
    anew (whom we let go has left already), a caller who is still on the line.
    """
    if not own:
        return True
    if told.form.get("StatusCallbackEvent") == "conference-end":
        return not made_here(told.call)
    return told.form.get("ParticipantCallStatus", "completed") == "in-progress"


def _status(told: Told, event: ProviderEvent) -> Iterator[Inbound]:
    """A call has gone on: the caller's, which only ends, or one that we make."""
    status = told.form.get("CallStatus", "")
    kind = Happened.CONNECTED if status == "in-progress" else Happened.LEFT
    if status not in {"in-progress", *ENDS}:
        return
    incoming = told.leg == CALLER and not made_here(told.call)
    why = "" if incoming else ENDS.get(status, "")
    # Twilio does not say of whose call the number's own callbacks are; they have no floor.
    at = _when(told, event) if told.id else event.received_at
    data = {"why": why} if why else {}
    # The end of a call comes after whatever was decided in the same moment.
    seq = _number(told.form) + (LAST if kind is Happened.LEFT else 0)
    yield _call(told, (CallEvent(event.event_id, at, kind, told.leg, data, seq),))


ENDS = {
    "completed": "",
    "busy": "busy",
    "no-answer": "no_answer",
    "failed": "failed",
    "canceled": "hung_up",
}
_TAKES = {
    "voice": _begun,
    "step": _stepped,
    "status": _status,
    "conference": _conferred,
    "recording": _recorded,
    "take": _taken,
    "score": _scored,
    "agent": _joined,
}


def _when(told: Told, event: ProviderEvent) -> datetime:
    """Return when something happened: by Twilio's clock, but after the call began and before we
    heard of it.
    """
    at = event.received_at
    try:
        moment = parsedate_to_datetime(told.form.get("Timestamp", ""))
        at = min(at, moment.astimezone(UTC) + SECOND)
        return max(at, written_at(told.id))
    except (ValueError, TypeError, OverflowError):
        return at


def made(form: Mapping[str, str], heard: datetime) -> Recorded:
    """Return what was recorded of a call, of which we have ``heard`` then."""
    try:
        began = parsedate_to_datetime(form.get("RecordingStartTime", "")).astimezone(UTC)
    except (ValueError, TypeError, OverflowError):
        began = heard
    return Recorded(
        form.get("RecordingSid", ""), min(began, heard), _whole(form.get("RecordingDuration", ""))
    )


def _number(form: Mapping[str, str]) -> int:
    return _whole(form.get("SequenceNumber", ""))


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 7 else 0
