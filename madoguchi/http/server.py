"""What every request passes through: errors, headers, request ids, figures."""

import secrets
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from ipaddress import ip_address

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware
from prometheus_client import CollectorRegistry, Counter, Histogram

from madoguchi.http.problems import Problem, problem_of, response
from madoguchi.store.work import Clash

log = structlog.get_logger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

CSP = (
    "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; connect-src 'self' ws: wss:; font-src 'self'; object-src 'none'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Server": "Madoguchi",
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
}


class Figures:
    """Prometheus figures of the HTTP side."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "madoguchi_http_requests", "answers by status class", ["status"], registry=registry
        )
        self.seconds = Histogram(
            "madoguchi_http_seconds",
            "time to answer",
            registry=registry,
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
        )
        self._classes = {n: self.requests.labels(f"{n}xx") for n in range(1, 6)}

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self._classes[status // 100].inc()
        self.seconds.observe(seconds)


def middleware(figures: Figures) -> Middleware:
    """Return the one middleware of the product."""

    @web.middleware
    async def outermost(request: web.Request, handler: Handler) -> web.StreamResponse:
        began = time.perf_counter()
        try:
            answer = await handler(request)
        except web.HTTPException as fault:
            if fault.status < 400:
                raise
            answer = _answer_fault(request, fault)
        except Exception as fault:  # noqa: BLE001 - this is where faults become answers
            answer = _answer_fault(request, fault)
        if answer.status >= 400 and answer.content_type == "text/plain" and not answer.prepared:
            answer = _as_problem(answer)
        figures.answered(answer.status, time.perf_counter() - began)
        if not answer.prepared:
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
            if request.path.startswith("/api/"):
                answer.headers.setdefault("Cache-Control", "no-store")
        return answer

    return outermost


def _as_problem(plain: web.StreamResponse) -> web.Response:
    """Return a plain refusal, as the sockets' library makes them, in the form of all others."""
    reason = HTTPStatus(plain.status).phrase
    answer = response(Problem(plain.status, reason.lower().replace(" ", "_"), reason))
    for name, value in plain.headers.items():
        if name.startswith("Access-Control-"):
            answer.headers[name] = value
    return answer


def _answer_fault(request: web.Request, fault: BaseException) -> web.Response:
    problem = problem_of(fault)
    request_id = secrets.token_hex(8)
    if problem is None:
        log.error("request failed", path=request.path, request=request_id, exc_info=fault)
        problem = Problem(500, "internal", "something went wrong on our side; nothing was lost")
    elif isinstance(fault, Clash):
        log.warning("lost every race", path=request.path, request=request_id, why=str(fault))
    answer = response(problem, request_id)
    if isinstance(fault, web.HTTPMethodNotAllowed):
        answer.headers["Allow"] = fault.headers["Allow"]
    return answer


def plain(text: str) -> str:
    """Return a header's value as databases take it: bytes that are no UTF-8 become "?"."""
    return text.encode("utf-8", "replace").decode()


def client_address(trusted_proxies: int) -> Callable[[web.Request], str]:
    """Return how a request's client is named: its address, as the trusted proxies tell it.

    With n trusted proxies the n-th entry from the right of X-Forwarded-For counts, over all header
    lines of that name: some proxies add to the client's line, others add a line of their own.
    Without any the header is ignored, because anybody can send it.
    """

    def address(request: web.Request) -> str:
        peer = request.remote or ""
        if not trusted_proxies:
            return peer
        chain = _forwarded(request)
        told = chain[-trusted_proxies] if len(chain) >= trusted_proxies else ""
        return told or peer

    return address


def _forwarded(request: web.Request) -> list[str]:
    lines = request.headers.getall("X-Forwarded-For", [])
    return [part.strip() for part in plain(",".join(lines)).split(",")] if lines else []


def from_this_machine(request: web.Request, trusted_proxies: int) -> bool:
    """Tell whether a request surely comes from this machine itself.

    A proxy on this machine makes every request of the world come from a loopback address, hence a
    request that was forwarded must name a loopback address in the place that we trust; and who is
    no loopback peer is another machine, whatever the header says.
    """
    forwarded = len(_forwarded(request))
    if forwarded and (not trusted_proxies or forwarded < trusted_proxies):
        return False
    if not forwarded and any(name in request.headers for name in _PROXIED):
        return False
    told = client_address(trusted_proxies)(request)
    return _loopback(request.remote or "") and _loopback(told)


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


_PROXIED = ("Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host", "X-Forwarded-Proto")
