"""The composition root: every part is made and joined here, and nowhere else. Read this first."""

import secrets
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge

import madoguchi.conversations.problems  # noqa: F401 - registers how its refusals are answered
from agent_ui.figures import FigureStream
from agent_ui.pages import Pages, strays
from agent_ui.routes import DeskApi, file_of
from agent_ui.stream import DeskStream
from connectors.base import Ports
from connectors.carrying import Carrier
from connectors.delivery import Delivery
from connectors.dialling import DiallingApi
from connectors.fetching import Fetcher
from connectors.hooks import Hooks
from connectors.lanes import LaneWorker
from connectors.lines import Lines, call_of
from connectors.lost import Lost
from connectors.registry import Registry, sealer, secret_fields
from connectors.softphone import SoftphoneApi
from connectors.takes import DISCARD, TakeFetcher
from connectors.web_chat_rest import WidgetPorts
from connectors.web_chat_sockets import WidgetServer
from madoguchi.bus import Hints
from madoguchi.clock import Clock
from madoguchi.configuration.flow_files import missing_files
from madoguchi.configuration.opening_routes import OpeningApi
from madoguchi.configuration.routes import ConfigurationApi
from madoguchi.configuration.service import Configuration
from madoguchi.configuration.suiting_routes import SuitingApi
from madoguchi.conversations.calls import recordings
from madoguchi.conversations.calls.ice import Ice
from madoguchi.conversations.calls.routes import CallApi
from madoguchi.conversations.calls.views import CallViews
from madoguchi.conversations.receive import FETCH, TAKE
from madoguchi.conversations.routes import ConversationApi
from madoguchi.conversations.rule_routes import RuleApi
from madoguchi.conversations.views import ConversationViews
from madoguchi.entities import entity_views
from madoguchi.files.service import Files
from madoguchi.http.auth import CONTROL, Authenticator
from madoguchi.http.limits import Limiter
from madoguchi.http.remembered import RememberedAnswers
from madoguchi.http.server import Figures, client_address, middleware
from madoguchi.http.table import Api, Operation
from madoguchi.jobs.chores import Chores
from madoguchi.jobs.service import Jobs
from madoguchi.live.relay import Relay
from madoguchi.live.server import Watchdog
from madoguchi.live.tail import Tail
from madoguchi.live.views import Views
from madoguchi.model.log import Entity, NumberedEntry
from madoguchi.open_routes import OpenRoutes
from madoguchi.security.secrets import Vault, parse_keys
from madoguchi.security.sessions import Sessions
from madoguchi.settings import Settings
from madoguchi.store.inbox import Inbox
from madoguchi.store.opening import open_postgres, open_sqlite
from madoguchi.store.postgres import PostgresStore
from madoguchi.store.wire import PostgresWire
from madoguchi.store.work import Store
from madoguchi.tasks import Supervisor
from router.board.routes import BoardApi
from router.client import RouterClient
from router.guard import queues_in_use
from router.orders import Order
from router.routes import RouterApi
from router.service import RouterService
from router.tables import COMMANDS_KEPT, router_command
from router.trials.days import Days
from router.trials.routes import TrialApi
from router.trials.search import Searches
from router.trials.search_routes import SearchApi
from router.trials.service import Trials
from router.trials.staffing_routes import StaffingApi
from router.trials.turns import Turns
from router.views import RouterViews

log = structlog.get_logger(__name__)

V1 = "/api/v1"


@dataclass
class Hub:
    """The joined parts of one process: for the server, the demo and tests."""

    settings: Settings
    clock: Clock
    hints: Hints
    store: Store
    http: aiohttp.ClientSession
    vault: Vault
    tasks: Supervisor
    metrics: CollectorRegistry
    configuration: Configuration
    sessions: Sessions
    authenticate: Authenticator
    registry: Registry
    inbox: Inbox
    lanes: LaneWorker
    delivery: Delivery
    router: RouterService
    client: RouterClient
    turns: Turns
    trials: Trials
    searches: Searches
    tail: Tail
    files: Files
    jobs: Jobs
    hooks: Hooks
    relay: Relay
    wire: PostgresWire | None
    calls: CallViews
    ice: Ice
    desk: DeskStream = field(init=False)
    widget: WidgetServer = field(init=False)
    chores: Chores = field(init=False)
    api: Api = field(init=False)
    stopping: bool = False


