"""Every command in every order, judged after each by the oracle, a replay and a restored twin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from madoguchi.model.routing import (
    MICROS,
    Ageing,
    AgentChanged,
    AgentChoice,
    AgentLoadChanged,
    AgentRemoved,
    AgentReplied,
    AgentSpec,
    Assigned,
    AwayReserved,
    AwayTakenBack,
    Callback,
    CallbackAsked,
    CallbackCancelled,
    CallbackGivenUp,
    CallbackMissed,
    CallbackReached,
    CallEnded,
    Command,
    ConfigurationChanged,
    ConnectionChanged,
    CustomerWrote,
    Decision,
    Engaged,
    IdleSince,
    ItemAssigned,
    ItemBlocked,
    ItemCallback,
    ItemCancelled,
    ItemClosed,
    ItemEnqueued,
    ItemMoved,
    ItemPrioritised,
    ItemSpec,
    ItemState,
    ItemWaiting,
    Limit,
    OfferAccepted,
    OfferClosed,
    OfferDeclined,
    Offered,
    Overflow,
    Parked,
    Preference,
    Presence,
    PresenceSet,
    QueuePolicy,
    Refused,
    Requeued,
    Reserve,
    Ring,
    TeamsLetIn,
    TimePassed,
    TransferCancelled,
    TransferredToAgent,
    TransferredToQueue,
    WorkEnded,
    WrapUpExtended,
    WrapUpStarted,
)
from router.engine.engine import Engine
from router.engine.policy import TEXTS_ONLY
from tests.router.oracle import Seen, SeenItem

AGENTS = ["a0", "a1", "a2", "a3"]
QUEUES = ["q0", "q1", "q2"]
SKILLS = ["ja", "vip"]
HELD = (ItemState.assigned, ItemState.wrap_up)
MAY_EXCEED = (CustomerWrote, Assigned, AgentChanged)

agents = st.sampled_from(AGENTS)
queues = st.sampled_from(QUEUES)
skills = st.dictionaries(st.sampled_from(SKILLS), st.integers(0, 3), max_size=2)
some = st.integers(0, 11)

AFTER = [5.0, 20.0, 60.0, 300.0]
DELAYS = (20.0, 60.0)
TEAMS = ["t0", "t1"]
INTERRUPTS: list[dict[str, tuple[str, ...]]] = [
    {}, {}, {"voice": ("chat", "email")}, {"chat": ("email",), "voice": ("email",)}
]  # fmt: skip
teams = st.lists(st.sampled_from(TEAMS), max_size=2, unique=True).map(tuple)
steps = st.lists(st.sampled_from(AFTER), max_size=2, unique=True).map(sorted)


@st.composite
def rings(draw: st.DrawFn) -> tuple[Ring, ...]:
    return tuple(
        Ring(
            after,
            draw(st.dictionaries(st.sampled_from(SKILLS), st.integers(0, 1), max_size=2)),
            draw(teams),
            draw(st.integers(1, 3)),
        )
        for after in draw(steps)
    )


policies = st.tuples(
    skills,
    st.integers(1, 2),
    st.builds(Ageing, st.sampled_from([0.0, 1.0, 3.0]), st.sampled_from([0.0, 60.0])),
    st.sampled_from(list(AgentChoice)),
    st.integers(1, 2),
    st.booleans(),
    st.sampled_from([0.0, 300.0]),
    st.sampled_from([0.0, 30.0]),
    rings(),
    st.none() | st.sampled_from(AFTER),
    st.none() | st.integers(0, 3),
    st.lists(teams, max_size=2).map(tuple),
    st.dictionaries(st.sampled_from(["chat", "email"]), st.integers(1, 3), max_size=1),
    st.sampled_from([{}, {}, {"ja": 2}, {"ja": 1, "vip": 1}]),
    st.sampled_from(list(IdleSince)),
    st.sampled_from([False, False, True]),
    st.sampled_from([0.0, 30.0, 120.0]),
    st.sampled_from([1, 1, 2, 3]),
    st.booleans(),
    st.sampled_from([0.0, 0.0, 45.0, 300.0]),
    st.tuples(st.sampled_from([0.0, 20.0, 60.0]), st.sampled_from([5.0, 60.0]), st.integers(1, 3)),
)
limits = st.none() | st.integers(0, 4)


@st.composite
def agent_specs(draw: st.DrawFn) -> AgentSpec:
    member = draw(teams)
    reserves = st.builds(Reserve, st.sampled_from(member or TEAMS), st.integers(0, 2))
    return AgentSpec(
        draw(agents),
        draw(st.integers(0, 3)),
        draw(skills),
        draw(st.dictionaries(queues, st.integers(1, 2), min_size=1)),
        draw(st.integers(1, 4)),
        draw(st.dictionaries(st.sampled_from(["chat", "email"]), st.integers(1, 2), max_size=1)),
        member,
        draw(st.dictionaries(queues, reserves, max_size=2)) if member else {},
        draw(st.dictionaries(queues, st.sampled_from(DELAYS), max_size=1)),
        draw(st.integers(1, 3)),
        draw(st.sampled_from(INTERRUPTS)),
    )


specs = agent_specs()


Drawn = tuple[
    dict[str, int],
    int,
    Ageing,
    AgentChoice,
    int,
    bool,
    float,
    float,
    tuple[Ring, ...],
    float | None,
    int | None,
    tuple[tuple[str, ...], ...],
    dict[str, int],
    dict[str, int],
    IdleSince,
    bool,
    float,
    int,
    bool,
    float,
    tuple[float, float, int],
]


def make_queue(name: str, drawn: Drawn) -> QueuePolicy:
    (requires, priority, ageing, choice, misses, wrap_up, block, limit, steps, after, most, order,
     weights, prefers, idle, auto, wait, several, on, patience, calls) = drawn  # fmt: skip
    # Overflows go upwards, so that they never go round.
    above = QUEUES[QUEUES.index(name) + 1 :]
    return QueuePolicy(
        name, name, requires, priority, ageing, choice,
        misses=misses, wrap_up=wrap_up, decline_block_s=block, wrap_up_s=limit,
        rings=steps, overflow=(Overflow(after, above[0]),) if after and above else (),
        max_waiting=most, team_order=order, last_level=2, weights=weights,
        prefers=prefers, idle_since=idle, auto_accept=auto, delays_s=DELAYS,
        preferred_wait_s=wait, offer_to=several, help_teams=("t1",) if wait else (),
        full_to=above[0] if on and above else "", max_wait_s=patience,
        callback_after_s=calls[0], callback_retry_s=calls[1], callback_attempts=calls[2],
    )  # fmt: skip


class EngineMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.engine = Engine()
        self.twin: Engine | None = None
        self.at = 1_700_000_000 * MICROS
        self.before = self.engine.state()
        self.log: list[tuple[Command, int, list[Decision] | str]] = []
        self.items: list[str] = []
        self.offers: dict[str, str] = {}
        self.open: dict[str, str] = {}
        """The pending offers, and their items."""
        self.ended: set[str] = set()
        self.enqueued: dict[str, int] = {}
        self.blocked: set[str] = set()
        self.taken: set[str] = set()
        self.call_offered: set[str] = set()
        """Items whose customers the engine has offered a call."""

    # -------------------------------------------------------- applying and judging

    def apply(self, command: Command) -> None:
        """Let the time pass first, so that one apply has one cause."""
        if not isinstance(command, TimePassed):
            self.step(TimePassed())
        self.step(command)

    def step(self, command: Command) -> None:
        before = self.before = self.engine.state()
        idle = isinstance(command, CustomerWrote) and not self.engine.heeds_text(command.item)
        result = run(self.engine, command, self.at)
        if idle:
            assert result in ([], "unknown_item", "finished"), "the service leaves such texts out"
            after = self.engine.state()
            assert replace(after, clock=before.clock, sequence=before.sequence) == before
        if self.twin is not None:
            assert run(self.twin, command, self.at) == result
            assert self.twin.state() == self.engine.state()
        self.log.append((command, self.at, result))
        if isinstance(result, str):
            assert "decisions" not in result
            assert self.engine.state() == before, f"refused {result}, but changed"
            return
        self.follow(result)
        self.judge(command, Seen(before), result)

    def follow(self, decisions: Sequence[Decision]) -> None:
        """Every offer ends once; loads are told once; a requeue keeps its time."""
        told = [each.agent for each in decisions if isinstance(each, AgentLoadChanged)]
        assert len(told) == len(set(told))
        for each in decisions:
            if isinstance(each, Offered):
                assert each.offer not in self.offers
                several = [o for o, item in self.open.items() if item == each.item]
                assert each.agent not in {self.offers[o] for o in several}, "asked twice"
                assert len(several) < self.engine_most(), "more are asked than should be"
                self.offers[each.offer] = each.agent
                self.open[each.offer] = each.item
                self.blocked.discard(each.item)
            elif isinstance(each, OfferClosed):
                assert self.open.pop(each.offer) == each.item
                assert each.offer not in self.ended
                self.ended.add(each.offer)
            elif isinstance(each, ItemWaiting | ItemAssigned):
                self.blocked.discard(each.item)
                if isinstance(each, ItemAssigned):
                    self.taken.add(each.item)
            elif isinstance(each, ItemCallback):
                self.follow_call(each)
            elif isinstance(each, ItemBlocked):
                assert each.blocked != (each.item in self.blocked), "told twice"
                (self.blocked.add if each.blocked else self.blocked.discard)(each.item)
                assert bool(each.explanation.facts) == each.blocked

    def follow_call(self, each: ItemCallback) -> None:
        """A call is offered once, and only in place of an earlier wish a second time."""
        if each.callback is Callback.offered and each.item not in self.wishes:
            assert each.item not in self.call_offered, "offered twice"
            assert each.item not in self.taken, "offered though somebody has had it"
            self.call_offered.add(each.item)

    @property
    def wishes(self) -> set[str]:
        """The items whose customers have asked to be called, before the running apply."""
        asked = {Callback.asked, Callback.reached}
        return {item.spec.id for item in self.before.items if item.callback in asked}

    def engine_most(self) -> int:
        """The most agents who are asked at once."""
        return max(queue.offer_to for queue in self.engine.state().queues)

    def full(self, before: Seen, queue: str) -> bool:
        """Whether one more item would have been too many."""
        state = self.engine.state()
        waits = [item.spec.queue for item in before.items.values() if item.waits]
        most = next(one.max_waiting for one in state.queues if one.id == queue)
        return (most is not None and waits.count(queue) >= most) or any(
            sum(map(waits.count, limit.queues)) >= limit.max_waiting
            for limit in state.limits
            if queue in limit.queues
        )

    def judge_line(self, now: Seen, name: str) -> None:
        """Compare what an item waits for with what the oracle counts."""
        line, place = self.engine.ahead(name), now.position(name)
        assert self.engine.position(name) == place
        assert (line.position if line else None) == place
        if line is not None:
            assert line.units == now.crew(name)
            assert not line.free, "somebody who may take it has room, and it waits"
            assert bool(line.before) == (line.position > 1)

    def judge(self, command: Command, before: Seen, decisions: Sequence[Decision]) -> None:
        state = self.engine.state()
        now = Seen(state)
        assert now.unserved() == []
        assert now.lingering() == []
        assert {offer.id: offer.item for offer in state.offers} == self.open
        for name, agent in now.agents.items():
            load = self.engine.load(name)
            assert (load.used, load.reserved) == (agent.used, agent.reserved)
            if agent.over_capacity():
                was = before.agents.get(name)
                # What had come to an interrupted channel by other ways counts again after it.
                allowed = isinstance(command, MAY_EXCEED) or (
                    was and (was.over_capacity() or was.rests)
                )
                assert allowed, f"{name} over capacity by {command}"
        for name, item in now.items.items():
            assert item.spec.enqueued_at == self.enqueued[name]
            self.judge_line(now, name)
            assert item.facts.told_blocked == (item.waits and now.nobody(item)), name
            assert item.facts.taken == (name in self.taken), name
            if item.facts.waits_until is not None:
                assert not item.facts.taken, "somebody has had it, and it would end"
                assert not item.waits or item.facts.waits_until > now.at, "it waits too long"
            self.judge_call(now, item)
            limit = item.facts.wrap_up_until
            assert limit is None or (item.facts.state is ItemState.wrap_up and limit > now.at)
        self.judge_ends(before, now, decisions)
        for place, each in enumerate(decisions):
            if isinstance(each, Offered):
                assert now.agents[each.agent].away_after is None, "offered to one who leaves"
            if isinstance(each, Offered) and not each.transfer:
                overtaken = Seen(state, but=each.offer).overtaken(each.agent, each.item)
                came_later = {
                    later.item
                    for later in decisions[place:]
                    if isinstance(later, ItemWaiting) and later.why == "overflow"
                }
                assert set(overtaken) <= came_later, f"{each.item} was offered before them"
        if isinstance(command, ItemEnqueued):
            spec = command.item
            policy = next(queue for queue in state.queues if queue.id == spec.queue)
            offered = [each.agent for each in decisions if isinstance(each, Offered)]
            expected = before.choice(spec, policy)
            if expected or not (policy.overflow or policy.full_to):
                assert offered[:1] == ([expected] if expected else [])
                assert len(offered) <= (1 if policy.auto_accept else policy.offer_to)
            refused = ItemClosed(spec.id, ItemState.cancelled, "full") in decisions
            moved = any(isinstance(each, ItemWaiting) for each in decisions)
            assert moved or refused == (not expected and self.full(before, spec.queue))

    def judge_call(self, now: Seen, item: SeenItem) -> None:
        """Who wants a call waits for ever, and rests only when nobody has the item."""
        facts = item.facts
        assert facts.spec.not_before <= now.at or facts.owner is None
        if facts.callback is Callback.asked:
            assert facts.waits_until is None
            assert facts.state is not ItemState.wrap_up, "it ends, and nobody was called"
        if facts.callback is Callback.none and item.waits and not facts.taken:
            after = item.policy.callback_after_s
            assert not after or facts.spec.enqueued_at + after * MICROS > now.at, "not offered"

    def judge_ends(self, before: Seen, now: Seen, decisions: Sequence[Decision]) -> None:
        """Nobody's wait ends before its time, whatever changes meanwhile."""
        for each in decisions:
            if isinstance(each, ItemClosed) and each.why == "waited_too_long":
                until = before.items[each.item].facts.waits_until
                assert until is not None
                assert until <= now.at
                assert each.item not in self.taken

    def teardown(self) -> None:
        """The log of commands alone gives the same decisions."""
        again = Engine()
        for command, at, result in self.log:
            assert run(again, command, at) == result
        assert again.state() == self.engine.state()

    # -------------------------------------------------------- who and what there is

    @initialize(
        drawn=st.tuples(policies, policies, policies),
        most=limits,
        first=st.lists(specs, min_size=4, max_size=4, unique_by=lambda spec: spec.id),
    )
    def start(
        self,
        drawn: tuple[Drawn, ...],
        most: int | None,
        first: list[AgentSpec],
    ) -> None:
        self.configure(drawn, most)
        for spec in first:
            self.apply(AgentChanged(spec))
            self.apply(ConnectionChanged(spec.id, True))
            self.apply(PresenceSet(spec.id, Presence.available, "", spec.id))

    @precondition(lambda self: len(self.log) % 8 == 0)
    @rule(drawn=st.tuples(policies, policies, policies), most=limits)
    def configure(self, drawn: tuple[Drawn, ...], most: int | None) -> None:
        made = [make_queue(name, each) for name, each in zip(QUEUES, drawn, strict=True)]
        shared = () if most is None else (Limit(("q0", "q1"), most),)
        self.apply(ConfigurationChanged(tuple(made), limits=shared))

    @rule(queue=queues, teams=st.sampled_from([(), ("t1",), ("t1",), ("t0",)]))
    def let_in(self, queue: str, teams: tuple[str, ...]) -> None:
        self.apply(TeamsLetIn(queue, teams))

    @precondition(lambda self: len(self.log) % 8 == 0)
    @rule(gone=queues)
    def remove_queue(self, gone: str) -> None:
        left = tuple(queue for queue in self.engine.state().queues if queue.id != gone)
        self.apply(ConfigurationChanged(left))

    @rule(spec=specs)
    def change_agent(self, spec: AgentSpec) -> None:
        self.apply(AgentChanged(spec))

    @precondition(lambda self: len(self.log) % 8 == 0)
    @rule(agent=agents)
    def remove_agent(self, agent: str) -> None:
        self.apply(AgentRemoved(agent))

    @rule(
        agent=agents,
        presence=st.sampled_from(list(Presence)),
        reason=st.sampled_from(["", "lunch", TEXTS_ONLY]),
    )
    def set_presence(self, agent: str, presence: Presence, reason: str) -> None:
        self.apply(PresenceSet(agent, presence, reason, "sv"))

    @rule(agent=agents, reason=st.sampled_from(["", "lunch"]))
    def reserve_away(self, agent: str, reason: str) -> None:
        self.apply(AwayReserved(agent, reason))

    @rule(agent=agents)
    def take_away_back(self, agent: str) -> None:
        self.apply(AwayTakenBack(agent))

    @rule(agent=agents, on=st.booleans())
    def help_in_a_call(self, agent: str, on: bool) -> None:
        self.apply(Engaged(agent, on))

    @rule(agent=agents)
    def come(self, agent: str) -> None:
        self.apply(ConnectionChanged(agent, True))
        self.apply(PresenceSet(agent, Presence.available, "", agent))

    @rule(agent=agents, connected=st.booleans())
    def change_connection(self, agent: str, connected: bool) -> None:
        self.apply(ConnectionChanged(agent, connected))

    @rule(seconds=st.sampled_from([0.5, 5, 20, 60, 301, 600]))
    def pass_time(self, seconds: float) -> None:
        self.at += int(seconds * MICROS)
        self.apply(TimePassed())

    @rule()
    def pass_to_next(self) -> None:
        due = self.engine.next_due()
        self.at = max(self.at, due if due is not None else 0)
        self.apply(TimePassed())
        after = self.engine.next_due()
        assert after is None or after > self.at

    @precondition(lambda self: self.open)
    @rule(count=st.integers(1, 4))
    def accept_some(self, count: int) -> None:
        for offer in sorted(self.open)[:count]:
            self.apply(OfferAccepted(offer, self.offers[offer]))

    @rule()
    def restart(self) -> None:
        self.twin = Engine.restore(self.engine.state(), self.at)
        # Whoever restores an engine asks it at once what is due, as the service does.
        self.step(TimePassed())

    # -------------------------------------------------------- items

    @rule(
        queue=queues,
        channel=st.sampled_from(["chat", "sms", "email", "voice"]),
        weight=st.integers(1, 2),
        requires=st.none() | skills,
        priority=st.none() | st.integers(1, 2),
        preferred=st.none() | agents,
        preference=st.sampled_from(list(Preference)),
        earlier=st.integers(0, 60),
        draw=st.floats(0, 0.999),
    )
    def enqueue(
        self,
        queue: str,
        channel: str,
        weight: int,
        requires: dict[str, int] | None,
        priority: int | None,
        preferred: str | None,
        preference: Preference,
        earlier: int,
        draw: float,
    ) -> None:
        name = f"i{len(self.items)}"
        spec = ItemSpec(
            name, f"c{name}", queue, channel, self.at - earlier * MICROS, weight,
            channel == "voice", requires, priority, preferred, preference, draw=draw,
        )  # fmt: skip
        self.items.append(name)
        self.enqueued[name] = spec.enqueued_at
        self.apply(ItemEnqueued(spec))

    @rule(queue=queues, weights=st.lists(st.integers(1, 3), min_size=2, max_size=5))
    def burst(self, queue: str, weights: list[int]) -> None:
        for weight in weights:
            self.at += MICROS
            self.enqueue_one(queue, "chat", weight)

    def enqueue_one(self, queue: str, channel: str, weight: int) -> None:
        name = f"i{len(self.items)}"
        self.items.append(name)
        self.enqueued[name] = self.at
        spec = ItemSpec(name, f"c{name}", queue, channel, self.at, weight, draw=0.5)
        self.apply(ItemEnqueued(spec))

    @precondition(lambda self: any(item.owner for item in self.engine.state().items))
    @rule(count=st.integers(1, 3))
    def end_some(self, count: int) -> None:
        held = [item.spec.id for item in self.engine.state().items if item.owner]
        for name in held[:count]:
            self.apply(WorkEnded(name))

    def pick(self, number: int, *states: ItemState) -> str:
        """Mostly an unfinished item, if there is one in one of the states; at times any."""
        live = [
            item.spec.id
            for item in self.engine.state().items
            if number < 10 and (not states or item.state in states)
        ]
        names = live or self.items or ["i-none"]
        return names[number % len(names)]

    def pick_offer(self, number: int) -> tuple[str, str]:
        """Mostly a pending offer with its agent, at times a past one."""
        pending = sorted(self.open)
        if pending and number < 8:
            offer = pending[number % len(pending)]
        elif self.offers:
            offer = sorted(self.offers)[number % len(self.offers)]
        else:
            return "i0-1", AGENTS[0]
        return offer, self.offers[offer]

    @precondition(lambda self: self.offers)
    @rule(number=some)
    def accept(self, number: int) -> None:
        offer, agent = self.pick_offer(number)
        self.apply(OfferAccepted(offer, agent))

    @precondition(lambda self: self.open)
    @rule(number=st.integers(0, 8))
    def accept_pending(self, number: int) -> None:
        offer, agent = self.pick_offer(number)
        self.apply(OfferAccepted(offer, agent))

    @precondition(lambda self: self.offers)
    @rule(number=some, agent=agents)
    def accept_by_anybody(self, number: int, agent: str) -> None:
        self.apply(OfferAccepted(self.pick_offer(number)[0], agent))

    @precondition(lambda self: self.offers)
    @rule(number=some)
    def decline(self, number: int) -> None:
        offer, agent = self.pick_offer(number)
        self.apply(OfferDeclined(offer, agent, "busy"))

    @precondition(lambda self: self.items)
    @rule(number=some, why=st.sampled_from([ItemState.cancelled, ItemState.abandoned]))
    def cancel(self, number: int, why: ItemState) -> None:
        self.apply(ItemCancelled(self.pick(number), why))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def customer_writes(self, number: int) -> None:
        self.apply(CustomerWrote(self.pick(number, *HELD)))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def agent_replies(self, number: int) -> None:
        self.apply(AgentReplied(self.pick(number, *HELD)))

    @precondition(lambda self: self.items)
    @rule(number=some, own=st.booleans(), agent=agents)
    def wrap_up(self, number: int, own: bool, agent: str) -> None:
        item = self.engine.item(self.pick(number, *HELD))
        owner = item.owner if item is not None and own else None
        self.apply(WrapUpStarted(self.pick(number, *HELD), owner or agent))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def extend_wrap_up(self, number: int) -> None:
        self.apply(WrapUpExtended(self.pick(number, ItemState.wrap_up), 30))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def end(self, number: int) -> None:
        self.apply(WorkEnded(self.pick(number, *HELD)))

    @precondition(lambda self: self.items)
    @rule(number=some, queue=queues)
    def to_queue(self, number: int, queue: str) -> None:
        self.apply(TransferredToQueue(self.pick(number), queue, "sv", "wrong queue"))

    @precondition(lambda self: self.items)
    @rule(number=some, agent=agents)
    def to_agent(self, number: int, agent: str) -> None:
        self.apply(TransferredToAgent(self.pick(number, *HELD), agent, "sv", "knows it"))

    @precondition(lambda self: any(item.transfer for item in self.engine.state().items))
    @rule()
    def cancel_transfer(self) -> None:
        items = [item for item in self.engine.state().items if item.transfer]
        self.apply(TransferCancelled(items[0].spec.id))

    @precondition(lambda self: self.items)
    @rule(number=some, agent=agents, pull=st.booleans())
    def assign(self, number: int, agent: str, pull: bool) -> None:
        self.apply(Assigned(self.pick(number), agent, agent if pull else "sv"))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def requeue(self, number: int) -> None:
        self.apply(Requeued(self.pick(number, *HELD), "signed_out"))

    @precondition(lambda self: self.items)
    @rule(number=some, seconds=st.sampled_from([1.0, 30.0]))
    def park(self, number: int, seconds: float) -> None:
        item = self.pick(number, *HELD)
        facts = self.engine.item(item)
        owner = facts.owner if facts is not None else None
        self.apply(Parked(item, owner or AGENTS[0], seconds))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def hang_up(self, number: int) -> None:
        self.apply(CallEnded(self.pick(number)))

    @precondition(lambda self: self.items)
    @rule(number=some, priority=st.integers(1, 3))
    def prioritise(self, number: int, priority: int) -> None:
        self.apply(ItemPrioritised(self.pick(number), priority))

    @precondition(lambda self: len(self.items) > 1)
    @rule(number=some, place=st.integers(1, 5))
    def move(self, number: int, place: int) -> None:
        self.apply(ItemMoved(self.pick(number, ItemState.waiting), place))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def want_call(self, number: int) -> None:
        self.apply(CallbackAsked(self.pick(number)))

    @precondition(lambda self: self.items)
    @rule(number=some)
    def want_no_call(self, number: int) -> None:
        self.apply(CallbackCancelled(self.pick(number)))

    @precondition(lambda self: any(self.called()))
    @rule(number=some, what=st.sampled_from([CallbackReached, CallbackMissed, CallbackGivenUp]))
    def call(
        self,
        number: int,
        what: type[CallbackReached] | type[CallbackMissed] | type[CallbackGivenUp],
    ) -> None:
        several = self.called()
        item, owner = several[number % len(several)]
        self.apply(what(item, owner if number < 10 else AGENTS[0]))

    @precondition(lambda self: any(self.called()))
    @rule(number=some, seconds=st.sampled_from([0.0, 5.0, 60.0]))
    def call_in_vain(self, number: int, seconds: float) -> None:
        several = self.called()
        self.apply(CallbackMissed(*several[number % len(several)]))
        self.at += int(seconds * MICROS)
        self.apply(TimePassed())

    def called(self) -> list[tuple[str, str]]:
        """The items whose customers their agents are to call now, with these."""
        return [
            (item.spec.id, item.owner)
            for item in self.engine.state().items
            if item.owner is not None and item.callback is Callback.asked
        ]


def run(engine: Engine, command: Command, at: int) -> list[Decision] | str:
    try:
        return engine.apply(command, at)
    except Refused as refused:
        return refused.code if not refused.decisions else f"{refused.code} with decisions"


TestEngineMachine = EngineMachine.TestCase
# The same examples in each run, so that a red run is the change's doing; the long suite explores.
TestEngineMachine.settings = settings(
    max_examples=120,
    stateful_step_count=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_fresh_and_longer_walks() -> None:
    explore = settings(
        max_examples=1500,
        stateful_step_count=80,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(EngineMachine, settings=explore)
