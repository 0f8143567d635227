"""REST of conversations: read, timeline, say, draft, subject, customers."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from pydantic import Field
from sqlalchemy import select

from madoguchi.clock import Clock, from_micros, to_micros
from madoguchi.conversations import acts
from madoguchi.conversations.calls.story import CALL
from madoguchi.conversations.tables import conversation, work_item
from madoguchi.conversations.views import ConversationViews, retries, timeline
from madoguchi.conversations.visibility import seen_by, visible
from madoguchi.files.service import attach
from madoguchi.http.problems import Problem
from madoguchi.http.table import Body, Call, Nothing, Operation, if_match
from madoguchi.live.views import View, Views
from madoguchi.model.channels import Line
from madoguchi.model.conversation import Message, Part
from madoguchi.model.ids import Id, is_id
from madoguchi.model.log import Entity
from madoguchi.model.people import Actor, Address
from madoguchi.security.permissions import Action, NotFound, require
from madoguchi.store.work import Conflict, Store, Work
from unified_profile import service as profile
from unified_profile.identity import mail, phone
from unified_profile.tables import customer_of

V1 = "/api/v1"
TEXT_LIMIT = 65_536
Text = Annotated[str, Field(max_length=TEXT_LIMIT)]
Uuid = Annotated[
    str, Field(pattern="^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$")
]


class ToBody(Body):
    """An address of the customer, and the account to write to it from."""

    identity: Uuid
    account: Uuid


class SayBody(Body):
    """A reply or a note; ``id`` is the client's own, so that repeating is safe."""

    id: Uuid | None = None
    mode: Literal["reply", "note"]
    text: Text = ""
    files: list[Uuid] = Field(default_factory=list, max_length=10)
    newest: Uuid | None = None
    to: ToBody | None = None


class DraftBody(Body):
    """What has been written so far."""

    mode: Literal["reply", "note"]
    text: Text


class SubjectBody(Body):
    """The matter's name."""

    subject: Annotated[str, Field(max_length=200)]


class NameBody(Body):
    """A customer's name."""

    name: Annotated[str, Field(min_length=1, max_length=120)]


class LinkBody(Body):
    """An identity that belongs to this customer."""

    identity: Uuid


