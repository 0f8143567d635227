"""Moves that may help a day: one more agent, one more skill on an agent, another team behind; pure.

Whoever could take what was not served well, and had time, is promising. This is a cheap reckoning
that only chooses what is worth a replay; the replays decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import zip_longest

from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.kinds import Agent, Queue
from madoguchi.model.routing import AgentSpec
from router.configured import specs
from router.engine.policy import lacks
from router.trials.day import Day, part_of_half_hours
from router.trials.figures import SERVICE_LEVEL
from router.trials.replay import Replayed
from router.trials.trial import NO_TEAM, Objects, Present

MOST_MOVES = 16
"""So many are replayed; the most promising."""

MOST_RINGS = 12
LAST = "~"
"""Keys of agents who are not there yet begin with it: they come behind all others in any order."""

Need = Mapping[str, Sequence[float]]
"""Queue -> for each half hour, how much of what is asked about could be better."""


class MoveKind(StrEnum):
    """What is done."""

    agent = "agent"
    skill = "skill"
    ring = "ring"


@dataclass(frozen=True, slots=True)
class Move:
    """Something that may help.

    ``agent``: one more agent of ``team``, like ``agent``, there in ``spans``. ``skill``: ``agent``
    gets a skill, which ``queue`` asks for. ``ring``: from ``after_s`` on ``team`` may take what
    waits in ``queue``. ``objects`` is laid over the configuration. ``promise`` orders what was
    not replayed.
    """

    key: str
    kind: MoveKind
    promise: float
    objects: Objects
    queue: str = ""
    team: str = NO_TEAM
    agent: str = ""
    skill: str = ""
    level: int = 0
    after_s: float = 0.0
    spans: tuple[tuple[int, int], ...] = ()

    @property
    def adds(self) -> Present:
        """Return the agent whom it adds, and when they are there."""
        return {LAST + self.key: self.spans} if self.kind is MoveKind.agent else {}


def promising(
    day: Day, catalog: Catalog, base: Sequence[Replayed], figure: str, queue: str = ""
) -> tuple[list[Move], int]:
    """Return the most promising moves for a figure of a queue (empty: of all), the best of each
    kind first, and how many were thought of. ``base`` is the day without any.
    """
    need = needed(base, figure, queue)
    looked = _Looking(day, catalog, need, _idle(base))
    kinds = [
        sorted(_one_of_a_kind(found), key=lambda move: -move.promise)
        for found in (looked.agents(), looked.skills(), looked.rings())
    ]
    mixed = [move for row in zip_longest(*kinds) for move in row if move is not None]
    chosen = [replace(move, key=str(n)) for n, move in enumerate(mixed[:MOST_MOVES], 1)]
    return [_with_objects(move, catalog) for move in chosen], len(mixed)


def needed(base: Sequence[Replayed], figure: str, queue: str = "") -> Need:
    """Return what could be better: contacts that were not answered in time, else seconds waited."""

    def of(place: Sequence[float]) -> float:
        came, in_time, waited = place
        return came - in_time if figure == SERVICE_LEVEL else waited

    return {
        key: [sum(of(run.bins[key][at]) for run in base) for at in range(len(places))]
        for key, places in base[0].bins.items()
        if not queue or key == queue
    }


def _idle(base: Sequence[Replayed]) -> dict[str, float]:
    """Return team -> the part of its units that is free, on average."""
    groups = [name for name in base[0].seen if name.startswith("group/")]
    return {
        name.partition("/")[2]: 1.0 - sum(run.seen[name]["occupancy"] for run in base) / len(base)
        for name in groups
    }


def _one_of_a_kind(moves: Iterable[tuple[object, Move]]) -> list[Move]:
    """Return the most promising of moves that come to the same."""
    best: dict[object, Move] = {}
    for same, move in moves:
        if move.promise > 0 and (same not in best or move.promise > best[same].promise):
            best[same] = move
    return list(best.values())


class _Looking:
    """Looks for moves. Each comes with what makes it the same as another one."""

    def __init__(self, day: Day, catalog: Catalog, need: Need, idle: Mapping[str, float]) -> None:
        self._day, self._catalog, self._idle = day, catalog, idle
        self._need = {key: each for key, each in need.items() if any(each)}
        known = specs(catalog)
        self._people = {id: spec for id, spec in known.items() if id in day.there}
        self._present = {id: part_of_half_hours(day, id) for id in self._people}
        self._asks = self._asked()

    def agents(self) -> Iterator[tuple[object, Move]]:
        """Yield one more like each, in the shift of each; the best of a team counts."""
        for id, spec in self._people.items():
            promise = sum(
                self._meets(id, self._need[queue])
                for queue in self._need
                if lacks(spec, queue, (), self._requires(queue)) is None
            )
            for team in spec.teams or (NO_TEAM,):
                spans = self._day.there[id]
                yield (
                    team,
                    Move("", MoveKind.agent, promise, {}, team=team, agent=id, spans=spans),
                )

    def skills(self) -> Iterator[tuple[object, Move]]:
        """Yield each agent who lacks one skill alone for what was not served well."""
        for queue, asked, part in self._asks:
            for id, spec in self._people.items():
                missing = [(skill, n) for skill, n in asked if spec.skills.get(skill, 0) < n]
                if len(missing) != 1 or not (queue in spec.serves or not spec.teams):
                    continue
                ((skill, level),) = missing
                promise = part * self._meets(id, self._need[queue]) * self._free(spec)
                same = (skill, level, spec.teams, tuple(sorted(spec.skills.items())))
                yield (
                    same,
                    Move("", MoveKind.skill, promise, {}, queue, agent=id, skill=skill,
                         level=level),
                )  # fmt: skip

    def rings(self) -> Iterator[tuple[object, Move]]:
        """Yield teams that do not serve a queue, but have people who could."""
        for queue, need in self._need.items():
            entry = self._catalog.queues[queue].object
            let_in = {team for ring in entry.rings for team in ring.add_groups}
            for team in self._catalog.teams:
                served = {one.queue for one in self._catalog.teams[team].object.serves}
                if queue in served or team in let_in or len(entry.rings) >= MOST_RINGS:
                    continue
                able = [
                    id
                    for id, spec in self._people.items()
                    if team in spec.teams and queue not in spec.serves
                    and lacks(spec, queue, (team,), self._requires(queue)) is None
                ]  # fmt: skip
                idle = self._idle.get(team, 1.0)
                spare = [
                    idle * sum(self._present[id][at] for id in able) for at in range(len(need))
                ]
                promise = sum(n * min(1.0, free) for n, free in zip(need, spare, strict=True))
                after = float(max(1, round(entry.service_level_s / 2)))
                yield (
                    (queue, team),
                    Move("", MoveKind.ring, promise, {}, queue, team, after_s=after),
                )

    def _requires(self, queue: str) -> Iterable[tuple[str, int]]:
        return self._catalog.queues[queue].object.requires.items()

    def _meets(self, agent: str, need: Sequence[float]) -> float:
        """Return how much of a need falls into an agent's time."""
        return sum(n * part for n, part in zip(need, self._present[agent], strict=True))

    def _free(self, spec: AgentSpec) -> float:
        teams = spec.teams or (NO_TEAM,)
        return max(0.0, sum(self._idle.get(team, 1.0) for team in teams) / len(teams))

    def _asked(self) -> list[tuple[str, tuple[tuple[str, int], ...], float]]:
        """Return what contacts of each queue in need ask for, and which part of them does."""
        counts: dict[str, dict[tuple[tuple[str, int], ...], int]] = {}
        for contact in self._day.contacts:
            if contact.queue not in self._need:
                continue
            own = contact.requires
            asked = dict(self._requires(contact.queue)) if own is None else own
            of_queue = counts.setdefault(contact.queue, {})
            place = tuple(sorted(asked.items()))
            of_queue[place] = of_queue.get(place, 0) + 1
        return [
            (queue, asked, count / sum(of_queue.values()))
            for queue, of_queue in counts.items()
            for asked, count in of_queue.items()
        ]


def _with_objects(move: Move, catalog: Catalog) -> Move:
    """Return a move with the objects that it changes."""
    if move.kind is MoveKind.ring:
        queue = catalog.queues[move.queue]
        steps = [ring.model_dump() for ring in queue.object.rings]
        steps.append({"after": move.after_s, "add_groups": [move.team]})
        body = {
            **queue.object.model_dump(),
            "rings": sorted(steps, key=lambda ring: ring["after"]),
        }
        return replace(move, objects={("queue", move.queue): replace(queue, object=Queue(**body))})
    agent = catalog.agent_by_id[move.agent]
    body = agent.object.model_dump()
    if move.kind is MoveKind.skill:
        body["skills"] = {**body["skills"], move.skill: move.level}
        return replace(
            move, objects={("agent", agent.object.key): replace(agent, object=Agent(**body))}
        )
    key = LAST + move.key
    # No rule for keys holds for somebody who is not there; nothing is saved of them.
    newcomer = Agent(**body).model_copy(update={"key": key})
    return replace(move, objects={("agent", key): Entry(key, 1, newcomer)})
