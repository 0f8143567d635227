"""The people of a run: who is there when, who has missed offers, and how busy they are."""

from __future__ import annotations

from collections.abc import Callable

from madoguchi.model.routing import (
    AgentChanged,
    AwayReserved,
    Command,
    ConnectionChanged,
    Presence,
    PresenceSet,
)
from router.engine.engine import Engine
from router.simulator.cast import DAY_US, Cast, Member
from router.simulator.figures import Group

IN, OUT, BACK = "in", "out", "back"


class People:
    """``do`` carries out a command; ``later`` has :meth:`shift` called with a key at a time."""

    def __init__(
        self,
        cast: Cast,
        engine: Engine,
        do: Callable[[Command], object],
        later: Callable[[int, str], None],
    ) -> None:
        self.groups = {name: Group() for name in cast.groups}
        self.members: dict[str, Member] = {}
        self._cast, self._engine = cast, engine
        self._do, self._later = do, later
        self._on_shift: set[str] = set()
        self._back_at: dict[str, int | None] = {}
        self._misses: dict[str, int] = {}
        self._used: dict[str, int] = {}

    def hire(self, member: Member, now: int) -> None:
        """Let an agent be there, always or in their shifts; between them they are away."""
        name = member.spec.id
        self.members[name] = member
        self._do(AgentChanged(member.spec))
        self._do(ConnectionChanged(name, True))
        if member.shifts is None:
            self._do(PresenceSet(name, Presence.available))
            self._begin(name, now)
            return
        self._do(PresenceSet(name, Presence.away, "shift"))
        for start, end in member.shifts:
            self._later(start, f"{name}/{IN}")
            self._later(end, f"{name}/{OUT}")

    def shift(self, key: str, now: int) -> None:
        """Begin or end a shift, or let an agent come back who has missed offers."""
        name, _, way = key.rpartition("/")
        if way == BACK:
            if self._back_at.get(name) == now:
                self._come_back(name, now)
            return
        if self._cast.daily:
            self._later(now + DAY_US, key)
        if way == IN:
            self._back_at.pop(name, None)
            self._do(PresenceSet(name, Presence.available))
            self._begin(name, now)
        elif name in self._back_at:
            del self._back_at[name]
            self._on_shift.discard(name)
        else:
            self._do(AwayReserved(name, "shift"))
            self._on_shift.discard(name)
            self._staff(name, -1, now)

    def _begin(self, name: str, now: int) -> None:
        self._on_shift.add(name)
        self._staff(name, 1, now)

    def missed(self, name: str, now: int) -> None:
        """Take in that an agent has let offers time out and is offered nothing any more."""
        conduct = self._cast.conduct
        if conduct is None or name not in self._on_shift:
            return
        time = self._misses.get(name, 0)
        self._misses[name] = time + 1
        self._staff(name, -1, now)
        after = conduct.back_us(name, time)
        self._back_at[name] = None if after is None else now + after
        if after is not None:
            self._later(now + after, f"{name}/{BACK}")

    def _come_back(self, name: str, now: int) -> None:
        del self._back_at[name]
        self._do(PresenceSet(name, Presence.available))
        self._staff(name, 1, now)

    def _staff(self, name: str, way: int, now: int) -> None:
        """Let an agent's units count from now on, or no longer."""
        member = self.members[name]
        for group in member.groups:
            self.groups[group].staff.change(way * member.spec.units, now)

    def loaded(self, name: str, now: int) -> None:
        """Note the units that an agent has in use now: what was decided may be over already."""
        used = self._engine.load(name).used
        more = used - self._used.get(name, 0)
        if more:
            self._used[name] = used
            for group in self.members[name].groups:
                self.groups[group].work.change(more, now)
