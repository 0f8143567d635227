"""The route table: an operation says everything about one REST call, once."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar
from weakref import WeakValueDictionary

import orjson
from aiohttp import web
from pydantic import BaseModel, ConfigDict

from madoguchi.http.problems import Problem, problem_of
from madoguchi.model.ids import Id, is_id
from madoguchi.model.people import Actor
from madoguchi.security.permissions import Action, require
from madoguchi.store.work import Work

B = TypeVar("B", bound=BaseModel)
T = TypeVar("T")

READ_DEADLINE_S = 10.0
LAST_VERSION = 2**31 - 2


class Body(BaseModel):
    """Base of request bodies and queries: unknown fields are an error, texts are bounded."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=1_000_000)


class Nothing(Body):
    """No body, no query."""


@dataclass(frozen=True, slots=True)
class Claim:
    """An Idempotency-Key: whose it is, and the print of the request that it was given with.

    ``within``: the act takes the claim in its own transaction, so that a claim means that it was
    done; otherwise the claim is taken before, and one without an answer means that nobody knows.
    """

    actor: Id
    key: str
    request: str
    within: bool


class Answers(Protocol):
    """What was answered to an Idempotency-Key; see docs/decisions/0006."""

    async def find(self, claim: Claim) -> tuple[int, Any] | None:
        """Return the first answer, None for a new key. Raises 422 and 409 problems."""
        ...

    def take(self, claim: Claim) -> Work[None]:
        """Take a key; part of a transaction. Raises a 409 problem when it is taken."""
        ...

    async def claim(self, claim: Claim) -> None:
        """Take a key before the act. Raises a 409 problem when it is taken."""
        ...

    async def keep(self, claim: Claim, status: int, answer: Any) -> None:
        """Keep the answer."""
        ...

    async def release(self, claim: Claim) -> None:
        """Give a key back whose act was refused: nothing was done."""
        ...


@dataclass(frozen=True, slots=True)
class Call(Generic[B]):
    """One REST call on its way through a handler."""

    request: web.Request
    actor: Actor
    body: B
    client: str
    taking: Callable[[], Work[None]] | None = None

    def once(self, unit: Callable[[], Work[T]]) -> Callable[[], Work[T]]:
        """Return a unit that takes the call's Idempotency-Key in its own transaction.

        For operations that are marked ``within``: the act and its claim stand or fall together.
        """
        taking = self.taking
        if taking is None:
            return unit

        def claimed() -> Work[T]:
            yield from taking()
            return (yield from unit())

        return claimed

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
    JSON Schema of a successful answer. ``within``: the handler does all in one transaction, and
    takes an Idempotency-Key there by :meth:`Call.once`. ``upload``: the body is
    multipart, a field ``file``. ``security``: the scheme of a public call that has one of its own.
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
    within: bool = False
    upload: bool = False
    security: str | None = None

    @property
    def changes(self) -> bool:
        """Tell whether a call may change something."""
        return self.method not in {"GET", "HEAD"}


Authenticate = Callable[[web.Request, bool, bool], Awaitable[Actor | None]]
"""(request, changes something, public) → actor, None when nobody is signed in or a public call
needs nobody. Raises Problem.
"""


@dataclass
class Api:
    """All operations of the product, and how a call is answered."""

    authenticate: Authenticate
    client_of: Callable[[web.Request], str]
    answers: Answers
    operations: list[Operation] = field(default_factory=list)
    _locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    def add(self, operations: Iterable[Operation]) -> None:
        """Add a room's operations."""
        self.operations += operations

    def mount(self, router: web.UrlDispatcher) -> None:
        """Make the aiohttp routes."""
        for operation in self.operations:
            router.add_route(operation.method, operation.path, self._handler(operation))

    def _handler(
        self, operation: Operation
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            if "\x00" in request.path or any("\x00" in text for text in request.query.values()):
                raise Problem(400, "bad_address", "addresses must not hold NUL characters")
            actor = await self.authenticate(request, operation.changes, operation.public)
            if actor is None and not operation.public:
                raise Problem(401, "not_signed_in", "sign in first")
            if actor is not None and operation.action is not None:
                require(actor, operation.action)
            body, raw = await parse(operation, request)
            call = Call(request, actor or NOBODY, body, self.client_of(request))
            key = request.headers.get("Idempotency-Key", "")
            if key and actor is not None and operation.method == "POST" and not operation.upload:
                return await self._once(operation, call, _claim(operation, call, key, raw))
            return passed_on(operation.status, await operation.handler(call))

        return handle

    async def _once(
        self, operation: Operation, call: Call[Any], claim: Claim
    ) -> web.StreamResponse:
        """Answer a repeated POST with the answer of the first."""
        lock = self._locks.setdefault(f"{claim.actor}:{claim.key}", asyncio.Lock())
        async with lock:
            known = await self.answers.find(claim)
            if known is not None:
                return answer(known[0], known[1])
            result = await self._claimed(operation, call, claim)
            if not isinstance(result, web.StreamResponse):
                await self.answers.keep(claim, operation.status, result)
            return passed_on(operation.status, result)

    async def _claimed(self, operation: Operation, call: Call[Any], claim: Claim) -> Any:
        """Run the handler under a claim; a refusal gives it back, an unknown outcome does not."""
        if claim.within:
            return await operation.handler(replace(call, taking=lambda: self.answers.take(claim)))
        await self.answers.claim(claim)
        try:
            return await operation.handler(call)
        except Exception as fault:
            problem = problem_of(fault)
            if problem is not None and problem.status < 500:
                await self.answers.release(claim)
            raise


def _claim(operation: Operation, call: Call[Any], key: str, raw: bytes) -> Claim:
    if len(key) > 64 or not key.isascii() or not key.isprintable():
        raise Problem(400, "bad_key", "Idempotency-Key: at most 64 printable ASCII characters")
    name = f"{operation.method} {call.request.path}\n".encode()
    return Claim(call.actor.id, key, hashlib.sha256(name + raw).hexdigest(), operation.within)


NOBODY = Actor("", "nobody")


def passed_on(status: int, result: Any) -> web.StreamResponse:
    """Return the answer of a handler's result: what is an answer already, else its JSON."""
    return result if isinstance(result, web.StreamResponse) else answer(status, result)


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


async def parse(operation: Operation, request: web.Request) -> tuple[Body, bytes]:
    """Return the checked body or query of a call, and the body's bytes."""
    if operation.method in {"GET", "DELETE"} or operation.body is Nothing:
        model = operation.query or Nothing
        return model.model_validate(dict(request.query) if operation.query else {}), b""
    raw = await read(request)
    return operation.body.model_validate(parse_json(raw)), raw


async def read(request: web.Request) -> bytes:
    """Return the body; a client that sends it too slowly is cut off. Raises 408, 413."""
    if request.content.is_eof():
        return await request.read()
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
