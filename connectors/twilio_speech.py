"""What a caller hears, as TwiML; only the SDK's classes write it, so that no text is markup.

Pure. Source: twilio.com/docs/voice/twiml.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from twilio.twiml.voice_response import Dial, VoiceResponse
from twilio.twiml.voice_response import Gather as GatherVerb

from connectors.base import Standing
from madoguchi.flows.turns import (
    Enqueue,
    Gather,
    HangUp,
    Instruction,
    Lookup,
    Play,
    Record,
    Say,
    Turn,
)
from madoguchi.flows.words import words
from madoguchi.model.calls import CALLER

LANGUAGES = {"ja": "ja-JP", "en": "en-US"}
POLL_S = 1
SURVEY_S = 8
CONFERENCE_EVENTS = "start end join leave"


@dataclass(frozen=True, slots=True)
class Urls:
    """Where a call goes on. ``step``: the next turn, ``poll``: what was looked up; ``wait``: what
    is heard in the line; ``left``: who has left the line or the talk; ``file``: a sound file by id.
    """

    step: str
    poll: str
    wait: str
    left: str
    conference: str
    recording: str
    file: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Voices:
    """Who speaks each language: https://www.twilio.com/docs/voice/twiml/say/text-speech"""

    ja: str
    en: str

    def how(self, language: str) -> dict[str, Any]:
        """Return how words in a language are said."""
        return {"language": LANGUAGES[language], "voice": self.ja if language == "ja" else self.en}


def spoken(turn: Turn, room: str, urls: Urls, voices: Voices, *, star: bool) -> str:
    """Return the document of a turn; ``room`` is the conference of the call, which a caller may
    leave by a ``star``.
    """
    response = VoiceResponse()
    for one in turn.instructions:
        if isinstance(one, Enqueue):
            response.append(waiting(room, urls, star=star))
        else:
            _add(response, one, urls, voices)
    return str(response)


def _add(response: VoiceResponse, one: Instruction, urls: Urls, voices: Voices) -> None:
    if isinstance(one, Say | Play):
        _prompt(response, one, urls, voices)
    elif isinstance(one, Gather):
        response.append(_gather(one, urls, voices))
    elif isinstance(one, Record):
        response.record(
            action=urls.step,
            max_length=one.most_s,
            finish_on_key="#",
            play_beep=True,
            recording_status_callback=urls.recording,
            recording_status_callback_event="completed absent",
        )
        # Whoever says nothing comes here.
        response.redirect(urls.step)
    elif isinstance(one, Lookup):
        response.pause(length=POLL_S)
        response.redirect(urls.poll)
    elif isinstance(one, HangUp):
        response.hangup()


def _prompt(response: Any, one: Say | Play, urls: Urls, voices: Voices) -> None:
    if isinstance(one, Say):
        response.say(one.text, **voices.how(one.language))
    else:
        response.play(urls.file(one.file))


def _gather(one: Gather, urls: Urls, voices: Voices) -> GatherVerb:
    how: dict[str, Any] = {"input": "dtmf"}
    if one.speech:
        how = {"input": "dtmf speech", "speech_timeout": "auto"}
        how |= {"hints": ",".join(one.phrases)} if one.phrases else {}
    verb = GatherVerb(
        action=urls.step,
        timeout=one.timeout_s,
        num_digits=one.most,
        # One key is an answer by itself; # may be the one that is meant.
        finish_on_key="" if one.most == 1 else "#",
        language=LANGUAGES[one.language],
        action_on_empty_result=True,
        **how,
    )
    for prompt in one.prompts:
        _prompt(verb, prompt, urls, voices)
    return verb


