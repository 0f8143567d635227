"""Going through a call's flow: pure, from one input to the next.

Every call comes to a decision: a check refuses ways round that wait for nobody (:mod:`.flow_check`
of the configuration), and after :data:`ASKED` inputs the caller waits for an agent.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from madoguchi.configuration import flow_parts as parts
from madoguchi.configuration.facts import ATTRIBUTE, FLOW
from madoguchi.configuration.kinds import Flow
from madoguchi.expressions.cel import Unanswered
from madoguchi.flows.hearing import chosen, digits
from madoguchi.flows.turns import (
    Answer,
    Decision,
    Enqueue,
    Gather,
    HangUp,
    Heard,
    Instruction,
    Language,
    Lookup,
    Play,
    Prompt,
    Record,
    Say,
    State,
    Turn,
)
from madoguchi.flows.words import words
from unified_profile.identity import Called, called

ASKED = 50
"""Inputs of one call; whoever is still in the flow then is handed to an agent."""

LANGUAGE = "language"
CONFIRM, OTHER = "confirm", "other"
NUMBER_KEYS = 16


def _closed(_: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class FlowFacts:
    """What is known of a call: the facts of routing rules (:data:`.facts.CONTACT`), whether a
    queue is open now, the caller's number in E.164 or "" where it is withheld.
    """

    contact: Mapping[str, Any]
    number: str = ""
    open: Callable[[str], bool] = field(default=_closed)


def begin(flow: Flow, facts: FlowFacts, language: Language | None = None) -> Turn:
    """Return what a new caller hears."""
    state = State(flow=flow.key, step=flow.start, language=language or flow.language)
    return _Talk(flow, state, facts).run()


def heard(flow: Flow, state: State, input: Heard, facts: FlowFacts) -> Turn:
    """Return what follows an input; any text is taken as one. A step that is not there any more
    hands the caller to an agent.
    """
    state = state.model_copy(update={"asked": state.asked + 1})
    talk = _Talk(flow, state, facts)
    step = flow.steps.get(state.step)
    if step is None or state.asked > ASKED:
        return talk.hand_on()
    take = _TAKES.get(step.do)
    return (take(talk, step, input) if take else None) or talk.run()


def resumed(flow: Flow, state: State, facts: FlowFacts) -> Turn:
    """Return what a caller is told again where they are."""
    return _Talk(flow, state, facts).run()


class _Talk:
    """One turn in the making."""

    def __init__(self, flow: Flow, state: State, facts: FlowFacts) -> None:
        self.flow = flow
        self.state = state
        self.facts = facts
        self.said: list[Instruction] = []

    def run(self) -> Turn:
        """Go from step to step up to the first that waits or ends."""
        for _ in range(len(self.flow.steps) + 1):
            step = self.flow.steps.get(self.state.step)
            turn = _ENTERS[step.do](self, step) if step else self.hand_on()
            if turn is not None:
                return turn
        return self.hand_on()

    def go(self, step: str) -> None:
        self.state = self.state.model_copy(update={"step": step, "stage": "", "tries": 0})

    def keep(self, name: str, value: str) -> None:
        """Keep an answer; at most as many as conditions are told."""
        one = Answer(step=self.state.step, name=name, value=value[:ATTRIBUTE])
        rest = tuple(each for each in self.state.answers if each.name != name)
        update: dict[str, Any] = {"answers": (*rest, one)[-parts.ANSWERS :]}
        if name == LANGUAGE and value in {"ja", "en"}:
            update[LANGUAGE] = value
        self.state = self.state.model_copy(update=update)

    def turn(self, *instructions: Instruction, decision: Decision | None = None) -> Turn:
        return Turn(instructions=(*self.said, *instructions), state=self.state, decision=decision)

    def hand_on(self) -> Turn:
        """Let the caller wait for an agent in the queue that the rules choose."""
        return self.turn(Enqueue(), decision=Decision(kind="queue"))

    def words(self, step: parts.Step, both: bool = False) -> Iterator[Prompt]:
        """Return what a step says to this caller, or to callers of both languages."""
        english = bool(step.text_en) and self.state.language == "en"
        if step.play and not english:
            yield Play(file=step.play)
        elif step.text and not english:
            yield Say(text=step.text, language=self.flow.language)
        if step.text_en and (both or english):
            yield Say(text=step.text_en, language="en")

    def own(self, key: str, **slots: str) -> Say:
        """Return some of our own words."""
        language = self.state.language
        return Say(text=words(language)[key].format(**slots), language=language)

    def again(self, step: parts.Asking) -> Turn | None:
        """Ask once more, or go on without an answer."""
        tries = self.state.tries + 1
        if tries >= step.tries:
            self.go(step.otherwise)
        else:
            self.state = self.state.model_copy(update={"tries": tries})
        return None

    def gather(self, step: parts.Asking, prompts: Iterator[Prompt], **how: Any) -> Turn:
        return self.turn(
            Gather(
                prompts=tuple(prompts),
                timeout_s=step.timeout_s,
                language=self.state.language,
                **how,
            )
        )


def _enter_say(talk: _Talk, step: parts.SayStep) -> None:
    talk.said += talk.words(step)
    talk.go(step.next)


def _enter_menu(talk: _Talk, step: parts.MenuStep) -> Turn:
    both = step.name == LANGUAGE
    phrases = tuple(phrase for choice in step.choices for phrase in choice.phrases)
    return talk.gather(step, talk.words(step, both), speech=bool(phrases), phrases=phrases)


def _take_menu(talk: _Talk, step: parts.MenuStep, input: Heard) -> Turn | None:
    choice = chosen(step.choices, input)
    if choice is None:
        return talk.again(step)
    if step.name:
        talk.keep(step.name, choice.value or choice.key)
    talk.go(choice.to)
    return None


def _enter_ask(talk: _Talk, step: parts.AskStep) -> Turn:
    return talk.gather(step, talk.words(step), most=step.most, speech=step.input == "speech")


def _take_ask(talk: _Talk, step: parts.AskStep, input: Heard) -> Turn | None:
    if step.input == "speech":
        given, fits = input.speech.strip(), bool(input.speech.strip())
    else:
        given = digits(input)
        fits = step.least <= len(given) <= step.most
    if not fits:
        return talk.again(step)
    talk.keep(step.name, given)
    talk.go(step.next)
    return None


def _enter_branch(talk: _Talk, step: parts.BranchStep) -> None:
    holds = (case.to for case in step.cases if _holds(talk, case))
    talk.go(next(holds, step.otherwise))


def _holds(talk: _Talk, case: parts.Case) -> bool:
    if case.open or case.closed:
        return talk.facts.open(case.open or case.closed) == bool(case.open)
    answers = {one.name: one.value for one in talk.state.answers}
    facts = FLOW.facts({**talk.facts.contact, LANGUAGE: talk.state.language, "answers": answers})
    try:
        return FLOW.compile(case.when).holds(facts)
    except Unanswered:
        return False


def _enter_queue(talk: _Talk, step: parts.QueueStep) -> Turn:
    talk.said += talk.words(step)
    decision = Decision(kind="queue", queue=step.queue, priority=step.priority)
    return talk.turn(Enqueue(), decision=decision)


def _enter_callback(talk: _Talk, step: parts.CallbackStep) -> Turn:
    known = called(talk.facts.number) if talk.facts.number else None
    stage = talk.state.stage or (CONFIRM if known else OTHER)
    talk.state = talk.state.model_copy(update={"stage": stage})
    prompts = list(talk.words(step)) if talk.state.tries == 0 else []
    if stage == CONFIRM and known:
        prompts.append(talk.own("confirm", number=_spoken(known)))
        return talk.gather(step, iter(prompts))
    prompts.append(talk.own("number"))
    return talk.gather(step, iter(prompts), most=NUMBER_KEYS)


def _take_callback(talk: _Talk, step: parts.CallbackStep, input: Heard) -> Turn | None:
    given = digits(input)
    if talk.state.stage == CONFIRM and given == "2":
        talk.state = talk.state.model_copy(update={"stage": OTHER, "tries": 0})
        return None
    number = called(given)
    if talk.state.stage == CONFIRM:
        number = called(talk.facts.number) if given == "1" else None
    if number is None:
        return talk.again(step)
    decision = Decision(kind="callback", queue=step.queue, number=number.number)
    said = talk.own("noted", number=_spoken(number))
    return talk.turn(said, HangUp(), decision=decision)


def _spoken(number: Called) -> str:
    """Return a number as voices read it digit by digit."""
    return " ".join(each for each in number.shown if each.isalnum() or each == "+")


def _enter_voicemail(talk: _Talk, step: parts.VoicemailStep) -> Turn:
    talk.said += talk.words(step)
    return talk.turn(
        Record(most_s=step.most_s), decision=Decision(kind="voicemail", queue=step.queue)
    )


def _enter_message(talk: _Talk, step: parts.MessageStep) -> Turn | None:
    number = called(talk.facts.number) if talk.facts.number else None
    if number is None:
        talk.go(step.otherwise)
        return None
    talk.said += talk.words(step)
    english = talk.state.language == "en" and step.sms_en
    decision = Decision(
        kind="message", number=number.number, text=step.sms_en if english else step.sms
    )
    return talk.turn(HangUp(), decision=decision)


def _enter_lookup(talk: _Talk, step: parts.LookupStep) -> Turn | None:
    talk.said += talk.words(step)
    url = step.url.replace("{number}", quote(talk.facts.number, safe=""))
    for one in talk.state.answers:
        url = url.replace(f"{{{one.name}}}", quote(one.value, safe=""))
    if _climbs(url):
        talk.go(step.otherwise)
        return None
    return talk.turn(Lookup(url=url, timeout_s=step.timeout_s, keep=dict(step.keep)))


def _climbs(url: str) -> bool:
    """Tell whether an address leads up its path, as it would by a part that is two dots: whoever
    takes a quoted stroke for one sees it, too.
    """
    path = unquote(urlsplit(url).path).replace("\\", "/")
    return any(part in {".", ".."} for part in path.split("/"))


def _take_lookup(talk: _Talk, step: parts.LookupStep, input: Heard) -> None:
    found = input.found
    for name in step.keep if found else ():
        talk.keep(name, (found or {}).get(name, ""))
    talk.go(step.otherwise if found is None else step.next)


def _enter_hang_up(talk: _Talk, step: parts.HangUpStep) -> Turn:
    talk.said += talk.words(step)
    return talk.turn(HangUp(), decision=Decision(kind="hang_up"))


def _take_voicemail(talk: _Talk, step: parts.VoicemailStep, input: Heard) -> Turn:
    decision = Decision(kind="voicemail", queue=step.queue)
    return talk.turn(talk.own("left"), HangUp(), decision=decision)


_ENTERS: Mapping[str, Callable[[_Talk, Any], Turn | None]] = {
    "say": _enter_say,
    "menu": _enter_menu,
    "ask": _enter_ask,
    "branch": _enter_branch,
    "queue": _enter_queue,
    "callback": _enter_callback,
    "voicemail": _enter_voicemail,
    "message": _enter_message,
    "lookup": _enter_lookup,
    "hang_up": _enter_hang_up,
}
_TAKES: Mapping[str, Callable[[_Talk, Any, Heard], Turn | None]] = {
    "menu": _take_menu,
    "ask": _take_ask,
    "callback": _take_callback,
    "lookup": _take_lookup,
    "voicemail": _take_voicemail,
}
