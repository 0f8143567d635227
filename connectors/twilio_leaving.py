"""Callers who leave their conference and are still on the line: by a key, or as the talk ended.

Who waits may ask to be called back and keeps their place; who pressed the key while they talked
goes straight back; who was served is asked how it was.

Sources: twilio.com/docs/voice/twiml/dial (action, hangupOnStar).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from connectors import twilio_speech as speech
from connectors.base import Ports
from connectors.twilio_places import id_of, sid_of, state_of
from connectors.twilio_told import STAR
from madoguchi.configuration.kinds import Flow
from madoguchi.configuration.queue_parts import Survey
from madoguchi.conversations.calls.repository import Call
from madoguchi.flows.hearing import number_said
from madoguchi.flows.interpreter import FlowFacts, resumed
from madoguchi.flows.turns import Enqueue, Heard, Language, State, Turn
from madoguchi.flows.words import words
from madoguchi.model.calls import CallState, Party
from madoguchi.model.ids import Id

ON_THE_LINE = "in-progress"
TRIES = 2

_FLOW = Flow.model_validate(
    {
        "key": "star",
        "name": "star",
        "start": "callback",
        "steps": {
            "callback": {"do": "callback", "otherwise": "back"},
            "back": {"do": "queue"},
        },
    }
)


def flow_of(state: State) -> Flow | None:
    """Return the flow of who has left the line; None: they are in another one."""
    return _FLOW if state.flow == STAR else None


def offers_callbacks(ports: Ports) -> bool:
    """Tell whether any queue offers its callers a call instead of waiting."""
    queues = ports.catalog().queues.values()
    return any(one.object.callback.after is not None for one in queues)


Document = Callable[[Turn, str, str, Id], str]
"""Return the TwiML of a turn, of a caller's CallSid and number, and the call's id."""


@dataclass(frozen=True)
class Leaving:
    """The line of one account, and who leaves it."""

    ports: Ports
    hook_url: str
    voices: speech.Voices
    document: Document

    async def left(
        self, form: Mapping[str, str], query: Mapping[str, str], facts: FlowFacts
    ) -> str | None:
        """Return what somebody hears who has left their conference; None: they have hung up."""
        state, id, sid = state_of(query.get("state", "")), id_of(query), sid_of(form)
        if form.get("CallStatus") != ON_THE_LINE:
            return None
        call = await self.ports.call(id)
        if call is not None and call.facts.over:
            return self._after(call, state.language)
        if call is not None and any(leg.held for leg in call.facts.of(Party.CUSTOMER)):
            place = urlencode({"state": query.get("state", ""), "id": id})
            return speech.aside(f"{self.hook_url}/left?{place}")
        again = state.model_copy(update={"rounds": state.rounds + 1})
        if call is None or not self._may_ask(call):
            return self.document(
                Turn(instructions=(Enqueue(),), state=again), sid, facts.number, id
            )
        asks = {"flow": STAR, "step": _FLOW.start, "stage": "", "tries": 0}
        turn = resumed(_FLOW, again.model_copy(update=asks), facts)
        return self.document(turn, sid, facts.number, id)

    def _may_ask(self, call: Call) -> bool:
        """Tell whether a caller waits for anybody, in a queue that offers a call instead."""
        queue = self.ports.catalog().queues.get(call.queue)
        waits = call.facts.state is CallState.WAITING and not call.facts.of(Party.AGENT)
        return waits and queue is not None and queue.object.callback.after is not None

    def _after(self, call: Call, language: Language) -> str:
        """Return what a caller hears after a call: the queue's question, or nothing more."""
        queue = self.ports.catalog().queues.get(call.queue)
        survey = queue.object.survey if queue is not None else Survey()
        if not survey.scale or call.facts.answered_at is None:
            return speech.hung_up()
        range = {"least": str(survey.least), "most": str(survey.scale)}
        own = survey.text_en if language == "en" else survey.text
        asks = own or words(language)["survey"]
        how = words(language)["scale"].format(**range)
        return self._asked(f"{asks} {how}", {**range, "language": language}, call.id, 0)

    def _asked(self, text: str, range: Mapping[str, str], id: Id, tries: int) -> str:
        url = f"{self.hook_url}/score?{urlencode({**range, 'tries': tries, 'id': id})}"
        most, language = int(range["most"]), range["language"]
        return speech.survey(url, text, most, language, self.voices)

    def asked_again(self, form: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        """Return the question once more to who has not answered it; None: they have, or have not a
        second time.
        """
        tries = int(query["tries"]) if query.get("tries") in {"0", "1"} else TRIES
        answered = score(form, query) is not None
        if answered or tries + 1 >= TRIES or form.get("CallStatus") != ON_THE_LINE:
            return None
        range = {name: query.get(name, "") for name in ("least", "most", "language")}
        how = words(range["language"])["scale"].format(**range)
        return self._asked(how, range, id_of(query), tries + 1)

    def thanked(self, language: str) -> str:
        """Return the last words to who was asked how it was."""
        return speech.last_words(words(language)["thanks"], language, self.voices)


def score(form: Mapping[str, str], query: Mapping[str, str]) -> int | None:
    """Return the answer to a survey, by keys or spoken; None for none that counts."""
    input = Heard(digits=form.get("Digits", "")[:8], speech=form.get("SpeechResult", "")[:200])
    said = number_said(input)
    least, most = (query.get(name, "") for name in ("least", "most"))
    if said is None or not (least.isdecimal() and most.isdecimal()):
        return None
    return said if int(least[:3]) <= said <= int(most[:3]) else None
