"""Sign-in: argon2id off the event loop, server-side sessions, limits against guessing."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Row, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from madoguchi.clock import Clock
from madoguchi.model.ids import Id
from madoguchi.security.tables import credential, session
from madoguchi.store.work import Store, Work, only

T = TypeVar("T")

FREE_FAILURES = 5
LONGEST_LOCK_S = 900.0
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

    async def set_password(self, agent: Id, password: str) -> None:
        """Set a password and end all of the agent's sessions."""
        hashed = await self._off_loop(self._hasher.hash, password)
        await self._store.write(lambda: self._set_password(agent, hashed))

    async def sign_in(self, agent: Id | None, password: str, client: str) -> str | None:
        """Return a new session token, None for a wrong name or password.

        An unknown name (None) costs the same time as a wrong password. Raises Throttled.
        """
        now = self._clock.now()
        row = await self._store.read(lambda: _credential(agent)) if agent else None
        if row and row.locked_until and row.locked_until > now:
            raise Throttled((row.locked_until - now).total_seconds())
        hashed = row.password if row else self._nobody
        if not await self._off_loop(self._verify, hashed, password) or not row or not agent:
            if row and agent:
                await self._store.write(lambda: _failed(agent, now))
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

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _off_loop(self, function: Callable[..., T], *args: str) -> T:
        async with self._gate:
            return await asyncio.to_thread(function, *args)

    def _set_password(self, agent: Id, hashed: str) -> Work[None]:
        new = insert(credential).values(
            agent=agent, password=hashed, changed_at=self._clock.now(), failures=0
        )
        yield new.on_conflict_do_update(
            index_elements=["agent"],
            set_={"password": hashed, "changed_at": self._clock.now(), "failures": 0},
        )
        yield delete(session).where(session.c.agent == agent)

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


def _failed(agent: Id, now: datetime) -> Work[None]:
    rows = yield (
        update(credential)
        .where(credential.c.agent == agent)
        .values(failures=credential.c.failures + 1)
        .returning(credential.c.failures)
    )
    over = rows[0].failures - FREE_FAILURES if rows else 0
    if over >= 0:
        pause = min(2.0**over * 5, LONGEST_LOCK_S)
        yield (
            update(credential)
            .where(credential.c.agent == agent)
            .values(locked_until=now + timedelta(seconds=pause))
        )


def _find(token: str, now: datetime) -> Work[Session | None]:
    row = only(
        (yield select(session).where(session.c.token == digest(token), session.c.expires_at > now))
    )
    if row is None:
        return None
    return Session(row.id, row.agent, csrf_of(token), row.expires_at, row.used_at)


def _delete(id: Id) -> Work[None]:
    yield delete(session).where(session.c.id == id)
