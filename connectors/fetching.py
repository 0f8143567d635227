"""What customers have left at a provider, such as messages after the tone, is fetched into our own
files: durably, by jobs, with the account's credentials.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import structlog
from sqlalchemy import update

from connectors.base import Connector
from connectors.registry import Registry
from madoguchi.clock import Clock
from madoguchi.conversations import repository, telling
from madoguchi.conversations.tables import message as messages
from madoguchi.files.service import Files, StoredFile
from madoguchi.files.tables import file
from madoguchi.http.problems import Problem
from madoguchi.jobs.service import Due, Handler
from madoguchi.model import log as logs
from madoguchi.model.conversation import Part
from madoguchi.model.ids import Id
from madoguchi.model.inbound import AuthFailed, Rejected, RetryLater, UnknownOutcome
from madoguchi.store.log import append
from madoguchi.store.work import Work

log = structlog.get_logger(__name__)

PATIENCE = timedelta(days=3)
"""So long it is tried again and again."""

Change = Callable[[Part], Part]


class Fetcher:
    """Fetches parts of messages; what is not to be had is marked so."""

    def __init__(self, clock: Clock, registry: Registry, files: Files) -> None:
        self._clock = clock
        self._registry = registry
        self._files = files

    async def fetch(self, due: Due) -> Handler:
        """Return what is to be stored after something was fetched. Raises RetryLater, AuthFailed,
        UnknownOutcome: it is tried again later.
        """
        try:
            stored = await self._stored(due)
        except (RetryLater, AuthFailed, UnknownOutcome) as why:
            if self._clock.now() - datetime.fromisoformat(due.data["since"]) < PATIENCE:
                raise
            lost = str(why)
        except (Rejected, Problem) as why:
            lost = str(why)
        else:
            return lambda due, now: _changed(due, stored.id, _fetched(stored), now)
        log.warning("a file of a provider is not to be had", key=due.key, why=lost)
        return lambda due, now: _changed(due, None, _lost, now)

    async def _stored(self, due: Due) -> StoredFile:
        async def put(chunks: AsyncIterator[bytes]) -> StoredFile:
            return await self._files.put(due.data["name"], chunks, "provider")

        return await fetched(self._registry, due, due.data["url"], put)


def account_of(registry: Registry, due: Due) -> Connector:
    """Return the connector of a job's account. Raises RetryLater while it does not work."""
    connector = registry.by_id(due.data["account"])
    if connector is None:
        raise RetryLater("the account does not work now")
    return connector


async def fetched(
    registry: Registry,
    due: Due,
    name: str,
    put: Callable[[AsyncIterator[bytes]], Awaitable[StoredFile]],
) -> StoredFile:
    """Fetch what a job is about by its ``name`` at the provider. Raises RetryLater, Rejected,
    UnknownOutcome, Problem; AuthFailed, which the account shows then.
    """
    connector = account_of(registry, due)
    try:
        return await put(connector.fetch(name))
    except AuthFailed as why:
        registry.mark_broken(connector.account.id, str(why))
        raise


def _fetched(stored: StoredFile) -> Change:
    def change(part: Part) -> Part:
        return {**_plain(part), "file": stored.id, "size": stored.size}

    return change


def _lost(part: Part) -> Part:
    return {**_plain(part), "lost": True}


def _plain(part: Part) -> Part:
    kept: Any = {name: value for name, value in part.items() if name not in {"url", "fetch"}}
    return cast("Part", kept)


def _changed(due: Due, stored: Id | None, change: Change, now: datetime) -> Work[None]:
    """Store a part of a message as it is now, and tell it."""
    found = yield from repository.messages_by_ids([due.data["message"]])
    for one in found.values():
        parts: list[Any] = list(one.parts)
        parts[due.data["number"]] = change(parts[due.data["number"]])
        if stored is not None:
            yield (update(file).where(file.c.id == stored).values(conversation=one.conversation))
        values = {"parts": parts, "version": one.version + 1}
        yield update(messages).where(messages.c.id == one.id).values(values)
        (home,) = (yield from repository.by_ids([one.conversation])).values()
        newer = replace(one, parts=tuple(parts), version=one.version + 1)
        mine = logs.visitor(home.account, home.thread)
        yield append([telling.message_changed(newer, mine, now)])
