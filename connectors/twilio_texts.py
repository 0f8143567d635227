"""Text messages by Twilio: sent, settled where nobody knows what became of them, and told of.

Source: twilio.com/docs/messaging/api/message-resource (sending, statuses).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException

from connectors.base import Refused
from connectors.twilio_api import (
    SID,
    NotSent,
    SdkTransport,
    TwilioAccess,
    asked,
    client,
    parsed,
    why,
)
from madoguchi.model.conversation import MessageState
from madoguchi.model.ids import is_id, written_at
from madoguchi.model.inbound import (
    Inbound,
    InboundReceipt,
    InboundUnknown,
    Outbound,
    ProviderEvent,
    Receipt,
    Rejected,
    UnknownOutcome,
)
from unified_profile.identity import clean

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


@dataclass(frozen=True)
class Texts:
    """The text messages of one account; ``service`` sends them, else its number does."""

    settings: TwilioAccess
    http: aiohttp.ClientSession
    service: str = ""

    async def send(self, outbound: Outbound, callback: str) -> Receipt:
        """Send an SMS; the receipt's id is Twilio's sid. Raises RetryLater, AuthFailed, Rejected,
        UnknownOutcome.
        """
        if len(outbound.text) > TEXT_LIMIT:
            raise Rejected(f"an SMS has at most {TEXT_LIMIT} characters")
        fields: dict[str, Any] = {"body": outbound.text, "status_callback": callback}
        if self.service:
            fields["messaging_service_sid"] = self.service
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
        """Look a message up by recipient, sender, time and text: one list query.

        Only messages count that Twilio made after ours was written: the same words may have been
        sent before.
        """
        since = (outbound.since or written_at(outbound.message)) - SKEW
        query: dict[str, Any] = {"to": outbound.recipient.value, "date_sent_after": since}
        if self.settings.number and not self.service:
            query["from_"] = self.settings.number
        asking = client(self.settings, self._transport())
        try:
            found = await asking.messages.list_async(limit=50, page_size=50, **query)
        except (TwilioException, NotSent, UnknownOutcome, *_NONSENSE):
            return None
        same = [m for m in found if m.body == outbound.text and (m.date_created or since) >= since]
        return _receipt(same[0]) if len(same) == 1 else None

    def _transport(self) -> SdkTransport:
        return SdkTransport(self.http, self.settings.api_base, self.settings.timeout_s)


def sid_of_text(form: Mapping[str, str]) -> str:
    """Return the MessageSid of an event. Raises Refused."""
    sid = form.get("MessageSid") or form.get("SmsSid") or ""
    if not SID.fullmatch(sid):
        raise Refused("the event has no MessageSid")
    return sid


def told_of(
    form: Mapping[str, str], query: Mapping[str, str], body: bytes, now: datetime
) -> ProviderEvent:
    """Return the event of a status callback; its id is the MessageSid with the status."""
    sid, message = sid_of_text(form), query.get("message", "")
    kind = f"status:{message}" if is_id(message) else "status"
    status = form.get("MessageStatus") or form.get("SmsStatus") or ""
    return ProviderEvent(f"{sid}:{status[:40]}", f"message:{message or sid}", kind, body, now)


def receipt(event: ProviderEvent) -> Inbound:
    """Return what a status callback says."""
    status = event.event_id.partition(":")[2].lower()
    if status not in STATES:
        return InboundUnknown(f"unknown message status {status!r}")
    message = event.kind.partition(":")[2] or None
    code = clean(parsed(event.body).get("ErrorCode", ""), 20)
    return InboundReceipt(
        STATES[status],
        message,
        event.event_id.partition(":")[0],
        why(code) if code else status,
    )


def _receipt(made: Any) -> Receipt:
    return Receipt(made.sid, STATES.get(str(made.status), MessageState.SENDING))


_NONSENSE = (ValueError, KeyError, TypeError, AttributeError)
