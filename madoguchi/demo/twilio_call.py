"""Calls and conferences as Twilio keeps them: states, JSON, webhook forms. No I/O.

Sources: the public description twilio_api_v2010.json; twilio.com/docs/voice/twiml (requests),
/docs/voice/twiml/conference (conference events).
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import format_datetime
from typing import Any

from madoguchi.demo.twilio_message import VERSION, WrongOrder

NEXT: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"initiated", "canceled", "failed"}),
    "initiated": frozenset({"ringing", "failed", "canceled", "completed"}),
    "ringing": frozenset({"in-progress", "busy", "no-answer", "canceled", "failed", "completed"}),
    "in-progress": frozenset({"completed", "failed"}),
}
TOLD = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
"""Status → the name under which callbacks are asked for; the final ones are "completed"."""

Form = list[tuple[str, str]]


def new_sid(prefix: str) -> str:
    """Return a new id."""
    return prefix + secrets.token_hex(16)


@dataclass(slots=True)
class Call:
    """One call; ``sequence`` counts its callbacks."""

    account: str
    caller: str
    called: str
    direction: str
    created: datetime
    status: str = "queued"
    sid: str = field(default_factory=lambda: new_sid("CA"))
    parent: str = ""
    name: str = ""
    answered: datetime | None = None
    ended: datetime | None = None
    callback: str = ""
    events: frozenset[str] = frozenset({"completed"})
    sequence: int = 0
    fallback: str = ""
    history: list[str] = field(default_factory=list)

    def move(self, status: str, now: datetime) -> None:
        """Give the call its next status. Raises WrongOrder."""
        if status not in NEXT.get(self.status, frozenset()):
            raise WrongOrder(f"{self.status} cannot become {status}")
        self.status = status
        self.history.append(status)
        if status == "in-progress":
            self.answered = now
        elif status not in TOLD:
            self.ended = now

    @property
    def live(self) -> bool:
        """Tell whether it has not ended."""
        return self.status in NEXT

    @property
    def duration(self) -> int:
        """Return the seconds for which it was answered."""
        if self.ended is None or self.answered is None:
            return 0
        return int((self.ended - self.answered).total_seconds())

    def form(self) -> Form:
        """Return the fields that every webhook about a call posts."""
        shown = "ringing" if self.status == "initiated" else self.status
        form = [
            ("CallSid", self.sid),
            ("AccountSid", self.account),
            ("From", self.caller),
            ("To", self.called),
            ("Caller", self.caller),
            ("Called", self.called),
            ("CallStatus", shown),
            ("ApiVersion", VERSION),
            ("Direction", self.direction),
        ]
        form += [("CallerName", self.name)] if self.name else []
        form += [("ParentCallSid", self.parent)] if self.parent else []
        form += [("FromCountry", "JP")] if self.caller.startswith("+81") else []
        return form

    def status_form(self, now: datetime) -> Form:
        """Return the form of a status callback, and count it."""
        form = [(n, self.status if n == "CallStatus" else v) for n, v in self.form()]
        form += [
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", str(self.sequence)),
            ("Timestamp", format_datetime(now)),
        ]
        if not self.live:
            form += [("CallDuration", str(self.duration)), ("Duration", "1")]
        self.sequence += 1
        return form

    def resource(self) -> dict[str, Any]:
        """Return Twilio's JSON of a Call resource."""
        status = "queued" if self.status == "initiated" else self.status
        return {
            "account_sid": self.account,
            "answered_by": None,
            "api_version": VERSION,
            "caller_name": self.name or None,
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(self.ended or self.answered or self.created),
            "direction": self.direction,
            "duration": str(self.duration) if self.ended else None,
            "end_time": format_datetime(self.ended) if self.ended else None,
            "forwarded_from": None,
            "from": self.caller,
            "from_formatted": self.caller,
            "group_sid": None,
            "parent_call_sid": self.parent or None,
            "phone_number_sid": "PN" + "0" * 32,
            "price": None,
            "price_unit": "JPY",
            "queue_time": "0",
            "sid": self.sid,
            "start_time": format_datetime(self.answered) if self.answered else None,
            "status": status,
            "subresource_uris": {},
            "to": self.called,
            "to_formatted": self.called,
            "trunk_sid": None,
            "uri": f"/{VERSION}/Accounts/{self.account}/Calls/{self.sid}.json",
        }


