"""SMS by Twilio: signed webhooks in, the official SDK out.

Sources: twilio.com/docs/usage/security (signatures), /docs/messaging/api/message-resource
(sending, statuses), /docs/api/errors (codes).
"""

import base64
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import aiohttp
from multidict import MultiDict
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError
from twilio.base.exceptions import (
    TwilioException,
    TwilioRestException,
    TwilioServiceException,
)
from twilio.http import AsyncHttpClient
from twilio.http.response import Response
from twilio.request_validator import RequestValidator
from twilio.rest import Client

from connectors.base import Connector, ConnectorSettings, HookRequest, Refused
from madoguchi.model.channels import Capabilities, Channel
from madoguchi.model.conversation import MessageState, Part
from madoguchi.model.ids import is_id, written_at
from madoguchi.model.inbound import (
    AuthFailed,
    Inbound,
    InboundMessage,
    InboundReceipt,
    InboundUnknown,
    Outbound,
    ProviderEvent,
    Receipt,
    Rejected,
    RetryLater,
    UnknownOutcome,
)
from madoguchi.model.people import Scheme
from unified_profile.identity import clean, sender

API = "https://api.twilio.com"
TIMEOUT_S = 15.0
TEXT_LIMIT = 1600
LONGEST_WAIT_S = 3600.0
SKEW = timedelta(seconds=60)
STATES = {
    "accepted": MessageState.SENDING,
    "scheduled": MessageState.SENDING,
    "queued": MessageState.SENDING,
    "sending": MessageState.SENDING,
    "sent": MessageState.SENT,
    "delivered": MessageState.DELIVERED,
    "partially_delivered": MessageState.DELIVERED,
    "read": MessageState.READ,
    "undelivered": MessageState.FAILED,
    "failed": MessageState.FAILED,
    "canceled": MessageState.FAILED,
}
WHY = {
    **dict.fromkeys(("21211", "21214", "21217", "21614", "30005"), "invalid_recipient"),
    **dict.fromkeys(("21610", "30004"), "blocked"),
    **dict.fromkeys(("21612", "30003", "30006"), "unreachable"),
}
"""What Twilio's error codes mean to people: https://www.twilio.com/docs/api/errors"""


SID = re.compile(r"[A-Z]{2}[0-9a-fA-F]{32}")
"""The signature joins names and values without marks between them: a recorded request could be cut
at other places and pass as a new one. With ids of a fixed form it keeps its id and is dropped.
"""

ONCE = ("MessageSid", "SmsSid", "AccountSid", "From", "To", "MessageStatus", "SmsStatus")
"""Who and which it is: the signature does not say which of two values of one field was first."""


EXAMPLE = "+815012345678"


class TwilioSettings(ConnectorSettings):
    """One Twilio number, or one Messaging Service. Two tokens are valid while one is rotated."""

    account_sid: str = Field(pattern="^AC[0-9a-fA-F]{32}$")
    auth_token: SecretStr = Field(min_length=1)
    previous_auth_token: SecretStr | None = None
    number: str = ""
    messaging_service_sid: str = Field("", pattern="^(MG[0-9a-fA-F]{32})?$")
    api_base: str = API
    timeout_s: float = Field(TIMEOUT_S, gt=0, le=60)

    @field_validator("number")
    @classmethod
    def _number(cls, value: str) -> str:
        if value and not (value.startswith("+") and value[1:].isdecimal() and len(value) <= 16):
            raise PydanticCustomError("phone_number", "write it as {example}", {"example": EXAMPLE})
        return value

    @field_validator("api_base")
    @classmethod
    def _base(cls, value: str) -> str:
        if urlsplit(value).scheme not in {"http", "https"} or not urlsplit(value).netloc:
            raise PydanticCustomError("web_address", "must be an http(s) address")
        return value.rstrip("/")

    @model_validator(mode="after")
    def _sender(self) -> "TwilioSettings":
        if not self.number and not self.messaging_service_sid:
            raise PydanticCustomError("no_sender", "give a number or a messaging_service_sid")
        return self


class NotSent(Exception):
    """The request never left: sending it again cannot make two messages."""


