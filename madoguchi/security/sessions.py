"""Sign-in: argon2id off the event loop, server-side sessions, limits against guessing."""

import asyncio
import hashlib
import secrets
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.clock import Clock
from madoguchi.model.ids import NIL, Id
from madoguchi.model.log import NOBODY, Entity, LogEntry
from madoguchi.model.people import SYSTEM, Actor
from madoguchi.security.audit import record
from madoguchi.security.tables import credential, session
from madoguchi.store.log import append
from madoguchi.store.work import Store, Work, only

T = TypeVar("T")

FREE_FAILURES = 5
LONGEST_LOCK_S = 900.0
"""No lock lasts longer: one that seems to was set before the clock went back."""
STRANGERS = 10_000
TOUCH_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Session:
    """A sign-in: its id, whose it is, and the token that pages send back against forgery."""

    id: Id
    agent: Id
    csrf: str
    expires_at: datetime
    used_at: datetime


class Throttled(Exception):
    """Too many wrong passwords; try again after ``after_s`` seconds."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"try again in {after_s:.0f} s")
        self.after_s = after_s


def digest(token: str) -> str:
    """Return how a token is stored: SHA-256; the tokens are random, so that is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def csrf_of(token: str) -> str:
    """Return the anti-forgery token that belongs to a session token."""
    return hashlib.sha256(b"csrf:" + token.encode()).hexdigest()[:32]


class Sessions:
    """Passwords and sessions of the desk."""

    def __init__(self, store: Store, clock: Clock, hours: float) -> None:
        self._store = store
        self._clock = clock
        self._life = timedelta(hours=hours)
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_hex())
        self._gate = asyncio.Semaphore(2)
        self._strangers: OrderedDict[str, tuple[int, datetime]] = OrderedDict()

    async def set_password(self, agent: Id, password: str, by: Actor = SYSTEM) -> None:
        """Set a password and end all of the agent's sessions; every process hears of it."""
        hashed = await self._off_loop(self._hasher.hash, password)
        await self._store.write(lambda: self._set_password(agent, hashed, by))

    async def sign_in(
        self, agent: Id | None, password: str, client: str, *, name: str = "", address: str = ""
    ) -> str | None:
        """Return a new session token, None for a wrong name or password.

        An unknown name (agent None) costs the same time as a wrong password and is throttled
        alike. A refusal goes to the audit trail. Raises Throttled.
        """
        now = self._clock.now()
        row = await self._store.read(lambda: _credential(agent or NIL))
        locked = row.locked_until if row else self._strangers.get(name, (0, now))[1]
        if locked and timedelta(0) < locked - now <= timedelta(seconds=LONGEST_LOCK_S):
            raise Throttled((locked - now).total_seconds())
        hashed = row.password if row else self._nobody
        if not await self._off_loop(self._verify, hashed, password) or not row or not agent:
            if not row:
                self._strange(name, now)
            await self._store.write(lambda: _failed(agent or NIL, name, address, now))
            return None
        token = secrets.token_urlsafe(32)
        await self._store.write(lambda: self._open(agent, token, client, now))
        return token

    async def find(self, token: str) -> Session | None:
        """Return the live session of a token and prolong it when that is due."""
        now = self._clock.now()
        found = await self._store.read(lambda: _find(token, now))
        if found and now - found.used_at > TOUCH_EVERY:
            await self._store.write(lambda: self._touch(found.id, now))
        return found

    async def end(self, id: Id) -> None:
        """End one session."""
        await self._store.write(lambda: _delete(id))

    def _strange(self, name: str, now: datetime) -> None:
        """Count a failure of a name that nobody has, in memory and bounded."""
        failures = self._strangers.pop(name, (0, now))[0] + 1
        self._strangers[name] = (failures, now + _pause(failures))
        while len(self._strangers) > STRANGERS:
            self._strangers.popitem(last=False)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _off_loop(self, function: Callable[..., T], *args: str) -> T:
        async with self._gate:
            return await asyncio.to_thread(function, *args)

    def _set_password(self, agent: Id, hashed: str, by: Actor) -> Work[None]:
        now = self._clock.now()
        fresh = {"password": hashed, "changed_at": now, "failures": 0, "locked_until": None}
        new = insert(credential).values(agent=agent, **fresh)
        yield new.on_conflict_do_update(index_elements=["agent"], set_=fresh)
        yield delete(session).where(session.c.agent == agent)
        yield record(by, "agent.password", f"agent:{agent}", {}, now)
        yield append([LogEntry("sessions.ended", Entity.CONFIG, agent, 0, (NOBODY,), now)])

    def _open(self, agent: Id, token: str, client: str, now: datetime) -> Work[None]:
        yield (
            update(credential)
            .where(credential.c.agent == agent)
            .values(failures=0, locked_until=None)
        )
        yield delete(session).where(session.c.expires_at < now)
        yield session.insert().values(
            id=self._clock.new_id(),
            token=digest(token),
            agent=agent,
            created_at=now,
            used_at=now,
            expires_at=now + self._life,
            client=client[:200],
        )

    def _touch(self, id: Id, now: datetime) -> Work[None]:
        yield (
            update(session)
            .where(session.c.id == id)
            .values(used_at=now, expires_at=now + self._life)
        )


def _credential(agent: Id) -> Work[Row[Any] | None]:
    return only((yield select(credential).where(credential.c.agent == agent)))


def _pause(failures: int) -> timedelta:
    """Return how long a name is locked after so many failures in a row."""
    over = failures - FREE_FAILURES
    return timedelta(seconds=min(2.0 ** min(over, 20) * 5, LONGEST_LOCK_S) if over >= 0 else 0)


def _failed(agent: Id, name: str, address: str, now: datetime) -> Work[None]:
    yield record(_NOBODY, "session.refused", f"name:{name[:100]}", {}, now, address)
    rows = yield (
        update(credential)
        .where(credential.c.agent == agent)
        .values(failures=credential.c.failures + 1)
        .returning(credential.c.failures)
    )
    if rows and (pause := _pause(rows[0].failures)):
        yield (
            update(credential).where(credential.c.agent == agent).values(locked_until=now + pause)
        )


_NOBODY = Actor(NIL, "nobody")


def _find(token: str, now: datetime) -> Work[Session | None]:
    row = only(
        (yield select(session).where(session.c.token == digest(token), session.c.expires_at > now))
    )
    if row is None:
        return None
    return Session(row.id, row.agent, csrf_of(token), row.expires_at, row.used_at)


def _delete(id: Id) -> Work[None]:
    yield delete(session).where(session.c.id == id)
