"""Who is calling: the session cookie, the same origin, the anti-forgery token."""

from collections.abc import Callable
from urllib.parse import urlsplit

from aiohttp import web

from madoguchi.http.problems import Problem
from madoguchi.model.ids import Id
from madoguchi.model.people import SYSTEM, Actor
from madoguchi.security.sessions import Session, Sessions

COOKIE = "madoguchi_session"
SESSION = web.RequestKey("session", Session)
CONTROL = web.AppKey("control", bool)
"""Set on the application behind control.sock: whoever reaches the socket is the operator."""


def same_origin(request: web.Request, public_host: str = "") -> bool:
    """Tell whether a browser's Origin header names our own host; True without the header.

    Own is the host that was asked, and the public one: a proxy may rewrite Host.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        return urlsplit(origin).netloc in {request.host, public_host or request.host}
    except ValueError:
        return False


class Authenticator:
    """Turns a request into an actor."""

    def __init__(
        self, sessions: Sessions, actor_of: Callable[[Id], Actor | None], public_url: str = ""
    ) -> None:
        self._sessions = sessions
        self._public_host = urlsplit(public_url).netloc
        self._actor_of = actor_of

    async def __call__(
        self, request: web.Request, changes: bool, public: bool = False
    ) -> Actor | None:
        """Return the actor of a request, None when nobody is signed in or a public call needs
        nobody.

        A request that changes something must come from our own pages: same origin, and the token
        that only they know; for a public one (signing in) the origin must do. Raises a 403
        problem otherwise.
        """
        if request.config_dict.get(CONTROL):
            return SYSTEM
        if changes and not same_origin(request, self._public_host):
            raise Problem(403, "foreign_origin", "this call must come from our own pages")
        if public:
            return None
        found = await self.session(request.cookies.get(COOKIE, ""))
        if found is None:
            return None
        session, actor = found
        if changes and request.headers.get("X-CSRF-Token") != session.csrf:
            raise Problem(403, "no_csrf_token", "reload the page and try again")
        request[SESSION] = session
        return actor

    async def session(self, token: str) -> tuple[Session, Actor] | None:
        """Return the session and its actor of a cookie's token."""
        if not token or len(token) > 100 or not token.isascii():
            return None
        session = await self._sessions.find(token)
        actor = self._actor_of(session.agent) if session else None
        return (session, actor) if session and actor else None