class SdkTransport(AsyncHttpClient):  # type: ignore[misc]
    """The SDK's HTTP client over the hub's own aiohttp session.

    It sets Authorization itself (the SDK's way is deprecated in aiohttp), sends every request to
    the configured base address, never repeats one, and tells "was not sent" from "no answer".
    ``retry_after_s`` is what the last answer asked for.
    """

    def __init__(self, session: aiohttp.ClientSession, base: str, timeout_s: float) -> None:
        super().__init__(_SILENT, True, timeout_s)
        self.retry_after_s: float | None = None
        self._session = session
        self._timeout_s = timeout_s
        self._base = urlsplit(base)

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the SDK's signature
        allow_redirects: bool = False,
    ) -> Response:
        """Make one request. Raises NotSent, UnknownOutcome."""
        asked = urlsplit(url)
        target = self._base._replace(path=self._base.path + asked.path, query=asked.query)
        sent = dict(headers or {})
        if auth is not None:
            pair = base64.b64encode(f"{auth[0]}:{auth[1]}".encode()).decode()
            sent["Authorization"] = f"Basic {pair}"
        try:
            async with self._session.request(
                method.upper(),
                urlunsplit(target),
                params={k: str(v) for k, v in (params or {}).items()},
                data=_form(data),
                headers=sent,
                allow_redirects=False,
                timeout=aiohttp.ClientTimeout(total=timeout or self._timeout_s),
            ) as answer:
                self.retry_after_s = _seconds(answer.headers.get("Retry-After", ""))
                return Response(answer.status, await answer.text(errors="replace"), answer.headers)
        except aiohttp.ClientConnectorError as fault:
            raise NotSent(str(fault)) from fault
        except (aiohttp.ClientError, TimeoutError, OSError) as fault:
            raise UnknownOutcome(f"no answer from Twilio: {type(fault).__name__}") from fault


class TwilioSms(Connector):
    """SMS over one Twilio number."""

    name = "twilio_sms"
    channel = Channel.SMS
    capabilities = Capabilities(
        text_limit=TEXT_LIMIT,
        delivery_receipts=True,
        release_after_s=0.0,
        reopen_window_s=72 * 3600.0,
        reaches=frozenset({Scheme.PHONE}),
    )
    Settings = TwilioSettings
    settings: TwilioSettings

    def verify(self, request: HookRequest, body: bytes) -> list[ProviderEvent]:
        """Check the signature; an event's id is the MessageSid, with the status for callbacks."""
        form = _parsed(body)
        self._signed(request, form)
        if any(len(form.getall(name, [])) > 1 for name in ONCE):
            raise Refused("a field that stands once in Twilio's events is there twice")
        if form.get("AccountSid", self.settings.account_sid) != self.settings.account_sid:
            raise Refused("the event is for another Twilio account")
        sid = form.get("MessageSid") or form.get("SmsSid") or ""
        if not SID.fullmatch(sid):
            raise Refused("the event has no MessageSid")
        now = self.ports.clock.now()
        if request.tail == "status":
            message = request.query.get("message", "")
            kind = f"status:{message}" if is_id(message) else "status"
            status = form.get("MessageStatus") or form.get("SmsStatus") or ""
            lane = f"message:{message or sid}"
            return [ProviderEvent(f"{sid}:{status[:40]}", lane, kind, body, now)]
        lane = f"sender:{clean(form.get('From', ''), 100)}"
        return [ProviderEvent(sid, lane, "message", body, now)]

    def _signed(self, request: HookRequest, form: MultiDict[str]) -> None:
        signature = request.headers.get("X-Twilio-Signature", "")
        tokens = [self.settings.auth_token, self.settings.previous_auth_token]
        for token in filter(None, tokens):
            try:
                if RequestValidator(token.get_secret_value()).validate(
                    request.url, form, signature
                ):
                    return
            except (ValueError, UnicodeError):
                break
        raise Refused(
            "X-Twilio-Signature does not fit; is MADOGUCHI_PUBLIC_URL the address that "
            "Twilio calls, and is the auth token right?"
        )

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return the message or the receipt of an event."""
        form = _parsed(event.body)
        if event.kind.startswith("status"):
            return [self._receipt(event, form)]
        return [self._message(event, form)]

    def _message(self, event: ProviderEvent, form: Mapping[str, str]) -> Inbound:
        address = sender(form.get("From", ""))
        parts: list[Part] = []
        if form.get("Body"):
            parts.append({"type": "text", "text": clean(form["Body"], 65_536)})
        parts += _media(form)
        if not parts:
            parts.append({"type": "text", "text": ""})
        return InboundMessage(
            sender=address,
            verified=True,
            thread=f"{address.scheme}:{address.value}",
            parts=tuple(parts),
            provider_id=event.event_id,
            # Twilio answers STOP, START and HELP itself (Advanced Opt-Out) and says which it was:
            # https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
            automatic="OptOutType" in form,
            context=_from_where(form),
        )

    def _receipt(self, event: ProviderEvent, form: Mapping[str, str]) -> Inbound:
        status = event.event_id.partition(":")[2].lower()
        if status not in STATES:
            return InboundUnknown(f"unknown message status {status!r}")
        message = event.kind.partition(":")[2] or None
        code = clean(form.get("ErrorCode", ""), 20)
        return InboundReceipt(
            STATES[status],
            message,
            event.event_id.partition(":")[0],
            _why(code) if code else status,
        )

    async def send(self, outbound: Outbound) -> Receipt:
        """Send an SMS; the receipt's id is Twilio's sid."""
        if len(outbound.text) > TEXT_LIMIT:
            raise Rejected(f"an SMS has at most {TEXT_LIMIT} characters")
        callback = f"{self.hook_url}/status?{urlencode({'message': outbound.message})}"
        fields: dict[str, Any] = {"body": outbound.text, "status_callback": callback}
        if self.settings.messaging_service_sid:
            fields["messaging_service_sid"] = self.settings.messaging_service_sid
        else:
            fields["from_"] = self.settings.number
        transport = self._transport()
        try:
            made = await self._client(transport).messages.create_async(
                outbound.recipient.value, **fields
            )
        except (TwilioRestException, TwilioServiceException) as fault:
            raise _meaning(fault, transport.retry_after_s) from fault
        except NotSent as fault:
            raise RetryLater(f"Twilio cannot be reached: {fault}") from fault
        except UnknownOutcome:
            raise
        except Exception as fault:
            raise UnknownOutcome(
                f"Twilio's answer makes no sense: {type(fault).__name__}"
            ) from fault
        if not isinstance(made.sid, str) or not made.sid:
            raise UnknownOutcome("Twilio's answer holds no sid")
        return _receipt(made)

    async def settle(self, outbound: Outbound) -> Receipt | None:
        """Look the message up by recipient, sender, time and text: one list query.

        Only messages count that Twilio made after ours was written: the same words may have been
        sent before.
        """
        since = (outbound.since or written_at(outbound.message)) - SKEW
        query: dict[str, Any] = {"to": outbound.recipient.value, "date_sent_after": since}
        if self.settings.number and not self.settings.messaging_service_sid:
            query["from_"] = self.settings.number
        client = self._client(self._transport())
        try:
            found = await client.messages.list_async(limit=50, page_size=50, **query)
        except (TwilioException, NotSent, UnknownOutcome, *_NONSENSE):
            return None
        same = [m for m in found if m.body == outbound.text and (m.date_created or since) >= since]
        return _receipt(same[0]) if len(same) == 1 else None

    def _transport(self) -> SdkTransport:
        return SdkTransport(self.ports.http, self.settings.api_base, self.settings.timeout_s)

    def _client(self, transport: SdkTransport) -> Client:
        token = self.settings.auth_token.get_secret_value()
        return Client(self.settings.account_sid, token, http_client=transport)


def _receipt(made: Any) -> Receipt:
    return Receipt(made.sid, STATES.get(str(made.status), MessageState.SENDING))


def _meaning(
    fault: TwilioRestException | TwilioServiceException, retry_after_s: float | None
) -> Exception:
    """Return what Twilio's refusal means for the message."""
    said = getattr(fault, "msg", None) or getattr(fault, "detail", None) or ""
    text = f"Twilio {fault.code or fault.status}: {said}"
    if fault.status == 429:
        return RetryLater(text, retry_after_s)
    if fault.status in {401, 403}:
        return AuthFailed(text)
    if 400 <= fault.status < 500:
        return Rejected(f"{_why(fault.code or fault.status)}: {said}")
    return UnknownOutcome(text)


