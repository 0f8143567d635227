"""What Twilio accepts and how its messages move: pure rules, no I/O.

Sources: the public description twilio_api_v2010.json (Messages), twilio.com/docs/api/errors
(codes), twilio.com/docs/messaging/api/message-resource (statuses).
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from multidict import MultiDict
from pydantic import BaseModel, ConfigDict, Field

VERSION = "2010-04-01"
BODY_LIMIT = 1600

_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_GSM_ESCAPED = frozenset("\f^{}\\[~]|€")

NEXT: Mapping[str, frozenset[str]] = {
    "queued": frozenset({"sending", "failed"}),
    "sending": frozenset({"sent", "failed"}),
    "sent": frozenset({"delivered", "undelivered"}),
    "receiving": frozenset({"received"}),
}
PATHS: Mapping[str, tuple[str, ...]] = {
    "delivered": ("sending", "sent", "delivered"),
    "undelivered": ("sending", "sent", "undelivered"),
    "failed": ("sending", "failed"),
}
ERRORS: Mapping[str, tuple[int, str]] = {
    "undelivered": (30005, "Unknown destination handset"),
    "failed": (30008, "Unknown error"),
}
STOP = frozenset({"STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"})
START = frozenset({"START", "UNSTOP", "YES"})


class Refusal(Exception):
    """A request that Twilio refuses, in the form that its API gives."""

    def __init__(self, code: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status

    def json(self) -> dict[str, Any]:
        """Return Twilio's JSON body of an error."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


class WrongOrder(Exception):
    """A message cannot get this status after the one that it has."""


class Modes(BaseModel):
    """How the fake behaves: the answer to a sending, what becomes of it, the callbacks.

    ``taken``: a sending that gets 500, garbage, a cut or no answer was accepted all the same.
    ``once``: only the next sending gets ``answer``, then "ok" again. ``late_s``: callbacks wait so
    many seconds after the last status.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Literal["ok", "429", "400", "500", "garbage", "cut", "hang"] = "ok"
    code: int = Field(default=21612, ge=20001, le=99999)
    retry_after_s: int | None = Field(default=3, ge=0, le=3600)
    taken: bool = True
    once: bool = False
    outcome: Literal["delivered", "undelivered", "failed"] = "delivered"
    callbacks: bool = True
    doubled: bool = False
    shuffled: bool = False
    late_s: float = Field(default=0.0, ge=0, le=3600)


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS as the provider keeps it."""

    sid: str
    account: str
    sender: str
    recipient: str
    body: str
    status: str
    direction: Literal["inbound", "outbound-api"]
    created: datetime
    updated: datetime
    sent: datetime | None = None
    error: int | None = None
    error_message: str | None = None
    callback: str = ""
    service: str = ""
    media: tuple[tuple[str, str], ...] = ()

    def moved(self, status: str, now: datetime) -> "Message":
        """Return the message with its next status. Raises WrongOrder."""
        if status not in NEXT.get(self.status, frozenset()):
            raise WrongOrder(f"{self.status} cannot become {status}")
        code, text = ERRORS.get(status, (None, None))
        sent = now if status in {"sent", "received"} else self.sent
        return replace(self, status=status, updated=now, sent=sent, error=code, error_message=text)

    def resource(self) -> dict[str, Any]:
        """Return Twilio's JSON of a Message resource."""
        uri = f"/{VERSION}/Accounts/{self.account}/Messages/{self.sid}"
        return {
            "account_sid": self.account,
            "api_version": VERSION,
            "body": self.body,
            "date_created": format_datetime(self.created),
            "date_sent": format_datetime(self.sent) if self.sent else None,
            "date_updated": format_datetime(self.updated),
            "direction": self.direction,
            "error_code": self.error,
            "error_message": self.error_message,
            "from": self.sender,
            "messaging_service_sid": self.service or None,
            "num_media": str(len(self.media)),
            "num_segments": str(segments(self.body)),
            "price": None,
            "price_unit": "JPY",
            "sid": self.sid,
            "status": self.status,
            "subresource_uris": {"media": f"{uri}/Media.json"},
            "to": self.recipient,
            "uri": f"{uri}.json",
        }

    def status_form(self) -> list[tuple[str, str]]:
        """Return the form that a status callback posts."""
        form = [
            ("SmsSid", self.sid),
            ("SmsStatus", self.status),
            ("MessageStatus", self.status),
            ("To", self.recipient),
            ("MessageSid", self.sid),
            ("AccountSid", self.account),
            ("From", self.sender),
            ("ApiVersion", VERSION),
        ]
        if self.service:
            form.append(("MessagingServiceSid", self.service))
        if self.error is not None:
            form.append(("ErrorCode", str(self.error)))
        return form

    def webhook_form(self) -> list[tuple[str, str]]:
        """Return the form that an inbound message posts."""
        form = [
            ("ToCountry", "JP"),
            ("SmsMessageSid", self.sid),
            ("NumMedia", str(len(self.media))),
            ("SmsSid", self.sid),
            ("SmsStatus", "received"),
            ("FromCountry", "JP"),
            ("Body", self.body),
            ("To", self.recipient),
            ("NumSegments", str(segments(self.body))),
            ("MessageSid", self.sid),
            ("AccountSid", self.account),
            ("From", self.sender),
            ("ApiVersion", VERSION),
        ]
        for number, (url, media_type) in enumerate(self.media):
            form += [(f"MediaUrl{number}", url), (f"MediaContentType{number}", media_type)]
        return form


