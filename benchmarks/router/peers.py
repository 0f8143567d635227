"""How others choose, written anew from how they are described: what a choice costs at this size.

Both are given everything in memory: no Redis, no SQL server, no network, as they have in the field.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase

from center import Center

NOW = 1_700_000_000
LONG_WAITING = 1_000


def chatwoot_round_robin(center: Center) -> Callable[[], object]:
    """Chatwoot's first: a list per inbox; of it the last who is online goes to its front.

    It knows neither skills nor capacity nor priority; what waits is looked at when something else
    happens to it.
    """
    online = {agent.id for agent in center.agents}
    members: dict[str, list[str]] = {queue.id: [] for queue in center.queues}
    for agent in center.agents:
        for queue in agent.serves:
            members[queue].append(agent.id)
    turns = iter_turns(center)

    def choose() -> str | None:
        inbox = members[next(turns)]
        allowed = [name for name in inbox if name in online]
        if not allowed:
            return None
        inbox.remove(allowed[-1])
        inbox.insert(0, allowed[-1])
        return allowed[-1]

    return choose


def chatwoot_assignment(center: Center, assigned: int) -> Callable[[], object]:
    """Chatwoot's second, for one conversation: members who are online; for each of them the number
    of lately assigned ones by a search over all keys; then who has fewest open in this inbox.
    """
    keys = [f"assignment:{n % len(center.agents)}:{n}" for n in range(assigned)]
    serving: dict[str, list[int]] = {queue.id: [] for queue in center.queues}
    for number, agent in enumerate(center.agents):
        for queue in agent.serves:
            serving[queue].append(number)
    open_here = {(queue, n): n % 4 for queue, numbers in serving.items() for n in numbers}
    turns = iter_turns(center)

    def choose() -> int | None:
        queue = next(turns)
        free = [
            number
            for number in serving[queue]
            if sum(fnmatchcase(key, f"assignment:{number}:*") for key in keys) < LONG_WAITING
        ]
        return min(free, key=lambda number: open_here[queue, number], default=None)

    return choose


def freeswitch(center: Center, waiting: int) -> Callable[[], object]:
    """FreeSWITCH's mod_callcenter, for one pass after one agent has become free: every waiting
    member of every queue by score (wait + base score), and for each the agents of its queue by
    tier and longest idle, until one can be called.
    """
    base = sqlite3.connect(":memory:")
    base.executescript(
        """
        CREATE TABLE members
            (uuid TEXT, queue TEXT, joined INTEGER, base_score INTEGER, state TEXT);
        CREATE TABLE agents
            (name TEXT PRIMARY KEY, status TEXT, state TEXT, last_offered INTEGER);
        CREATE TABLE tiers (queue TEXT, agent TEXT, level INTEGER, position INTEGER);
        CREATE INDEX tiers_of ON tiers (queue);
        """
    )
    queues = [queue.id for queue in center.queues]
    base.executemany(
        "INSERT INTO members VALUES (?, ?, ?, ?, 'Waiting')",
        ((f"m{n}", queues[n % len(queues)], NOW - n % 1000, n % 3) for n in range(waiting)),
    )
    busy = ((agent.id, "Available", "In a queue call", 0) for agent in center.agents)
    base.executemany("INSERT INTO agents VALUES (?, ?, ?, ?)", busy)
    served = (
        (queue, agent.id, level, 1)
        for agent in center.agents
        for queue, level in agent.serves.items()
    )
    base.executemany("INSERT INTO tiers VALUES (?, ?, ?, ?)", served)
    names = iter_names(center)

    def look() -> object:
        base.execute("UPDATE agents SET state = 'Waiting' WHERE name = ?", (next(names),))
        members = base.execute(
            "SELECT queue, uuid, (? - joined) + base_score AS score FROM members"
            " WHERE state = 'Waiting' ORDER BY score DESC",
            (NOW,),
        )
        for queue, uuid, _ in members:
            agents = base.execute(
                "SELECT name, state FROM agents JOIN tiers ON tiers.agent = agents.name"
                " WHERE tiers.queue = ? AND status = 'Available'"
                " ORDER BY level, position, last_offered",
                (queue,),
            )
            for name, state in agents:
                if state == "Waiting":
                    sql = "UPDATE agents SET state = 'Receiving', last_offered = ? WHERE name = ?"
                    base.execute(sql, (NOW, name))
                    base.execute("UPDATE members SET state = 'Trying' WHERE uuid = ?", (uuid,))
                    return name
        return None

    return look


def iter_turns(center: Center) -> Iterator[str]:
    """Yield queues at random, for ever."""
    while True:
        yield center.draw.choice(center.queues).id


def iter_names(center: Center) -> Iterator[str]:
    """Yield agents at random, for ever."""
    while True:
        yield center.draw.choice(center.agents).id


def cost_us(
    choose: Callable[[], object], most_s: float = 3.0, most: int = 2_000
) -> dict[str, float]:
    """Return how many choices were made within some seconds, one at least, and the mean µs."""
    made, began = 0, time.perf_counter()
    while made == 0 or (made < most and time.perf_counter() - began < most_s):
        choose()
        made += 1
    spent = time.perf_counter() - began
    return {"choices": made, "us": round(spent / made * 1e6, 1), "per_s": round(made / spent, 2)}
