"""SMS by Twilio: signed webhooks in, the official SDK out.

Source: twilio.com/docs/messaging/api/message-resource (sending, statuses).
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from connectors.base import Connector, HookRequest, Refused
from connectors.twilio_api import TwilioAccess, check_signature, parsed
from connectors.twilio_texts import TEXT_LIMIT, Texts, receipt, sid_of_text, told_of
from madoguchi.model.channels import Capabilities, Channel
from madoguchi.model.conversation import Part
from madoguchi.model.inbound import (
    Inbound,
    InboundMessage,
    Outbound,
    ProviderEvent,
    Receipt,
)
from madoguchi.model.people import Scheme
from unified_profile.identity import clean, sender

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
        sid, now = sid_of_text(form), self.ports.clock.now()
        if request.tail == "status":
            return [told_of(form, request.query, body, now)]
        lane = f"sender:{clean(form.get('From', ''), 100)}"
        return [ProviderEvent(sid, lane, "message", body, now)]

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return the message or the receipt of an event."""
        if event.kind.startswith("status"):
            return [receipt(event)]
        return [self._message(event, parsed(event.body))]

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

    async def send(self, outbound: Outbound) -> Receipt:
        """Send an SMS; the receipt's id is Twilio's sid."""
        place = urlencode({"message": outbound.message})
        return await self._texts.send(outbound, f"{self.hook_url}/status?{place}")

    async def settle(self, outbound: Outbound) -> Receipt | None:
        """Look the message up at Twilio."""
        return await self._texts.settle(outbound)

    @property
    def _texts(self) -> Texts:
        return Texts(self.settings, self.ports.http, self.settings.messaging_service_sid)


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
