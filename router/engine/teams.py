"""Who is in which team and how many of them are idle: what reserves ask."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from router.engine.records import AgentRecord


class Teams:
    """The members of each team, its idle agents, and the reserves that look at their number."""

    def __init__(self) -> None:
        self._members: dict[str, dict[str, AgentRecord]] = {}
        self._idle: dict[str, int] = {}
        self._reserves: dict[str, dict[int, int]] = {}
        self._lowest: dict[str, int] = {}

    @property
    def idle(self) -> Mapping[str, int]:
        """Team -> how many of its agents are idle."""
        return self._idle

    @property
    def reserved(self) -> bool:
        """Whether anybody keeps agents free at all."""
        return any(self._reserves.values())

    def add(self, agent: AgentRecord) -> None:
        """Take in an agent's memberships and reserves; not whether they are idle."""
        for team in agent.spec.teams:
            self._members.setdefault(team, {})[agent.id] = agent
        for reserve in agent.spec.keep_free.values():
            counts = self._reserves.setdefault(reserve.team, {})
            counts[reserve.free] = counts.get(reserve.free, 0) + 1

    def drop(self, agent: AgentRecord) -> None:
        """Undo `add`."""
        for team in agent.spec.teams:
            del self._members[team][agent.id]
        for reserve in agent.spec.keep_free.values():
            counts = self._reserves[reserve.team]
            counts[reserve.free] -= 1
            if not counts[reserve.free]:
                del counts[reserve.free]

    def members(self, team: str) -> Iterator[AgentRecord]:
        """Yield the members of a team, signed in or not."""
        return iter(self._members.get(team, {}).values())

    def count(self, agent: AgentRecord, idle: int) -> None:
        """Add to the number of idle agents of all teams of an agent."""
        for team in agent.spec.teams:
            before = self._idle.get(team, 0)
            now = self._idle[team] = before + idle
            self._lowest[team] = min(before, now, self._lowest.get(team, now))

    def opened(self) -> list[AgentRecord]:
        """Return the agents whose reserve allows now what it did not at some time since this was
        asked last: they may have looked then.
        """
        found: dict[str, AgentRecord] = {}
        for team, lowest in self._lowest.items():
            now = self._idle[team]
            if any(_opens(free, lowest, now) for free in self._reserves.get(team, ())):
                found.update(self._members.get(team, {}))
        self._lowest.clear()
        return list(found.values())


def _opens(free: int, before: int, now: int) -> bool:
    """Tell whether a reserve opens for the busy, or one higher for the idle themselves."""
    return before < free <= now or before < free + 1 <= now
