"""The configuration: whole, versioned, guarded; every fault with its place."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from sqlalchemy import update

from connectors.registry import sealer, secret_fields
from madoguchi.clock import Clock
from madoguchi.configuration import text
from madoguchi.configuration.kinds import KINDS
from madoguchi.configuration.service import (
    Change,
    Configuration,
    Invalid,
    MovedOn,
    load,
    versions,
)
from madoguchi.configuration.tables import config_object, config_version
from madoguchi.model.people import SYSTEM
from madoguchi.security.secrets import Vault, new_key, parse_keys
from madoguchi.store.log import after
from madoguchi.store.work import Work
from tests.support.hubs import COMPANY, SID
from tests.support.stores import opened

ACCOUNT = f"""
[account.sms]
name = "SMS"
connector = "twilio_sms"
queue = "orders"
topics = {{ back = "returns" }}
[account.sms.settings]
account_sid = "{SID}"
auth_token = "canary-token"
number = "+815031110000"
[account.shop]
name = "Shop"
connector = "web_chat"
queue = "orders"
settings = {{ secret = "canary-secret", origins = ["https://shop.example"] }}
"""


class Office:
    """A configuration over a store of its own."""

    def __init__(self, configuration: Configuration, store: Any) -> None:
        self.configuration, self.store = configuration, store

    @property
    def catalog(self) -> Any:
        return self.configuration.catalog

    async def apply(self, toml: str, **more: Any) -> Any:
        """Apply TOML as the API does."""
        prune = more.pop("prune", False)
        wanted = text.changes(toml, self.catalog, prune=prune)
        return await self.configuration.change(SYSTEM, "test", wanted, **more)

    def export(self) -> str:
        return text.export(self.catalog, secret_fields())

    async def refuses(self, toml: str, **more: Any) -> dict[str, str]:
        """Apply what must be refused; return place → message."""
        before = self.catalog
        with pytest.raises(Invalid) as caught:
            await self.apply(toml, **more)
        assert self.catalog is before
        return {f.place: f.message for f in caught.value.faults}


@pytest_asyncio.fixture
async def office(tmp_path: Path, database: str) -> Any:
    """The test's company with two accounts."""
    async with opened(tmp_path, database) as store:
        seal = sealer(Vault(parse_keys(new_key())))
        one = Office(Configuration(store, Clock(), seal), store)
        await one.apply(COMPANY + ACCOUNT)
        yield one


async def test_export_and_apply_change_nothing(office: Office) -> None:
    exported = office.export()
    assert "canary" not in exported
    assert exported.count("<kept>") == 2
    before = office.catalog
    result = await office.apply(exported)
    assert (result.diff, result.changed) == ([], {})
    assert office.catalog.number == before.number
    assert office.catalog.objects == before.objects
    result = await office.apply(exported, prune=True)
    assert list(result.diff) == []
    assert office.export() == exported


async def test_only_what_is_named_changes(office: Office) -> None:
    before = office.catalog.accounts["sms"].object
    result = await office.apply('[account.sms.settings]\nnumber = "+815031119999"')
    after_ = office.catalog.accounts["sms"].object
    assert after_.settings["number"] == "+815031119999"
    assert after_.settings["auth_token"] == before.settings["auth_token"]
    assert (after_.topics, after_.name) == (before.topics, before.name)
    assert [(d["act"], d["key"]) for d in result.diff] == [("changed", "sms")]
    assert result.diff[0]["fields"] == {"settings": "<settings>"}
    assert result.changed == {("account", "sms"): 2}


async def test_pruning_deletes_what_is_not_named(office: Office) -> None:
    shown = await office.apply(COMPANY, prune=True, dry_run=True)
    assert {(d["act"], d["key"]) for d in shown.diff} == {("deleted", "sms"), ("deleted", "shop")}
    assert "sms" in office.catalog.accounts
    await office.apply(COMPANY, prune=True)
    assert office.catalog.accounts == {}
    faults = await office.refuses("[team.front]\nname = 'x'", prune=True)
    assert set(faults) == {"team.front.serves.0.queue", "team.front.serves.1.queue", "agent.adam"}


async def test_a_dry_run_shows_the_same_and_changes_nothing(office: Office) -> None:
    toml = '[skill.new]\nname = "New"\n[queue.returns]\npriority = 3'
    before = office.catalog
    shown = await office.apply(toml, dry_run=True)
    assert office.catalog is before
    assert (await office.configuration.reload()).number == before.number
    done = await office.apply(toml)
    assert list(done.diff) == list(shown.diff)
    assert done.number == before.number + 1


