"""A whole hub in the test's process, with people who act through REST and sockets."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
import socketio
from aiohttp import web
from twilio.request_validator import RequestValidator
from yarl import URL

from connectors.web_chat import sign_identity
from madoguchi.app import Hub, application, running
from madoguchi.clock import Clock
from madoguchi.configuration import text
from madoguchi.configuration.service import Change
from madoguchi.http.runner import Runner
from madoguchi.model.people import SYSTEM
from madoguchi.security.secrets import new_key
from madoguchi.settings import Settings
from tests.support.ports import free_port
from tests.support.waiting import wait_for

SID = "AC" + "1" * 32
TOKEN = "token-of-the-test"
NUMBER = "+815031110000"
PASSWORD = "correct horse battery"
SHOP_SECRET = "shop-secret"

COMPANY = """
[skill.order]
name = "Orders"
[queue.orders]
name = "Orders"
requires = { order = 1 }
wrap_up = [{ key = "solved", name = "Solved" }]
[queue.returns]
name = "Returns"
[team.front]
name = "Front"
serves = [{ queue = "orders" }, { queue = "returns" }]
[agent.ann]
name = "Ann"
teams = ["front"]
skills = { order = 3 }
[agent.ben]
name = "Ben"
teams = ["front"]
skills = { order = 3 }
[agent.sue]
name = "Sue"
roles = ["supervisor"]
teams = ["front"]
[agent.adam]
name = "Adam"
roles = ["administrator"]
"""


def settings_for(folder: Path, port: int, database: str = "", **more: Any) -> Settings:
    """Return the settings of a hub in a folder."""
    return Settings(
        port=port,
        public_url=f"http://127.0.0.1:{port}",
        data=folder,
        database=database,
        **{"secret_keys": new_key(), **more},
    )


@dataclass
class Running:
    """A hub that serves on a port of its own."""

    hub: Hub
    port: int
    people: list[Person] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where it serves."""
        return f"http://127.0.0.1:{self.port}"

    async def person(self, name: str) -> Person:
        """Return somebody who is signed in."""
        person = Person(self, name)
        self.people.append(person)
        await person.sign_in()
        return person

    async def configure(self, toml: str, reason: str = "test") -> None:
        """Change the configuration behind everybody's back; new agents get the password."""
        hub = self.hub
        before = set(hub.configuration.catalog.agents)
        wanted = text.changes(toml, hub.configuration.catalog)
        await hub.configuration.change(SYSTEM, reason, wanted)
        for key, entry in hub.configuration.catalog.agents.items():
            if key not in before:
                await hub.sessions.set_password(entry.id, PASSWORD)
        await hub.router.ready()

    async def sms(self, from_: str, body: str, sid: str | None = None, token: str = TOKEN) -> int:
        """Send a signed SMS webhook; return the status."""
        sid = sid or "SM" + self.hub.clock.new_id().replace("-", "")
        fields = {"MessageSid": sid, "AccountSid": SID, "From": from_, "To": NUMBER, "Body": body}
        return await self.hook("/hooks/sms", fields, token)

    async def hook(self, path: str, fields: dict[str, str], token: str = TOKEN) -> int:
        """POST a form as Twilio signs it."""
        signature = RequestValidator(token).compute_signature(f"{self.url}{path}", fields)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.url}{path}",
                data=urlencode(fields),
                headers={
                    "X-Twilio-Signature": signature,
                    "Content-Type": "application/x-www-form-urlencoded",
                },
            ) as answer,
        ):
            return answer.status


