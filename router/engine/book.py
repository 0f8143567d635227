"""The router's book: every record, and the few strokes by which records change together."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from hashlib import blake2b

from madoguchi.model.routing import (
    AgentLoadChanged,
    Decision,
    Explanation,
    ItemAssigned,
    ItemClosed,
    ItemFacts,
    ItemState,
    ItemWaiting,
    Limit,
    Offer,
    OfferClosed,
    Offered,
    OfferState,
    QueuePolicy,
    Refused,
    micros,
)
from router.engine.index import Index
from router.engine.names import (
    ACCEPTED,
    ASSIGNED,
    DIRECT,
    OFFERED,
    OPEN,
    RANDOM,
    WAITING,
    WITHDRAWN,
    WRAP_UP,
)
from router.engine.policy import kept_for, steps_passed, widened_by
from router.engine.records import AgentRecord, ItemRecord, Stage
from router.engine.timers import Timer, Timers, Truth

DAY = micros(86_400)
LOTS = 2**48
"""So many different lots can be drawn."""

FINISHED_KEPT = 1_000
"""So many finished items are remembered, to tell a late answer what became of them."""


class Book(Truth):
    """Records, index, timers and the decisions of the running apply.

    Every method leaves index, loads and timers true to the records. Methods that look something up
    by id raise Refused. `let_in` are the teams that help a queue
    now; `entering` are the new items that may still be refused a place to wait; `asking` are those
    on offer that may be offered to more agents; `stages` are those of the queues' own items, by
    rings passed and teams let in; `queued` are the items of each queue, whoever has them.
    """

    def __init__(self, seed: str = "0", *, explaining: bool = True) -> None:
        self.seed = seed
        self.explaining = explaining
        self.limits: tuple[Limit, ...] = ()
        self.midnight = 0
        self.day = 0
        self.entering: dict[str, None] = {}
        self.asking: dict[str, None] = {}
        self.let_in: dict[str, tuple[str, ...]] = {}
        self.queues: dict[str, QueuePolicy] = {}
        self.stages: dict[tuple[str, int, tuple[str, ...]], Stage] = {}
        self.agents: dict[str, AgentRecord] = {}
        self.items: dict[str, ItemRecord] = {}
        self.queued: dict[str, dict[str, ItemRecord]] = {}
        self.finished: dict[str, ItemState] = {}
        self.version = 0
        self.sequence = 0
        self.clock = 0
        self.index = Index(self.queues)
        self.timers = Timers(self)
        self.decisions: list[Decision] = []
        self.ended: dict[str, ItemFacts] = {}
        self.arrivals: dict[str, None] = {}
        self.moved: dict[str, None] = {}
        self._touched: dict[str, None] = {}

    # ------------------------------------------------------------ looking up

    def agent(self, agent: str) -> AgentRecord:
        """Return an agent; refuses `unknown_agent`."""
        found = self.agents.get(agent)
        if found is None:
            raise Refused("unknown_agent", agent)
        return found

    def item(self, item: str) -> ItemRecord:
        """Return an unfinished item; refuses `finished` and `unknown_item`."""
        found = self.items.get(item)
        if found is None:
            if item in self.finished:
                raise Refused("finished", self.finished[item])
            raise Refused("unknown_item", item)
        return found

    def owned(self, item: str) -> ItemRecord:
        """Return an item that its owner works on; refuses `not_assigned`, `finished` (wrap-up)."""
        found = self.item(item)
        if found.owner is None:
            raise Refused("not_assigned", item)
        if found.state is WRAP_UP:
            raise Refused("finished", "in wrap-up", found.owner)
        return found

    def queue(self, queue: str) -> QueuePolicy:
        """Return a queue's policy; refuses `unknown_queue`."""
        found = self.queues.get(queue)
        if found is None:
            raise Refused("unknown_queue", queue)
        return found

    def due(self, kind: int, key: str) -> int | None:
        """Return when a timer of this kind is due for this item or agent now; None: never."""
        if kind == Timer.away:
            agent = self.agents.get(key)
            return agent.away_due() if agent else None
        item = self.items.get(key)
        if item is None:
            return None
        if kind == Timer.step:
            return item.step_due() if item.bucket is not None else None
        if kind == Timer.offer:
            return min((offer.deadline for offer in item.pending.values()), default=None)
        if kind == Timer.release:
            return item.release_due()
        if kind == Timer.block:
            return min(item.blocks.values(), default=None)
        if kind == Timer.wrap_up:
            return item.wrap_up_until
        if kind == Timer.rest:
            return item.spec.not_before if item.resting else None
        return item.absent_due(self.agents[item.owner] if item.owner is not None else None)

    # ------------------------------------------------------------ whose item is it

    def enter(self, item: ItemRecord) -> None:
        """Take in an item that is not there."""
        self.items[item.id] = item
        self.queued.setdefault(item.spec.queue, {})[item.id] = item

    def change_queue(self, item: ItemRecord, queue: QueuePolicy) -> None:
        """Make an item, which is in no bucket, another queue's."""
        del self.queued[item.spec.queue][item.id]
        item.spec = replace(item.spec, queue=queue.id)
        self.queued.setdefault(queue.id, {})[item.id] = item
        item.come_under(queue)
        item.limit_wait(self.clock)

    # ------------------------------------------------------------ telling

    def tell(self, decision: Decision) -> None:
        """Add a decision to those of the running apply."""
        self.decisions.append(decision)

    def touch(self, agent: AgentRecord) -> None:
        """Note that an agent's presence or load changed."""
        agent.changed()
        self._touched[agent.id] = None
        self.moved[agent.id] = None
        self.index.touch(agent)

    def tell_loads(self) -> None:
        """Tell the loads that differ from what was told last, once per agent."""
        for name in sorted(self._touched):
            agent = self.agents.get(name)
            if agent is None or (load := agent.load()) == agent.told:
                continue
            agent.told = load
            self.tell(AgentLoadChanged(name, load.used, load.reserved, load.free, load.activity))
        self._touched.clear()

    # ------------------------------------------------------------ strokes

    def hold(
        self, item: ItemRecord, owner: str | None, state: ItemState, *, released: bool = False
    ) -> None:
        """Set owner, state and release of an item: the only place where owners' loads change."""
        before = item.owner
        self._weigh(item, -1)
        item.owner, item.state, item.released = owner, state, released
        if state is not WRAP_UP:
            item.wrap_up_until = None
        self._weigh(item, 1)
        if before == owner:
            return
        item.paused_since = None
        if before is not None:
            del self.agents[before].work[item.id]
            self.agents[before].worked_until = self.clock
        if owner is not None:
            self.agents[owner].work[item.id] = item
            self.timers.schedule(Timer.absent, item.id)

    def _weigh(self, item: ItemRecord, sign: int) -> None:
        if item.owner is None:
            return
        owner = self.agents[item.owner]
        self.touch(owner)
        if not item.released:
            owner.weigh(item.shape, sign, item.load_state())

    def wait(self, item: ItemRecord) -> None:
        """Put an item that is on offer to nobody into its bucket; an owner keeps it meanwhile.

        Rings whose moment has passed count at once; overflows are tried when nobody takes it now.
        What is not to be asked for yet rests.
        """
        if item.spec.not_before > self.clock:
            self.rest(item)
            return
        item.state = WAITING
        item.stepped = item.spec.enqueued_at - 1
        self.place(item)

    def rest(self, item: ItemRecord) -> None:
        """Let an item wait in no bucket, until nobody is asked too early any more."""
        item.state, item.resting = WAITING, True
        self.timers.schedule(Timer.rest, item.id)

    def place(self, item: ItemRecord) -> None:
        """Put a waiting item into the bucket where it belongs now."""
        self.widen(item)
        self.index.place(item)
        self.arrivals[item.id] = None
        self.timers.schedule(Timer.step, item.id)

    def widen(self, item: ItemRecord) -> None:
        """Let the rings count that an item has passed by now, and whether it is still kept for
        its preferred agent; not while it is in a bucket.
        """
        item.widened_at = self.clock
        item.stage = self.stage_of(item)
        if item.spec.preferred is not None:
            preferred = self.agents.get(item.spec.preferred)
            item.kept = kept_for(item, item.policy, preferred, self.clock)

    def stage_of(self, item: ItemRecord) -> Stage:
        """Return the stage to which rings and help have brought an item by now: the same for all
        that ask for what their queue asks for.
        """
        policy, own = item.policy, item.spec.requires
        passed = steps_passed(policy.rings, self.clock - item.spec.enqueued_at)
        teams = self.let_in.get(policy.id, ())
        key = (policy.id, passed, teams)
        stage = self.stages.get(key) if own is None else None
        if stage is None:
            wide = widened_by(policy.rings[:passed])
            stage = Stage(policy, own, wide.helped_by(teams) if teams else wide)
            if own is None:
                self.stages[key] = stage
        return stage

    def lift(self, item: ItemRecord) -> None:
        """Take an item out of its bucket, if it is in one; it does not rest any more."""
        item.resting = False
        self.index.lift(item)
        self.arrivals.pop(item.id, None)

    def resort(self, item: ItemRecord) -> None:
        """Put an item into the bucket where it belongs now, if it waits."""
        if self.index.holds(item.id):
            self.lift(item)
            self.place(item)

    def full(self, queue: str, *, now_in: str) -> bool:
        """Tell whether an item that waits in `now_in` would be one too many in `queue`."""
        most = self.queues[queue].max_waiting
        count = self.index.number_waiting
        if most is not None and count(queue) - (now_in == queue) >= most:
            return True
        return any(
            sum(map(count, limit.queues)) - (now_in in limit.queues) >= limit.max_waiting
            for limit in self.limits
            if queue in limit.queues
        )

    def move(self, item: ItemRecord, queue: QueuePolicy, why: str) -> None:
        """Let an item that waits and nobody owns wait in another queue, as long as it has."""
        self.lift(item)
        item.told_blocked = False
        self.change_queue(item, queue)
        self.wait(item)
        self.tell(ItemWaiting(item.id, queue.id, why))

    def back_to_queue(self, item: ItemRecord, why: str) -> None:
        """Let go of whatever holds an item; it waits in its queue with its enqueue time."""
        self.withdraw(item, why)
        self.lift(item)
        item.transfer = None
        self.hold(item, None, WAITING)
        self.wait(item)
        self.tell(ItemWaiting(item.id, item.spec.queue, why))

    def offer(
        self, item: ItemRecord, agent: AgentRecord, explanation: Explanation, *, direct: bool
    ) -> None:
        """Reserve the agent for the item. `direct`: for this agent only; an owner keeps it."""
        self.lift(item)
        item.offers += 1
        policy = item.policy
        timeout = policy.transfer_timeout_s if direct else policy.offer_timeout_s
        deadline = self.clock + micros(timeout)
        offer = Offer(f"{item.id}-{item.offers}", item.id, agent.id, self.clock, deadline, direct)
        item.transfer = DIRECT if direct else item.transfer
        item.state = ASSIGNED if direct and item.owner else OFFERED
        item.told_blocked = False
        self.end_preference(item)
        if not direct:
            agent.give(item.spec.queue, self.clock)
        self.reserve(item, offer)
        self.tell(Offered(offer.id, item.id, agent.id, deadline, explanation, direct))

    def reserve(self, item: ItemRecord, offer: Offer) -> None:
        """Take the agent's capacity for a pending offer."""
        agent = self.agents[offer.agent]
        item.pending[agent.id] = offer
        agent.offers[offer.id] = offer
        agent.weigh(item.shape, 1, OFFERED)
        self.touch(agent)
        self.timers.schedule(Timer.offer, item.id)

    def withdraw(self, item: ItemRecord, why: str) -> None:
        """Take the pending offers back."""
        for agent in sorted(item.pending):
            self.close_offer(item, item.pending[agent], WITHDRAWN, why)

    def close_offer(self, item: ItemRecord, offer: Offer, end: OfferState, why: str = "") -> None:
        """End a pending offer and give the capacity back. What the item is next comes after."""
        agent = self.agents[offer.agent]
        agent.weigh(item.shape, -1, OFFERED)
        del agent.offers[offer.id]
        self.touch(agent)
        del item.pending[agent.id]
        item.closed[int(offer.id.rpartition("-")[2])] = (agent.id, end)
        self.tell(OfferClosed(offer.id, item.id, offer.agent, end, why))

    def go_on(self, item: ItemRecord, offer: Offer, *, let_pass: bool = False) -> None:
        """After an offer that was not accepted, if nobody else is asked: the item is again what it
        was before.

        `let_pass`: a transfer's addressee did not answer, so it waits for others in the queue.
        """
        if item.pending:
            return
        if not (offer.transfer and item.owner is not None):
            item.transfer = item.transfer if item.owner is not None else None
            self.wait(item)
        elif let_pass:
            item.transfer = OPEN
            self.wait(item)
            self.tell(ItemWaiting(item.id, item.spec.queue, "transfer_timeout", item.owner))
        else:
            item.transfer = None

    def assign(self, item: ItemRecord, agent: AgentRecord, offer: str | None) -> None:
        """Make the agent the owner, who starts to work on the item now."""
        previous = item.owner
        self.lift(item)
        item.transfer = None
        item.told_blocked = False
        item.taken, item.waits_until = True, None
        if item.spec.not_before:
            item.spec = replace(item.spec, not_before=0)
        self.end_preference(item)
        agent.taken += 1
        self.hold(item, agent.id, ASSIGNED)
        self.tell(ItemAssigned(item.id, agent.id, previous, offer, agent.over_capacity()))

    def accept(self, item: ItemRecord, offer: Offer) -> None:
        """Make an agent who is asked the owner; nobody else is any more."""
        agent = self.agents[offer.agent]
        agent.misses = 0
        self.close_offer(item, offer, ACCEPTED)
        self.withdraw(item, "taken")
        self.assign(item, agent, offer.id)

    def close(self, item: ItemRecord, state: ItemState, why: str = "") -> None:
        """Finish an item: nothing is left but how it ended, and for this apply what it was."""
        self.ended[item.id] = item.facts()
        self.withdraw(item, why or state.value)
        self.lift(item)
        self.hold(item, None, state)
        del self.items[item.id], self.queued[item.spec.queue][item.id]
        self.finished[item.id] = state
        if len(self.finished) > FINISHED_KEPT:
            del self.finished[next(iter(self.finished))]
        self.tell(ItemClosed(item.id, state, why))

    def bar(self, item: ItemRecord, agent: str, seconds: float) -> None:
        """Keep an item from an agent for a while."""
        if seconds > 0:
            item.blocks[agent] = self.clock + micros(seconds)
            self.timers.schedule(Timer.block, item.id)
            self.resort(item)

    def unbar(self, item: ItemRecord) -> None:
        """Forget the blocks whose time is over."""
        item.blocks = {agent: until for agent, until in item.blocks.items() if until > self.clock}
        self.timers.schedule(Timer.block, item.id)
        self.resort(item)

    def end_preference(self, item: ItemRecord) -> None:
        """Forget the preferred agent: the item was offered, or could not be to them."""
        if item.spec.preferred is not None:
            item.spec = replace(item.spec, preferred=None)
            item.kept = None

    def lot(self, item: ItemRecord) -> float | None:
        """Return the number in [0, 1) by which an item's next offer draws an agent, if it does."""
        if item.policy.agent_choice is not RANDOM:
            return None
        if item.spec.draw is not None:
            return item.spec.draw
        seen = f"{self.seed}/{item.id}/{item.offers}".encode()
        return int.from_bytes(blake2b(seen, digest_size=6).digest(), "big") / LOTS

    def turn_day(self) -> None:
        """Forget at midnight what everybody has taken."""
        day = (self.clock - self.midnight) // DAY
        if day != self.day:
            self.day = day
            for agent in self.agents.values():
                if agent.taken:
                    agent.taken = 0
                    self.touch(agent)

    def wait_all(self, items: Iterable[ItemRecord]) -> None:
        """Let many items wait, in the order of their ids."""
        ordered = sorted(items, key=lambda item: item.id)
        for item in ordered:
            self.widen(item)
        self.index.open_for(ordered)
        for item in ordered:
            self.wait(item)
