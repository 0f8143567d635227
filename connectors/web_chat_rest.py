"""The widget's small REST, open to the account's origins: about, session, files, offline form.

A visitor is a random id in a signed token, kept by the browser; never a cookie.
"""

import asyncio
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Protocol

from aiohttp import web
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from connectors import attributes
from connectors.registry import Registry
from connectors.web_chat import WebChat
from connectors.web_chat_bodies import ABOUT, LINK, SESSION, STORED, OfflineBody, SessionBody
from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.calls.ice import Ice
from madoguchi.conversations.calls.views import CallViews
from madoguchi.conversations.tables import conversation, message
from madoguchi.conversations.views import ConversationViews
from madoguchi.files.service import Files, StoredFile
from madoguchi.files.tables import file
from madoguchi.http.limits import Limiter
from madoguchi.http.problems import Problem, problem_of, response
from madoguchi.http.table import NOBODY, Body, Call, Handler, Nothing, Operation, answer, parse
from madoguchi.live.relay import Relay
from madoguchi.live.tail import Tail
from madoguchi.model.conversation import Visibility
from madoguchi.model.hours import Opening
from madoguchi.model.ids import Id
from madoguchi.store.inbox import Inbox
from madoguchi.store.work import Store, Work
from router.views import somebody_is_there

UPLOAD_DEADLINE_S = 300.0
VISITOR = "visitor"
V1 = "/api/v1/widget/{account}"


class Positions(Protocol):
    """What the router knows of who waits."""

    def position(self, item: Id) -> int | None:
        """Return an item's place, None when nobody signed in may take it."""
        ...

    def expected_s(self, item: Id) -> float | None:
        """Return for how long a waiting item still waits, None when nobody can tell."""
        ...

    def expected_in(self, queue: str) -> float | None:
        """Return for how long a new contact of a queue would wait, None when nobody can tell."""
        ...


def whole_minutes(seconds: float | None) -> int | None:
    """Return whole minutes, at least one; what is shown need not change with every second."""
    return None if seconds is None else max(1, ceil(seconds / 60))


@dataclass(frozen=True)
class WidgetPorts:
    """What the widget's side needs of the hub."""

    registry: Registry
    inbox: Inbox
    tail: Tail
    store: Store
    clock: Clock
    files: Files
    render: ConversationViews
    calls: CallViews
    relay: Relay
    ice: Ice
    router: Positions
    catalog: Callable[[], Catalog]
    client_of: Callable[[web.Request], str]
    upload: Callable[[web.Request], Any]
    refused: Callable[[str], None]
    keys: list[bytes]