def _from_where(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the place of the sender's number, where Twilio knows it:
    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    names = {"city": "FromCity", "state": "FromState", "country": "FromCountry", "zip": "FromZip"}
    told = {name: clean(form.get(field, ""), 120) for name, field in names.items()}
    place = ", ".join(text for name, text in told.items() if text and name != "zip")
    known = {name: text for name, text in {**told, "location": place}.items() if text}
    return {"attributes": known} if known else {}


def _why(code: object) -> str:
    """Return the desk's word for an error code, and the code for who has to ask Twilio."""
    return f"{WHY.get(str(code), 'rejected')}: Twilio {code}"


def _seconds(retry_after: str) -> float | None:
    """Return the seconds of a Retry-After header, None for none or for a date."""
    text = retry_after.strip()
    if not (text.isascii() and text.isdecimal()):
        return None
    return min(float(text[:9]), LONGEST_WAIT_S)


def _parsed(body: bytes) -> MultiDict[str]:
    """Return a form as Twilio signed it; duplicate keys stay. The limit of bodies is its limit."""
    return MultiDict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))


def _form(data: dict[str, object] | None) -> str | None:
    if data is None:
        return None
    return urlencode(data, doseq=True)


def _media(form: Mapping[str, str]) -> list[Part]:
    """Return the files of an MMS: named, not fetched yet."""
    count = form.get("NumMedia", "0")
    number = min(int(count), 10) if count.isdecimal() and len(count) < 4 else 0
    return [
        {
            "type": "file",
            "name": f"media-{i + 1}",
            "media_type": clean(form.get(f"MediaContentType{i}", ""), 100),
            "url": clean(form.get(f"MediaUrl{i}", ""), 1000),
        }
        for i in range(number)
    ]


class _Silent:
    """The SDK logs every request with its content; nothing of it may reach our logs."""

    def info(self, *_: object, **__: object) -> None:
        """Drop a line."""


_SILENT: Any = _Silent()
_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
