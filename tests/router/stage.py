"""A small stage for the engine: agents by name, items by name, seconds since the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import pytest

from madoguchi.model.routing import (
    MICROS,
    AgentChanged,
    AgentSpec,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    Decision,
    ItemEnqueued,
    ItemSpec,
    OfferAccepted,
    Offered,
    Presence,
    PresenceSet,
    QueuePolicy,
    Refused,
    TimePassed,
)
from router.engine.engine import Engine

T = TypeVar("T")
START = 1_700_000_000 * MICROS


def only(kind: type[T], decisions: Iterable[Decision]) -> list[T]:
    """The decisions of one kind."""
    return [each for each in decisions if isinstance(each, kind)]


class Stage:
    def __init__(self, *queues: QueuePolicy) -> None:
        self.engine = Engine()
        self.now = 0.0
        self.do(ConfigurationChanged(queues or (QueuePolicy("q", "Queue"),)))

    def do(self, command: Command) -> list[Decision]:
        return self.engine.apply(command, START + round(self.now * MICROS))

    def after(self, seconds: float) -> list[Decision]:
        self.now += seconds
        return self.do(TimePassed())

    def refuse(self, command: Command) -> Refused:
        before = self.engine.state()
        with pytest.raises(Refused) as caught:
            self.do(command)
        assert self.engine.state() == before
        return caught.value

    def agent(
        self, name: str, serves: Mapping[str, int] | None = None, **spec: Any
    ) -> list[Decision]:
        """A new agent who signs in; order by the number of agents so far."""
        order = spec.pop("order", len(self.engine.state().agents))
        self.do(AgentChanged(AgentSpec(name, order, serves=serves or {"q": 1}, **spec)))
        return self.come(name)

    def come(self, name: str) -> list[Decision]:
        made = self.do(ConnectionChanged(name, True))
        return made + self.do(PresenceSet(name, Presence.available, "", name))

    def item(
        self, name: str, queue: str = "q", channel: str = "chat", **spec: Any
    ) -> list[Decision]:
        enqueued = spec.pop("enqueued_at", START + round(self.now * MICROS))
        return self.do(ItemEnqueued(ItemSpec(name, f"c-{name}", queue, channel, enqueued, **spec)))

    def assigned(self, name: str, **spec: Any) -> str:
        """A new item that its first offer's agent has accepted; returns the agent."""
        (offered,) = only(Offered, self.item(name, **spec))
        self.do(OfferAccepted(offered.offer, offered.agent))
        return offered.agent

    def offered_to(self, item: str) -> str | None:
        """Who has the item on offer."""
        offers = {offer.item: offer.agent for offer in self.engine.state().offers}
        return offers.get(item)

    def owner(self, item: str) -> str | None:
        found = self.engine.item(item)
        return found.owner if found is not None else None