def waiting(room: str, urls: Urls, *, star: bool) -> Dial:
    """Return how a caller waits: alone in their conference. It ends with them, unless they may
    leave it by a ``star``: then somebody may be there to whom they come back.
    """
    dial = Dial(action=urls.left, **({"hangup_on_star": True} if star else {}))
    dial.conference(
        room,
        participant_label=CALLER,
        start_conference_on_enter=False,
        end_conference_on_exit=not star,
        beep="false",
        wait_url=urls.wait,
        status_callback=urls.conference,
        status_callback_event=CONFERENCE_EVENTS,
    )
    return dial


def joining(room: str, leg: str, told: str, *, muted: bool, coached: str) -> str:
    """Return how somebody of the center comes into a call's conference; ``told``: where the
    conference is told of, if they are its first; ``coached``: the call of the only one who hears
    them, "" for all.
    """
    response, dial = VoiceResponse(), Dial()
    how = {"coach": coached} if coached else {}
    dial.conference(
        room,
        participant_label=leg,
        start_conference_on_enter=True,
        end_conference_on_exit=False,
        beep="false",
        muted=muted,
        # Who waits for somebody to answer hears it ring, no music.
        wait_url="",
        status_callback=told,
        status_callback_event=CONFERENCE_EVENTS,
        **how,
    )
    response.append(dial)
    return str(response)


def music(language: str, url: str, voices: Voices, standing: Standing | None = None) -> str:
    """Return what is heard in the line, and by whom an agent holds, who has no ``language`` here;
    Twilio begins anew at its end, and then the caller's place is told anew.
    """
    response = VoiceResponse()
    if language in LANGUAGES:
        for one in _standing(words(language), standing):
            response.say(one, **voices.how(language))
    response.play(url)
    return str(response)


def _standing(said: Mapping[str, str], standing: Standing | None) -> Iterator[str]:
    """Yield what a caller is told of their place in the line."""
    if standing is None:
        yield said["hold"]
    elif standing.position is None:
        yield said["nobody"]
    else:
        yield said["hold"]
        yield said["place"].format(place=standing.position)
        if standing.expected_s is not None:
            yield said["expected"].format(minutes=max(1, math.ceil(standing.expected_s / 60)))
    if standing is not None and standing.callback:
        yield said["star"]


def saying(text: str, language: str, voices: Voices) -> str:
    """Return some words to somebody who is in a conference."""
    response = VoiceResponse()
    response.say(text, **voices.how(language))
    return str(response)


def survey(url: str, text: str, most: int, language: str, voices: Voices) -> str:
    """Return the question how a call was; the answer goes to ``url``."""
    response = VoiceResponse()
    gather = GatherVerb(
        action=url,
        input="dtmf speech",
        speech_timeout="auto",
        timeout=SURVEY_S,
        num_digits=len(str(most)),
        finish_on_key="#",
        language=LANGUAGES[language],
        action_on_empty_result=True,
    )
    gather.say(text, **voices.how(language))
    response.append(gather)
    return str(response)


def aside(url: str) -> str:
    """Return a short silence for who has left the talk while they are held; then ``url`` is asked
    where they belong.
    """
    response = VoiceResponse()
    response.pause(length=POLL_S)
    response.redirect(url)
    return str(response)


def hung_up() -> str:
    """Return the end of a call without a word."""
    response = VoiceResponse()
    response.hangup()
    return str(response)


def last_words(text: str, language: str, voices: Voices) -> str:
    """Return the end of a call."""
    response = VoiceResponse()
    response.say(text, **voices.how(language))
    response.hangup()
    return str(response)


def sorry(languages: Sequence[str], voices: Voices) -> str:
    """Return the last words to a caller who cannot be served."""
    response = VoiceResponse()
    for language in languages:
        response.say(words(language)["sorry"], **voices.how(language))
    response.hangup()
    return str(response)


def polled(url: str, language: str, voices: Voices, *, first: bool) -> str:
    """Return how a caller waits for what is looked up."""
    response = VoiceResponse()
    if first:
        response.say(words(language)["wait"], **voices.how(language))
    response.pause(length=POLL_S)
    response.redirect(url)
    return str(response)
