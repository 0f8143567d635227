"""What a call's flow tells the provider to do, and what it remembers; all of it is JSON-able."""

from typing import Annotated, Literal

from pydantic import Field

from madoguchi.configuration.queue_parts import Part

Language = Literal["ja", "en"]


class Say(Part):
    """Words in a language."""

    do: Literal["say"] = "say"
    text: str
    language: Language


class Play(Part):
    """A sound file of ours."""

    do: Literal["play"] = "play"
    file: str


Prompt = Annotated[Say | Play, Field(discriminator="do")]


class Gather(Part):
    """Wait for ``most`` keys at most, or for speech; what has begun to be said is broken off.

    ``phrases``: what is likely to be said; the first key ends the wait where ``most`` is 1.
    """

    do: Literal["gather"] = "gather"
    prompts: tuple[Prompt, ...] = ()
    most: int = 1
    timeout_s: int
    speech: bool = False
    phrases: tuple[str, ...] = ()
    language: Language


class Record(Part):
    """Record the caller, after a tone."""

    do: Literal["record"] = "record"
    most_s: int


class Lookup(Part):
    """Ask another system; ``keep``: the answer's name → where it stands in the JSON object."""

    do: Literal["lookup"] = "lookup"
    url: str
    timeout_s: int
    keep: dict[str, str]


class Enqueue(Part):
    """The caller waits for an agent."""

    do: Literal["enqueue"] = "enqueue"


class HangUp(Part):
    """End the call."""

    do: Literal["hang_up"] = "hang_up"


Instruction = Annotated[
    Say | Play | Gather | Record | Lookup | Enqueue | HangUp, Field(discriminator="do")
]


class Answer(Part):
    """What a caller chose or gave at a step."""

    step: str
    name: str
    value: str


class State(Part):
    """Where a caller is. ``stage``: which question of a step; ``tries``: how often it was put;
    ``asked``: how much input there has been in all; ``rounds``: how often they have left the line
    and come back.
    """

    flow: str
    step: str
    language: Language
    stage: str = ""
    tries: int = 0
    asked: int = 0
    rounds: int = 0
    answers: tuple[Answer, ...] = ()

    def answer(self, name: str) -> str:
        """Return the last answer of a name, "" for none."""
        return next((one.value for one in reversed(self.answers) if one.name == name), "")


class Decision(Part):
    """What becomes of the call. ``queue`` "": the one that the rules choose.

    ``number``: whom to call back, or who gets the text message ``text``, in which ``{link}``
    stands for the address of the chat.
    """

    kind: Literal["queue", "callback", "voicemail", "message", "hang_up"]
    queue: str = ""
    priority: int | None = None
    number: str = ""
    text: str = ""


class Turn(Part):
    """What to do now; the last instruction waits for something or ends the flow. ``told``: of the
    recording; ``agreed``: the caller has said that there may be one.
    """

    instructions: tuple[Instruction, ...]
    state: State
    decision: Decision | None = None
    told: bool = False
    agreed: bool = False


class Heard(Part):
    """What came of the last instruction: keys or speech, or what a look-up ``found``."""

    digits: str = ""
    speech: str = ""
    found: dict[str, str] | None = None