class PageQuery(Body):
    """A page of a timeline."""

    before: Annotated[str, Field(max_length=200)] = ""
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@dataclass(frozen=True)
class ConversationApi:
    """The operations of this room."""

    store: Store
    clock: Clock
    views: Views
    render: ConversationViews
    line: Callable[[Id], Line | None]

    def operations(self) -> list[Operation]:
        """Return this room's part of the route table."""
        read, note = Action.READ, Action.NOTE
        one = f"{V1}/conversations/{{id}}"
        return [
            Operation("GET", one, self.get, "One conversation", action=read),
            Operation(
                "GET",
                f"{one}/timeline",
                self.timeline,
                "Everything between the customer and the center that the agent may see",
                query=PageQuery,
                action=read,
            ),
            Operation(
                "POST",
                f"{one}/messages",
                self.say,
                "Reply or note",
                SayBody,
                status=201,
                within=True,
            ),
            Operation("PUT", f"{one}/draft", self.draft, "Keep a draft", DraftBody, action=note),
            Operation(
                "PUT", f"{one}/subject", self.subject, "Name the matter", SubjectBody, status=204
            ),
            Operation("GET", f"{V1}/customers/{{id}}", self.customer, "One customer", action=read),
            Operation("PUT", f"{V1}/customers/{{id}}", self.rename, "Rename", NameBody),
            Operation(
                "POST",
                f"{V1}/customers/{{id}}/identities",
                self.link,
                "Link one more",
                LinkBody,
                status=204,
                action=Action.LINK,
                within=True,
            ),
            Operation(
                "GET",
                f"{V1}/customers/{{id}}/suggestions",
                self.suggest,
                "Customers who may be the same person",
                action=Action.LINK,
            ),
        ]

    async def get(self, call: Call[Nothing]) -> Any:
        """Return a conversation view. 404 for foreign ones."""
        id = call.id()

        def unit() -> Work[Any]:
            yield from seen_by(call.actor, id)
            return (yield from self.render.desk([id]))[id].body

        return await self.store.read(unit)

    async def timeline(self, call: Call[PageQuery]) -> Any:
        """Return a page of the customer's timeline, newest last."""
        before = _place(call.body.before)
        return await self.store.read(
            lambda: self._timeline(call.actor, call.id(), before, call.body.limit)
        )

    def _timeline(
        self, actor: Actor, id: Id, before: tuple[Any, ...] | None, limit: int
    ) -> Work[dict[str, Any]]:
        yield from seen_by(actor, id)
        ids = yield from of_same_customer(actor, id)
        rows = yield from timeline(actor, ids, before, limit)
        again = yield from retries(rows)
        shown = sorted({r.conversation for r in rows} | {id})
        conversations = yield from self.render.desk(shown)
        items = yield select(work_item.c.id).where(work_item.c.conversation.in_(shown))
        item_views = yield from self.views.render(Entity.ITEM, [r.id for r in items], visitor=False)
        calls = [part["data"]["call"] for r in rows for part in r.parts if part.get("code") == CALL]
        call_views = yield from self.views.render(Entity.CALL, calls, visitor=False)
        return {
            "entries": [self.render.message_body(r, again.get(r.id)) for r in reversed(rows)],
            "conversations": bodies(conversations),
            "items": bodies(item_views),
            "calls": bodies(call_views),
            "before": _cursor(rows[-1]) if len(rows) == limit else None,
        }

    async def say(self, call: Call[SayBody]) -> Any:
        """Store a reply or a note; return the message view."""
        body, now = call.body, self.clock.now()
        if not body.text.strip() and not body.files:
            raise Problem(422, "empty", "write something or attach a file")
        if body.to is not None and body.mode == "note":
            raise Problem(422, "note_has_no_address", "a note goes to nobody")

        def unit() -> Work[Any]:
            message = yield from self._say(call.actor, call.id(), body, now)
            return (yield from self.render.messages([message.id]))[message.id].body

        try:
            return await self.store.write(call.once(unit))
        except acts.Refusal as refused:
            if refused.code != "newer_answer":
                raise
            newer = refused.facts["message"]
            views = await self.store.read(lambda: self.render.messages([newer]))
            detail = str(refused)
            raise Problem(409, refused.code, detail, message=views[newer].body) from refused

    def _say(self, actor: Actor, id: Id, body: SayBody, now: datetime) -> Work[Message]:
        yield from seen_by(actor, id)
        rows = yield select(conversation.c.account, conversation.c.identity).where(
            conversation.c.id == id
        )
        own = ToBody(identity=rows[0].identity, account=rows[0].account)
        to = body.to if body.to != own else None
        line = self.line((to or own).account)
        if line is None:
            raise Problem(409, "account_gone", "the account of this conversation is not working")
        files = yield from attach(body.files, id, str(actor.id))
        limit = line.capabilities.text_limit if body.mode == "reply" else None
        if limit is not None and len(body.text) > limit:
            raise Problem(422, "too_long", f"at most {limit} characters here", limit=limit)
        parts: list[Part] = [{"type": "text", "text": body.text}] if body.text else []
        recipient = acts.Recipient(to.identity, line) if to else None
        text = acts.Text(id, body.mode, (*parts, *files), body.id, body.newest, recipient)
        stream = line.capabilities.stream
        return (yield from acts.say(actor, text, stream=stream, now=now, new_id=self.clock.new_id))

    async def draft(self, call: Call[DraftBody]) -> Any:
        """Keep a draft; an empty text deletes it."""
        draft = acts.Draft(call.id(), call.body.mode, call.body.text)
        now = self.clock.now()
        version = await self.store.write(lambda: acts.keep_draft(call.actor, draft, now))
        return {"version": version}

    async def subject(self, call: Call[SubjectBody]) -> None:
        """Name the matter."""
        now, subject = self.clock.now(), call.body.subject
        await self.store.write(lambda: acts.rename(call.actor, call.id(), subject, now))

    async def customer(self, call: Call[Nothing]) -> Any:
        """Return a customer with the conversations that the agent may see."""
        return await self.store.read(lambda: self._customer(call.actor, call.id()))

    def _customer(self, actor: Actor, id: Id) -> Work[dict[str, Any]]:
        ids = yield from reachable(actor, id)
        views = yield from profile.bodies([id])
        newest = yield from self.render.desk(ids[:50])
        return {**views[id], "conversations": bodies(newest)}

    async def rename(self, call: Call[NameBody]) -> Any:
        """Rename a customer under If-Match."""
        id, now, name = call.id(), self.clock.now(), call.body.name
        version = if_match(call.request)

        def unit() -> Work[Any]:
            yield from reachable(call.actor, id)
            require(call.actor, Action.LINK)
            yield from acts.hold_people([id])
            standing = (yield from profile.bodies([id]))[id]["version"]
            try:
                yield from profile.rename(
                    call.actor, id, name, standing if version is None else version, now
                )
            except Conflict as lost:
                raise Problem(412, "moved_on", str(lost), version=standing) from lost
            yield from acts.touch_customers(
                [i.id for i in (yield from profile.identities_of([id]))[id]], now
            )
            return (yield from profile.bodies([id]))[id]

        return await self.store.write(unit)

    async def link(self, call: Call[LinkBody]) -> None:
        """Let an identity belong to this customer; both must be in the agent's sight."""
        id, identity, now = call.id(), call.body.identity, self.clock.now()

        def unit() -> Work[None]:
            yield from reachable(call.actor, id)
            rows = yield select(conversation.c.id).where(
                conversation.c.identity == identity, visible(call.actor)
            )
            if not rows:
                raise NotFound("identity")
            before = yield select(customer_of.c.customer).where(customer_of.c.identity == identity)
            yield from acts.hold_people([id, *(r.customer for r in before)])
            source = yield from profile.link(call.actor, identity, id, now)
            moved = yield select(customer_of.c.identity).where(
                customer_of.c.customer.in_([id, source])
            )
            yield from acts.touch_customers([r.identity for r in moved], now)

        await self.store.write(call.once(unit))

    async def suggest(self, call: Call[Nothing]) -> Any:
        """Return customers with a verified address that this one only claims."""
        return await self.store.read(lambda: self._suggest(call.actor, call.id()))

    def _suggest(self, actor: Actor, id: Id) -> Work[dict[str, Any]]:
        ids = yield from reachable(actor, id)
        known = (yield from profile.identities_of([id]))[id]
        claimed = (yield from _claims(ids)) | (yield from profile.claimed(id))
        found: dict[Id, str] = {}
        for address in claimed - {i.address for i in known}:
            others = yield from profile.suggestions(address)
            why = f"{address.scheme.value}:{address.value}"
            found.update({other: why for other in others if other != id})
        views = yield from profile.bodies(sorted(found))
        return {
            "customers": [
                {
                    "id": other,
                    "name": views[other]["name"],
                    "identities": views[other]["identities"],
                    "why": why,
                }
                for other, why in found.items()
            ]
        }


