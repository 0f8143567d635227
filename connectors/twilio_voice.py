"""Calls by Twilio: signed webhooks in, TwiML out, controls by the official SDK.

A caller goes through the account's flow; each turn is decided from what the webhook's address
carries and the configuration at hand, stored with the event, and told from what is stored. Whoever
waits is alone in a conference that bears the call's id; agents join it by their browsers.

Sources: twilio.com/docs/voice/twiml, /docs/voice/sdks/javascript, /docs/usage/security.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from multidict import MultiDict

from connectors import twilio_consent as consent
from connectors import twilio_speech as speech
from connectors.base import Connector, HookRequest, Ports, Refused
from connectors.lookups import Lookups
from connectors.twilio_api import SID, check_signature, downloaded, parsed
from connectors.twilio_controls import TwilioControls, TwilioVoiceSettings, conference_url
from connectors.twilio_leaving import Leaving, flow_of, offers_callbacks, score
from connectors.twilio_places import (
    STATE_LIMIT,
    id_of,
    packed,
    sid_of,
    state_of,
    turn_name,
    xml,
)
from connectors.twilio_texts import Texts, receipt, told_of
from connectors.twilio_told import Told, caller, meaning, number_of
from madoguchi.configuration.queue_parts import Recording
from madoguchi.conversations.choice import blank
from madoguchi.flows.interpreter import LANGUAGE, FlowFacts, begin, heard, resumed
from madoguchi.flows.turns import Decision, Enqueue, Heard, Language, Lookup, State, Turn
from madoguchi.model.channels import Account, Capabilities, Channel
from madoguchi.model.ids import Id, is_id
from madoguchi.model.inbound import Inbound, Outbound, ProviderEvent, Receipt, Rejected
from unified_profile.identity import clean

POLLS = frozenset(str(n) for n in range(20))
"""How often a caller is asked to wait for a look-up, a second each time; more than any lasts."""

ONCE = (
    "CallSid",
    "AccountSid",
    "From",
    "Digits",
    "CallStatus",
    "ConferenceSid",
    "SequenceNumber",
    "RecordingSid",
    "RecordingStatus",
    "MessageSid",
    "MessageStatus",
    "ticket",
)
"""What decides: the signature does not say which of two values of one field was first."""


class TwilioVoice(Connector):
    """Calls to one Twilio number."""

    name = "twilio_voice"
    channel = Channel.VOICE
    capabilities = Capabilities(exclusive=True, records=True)
    recalls = True
    Settings = TwilioVoiceSettings
    settings: TwilioVoiceSettings

    def __init__(self, account: Account, settings: Any, ports: Ports) -> None:
        super().__init__(account, settings, ports)
        self._voices = speech.Voices(settings.voice_ja, settings.voice_en)
        sorry = speech.sorry([account.language], self._voices)
        self.controls = TwilioControls(settings, ports.http, self.hook_url, sorry)
        self.tickets = self.controls.tickets
        self._leaving = Leaving(ports, self.hook_url, self._voices, self._document)
        self._lookups = Lookups(ports.http)
        self._texts = Texts(settings, ports.http)

    @property
    def calls_at(self) -> TwilioControls:
        """Return what is done to calls at Twilio."""
        return self.controls

    @property
    def makes_calls(self) -> bool:
        """Whether agents call customers by this account."""
        return self.settings.calls_by_browser

    async def handshake(self, request: HookRequest, body: bytes) -> web.Response | None:
        """Answer what tells nothing: the music in the line, that a call is recorded, and whether a
        look-up is done.
        """
        if request.tail == "step" and "poll" in request.query:
            return self._polled(self._form(request, body), request.query)
        take = {
            "wait": self._music,
            "announce": self._announcement,
            "left": self._left,
            "score": self._asked_again,
        }.get(request.tail)
        if take is None:
            return None
        document = await take(self._form(request, body), request.query)
        return xml(document) if document is not None else None

    async def _left(self, form: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        return await self._leaving.left(form, query, self._facts(form))

    async def _asked_again(self, form: Mapping[str, str], query: Mapping[str, str]) -> str | None:
        return self._leaving.asked_again(form, query)

    async def _music(self, form: Mapping[str, str], query: Mapping[str, str]) -> str:
        language, id = query.get("language", ""), query.get("id", "")
        standing = await self.ports.standing(id) if is_id(id) else None
        return speech.music(language, self.settings.wait_music, self._voices, standing)

    async def _announcement(self, form: Mapping[str, str], query: Mapping[str, str]) -> str:
        """Return what somebody hears whose call is recorded from now on."""
        call = await self.ports.call(id_of(query))
        answers = call.facts.answers if call is not None else ()
        chosen = next((one["value"] for one in answers if one.get("name") == LANGUAGE), "")
        language: Language = "en" if (chosen or self.account.language) == "en" else "ja"
        policy = self._policy(call.queue if call is not None else "") or Recording(when="always")
        return speech.saying(consent.text_of(policy, language), language, self._voices)

    def _policy(self, queue: str) -> Recording | None:
        """Return whether calls of a queue are recorded; of the account's without a queue."""
        catalog, now = self.ports.catalog(), self.ports.clock.now()
        wanted = queue if queue in catalog.queues else self.account.queue
        if wanted not in catalog.queues:
            return None
        return catalog.queues[catalog.destination(wanted, now)[0]].object.recording

    def _informed(self, turn: Turn) -> Turn:
        """Return a turn before whose wait the caller hears of the recording."""
        queue = turn.decision.queue if turn.decision is not None else ""
        return consent.informed(turn, self._policy(queue))

    def _polled(self, form: Mapping[str, str], query: Mapping[str, str]) -> web.Response | None:
        state, id = state_of(query.get("state", "")), id_of(query)
        turn = resumed(self._flow(state), state, self._facts(form)) if self._flow(state) else None
        last = turn.instructions[-1] if turn else None
        count = int(query["poll"]) if query["poll"] in POLLS else len(POLLS)
        if not isinstance(last, Lookup) or count > last.timeout_s:
            return None
        key = turn_name(form, state)
        self._lookups.ask(key, last)
        if not self._lookups.pending(key):
            return None
        url = self._step(state, id, poll=count + 1)
        return xml(speech.polled(url, state.language, self._voices, first=count == 0))

    def verify(self, request: HookRequest, body: bytes) -> list[ProviderEvent]:
        """Check the signature and decide the turn; an event's id is the CallSid with its place."""
        form = self._form(request, body)
        if request.tail == "text":
            return [told_of(form, request.query, body, self.ports.clock.now())]
        take = {
            "voice": self._begun,
            "step": self._stepped,
            "status": self._status,
            "conference": self._conferred,
            "recording": self._recorded,
            "take": self._recorded,
            "left": self._gone,
            "score": self._scored,
            "agent": self._joined,
        }.get(request.tail)
        if take is None:
            raise Refused("there is no such webhook of a call")
        return take(form, request.query)

    def parse(self, event: ProviderEvent) -> list[Inbound]:
        """Return what an event means."""
        return [receipt(event)] if event.kind.startswith("status:") else meaning(event)

    async def send(self, outbound: Outbound) -> Receipt:
        """Send an SMS that a caller has asked for; nothing else can be written into a call."""
        if not any(part.get("asked_for") for part in outbound.parts):
            raise Rejected("a telephone call carries no text")
        place = urlencode({"message": outbound.message})
        return await self._texts.send(outbound, f"{self.hook_url}/text?{place}")

    async def settle(self, outbound: Outbound) -> Receipt | None:
        """Look the message up at Twilio."""
        return await self._texts.settle(outbound)

    async def discard(self, url: str) -> None:
        """Delete a recording. Raises RetryLater, AuthFailed, Rejected, UnknownOutcome."""
        await self.controls.takes.delete(url)

    async def fetch(self, url: str) -> AsyncIterator[bytes]:
        """Yield a recording. Raises RetryLater, AuthFailed, Rejected, UnknownOutcome."""
        sid = url.rpartition("/")[2]
        if not SID.fullmatch(sid):
            raise Rejected("this is no recording")
        async for chunk in downloaded(self.settings, self.ports.http, f"Recordings/{sid}.wav"):
            yield chunk

    def answer(self, events: Sequence[ProviderEvent]) -> web.Response:
        """Return the TwiML of what was decided, and begin to look up what it asks for."""
        for event in events:
            if event.kind not in {"voice", "step", "agent", "score"}:
                continue
            told = Told.model_validate_json(event.body)
            if event.kind == "score":
                return xml(self._leaving.thanked(told.language))
            if event.kind == "agent":
                muted = told.form.get("muted") == "true"
                coached = told.form.get("coached", "")
                url = conference_url(self.hook_url, told.call, told.number, told.id)
                return xml(speech.joining(told.id, told.leg, url, muted=muted, coached=coached))
            if told.turn is not None:
                return self._told(told, told.turn)
        return web.Response(status=204)

    def _told(self, told: Told, turn: Turn) -> web.Response:
        last = turn.instructions[-1]
        if isinstance(last, Lookup):
            self._lookups.ask(turn_name(told.form, turn.state), last)
        return xml(self._document(turn, told.call, number_of(told.form), told.id))

    def _document(self, turn: Turn, call: str, number: str, id: Id) -> str:
        """Return the TwiML of a turn."""
        hook, shared, state = self.hook_url, {"call": call, "from": number}, turn.state
        queue = turn.decision.queue if turn.decision else ""
        urls = speech.Urls(
            step=self._step(state, id),
            poll=self._step(state, id, poll=0),
            wait=f"{hook}/wait?{urlencode({'language': state.language, 'id': id})}",
            left=f"{hook}/left?{urlencode({'state': packed(state), 'id': id})}",
            conference=conference_url(hook, call, number, id, state.rounds),
            recording=f"{hook}/recording?{urlencode({**shared, 'queue': queue, 'id': id})}",
            file=lambda id: f"{self.ports.public_url}/files/{self.ports.link(id)}",
        )
        return speech.spoken(turn, id, urls, self._voices, star=offers_callbacks(self.ports))

    def _linked(self, turn: Turn) -> Turn:
        """Return a turn whose text message names the address of the chat."""
        decision, link = turn.decision, self.settings.chat_url or self.ports.public_url
        if decision is None or decision.kind != "message":
            return turn
        text = decision.text.replace("{link}", link)
        told = decision.model_copy(update={"text": text})
        return turn.model_copy(update={"decision": told})

    def _form(self, request: HookRequest, body: bytes) -> MultiDict[str]:
        form = parsed(body)
        check_signature(self.settings, request, form)
        if any(len(form.getall(name, [])) > 1 for name in ONCE):
            raise Refused("a field that stands once in Twilio's events is there twice")
        if form.get("AccountSid", self.settings.account_sid) != self.settings.account_sid:
            raise Refused("the event is for another Twilio account")
        return form

    def _begun(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        sid = sid_of(form)
        flow = self._flow_named(self.account.flow)
        if flow is None:
            language: Language = "en" if self.account.language == "en" else "ja"
            turn = _handed_on(State(flow="", step="", language=language))
        else:
            turn = begin(flow, self._facts(form))
        turn = self._linked(self._informed(turn))
        return [self._event(sid, "voice", form, id=self.ports.clock.new_id(), turn=turn)]

    def _stepped(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        state, id, sid = state_of(query.get("state", "")), id_of(query), sid_of(form)
        key = turn_name(form, state)
        input = Heard(
            digits=clean(form.get("Digits", ""), 40),
            speech=clean(form.get("SpeechResult", ""), 1000),
            found=self._lookups.found(key) if "poll" in query else None,
        )
        turn = self._turn(state, input, self._facts(form))
        if len(packed(turn.state)) > STATE_LIMIT:
            turn = _handed_on(turn.state.model_copy(update={"answers": state.answers}))
        return [self._event(key, "step", form, call=sid, id=id, before=state, turn=turn)]

    def _turn(self, state: State, input: Heard, facts: FlowFacts) -> Turn:
        """Return what follows an input."""
        flow = self._flow(state)
        if state.stage == consent.CONSENT:
            before = state.model_copy(update={"stage": ""})
            waits = resumed(flow, before, facts).decision if flow else None
            return consent.answered(state, input, waits)
        turn = heard(flow, state, input, facts) if flow else _handed_on(state)
        # Who comes back to the line has heard it.
        return turn if flow_of(state) else self._linked(self._informed(turn))

    def _status(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        sid, status = sid_of(form), clean(form.get("CallStatus", ""), 20)
        if not query and form.get("From", "").startswith("client:"):
            return []
        event_id = f"{sid}:{status}"
        if not query:
            return [self._event(event_id, "status", form, call=sid)]
        more = {"id": id_of(query), "leg": clean(query.get("leg", ""), 64)}
        return [self._event(event_id, "status", form, query, **more)]

    def _conferred(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        sid, number = form.get("ConferenceSid", ""), clean(form.get("SequenceNumber", ""), 9)
        if not SID.fullmatch(sid) or not number.isdecimal():
            raise Refused("the event has no ConferenceSid and SequenceNumber")
        again = query.get("rounds", "")
        rounds = int(again) if again.isascii() and again.isdecimal() and len(again) < 5 else 0
        more = {"id": id_of(query), "rounds": rounds}
        return [self._event(f"{sid}:{number}", "conference", form, query, **more)]

    def _gone(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        """Take in that somebody has hung up, of which their call's status callback tells, too."""
        sid, status = sid_of(form), clean(form.get("CallStatus", ""), 20)
        return [self._event(f"{sid}:{status}", "status", form, call=sid, id=id_of(query))]

    def _scored(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        sid, said = sid_of(form), score(form, query)
        value = "" if said is None else str(said)
        language = "en" if query.get("language") == "en" else "ja"
        more: dict[str, Any] = {"id": id_of(query), "value": value, "language": language}
        return [self._event(f"{sid}:score", "score", form, call=sid, **more)]

    def _recorded(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        sid, status = form.get("RecordingSid", ""), clean(form.get("RecordingStatus", ""), 20)
        if not SID.fullmatch(sid):
            raise Refused("the event has no RecordingSid")
        more = {"id": id_of(query), "queue": clean(query.get("queue", ""), 64)}
        kind = "recording" if "queue" in query else "take"
        return [self._event(f"{sid}:{status}", kind, form, query, **more)]

    def _joined(self, form: Mapping[str, str], query: Mapping[str, str]) -> list[ProviderEvent]:
        kept = self.tickets.opened(form.get("ticket", ""), form.get("From", ""))
        how = {"muted": str(kept["muted"]).lower(), "coached": kept["coached"]}
        told = {name: value for name, value in form.items() if name != "ticket"} | how
        place = {"call": kept["call"], "from": kept["number"]}
        more = {"id": kept["id"], "leg": kept["leg"]}
        return [self._event(sid_of(form), "agent", told, place, **more)]

    def _event(
        self,
        event_id: str,
        kind: str,
        form: Mapping[str, str],
        place: Mapping[str, str] | None = None,
        **more: Any,
    ) -> ProviderEvent:
        """Return an event of a call; ``place`` says whose, where the form does not."""
        call = place.get("call", "") if place else more.pop("call", event_id)
        number = place.get("from", "") if place else number_of(form)
        if not SID.fullmatch(call):
            raise Refused("the address names no call")
        fields = {clean(name, 60): clean(value, 2000) for name, value in form.items()}
        told = Told(form=fields, call=call, number=number, **more)
        lane = f"sender:{caller(call, number).value}"
        body = told.model_dump_json().encode()
        return ProviderEvent(event_id, lane, kind, body, self.ports.clock.now())

    def _facts(self, form: Mapping[str, str]) -> FlowFacts:
        now, catalog, number = self.ports.clock.now(), self.ports.catalog(), number_of(form)
        contact = {
            **blank(now, self.ports.zone),
            "channel": self.channel.value,
            "account": self.account.key,
            "language": self.account.language,
            "address": number,
            "location": clean(form.get("FromCity") or form.get("FromCountry", ""), 120),
        }
        return FlowFacts(contact, number, lambda queue: catalog.opening(queue, now).open)

    def _flow(self, state: State) -> Any:
        return flow_of(state) or self._flow_named(state.flow)

    def _flow_named(self, key: str) -> Any:
        entry = self.ports.catalog().flows.get(key)
        return entry.object if entry else None

    def _step(self, state: State, id: str, poll: int | None = None) -> str:
        polls = {} if poll is None else {"poll": poll}
        query = urlencode({**polls, "state": packed(state), "id": id})
        return f"{self.hook_url}/step?{query}"


def _handed_on(state: State) -> Turn:
    return Turn(instructions=(Enqueue(),), state=state, decision=Decision(kind="queue"))
