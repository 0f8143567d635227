"""Where agents stand, as rows: the present one, and the periods of presence that make a day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete

from madoguchi.model import log
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import Entity, LogEntry
from madoguchi.model.routing import Activity, Presence
from madoguchi.store.work import Work
from router import statements as sql
from router.board.staff import spends
from router.engine.engine import Engine
from router.rebuild import Kept, moment
from router.tables import agent_status


@dataclass(frozen=True, slots=True)
class Standing:
    """What one cycle of the router writes of agents."""

    engine: Engine
    kept: Kept
    now: datetime
    new_id: Callable[[], Id]

    def write(self, agents: Mapping[Id, str | None], entries: list[LogEntry]) -> Work[None]:
        """Write agents; the value is who set their presence: empty for the hub, None for nobody."""
        for id, by in agents.items():
            if self.engine.agent(id) is None:
                yield from self._forget(id, entries)
                continue
            values = self._values(id)
            yield from self._write_presence(id)
            yield from self._write_activity(id)
            row = {f"b_{k}": v for k, v in {"agent": id, "domain": DOMAIN, **values}.items()}
            if by is None:
                yield sql.AGENT_STANDS(**row)
            else:
                yield sql.AGENT_CHANGED_BY(**row, b_changed_by=by or None)
            connected = {"connected": values["disconnected_since"] is None}
            entries.append(self._entry(id, values["version"], connected))

    def commit(self, agents: Mapping[Id, str | None]) -> None:
        """Take over what was written."""
        kept = self.kept
        for id in agents:
            if self.engine.agent(id) is None:
                kept.agents.pop(id, None)
                kept.presences.pop(id, None)
                kept.spends.pop(id, None)
                continue
            kept.presences[id] = self._presence(id)
            kept.spends[id] = self._spends(id)
            kept.agents[id] = kept.agents.get(id, 0) + 1
            activity = self.engine.load(id).activity
            if kept.activity.get(id, (None, None))[0] is not activity:
                kept.activity[id] = (activity, self.now)

    def _forget(self, id: Id, entries: list[LogEntry]) -> Work[None]:
        """Who may not work any more has no presence; it begins anew when they may again."""
        yield delete(agent_status).where(agent_status.c.agent == id)
        yield sql.END_PERIOD(b_agent=id, b_ended_at=self.now)
        yield sql.END_ACTIVITY(b_agent=id, b_ended_at=self.now)
        entries.append(self._entry(id, self.kept.agents.get(id, 0) + 1, None))

    def _entry(self, id: Id, version: int, data: dict[str, Any] | None) -> LogEntry:
        audience = (log.agent(id), log.SUPERVISORS)
        return LogEntry("agent.changed", Entity.AGENT, id, version, audience, self.now, data)

    def _presence(self, id: Id) -> tuple[Presence, str]:
        facts = self.engine.agent(id)
        return (facts.presence, facts.reason[:120]) if facts else (Presence.offline, "")

    def _write_presence(self, id: Id) -> Work[None]:
        """Let a period of presence end and the next one begin, where the presence is another."""
        presence, reason = self._presence(id)
        if self.kept.presences.get(id, (Presence.offline, "")) == (presence, reason):
            return
        yield sql.END_PERIOD(b_agent=id, b_ended_at=self.now)
        if presence is not Presence.offline:
            yield sql.NEW_PERIOD(
                id=self.new_id(),
                domain=DOMAIN,
                agent=id,
                presence=presence.value,
                reason=reason,
                began_at=self.now,
            )

    def _spends(self, id: Id) -> Activity | None:
        return spends(self.engine.agent(id), self.engine.load(id))

    def _write_activity(self, id: Id) -> Work[None]:
        """The same for what an agent's time counts as."""
        activity = self._spends(id)
        if self.kept.spends.get(id) is activity:
            return
        yield sql.END_ACTIVITY(b_agent=id, b_ended_at=self.now)
        if activity is not None:
            yield sql.NEW_ACTIVITY(
                id=self.new_id(),
                domain=DOMAIN,
                agent=id,
                activity=activity.value,
                began_at=self.now,
            )

    def _values(self, id: Id) -> dict[str, Any]:
        facts, load = self.engine.agent(id), self.engine.load(id)
        if facts is None:
            raise LookupError(id)
        activity, since = self.kept.activity.get(id, (None, self.now))
        return {
            "presence": facts.presence.value,
            "reason": facts.reason[:120],
            "since": moment(facts.since),
            "disconnected_since": moment(facts.disconnected_since),
            "absent_since": moment(facts.absent_since),
            "worked_until": moment(facts.worked_until) if facts.worked_until else None,
            "misses": facts.misses,
            "routing": {
                "taken": facts.taken,
                "day": self.engine.today,
                "given": dict(facts.given),
            },
            "away_after": facts.away_after and facts.away_after[:120],
            "activity": load.activity.value,
            "activity_since": since if activity is load.activity else self.now,
            "used": load.used,
            "reserved": load.reserved,
            "free": load.free,
            "version": self.kept.agents.get(id, 0) + 1,
        }
