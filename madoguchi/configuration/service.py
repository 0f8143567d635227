"""Reading and changing the configuration: whole, versioned, with the place of every fault."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import structlog
from pydantic import ValidationError
from sqlalchemy import Row, delete, func, select, update

from madoguchi.clock import Clock
from madoguchi.configuration.catalog import Catalog, Entry, administrators_lost, check
from madoguchi.configuration.kinds import KINDS, Account, Hours, Object
from madoguchi.configuration.tables import config_object, config_version
from madoguchi.model.faults import Fault, faults_of
from madoguchi.model.hours import known_places
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.log import EVERYONE, Entity, LogEntry
from madoguchi.model.people import Actor
from madoguchi.security.audit import record
from madoguchi.store.log import append
from madoguchi.store.work import Many, Store, Work

log = structlog.get_logger(__name__)

PIECE = 500
"""So many objects are read by one statement."""

Body = dict[str, Any]
Sealer = Callable[[str, Body, Body], Body]
"""(connector, new settings, stored settings) → settings to store: checked, secrets encrypted."""

Guard = Callable[[Catalog, Catalog], Work[list[Fault]]]
"""(old, new) → faults that only another room can see, found in the same transaction."""


@dataclass(frozen=True, slots=True)
class Change:
    """Put ``body`` under (kind, key), or delete it (None); ``based_on`` guards against a lost
    update: the version that the author saw, 0 for "must be new", None for "whatever is there".
    """

    kind: str
    key: str
    body: Body | None
    based_on: int | None = None


class Invalid(Exception):
    """The configuration would not hold; nothing was changed."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{f.place}: {f.message}" for f in faults))
        self.faults = list(faults)


class MovedOn(Exception):
    """Somebody changed the object in the meantime; nothing was changed."""

    def __init__(self, kind: str, key: str, version: int) -> None:
        super().__init__(f"{kind} {key} is at version {version} now")
        self.kind, self.key, self.version = kind, key, version


@dataclass(frozen=True, slots=True)
class Result:
    """What a change did: the new version number and key → version of every object touched."""

    number: int
    changed: Mapping[tuple[str, str], int]
    diff: Sequence[Body]


@dataclass(frozen=True, slots=True)
class Preview:
    """The configuration before and after changes, and what differs."""

    old: Catalog
    new: Catalog
    touched: Sequence[Change]
    diff: Sequence[Body]


def unknown_kind(kind: str) -> Fault:
    """Return the fault of an object whose kind there is not."""
    known = ", ".join(KINDS)
    return Fault(kind, f"unknown kind; known are {known}", "unknown_kind", {"known": known})


NOTHING = Catalog(0)


def load(known: Catalog = NOTHING) -> Work[Catalog]:
    """Return the configuration as it stands. What ``known`` has of it already is not read again,
    and its entries are the same ones.
    """
    newest = yield (
        select(func.max(config_version.c.number).label("n")).where(
            config_version.c.domain == DOMAIN
        )
    )
    number = newest[0].n or 0
    if known.objects and number == known.number:
        return known
    names = ("id", "kind", "key", "version")
    stands = yield select(*(config_object.c[name] for name in names)).where(
        config_object.c.domain == DOMAIN
    )
    held = {row.id: entry for row in stands if (entry := _held(known, row)) is not None}
    wanted = [row.id for row in stands if row.id not in held]
    rows = yield from _bodies(wanted)
    return Catalog(number, _standing(stands, held, {row.id: row for row in rows}))


def _held(known: Catalog, row: Row[Any]) -> Entry[Object] | None:
    entry = known.objects.get((row.kind, row.key))
    same = entry is not None and (entry.id, entry.version) == (row.id, row.version)
    return entry if same else None


def _bodies(wanted: Sequence[Id]) -> Work[list[Row[Any]]]:
    """Return the rows of some objects, with what is configured."""
    rows: list[Row[Any]] = []
    for at in range(0, len(wanted), PIECE):
        some = config_object.c.id.in_(wanted[at : at + PIECE])
        rows += yield select(config_object).where(some)
    return rows