def _claims(ids: Sequence[Id]) -> Work[set[Address]]:
    """Return addresses that a customer typed somewhere: they suggest, they never link."""
    rows = yield select(conversation.c.context).where(conversation.c.id.in_(ids))
    found = set()
    for row in rows:
        claim = (row.context or {}).get("claims") or {}
        for text in filter(None, (claim.get("mail"), claim.get("phone"))):
            address = mail(text) or phone(text)
            if address is not None:
                found.add(address)
    return found


def bodies(views: dict[str, View]) -> list[Any]:
    """Return the bodies of views, oldest first."""
    return [view.body for _, view in sorted(views.items())]


def of_same_customer(actor: Actor, id: Id) -> Work[list[Id]]:
    """Return all conversations of a conversation's customer that the actor may read."""
    rows = yield (
        select(customer_of.c.customer)
        .join(conversation, conversation.c.identity == customer_of.c.identity)
        .where(conversation.c.id == id)
    )
    return (yield from conversations_of(actor, rows[0].customer))


def conversations_of(actor: Actor, customer: Id) -> Work[list[Id]]:
    """Return a customer's conversations that the actor may read, newest first."""
    rows = yield (
        select(conversation.c.id)
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .where(customer_of.c.customer == customer, visible(actor))
        .order_by(conversation.c.last_at.desc())
    )
    return [r.id for r in rows]


def reachable(actor: Actor, customer: Id) -> Work[list[Id]]:
    """Return a customer's conversations in the actor's sight. Raises NotFound without any."""
    ids = yield from conversations_of(actor, customer)
    if not ids:
        raise NotFound("customer")
    return ids


def _cursor(row: Any) -> str:
    place = [to_micros(row.occurred_at), to_micros(row.received_at), row.id]
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _place(cursor: str) -> tuple[Any, ...] | None:
    if not cursor:
        return None
    try:
        occurred, received, id = orjson.loads(base64.urlsafe_b64decode(cursor))
        place = from_micros(int(occurred)), from_micros(int(received)), id
    except (ValueError, TypeError, OverflowError) as wrong:
        raise Problem(422, "bad_cursor", "this place in the timeline does not exist") from wrong
    if not is_id(id):
        raise Problem(422, "bad_cursor", "this place in the timeline does not exist")
    return place
