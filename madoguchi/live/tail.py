"""The tail of the log: every committed change goes once to each reader whom it is for.

A reader gets ``pos`` and ``prev`` with each event, so that a hole is seen; heartbeats carry the
last position, so that a lost last event is seen. Views are rendered when they are delivered:
folding them is idempotent, and a view that a reader may no longer have arrives as a tombstone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import structlog

from madoguchi.bus import Hints
from madoguchi.live.views import View, Views
from madoguchi.model.log import Entity, NumberedEntry
from madoguchi.model.people import Actor
from madoguchi.store.beside import beside
from madoguchi.store.work import Store, Unavailable, Work

log = structlog.get_logger(__name__)

SWEEP_S = 1.0
FIRST_PAUSE_S = 0.05
Event = dict[str, Any]
Deliver = Callable[[Sequence[Event]], Awaitable[None]]


@dataclass(eq=False)
class Reader:
    """One socket's place in the stream."""

    deliver: Deliver
    visitor: bool = False
    audience: set[str] = field(default_factory=set)
    last: int = 0
    live: bool = False


class Tail:
    """Reads the log of the domain once and gives it to all readers of this process."""

    def __init__(self, store: Store, hints: Hints, views: Views) -> None:
        self._store = store
        self._views = views
        self._wake = hints.subscribe("log")
        self._readers: dict[str, set[Reader]] = {}
        self._watchers: list[Callable[[NumberedEntry], None]] = []
        self.head = 0
        self._started = False

    def watch(self, watcher: Callable[[NumberedEntry], None]) -> None:
        """Call ``watcher`` with every entry; for consumers that need no durable cursor."""
        self._watchers.append(watcher)

    def join(self, reader: Reader, audience: Iterable[str]) -> None:
        """Let a reader hear what is for an audience."""
        for name in audience:
            reader.audience.add(name)
            self._readers.setdefault(name, set()).add(reader)

    def leave(self, reader: Reader, audience: Iterable[str] | None = None) -> None:
        """Let a reader no longer hear an audience; None: none at all."""
        for name in list(reader.audience if audience is None else audience):
            reader.audience.discard(name)
            readers = self._readers.get(name)
            if readers is not None:
                readers.discard(reader)
                if not readers:
                    del self._readers[name]

    async def start(self) -> None:
        """Find the present end of the log."""
        self.head = await self._store.journal.start()
        self._started = True

    async def run(self) -> None:
        """Follow the log for ever; a supervised task."""
        if not self._started:
            await self.start()
        loop = asyncio.get_running_loop()
        swept = loop.time() - SWEEP_S
        while True:
            sure = loop.time() - swept >= SWEEP_S
            if sure:
                swept = loop.time()
            while entries := await self._store.journal.after(self.head, sure=sure):
                await self._pass_on(entries)
                sure = False
            await self._wake.wait(SWEEP_S)

    async def _pass_on(self, entries: Sequence[NumberedEntry]) -> None:
        for entry in entries:
            for watcher in self._watchers:
                watcher(entry)
        # The head moves before anything is awaited: a reader that joins from here on starts
        # behind these entries, one that joined before gets them.
        self.head = entries[-1].position
        await self._deliver(self._addressed(entries))

    def _addressed(self, entries: Sequence[NumberedEntry]) -> dict[Reader, list[NumberedEntry]]:
        """Return reader → its entries, the newest of each entity only, in order."""
        found: dict[Reader, dict[tuple[Entity, str], NumberedEntry]] = {}
        for one in entries:
            readers = {
                r for name in one.entry.audience for r in self._readers.get(name, ()) if r.live
            }
            for reader in readers:
                mine = found.setdefault(reader, {})
                key = (one.entry.entity, one.entry.entity_id)
                mine.pop(key, None)
                mine[key] = one
        return {reader: list(mine.values()) for reader, mine in found.items()}

    async def _deliver(self, addressed: dict[Reader, list[NumberedEntry]]) -> None:
        if not addressed:
            return
        try:
            rendered = await self._rendered(addressed)
        except Exception:
            log.exception("changes cannot be shown; their readers see a hole and ask again")
            for reader, entries in addressed.items():
                reader.last = entries[-1].position
            return
        for reader, entries in addressed.items():
            last = entries[-1].position
            try:
                if events := self._events(reader, entries, rendered):
                    await reader.deliver(events)
            except Exception:
                log.exception("a socket cannot be told; it sees a hole and asks again")
                reader.last = max(reader.last, last)

    async def _rendered(
        self, addressed: dict[Reader, list[NumberedEntry]]
    ) -> dict[tuple[bool, Entity], dict[str, View]]:
        """Render, again and again while the database is out of reach: nothing may be left out."""
        pause = FIRST_PAUSE_S
        while True:
            try:
                return await self.render(addressed.items())
            except Unavailable as why:
                if pause == FIRST_PAUSE_S:
                    log.warning("the stream waits for the database", why=str(why))
                await asyncio.sleep(pause)
                pause = min(pause * 2, SWEEP_S)

    def _events(
        self,
        reader: Reader,
        entries: Sequence[NumberedEntry],
        rendered: dict[tuple[bool, Entity], dict[str, View]],
    ) -> list[Event]:
        events = []
        for one in entries:
            entry = one.entry
            view = rendered.get((reader.visitor, entry.entity), {}).get(entry.entity_id)
            allowed = view is not None and not view.audience.isdisjoint(reader.audience)
            if reader.visitor and entry.entity not in self._views.visitor:
                continue
            events.append(
                {
                    "pos": one.position,
                    "prev": reader.last,
                    "type": entry.type,
                    "entity": entry.entity,
                    "id": entry.entity_id,
                    "version": view.version if view and allowed else entry.version,
                    "view": view.body if view and allowed else None,
                    "at": entry.at,
                }
            )
            reader.last = one.position
        return events

    async def render(
        self, addressed: Iterable[tuple[Reader, Sequence[NumberedEntry]]]
    ) -> dict[tuple[bool, Entity], dict[str, View]]:
        """Render every entity that some readers are to be told of, each once."""
        wanted: dict[tuple[bool, Entity], set[str]] = {}
        for reader, entries in addressed:
            for one in entries:
                key = (reader.visitor, one.entry.entity)
                wanted.setdefault(key, set()).add(one.entry.entity_id)

        def unit() -> Work[dict[tuple[bool, Entity], dict[str, View]]]:
            rendered = yield from beside(
                *(
                    self._views.render(entity, sorted(ids), visitor=visitor)
                    for (visitor, entity), ids in wanted.items()
                )
            )
            return dict(zip(wanted, rendered, strict=True))

        return await self._store.look(unit)

    async def resume(self, reader: Reader, pos: int) -> tuple[int, list[Event]] | None:
        """Return a head and what a reader missed between a position and it.

        None when only a snapshot can tell. The reader is live from that head on: what is delivered
        while the answer is made follows it (``prev`` is the head).
        """
        if pos > self.head or not self._store.journal.covers(pos):
            return None
        newest: dict[tuple[Entity, str], NumberedEntry] = {}
        for one in self._store.journal.known(pos):
            if one.position > self.head:
                break
            if not reader.audience.isdisjoint(one.entry.audience):
                newest.pop((one.entry.entity, one.entry.entity_id), None)
                newest[one.entry.entity, one.entry.entity_id] = one
        head = self.go_live(reader)
        missed = list(newest.values())
        rendered = await self.render([(reader, missed)])
        place = reader.last
        events = self._events(reader, missed, rendered)
        reader.last = place
        return head, events

    def go_live(self, reader: Reader) -> int:
        """From here on the reader gets what happens; return the head that it starts behind."""
        reader.live = True
        reader.last = self.head
        return self.head

    async def snapshot(self, actor: Actor, reader: Reader) -> tuple[int, list[Event]]:
        """Return a head and all entities of an actor's desk; the reader is live from there on."""
        head = self.go_live(reader)
        audience = frozenset(reader.audience)

        def unit() -> Work[list[Event]]:
            found: list[Event] = []
            for entity, contents in self._views.contents.items():
                ids = yield from contents(actor)
                views = yield from self._views.render(entity, ids, visitor=False)
                found += [
                    {"entity": entity, "id": id, "version": v.version, "view": v.body}
                    for id, v in views.items()
                    if not v.audience.isdisjoint(audience)
                ]
            return found

        return head, await self._store.read(unit)
