"""The board as tables for spreadsheets, in the words of one language."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import partial
from typing import Any

from madoguchi.configuration.catalog import Catalog
from madoguchi.http.sheets import Row, Sheet, bundle
from madoguchi.i18n import catalogue
from madoguchi.store.work import Store
from router.board.half_hours import HALF_HOUR_S, half_hours
from router.board.staff import Sign
from router.board.today import targets
from router.trials.day import span_of

SIGNS = tuple(sign for sign in Sign if sign is not Sign.offline)
COUNTS = (
    "service_level",
    "answered",
    "in_time",
    "abandoned",
    "speed_of_answer_s",
    "handled",
    "handling_s",
)
QUEUE = (
    "queue",
    "channel",
    "waiting",
    "callbacks",
    "oldest_s",
    "expected_s",
    "target_s",
    *COUNTS,
    "occupancy",
)
AGENT = ("agent", "state", "since", "used", "units", "load", "answered", "declined", "missed")
AGENT_MORE = ("handled", "handling_s", "occupancy")
HALF_HOUR = (
    "begins",
    "queue",
    "channel",
    "offered",
    *COUNTS[:5],
    "longest_s",
    *COUNTS[5:],
)


@dataclass(frozen=True)
class Tables:
    """Makes the tables; ``language`` is ja or en, ``zone`` the company's, ``now`` the time."""

    catalog: Catalog
    language: str
    zone: tzinfo | None
    now: datetime

    @property
    def _words(self) -> Mapping[str, Any]:
        return catalogue(self.language)

    def _titles(self, *keys: str) -> list[str]:
        words = self._words["export"]["column"]
        return [str(words[key]) for key in keys]

    def _signs(self) -> list[str]:
        return [str(self._words["desk"]["presence"][sign.value]) for sign in SIGNS]

    def _queue(self, key: str) -> str:
        entry = self.catalog.queues.get(key)
        if entry is None:
            return key
        return entry.object.names["name_en" if self.language == "en" else "name"]

    def _channel(self, key: str) -> str:
        return str(self._words["desk"]["channel"][key])

    def _local(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone)

    def queues(self, views: Sequence[Mapping[str, Any]]) -> Sheet:
        """Return the queues as they stand, each with a row for each of its channels."""
        titles = self._titles(*QUEUE) + self._signs()
        name = str(self._words["export"]["queues"])
        return Sheet(name, titles, bundle(row for view in views for row in self._of_queue(view)))

    def _of_queue(self, view: Mapping[str, Any]) -> Iterator[Row]:
        key = view["queue"]
        whole = str(self._words["export"]["whole"])
        target = self.catalog.queues[key].object.service_level_s
        agents = [view["agents"][sign.value] for sign in SIGNS]
        start = [self._queue(key), whole, *self._waits(view), view["expected_s"]]
        yield [*start, target, *(view[name] for name in COUNTS), view["occupancy"], *agents]
        for channel, counts in view["channels"].items():
            part = [self._queue(key), self._channel(channel), *self._waits(counts)]
            yield [*part, None, target, *(counts[name] for name in COUNTS)]

    def _waits(self, view: Mapping[str, Any]) -> Row:
        """Return how many wait, how many of them for a call, and for how long the oldest does."""
        return [view["waiting"], view["callbacks"], self._age(view)]

    def _age(self, view: Mapping[str, Any]) -> int | None:
        oldest = view["oldest_at"]
        return None if oldest is None else max(0, round((self.now - oldest).total_seconds()))

    def agents(
        self, views: Sequence[Mapping[str, Any]], day: Callable[[str], Mapping[str, Any]]
    ) -> Sheet:
        """Return the agents as they stand, with what they have done today."""
        name = str(self._words["export"]["agents"])
        rows = (self._of_agent(view, day(view["id"])) for view in views)
        return Sheet(name, self._titles(*AGENT, *AGENT_MORE), bundle(rows))

    def _of_agent(self, view: Mapping[str, Any], day: Mapping[str, Any]) -> Row:
        load = [f"{self._channel(name)} {units}" for name, units in day["load"].items()]
        since = view["activity_since"] if view["activity"] != "idle" else view["since"]
        return [
            view["name"],
            str(self._words["desk"]["presence"][view["sign"]]),
            self._local(since) if since else None,
            view["used"],
            view["units"],
            str(self._words["desk"]["between"]).join(load),
            *(day[name] for name in (*AGENT[6:], *AGENT_MORE)),
        ]

    def half_hours(self, store: Store, first: date, last: date) -> Sheet:
        """Return what happened in each half hour of some days, where anything did."""
        name = str(self._words["export"]["halfHours"])
        return Sheet(name, self._titles(*HALF_HOUR), self._days(store, first, last))

    async def _days(self, store: Store, first: date, last: date) -> AsyncIterator[Sequence[Row]]:
        aims, dialect = targets(self.catalog), store.dialect
        for n in range((last - first).days + 1):
            begins, ends = span_of(first + timedelta(days=n), self.zone)
            halves = await store.read(partial(half_hours, begins, ends, aims, dialect))
            yield [
                [
                    self._local(begins + timedelta(seconds=HALF_HOUR_S * place.slot)),
                    self._queue(place.queue),
                    self._channel(place.channel),
                    half.offered,
                    half.service_level,
                    half.answered,
                    half.in_time,
                    half.abandoned,
                    half.speed_of_answer_s,
                    None if half.longest_s is None else round(half.longest_s, 3),
                    half.handled,
                    half.mean_handling_s,
                ]
                for place, half in halves.items()
            ]
