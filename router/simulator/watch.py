"""Help by figures in a run: looked at on whole seconds, as the hub does, by the same code.

A second before which nothing has happened that a queue's figures know of reads as the one before
it, unless time alone changes a figure. So a queue is only looked at on the others; what its looks
tell is what looking each second would.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, field

from madoguchi.model.routing import (
    MICROS,
    AgentChanged,
    AgentLoadChanged,
    AwayReserved,
    Command,
    Decision,
    Figure,
    Help,
    ItemAssigned,
    ItemBlocked,
    ItemCallback,
    ItemClosed,
    ItemEnqueued,
    ItemRanked,
    ItemResumed,
    ItemSpec,
    ItemState,
    ItemWaiting,
    ItemWrapUp,
    OfferClosed,
    Offered,
    OfferState,
    PresenceChanged,
    PresenceSet,
    TeamsLetIn,
)
from router.board.helping import Helping
from router.board.readings import Readings
from router.board.waits import Waits
from router.engine.engine import Engine
from router.simulator.cast import Cast
from router.simulator.reaching import NONE, Reaching

TURNED_AWAY = frozenset({"full", "waited_too_long"})
ItemDecision = (
    Offered
    | OfferClosed
    | ItemAssigned
    | ItemBlocked
    | ItemCallback
    | ItemClosed
    | ItemRanked
    | ItemResumed
    | ItemWaiting
    | ItemWrapUp
)


@dataclass(slots=True)
class _Known:
    """A contact: where it waits, since when it does, and whether anybody has had it."""

    spec: ItemSpec
    queue: str
    answered: bool = False


@dataclass(slots=True)
class _Queue:
    """A queue with help: the second that was looked at last, what was read then, and the second at
    which to look next; None: not before something happens.
    """

    helps: tuple[Help, ...]
    looked: int = -1
    due: int | None = None
    read: dict[Figure, float | None] = field(default_factory=dict)

    def look_at(self, second: int) -> None:
        """Have it looked at on a second, or on the first that is still to come."""
        second = max(second, self.looked + 1)
        self.due = second if self.due is None else min(self.due, second)


class Watch:
    """What a run tells of its contacts, and the teams that help by it.

    ``due`` is the µs at which it must be looked at next; None: not before something happens.
    ``tells_time``: the engine must know what time it is then.
    """

    def __init__(self, engine: Engine, cast: Cast) -> None:
        self.due: int | None = None
        self._engine = engine
        self._helping = Helping()
        self._waits = Waits()
        self._readings = Readings(self._waits, lambda queue: cast.targets.get(queue, math.inf))
        self._contacts: dict[str, _Known] = {}
        self._queues = {queue: _Queue(helps) for queue, helps in cast.helps.items()}
        self._expecting = {
            queue
            for queue, one in self._queues.items()
            if any(help.figure is Figure.expected_wait for help in one.helps)
        }
        self._unsure = self._expecting
        self._reaching = Reaching(cast, self._expecting)
        # A new contact may go before one that waits, but not for ever, where they age differently.
        self._overtaking = len({queue.ageing for queue in cast.configuration.queues}) > 1
        figures = {help.figure for one in self._queues.values() for help in one.helps}
        self.tells_time = Figure.longest_wait in figures or self._overtaking

    # ------------------------------------------------------------ learning

    def learn(
        self, command: Command, decisions: Sequence[Decision], at: int, *, late: bool
    ) -> None:
        """Take in what a command has brought; ``late``: after the look of this instant."""
        seconds, touched = at / MICROS, set[str]()
        if isinstance(command, ItemEnqueued):
            touched |= self._comes(command.item, seconds)
        elif isinstance(command, TeamsLetIn):
            touched |= self._reaching.by_queue(command.queue)
        elif isinstance(command, PresenceSet | AwayReserved | AgentChanged):
            agent = command.spec.id if isinstance(command, AgentChanged) else command.agent
            touched |= self._reaching.by_agent(agent)
        for one in decisions:
            if isinstance(one, AgentLoadChanged):
                if self._reaching.has_other_room(one.agent, one.free):
                    touched |= self._reaching.by_agent(one.agent)
            elif isinstance(one, PresenceChanged):
                touched |= self._reaching.by_agent(one.agent)
            else:
                touched |= self._item(one, seconds)
        self._touch(touched, at // MICROS + 1 if late else -(-at // MICROS))

    def _item(self, one: ItemDecision, at: float) -> Set[str]:
        """Take in what became of a contact; return the queues whose figures may know of it."""
        known = self._contacts[one.item]
        if isinstance(one, ItemAssigned):
            self._assigned(known, at)
            return {known.queue}
        if isinstance(one, OfferClosed) and one.state is OfferState.accepted:
            return NONE
        touched = set(self._near(known))
        if isinstance(one, ItemWaiting):
            known.queue = one.queue
            self._wait(known)
            touched |= self._near(known)
        elif isinstance(one, ItemClosed):
            touched |= self._closed(one, known, at)
        return touched

    def _touch(self, queues: Iterable[str], second: int) -> None:
        for name in queues:
            queue = self._queues.get(name)
            if queue is not None:
                queue.look_at(second)
                self._note(queue)

    def _near(self, known: _Known) -> frozenset[str]:
        """Return the queues whose figures may know of a contact."""
        near = self._reaching.by_queue(known.queue)
        preferred = known.spec.preferred
        return near if preferred is None else near | self._reaching.by_agent(preferred)

    def _comes(self, new: ItemSpec, at: float) -> frozenset[str]:
        known = self._contacts[new.id] = _Known(new, new.queue)
        self._wait(known)
        facts = self._engine.item(new.id)
        if facts is not None:
            queue = facts.spec.queue
            ahead = self._engine.ahead(new.id) if queue in self._expecting else None
            self._readings.comes(new.id, queue, ahead, at)
        return self._near(known)

    def _wait(self, known: _Known) -> None:
        spec = known.spec
        self._waits.waits(spec.id, known.queue, spec.channel, spec.enqueued_at)

    def _assigned(self, known: _Known, at: float) -> None:
        self._waits.gone(known.spec.id)
        if not known.answered:
            known.answered = True
            waited_s = at - known.spec.enqueued_at / MICROS
            self._readings.answered(known.spec.id, known.queue, waited_s, at)

    def _closed(self, one: ItemClosed, known: _Known, at: float) -> set[str]:
        self._waits.gone(one.item)
        del self._contacts[one.item]
        self._readings.closed(one.item, at)
        left = one.state is ItemState.abandoned or one.why in TURNED_AWAY
        if left and not known.answered:
            self._readings.left(known.queue, at)
        # Queues that have too few contacts of their own look at those of all.
        near = self._reaching.near
        touched = self._unsure
        self._unsure = {queue for queue in touched if not self._readings.knows(near[queue])}
        return touched

    # ------------------------------------------------------------ looking

    def look(self, at: int) -> list[TeamsLetIn]:
        """Return whom to let in, or no longer, at a whole second."""
        second = at // MICROS
        changed: dict[str, tuple[str, ...]] = {}
        for name, queue in self._queues.items():
            if queue.due is not None and queue.due <= second:
                changed |= self._look(name, queue, second)
        self.due = None
        for queue in self._queues.values():
            self._note(queue)
        return [TeamsLetIn(queue, teams) for queue, teams in changed.items()]

    def _look(self, name: str, queue: _Queue, second: int) -> dict[str, tuple[str, ...]]:
        helps = {name: queue.helps}
        if second - 1 > queue.looked:
            # Until then it read as it did last.
            self._helping.look(helps, lambda _, figure: queue.read.get(figure), second - 1)

        def reading(_: str, figure: Figure) -> float | None:
            value = self._readings.of(self._engine, name, figure, second)
            queue.read[figure] = value
            return value

        changed = self._helping.look(helps, reading, second)
        queue.looked, queue.due = second, None
        for help in queue.helps:
            self._foresee(name, queue, help)
        return changed

    def _foresee(self, name: str, queue: _Queue, help: Help) -> None:
        """Note when time alone changes what was read, or ends what helps."""
        figure = help.figure
        if (ends := self._helping.ends_at(name, help)) is not None:
            queue.look_at(math.ceil(ends))
        if figure is Figure.expected_wait and self._overtaking:
            queue.look_at(queue.looked + 1)
        changes: float | None = None
        if figure is Figure.longest_wait and (since := self._waits.since(name)) is not None:
            changes = since / MICROS + help.limit
        elif figure in {Figure.service_level, Figure.abandoned}:
            changes = self._readings.level(name).changes_at()
        if changes is not None and changes + 1 >= queue.looked:
            # On both sides of it, for what is rounded.
            queue.look_at(math.floor(changes))

    def _note(self, queue: _Queue) -> None:
        if queue.due is not None:
            at = queue.due * MICROS
            self.due = at if self.due is None else min(self.due, at)
