"""One live call: it fetches TwiML and does what it says, as far as the person at it goes along."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from madoguchi.demo.twilio_call import Call, Form
from madoguchi.demo.twilio_recording import Recording
from madoguchi.demo.twilio_twiml import BadTwiml, Verb, read

if TYPE_CHECKING:
    from madoguchi.demo.fake_voice import FakeVoice

BROKEN = "We are sorry, an application error has occurred. Goodbye."
MOST_DOCUMENTS = 200


@dataclass(frozen=True, slots=True)
class Fetch:
    """Where the next document comes from; ``twiml``: here it is."""

    url: str
    method: str = "POST"
    form: Form = field(default_factory=list)
    twiml: str = ""


@dataclass(frozen=True, slots=True)
class Sound:
    """What the person hears: ``say`` (and in which language), ``play`` or ``wait`` music."""

    kind: str
    text: str
    language: str = ""


class Over(Exception):
    """The document ends the call, with a status."""


class Line:
    """A call that goes on. ``state``: busy, gather, record, conference, bridged or ended."""

    def __init__(self, voice: FakeVoice, call: Call) -> None:
        self.voice = voice
        self.call = call
        self.state = "busy"
        self.sounds: list[Sound] = []
        self.spoken: list[str] = []
        self.gathering: Verb | None = None
        self.dialling: tuple[Verb, str] | None = None
        self.conference = ""
        self._changed = asyncio.Event()
        self._input: asyncio.Future[tuple[str, str] | None] | None = None
        self._recording: tuple[Verb, str] | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self, work: Awaitable[None]) -> None:
        """Do something instead of what is being done."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = asyncio.create_task(self._work(work))

    async def _work(self, work: Awaitable[None]) -> None:
        self.set("busy")
        await work

    def follow(self, fetch: Fetch) -> None:
        """Go on with a document; a conference is left."""
        self.voice.leave(self, "participant_updated_via_api")
        self.start(self._follow(fetch))

    @property
    def address(self) -> str:
        """Return who is at the other end."""
        return self.call.caller if self.call.direction == "inbound" else self.call.called

    async def changed(self) -> None:
        """Return at the next change of the state."""
        await self._changed.wait()

    def set(self, state: str) -> None:
        """Take a state; whoever waits for one looks again."""
        self.state = state
        self._changed.set()
        self._changed = asyncio.Event()

    async def settled(self) -> str:
        """Return the state once the call waits for something or has ended."""
        while self.state == "busy":
            await self.changed()
        return self.state

    def take(self, kind: str, text: str) -> bool:
        """Give an input to whatever waits for one; tell whether something did."""
        if self._input is None or self._input.done():
            return False
        self._input.set_result((kind, text))
        self.set("busy")
        return True

    def give_up(self) -> None:
        """Let whatever waits for an input get none."""
        if self._input is not None and not self._input.done():
            self._input.set_result(None)
            self.set("busy")

    def finish_recording(self) -> None:
        """Keep what was said after the tone by somebody who hangs up."""
        if self._recording is not None:
            self.voice.recorded(self, *self._recording, " ".join(self.spoken))
            self._recording = None

    def stop(self) -> None:
        """Do nothing more."""
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self.set("ended")

    async def _follow(self, fetch: Fetch | None) -> None:
        status = "completed"
        try:
            for _ in range(MOST_DOCUMENTS):
                if fetch is None:
                    break
                verbs = await self._document(fetch)
                fetch = await self._perform(verbs, fetch.url)
        except Over as end:
            status = str(end)
        except BadTwiml as wrong:
            self.voice.errors.append((wrong.code, str(wrong)))
            self._answered()
            self.sounds.append(Sound("say", BROKEN, "en-US"))
        self.voice.hung_up(self, status)

    async def _document(self, fetch: Fetch) -> tuple[Verb, ...]:
        if fetch.twiml:
            return read(fetch.twiml)
        form = [*self.call.form(), *fetch.form]
        found = await self.voice.post.fetch(fetch.url, form, fetch.method)
        if not 200 <= found.status < 300:
            raise BadTwiml(11200, f"{fetch.url} answered {found.status}")
        if "xml" not in found.media_type:
            raise BadTwiml(12300, f"{fetch.url} is {found.media_type}")
        return read(found.text)

    async def _perform(self, verbs: tuple[Verb, ...], base: str) -> Fetch | None:
        for verb in verbs:
            if verb.name == "Reject" and self.call.status == "ringing":
                raise Over("busy" if verb.attributes.get("reason") == "busy" else "no-answer")
            self._answered()
            further = await _VERBS[verb.name](self, verb, base)
            if further is not None:
                return further
        return None

    def _answered(self) -> None:
        if self.call.status == "ringing":
            self.voice.move(self.call, "in-progress")

    def action(self, verb: Verb, base: str, form: Form) -> Fetch:
        """Return the document that goes on from a verb."""
        url = urljoin(base, verb.attributes.get("action", ""))
        return Fetch(url, verb.attributes.get("method", "POST"), form)

    async def input(self, state: str, timeout_s: float) -> tuple[str, str] | None:
        """Return what the person does, None for nothing."""
        self._input = own = asyncio.get_running_loop().create_future()
        timer = asyncio.ensure_future(self.voice.patience(timeout_s))
        self.set(state)
        try:
            await asyncio.wait({own, timer}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            timer.cancel()
            if self._input is own and self.state == state:
                self.state = "busy"
        return own.result() if own.done() else None

    async def say(self, verb: Verb, base: str) -> None:
        """Let the person hear something."""
        if verb.name == "Pause":
            await self.voice.pause(verb.number("length", 1))
        elif verb.name == "Say":
            self.sounds.append(Sound("say", verb.text, verb.attributes.get("language", "en-US")))
        else:
            self.sounds.append(Sound("play", urljoin(base, verb.text)))

    async def music(self, url: str, method: str, base: str = "", form: Form | None = None) -> None:
        """Let the person hear what is played while they wait."""
        url = urljoin(base, url)
        found = await self.voice.post.fetch(url, [*self.call.form(), *(form or [])], method)
        if found.media_type.startswith("audio/"):
            self.sounds.append(Sound("wait", url))
            return
        try:
            verbs = read(found.text)
        except BadTwiml as wrong:
            self.voice.errors.append((wrong.code, f"{url}: {wrong}"))
            return
        for verb in verbs:
            if verb.name in {"Say", "Play"}:
                language = verb.attributes.get("language", "")
                self.sounds.append(Sound("wait", verb.text, language))

    async def record(self, verb: Verb, base: str) -> Recording | None:
        """Return what the person says after the tone, up to a key or as long as there is time."""
        self.spoken, self._recording = [], (verb, base)
        await self.input("record", verb.number("maxLength", 3600))
        self._recording = None
        return self.voice.recorded(self, verb, base, " ".join(self.spoken))


async def _say(line: Line, verb: Verb, base: str) -> None:
    await line.say(verb, base)


async def _gather(line: Line, verb: Verb, base: str) -> Fetch | None:
    for prompt in verb.children:
        await line.say(prompt, base)
    line.gathering = verb
    found = await line.input("gather", verb.number("timeout", 5))
    line.gathering = None
    if found is None:
        empty = verb.truth("actionOnEmptyResult", False)
        return line.action(verb, base, [("Digits", "")]) if empty else None
    kind, text = found
    if kind == "digits":
        return line.action(verb, base, [("Digits", text)])
    return line.action(verb, base, [("SpeechResult", text), ("Confidence", "0.9")])


async def _record(line: Line, verb: Verb, base: str) -> Fetch | None:
    recording = await line.record(verb, base)
    if recording is None:
        return None
    form = [("RecordingUrl", recording.url(line.voice.address)), ("Digits", "#")]
    return line.action(verb, base, [*form, ("RecordingDuration", str(recording.seconds))])


async def _redirect(line: Line, verb: Verb, base: str) -> Fetch:
    return Fetch(urljoin(base, verb.text), verb.attributes.get("method", "POST"))


async def _hang_up(line: Line, verb: Verb, base: str) -> Fetch | None:
    raise Over("completed")


async def _dial(line: Line, verb: Verb, base: str) -> Fetch | None:
    conference = verb.child("Conference")
    if verb.attributes.get("hangupOnStar", "true") not in {"true", "false"}:
        line.voice.errors.append((13213, "Dial: Invalid hangupOnStar value"))
    if conference is not None:
        line.dialling = (verb, base)
        await line.voice.join(line, conference, base)
        line.dialling = None
        form = [("DialCallStatus", "completed")]
    else:
        form = await line.voice.bridge(line, verb, base)
    return line.action(verb, base, form) if "action" in verb.attributes else None


_VERBS: Mapping[str, Callable[[Line, Verb, str], Awaitable[Fetch | None]]] = {
    "Say": _say,
    "Play": _say,
    "Pause": _say,
    "Gather": _gather,
    "Record": _record,
    "Redirect": _redirect,
    "Hangup": _hang_up,
    "Reject": _hang_up,
    "Dial": _dial,
}
