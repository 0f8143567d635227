"""Reading TwiML as Twilio does: which verbs, nouns and attributes there are. Pure, no I/O.

Source: twilio.com/docs/voice/twiml, a page for each verb.
"""

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass

LONGEST = 64_000
SAID = 4096


class BadTwiml(Exception):
    """A document that Twilio does not run; ``code`` is its error."""

    def __init__(self, code: int, why: str) -> None:
        super().__init__(why)
        self.code = code


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb or noun."""

    name: str
    attributes: Mapping[str, str]
    text: str
    children: tuple["Verb", ...]

    def number(self, name: str, otherwise: int) -> int:
        """Return an attribute that is a number."""
        value = self.attributes.get(name, "")
        return int(value) if value.isdecimal() else otherwise

    def truth(self, name: str, otherwise: bool) -> bool:
        """Return an attribute that is true or false."""
        return self.attributes.get(name, str(otherwise)).lower() == "true"

    def child(self, name: str) -> "Verb | None":
        """Return the first noun of a kind."""
        return next((each for each in self.children if each.name == name), None)


_CALLED = "statusCallback statusCallbackEvent statusCallbackMethod"
_RECORDED = "recordingStatusCallback recordingStatusCallbackMethod recordingStatusCallbackEvent"
_KNOWN: dict[str, tuple[str, str]] = {
    "Response": ("", "Say Play Pause Gather Record Redirect Dial Hangup Reject"),
    "Say": ("voice language loop", ""),
    "Play": ("loop digits", ""),
    "Pause": ("length", ""),
    "Gather": (
        "input action method timeout speechTimeout maxSpeechTime numDigits finishOnKey hints "
        "language actionOnEmptyResult bargeIn profanityFilter speechModel enhanced",
        "Say Play Pause",
    ),
    "Record": (
        f"action method timeout finishOnKey maxLength playBeep trim transcribe {_RECORDED}",
        "",
    ),
    "Redirect": ("method", ""),
    "Dial": (
        f"action method timeout callerId hangupOnStar timeLimit answerOnBridge record {_RECORDED}",
        "Number Client Conference",
    ),
    "Number": (f"url method sendDigits {_CALLED}", ""),
    "Client": (f"url method {_CALLED}", "Identity Parameter"),
    "Identity": ("", ""),
    "Parameter": ("name value", ""),
    "Conference": (
        "muted beep startConferenceOnEnter endConferenceOnExit participantLabel coach waitUrl "
        f"waitMethod maxParticipants record trim region jitterBufferSize {_CALLED} {_RECORDED}",
        "",
    ),
    "Hangup": ("", ""),
    "Reject": ("reason", ""),
}


def read(document: str) -> tuple[Verb, ...]:
    """Return the verbs of a document. Raises BadTwiml."""
    if len(document) > LONGEST:
        raise BadTwiml(11750, "the answer is longer than 64 kB")
    if "<!DOCTYPE" in document:
        raise BadTwiml(12100, "no document types")
    try:
        root = ET.fromstring(document)  # noqa: S314 - without document types there is no expansion
    except ET.ParseError as wrong:
        raise BadTwiml(12100, str(wrong)) from wrong
    if root.tag != "Response":
        raise BadTwiml(12102, f"the document is a {root.tag}")
    return _verb(root).children


def _verb(element: ET.Element) -> Verb:
    attributes, within = (part.split() for part in _KNOWN[element.tag])
    for name in element.attrib:
        if name not in attributes:
            raise BadTwiml(12200, f"{element.tag} has no attribute {name}")
    for child in element:
        if child.tag not in within:
            raise BadTwiml(12200, f"{child.tag} cannot stand in {element.tag}")
    text = (element.text or "").strip()
    if element.tag == "Say" and len(text) > SAID:
        raise BadTwiml(13520, "Say is too long")
    return Verb(element.tag, dict(element.attrib), text, tuple(_verb(each) for each in element))