async def test_every_fault_is_told_with_its_place(office: Office) -> None:
    faults = await office.refuses(
        """
        [queue.orders]
        priority = 0
        agent_choice = "whoever"
        [agent.ann]
        roles = []
        colour = "blue"
        [team.front]
        serves = [{ queue = "orders", level = 99 }]
        """
    )
    assert set(faults) == {
        "queue.orders.priority",
        "queue.orders.agent_choice",
        "agent.ann.roles",
        "agent.ann.colour",
        "team.front.serves.0.level",
    }
    faults = await office.refuses(
        '[agent.ann]\nteams = ["gone"]\nskills = { magic = 1 }\n'
        "[queue.orders]\nrequires = { fly = 1 }"
    )
    assert set(faults) == {
        "agent.ann.teams.0",
        "agent.ann.skills.magic",
        "queue.orders.requires.fly",
    }
    faults = await office.refuses("[account.sms.settings]\nnumber = 'x'\ncolour = 1")
    assert set(faults) == {"account.sms.settings.number", "account.sms.settings.colour"}
    faults = await office.refuses("[account.sms]\nconnector = 'pigeon'")
    assert set(faults) == {"account.sms.connector"}


@pytest.mark.parametrize("kind", ["skill", "queue", "team"])
async def test_what_is_referred_to_cannot_be_deleted(office: Office, kind: str) -> None:
    key = {"skill": "order", "queue": "orders", "team": "front"}[kind]
    with pytest.raises(Invalid) as caught:
        await office.configuration.change(SYSTEM, "", [Change(kind, key, None)])
    assert all(f"{kind} '{key}'" in f.message for f in caught.value.faults)
    assert (kind, key) in office.catalog.objects


async def test_a_lost_update_is_refused(office: Office) -> None:
    body = {"name": "Renamed"}
    for stale in (0, 2, 99):
        with pytest.raises(MovedOn) as caught:
            await office.configuration.change(SYSTEM, "", [Change("skill", "order", body, stale)])
        assert caught.value.version == 1
    await office.configuration.change(SYSTEM, "", [Change("skill", "order", body, 1)])
    with pytest.raises(MovedOn):
        await office.configuration.change(SYSTEM, "", [Change("skill", "order", None, 1)])
    with pytest.raises(MovedOn):
        await office.configuration.change(SYSTEM, "", [Change("skill", "none", body, 1)])


async def test_changes_at_once_make_a_version_each(office: Office) -> None:
    first = office.catalog.number
    await asyncio.gather(*(office.apply(f'[skill.s{n}]\nname = "S{n}"') for n in range(10)))
    catalog = await office.configuration.reload()
    assert catalog.number == first + 10
    assert {f"s{n}" for n in range(10)} <= set(catalog.skills)
    rows = await office.store.read(versions)
    assert [r["number"] for r in rows] == list(range(first + 10, 0, -1))
    assert all(len(r["changes"]) == 1 for r in rows[:10])


async def test_each_version_is_told_and_says_who_and_why(office: Office) -> None:
    seen = len(await office.store.read(lambda: after(0)))
    await office.apply('[skill.order]\nname = "Renamed"')
    told = (await office.store.read(lambda: after(0)))[seen:]
    assert [(t.entry.type, t.entry.version) for t in told] == [("config.changed", 2)]
    row = (await office.store.read(versions))[0]
    assert (row["author"], row["reason"]) == (SYSTEM.id, "test")
    assert row["changes"] == [
        {
            "kind": "skill",
            "key": "order",
            "act": "changed",
            "fields": {"name": ["Orders", "Renamed"]},
        }
    ]


async def test_the_same_again_makes_no_version(office: Office) -> None:
    before = office.catalog.number
    await office.apply(COMPANY)
    assert office.catalog.number == before


def test_kinds_are_exported_in_the_order_in_which_they_can_be_made() -> None:
    assert list(KINDS) == [
        "skill",
        "hours",
        "queue",
        "routing_rule",
        "team",
        "agent",
        "flow",
        "account",
    ]


async def test_a_stored_object_that_no_longer_holds_is_left_out_with_what_needs_it(
    office: Office,
) -> None:
    def spoil() -> Work[None]:
        yield (
            update(config_object)
            .where(config_object.c.kind == "skill", config_object.c.key == "order")
            .values(body={"name": "Orders", "of an older version": True})
        )
        yield (
            update(config_version)
            .where(config_version.c.number == office.catalog.number)
            .values(number=office.catalog.number + 1)
        )

    await office.store.write(spoil)
    catalog = await office.store.read(load)
    assert "order" not in catalog.skills
    assert "orders" not in catalog.queues
    assert "returns" in catalog.queues
    assert catalog.accounts == {}
