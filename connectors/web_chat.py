"""Chat on a web site: the channel of the widget. Its sockets are in connectors.web_chat_sockets.

There is no provider: the visitor's browser is the client. What it sends becomes an inbox row like
any webhook (the client's message id is the event id); what agents write reaches it as the log,
filtered for this visitor.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any, ClassVar, Literal

import orjson
from pydantic import Field, SecretStr

from connectors import attributes, web_call
from connectors.base import Connector, ConnectorSettings, HookRequest, Refused
from madoguchi.model.channels import Capabilities, Channel
from madoguchi.model.conversation import Part
from madoguchi.model.inbound import (
    Inbound,
    InboundCallback,
    InboundEnd,
    InboundIdentity,
    InboundMessage,
    InboundSeen,
    InboundUnknown,
    Outbound,
    ProviderEvent,
    Receipt,
    Rejected,
)
from madoguchi.model.people import Address, Scheme
from unified_profile.identity import clean, mail, phone

IDENTIFY_AGE = timedelta(minutes=10)
IDENTIFY_AHEAD = timedelta(minutes=1)
CALLBACK_ACTS = frozenset({"ask", "decline", "cancel"})


class WebChatSettings(ConnectorSettings):
    """One web site. ``origins`` may embed the widget; ``secret`` signs who a customer is; ``calls``
    says whether visitors may call from their browser, and be seen.
    """

    origins: list[Annotated[str, Field(pattern=r"^https?://[^/\s]+$")]] = Field(
        default_factory=list, max_length=50
    )
    secret: SecretStr | None = None
    greeting: str = Field("", max_length=200)
    greeting_en: str = Field("", max_length=200)
    calls: Literal["none", "voice", "video"] = "none"
    color: str = Field("#165E83", pattern="^#[0-9A-Fa-f]{6}$")


class WebChat(Connector):
    """Chat with the visitors of one web site."""

    name = "web_chat"
    channel = Channel.CHAT
    capabilities = Capabilities(
        text_limit=10_000,
        files=True,
        typing=True,
        delivery_receipts=True,
        read_receipts=True,
        release_after_s=600.0,
        reopen_window_s=24 * 3600.0,
        stream=True,
        by_browser=True,
        records=True,
    )
    Settings = WebChatSettings
    settings: WebChatSettings
    kinds: ClassVar[frozenset[str]] = frozenset(
        {"message", "seen", "identify", "leave", "offline", "callback", "call"}
    )

    @property
    def takes_calls(self) -> bool:
        """Whether visitors may call from their browser."""
        return self.settings.calls != "none"

    def verify(self, request: HookRequest, body: bytes) -> list[ProviderEvent]:
        """Refuse: chat comes over the widget's socket, never as a webhook."""
        raise Refused("chat has no webhook")

    def event(self, visitor: str, kind: str, id: str, body: dict[str, Any]) -> ProviderEvent:
        """Return a visitor's act as an event in the visitor's lane."""
        return ProviderEvent(
            event_id=f"{visitor}:{id}",
            lane=f"visitor:{visitor}",
            kind=kind,
            body=orjson.dumps({**body, "visitor": visitor, "id": id}),
            received_at=self.ports.clock.now(),
        )

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return what a visitor's act means."""
        try:
            body = orjson.loads(event.body)
            if event.kind == "call":
                return web_call.parse(body, event.received_at)
            handler = _PARSERS.get(event.kind)
            return handler(body) if handler else [InboundUnknown(f"unknown kind {event.kind}")]
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as wrong:
            return [InboundUnknown(f"not an event of the widget: {wrong}")]

    async def send(self, outbound: Outbound) -> Receipt:
        """Refuse: replies reach the widget through the log."""
        raise Rejected("chat needs no sending")

    def check_identity(self, data: dict[str, Any], now: datetime) -> str | None:
        """Return why a claim "this visitor is our customer" does not hold, None when it does.

        HMAC-SHA256 under the site's secret over the JSON array of id, name, phone, mail,
        issued_at and, where they are given, the attributes; at most ten minutes old.
        """
        if self.settings.secret is None:
            return "this site has no secret for identify()"
        values = [data.get(k, "") for k in ("id", "name", "phone", "mail", "issued_at")]
        if not all(isinstance(v, str) and len(v) <= 320 for v in values) or not values[0]:
            return "id, name, phone, mail, issued_at and signature must be texts"
        signed = data.get("attributes") or {}
        unfit = attributes.why_unfit(signed)
        if unfit is not None:
            return unfit
        who, name, tel, box, issued_at = (str(value) for value in values)
        secret = self.settings.secret.get_secret_value()
        wanted = sign_identity(secret, who, name, tel, box, issued_at, signed)
        given = str(data.get("signature", "")).lower()
        if not hmac.compare_digest(wanted.encode(), given.encode("utf-8", "replace")):
            return "the signature does not fit"
        try:
            issued = datetime.fromisoformat(str(values[4]).replace("Z", "+00:00"))
        except ValueError:
            return "issued_at must be an RFC 3339 time"
        if issued.tzinfo is None or not -IDENTIFY_AHEAD <= now - issued <= IDENTIFY_AGE:
            return "the claim is too old; sign it when the page is made"
        return None


