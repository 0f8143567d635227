"""An SMS as Twilio keeps it: its statuses, its JSON, its webhook forms. Pure, no I/O.

Sources: the public description twilio_api_v2010.json (Messages),
twilio.com/docs/messaging/api/message-resource (statuses), 3GPP TS 23.038 (segments).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode

from multidict import MultiDict
from twilio.request_validator import RequestValidator

from madoguchi.demo.twilio_rules import Modes

VERSION = "2010-04-01"

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


class WrongOrder(Exception):
    """A message cannot get this status after the one that it has."""


@dataclass(frozen=True, slots=True)
class Message:
    """One SMS as the provider keeps it.

    ``hook`` is what an inbound one's webhook answered: an HTTP status, 0 for no answer, None while
    it has not been called.
    """

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
    hook: int | None = None

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


def signed(token: str, url: str, form: Sequence[tuple[str, str]]) -> tuple[bytes, str]:
    """Return a form as the body of a webhook, and its X-Twilio-Signature."""
    body = urlencode(form, errors="surrogatepass")
    read = MultiDict(parse_qsl(body, keep_blank_values=True))
    return body.encode(), RequestValidator(token).compute_signature(url, read)