class WidgetRest:
    """The operations of a widget before and beside its socket."""

    def __init__(self, ports: WidgetPorts) -> None:
        self._ports = ports
        self._tokens = URLSafeSerializer(ports.keys, salt="visitor")
        self._new_visitors = Limiter(ports.clock, rate=0.5, burst=30)
        self._uploads = Limiter(ports.clock, rate=0.2, burst=20)
        self.messages = Limiter(ports.clock, rate=5, burst=60)

    def operations(self) -> list[Operation]:
        """Return the widget's operations, for the OpenAPI document and for :meth:`routes`."""
        session, files, offline = f"{V1}/session", f"{V1}/files", f"{V1}/offline"
        return [
            _operation("GET", V1, self._about, "About the site's chat", answer=ABOUT),
            _operation(
                "POST", session, self._session, "Become a visitor", SessionBody, answer=SESSION
            ),
            _operation(
                "POST",
                files,
                self._upload,
                "Upload a file",
                status=201,
                upload=True,
                answer=STORED,
                security=VISITOR,
            ),
            _operation(
                "GET",
                f"{files}/{{id}}",
                self._download,
                "A short link to a file",
                answer=LINK,
                security=VISITOR,
            ),
            _operation(
                "POST",
                offline,
                self._offline,
                "Leave a message",
                OfflineBody,
                status=204,
                security=VISITOR,
            ),
        ]

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the widget's REST, open to the account's origins."""
        return [
            *(web.route(o.method, o.path, self._cors(o)) for o in self.operations()),
            web.options(f"{V1}{{tail:.*}}", self._preflight),
        ]

    def _account(self, request: web.Request) -> WebChat:
        connector = self._ports.registry.by_key(request.match_info["account"])
        if not isinstance(connector, WebChat):
            raise Problem(404, "not_found", "there is no such web site")
        return connector

    def allowed(self, connector: WebChat, origin: str | None, host: str) -> bool:
        """Tell whether a page of this origin may embed the account's widget."""
        if origin is None or origin.partition("://")[2] == host:
            return True
        return origin in connector.settings.origins

    def _cors(self, operation: Operation) -> Callable[..., Any]:
        """Return the handler of an operation for foreign pages: a fault is readable there, too."""

        async def handle(request: web.Request) -> web.StreamResponse:
            connector = self._account(request)
            origin = request.headers.get("Origin")
            if not self.allowed(connector, origin, request.host):
                raise Problem(403, "foreign_origin", "this site is not among the account's origins")
            result: web.StreamResponse
            try:
                result = answer(operation.status, await self._called(operation, request))
            except Exception as fault:
                problem = problem_of(fault)
                if problem is None:
                    raise
                result = response(problem)
            if origin is not None:
                result.headers["Access-Control-Allow-Origin"] = origin
                result.headers["Vary"] = "Origin"
            return result

        return handle

    async def _called(self, operation: Operation, request: web.Request) -> Any:
        if "\x00" in request.path:
            raise Problem(400, "bad_address", "addresses must not hold NUL characters")
        if operation.security == VISITOR:
            # Before the body is read: strangers may not make us take it in.
            self._bearer(request)
        body, _ = await parse(operation, request)
        return await operation.handler(Call(request, NOBODY, body, self._ports.client_of(request)))

    async def _preflight(self, request: web.Request) -> web.Response:
        connector = self._account(request)
        origin = request.headers.get("Origin")
        if origin is None or not self.allowed(connector, origin, request.host):
            raise Problem(403, "foreign_origin", "this site is not among the account's origins")
        return web.Response(
            status=204,
            headers={
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": "GET, POST",
                "Access-Control-Allow-Headers": "Authorization, Content-Type",
                "Access-Control-Max-Age": "600",
                "Vary": "Origin",
            },
        )

    async def _about(self, call: Call[Nothing]) -> Any:
        connector = self._account(call.request)
        account, settings = connector.account, connector.settings
        entry = self._ports.catalog().accounts[account.key].object
        queues, now = self._ports.catalog().queues, self._ports.clock.now()

        def opening(queue: str) -> Opening:
            return self._ports.catalog().destination(queue, now)[1]

        shop = opening(account.queue)
        there, _ = self._ports.catalog().destination(account.queue, now)
        expected_s = self._ports.router.expected_in(there)
        return {
            "name": account.name,
            "name_en": account.name_en,
            "greeting": settings.greeting,
            "greeting_en": settings.greeting_en,
            "language": account.language,
            "online": await self._ports.store.look(somebody_is_there),
            "open": shop.open,
            "opens": shop.opens,
            "wait_min": 0 if expected_s == 0 else whole_minutes(expected_s),
            "time_zone": shop.zone,
            "upload_limit": self._ports.files.limit,
            "text_limit": connector.capabilities.text_limit,
            "color": settings.color,
            "calls": settings.calls,
            "recording": queues[account.queue].object.recording.model_dump(
                include={"when", "text", "text_en"}
            ),
            "ice": self._ports.ice.servers("visitor") if settings.calls != "none" else [],
            "topics": [
                {"key": topic, "open": opening(queue).open, **queues[queue].object.names}
                for topic, queue in entry.topics.items()
            ],
        }

    async def _session(self, call: Call[SessionBody]) -> Any:
        """Make a new visitor."""
        self._new_visitors.require(call.client, "too many new visitors from this address")
        visitor = secrets.token_urlsafe(16)
        account = self._account(call.request).account.id
        return {"token": self._tokens.dumps([account, visitor]), "visitor": visitor}

    def visitor_of(self, connector: WebChat, token: object) -> str:
        """Return the visitor of a token. Raises a 401 problem."""
        try:
            account, visitor = self._tokens.loads(str(token))
        except (BadData, ValueError, TypeError) as wrong:
            raise Problem(401, "unknown_visitor", "ask for a new session") from wrong
        if account != connector.account.id:
            raise Problem(401, "unknown_visitor", "ask for a new session")
        return str(visitor)

    def _bearer(self, request: web.Request) -> str:
        """Return the visitor who calls. Raises a 401 problem."""
        header = request.headers.get("Authorization", "")
        return self.visitor_of(self._account(request), header.removeprefix("Bearer ").strip())

    async def _upload(self, call: Call[Nothing]) -> StoredFile:
        visitor = self._bearer(call.request)
        self._uploads.require(call.client, "too many files; wait a little")
        name, chunks = await self._ports.upload(call.request)
        async with asyncio.timeout(UPLOAD_DEADLINE_S):
            return await self._ports.files.put(name, chunks, f"visitor:{visitor}")

    async def _download(self, call: Call[Nothing]) -> Any:
        """Return a short link to a file of the visitor's own conversations; never one of a note."""
        visitor, connector = self._bearer(call.request), self._account(call.request)
        id = call.id()

        def unit() -> Work[bool]:
            rows = yield (
                select(message.c.parts)
                .join(conversation, conversation.c.id == message.c.conversation)
                .join(file, file.c.conversation == conversation.c.id)
                .where(
                    file.c.id == id,
                    conversation.c.account == connector.account.id,
                    conversation.c.thread == visitor,
                    message.c.visibility == Visibility.PUBLIC.value,
                )
            )
            return any(part.get("file") == id for row in rows for part in row.parts)

        if not await self._ports.store.read(unit):
            raise Problem(404, "not_found", "there is no such file")
        return {"url": f"{connector.ports.public_url}/files/{self._ports.files.link(id)}"}

    async def _offline(self, call: Call[OfflineBody]) -> None:
        """Take a message while nobody is there; the address is claimed, not verified."""
        visitor, connector = self._bearer(call.request), self._account(call.request)
        self.messages.require(visitor, "too many messages; wait a little")
        body = call.body
        text = body.text.strip()
        if not text or len(text) > (connector.capabilities.text_limit or 10_000):
            raise Problem(422, "invalid", "write what it is about, not too long")
        if not body.fits:
            raise Problem(422, "invalid", "id must be a UUID")
        claims = {"name": body.name[:320], "mail": body.mail[:320], "phone": body.phone[:320]}
        event = connector.event(
            visitor,
            "offline",
            body.id or self._ports.clock.new_id(),
            {
                "text": text,
                "claims": claims,
                "language": body.language[:8],
                "attributes": attributes.kept(body.attributes),
            },
        )
        await self._ports.inbox.put(connector.account.id, [event])


def _operation(
    method: str,
    path: str,
    handler: Handler,
    summary: str,
    body: type[Body] = Nothing,
    **more: Any,
) -> Operation:
    return Operation(method, path, handler, summary, body, public=True, tags=("widget",), **more)
