"""How calls look to desks and to a customer's client."""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select

from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call, readers
from madoguchi.conversations.calls.tables import call
from madoguchi.conversations.tables import conversation
from madoguchi.live.views import View
from madoguchi.model import log
from madoguchi.model.calls import CallEvent, CallFacts, Leg, Mode, Party, hears
from madoguchi.model.channels import Channel
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import Actor, Role
from madoguchi.store.hot import Listed, among
from madoguchi.store.work import Work
from unified_profile.tables import customer, customer_of

_CUSTOMERS = Listed(
    lambda ids: (
        select(conversation.c.id, customer.c.name, conversation.c.number)
        .join(customer_of, customer_of.c.identity == conversation.c.identity)
        .join(customer, customer.c.id == customer_of.c.customer)
        .where(among(conversation.c.id, ids))
    ),
    conversation.c.id,
)
_TIMES = ("rang_at", "connected_at", "held_at", "ended_at")
_SIGNS = ("held", "muted", "video", "screen")


class CallViews:
    """Renderers of calls; they know agents' names, and which accounts' customers call by their
    browser, by ports.
    """

    def __init__(self, agent_name: Callable[[Id | None], str], web: Callable[[Id], bool]) -> None:
        self._name = agent_name
        self._web = web

    def desk(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render calls for desks."""
        found = yield from repository.by_ids(ids)
        if not found:
            return {}
        rows = yield _CUSTOMERS(sorted({one.conversation for one in found.values()}))
        names = {row.id: (row.name, row.number) for row in rows}
        return {
            id: View(
                one.stored,
                readers(one, one.facts),
                self._body(one, *names.get(one.conversation, ("", 0))),
            )
            for id, one in found.items()
        }

    def _body(self, one: Call, customer_name: str, number: int) -> dict[str, Any]:
        facts = one.facts
        return {
            **_common(one, facts),
            "item": one.item,
            "queue": one.queue,
            "number": number,
            "customer_name": customer_name,
            "by": "web" if self._web(one.account) else "phone",
            "direction": facts.direction,
            "answers": list(facts.answers),
            "recording": facts.recording.value,
            "legs": [self._leg(leg, customer_name) for leg in facts.legs.values()],
            "hears": hears(facts),
            "timeline": [self._told(event, facts) for event in one.events],
        }

    def _leg(self, leg: Leg, customer_name: str) -> dict[str, Any]:
        called = customer_name if leg.party is Party.CUSTOMER else self._name(leg.agent)
        return {
            "id": leg.id,
            "party": leg.party.value,
            "agent": leg.agent,
            "name": called or leg.name or leg.address,
            "address": leg.address,
            "state": leg.state.value,
            "mode": leg.mode.value if leg.mode else "",
            "why": leg.why,
            "held_s": leg.held_for.total_seconds(),
            **{name: getattr(leg, name) for name in (*_SIGNS, *_TIMES)},
        }

    def _told(self, event: CallEvent, facts: CallFacts) -> dict[str, Any]:
        leg = facts.legs.get(event.leg)
        return {
            "at": event.at,
            "kind": event.kind.value,
            "leg": event.leg,
            "by_name": self._name(leg.agent) if leg else "",
            "data": dict(event.data),
        }

    def visitor(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render calls for the clients of their customers."""
        found = yield from repository.by_ids(ids)
        return {
            id: View(
                one.stored, frozenset({log.visitor(one.account, one.thread)}), self._shown(one)
            )
            for id, one in found.items()
        }

    def _shown(self, one: Call) -> dict[str, Any]:
        """Return what a customer sees: nobody who only listens or helps."""
        facts = one.facts
        return {
            **_common(one, facts),
            "legs": [
                {
                    "id": leg.id,
                    "party": leg.party.value,
                    "name": self._name(leg.agent),
                    "state": leg.state.value,
                    "connected_at": leg.connected_at,
                    **{name: getattr(leg, name) for name in _SIGNS},
                }
                for leg in facts.legs.values()
                if leg.party is not Party.SUPERVISOR or leg.mode is Mode.BARGE
            ],
            "hears": hears(facts),
        }


def _common(one: Call, facts: CallFacts) -> dict[str, Any]:
    return {
        "id": one.id,
        "version": one.stored,
        "conversation": one.conversation,
        "channel": one.channel.value,
        "media": "video" if one.channel is Channel.VIDEO else "voice",
        "state": facts.state.value,
        "why": facts.why,
        "began_at": facts.began_at or one.began_at,
        "answered_at": facts.answered_at,
        "ended_at": facts.ended_at,
    }


def snapshot_calls(actor: Actor) -> Work[list[str]]:
    """Return the live calls that an actor takes part in; a supervisor's are all."""
    ids = yield from repository.live()
    if actor.has(Role.SUPERVISOR):
        return ids
    found = yield from repository.by_ids(ids)
    return [id for id, one in found.items() if one.facts.leg_of(actor.id) is not None]


def of_thread(account: Id, thread: str) -> Work[list[str]]:
    """Return the live calls of a customer's client."""
    rows = yield select(call.c.id).where(
        call.c.domain == DOMAIN,
        call.c.account == account,
        call.c.thread == thread,
        call.c.state != "ended",
    )
    return [row.id for row in rows]


def of_conversations(ids: Sequence[Id]) -> Work[list[str]]:
    """Return all calls of some conversations, for their timelines."""
    if not ids:
        return []
    rows = yield select(call.c.id).where(call.c.conversation.in_(sorted(ids)))
    return [row.id for row in rows]
