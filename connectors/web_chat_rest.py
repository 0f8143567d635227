"""The widget's small REST, open to the account's origins: about, session, files, offline form.

A visitor is a random id in a signed token, kept by the browser; never a cookie.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import web
from itsdangerous import BadData, URLSafeSerializer
from sqlalchemy import select

from connectors.registry import Registry
from connectors.web_chat import WebChat
from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.tables import conversation
from madoguchi.conversations.views import ConversationViews
from madoguchi.files.service import Files, StoredFile
from madoguchi.files.tables import file
from madoguchi.http.limits import Limiter
from madoguchi.http.problems import Problem, response
from madoguchi.http.table import answer, parse_json, read
from madoguchi.live.tail import Tail
from madoguchi.model.ids import Id, is_id
from madoguchi.store.inbox import Inbox
from madoguchi.store.work import Store, Work

NAMESPACE = "/visitor"
HEARTBEAT_S = 15.0
POSITION_S = 5.0
HISTORY = 200
MOST_FILES = 10
V1 = "/api/v1/widget/{account}"


class Positions(Protocol):
    """What the router knows of who waits."""

    def position(self, item: Id) -> int | None:
        """Return an item's place, None when nobody signed in may take it."""
        ...


class Desks(Protocol):
    """The desks' side."""

    async def visitor_typing(self, id: Id, name: str, *, on: bool) -> None:
        """Tell the desks that have a conversation open."""
        ...

    def anyone_available(self) -> bool:
        """Tell whether some agent is connected."""
        ...


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
    router: Positions
    catalog: Callable[[], Catalog]
    client_of: Callable[[web.Request], str]
    upload: Callable[[web.Request], Any]
    keys: list[bytes]


class WidgetRest:
    """The operations of a widget before and beside its socket."""

    def __init__(self, ports: WidgetPorts) -> None:
        self._ports = ports
        self._tokens = URLSafeSerializer(ports.keys, salt="visitor")
        self._desks: Desks | None = None
        self._new_visitors = Limiter(ports.clock, rate=0.5, burst=30)
        self._uploads = Limiter(ports.clock, rate=0.2, burst=20)
        self.messages = Limiter(ports.clock, rate=5, burst=60)

    def hears_desk(self, desks: Desks) -> None:
        """Join the desks' side."""
        self._desks = desks

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the widget's REST, open to the account's origins."""
        return [
            web.get(V1, self._cors(self._about)),
            web.post(f"{V1}/session", self._cors(self._session)),
            web.post(f"{V1}/files", self._cors(self._upload)),
            web.get(f"{V1}/files/{{id}}", self._cors(self._download)),
            web.post(f"{V1}/offline", self._cors(self._offline)),
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

    def _cors(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        async def handle(request: web.Request) -> web.StreamResponse:
            connector = self._account(request)
            origin = request.headers.get("Origin")
            if not self.allowed(connector, origin, request.host):
                raise Problem(403, "foreign_origin", "this site is not among the account's origins")
            try:
                result = await handler(request, connector)
            except Problem as problem:
                result = response(problem)
            if origin is not None:
                result.headers["Access-Control-Allow-Origin"] = origin
                result.headers["Vary"] = "Origin"
            return result  # type: ignore[no-any-return]

        return handle

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

    async def _about(self, request: web.Request, connector: WebChat) -> web.Response:
        account, settings = connector.account, connector.settings
        entry = self._ports.catalog().accounts[account.key].object
        queues = self._ports.catalog().queues
        return answer(
            200,
            {
                "name": account.name,
                "greeting": settings.greeting,
                "greeting_en": settings.greeting_en,
                "language": account.language,
                "online": self._desks is not None and self._desks.anyone_available(),
                "upload_limit": self._ports.files.limit,
                "text_limit": connector.capabilities.text_limit,
                "color": settings.color,
                "topics": [
                    {
                        "key": topic,
                        "name": queues[queue].object.name,
                        "name_en": queues[queue].object.name_en or queues[queue].object.name,
                    }
                    for topic, queue in entry.topics.items()
                ],
            },
        )

    async def _session(self, request: web.Request, connector: WebChat) -> web.Response:
        """Make a new visitor."""
        self._new_visitors.require(
            self._ports.client_of(request), "too many new visitors from this address"
        )
        parse_json(await read(request))
        visitor = secrets.token_urlsafe(16)
        token = self._tokens.dumps([connector.account.id, visitor])
        return answer(200, {"token": token, "visitor": visitor})

    def visitor_of(self, connector: WebChat, token: object) -> str:
        """Return the visitor of a token. Raises a 401 problem."""
        try:
            account, visitor = self._tokens.loads(str(token))
        except (BadData, ValueError, TypeError) as wrong:
            raise Problem(401, "unknown_visitor", "ask for a new session") from wrong
        if account != connector.account.id:
            raise Problem(401, "unknown_visitor", "ask for a new session")
        return str(visitor)

    def _bearer(self, request: web.Request, connector: WebChat) -> str:
        header = request.headers.get("Authorization", "")
        return self.visitor_of(connector, header.removeprefix("Bearer ").strip())

    async def _upload(self, request: web.Request, connector: WebChat) -> web.Response:
        visitor = self._bearer(request, connector)
        self._uploads.require(self._ports.client_of(request), "too many files; wait a little")
        name, chunks = await self._ports.upload(request)
        stored = await self._put(name, chunks, visitor)
        return answer(201, stored)

    async def _put(self, name: str, chunks: AsyncIterator[bytes], visitor: str) -> StoredFile:
        async with asyncio.timeout(300):
            return await self._ports.files.put(name, chunks, f"visitor:{visitor}")

    async def _download(self, request: web.Request, connector: WebChat) -> web.Response:
        """Return a short link to a file of the visitor's own conversations."""
        visitor = self._bearer(request, connector)
        id = request.match_info["id"]

        def unit() -> Work[bool]:
            return bool(
                (
                    yield select(file.c.id)
                    .join(conversation, conversation.c.id == file.c.conversation)
                    .where(
                        file.c.id == id,
                        conversation.c.account == connector.account.id,
                        conversation.c.thread == visitor,
                    )
                )
            )

        if not is_id(id) or not await self._ports.store.read(unit):
            raise Problem(404, "not_found", "there is no such file")
        link = f"{connector.ports.public_url}/files/{self._ports.files.link(id)}"
        return answer(200, {"url": link})

    async def _offline(self, request: web.Request, connector: WebChat) -> web.Response:
        """Take a message while nobody is there; the address is claimed, not verified."""
        visitor = self._bearer(request, connector)
        self.messages.require(visitor, "too many messages; wait a little")
        body = parse_json(await read(request))
        text = str(body.get("text", "")).strip()
        if not text or len(text) > (connector.capabilities.text_limit or 10_000):
            raise Problem(422, "invalid", "write what it is about, not too long")
        claims = {k: str(body.get(k, ""))[:320] for k in ("name", "mail", "phone")}
        id = str(body.get("id") or self._ports.clock.new_id())
        if not is_id(id):
            raise Problem(422, "invalid", "id must be a UUID")
        event = connector.event(
            visitor,
            "offline",
            id,
            {"text": text, "claims": claims, "language": str(body.get("language", ""))[:8]},
        )
        await self._ports.inbox.put(connector.account.id, [event])
        return answer(204, None)
