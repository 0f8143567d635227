"""The board recounted from the tables, one row after the other, by nothing that the hub runs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from madoguchi.conversations.tables import work_item
from madoguchi.store.work import Work
from router.tables import activity_period, agent_status, alert, assignment, offer
from tests.support.hubs import Running

CHAT_RELEASE_US = 600 * 10**6
SIGNS = ("available", "busy", "wrap_up", "away", "missed", "lost")
UNFINISHED = {"waiting", "offered", "assigned", "wrap_up"}


class Recount:
    """All rows, and what they come to; ``midnight`` begins the day, ``now`` ends it."""

    def __init__(self, rows: Mapping[str, list[Any]], midnight: datetime, now: datetime) -> None:
        self.rows = rows
        self.midnight = midnight
        self.now = now
        self.items = {row.id: row for row in rows["work_item"]}

    def queue(self, key: str, target_s: float, serving: set[str]) -> dict[str, Any]:
        """Return a queue's figures as the board tells them."""
        used = {
            row.channel
            for row in self.rows["work_item"]
            if any(self._counts(key, row.channel, target_s).values())
        }
        return {
            "queue": key,
            **self._figures(key, None, target_s),
            "channels": {name: self._figures(key, name, target_s) for name in sorted(used)},
            "agents": {
                sign: sum(self.sign(row) == sign for row in self._statuses(serving))
                for sign in SIGNS
            },
            "occupancy": self.occupancy(serving),
            "alerts": sorted(
                row.id for row in self.rows["alert"] if row.queue == key and row.ended_at is None
            ),
        }

    def _counts(self, key: str, channel: str | None, target_s: float) -> dict[str, list[Any]]:
        of = [row for row in self.rows["work_item"] if channel in {None, row.channel}]
        waits = [r for r in of if r.queue == key and r.state in {"waiting", "offered"}]
        answered = [r for r in of if r.answered_in == key and self._today(r.assigned_at)]
        left = [
            r
            for r in of
            if r.queue == key
            and r.state == "abandoned"
            and r.assigned_at is None
            and self._today(r.closed_at)
        ]
        handled = [
            r
            for r in self.rows["assignment"]
            if r.queue == key
            and self._today(r.ended_at)
            and channel in {None, self.items[r.item].channel}
        ]
        return {"waits": waits, "answered": answered, "left": left, "handled": handled}

    def _figures(self, key: str, channel: str | None, target_s: float) -> dict[str, Any]:
        counts = self._counts(key, channel, target_s)
        waits, answered, left = counts["waits"], counts["answered"], counts["left"]
        in_time = sum(r.waited_us <= target_s * 1e6 for r in answered)
        offered = len(answered) + len(left)
        oldest = min((r.enqueued_at for r in waits), default=None)
        return {
            "waiting": len(waits),
            "callbacks": sum((r.routing or {}).get("callback") == "asked" for r in waits),
            "oldest_at": oldest,
            "answered": len(answered),
            "in_time": in_time,
            "abandoned": len(left),
            "service_level": in_time / offered if offered else None,
            "speed_of_answer_s": mean(r.waited_us / 1e6 for r in answered),
            "handled": len(counts["handled"]),
            "handling_s": mean_us(map(handling_us, counts["handled"])),
        }

    def agent(self, id: str) -> dict[str, Any]:
        """Return an agent's day as the board tells it."""
        spells = [row for row in self.rows["assignment"] if row.agent == id]
        offers = [r for r in self.rows["offer"] if r.agent == id and self._today(r.closed_at)]
        handled = [handling_us(row) for row in spells if self._today(row.ended_at)]
        load: dict[str, int] = {}
        for row in self.items.values():
            if row.owner == id and row.state in UNFINISHED and not self._released(row):
                load[row.channel] = load.get(row.channel, 0) + row.routing["weight"]
        return {
            "agent": id,
            "answered": sum(self._today(row.started_at) for row in spells),
            "declined": sum(row.state == "declined" for row in offers),
            "missed": sum(row.state == "timed_out" for row in offers),
            "handled": len(handled),
            "handling_s": mean_us(handled),
            "load": dict(sorted(load.items())),
            "occupancy": self.occupancy({id}),
        }

    def occupancy(self, agents: set[str]) -> float | None:
        """Return work ÷ (work + available without work), of some agents together."""
        spent = {"work": 0.0, "idle": 0.0}
        for row in self.rows["activity_period"]:
            if row.agent in agents:
                begun, ended = max(row.began_at, self.midnight), row.ended_at or self.now
                span = max(0.0, (ended - begun).total_seconds())
                spent["idle" if row.activity == "idle" else "work"] += span
        whole = sum(spent.values())
        return round(spent["work"] / whole, 2) if whole else None

    @staticmethod
    def sign(row: Any) -> str:
        """Return the state that desks show."""
        if row.presence in {"missed", "offline"}:
            return str(row.presence)
        if row.disconnected_since is not None:
            return "lost"
        return str(row.presence if row.activity == "idle" else row.activity)

    def _statuses(self, agents: set[str]) -> list[Any]:
        return [row for row in self.rows["agent_status"] if row.agent in agents]

    def _released(self, row: Any) -> bool:
        paused = row.routing["paused_since"]
        after = CHAT_RELEASE_US if row.channel == "chat" else 0
        now_us = round(self.now.timestamp() * 1e6)
        due = paused is not None and paused + after <= now_us
        return bool(row.routing["released"]) or due

    def _today(self, moment: datetime | None) -> bool:
        return moment is not None and moment >= self.midnight