@dataclass
class Person:
    """Somebody at a desk: REST with the cookie, and the live stream folded as pages fold it."""

    running: Running
    name: str
    csrf: str = ""
    id: str = ""
    http: aiohttp.ClientSession | None = None
    sockets: dict[str, Stream] = field(default_factory=dict)

    async def sign_in(self) -> None:
        """Open a session by name and password."""
        self.http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
        answer = await self.call("POST", "/session", {"name": self.name, "password": PASSWORD})
        self.csrf, self.id = answer["csrf"], answer["agent"]

    async def raw(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Any]:
        """Call REST; return status and JSON."""
        assert self.http is not None
        async with self.http.request(
            method,
            f"{self.running.url}/api/v1{path}",
            json=body,
            headers={"X-CSRF-Token": self.csrf, **(headers or {})},
        ) as answer:
            kind = answer.headers.get("Content-Type", "")
            return answer.status, await answer.json(content_type=None) if "json" in kind else None

    async def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call REST; fail the test unless it is done."""
        status, answer = await self.raw(method, path, body)
        assert status < 300, (status, answer)
        return answer

    async def connect(self, namespace: str = "/agent") -> Stream:
        """Open the live stream and fold its snapshot."""
        stream = Stream(self, namespace)
        await stream.connect()
        self.sockets[namespace] = stream
        return stream

    async def available(self) -> Stream:
        """Open the desk and be ready for work."""
        stream = await self.connect()
        await self.call("PUT", "/agents/me/presence", {"presence": "available"})
        await stream.until(
            lambda s: s.of("agent", self.id).get("presence") == "available", "available"
        )
        return stream

    async def close(self) -> None:
        """Leave."""
        for stream in self.sockets.values():
            await stream.close()
        if self.http is not None:
            await self.http.close()


class Stream:
    """The fold of pages over one namespace of the live stream."""

    def __init__(self, person: Person, namespace: str) -> None:
        self.person = person
        self.namespace = namespace
        self.views: dict[tuple[str, str], dict[str, Any]] = {}
        self.pos: int | None = None
        self.holes = 0
        self.events: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self.packets: list[list[str]] = []
        self.held: list[dict[str, Any]] | None = []
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("event", self._event, namespace=namespace)
        self.client.on("heartbeat", lambda _: None, namespace=namespace)
        self.client.on("signal", self.signals.append, namespace=namespace)

    async def connect(self, pos: int | None = None) -> None:
        """Connect and say hello."""
        assert self.person.http is not None
        jar = self.person.http.cookie_jar.filter_cookies(URL(self.person.running.url))
        cookie = "; ".join(f"{m.key}={m.value}" for m in jar.values())
        await self.client.connect(
            self.person.running.url,
            headers={"Cookie": cookie},
            auth={"token": self.person.csrf},
            namespaces=[self.namespace],
            socketio_path="/live",
            transports=["websocket"],
            wait_timeout=10,
        )
        await self.hello(pos)

    async def hello(self, pos: int | None) -> str:
        """Say hello; return the mode of the answer."""
        self.held = []
        answer = await self.client.call("hello", {"pos": pos}, namespace=self.namespace)
        if answer["mode"] == "snapshot":
            self.views = {}
            for one in answer["entities"]:
                self.fold(one)
        else:
            for one in answer["events"]:
                self.fold(one)
        self.pos = answer["pos"]
        held, self.held = self.held, None
        for event in held:
            self._take(event)
        return str(answer["mode"])

    async def _event(self, *events: dict[str, Any]) -> None:
        self.packets.append([event["type"] for event in events])
        for event in events:
            if self.held is not None:
                self.held.append(event)
            else:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["prev"] != self.pos:
            self.holes += 1
        self.pos = event["pos"]
        self.fold(event)

    def fold(self, event: dict[str, Any]) -> None:
        """Keep the newest view, drop what is gone and what is over."""
        key = (event["entity"], event["id"])
        view = event["view"]
        if view is None or (event["entity"] == "offer" and view["state"] != "pending"):
            self.views.pop(key, None)
        elif event["version"] >= self.views.get(key, {}).get("version", 0):
            self.views[key] = view

    def of(self, entity: str, id: str) -> dict[str, Any]:
        """Return a view, empty when there is none."""
        return self.views.get((entity, id), {})

    def all(self, entity: str) -> list[dict[str, Any]]:
        """Return the views of one entity."""
        return [v for (e, _), v in self.views.items() if e == entity]

    async def until(self, true: Callable[[Stream], Any], what: str) -> Any:
        """Wait until a condition on the fold holds; return its value."""
        try:
            return await wait_for(lambda: true(self), what)
        except AssertionError as late:
            late.add_note(self._known())
            raise

    def _known(self) -> str:
        """Say what the page knows, for whoever reads that it waited in vain."""
        told = [(one["pos"], one["type"], one["id"]) for one in self.events[-12:]]
        connected = self.namespace in self.client.namespaces
        return f"connected: {connected}, views: {sorted(self.views)}, last events: {told}"

    async def close(self) -> None:
        """Disconnect."""
        await self.client.disconnect()


class Provider(Protocol):
    """Some Twilio that the hub is pointed at."""

    base: str

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return its routes."""
        ...


