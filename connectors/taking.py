"""Whether a telephone call is recorded at its provider now, and what is asked for that. Pure.

Recorded is what is said while customers talk with somebody: not the music in the line, nor what
somebody says who believes that nobody hears them on hold.
"""

from collections.abc import Mapping

from connectors.base import Take
from madoguchi.conversations.calls.repository import Call
from madoguchi.model.calls import CallFacts, CallState, Happened, Leg, Party, Recording

ASKED: Mapping[tuple[Take, Take], str] = {
    ("off", "on"): "record",
    ("paused", "on"): "record again",
    ("on", "paused"): "pause",
    ("on", "off"): "stop",
    ("paused", "off"): "stop",
}
"""Before and after → what is asked; nothing is paused that has not begun."""


def wanted(facts: CallFacts) -> Take:
    """Return whether a call is to be recorded now."""
    if facts.over or facts.recording is Recording.OFF:
        return "off"
    heard = any(leg.there and not leg.held for leg in facts.of(Party.CUSTOMER))
    talks = facts.state is CallState.TALKING and heard
    return "on" if talks and facts.recording is Recording.ON else "paused"


def known(call: Call, done: Take | None, *, unsure: bool) -> Take:
    """Return what the provider does as far as is known; who is ``unsure`` asks for all."""
    if done is not None:
        return done
    ever = any(one.kind is Happened.RECORDING for one in call.events)
    if not (unsure and ever):
        return "off"
    return "paused" if wanted(call.facts) == "on" else "on"


def unheard(facts: CallFacts) -> bool:
    """Tell whether the customer does not know yet that they are recorded."""
    return not facts.told and not facts.agreed


def customer(facts: CallFacts) -> Leg | None:
    """Return the customer's leg, even one that has left."""
    return next((leg for leg in facts.legs.values() if leg.party is Party.CUSTOMER), None)
