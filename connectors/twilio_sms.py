"""SMS by Twilio: signed webhooks in, the official SDK out.

Source: twilio.com/docs/messaging/api/message-resource (sending, statuses).
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError
from twilio.base.exceptions import (
    TwilioException,
)

from connectors.base import Connector, HookRequest, Refused
from connectors.twilio_api import (
    SID,
    NotSent,
    SdkTransport,
    TwilioAccess,
    asked,
    check_signature,
    client,
    parsed,
    why,
)
from madoguchi.model.channels import Capabilities, Channel
from madoguchi.model.conversation import MessageState, Part
from madoguchi.model.ids import is_id, written_at
from madoguchi.model.inbound import (
    Inbound,
    InboundMessage,
    InboundReceipt,
    InboundUnknown,
    Outbound,
    ProviderEvent,
    Receipt,
    Rejected,
    UnknownOutcome,
)
from madoguchi.model.people import Scheme
from unified_profile.identity import clean, sender

TEXT_LIMIT = 1600
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
ONCE = ("MessageSid", "SmsSid", "AccountSid", "From", "To", "MessageStatus", "SmsStatus")
"""Who and which it is: the signature does not say which of two values of one field was first."""


class TwilioSettings(TwilioAccess):
    """One Twilio number, or one Messaging Service."""

    messaging_service_sid: str = Field("", pattern="^(MG[0-9a-fA-F]{32})?$")

    @model_validator(mode="after")
    def _sender(self) -> "TwilioSettings":
        if not self.number and not self.messaging_service_sid:
            raise PydanticCustomError("no_sender", "give a number or a messaging_service_sid")
        return self


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
        form = parsed(body)
        check_signature(self.settings, request, form)
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

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return the message or the receipt of an event."""
        form = parsed(event.body)
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
            why(code) if code else status,
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
        sending = client(self.settings, transport).messages.create_async(
            outbound.recipient.value, **fields
        )
        made = await asked(transport, sending)
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
        asking = client(self.settings, self._transport())
        try:
            found = await asking.messages.list_async(limit=50, page_size=50, **query)
        except (TwilioException, NotSent, UnknownOutcome, *_NONSENSE):
            return None
        same = [m for m in found if m.body == outbound.text and (m.date_created or since) >= since]
        return _receipt(same[0]) if len(same) == 1 else None

    def _transport(self) -> SdkTransport:
        return SdkTransport(self.ports.http, self.settings.api_base, self.settings.timeout_s)


def _receipt(made: Any) -> Receipt:
    return Receipt(made.sid, STATES.get(str(made.status), MessageState.SENDING))


def _from_where(form: Mapping[str, str]) -> dict[str, Any]:
    """Return the place of the sender's number, where Twilio knows it:
    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    names = {"city": "FromCity", "state": "FromState", "country": "FromCountry", "zip": "FromZip"}
    told = {name: clean(form.get(field, ""), 120) for name, field in names.items()}
    place = ", ".join(text for name, text in told.items() if text and name != "zip")
    known = {name: text for name, text in {**told, "location": place}.items() if text}
    return {"attributes": known} if known else {}


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


_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
