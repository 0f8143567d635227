"""What providers have recorded of calls becomes ours, and is gone there then: durably, by jobs."""

from collections.abc import AsyncIterator
from datetime import datetime

import structlog

from connectors.fetching import PATIENCE, account_of, fetched
from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations.calls import recordings
from madoguchi.conversations.calls.recordings import Fetched
from madoguchi.files.service import Files, StoredFile
from madoguchi.http.problems import Problem
from madoguchi.jobs.service import Due, Handler, schedule
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from madoguchi.store.work import Work

log = structlog.get_logger(__name__)

DISCARD = "discard"
"""The kind of jobs that delete at a provider what is ours."""

LONGEST = 512 * 1024 * 1024
"""Bytes of one take: nine hours of a telephone's sound."""


class TakeFetcher:
    """Fetches takes and deletes them at their providers; each is tried for three days."""

    def __init__(self, clock: Clock, registry: Registry, files: Files) -> None:
        self._clock = clock
        self._registry = registry
        self._files = files

    async def fetch(self, due: Due) -> Handler:
        """Return what is to be stored after a take was fetched. Raises RetryLater, AuthFailed,
        UnknownOutcome: it is tried again later.
        """
        try:
            stored = await self._stored(due)
        except (RetryLater, AuthFailed, UnknownOutcome, Rejected, Problem) as why:
            return self._given_up(due, why)
        return lambda due, now: _kept(due, stored, now)

    async def discard(self, due: Due) -> Handler:
        """Delete a take at its provider. Raises RetryLater, AuthFailed, UnknownOutcome: it is tried
        again later.
        """
        try:
            await account_of(self._registry, due).discard(due.data["name"])
        except (RetryLater, AuthFailed, UnknownOutcome, Rejected) as why:
            return self._given_up(due, why)
        return _nothing

    def _given_up(self, due: Due, why: Exception) -> Handler:
        """Return that no more is tried; raises ``why`` while there is hope."""
        hope = isinstance(why, RetryLater | AuthFailed | UnknownOutcome)
        if hope and self._clock.now() - datetime.fromisoformat(due.data["since"]) < PATIENCE:
            raise why
        log.error(
            "a recording of a call stays at its provider",
            call=due.data["call"],
            name=due.data["name"],
            what=due.kind,
            why=str(why),
        )
        return _nothing

    async def _stored(self, due: Due) -> StoredFile:
        name = due.data["name"]

        async def put(chunks: AsyncIterator[bytes]) -> StoredFile:
            return await self._files.put(f"{name}.wav", chunks, "provider", LONGEST)

        return await fetched(self._registry, due, name, put)


def _kept(due: Due, stored: StoredFile, now: datetime) -> Work[None]:
    data = due.data
    began = datetime.fromisoformat(data["began_at"])
    yield from recordings.fetched(
        Fetched(data["call"], data["take"], stored, began, data["seconds"])
    )
    told = {name: data[name] for name in ("account", "call", "name")}
    yield from schedule(DISCARD, due.key, now, {**told, "since": now.isoformat()})


def _nothing(due: Due, now: datetime) -> Work[None]:
    yield from ()
