"""How calls look to desks and to a customer's client."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select

from madoguchi.configuration.catalog import Catalog
from madoguchi.conversations.calls import repository
from madoguchi.conversations.calls.repository import Call, readers
from madoguchi.conversations.calls.tables import call
from madoguchi.live.views import View
from madoguchi.model import log
from madoguchi.model.calls import CallEvent, CallFacts, Leg, Mode, Party, hears
from madoguchi.model.channels import Channel
from madoguchi.model.ids import DOMAIN, Id
from madoguchi.model.people import Actor, Role
from madoguchi.store.work import Work

SCORE = "score"
"""The answer that customers give after a call."""

_TIMES = ("rang_at", "connected_at", "held_at", "ended_at")
_SIGNS = ("held", "muted", "video", "screen")


class CallViews:
    """Renderers of calls; ``web`` tells which accounts' customers call by their browser."""

    def __init__(self, catalog: Callable[[], Catalog], web: Callable[[Id], bool]) -> None:
        self._catalog = catalog
        self._web = web

    def _name(self, agent: Id | None) -> str:
        return self._catalog().agent_name(agent)

    def desk(self, ids: Sequence[str]) -> Work[dict[str, View]]:
        """Render calls for desks."""
        found = yield from repository.by_ids(ids)
        return {
            id: View(one.stored, readers(one, one.facts), self._body(one))
            for id, one in found.items()
        }

    def _body(self, one: Call) -> dict[str, Any]:
        facts = one.facts
        return {
            **_common(one, facts),
            "item": one.item,
            "queue": one.queue,
            "by": "web" if self._web(one.account) else "phone",
            "direction": facts.direction,
            "answers": list(facts.answers),
            "recording": facts.recording.value,
            "trouble": facts.trouble,
            "handed": facts.handed,
            "legs": [self._leg(leg) for leg in facts.legs.values()],
            "hears": hears(facts),
            "timeline": [self._told(event, facts) for event in one.events],
        }

    def brief(self, one: Call) -> dict[str, Any]:
        """Return a call as lists show it: who talked, with which number, how it ended."""
        facts = one.facts
        spoke = [leg for leg in facts.legs.values() if leg.agent and leg.connected_at]
        names = [self._name(leg.agent) for leg in spoke if leg.party is not Party.SUPERVISOR]
        addresses = [leg.address for leg in facts.legs.values() if leg.party is Party.CUSTOMER]
        return {
            **_common(one, facts),
            "queue": one.queue,
            "by": "web" if self._web(one.account) else "phone",
            "direction": facts.direction,
            "answers": list(facts.answers),
            "agents": list(dict.fromkeys(names)),
            "address": next(filter(None, addresses), ""),
        }

    def _leg(self, leg: Leg) -> dict[str, Any]:
        """Return a leg; its customer's name is the conversation's to tell."""
        return {
            "id": leg.id,
            "party": leg.party.value,
            "agent": leg.agent,
            "name": self._name(leg.agent) or leg.name,
            "address": leg.address,
            "state": leg.state.value,
            "mode": leg.mode.value if leg.mode else "",
            "why": leg.why,
            "dialled": leg.dialled,
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
            "recording": facts.recording.value,
            "agreed": facts.agreed,
            "survey": self._survey(one, facts),
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
            "hears": _of_customers(facts),
        }

    def _survey(self, one: Call, facts: CallFacts) -> dict[str, Any] | None:
        """Return what a customer is asked after a call that was answered; None: nothing more."""
        queue = self._catalog().queues.get(one.queue)
        asked = any(answer.get("name") == SCORE for answer in facts.answers)
        if queue is None or not facts.over or facts.answered_at is None or asked:
            return None
        survey = queue.object.survey
        if not survey.scale:
            return None
        words = {"text": survey.text, "text_en": survey.text_en}
        return {"from": survey.least, "to": survey.scale, **words}


def _of_customers(facts: CallFacts) -> list[tuple[str, str]]:
    """Return whom the customer hears, and who hears them: what their browser must know."""
    mine = {leg.id for leg in facts.legs.values() if leg.party is Party.CUSTOMER}
    return [pair for pair in hears(facts) if mine & set(pair)]


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


ASKED_FOR = timedelta(hours=1)
"""So long after a call its customer is asked how it was, however often the page is loaded anew."""


def of_thread(account: Id, thread: str, now: datetime) -> Work[list[str]]:
    """Return the calls of a customer's client that live, or have ended a little while ago."""
    rows = yield (
        select(call.c.id)
        .where(
            call.c.domain == DOMAIN,
            call.c.account == account,
            call.c.thread == thread,
            (call.c.state != "ended") | (call.c.ended_at > now - ASKED_FOR),
        )
        .order_by(call.c.began_at, call.c.id)
    )
    return [row.id for row in rows]


def for_client(ids: Sequence[str], shown: Mapping[str, View]) -> list[Mapping[str, Any]]:
    """Return what a customer's client is told of its calls: those that live come last, those that
    have ended only while something is asked about them.
    """
    bodies = [shown[id].body for id in ids if id in shown]
    asked = [one for one in bodies if one["state"] == "ended" and one["survey"] is not None]
    return [*asked, *(one for one in bodies if one["state"] != "ended")]