def handling_us(row: Any) -> int:
    """Return for how many µs somebody had an item, without pauses."""
    whole: int = (row.ended_at - row.started_at) // timedelta(microseconds=1)
    return max(0, whole - (row.released_us or 0))


def mean_us(values: Iterable[int]) -> float | None:
    """Return the mean of µs in seconds, to the ms; None of nothing. Half a ms is exact here."""
    several = list(values)
    return round(sum(several) / len(several) / 1e6, 3) if several else None


def mean(values: Iterable[float]) -> float | None:
    """Return the mean in ms, None of nothing."""
    several = list(values)
    return round(sum(several) / len(several), 3) if several else None


async def recounted(here: Running, midnight: datetime) -> dict[str, dict[str, Any]]:
    """Return queue or agent → what the tables come to now."""
    tables = (work_item, assignment, offer, agent_status, activity_period, alert)

    def unit() -> Work[dict[str, list[Any]]]:
        found = {}
        for table in tables:
            found[table.name] = list((yield select(table)))
        return found

    count = Recount(await here.hub.store.read(unit), midnight, here.hub.clock.now())
    catalog = here.hub.configuration.catalog
    serves = {id: catalog.serves(entry.object) for id, entry in catalog.agent_by_id.items()}
    working = {id for id, e in catalog.agent_by_id.items() if "agent" in e.object.roles}
    found = {
        key: count.queue(
            key,
            entry.object.service_level_s,
            {id for id, queues in serves.items() if key in queues and id in working},
        )
        for key, entry in catalog.queues.items()
    }
    signs = [count.sign(row) for row in count.rows["agent_status"] if row.agent in working]
    whole = {
        "agents": {sign: signs.count(sign) for sign in SIGNS},
        "occupancy": count.occupancy(working),
    }
    return found | {"whole": whole} | {id: count.agent(id) for id in working}


def told(here: Running) -> dict[str, dict[str, Any]]:
    """Return the same as the hub's board tells it; what is expected is no count."""
    board = here.hub.router.board
    if board is None:
        return {}
    queues = {queue: board.shown(queue) for queue in board.queues}
    for view in queues.values():
        del view["expected_s"], view["helped_by"], view["least_level"]
        view["alerts"] = sorted(one["id"] for one in view["alerts"])
    return (
        queues
        | {"whole": board.whole()}
        | {agent: board.shown_agent(agent) for agent in board.agents}
    )