class SilentTwilio:
    """An API that accepts every message and never calls back; tests look at what it got."""

    base = "/twilio"

    def __init__(self) -> None:
        self.got: list[dict[str, str]] = []

    def routes(self) -> Sequence[web.AbstractRouteDef]:
        """Return the API's routes under /twilio."""
        return [
            web.post("/twilio/2010-04-01/Accounts/{sid}/Messages.json", self.create),
        ]

    async def create(self, request: web.Request) -> web.Response:
        """Accept a message."""
        form = dict(await request.post())
        self.got.append({k: str(v) for k, v in form.items()})
        sid = f"SM{len(self.got):032x}"
        body = {"sid": sid, "status": "queued", "body": form.get("Body"), "to": form.get("To")}
        return web.json_response(body, status=201)


@asynccontextmanager
async def hub_running(
    folder: Path,
    *,
    database: str = "",
    clock: Clock | None = None,
    twilio: Provider | None = None,
    port: int | None = None,
    standby: bool = False,
    **more: Any,
) -> AsyncIterator[Running]:
    """Run a hub with the test's company and one SMS and one chat account.

    ``standby``: another process routes. ``more``: further settings of the process.
    """
    port = port or free_port()
    settings = settings_for(folder, port, database, **more)
    twilio = twilio or SilentTwilio()
    async with running(settings, clock) as hub:
        if not standby:
            await hub.router.ready()
        if not hub.configuration.catalog.objects:
            await furnish(hub, port, twilio.base)
        app = application(hub, list(twilio.routes()))
        runner = Runner(app, 0.2)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        here = Running(hub, port)
        try:
            yield here
        finally:
            await asyncio.gather(*(p.close() for p in here.people))
            await runner.cleanup()


async def furnish(hub: Hub, port: int, base: str = SilentTwilio.base) -> None:
    """Give an empty hub the test's company."""
    wanted = text.changes(COMPANY, hub.configuration.catalog)
    wanted.append(
        Change(
            "account",
            "sms",
            {
                "name": "SMS",
                "connector": "twilio_sms",
                "queue": "orders",
                "settings": {
                    "account_sid": SID,
                    "auth_token": TOKEN,
                    "number": NUMBER,
                    "api_base": f"http://127.0.0.1:{port}{base}",
                },
            },
        )
    )
    chat = {
        "name": "Shop",
        "connector": "web_chat",
        "queue": "orders",
        "topics": {"returns": "returns"},
        "settings": {"secret": SHOP_SECRET},
    }
    wanted.append(Change("account", "shop", chat))
    await hub.configuration.change(SYSTEM, "test", wanted)
    for entry in hub.configuration.catalog.agents.values():
        await hub.sessions.set_password(entry.id, PASSWORD)


