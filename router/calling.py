"""What the engine decides about calls, as it is told to conversations and counted as an answer."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from madoguchi.clock import from_micros
from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.callback_telling import News
from madoguchi.conversations.callbacks import Wish
from madoguchi.model.ids import Id
from madoguchi.model.routing import Callback, ItemFacts

MISSED = "callback_missed"
"""For this reason an item waits again whose customer was called in vain."""


@dataclass
class Calls:
    """What became of items' calls in one cycle of the router."""

    turned: dict[Id, Wish] = field(default_factory=dict)

    def note(self, item: Id, callback: Callback) -> None:
        """Take in where an item stands with a call now."""
        if callback is Callback.offered:
            self.turned.setdefault(item, Wish.OFFERED)
        elif callback is Callback.reached:
            self.turned[item] = Wish.REACHED

    def missed(self, item: Id) -> None:
        """Take in that a customer was called in vain, and will be called again."""
        self.turned[item] = Wish.ASKED

    def news(self, items: Iterable[ItemFacts], catalog: Catalog, now: datetime) -> dict[Id, News]:
        """Return conversation → what is told of its call, of the given unfinished items."""
        found = {}
        for facts in items:
            spec = facts.spec
            queue = catalog.queues.get(spec.queue)
            state = self.turned.get(spec.id)
            if queue is None or state is None:
                continue
            next_at = from_micros(spec.not_before) if spec.not_before else None
            policy = queue.object.callback
            closed = not catalog.opening(spec.queue, now).open
            found[spec.conversation] = News(spec.id, state, policy, facts.calls, next_at, closed)
        return found


def answers(facts: ItemFacts) -> bool:
    """Tell whether somebody who takes an item has answered its customer by that: who is to be
    called is answered when they are reached.
    """
    return facts.callback is not Callback.asked