def _standing(
    stands: Sequence[Row[Any]], held: Mapping[Id, Entry[Object]], rows: Mapping[Id, Row[Any]]
) -> dict[tuple[str, str], Entry[Object]]:
    """Return the objects that hold; a stored one that does no longer, and all that need it, are
    left out and told, so that a start never fails for one of them. A queue goes on without hours
    that do not hold: it is open then.
    """
    entries: dict[tuple[str, str], Entry[Object]] = {}
    for one in stands:
        if one.id in held:
            entries[one.kind, one.key] = held[one.id]
            continue
        row = rows.get(one.id)
        if row is None:
            continue
        try:
            entries[row.kind, row.key] = Entry(
                row.id, row.version, KINDS[row.kind](key=row.key, **row.body)
            )
        except (ValidationError, KeyError) as wrong:
            log.error("configuration object left out", kind=row.kind, key=row.key, why=str(wrong))  # noqa: TRY400
    while gone := [
        at
        for at, entry in entries.items()
        if any(
            kind != Hours.kind and (kind, key) not in entries
            for _, kind, key in entry.object.references()
        )
    ]:
        for at in gone:
            log.error("configuration object left out: what it needs is gone", object=at)
            del entries[at]
    return entries


class Configuration:
    """The configuration of the domain; ``catalog`` is the present one, replaced as a whole."""

    def __init__(self, store: Store, clock: Clock, seal: Sealer) -> None:
        self._store = store
        self._clock = clock
        self._seal = seal
        self._guards: list[Guard] = []
        self._watchers: list[Callable[[Catalog], None]] = []
        self._reading = asyncio.Lock()
        self.catalog = Catalog(0)

    def guard(self, guard: Guard) -> None:
        """Let another room refuse changes."""
        self._guards.append(guard)

    def watch(self, watcher: Callable[[Catalog], None]) -> None:
        """Call ``watcher`` with each new catalog."""
        self._watchers.append(watcher)

    async def reload(self) -> Catalog:
        """Read the configuration again; called at the start and after each ``config.changed``."""
        # One at a time: a slow one that began before must not undo what a later one has read.
        async with self._reading:
            known = self.catalog
            catalog = await self._store.read(lambda: load(known))
            if catalog.number != known.number or not known.objects:
                if catalog.hours:
                    await asyncio.to_thread(catalog.look_up_holidays, self._clock.now())
                # Conditions on thousands of agents take a second: the loop goes on meanwhile.
                await asyncio.to_thread(catalog.look_at_agents, known)
                self.catalog = catalog
                for watcher in self._watchers:
                    watcher(catalog)
            return catalog

    async def change(
        self,
        actor: Actor,
        reason: str,
        changes: Sequence[Change],
        *,
        dry_run: bool = False,
        based_on: int | None = None,
    ) -> Result:
        """Apply changes together. Raises Invalid with every fault, MovedOn on a lost update.

        ``based_on``: the version of the whole that the author saw; what this would change must
        not have changed since.
        """
        if any(change.kind == Hours.kind for change in changes):
            # The first look at the table of places takes a moment: not while others wait to write.
            await asyncio.to_thread(known_places)
        result = await self._store.write(
            lambda: self._change(actor, reason, changes, dry_run, based_on)
        )
        if not dry_run:
            await self.reload()
        return result

    async def preview(self, changes: Sequence[Change], based_on: int | None = None) -> Preview:
        """Return what changes would make, checked as when they are saved; nothing is stored.

        Raises Invalid and MovedOn like :meth:`change`.
        """
        if any(change.kind == Hours.kind for change in changes):
            await asyncio.to_thread(known_places)
        return await self._store.read(lambda: self._previewed(changes, based_on))

    def _change(
        self,
        actor: Actor,
        reason: str,
        changes: Sequence[Change],
        dry_run: bool,
        based_on: int | None,
    ) -> Work[Result]:
        now = self._clock.now()
        if self._store.dialect == "postgresql":
            yield select(func.pg_advisory_xact_lock(7_302, DOMAIN))
        found = yield from self._previewed(changes, based_on)
        old, new, touched, diff = found.old, found.new, found.touched, found.diff
        if touched and not dry_run:
            yield from _save(new, touched, diff, now, actor, reason)
        versions = {
            (c.kind, c.key): new.objects[c.kind, c.key].version
            for c in touched
            if c.body is not None
        }
        return Result(new.number if touched else old.number, versions, diff)

    def _previewed(self, changes: Sequence[Change], based_on: int | None) -> Work[Preview]:
        old = yield from load(self.catalog)
        objects, faults = self._merged(old, changes)
        faults += check(objects)
        faults += administrators_lost({at: e.object for at, e in old.objects.items()}, objects)
        if faults:
            raise Invalid(faults)
        touched = [c for c in changes if _differs(old, objects, c)]
        if based_on is not None:
            yield from _nothing_moved(old, touched, based_on)
        new = self._catalog(old, objects, touched)
        for guard in self._guards:
            faults += yield from guard(old, new)
        if faults:
            raise Invalid(faults)
        return Preview(old, new, touched, [_diff(old, new, change) for change in touched])

    def _merged(
        self, old: Catalog, changes: Iterable[Change]
    ) -> tuple[dict[tuple[str, str], Object], list[Fault]]:
        objects = {at: entry.object for at, entry in old.objects.items()}
        faults: list[Fault] = []
        for change in changes:
            at = (change.kind, change.key)
            entry = old.objects.get(at)
            standing = entry.version if entry else 0
            if change.based_on is not None and change.based_on != standing:
                raise MovedOn(change.kind, change.key, standing)
            if change.body is None:
                objects.pop(at, None)
                continue
            parsed, wrong = self._parsed(change, entry.object if entry else None)
            faults += wrong
            if parsed is not None:
                objects[at] = parsed
        return objects, faults

    def _parsed(self, change: Change, standing: Object | None) -> tuple[Object | None, list[Fault]]:
        """Return an object and all its faults; with faults it serves to find those of others."""
        kind = KINDS.get(change.kind)
        if kind is None:
            return None, [unknown_kind(change.kind)]
        body = {**(change.body or {}), "key": change.key}
        kept = standing.settings if isinstance(standing, Account) else {}
        try:
            parsed = kind(**body)
        except ValidationError as wrong:
            faults = faults_of(wrong.errors(include_input=False), change.kind, change.key)
            beside = self._beside(faults, body, kept) if kind is Account else []
            return None, [*faults, *beside]
        if not isinstance(parsed, Account):
            return parsed, []
        sealed, faults = self._settled(change.key, parsed.connector, parsed.settings, kept)
        return parsed.model_copy(update={"settings": sealed}), faults

    def _beside(self, faults: Sequence[Fault], body: Body, kept: Body) -> list[Fault]:
        """Return what is wrong with an account's settings beside other faults of the account; none
        where the settings cannot be looked at.
        """
        key, connector, settings = body["key"], body.get("connector"), body.get("settings")
        unfit = any(one.place.startswith(f"account.{key}.settings") for one in faults)
        if unfit or not isinstance(connector, str) or not isinstance(settings, dict):
            return []
        return self._settled(key, connector, settings, kept)[1]

    def _settled(
        self, key: str, connector: str, settings: Body, kept: Body
    ) -> tuple[Body, list[Fault]]:
        """Return an account's settings as they are stored, and their faults."""
        try:
            return self._seal(connector, settings, kept), []
        except Invalid as wrong:
            return {}, [replace(f, place=f"account.{key}.{f.place}") for f in wrong.faults]

    def _catalog(
        self, old: Catalog, objects: Mapping[tuple[str, str], Object], touched: Iterable[Change]
    ) -> Catalog:
        moved = {(c.kind, c.key) for c in touched}
        entries: dict[tuple[str, str], Entry[Object]] = {}
        for at, item in objects.items():
            entry = old.objects.get(at)
            if entry is None:
                entries[at] = Entry(self._clock.new_id(), 1, item)
            elif at in moved:
                entries[at] = Entry(entry.id, entry.version + 1, item)
            else:
                entries[at] = entry
        return Catalog(old.number + 1, entries)