class Widget:
    """A visitor's browser: its small REST and its socket."""

    def __init__(self, running: Running, account: str = "shop") -> None:
        self.running = running
        self.account = account
        self.token = ""
        self.visitor = ""
        self.pos = 0
        self.holes = 0
        self.views: dict[tuple[str, str], dict[str, Any]] = {}
        self.positions: list[dict[str, Any]] = []
        self.typing: list[dict[str, Any]] = []
        self.signals: list[dict[str, Any]] = []
        self.held: list[dict[str, Any]] | None = []
        self.client = socketio.AsyncClient(reconnection=False)
        self.client.on("event", self._event, namespace="/visitor")
        self.client.on("position", self._position, namespace="/visitor")
        self.client.on("typing", self._typing, namespace="/visitor")
        self.client.on("signal", self._signal, namespace="/visitor")

    async def start(self) -> Widget:
        """Ask for a token unless there is one, connect and say hello."""
        if not self.token:
            status, answer = await self.rest("POST", "/session", {"language": "ja"})
            assert status == 200, answer
            self.token, self.visitor = answer["token"], answer["visitor"]
        await self.client.connect(
            self.running.url,
            auth={"account": self.account, "token": self.token},
            namespaces=["/visitor"],
            socketio_path="/widget/live",
            transports=["websocket"],
            wait_timeout=10,
        )
        await self.hello(None)
        return self

    async def rest(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Call the widget's REST."""
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method,
                f"{self.running.url}/api/v1/widget/{self.account}{path}",
                json=body,
                headers={"Authorization": f"Bearer {self.token}"},
            ) as answer,
        ):
            kind = answer.headers.get("Content-Type", "")
            return answer.status, await answer.json(content_type=None) if "json" in kind else {}

    async def upload(self, name: str, data: bytes) -> tuple[int, dict[str, Any]]:
        """Upload a file."""
        form = aiohttp.FormData()
        form.add_field("file", data, filename=name)
        async with (
            aiohttp.ClientSession() as session,
            session.post(
                f"{self.running.url}/api/v1/widget/{self.account}/files",
                data=form,
                headers={"Authorization": f"Bearer {self.token}"},
            ) as answer,
        ):
            return answer.status, await answer.json(content_type=None)

    async def call(self, name: str, body: dict[str, Any]) -> Any:
        """Emit with an answer."""
        return await self.client.call(name, body, namespace="/visitor")

    async def hello(self, pos: int | None) -> dict[str, Any]:
        """Say hello and fold the answer."""
        self.held = []
        answer = await self.call("hello", {"pos": pos, "language": "ja"})
        if answer["mode"] == "snapshot":
            self.views = {}
            if answer["conversation"]:
                self._fold("conversation", answer["conversation"])
            for one in answer["messages"]:
                self._fold("message", one)
            for one in answer["calls"]:
                self._fold("call", one)
        else:
            for event in answer["events"]:
                self._fold(event["entity"], event["view"] or {"id": event["id"]})
        self.pos = answer["pos"]
        held, self.held = self.held, None
        for event in held:
            self._take(event)
        return dict(answer)

    async def send(self, text: str, **more: Any) -> dict[str, Any]:
        """Send a message; return the answer."""
        body = {"id": self.running.hub.clock.new_id(), "text": text, **more}
        return dict(await self.call("send", body))

    async def _event(self, *events: dict[str, Any]) -> None:
        for event in events:
            if self.held is not None:
                self.held.append(event)
            else:
                self._take(event)

    def _take(self, event: dict[str, Any]) -> None:
        if event["prev"] != self.pos:
            self.holes += 1
        self.pos = event["pos"]
        if event["view"] is not None:
            self._fold(event["entity"], event["view"])

    def _fold(self, entity: str, view: dict[str, Any]) -> None:
        known = self.views.get((entity, view["id"]), {})
        if view.get("version", 0) >= known.get("version", 0):
            self.views[entity, view["id"]] = view

    async def _position(self, body: dict[str, Any]) -> None:
        self.positions.append(body)

    async def _typing(self, body: dict[str, Any]) -> None:
        self.typing.append(body)

    async def _signal(self, body: dict[str, Any]) -> None:
        self.signals.append(body)

    def messages(self) -> list[dict[str, Any]]:
        """Return the messages, oldest first."""
        found = [v for (e, _), v in self.views.items() if e == "message"]
        return sorted(found, key=lambda v: (v["at"], v["id"]))

    def conversation(self) -> dict[str, Any]:
        """Return the newest conversation, empty when there is none."""
        found = [v for (e, _), v in self.views.items() if e == "conversation"]
        return max(found, key=lambda v: v["created_at"], default={})

    async def identify(
        self,
        id: str,
        *,
        name: str = "",
        phone: str = "",
        mail: str = "",
        attributes: dict[str, Any] | None = None,
        sign: dict[str, str] | None = None,
    ) -> dict[str, Any]:
        """Let the site say who its signed-in customer is; return the answer.

        ``sign``: attributes that are signed in the place of those that are told.
        """
        now = self.running.hub.clock.now().isoformat()
        told = {"id": id, "name": name, "phone": phone, "mail": mail, "issued_at": now}
        body: dict[str, Any] = dict(told)
        if attributes is not None:
            body["attributes"] = attributes
        signed = attributes if sign is None else sign
        signature = sign_identity(SHOP_SECRET, id, name, phone, mail, now, signed)
        return dict(await self.call("identify", {**body, "signature": signature}))

    async def close(self) -> None:
        """Close the tab."""
        await self.client.disconnect()
