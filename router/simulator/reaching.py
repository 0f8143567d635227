"""Which queues' expected waits an agent or a contact of a queue may change, in one cast."""

from __future__ import annotations

from collections.abc import Collection

from madoguchi.model.routing import AgentSpec
from router.simulator.cast import Cast

NONE: frozenset[str] = frozenset()


class Reaching:
    """``near`` is queue -> the queues that share an agent with it, for those whose waits are
    ``expected``: who may take from one of them may have others' contacts to take before.
    """

    def __init__(self, cast: Cast, expected: Collection[str]) -> None:
        let_in = {
            queue.id: {
                *queue.help_teams,
                *(team for ring in queue.rings for team in ring.add_teams),
            }
            for queue in cast.configuration.queues
        }

        def takes(spec: AgentSpec) -> set[str]:
            own = set(spec.teams)
            return {*spec.serves, *(queue for queue, teams in let_in.items() if own & teams)}

        self.near: dict[str, set[str]] = {queue: {queue} for queue in expected}
        self._of_agent: dict[str, frozenset[str]] = {}
        for member in cast.members:
            queues = takes(member.spec)
            asked = self._of_agent[member.spec.id] = frozenset(queues.intersection(expected))
            for queue in asked:
                self.near[queue] |= queues
        self._of_queue = {queue: frozenset({queue}) for queue in let_in}
        for queue, others in self.near.items():
            for other in others:
                self._of_queue[other] = self._of_queue.get(other, NONE) | {queue, other}
        self._reserves = any(member.spec.keep_free for member in cast.members)
        self._has_room: dict[str, bool] = {}

    def has_other_room(self, agent: str, free: int) -> bool:
        """Tell whether so many free units of an agent may change anybody's expected wait: it asks
        whether somebody has room, and where anybody is kept free, for how many others there are.
        """
        room, before = free > 0, self._has_room.get(agent)
        self._has_room[agent] = room
        return self._reserves or room != before

    def by_agent(self, agent: str) -> frozenset[str]:
        """Return the queues whose expected waits know of an agent."""
        return self._of_agent.get(agent, NONE)

    def by_queue(self, queue: str) -> frozenset[str]:
        """Return a queue and those whose expected waits know of what waits there."""
        return self._of_queue.get(queue, NONE)
