"""The web server around an application: what aiohttp refuses by itself gets our form, too.

A request line, header or chunk that cannot be parsed never reaches a middleware; aiohttp answers
it with plain text. Here it becomes a problem with the headers of every other answer.
"""

import structlog
from aiohttp import web
from aiohttp.http_exceptions import LineTooLong

from madoguchi.http.problems import Problem, response
from madoguchi.http.server import HEADERS

log = structlog.get_logger(__name__)


class _Protocol(web.RequestHandler):
    """One connection; only the answer to what cannot be read differs from aiohttp's."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return a problem and close. Raises ConnectionError when an answer has begun already."""
        if status >= 500:
            log.error("request failed before it was answered", exc_info=exc)
        else:
            # Anybody can send these by the thousand: no warning, no traceback.
            log.debug("unreadable request", client=request.remote, why=str(message))
        if request.writer.output_size > 0:
            raise ConnectionError("an answer has begun already")
        answer = response(_problem(status, exc))
        answer.headers.update(HEADERS)
        answer.force_close()
        return answer


def _problem(status: int, exc: BaseException | None) -> Problem:
    """Return what is told; never the parser's words, which repeat the sender's bytes."""
    if status >= 500:
        return Problem(500, "internal", "something went wrong on our side; nothing was lost")
    if isinstance(exc, LineTooLong):
        return Problem(400, "line_too_long", "a line of the request is too long")
    return Problem(400, "bad_request", "this is no request that HTTP/1.1 allows")


class _Server(web.Server):
    """aiohttp's server with our protocol."""

    def __call__(self) -> web.RequestHandler:
        return _Protocol(self, loop=self._loop, **self._kwargs)


class Runner(web.AppRunner):
    """Runs an application without an access log; see :class:`aiohttp.web.AppRunner`."""

    def __init__(self, app: web.Application, shutdown_timeout: float) -> None:
        super().__init__(app, access_log=None, shutdown_timeout=shutdown_timeout)

    async def _make_server(self) -> web.Server:
        made = await super()._make_server()
        return _Server(
            made.request_handler,
            request_factory=made.request_factory,
            loop=made._loop,  # noqa: SLF001 - aiohttp has no door for a protocol of one's own
            **made._kwargs,  # noqa: SLF001
        )