@asynccontextmanager
async def running(settings: Settings, clock: Clock | None = None) -> AsyncIterator[Hub]:
    """Make, start and in the end stop a hub; HTTP is served by :func:`application`."""
    clock, hints = clock or Clock(), Hints()
    async with AsyncExitStack() as stack:
        store = await _open(settings, hints)
        stack.push_async_callback(store.close)
        http = await stack.enter_async_context(
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar())
        )
        hub = _joined(settings, clock, hints, store, http)
        stack.push_async_callback(hub.router.close)
        stack.push_async_callback(hub.tasks.close)
        await hub.configuration.reload()
        await hub.tail.start()
        _start(hub)
        yield hub


async def _open(settings: Settings, hints: Hints) -> Store:
    if settings.database:
        return await open_postgres(settings.database, hints)
    settings.data.mkdir(parents=True, exist_ok=True)
    return await open_sqlite(settings.data / "madoguchi.db", hints)


def _node(folder: Path) -> str:
    """Return the lasting name of this data folder's process, for leases."""
    path = folder / "node"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(secrets.token_hex(8), encoding="ascii")
    return path.read_text(encoding="ascii").strip()


def _joined(
    settings: Settings, clock: Clock, hints: Hints, store: Store, http: aiohttp.ClientSession
) -> Hub:
    """Make every part and hand it what it needs; nothing runs yet."""
    holder = f"{_node(settings.data)}.{secrets.token_hex(4)}"
    wire = PostgresWire(settings.database) if settings.database else None
    vault = Vault(parse_keys(settings.secret_keys), settings.secret_folders)
    inbox = Inbox(store)
    files = Files(settings.data / "files", store, clock, vault.signing_keys, settings.upload_limit)
    configuration = Configuration(store, clock, sealer(vault))
    ports = Ports(
        inbox,
        http,
        clock,
        settings.base_url,
        lambda: configuration.catalog,
        files.link,
        settings.zone,
        Lines(store, clock, lambda: hub.router, lambda: configuration.catalog).standing,
        lambda call: call_of(store, call),
    )
    registry = _accounts(configuration, ports, vault, files)
    sessions = Sessions(store, clock, settings.session_hours)
    router = RouterService(
        store, clock, hints, configuration, holder, zone=settings.zone, line=registry.line
    )
    render = ConversationViews(lambda id: configuration.catalog.agent_name(id))
    router_views = RouterViews(lambda: configuration.catalog)
    calls = CallViews(lambda: configuration.catalog, registry.by_browser)
    views = entity_views(render, router_views, calls)
    turns, days = Turns(clock), Days(store, clock, settings.zone)
    metrics = CollectorRegistry()
    hub = Hub(
        settings=settings,
        clock=clock,
        hints=hints,
        store=store,
        http=http,
        vault=vault,
        tasks=Supervisor(),
        metrics=metrics,
        configuration=configuration,
        sessions=sessions,
        authenticate=Authenticator(
            sessions, lambda id: configuration.catalog.actor(id), settings.base_url
        ),
        registry=registry,
        inbox=inbox,
        lanes=LaneWorker(
            store,
            clock,
            hints,
            registry,
            holder,
            lambda: inbox.pressed,
            lambda: configuration.catalog,
            _counted(metrics, *RULES_UNANSWERED),
            settings.zone,
        ),
        delivery=Delivery(store, clock, hints, registry, holder, registry.mark_broken),
        router=router,
        client=RouterClient(router, store, clock, hints),
        turns=turns,
        trials=Trials(turns, days, configuration),
        searches=Searches(turns, days, configuration),
        tail=Tail(store, hints, views),
        files=files,
        jobs=Jobs(store, clock, hints),
        hooks=Hooks(registry, settings.base_url, _counted(metrics, *HOOKS_REFUSED)),
        relay=Relay(wire),
        wire=wire,
        calls=calls,
        ice=Ice(clock, settings.stun_servers, settings.turn_servers, settings.turn_secret),
    )
    hub.jobs.on_outside(FETCH, Fetcher(clock, registry, hub.files).fetch)
    takes = TakeFetcher(clock, registry, hub.files)
    hub.jobs.on_outside(TAKE, takes.fetch)
    hub.jobs.on_outside(DISCARD, takes.discard)
    hub.tail.watch(lambda entry: _reconfigured(hub, entry))
    _streams(hub, render)
    _api(hub, views, render, router_views)
    return hub


