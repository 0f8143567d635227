"""Errors for people and programs: ``application/problem+json`` (RFC 9457)."""

from collections.abc import Callable
from typing import Any

import orjson
import structlog
from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError
from pydantic import ValidationError

from madoguchi.model.faults import faults_of
from madoguchi.model.routing import Refused
from madoguchi.security.permissions import Forbidden, NotFound
from madoguchi.store.work import Clash, Conflict, Unavailable

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error: status, a stable ``code``, a sentence, and facts."""

    def __init__(self, status: int, code: str, detail: str, **facts: Any) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.facts = status, code, detail, facts


def response(problem: Problem, request_id: str = "") -> web.Response:
    """Return the HTTP answer of a problem."""
    body = {
        "type": f"urn:madoguchi:problem:{problem.code}",
        "title": problem.code.replace("_", " "),
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        **problem.facts,
    }
    if request_id:
        body["instance"] = f"urn:madoguchi:request:{request_id}"
    headers = {}
    if "retry_after_s" in problem.facts:
        headers["Retry-After"] = str(max(1, round(problem.facts["retry_after_s"])))
    return web.Response(
        status=problem.status,
        body=orjson.dumps(body, default=str),
        content_type=MEDIA_TYPE,
        headers=headers,
    )


_REFUSED_STATUS = {
    "unknown_item": 404,
    "unknown_offer": 404,
    "unknown_agent": 404,
    "unknown_queue": 422,
    "not_yours": 403,
}


def _validation(wrong: ValidationError) -> Problem:
    faults = faults_of(wrong.errors(include_input=False), nowhere="body")
    detail = "; ".join(f"{f.place}: {f.message}" for f in faults[:5])
    return Problem(422, "invalid", detail, faults=[f.view() for f in faults[:50]])


def _refused(refused: Refused) -> Problem:
    return Problem(
        _REFUSED_STATUS.get(refused.code, 409),
        refused.code,
        refused.detail or refused.code,
        agent=refused.agent,
    )


CLASH = (
    "others changed the same thing at the same moment; nothing of this call was stored: "
    "load it again, look, and repeat if it is still to be done"
)


def without_cause(fault: Unavailable) -> str:
    """Return an outage in our words; what follows the colon are the database's: hosts, names."""
    return str(fault).partition(": ")[0]


_FROM: dict[type[BaseException], Callable[[Any], Problem]] = {
    ValidationError: _validation,
    Refused: _refused,
    NotFound: lambda e: Problem(404, "not_found", f"there is no such {e}"),
    Forbidden: lambda e: Problem(403, "forbidden", f"you may not do this: {e}"),
    Conflict: lambda e: Problem(409, "conflict", str(e)),
    Clash: lambda _: Problem(409, "conflict", CLASH),
    Unavailable: lambda e: Problem(503, "unavailable", without_cause(e), retry_after_s=2),
    TimeoutError: lambda _: Problem(408, "timeout", "the request took too long to arrive"),
    web.RequestPayloadError: lambda _: Problem(400, "cut_off", "the body cannot be read"),
    HttpProcessingError: lambda _: Problem(400, "bad_request", "the request cannot be read"),
    ClientError: lambda _: Problem(400, "cut_off", "the request was cut off"),
    ConnectionError: lambda _: Problem(400, "cut_off", "the request was cut off"),
}


def register(kind: type[BaseException], make: Callable[[Any], Problem]) -> None:
    """Let a room above say how one of its errors is answered."""
    _FROM[kind] = make


def problem_of(fault: BaseException) -> Problem | None:
    """Return the problem of a known error, None for a fault of ours."""
    if isinstance(fault, Problem):
        return fault
    for kind in type(fault).__mro__:
        if kind in _FROM:
            return _FROM[kind](fault)
    if isinstance(fault, web.HTTPException):
        code = fault.reason.lower().replace(" ", "_")
        return Problem(fault.status, code, fault.reason)
    return None