def sign_identity(
    secret: str,
    id: str,
    name: str,
    phone: str,
    mail: str,
    issued_at: str,
    signed: Mapping[str, str] | None = None,
) -> str:
    """Return the signature that a web site gives with ``Madoguchi.identify``."""
    more = [attributes.pairs(signed)] if signed else []
    text = orjson.dumps([id, name, phone, mail, issued_at, *more])
    return hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def visitor_address(visitor: str) -> Address:
    """Return the address of a visitor's browser."""
    return Address(Scheme.VISITOR, visitor)


def _message(body: dict[str, Any]) -> list[Inbound]:
    visitor = str(body["visitor"])
    parts: list[Part] = []
    if body.get("text"):
        parts.append({"type": "text", "text": clean(str(body["text"]), 65_536)})
    parts += [_file(f) for f in body.get("files", [])]
    context: dict[str, Any] = {}
    if isinstance(body.get("page"), dict):
        context["page"] = {k: clean(str(body["page"].get(k, "")), 500) for k in ("url", "title")}
    if told := attributes.kept(body.get("attributes")):
        context["attributes"] = told
    if isinstance(body.get("claims"), dict):
        context["claims"] = {
            k: clean(str(body["claims"].get(k, "")), 320) for k in ("name", "mail", "phone")
        }
    return [
        InboundMessage(
            sender=visitor_address(visitor),
            verified=False,
            thread=visitor,
            parts=tuple(parts),
            provider_id=f"{visitor}:{body['id']}",
            name=context.get("claims", {}).get("name", ""),
            language=_language(body.get("language")),
            topic=clean(str(body["topic"]), 120) if body.get("topic") else None,
            context=context,
        )
    ]


def _language(told: object) -> str:
    """Return a language that we speak, else nothing: the account's counts then."""
    return str(told)[:2] if str(told)[:2] in {"ja", "en"} else ""


def _file(one: dict[str, Any]) -> Part:
    return {
        "type": "file",
        "file": str(one["id"]),
        "name": str(one["name"]),
        "media_type": str(one["media_type"]),
        "size": int(one["size"]),
    }


def _seen(body: dict[str, Any]) -> list[Inbound]:
    visitor = str(body["visitor"])
    read_to = body.get("read_to")
    moment = datetime.fromisoformat(read_to.replace("Z", "+00:00")) if read_to else None
    if moment is not None and moment.tzinfo is None:
        raise ValueError("read_to has no zone")
    return [
        InboundSeen(
            visitor_address(visitor),
            visitor,
            tuple(str(id) for id in body.get("delivered", [])),
            moment,
        )
    ]


def _identify(body: dict[str, Any]) -> list[Inbound]:
    claims = [Address(Scheme.CUSTOMER, clean(str(body["customer"]), 320))]
    claims += [a for a in (phone(str(body["phone"])), mail(str(body["mail"]))) if a]
    return [
        InboundIdentity(
            visitor_address(str(body["visitor"])),
            tuple(claims),
            clean(str(body["name"]), 120),
            attributes={k: clean(v, 200) for k, v in body.get("attributes", {}).items()},
        )
    ]


def _callback(body: dict[str, Any]) -> list[Inbound]:
    visitor, act = str(body["visitor"]), body["act"]
    if act not in CALLBACK_ACTS:
        raise ValueError(f"unknown act {act}")
    number = clean(str(body.get("number", "")), 40)
    return [InboundCallback(visitor_address(visitor), visitor, act, number)]


def _leave(body: dict[str, Any]) -> list[Inbound]:
    visitor = str(body["visitor"])
    return [InboundEnd(visitor_address(visitor), visitor)]


_PARSERS = {
    "message": _message,
    "offline": _message,
    "seen": _seen,
    "identify": _identify,
    "leave": _leave,
    "callback": _callback,
}
