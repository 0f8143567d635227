"""``/hooks/{account}``: verify, insert, answer. Nothing else happens in the provider's request."""

import asyncio
from collections.abc import Callable

import structlog
from aiohttp import web

from connectors.base import HookRequest, Refused
from connectors.registry import Registry
from madoguchi.http.problems import Problem
from madoguchi.http.table import read

log = structlog.get_logger(__name__)

LARGE = 64 * 1024
"""A body of more bytes is looked at aside: anybody may send one, and its fields may be many."""


class Hooks:
    """The one door for all providers' webhooks."""

    def __init__(self, registry: Registry, public_url: str, refused: Callable[[str], None]) -> None:
        self._registry = registry
        self._public_url = public_url
        self._refused = refused

    def routes(self) -> list[web.RouteDef]:
        """Return the routes to mount."""
        return [
            web.route("*", "/hooks/{account}", self.handle),
            web.route("*", "/hooks/{account}/{tail}", self.handle),
        ]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Take in one call of a provider: 2xx only when its events are durable."""
        if request.method not in {"POST", "GET"}:
            raise web.HTTPMethodNotAllowed(request.method, ["POST", "GET"])
        connector = self._registry.by_key(request.match_info["account"])
        if connector is None:
            key = request.match_info["account"]
            if key in self._registry.broken:
                # The provider tries again: a 404 would make it drop what the customer wrote.
                raise Problem(503, "account_down", "this account is not working at the moment")
            raise Problem(404, "not_found", "there is no such account")
        body = await read(request)
        hook = HookRequest(
            method=request.method,
            url=self._public_url + request.raw_path,
            tail=request.match_info.get("tail", ""),
            headers=request.headers,
            query=request.query,
        )
        try:
            greeting = await connector.handshake(hook, body)
            if greeting is not None:
                return greeting
            if len(body) > LARGE:
                events = await asyncio.to_thread(connector.verify, hook, body)
            else:
                events = connector.verify(hook, body)
        except Refused as why:
            self._refused(connector.account.key)
            log.warning("webhook refused", account=connector.account.key, why=str(why))
            raise Problem(403, "refused", "the signature does not fit") from why
        inbox, account = connector.ports.inbox, connector.account.id
        await inbox.put(account, events)
        if connector.recalls and events:
            events = await inbox.kept(account, events)
        return connector.answer(events)
