"""A made-up center in full swing: every policy of the router is in use in some of its queues."""

from __future__ import annotations

import random
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent.parent))

from madoguchi.model.routing import (
    Ageing,
    AgentChanged,
    AgentChoice,
    AgentSpec,
    ConfigurationChanged,
    ConnectionChanged,
    Decision,
    IdleSince,
    ItemAssigned,
    ItemEnqueued,
    ItemSpec,
    OfferAccepted,
    Offered,
    Overflow,
    Preference,
    Presence,
    PresenceSet,
    QueuePolicy,
    Reserve,
    Ring,
    TimePassed,
)
from router.engine.engine import Engine

SKILLS = ["ja", "en", "billing", "returns", "vip"]
CHANNELS = ["chat", "chat", "sms", "email", "email", "voice"]
SERVED = 8
EVERY_US = 10_000
"""A contact comes each 10 ms: 10,000 agents with some four works each then have 400 s a work."""


def policy(number: int, queues: int) -> QueuePolicy:
    """Return a queue; together they use every policy, each some of them."""
    choices, idles = list(AgentChoice), list(IdleSince)
    orders = [Ageing(), Ageing(3, 60), Ageing(1, -120)]
    skill = SKILLS[number % len(SKILLS)]
    rings = (
        Ring(30, relax={skill: 1}),
        Ring(90, add_teams=(f"t{number // 5}",), priority=1 + number % 2),
    )
    further = f"q{(number + 1) % queues:03}"
    return QueuePolicy(
        f"q{number:03}",
        f"Q{number}",
        requires={skill: 1 + number % 3},
        priority=1 + number % 3,
        ageing=orders[number % len(orders)],
        agent_choice=choices[number % len(choices)],
        idle_since=idles[number // 3 % len(idles)],
        rings=rings if number % 2 else (),
        overflow=(Overflow(600, further),) if number % 5 == 1 else (),
        team_order=((f"t{number // 5}",),) if number % 11 == 0 else (),
        weights={"chat": 2} if number % 4 == 0 else {},
        prefers={SKILLS[(number + 1) % len(SKILLS)]: 4} if number % 7 == 0 else {},
        offer_to=2 if number % 10 == 3 else 1,
        auto_accept=number % 10 == 7,
        preferred_wait_s=20 if number % 3 == 0 else 0,
        delays_s=(15,) if number % 6 == 0 else (),
        last_level=2,
        wrap_up=number % 2 == 0,
        max_waiting=100_000,
        max_wait_s=7_200 if number % 2 else 0,
    )


@dataclass
class Center:
    """Its queues and agents, and the contacts as they come; the same for the same seed."""

    agents_wanted: int
    queues_wanted: int
    seed: int = 7
    at: int = 1_700_000_000_000_000
    made: int = 0
    queues: list[QueuePolicy] = field(init=False)
    agents: list[AgentSpec] = field(init=False)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)
        self.queues = [policy(n, self.queues_wanted) for n in range(self.queues_wanted)]
        self.agents = [self.agent(n) for n in range(self.agents_wanted)]

    def agent(self, number: int) -> AgentSpec:
        """Return the agent, who serves eight queues and is in a team of about a hundred."""
        draw = self.draw
        served = draw.sample(self.queues, min(SERVED, len(self.queues)))
        team = f"t{number % max(1, self.agents_wanted // 100)}"
        reserves = number % 20 == 0
        return AgentSpec(
            f"a{number:05}",
            number,
            {skill: draw.randint(2, 5) for skill in SKILLS},
            {queue.id: draw.randint(1, 2) for queue in served},
            units=3 + number % 3,
            per_channel={"chat": 3} if number % 3 == 0 else {},
            teams=(team,),
            keep_free={served[0].id: Reserve(team, 2)} if reserves else {},
            delays_s={queue.id: 15 for queue in served[:2] if queue.delays_s},
            share=1 + number % 2,
            interrupts={"voice": ("email",)} if number % 10 == 0 else {},
        )

    def item(self) -> ItemSpec:
        """Return the next contact, a moment after the last."""
        self.made += 1
        self.at += EVERY_US
        draw = self.draw
        channel = draw.choice(CHANNELS)
        named = draw.random() < 0.1
        return ItemSpec(
            f"i{self.made:09}",
            f"c{self.made}",
            draw.choice(self.queues).id,
            channel,
            self.at,
            exclusive=channel == "voice",
            preferred=draw.choice(self.agents).id if named else None,
            preference=Preference.same_customer,
            priority=1 if draw.random() < 0.02 else None,
        )


def fill(center: Center, engine: Engine, waiting: int) -> list[str]:
    """Let everybody come and be busy, then `waiting` items wait; return the assigned items."""
    engine.apply(ConfigurationChanged(tuple(center.queues)), center.at)
    for spec in center.agents:
        engine.apply(AgentChanged(spec), center.at)
        engine.apply(PresenceSet(spec.id, Presence.available), center.at)
        engine.apply(ConnectionChanged(spec.id, True), center.at)
    assigned: list[str] = []
    come = 0
    while come - len(assigned) < waiting:
        come += 1
        decisions = engine.apply(ItemEnqueued(center.item()), center.at)
        assigned += _taken(decisions)
        for offered in offers(decisions):
            if engine.offer(offered.offer) is not None:
                answer = OfferAccepted(offered.offer, offered.agent)
                assigned += _taken(engine.apply(answer, center.at))
    while (due := engine.next_due()) is not None and due <= center.at:
        engine.apply(TimePassed(), center.at)
    return assigned


def offers(decisions: list[Decision]) -> list[Offered]:
    """Return the offers among some decisions."""
    return [one for one in decisions if isinstance(one, Offered)]


def _taken(decisions: list[Decision]) -> list[str]:
    return [one.item for one in decisions if isinstance(one, ItemAssigned)]