@dataclass(slots=True)
class Participant:
    """A call within a conference."""

    call: Call
    joined: datetime
    label: str = ""
    muted: bool = False
    held: bool = False
    coaches: str = ""
    starts: bool = True
    ends: bool = False
    wait_url: str = ""
    wait_method: str = "POST"

    def resource(self, conference: str) -> dict[str, Any]:
        """Return Twilio's JSON of a Participant resource."""
        status = {"in-progress": "connected", "ringing": "ringing"}.get(self.call.status, "queued")
        account, sid = self.call.account, self.call.sid
        return {
            "account_sid": account,
            "call_sid": sid,
            "call_sid_to_coach": self.coaches or None,
            "coaching": bool(self.coaches),
            "conference_sid": conference,
            "date_created": format_datetime(self.joined),
            "date_updated": format_datetime(self.joined),
            "end_conference_on_exit": self.ends,
            "hold": self.held,
            "label": self.label or None,
            "muted": self.muted,
            "queue_time": "0",
            "start_conference_on_enter": self.starts,
            "status": status,
            "uri": (
                f"/{VERSION}/Accounts/{account}/Conferences/{conference}/Participants/{sid}.json"
            ),
        }


@dataclass(slots=True)
class Conference:
    """A conference: ``init`` until somebody who starts it is with somebody else."""

    account: str
    name: str
    created: datetime
    callback: str = ""
    events: frozenset[str] = frozenset()
    sid: str = field(default_factory=lambda: new_sid("CF"))
    status: str = "init"
    sequence: int = 0
    reason: str = ""
    ending: str = ""
    members: dict[str, Participant] = field(default_factory=dict)
    rung: dict[str, Participant] = field(default_factory=dict)

    @property
    def may_start(self) -> bool:
        """Tell whether it starts now."""
        two = len(self.members) > 1
        return self.status == "init" and two and any(m.starts for m in self.members.values())

    def hears(self, listener: str) -> set[str]:
        """Return the calls that a call hears."""
        own = self.members[listener]
        if own.held or self.status != "in-progress":
            return set()
        return {
            sid
            for sid, other in self.members.items()
            if sid != listener
            and not other.held
            and not other.muted
            and other.coaches in {"", listener}
        }

    def form(self, event: str, now: datetime, member: Participant | None = None) -> Form:
        """Return the form of a conference event, and count it."""
        self.sequence += 1
        form = [
            ("ConferenceSid", self.sid),
            ("FriendlyName", self.name),
            ("AccountSid", self.account),
            ("SequenceNumber", str(self.sequence)),
            ("Timestamp", format_datetime(now)),
            ("StatusCallbackEvent", event),
        ]
        if member is not None:
            form += [
                ("CallSid", member.call.sid),
                ("Muted", str(member.muted).lower()),
                ("Hold", str(member.held).lower()),
                ("Coaching", str(bool(member.coaches)).lower()),
                ("StartConferenceOnEnter", str(member.starts).lower()),
                ("EndConferenceOnExit", str(member.ends).lower()),
            ]
            form += [("ParticipantLabel", member.label)] if member.label else []
            form += [("CallSidToCoach", member.coaches)] if member.coaches else []
        if event == "conference-end":
            form.append(("ReasonConferenceEnded", self.reason))
            form += [("CallSidEndingConference", self.ending)] if self.ending else []
        return form

    def resource(self) -> dict[str, Any]:
        """Return Twilio's JSON of a Conference resource."""
        uri = f"/{VERSION}/Accounts/{self.account}/Conferences/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": VERSION,
            "call_sid_ending_conference": self.ending or None,
            "date_created": format_datetime(self.created),
            "date_updated": format_datetime(self.created),
            "friendly_name": self.name,
            "reason_conference_ended": self.reason or None,
            "region": "jp1",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"participants": f"{uri}/Participants.json"},
            "uri": f"{uri}.json",
        }
