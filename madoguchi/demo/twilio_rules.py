"""What Twilio refuses, with its codes, and how the fake misbehaves on demand. Pure, no I/O.

Sources: the public description twilio_api_v2010.json (Messages), twilio.com/docs/api/errors.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal
from urllib.parse import urlsplit

from multidict import MultiDict
from pydantic import BaseModel, ConfigDict, Field

BODY_LIMIT = 1600

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
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


class Modes(BaseModel):
    """How the fake behaves: the answer to a sending, what becomes of it, the callbacks.

    ``taken``: a sending that gets 500, garbage, a cut or no answer was accepted all the same.
    ``once``: only the next sending gets ``answer``, then "ok" again. ``late_s``: callbacks wait so
    many seconds after the last status. ``seed``: the order in which those of calls are shuffled.
    ``reads``: how what only asks is answered.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    answer: Literal["ok", "429", "400", "500", "garbage", "cut", "hang"] = "ok"
    reads: Literal["ok", "500"] = "ok"
    code: int = Field(default=21612, ge=20001, le=99999)
    retry_after_s: int | None = Field(default=3, ge=0, le=3600)
    taken: bool = True
    once: bool = False
    outcome: Literal["delivered", "undelivered", "failed"] = "delivered"
    callbacks: bool = True
    doubled: bool = False
    shuffled: bool = False
    late_s: float = Field(default=0.0, ge=0, le=3600)
    seed: int = Field(default=0, ge=0, le=2**31)


def sid_of(prefix: str) -> Callable[[str], bool]:
    """Return whether a text is an id of a kind."""
    return re.compile(rf"{prefix}[0-9a-fA-F]{{32}}").fullmatch  # type: ignore[return-value]


def one_of(*values: str) -> Callable[[str], bool]:
    """Return whether a text is one of some."""
    return frozenset(values).__contains__


def whole(least: int, most: int) -> Callable[[str], bool]:
    """Return whether a text is a whole number within limits."""

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


def anything(_: str) -> bool:
    """Return whether a text is any text."""
    return True


BOOLEAN = one_of("true", "false", "True", "False")
LISTS = frozenset(
    {
        "MediaUrl",
        "PersistentAction",
        "StatusCallbackEvent",
        "ConferenceStatusCallbackEvent",
        "RecordingStatusCallbackEvent",
        "ConferenceRecordingStatusCallbackEvent",
    }
)
PARAMETERS: Mapping[str, Callable[[str], bool]] = {
    "To": anything,
    "From": anything,
    "Body": anything,
    "StatusCallback": anything,
    "MessagingServiceSid": sid_of("MG"),
    "ApplicationSid": sid_of("AP"),
    "ContentSid": sid_of("HX"),
    "MaxPrice": _number,
    "ProvideFeedback": BOOLEAN,
    "Attempt": whole(1, 1_000_000),
    "ValidityPeriod": whole(1, 36_000),
    "ForceDelivery": BOOLEAN,
    "ContentRetention": one_of("retain", "discard"),
    "AddressRetention": one_of("retain", "obfuscate"),
    "SmartEncoded": BOOLEAN,
    "PersistentAction": anything,
    "TrafficType": one_of("free"),
    "ShortenUrls": BOOLEAN,
    "ScheduleType": one_of("fixed"),
    "SendAt": _moment,
    "SendAsMms": BOOLEAN,
    "ContentVariables": anything,
    "RiskCheck": one_of("enable", "disable"),
    "FallbackFrom": anything,
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
        if name not in LISTS and len(form.getall(name)) > 1:
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
    if not E164.fullmatch(recipient):
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
