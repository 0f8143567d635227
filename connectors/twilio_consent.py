"""What callers are told, or asked, of the recording of their call before they wait. Pure."""

from collections.abc import Iterator

from madoguchi.configuration.queue_parts import Recording
from madoguchi.flows.hearing import digits
from madoguchi.flows.turns import (
    Decision,
    Enqueue,
    Gather,
    Heard,
    Instruction,
    Language,
    Say,
    State,
    Turn,
)
from madoguchi.flows.words import words

CONSENT = "consent"
"""The stage in which a caller is asked."""

YES = "1"
TIMEOUT_S = 8


def informed(turn: Turn, policy: Recording | None) -> Turn:
    """Return the turn that comes before a caller's wait: they hear that they are recorded, or are
    asked whether they may be.
    """
    queued = turn.decision is not None and turn.decision.kind == "queue"
    if policy is None or not queued or policy.when == "never":
        return turn
    language, before = turn.state.language, turn.instructions[:-1]
    if policy.when == "always":
        told = Say(text=text_of(policy, language), language=language)
        return turn.model_copy(update={"instructions": (*before, told, Enqueue()), "told": True})
    asks: tuple[Instruction, ...] = (*before, _question(policy, language))
    state = turn.state.model_copy(update={"stage": CONSENT})
    return turn.model_copy(update={"instructions": asks, "state": state, "decision": None})


def answered(state: State, input: Heard, decision: Decision | None) -> Turn:
    """Return the turn in which a caller begins to wait who was asked; ``decision``: where."""
    waits = decision if decision is not None and decision.kind == "queue" else None
    after = state.model_copy(update={"stage": "", "asked": state.asked + 1})
    return Turn(
        instructions=(Enqueue(),),
        state=after,
        decision=waits or Decision(kind="queue"),
        agreed=digits(input) == YES,
    )


def text_of(policy: Recording, language: Language) -> str:
    """Return the words that tell of the recording: the queue's own, or ours."""
    own = policy.text_en if language == "en" else policy.text
    return own or words(language)["mayRecord" if policy.when == "agreed" else "recorded"]


def _question(policy: Recording, language: Language) -> Gather:
    def prompts() -> Iterator[Say]:
        yield Say(text=text_of(policy, language), language=language)
        yield Say(text=words(language)["agree"], language=language)

    return Gather(prompts=tuple(prompts()), timeout_s=TIMEOUT_S, language=language)
