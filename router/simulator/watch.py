"""Help by figures in a run: looked at on whole seconds, as the hub does, by the same code.

A second before which nothing has happened reads as the one before it, unless time alone changes a
figure. So only the others are looked at; what they tell is what looking at each would.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from madoguchi.model.routing import (
    MICROS,
    Decision,
    Figure,
    Help,
    ItemAssigned,
    ItemClosed,
    ItemSpec,
    ItemState,
    ItemWaiting,
    QueuePolicy,
    TeamsLetIn,
)
from router.board.helping import Helping
from router.board.readings import Readings
from router.board.waits import Waits
from router.engine.engine import Engine
from router.simulator.cast import Cast

TURNED_AWAY = frozenset({"full", "waited_too_long"})


@dataclass(slots=True)
class _Known:
    """A contact: where it waits, since when it does, and whether anybody has had it."""

    spec: ItemSpec
    queue: str
    answered: bool = False


class Watch:
    """What a run tells of its contacts, and the teams that help by it.

    ``due`` is the µs at which it must be looked at next; None: not before something happens.
    """

    def __init__(self, engine: Engine, cast: Cast) -> None:
        self.due: int | None = None
        self._engine = engine
        self._helps = cast.helps
        self._helping = Helping()
        self._waits = Waits()
        self._readings = Readings(self._waits, lambda queue: cast.targets.get(queue, math.inf))
        self._contacts: dict[str, _Known] = {}
        self._looked = -1
        self._read: dict[tuple[str, Figure], float | None] = {}
        self._expecting = {
            queue
            for queue, helps in cast.helps.items()
            if any(one.figure is Figure.expected_wait for one in helps)
        }
        self._overtaking = bool(self._expecting) and _overtaking(cast.configuration.queues)

    # ------------------------------------------------------------ learning

    def learn(self, decisions: Sequence[Decision], at: int, new: ItemSpec | None = None) -> None:
        """Take in what a command has brought; ``new``: the contact that came by it."""
        seconds = at / MICROS
        if new is not None:
            self._comes(new, decisions, seconds)
        for one in decisions:
            if isinstance(one, ItemWaiting):
                known = self._contacts[one.item]
                known.queue = one.queue
                self._wait(known)
            elif isinstance(one, ItemAssigned):
                self._assigned(one, seconds)
            elif isinstance(one, ItemClosed):
                self._closed(one, seconds)
        if decisions or new is not None:
            self._look_at(max(-(-at // MICROS), self._looked + 1))

    def _comes(self, new: ItemSpec, decisions: Sequence[Decision], at: float) -> None:
        known = self._contacts[new.id] = _Known(new, new.queue)
        self._wait(known)
        if any(isinstance(one, ItemClosed) and one.item == new.id for one in decisions):
            return
        facts = self._engine.item(new.id)
        queue = facts.spec.queue if facts is not None else new.queue
        ahead = self._engine.ahead(new.id) if queue in self._expecting else None
        self._readings.comes(new.id, queue, ahead, at)

    def _wait(self, known: _Known) -> None:
        spec = known.spec
        self._waits.waits(spec.id, known.queue, spec.channel, spec.enqueued_at)

    def _assigned(self, one: ItemAssigned, at: float) -> None:
        self._waits.gone(one.item)
        known = self._contacts[one.item]
        if not known.answered:
            known.answered = True
            waited_s = at - known.spec.enqueued_at / MICROS
            self._readings.answered(one.item, known.queue, waited_s, at)

    def _closed(self, one: ItemClosed, at: float) -> None:
        self._waits.gone(one.item)
        known = self._contacts.pop(one.item)
        self._readings.closed(one.item, at)
        left = one.state is ItemState.abandoned or one.why in TURNED_AWAY
        if left and not known.answered:
            self._readings.left(known.queue, at)

    # ------------------------------------------------------------ looking

    def look(self, at: int) -> list[TeamsLetIn]:
        """Return whom to let in, or no longer, at a whole second."""
        second = at // MICROS
        if second - 1 > self._looked:
            self._helping.look(self._helps, self._as_before, second - 1)
        self._looked, self.due = second, None
        self._read.clear()
        changed = self._helping.look(self._helps, partial(self._reading, second), second)
        for queue, helps in self._helps.items():
            for help in helps:
                self._foresee(queue, help)
        return [TeamsLetIn(queue, teams) for queue, teams in changed.items()]

    def _reading(self, second: int, queue: str, figure: Figure) -> float | None:
        value = self._readings.of(self._engine, queue, figure, second)
        self._read[queue, figure] = value
        return value

    def _as_before(self, queue: str, figure: Figure) -> float | None:
        return self._read.get((queue, figure))

    def _foresee(self, queue: str, help: Help) -> None:
        """Note when time alone changes what was read, or ends what helps."""
        figure = help.figure
        if (ends := self._helping.ends_at(queue, help)) is not None:
            self._look_at(math.ceil(ends))
        if figure is Figure.longest_wait:
            since = self._waits.since(queue)
            if since is not None:
                self._look_later(since / MICROS + help.limit)
        elif figure is Figure.expected_wait:
            if self._overtaking:
                self._look_at(self._looked + 1)
        elif figure is not Figure.waiting:
            self._look_later(self._readings.level(queue).changes_at())

    def _look_later(self, seconds: float | None) -> None:
        """Look around a moment, if it is still to come: both sides of it, for what is rounded."""
        if seconds is not None and seconds + 1 >= self._looked:
            self._look_at(max(math.floor(seconds), self._looked + 1))

    def _look_at(self, second: int) -> None:
        at = second * MICROS
        self.due = at if self.due is None else min(self.due, at)


def _overtaking(queues: Sequence[QueuePolicy]) -> bool:
    """Tell whether a new contact may go before one that waits already, but not for ever: then time
    alone changes what goes before it.
    """
    return len({queue.ageing for queue in queues}) > 1
