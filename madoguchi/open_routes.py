"""What everybody may ask: the API's descriptions, health, and figures at a door of their own."""

import hmac
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CollectorRegistry, generate_latest

from connectors.registry import Registry
from madoguchi.http import openapi
from madoguchi.http.problems import Problem
from madoguchi.http.server import from_this_machine
from madoguchi.http.table import Operation, answer
from madoguchi.live import schemas
from madoguchi.settings import Settings
from madoguchi.tasks import Supervisor
from router.service import RouterService

V1 = "/api/v1"


@dataclass(frozen=True)
class OpenRoutes:
    """What needs no sign-in: descriptions of the API, health; figures have a door of their own."""

    settings: Settings
    tasks: Supervisor
    router: RouterService
    registry: Registry
    metrics: CollectorRegistry
    operations: Callable[[], list[Operation]]
    stopping: Callable[[], bool]

    def routes(self) -> list[web.AbstractRouteDef]:
        """Return the routes."""
        return [
            web.get(f"{V1}/openapi.json", self.openapi),
            web.get(f"{V1}/events.json", self.events),
            web.get("/healthz", self.healthy),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.figures),
        ]

    async def openapi(self, _: web.Request) -> web.Response:
        """Return the OpenAPI document."""
        document = openapi.document(self.operations(), self.settings.base_url)
        return answer(200, document)

    async def events(self, _: web.Request) -> web.Response:
        """Return the schemas of the sockets' events."""
        return answer(200, schemas.document())

    async def healthy(self, _: web.Request) -> web.Response:
        """Return 200 while the process answers at all."""
        return web.Response(text="ok\n")

    async def ready(self, _: web.Request) -> web.Response:
        """Return 200 when traffic may come: nothing is failing and nobody is stopping us."""
        failing = {s.name: s.failing for s in self.tasks.states.values() if s.failing}
        fine = not self.stopping() and not failing
        body = {
            "ready": fine,
            "stopping": self.stopping(),
            "router": "owner" if self.router.owner else "standby",
            "failing": failing,
            "accounts": dict(self.registry.broken),
        }
        return answer(200 if fine else 503, body)

    async def figures(self, request: web.Request) -> web.Response:
        """Return the Prometheus figures, to this machine or to who has the token."""
        settings = self.settings
        given = request.headers.get("Authorization", "").encode("utf-8", "replace")
        wanted = f"Bearer {settings.metrics_token}".encode()
        known = bool(settings.metrics_token) and hmac.compare_digest(given, wanted)
        if not known and not from_this_machine(request, settings.trusted_proxies):
            raise Problem(401, "metrics_token", "send the bearer token of MADOGUCHI_METRICS_TOKEN")
        headers = {"Content-Type": "text/plain; version=0.0.4"}
        return web.Response(body=generate_latest(self.metrics), headers=headers)
