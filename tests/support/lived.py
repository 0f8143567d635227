"""A day that a simulated company lives through, with the rows that the hub would keep of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from madoguchi.app import Hub
from madoguchi.conversations.tables import work_item
from madoguchi.model.ids import DOMAIN
from madoguchi.model.routing import (
    Command,
    Decision,
    ItemAssigned,
    ItemClosed,
    ItemEnqueued,
    ItemState,
    ItemWaiting,
    OfferClosed,
    Offered,
    Presence,
    PresenceChanged,
    TeamsLetIn,
)
from madoguchi.store.work import Many, Work
from router.pauses import ENDED
from router.simulator.cast import Cast
from router.simulator.replication import Replication
from router.tables import assignment, offer, presence_period

Row = dict[str, Any]


class Lived(Replication):
    """A run that keeps rows; instants are µs of the day. ``let_in`` is who helped when."""

    def __init__(self, cast: Cast) -> None:
        self.items: dict[str, Row] = {}
        self.offers: dict[str, Row] = {}
        self.spells: list[Row] = []
        self.periods: list[Row] = []
        self.let_in: list[TeamsLetIn] = []
        super().__init__(cast)

    def _do(self, command: Command) -> bool:
        if isinstance(command, ItemEnqueued):
            spec = command.item
            self.items[spec.id] = {
                "queue": spec.queue,
                "came_to": spec.queue,
                "channel": "sms",
                "state": ItemState.waiting.value,
                "enqueued_at": spec.enqueued_at,
                "requires": spec.requires,
                "assigned_at": None,
                "answered_in": None,
                "waited_us": None,
                "closed_at": None,
                "routing": {},
            }
        elif isinstance(command, TeamsLetIn):
            self.let_in.append(command)
        return super()._do(command)

    def _follow(self, decision: Decision) -> None:
        now = self._now
        if isinstance(decision, Offered):
            self.offers[decision.offer] = {
                "item": decision.item,
                "agent": decision.agent,
                "state": "pending",
                "transfer": decision.transfer,
                "made_at": now,
                "deadline": decision.deadline,
                "closed_at": None,
                "reason": None,
            }
        elif isinstance(decision, OfferClosed):
            end = {"state": decision.state.value, "closed_at": now, "reason": decision.why}
            self.offers[decision.offer].update(end)
        elif isinstance(decision, ItemAssigned):
            self._begins(decision)
        elif isinstance(decision, ItemWaiting):
            self.items[decision.item]["queue"] = decision.queue
            if decision.owner is None:
                self._ends(decision.item)
        elif isinstance(decision, ItemClosed):
            self._closes(decision)
        elif isinstance(decision, PresenceChanged):
            self._stands(decision)
        super()._follow(decision)

    def _begins(self, one: ItemAssigned) -> None:
        self._ends(one.item)
        item, now = self.items[one.item], self._now
        if item["assigned_at"] is None:
            waited = now - item["enqueued_at"]
            item.update(assigned_at=now, answered_in=item["queue"], waited_us=waited)
        item["state"] = ItemState.assigned.value
        contact = self._contacts[one.item]
        turn = contact.taken_over
        talk = round((turn.handling_s if turn else contact.coming.handling_s) * 1e6)
        self.spells.append(
            {
                "item": one.item,
                "agent": one.agent,
                "queue": item["queue"],
                "offer": one.offer,
                "started_at": now,
                "wrap_up_at": now + talk if contact.last else None,
                "ended_at": None,
            }
        )

    def _ends(self, item: str) -> None:
        for spell in reversed(self.spells):
            if spell["item"] == item and spell["ended_at"] is None:
                spell["ended_at"] = self._now
                return

    def _closes(self, one: ItemClosed) -> None:
        self._ends(one.item)
        state = ItemState.abandoned if one.why else one.state
        routing = {ENDED: one.why} if one.why else {}
        self.items[one.item].update(state=state.value, closed_at=self._now, routing=routing)

    def _stands(self, one: PresenceChanged) -> None:
        for period in reversed(self.periods):
            if period["agent"] == one.agent and period["ended_at"] is None:
                period["ended_at"] = self._now
                break
        if one.presence is not Presence.offline:
            self.periods.append(
                {
                    "agent": one.agent,
                    "presence": one.presence.value,
                    "reason": "",
                    "began_at": self._now,
                    "ended_at": None,
                }
            )


async def keep(hub: Hub, lived: Lived, begins: datetime) -> None:
    """Store a day's rows."""
    ids = {name: hub.clock.new_id() for name in lived.items}

    def row(of: Mapping[str, Any]) -> Row:
        found = {
            name: begins + timedelta(microseconds=value)
            if value is not None and name.endswith(("_at", "deadline"))
            else value
            for name, value in of.items()
        }
        return {**found, "domain": DOMAIN}

    items = [
        {**row(one), "id": ids[name], "conversation": hub.clock.new_id(), "kind": "text"}
        for name, one in lived.items.items()
    ]
    offers = [
        {**row(one), "id": _offer(ids, name), "item": ids[one["item"]], "explanation": {}}
        for name, one in lived.offers.items()
    ]
    spells = [
        {**row(one), "id": hub.clock.new_id(), "item": ids[one["item"]]}
        | {"offer": _offer(ids, one["offer"]) if one["offer"] else None}
        for one in lived.spells
    ]
    periods = [{**row(one), "id": hub.clock.new_id()} for one in lived.periods]
    for one in (*items, *offers):
        one["version"] = 1
    for one in offers:
        one["snapshot"] = {}

    def unit() -> Work[None]:
        for table, rows in (
            (work_item, items),
            (offer, offers),
            (assignment, spells),
            (presence_period, periods),
        ):
            for first in range(0, len(rows), 500):
                yield Many(table.insert(), rows[first : first + 500])

    await hub.store.write(unit)


def _offer(ids: Mapping[str, str], name: str) -> str:
    item, _, number = name.rpartition("-")
    return f"{ids[item]}-{number}"