def segments(body: str) -> int:
    """Return how many SMS a text takes: GSM 03.38 160/153 septets, else UCS-2 70/67 units."""
    if all(c in _GSM or c in _GSM_ESCAPED for c in body):
        size, one, part = sum(1 + (c in _GSM_ESCAPED) for c in body), 160, 153
    else:
        size, one, part = len(body.encode("utf-16-le", "surrogatepass")) // 2, 70, 67
    return 1 if size <= one else -(-size // part)


def planned(messages: Iterable[Message], modes: Modes) -> list[Message]:
    """Return the callbacks of a message's statuses in the order in which they are posted.

    Shuffled ones are never in order, so that a reader which needs order fails every time.
    """
    found = list(messages) if modes.callbacks else []
    if modes.shuffled:
        found = found[1::2] + found[::2][::-1]
    if modes.doubled:
        found = [one for one in found for _ in range(2)]
    return found


def _sid(prefix: str) -> Callable[[str], bool]:
    return re.compile(rf"{prefix}[0-9a-fA-F]{{32}}").fullmatch  # type: ignore[return-value]


def _one_of(*values: str) -> Callable[[str], bool]:
    return frozenset(values).__contains__


def _whole(least: int, most: int) -> Callable[[str], bool]:
    def check(value: str) -> bool:
        return value.isascii() and value.isdecimal() and least <= int(value[:12]) <= most

    return check


def _moment(value: str) -> bool:
    try:
        return datetime.fromisoformat(value.replace("Z", "+00:00")).tzinfo is not None
    except ValueError:
        return False


def _number(value: str) -> bool:
    return re.fullmatch(r"[0-9]+(\.[0-9]+)?", value) is not None


def _any(_: str) -> bool:
    return True


_BOOLEAN = _one_of("true", "false", "True", "False")
_LISTS = frozenset({"MediaUrl", "PersistentAction"})
PARAMETERS: Mapping[str, Callable[[str], bool]] = {
    "To": _any,
    "From": _any,
    "Body": _any,
    "StatusCallback": _any,
    "MessagingServiceSid": _sid("MG"),
    "ApplicationSid": _sid("AP"),
    "ContentSid": _sid("HX"),
    "MaxPrice": _number,
    "ProvideFeedback": _BOOLEAN,
    "Attempt": _whole(1, 1_000_000),
    "ValidityPeriod": _whole(1, 36_000),
    "ForceDelivery": _BOOLEAN,
    "ContentRetention": _one_of("retain", "discard"),
    "AddressRetention": _one_of("retain", "obfuscate"),
    "SmartEncoded": _BOOLEAN,
    "PersistentAction": _any,
    "TrafficType": _one_of("free"),
    "ShortenUrls": _BOOLEAN,
    "ScheduleType": _one_of("fixed"),
    "SendAt": _moment,
    "SendAsMms": _BOOLEAN,
    "ContentVariables": _any,
    "RiskCheck": _one_of("enable", "disable"),
    "FallbackFrom": _any,
    "MediaUrl": lambda value: absolute(value),
}


def absolute(url: str) -> bool:
    """Return whether an address is an absolute http(s) URL with a host that Twilio calls."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and _HOST.fullmatch(host) is not None


def check_known(form: MultiDict[str], known: Mapping[str, Callable[[str], bool]]) -> None:
    """Refuse parameters that do not exist, stand twice or hold what they may not: 20001."""
    for name, value in form.items():
        if name not in known:
            raise Refusal(20001, f"Unknown parameter: {name[:100]}")
        if name not in _LISTS and len(form.getall(name)) > 1:
            raise Refusal(20001, f"Parameter given twice: {name}")
        if not known[name](value):
            raise Refusal(20001, f"Invalid value for parameter {name}: {value[:100]}")


def check_sending(
    form: MultiDict[str], numbers: frozenset[str], services: frozenset[str], stopped: set[str]
) -> None:
    """Refuse what Twilio refuses of a request to send a message. Raises Refusal."""
    check_known(form, PARAMETERS)
    recipient, sender = form.get("To", ""), form.get("From", "")
    service, body = form.get("MessagingServiceSid", ""), form.get("Body", "")
    if not recipient:
        raise Refusal(21604, "A 'To' phone number is required.")
    if not _E164.fullmatch(recipient):
        raise Refusal(21211, f"Invalid 'To' Phone Number: {recipient[:50]}")
    if not sender and not service:
        raise Refusal(21603, "A 'From' phone number is required.")
    if service and service not in services:
        raise Refusal(21701, "The Messaging Service does not exist")
    if sender and sender not in numbers:
        raise Refusal(
            21606,
            f"The 'From' phone number {sender[:50]} is not a valid, SMS-capable inbound phone "
            "number or short code for your account.",
        )
    if recipient == sender:
        raise Refusal(21266, "'To' and 'From' number cannot be the same")
    if not body and not form.get("MediaUrl") and not form.get("ContentSid"):
        raise Refusal(21602, "Message body is required.")
    _check_rest(form, recipient, body, stopped)


def _check_rest(form: MultiDict[str], recipient: str, body: str, stopped: set[str]) -> None:
    if len(body) > BODY_LIMIT:
        raise Refusal(
            21617, f"The concatenated message body exceeds the {BODY_LIMIT} character limit."
        )
    callback = form.get("StatusCallback")
    if callback is not None and not absolute(callback):
        raise Refusal(21609, f"The 'StatusCallback' URL {callback[:100]} is not a valid URL.")
    if recipient in stopped:
        raise Refusal(21610, "Attempt to send to unsubscribed recipient")
    if ("SendAt" in form) != ("ScheduleType" in form):
        raise Refusal(35111, "SendAt and ScheduleType go together")