def _accounts(configuration: Configuration, ports: Ports, vault: Vault, files: Files) -> Registry:
    """Return the living connectors; the configuration minds what stands behind it."""
    registry = Registry(ports, vault)
    configuration.guard(queues_in_use)
    configuration.guard(missing_files)
    configuration.watch(registry.renew)
    files.spare(lambda: configuration.catalog.sounds.values())
    return registry


RULES_UNANSWERED = ("madoguchi_rules_unanswered", "routing rules that could not tell", "rule")
HOOKS_REFUSED = ("madoguchi_hooks_refused", "webhooks refused", "account")
EVENTS_REFUSED = ("madoguchi_socket_events_refused", "sockets' events over the limit", "event")


def _counted(metrics: CollectorRegistry, name: str, text: str, label: str) -> Callable[[str], None]:
    """Return what counts one more under a label."""
    counter = Counter(name, text, [label], registry=metrics)
    return lambda value: counter.labels(value).inc()


def _streams(hub: Hub, render: ConversationViews) -> None:
    """Make the two live servers and let each hear the other's typing."""
    refused = _counted(hub.metrics, *EVENTS_REFUSED)
    hub.desk = DeskStream(
        hub.tail, hub.store, hub.clock, hub.authenticate, hub.client, hub.hints, refused, hub.relay
    )
    hub.widget = WidgetServer(
        WidgetPorts(
            registry=hub.registry,
            inbox=hub.inbox,
            tail=hub.tail,
            store=hub.store,
            clock=hub.clock,
            files=hub.files,
            render=render,
            calls=hub.calls,
            relay=hub.relay,
            ice=hub.ice,
            router=hub.router,
            catalog=lambda: hub.configuration.catalog,
            client_of=client_address(hub.settings.trusted_proxies),
            upload=file_of,
            refused=refused,
            keys=hub.vault.signing_keys,
        )
    )
    hub.desk.hears_visitors(hub.widget)
    hub.widget.hears_desk(hub.desk)


def _api(hub: Hub, views: Views, render: ConversationViews, router_views: RouterViews) -> None:
    """Make the route table: each room brings its part; and the chores that keep it small."""
    answers = RememberedAnswers(hub.store, hub.clock)
    hub.api = Api(hub.authenticate, client_address(hub.settings.trusted_proxies), answers)
    hub.chores = Chores(hub.store, hub.clock)
    hub.chores.add(hub.files.sweep)
    hub.chores.add(answers.sweep)
    hub.chores.add(lambda: _let_recordings_go(hub))
    hub.chores.walk(
        router_command,
        router_command.c.at,
        lambda old: router_command.c.answered_at < old,
        COMMANDS_KEPT,
    )
    for operations in _operations(hub, views, render, router_views):
        hub.api.add(operations)


def _operations(
    hub: Hub, views: Views, render: ConversationViews, router_views: RouterViews
) -> Iterator[list[Operation]]:
    """Yield each room's part of the route table."""
    yield DeskApi(
        hub.store,
        hub.clock,
        hub.configuration,
        hub.sessions,
        hub.registry,
        hub.files,
        Limiter(hub.clock, rate=5, burst=100),
        hub.settings.base_url.startswith("https://"),
        hub.desk.session_ended,
    ).operations()
    yield ConversationApi(hub.store, hub.clock, views, render, hub.registry.line).operations()
    yield CallApi(
        hub.store,
        hub.clock,
        hub.calls,
        hub.ice,
        lambda command: hub.client.ask(Order(command)),
        lambda id: id in hub.configuration.catalog.agent_by_id,
        hub.files,
        file_of,
    ).operations()
    yield SoftphoneApi(hub.store, hub.registry).operations()
    yield DiallingApi(hub.store, hub.clock, hub.registry, hub.client).operations()
    yield RouterApi(
        hub.store, hub.clock, hub.client, hub.router, router_views, hub.configuration
    ).operations()
    yield BoardApi(
        hub.store, hub.clock, hub.router, router_views, hub.configuration, hub.settings.zone
    ).operations()
    yield TrialApi(hub.trials, hub.configuration).operations()
    yield SearchApi(hub.searches).operations()
    yield StaffingApi(hub.trials.days, hub.configuration).operations()
    yield RuleApi(hub.store, hub.clock, hub.configuration, hub.settings.zone).operations()
    yield SuitingApi(hub.configuration).operations()
    yield OpeningApi(hub.clock, hub.configuration).operations()
    yield ConfigurationApi(
        hub.store, hub.clock, hub.configuration, secret_fields, hub.sessions.set_password
    ).operations()