def _nothing_moved(old: Catalog, touched: Iterable[Change], based_on: int) -> Work[None]:
    """Raise MovedOn when an object that is about to change has changed after a version."""
    rows = yield select(config_version.c.changes).where(
        config_version.c.domain == DOMAIN, config_version.c.number > based_on
    )
    later = {(c["kind"], c["key"]) for row in rows for c in row.changes}
    for change in touched:
        if (change.kind, change.key) in later:
            entry = old.objects.get((change.kind, change.key))
            raise MovedOn(change.kind, change.key, entry.version if entry else 0)


def body_of(item: Object) -> Body:
    """Return an object's fields as they are stored."""
    return item.model_dump(mode="json", exclude={"key"})


def _differs(old: Catalog, new: Mapping[tuple[str, str], Object], change: Change) -> bool:
    at = (change.kind, change.key)
    before = old.objects[at].object if at in old.objects else None
    return before != new.get(at)


def _diff(old: Catalog, new: Catalog, change: Change) -> Body:
    at = (change.kind, change.key)
    before = body_of(old.objects[at].object) if at in old.objects else None
    after = body_of(new.objects[at].object) if at in new.objects else None
    names = sorted({*(before or {}), *(after or {})})
    fields = {
        name: [(before or {}).get(name), (after or {}).get(name)]
        for name in names
        if (before or {}).get(name) != (after or {}).get(name)
    }
    act = "deleted" if after is None else "made" if before is None else "changed"
    return {"kind": change.kind, "key": change.key, "act": act, "fields": _veiled(fields)}


