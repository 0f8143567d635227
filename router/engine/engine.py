"""The router's engine: commands and the time in, decisions out. It does no I/O and knows no clock.

It is deterministic: the same commands at the same times give the same decisions, after a restore
too. The strokes are in :mod:`.book`, the order of things in :mod:`.policy`, the index in
:mod:`.index` and :mod:`.buckets`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from madoguchi.model.routing import (
    AgentFacts,
    Command,
    Decision,
    FullExplanation,
    ItemFacts,
    ItemSpec,
    Load,
    Offer,
    QueuePolicy,
    Refused,
    RouterState,
    TimePassed,
    WorkEnded,
)
from router.engine import agents, calls, items, transfers
from router.engine.book import Book
from router.engine.buckets import Ahead
from router.engine.explain import explain_fully
from router.engine.items import heeds_text
from router.engine.matching import settle
from router.engine.records import ItemRecord
from router.engine.restoring import book_of, facts_of
from router.engine.timers import Timer

NEWEST = "\U0010ffff"
"""An id behind all others."""

HANDLERS = {
    **items.HANDLERS,
    **transfers.HANDLERS,
    **calls.HANDLERS,
    **agents.HANDLERS,
}


class Engine:
    """Routes the items of one domain.

    `seed` travels with the state, for choices that draw lots. Without `explaining` decisions carry
    no reasons, which is faster; what is decided is the same.
    """

    def __init__(self, *, seed: str = "0", explaining: bool = True) -> None:
        self._book = Book(seed, explaining=explaining)

    @classmethod
    def restore(cls, state: RouterState, at: int) -> Engine:
        """Return an engine with the stored facts, at `at` or the state's clock if that is later.

        Pending offers keep their deadlines. The next `apply` (TimePassed will do) runs what is due
        and offers what can be. Raises ValueError where the facts contradict each other.
        """
        engine = cls()
        engine._book = book_of(state, at)
        return engine

    def apply(self, command: Command, at: int) -> list[Decision]:
        """Run what is due at `at`, then the command; return the decisions in their order.

        `at` is µs since the epoch; an earlier time than the last counts as the last. Raises Refused
        for a command that cannot be: it changes nothing, and what was due is in its `decisions`.
        """
        book = self._book
        book.clock = max(at, book.clock)
        book.sequence += 1
        book.ended.clear()
        refused = self._run(command)
        book.tell_loads()
        decisions, book.decisions = book.decisions, []
        if refused is not None:
            book.sequence -= not decisions
            refused.decisions = decisions
            raise refused
        return decisions

    def _run(self, command: Command) -> Refused | None:
        book = self._book
        book.turn_day()
        self._settle()
        # What ends at a moment makes room before what else this moment brings.
        self._run_due(book.clock - isinstance(command, WorkEnded))
        if isinstance(command, TimePassed):
            return None
        refused = None
        try:
            HANDLERS[type(command)](book, command)
        except Refused as fault:
            refused = fault
        self._settle_moving()
        if isinstance(command, WorkEnded):
            self._run_due(book.clock)
        while items.admit(book):
            self._settle_moving()
        return refused

    def _run_due(self, until: int) -> None:
        """Run every timer that is due."""
        book = self._book
        stepping = []
        while (due := book.timers.pop(until)) is not None:
            kind, key = due
            if kind == Timer.step:
                stepping.append(key)
            else:
                self._ring(kind, key)
        for key in stepping:
            if book.index.holds(key):
                items.pass_rings(book, book.items[key])
        self._settle_moving(stepping)

    def _settle_moving(self, stepping: Sequence[str] = ()) -> None:
        """Offer what can be; what nobody takes overflows if its moment has come, and so on."""
        book = self._book
        if not (stepping or book.arrivals or book.moved):
            return
        names = {*stepping, *book.arrivals}
        self._settle()
        while names:
            left = [book.items[name] for name in names if book.index.holds(name)]
            for item in sorted(left, key=lambda item: (item.spec.enqueued_at, item.id)):
                items.go_elsewhere(book, item)
            names = set(book.arrivals)
            self._settle()

    def _settle(self) -> None:
        book = self._book
        while book.moved or book.arrivals:
            agents.let_go(book)
            settle(book)

    def _ring(self, kind: int, key: str) -> None:
        book = self._book
        if kind == Timer.away:
            agents.connection_lost(book, book.agents[key])
            return
        item = book.items[key]
        if kind == Timer.release:
            items.release(book, item)
        elif kind == Timer.absent:
            items.lost_owner(book, item)
        elif kind == Timer.block:
            book.unbar(item)
        elif kind == Timer.wrap_up:
            items.wrap_up_over(book, item)
        elif kind == Timer.rest:
            calls.wake(book, item)
        else:
            items.time_out(book, item)

    @property
    def today(self) -> int:
        """The number of the present day, counted where the company is."""
        return self._book.day

    @property
    def midnight(self) -> int:
        """When a day begins where the company is, in µs after midnight UTC."""
        return self._book.midnight

    def next_due(self) -> int | None:
        """Return the µs at which `apply(TimePassed(), ...)` is needed next, or None."""
        return self._book.timers.next_due()

    def state(self) -> RouterState:
        """Return everything that `restore` needs."""
        return facts_of(self._book)

    @property
    def clock(self) -> int:
        """The latest time it was told, in µs."""
        return self._book.clock

    @property
    def sequence(self) -> int:
        """The number of commands seen."""
        return self._book.sequence

    @property
    def version(self) -> int:
        """The version of the configuration in force."""
        return self._book.version

    def item(self, item: str) -> ItemFacts | None:
        """Return an unfinished item, or None."""
        found = self._book.items.get(item)
        return found.facts() if found is not None else None

    def heeds_text(self, item: str) -> bool:
        """Return whether the customer's next text would change an item; False for unknown ones."""
        found = self._book.items.get(item)
        return found is not None and heeds_text(found)

    def ended(self, item: str) -> ItemFacts | None:
        """Return what an item was that the last apply has finished, or None."""
        return self._book.ended.get(item)

    def agent(self, agent: str) -> AgentFacts | None:
        """Return an agent, or None."""
        found = self._book.agents.get(agent)
        return found.facts() if found is not None else None

    def offer(self, offer: str) -> Offer | None:
        """Return a pending offer, or None."""
        item = self._book.items.get(offer.rpartition("-")[0])
        pending = item.pending.values() if item is not None else ()
        return next((one for one in pending if one.id == offer), None)

    def waiting(self, queue: str) -> list[str]:
        """Return the ids of the items that wait in a queue, first served first."""
        return self._book.index.waiting(queue, self._book.clock)

    def number_waiting(self, queue: str) -> int:
        """Return how many items wait in a queue, not on offer."""
        return self._book.index.number_waiting(queue)

    def number_in(self, queue: str) -> int:
        """Return how many unfinished items a queue has, whoever has them."""
        return len(self._book.queued.get(queue, ()))

    def left_in(self, queues: Collection[str]) -> tuple[QueuePolicy, ...]:
        """Return the queues besides these that still have items; nothing leads out of them."""
        book = self._book
        return tuple(
            replace(book.queues[name], overflow=(), full_to="")
            for name, items in sorted(book.queued.items())
            if items and name not in queues
        )

    def load(self, agent: str) -> Load:
        """Return an agent's load; refuses `unknown_agent`."""
        return self._book.agent(agent).load()

    def position(self, item: str) -> int | None:
        """Return a waiting item's place: 1 + those ranked before it for some agent it may go to.

        None while nobody signed in may take it, and for an item that does not wait. Refuses
        `unknown_item`.
        """
        found = self._book.item(item)
        if not self._book.index.holds(item):
            return None
        ahead = self._book.index.ahead(found, self._book.clock)
        return ahead.position if ahead is not None else None

    def ahead(self, item: str) -> Ahead | None:
        """Return what a waiting item waits for; None while nobody signed in may take it, and for
        an item that does not wait. Refuses `unknown_item`.
        """
        found = self._book.item(item)
        if not self._book.index.holds(item):
            return None
        return self._book.index.ahead(found, self._book.clock)

    def ahead_of_new(self, queue: str) -> Ahead | None:
        """Return what an item would wait for that came into a queue now, as the queue asks for
        them; None while nobody signed in may take it. Refuses `unknown_queue`.
        """
        spec = ItemSpec(NEWEST, "", queue, "", self._book.clock)
        return self._book.index.ahead(ItemRecord(spec, self._book.queue(queue)), self._book.clock)

    def explain(self, item: str) -> FullExplanation:
        """Return what stands between an item and each agent now; refuses `unknown_item`."""
        return explain_fully(self._book, self._book.item(item))
