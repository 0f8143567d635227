"""A furnished hub for tests that go over the whole route table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from madoguchi.configuration import text
from madoguchi.http.table import Nothing, Operation
from madoguchi.model.people import SYSTEM
from tests.support.hubs import PASSWORD, Person, Running, Stream, hub_running
from tests.support.waiting import wait_for

MORE = """
[queue.vip]
name = "VIP"
[team.vip]
name = "VIP"
serves = [{ queue = "vip" }]
[agent.otto]
name = "Otto"
teams = ["vip"]
[agent.boss]
name = "Boss"
roles = ["agent", "supervisor", "administrator"]
teams = ["front"]
skills = { order = 5 }
units = 50
"""

SAMPLES: dict[str, dict[str, Any]] = {
    "SayBody": {"mode": "note", "text": "a note"},
    "DraftBody": {"mode": "note", "text": "begun"},
    "SubjectBody": {"subject": "A matter"},
    "NameBody": {"name": "Somebody"},
    "LinkBody": {"identity": "01980000-0000-7000-8000-000000000000"},
    "DeclineBody": {"reason": "busy"},
    "CallBody": {"outcome": "reached"},
    "TransferBody": {"queue": "nowhere", "reason": "skill", "summary": "what it is about"},
    "EndBody": {"inbound_seq": 0},
    "WrapUpBody": {"code": "nonsense", "note": "a note"},
    "PresenceBody": {"presence": "available", "reason": ""},
    "SignOutBody": {"open_work": "keep"},
    "AwayBody": {"reason": "lunch"},
    "PreferencesBody": {"keys": {"reply": "q"}, "order": ["page"]},
    "CapacityBody": {"units": 50},
    "AssignBody": {"agent": "01980000-0000-7000-8000-000000000000"},
    "PriorityBody": {"priority": 1},
    "MoveBody": {"place": 1},
    "ObjectBody": {"body": {"name": "Things"}, "reason": "test"},
    "UndoBody": {"reason": "test"},
    "TrialBody": {"day": "2026-01-01"},
    "SearchBody": {"day": "2026-01-01"},
    "ClosedBody": {"closed": False, "reason": "test"},
    "CheckBody": {"when": "channel == 'sms'"},
    "TryBody": {"facts": {"text": "hello"}},
    "OrderBody": {"keys": [], "number": 0, "reason": "test"},
    "ConditionBody": {"when": "agent.site == 'osaka'"},
    "HoursBody": {"body": {"name": "Office"}},
    "ApplyBody": {"toml": "", "reason": "test", "dry_run": True, "prune": False},
    "PasswordBody": {"password": "short"},
    "OnBody": {"on": True},
    "ConsultBody": {"agent": "01980000-0000-7000-8000-000000000000"},
    "NumberBody": {"number": "+819055500187"},
    "BringInBody": {"number": "+819055500187", "hand_over": True},
    "DialBody": {"number": "+819055500187"},
    "ParkBody": {"seconds": 60},
    "SuperviseBody": {"mode": "listen"},
    "SignInBody": {"name": "nobody", "password": "wrong"},
    "ReplayBody": {"ids": [999_999]},
}
"""A body for each model of the route table; harmless, so that a test may send it anywhere."""


def named(operation: Operation) -> str:
    """Return an operation's name."""
    return f"{operation.method} {operation.path}"


def sample(operation: Operation) -> dict[str, Any] | None:
    """Return a body for an operation, None when it takes none."""
    return None if operation.body is Nothing else SAMPLES[operation.body.__name__]


@dataclass
class World:
    """A hub with one conversation in work, and the ids that paths ask for."""

    here: Running
    boss: Person
    desk: Stream
    conversation: str
    customer: str
    identity: str
    item: str
    offer: str

    def path(self, operation: Operation) -> str:
        """Return the operation's path with ids of real objects, without /api/v1."""
        path = operation.path.removeprefix("/api/v1")
        area = path.split("/")[1]
        one = {
            "conversations": self.conversation,
            "customers": self.customer,
            "items": self.item,
            "offers": self.offer,
            "agents": self.boss.id,
        }.get(area, "01980000-0000-7000-8000-000000000000")
        path = (
            path.replace("{number}", "1")
            .replace("{leg}", "customer")
            .replace("{take}", one)
            .replace("{id}", one)
        )
        return path.replace("{kind}", "skill").replace("{key}", "things")


@asynccontextmanager
async def world(folder: Path, database: str = "") -> AsyncIterator[World]:
    """Run a hub with more people, and one SMS that the boss has accepted."""
    async with hub_running(folder, database=database) as here:
        hub = here.hub
        await hub.configuration.change(
            SYSTEM, "test", text.changes(MORE, hub.configuration.catalog)
        )
        agents = hub.configuration.catalog.agents
        await asyncio.gather(
            *(hub.sessions.set_password(agents[k].id, PASSWORD) for k in ("otto", "boss"))
        )
        await hub.router.ready()
        boss = await here.person("boss")
        desk = await boss.available()
        await here.sms("+819055500187", "Where is my parcel?")
        offer = await desk.until(lambda s: next(iter(s.all("offer")), None), "an offer")
        await boss.call("POST", f"/offers/{offer['id']}/accept")
        view = await wait_for(
            lambda: (
                desk.of("conversation", offer["conversation"]).get("owner")
                and desk.of("conversation", offer["conversation"])
            ),
            "owned",
        )
        yield World(
            here,
            boss,
            desk,
            view["id"],
            view["customer"]["id"],
            view["identity"],
            offer["item"],
            offer["id"],
        )