def _veiled(fields: Body) -> Body:
    """Hide account settings in differences: they hold secrets."""
    return {name: "<settings>" if name == "settings" else pair for name, pair in fields.items()}


def _save(
    new: Catalog,
    touched: Sequence[Change],
    diff: Sequence[Body],
    now: datetime,
    actor: Actor,
    reason: str,
) -> Work[None]:
    for change in touched:
        where = (
            (config_object.c.domain == DOMAIN)
            & (config_object.c.kind == change.kind)
            & (config_object.c.key == change.key)
        )
        if change.body is None:
            yield delete(config_object).where(where)
            continue
        entry = new.objects[change.kind, change.key]
        values = {
            "body": body_of(entry.object),
            "version": entry.version,
            "changed_in": new.number,
        }
        if entry.version > 1:
            yield update(config_object).where(where).values(**values)
        else:
            row = {"id": entry.id, "domain": DOMAIN, "kind": change.kind, "key": change.key}
            yield Many(config_object.insert(), [{**row, **values}])
    yield config_version.insert().values(
        domain=DOMAIN, number=new.number, at=now, author=actor.id, reason=reason, changes=list(diff)
    )
    entry_changed = LogEntry(
        "config.changed", Entity.CONFIG, "catalog", new.number, (EVERYONE,), now
    )
    yield append([entry_changed])
    yield record(actor, "config.change", f"config:{new.number}", {"reason": reason}, now)


def versions(limit: int = 50) -> Work[list[Body]]:
    """Return the newest versions first: number, time, author, reason, differences."""
    rows = yield (
        select(config_version)
        .where(config_version.c.domain == DOMAIN)
        .order_by(config_version.c.number.desc())
        .limit(limit)
    )
    return [_version(row) for row in rows]


def version(number: int) -> Work[list[Body]]:
    """Return the version of a number, none when there is none."""
    rows = yield select(config_version).where(
        config_version.c.domain == DOMAIN, config_version.c.number == number
    )
    return [_version(row) for row in rows]


def _version(row: Row[Any]) -> Body:
    names = ("number", "at", "author", "reason", "changes")
    return {name: getattr(row, name) for name in names}
