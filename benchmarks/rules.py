"""What choosing a queue by rules costs one new contact, and how honest the budget is.

    .venv/bin/python benchmarks/rules.py [--rules 200] [--contacts 2000] [--agents 10000]

One choice asks every rule (none holds), by the hub's own code: facts are made, cut and asked. The
ratio is against the same contact without rules. ``step`` is the dearest of some expressions that
were built to be dear, in µs per step of the budget. ``agents_s`` is how long it takes to find out
whom 500 queues' conditions let in, once for each version of the configuration: everybody serves
five queues by a team; the same without conditions beside it. Prints JSON.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.support import percentile, pin, report
from madoguchi.configuration.catalog import Catalog, Entry
from madoguchi.configuration.facts import CONTACT
from madoguchi.configuration.kinds import Agent, Object, Queue, RoutingRule, Team
from madoguchi.conversations.choice import Contact, blank, choose
from madoguchi.model.channels import Account, Channel
from madoguchi.model.people import Address, Customer, Scheme
from router.configured import specs

NOW = datetime(2026, 11, 27, 3, tzinfo=UTC)
TOKYO = ZoneInfo("Asia/Tokyo")
SHAPES = (
    'channel == "sms" && product == "p{n}" && now.hour < 9',
    'customer.known && contract == "gold" && customer.id == "C-{n}"',
    'text.contains("ticket {n}") || address.startsWith("+81{n}")',
    'has(attributes.plan) && attributes.plan in ["a{n}", "b{n}"] && location.contains("Osaka")',
)
DEAR = (
    r'text.matches("([ab]{1,3}c){1,2}z")',
    r'text.matches("(.*a.*b.*c.*d.*e)z")',
    r'text.matches("(a|b)*a(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)z")',
    r'text.matches("返品|交換|返金|不良|破損|故障|修理|保証|return|refund")',
    "attributes.all(a, attributes.all(b, a == a && b == b))",
    "[1,2,3,4,5,6,7,8,9].map(x, text + text).size() < 0",
    'text.contains("abababababababababababababababababababababac")',
)


def company(rules: int) -> Catalog:
    """Return a queue and rules none of which holds."""
    objects: list[Object] = [Queue.model_validate({"key": "orders", "name": "Orders"})]
    for n in range(rules):
        when = SHAPES[n % len(SHAPES)].replace("{n}", str(n))
        body = {"key": f"r{n}", "name": "r", "order": n + 1, "queue": "orders", "when": when}
        objects.append(RoutingRule.model_validate(body))
    return Catalog(1, {(o.kind, o.key): Entry(o.key, 1, o) for o in objects})


def contact() -> Contact:
    """Return a contact as a widget's: a text, a page, some attributes."""
    account = Account("a", "shop", "web_chat", Channel.CHAT, "Shop", "orders")
    told = {"attributes": {"product": "kettle-9", "plan": "c"}, "page": {"url": "https://x/9"}}
    customer = Customer("c", "佐藤", "ja", NOW, attributes={"contract": "silver"})
    sender = Address(Scheme.VISITOR, "v" * 22)
    return Contact(
        account, sender, customer, "C-1", "注文した豆がまだ届きません。" * 4, context=told
    )


def timed(work: Callable[[], Any], times: int) -> list[float]:
    """Return µs of each run."""
    found = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        found.append((time.perf_counter() - began) * 1e6)
    return found


def dearest() -> dict[str, Any]:
    """Return the most µs that a step has taken, and of which expression."""
    worst = {"us": 0.0, "us_per_step": 0.0, "of": ""}
    for text in ("ab" * 500, "a" * 1000, "返品交" * 333):
        values = blank(NOW, TOKYO) | {
            "text": text,
            "attributes": {f"k{n}" + "x" * 190: "v" * 200 for n in range(40)},
        }
        facts = CONTACT.facts(values)
        for source in DEAR:
            expression = CONTACT.compile(source)
            us = min(timed(partial(expression.holds, facts), 5))
            if us / expression.steps > worst["us_per_step"]:
                worst = {"us": us, "us_per_step": us / expression.steps, "of": source}
    return worst


def center(agents: int, *, conditions: bool) -> Catalog:
    """Return 500 queues, 100 teams that serve five of them each, and agents in these."""
    objects: list[Object] = []
    for n in range(500):
        when = f"agent.site == 's{n % 10}' || agent.grade > {n % 5} && 'en' in agent.languages"
        queue = {"key": f"q{n}", "name": "q", "agents": when if conditions else ""}
        objects.append(Queue.model_validate(queue))
    for n in range(100):
        serves = [{"queue": f"q{5 * n + k}"} for k in range(5)]
        objects.append(Team.model_validate({"key": f"t{n}", "name": "t", "serves": serves}))
    for n in range(agents):
        like = {"site": f"s{n % 10}", "grade": n % 6, "languages": ["ja", "en"]}
        body = {"key": f"a{n}", "name": "a", "teams": [f"t{n % 100}"], "attributes": like}
        objects.append(Agent.model_validate(body))
    return Catalog(1, {(o.kind, o.key): Entry(o.key, 1, o) for o in objects})


def suiting_s(agents: int) -> dict[str, float]:
    """Return the seconds that it takes to tell the router who serves what."""
    found = {}
    for name, conditions in (("with", True), ("without", False)):
        catalog = center(agents, conditions=conditions)
        found[name] = timed(partial(specs, catalog), 1)[0] / 1e6
    return found


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser()
    options.add_argument("--rules", type=int, default=200)
    options.add_argument("--contacts", type=int, default=2000)
    options.add_argument("--agents", type=int, default=10_000)
    given = options.parse_args()
    pin(1)
    began = time.perf_counter()
    ruled, plain, one = company(given.rules), company(0), contact()
    compiled_ms = (time.perf_counter() - began) * 1e3
    assert choose(ruled, one, NOW, TOKYO).by == "account"
    with_rules = timed(lambda: choose(ruled, one, NOW, TOKYO), given.contacts)
    without = timed(lambda: choose(plain, one, NOW, TOKYO), given.contacts)
    median = percentile(with_rules, 0.5)
    report(
        "rules",
        {
            "rules": given.rules,
            "compile_all_ms": compiled_ms,
            "steps_at_most": sum(e.object.condition.steps for e in ruled.routing_rules),
            "choice_us": {"p50": median, "p99": percentile(with_rules, 0.99)},
            "without_rules_us": percentile(without, 0.5),
            "ratio": median / percentile(without, 0.5),
            "us_per_rule": median / given.rules,
            "dearest_step": dearest(),
            "agents_s": suiting_s(given.agents),
        },
    )


if __name__ == "__main__":
    main()