async def _let_recordings_go(hub: Hub) -> None:
    """Delete what was recorded and has been kept for as long as its queue says."""
    while await hub.store.write(recordings.old(hub.configuration.catalog, hub.clock.now())):
        pass


def _reconfigured(hub: Hub, entry: NumberedEntry) -> None:
    """A configuration that another process saved takes effect here, too."""
    if entry.entry.entity is Entity.CONFIG:
        hub.tasks.once("reconfigure", lambda: _reload(hub))


async def _reload(hub: Hub) -> None:
    await hub.configuration.reload()
    hub.hints.publish(["configuration", "router"])


def _start(hub: Hub) -> None:
    """Start what works in the background; each task is watched and restarted."""
    if isinstance(hub.store, PostgresStore):
        hub.tasks.start("notify", hub.store.notify)
    if hub.wire is not None:
        hub.tasks.start("wire", hub.wire.run)
    hub.tasks.start("inbox", hub.inbox.run)
    hub.tasks.start("router", hub.router.run)
    hub.tasks.start("lanes", hub.lanes.run)
    hub.tasks.start("delivery", hub.delivery.run)
    hub.tasks.start("trials", hub.turns.run)
    hub.tasks.start("tail", hub.tail.run)
    hub.tasks.start("jobs", hub.jobs.run)
    hub.tasks.start("chores", hub.chores.run)
    hub.tasks.start("desk", hub.desk.run)
    hub.tasks.start("announce", hub.desk.announce)
    hub.tasks.start("widget", hub.widget.run)
    lost = Lost(
        hub.store,
        hub.relay,
        hub.clock,
        lambda: hub.router.owner,
        hub.registry.by_browser,
        lambda command: hub.client.ask(Order(command)),
    )
    hub.tasks.start("lost calls", lost.run)
    carrier = Carrier(hub.store, hub.clock, hub.registry, lambda: hub.router.owner)
    hub.tail.watch(carrier.told)
    hub.tasks.start("carrier", carrier.run)
    figures = FigureStream(hub.router, hub.desk)
    hub.tasks.start("figures", figures.run)
    watchdog = Watchdog()
    hub.tasks.start("watchdog", watchdog.run)
    Gauge(
        "madoguchi_sockets_dropped", "sockets dropped: not read", registry=hub.metrics
    ).set_function(lambda: watchdog.dropped)
    Gauge("madoguchi_log_head", "last position told", registry=hub.metrics).set_function(
        lambda: hub.tail.head
    )


def application(hub: Hub, extra: list[web.AbstractRouteDef] | None = None) -> web.Application:
    """Return the web application of a running hub; ``extra`` routes are the demo's."""
    figures = Figures(hub.metrics)
    app = web.Application(
        middlewares=[middleware(figures), strays], client_max_size=hub.settings.body_limit
    )
    hub.api.mount(app.router)
    app.router.add_routes(
        [
            *_open_routes(hub).routes(),
            *hub.hooks.routes(),
            *hub.widget.routes(),
            *Pages(hub.files).routes(),
            *(extra or []),
        ]
    )
    hub.desk.server.attach(app, socketio_path="/live")
    hub.widget.server.attach(app, socketio_path="/widget/live")

    async def shut(_: web.Application) -> None:
        """Close the sockets first, so that clients turn to a successor at once."""
        hub.stopping = True
        await hub.desk.server.shutdown()
        await hub.widget.server.shutdown()

    app.on_shutdown.append(shut)
    return app


def _open_routes(hub: Hub) -> OpenRoutes:
    return OpenRoutes(
        hub.settings,
        hub.tasks,
        hub.router,
        hub.registry,
        hub.metrics,
        lambda: [*hub.api.operations, *hub.widget.operations()],
        lambda: hub.stopping,
    )


def control(hub: Hub) -> web.Application:
    """Return the application behind control.sock: REST as the operator."""
    app = web.Application(middlewares=[middleware(Figures(CollectorRegistry()))])
    app[CONTROL] = True
    hub.api.mount(app.router)
    return app
