"""The route table: an operation says everything about one REST call, once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from madoguchi.http.problems import Problem
from madoguchi.model.ids import is_id
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, require

B = TypeVar("B", bound=BaseModel)

READ_DEADLINE_S = 10.0
LAST_VERSION = 2**31 - 2


class Body(BaseModel):
    """Base of request bodies and queries: unknown fields are an error, texts are bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=1_000_000)


class Nothing(Body):
    """No body, no query."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One REST call on its way through a handler."""

    request: web.Request
    actor: Actor
    body: B
    client: str

    def id(self, name: str = "id") -> str:
        """Return an id of the path; anything that is no id does not exist (404)."""
        value = self.request.match_info[name]
        if not is_id(value):
            raise Problem(404, "not_found", "there is no such object")
        return value

    def key(self, name: str = "key") -> str:
        """Return a key of the path."""
        return self.request.match_info[name]


Handler = Callable[[Call[Any]], Awaitable[Any]]


@dataclass(frozen=True, slots=True)
class Operation:
    """One REST call: what it takes, what it gives, who may.

    ``action`` None: everybody who is signed in; ``public``: no sign-in at all. ``answer`` is the
    JSON Schema of a successful answer.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    body: type[Body] = Nothing
    query: type[Body] | None = None
    action: Action | None = None
    public: bool = False
    status: int = 200
    answer: dict[str, Any] = field(default_factory=lambda: {"type": "object"})
    tags: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Tell whether a call may change something."""
        return self.method not in {"GET", "HEAD"}


Authenticate = Callable[[web.Request, bool, bool], Awaitable[Actor | None]]
"""(request, changes something, public) → actor, None when nobody is signed in or a public call
needs nobody. Raises Problem.
"""

Remembered = Callable[[Actor, str, str], Awaitable[tuple[int, Any] | None]]
Remember = Callable[[Actor, str, str, int, Any], Awaitable[None]]


@dataclass
class Api:
    """All operations of the product, and how a call is answered."""

    authenticate: Authenticate
    client_of: Callable[[web.Request], str]
    remembered: Remembered
    remember: Remember
    operations: list[Operation] = field(default_factory=list)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def add(self, operations: Iterable[Operation]) -> None:
        """Add a room's operations."""
        self.operations += operations

    def mount(self, router: web.UrlDispatcher) -> None:
        """Make the aiohttp routes."""
        for operation in self.operations:
            router.add_route(operation.method, operation.path, self._handler(operation))

    def _handler(self, operation: Operation) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            if "\x00" in request.path or any("\x00" in text for text in request.query.values()):
                raise Problem(400, "bad_address", "addresses must not hold NUL characters")
            actor = await self.authenticate(request, operation.changes, operation.public)
            if actor is None and not operation.public:
                raise Problem(401, "not_signed_in", "sign in first")
            if actor is not None and operation.action is not None:
                require(actor, operation.action)
            body, raw = await _parse(operation, request)
            call = Call(request, actor or _NOBODY, body, self.client_of(request))
            key = request.headers.get("Idempotency-Key", "")
            repeatable = operation.method == "POST" and not request.content_type.startswith(
                "multipart/"
            )
            if key and actor is not None and repeatable:
                return await self._once(operation, call, actor, key, raw)
            return answer(operation.status, await operation.handler(call))

        return handle

    async def _once(
        self, operation: Operation, call: Call[Any], actor: Actor, key: str, raw: bytes
    ) -> web.Response:
        """Answer a repeated POST with the answer of the first; a different body is an error."""
        if len(key) > 64 or not key.isascii() or not key.isprintable():
            raise Problem(400, "bad_key", "Idempotency-Key: at most 64 printable ASCII characters")
        name = call.request.path.encode()
        print_ = hashlib.sha256(operation.method.encode() + b" " + name + b"\n" + raw).hexdigest()
        lock = self._locks.setdefault(f"{actor.id}:{key}", asyncio.Lock())
        async with lock:
            known = await self.remembered(actor, key, print_)
            if known is not None:
                return answer(known[0], known[1])
            result = await operation.handler(call)
            if not isinstance(result, web.StreamResponse):
                await self.remember(actor, key, print_, operation.status, result)
            return answer(operation.status, result)


_NOBODY = Actor("", "nobody")


def answer(status: int, result: Any) -> web.Response:
    """Return the JSON answer of a handler's result; None is 204."""
    if isinstance(result, web.Response):
        return result
    if result is None:
        return web.Response(status=204)
    headers = {}
    if isinstance(result, dict) and isinstance(result.get("version"), int):
        headers["ETag"] = f'"{result["version"]}"'
    return web.Response(
        status=status, body=encode(result), content_type="application/json", headers=headers
    )


def encode(value: Any) -> bytes:
    """Return JSON with times as RFC 3339 in UTC."""
    return orjson.dumps(value, default=_plain, option=orjson.OPT_UTC_Z)


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if isinstance(value, frozenset | set):
        return sorted(value)
    return str(value)


def if_match(request: web.Request) -> int | None:
    """Return the version of an If-Match header, None without one. Raises a 400 problem."""
    value = request.headers.get("If-Match", "").strip()
    if not value or value == "*":
        return None
    digits = value.removeprefix("W/").strip('"')
    if not digits.isdecimal() or int(digits[:20]) > LAST_VERSION:
        raise Problem(400, "bad_if_match", 'If-Match must look like "3"')
    return int(digits)


async def _parse(operation: Operation, request: web.Request) -> tuple[Body, bytes]:
    if operation.method in {"GET", "DELETE"} or operation.body is Nothing:
        model = operation.query or Nothing
        return model.model_validate(dict(request.query) if operation.query else {}), b""
    raw = await read(request)
    return operation.body.model_validate(parse_json(raw)), raw


async def read(request: web.Request) -> bytes:
    """Return the body; a client that sends it too slowly is cut off. Raises 408, 413."""
    async with asyncio.timeout(READ_DEADLINE_S):
        return await request.read()


def parse_json(raw: bytes) -> dict[str, Any]:
    """Return a JSON object. Raises a 400 problem for anything else, NUL characters included."""
    try:
        value = orjson.loads(raw or b"{}")
    except orjson.JSONDecodeError as wrong:
        raise Problem(400, "bad_json", f"the body is not valid JSON: {wrong}") from wrong
    if not isinstance(value, dict):
        raise Problem(400, "bad_json", "the body must be a JSON object")
    if b"\\u0000" in raw and has_nul(value):
        raise Problem(400, "bad_json", "texts must not hold NUL characters")
    return value


def has_nul(value: Any) -> bool:
    """Tell whether a text anywhere in a document holds a NUL character, however deep it is."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            if "\x00" in one:
                return True
        elif isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
    return False
