"""The steps of a call's flow: what is said, what is asked, and which step follows."""

from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Discriminator, Field, Tag, field_validator, model_validator
from pydantic_core import PydanticCustomError

from madoguchi.configuration.facts import FlowCondition
from madoguchi.configuration.queue_parts import Key, MaybeKey, Part

TEXT = 1500
"""Characters that are said at once: about five minutes."""

ANSWERS = 40
"""Answers that are kept of one call."""

KEYS = "0123456789*#"
NAME = "^[A-Za-z_][A-Za-z0-9_]{0,39}$"

AnswerName = Annotated[str, Field(pattern=NAME)]
MaybeName = Annotated[str, Field(pattern=f"^({NAME[1:-1]})?$")]
FileId = Annotated[str, Field(pattern="^([0-9a-f-]{36})?$")]
Said = Annotated[str, Field(max_length=TEXT)]
Way = tuple[str, str]
"""A field that names a step, and the step."""


class Step(Part):
    """What all steps share: some words or a sound file; ``text_en`` for who chose English."""

    do: str
    waits: ClassVar[bool] = False
    ends: ClassVar[bool] = False
    silent: ClassVar[bool] = False

    text: Said = ""
    text_en: Said = ""
    play: FileId = ""

    @model_validator(mode="after")
    def _says_something(self) -> "Step":
        if not self.silent and not self.text and not self.play:
            raise PydanticCustomError("step_says_nothing", "write a text or choose a file")
        return self

    def ways(self) -> Iterator[Way]:
        """Return every step that may follow, with the field that names it."""
        for field in ("next", "otherwise"):
            if to := getattr(self, field, ""):
                yield field, to

    def queues(self) -> Iterator[Way]:
        """Return every queue that the step names, with its field."""
        if to := getattr(self, "queue", ""):
            yield "queue", to


class Asking(Step):
    """A step that waits for keys or speech; so many ``tries`` of ``timeout_s`` seconds each."""

    waits: ClassVar[bool] = True
    timeout_s: int = Field(6, ge=1, le=60)
    tries: int = Field(2, ge=1, le=5)
    otherwise: Key


class SayStep(Step):
    """Words, then the next step."""

    do: Literal["say"]
    next: Key


class Choice(Part):
    """One key of a menu; ``value`` is kept as the answer, the key itself where there is none."""

    key: str = Field(pattern=r"^[0-9*#]$")
    to: Key
    value: str = Field("", max_length=200)
    phrases: list[Annotated[str, Field(min_length=1, max_length=60)]] = Field(
        default_factory=list, max_length=20
    )


class MenuStep(Asking):
    """A choice of keys, or of phrases where the provider hears them. An answer that is named
    ``language`` chooses the language; such a menu is read in both.
    """

    do: Literal["menu"]
    choices: list[Choice] = Field(min_length=1, max_length=len(KEYS))
    name: MaybeName = ""

    @field_validator("choices")
    @classmethod
    def _once(cls, choices: list[Choice]) -> list[Choice]:
        seen: set[str] = set()
        for choice in choices:
            for one in (choice.key, *(phrase.casefold() for phrase in choice.phrases)):
                if one in seen:
                    raise PydanticCustomError("key_twice", "{key} stands here twice", {"key": one})
                seen.add(one)
        return choices

    def ways(self) -> Iterator[Way]:
        """Return the steps behind the keys, and behind no answer."""
        for n, choice in enumerate(self.choices):
            yield f"choices.{n}.to", choice.to
        yield "otherwise", self.otherwise


class AskStep(Asking):
    """Digits of some length, or speech, kept under a name."""

    do: Literal["ask"]
    name: AnswerName
    input: Literal["digits", "speech"] = "digits"
    least: int = Field(1, ge=1, le=32)
    most: int = Field(20, ge=1, le=32)
    next: Key

    @model_validator(mode="after")
    def _range(self) -> "AskStep":
        if self.least > self.most:
            raise PydanticCustomError("range_reversed", "the least is more than the most")
        return self


class Case(Part):
    """One condition of a branch: CEL, a queue that is open now, or one that is closed."""

    when: FlowCondition = ""
    open: MaybeKey = ""
    closed: MaybeKey = ""
    to: Key

    @model_validator(mode="after")
    def _one(self) -> "Case":
        if sum(map(bool, (self.when, self.open, self.closed))) != 1:
            text = "give one of the three: a condition, a queue that is open, one that is closed"
            raise PydanticCustomError("case_one_condition", text)
        return self


class BranchStep(Step):
    """The first case that holds says which step follows; one that cannot tell does not hold."""

    silent: ClassVar[bool] = True
    do: Literal["branch"]
    cases: list[Case] = Field(min_length=1, max_length=20)
    otherwise: Key

    def ways(self) -> Iterator[Way]:
        """Return the steps of the cases, and the one behind none."""
        for n, case in enumerate(self.cases):
            yield f"cases.{n}.to", case.to
        yield "otherwise", self.otherwise

    def queues(self) -> Iterator[Way]:
        """Return the queues whose hours are asked for."""
        for n, case in enumerate(self.cases):
            if case.open:
                yield f"cases.{n}.open", case.open
            if case.closed:
                yield f"cases.{n}.closed", case.closed


class QueueStep(Step):
    """The caller waits for an agent; without a queue it is the one that the rules choose."""

    silent: ClassVar[bool] = True
    ends: ClassVar[bool] = True
    do: Literal["queue"]
    queue: MaybeKey = ""
    priority: int | None = Field(None, ge=1, le=100)


class CallbackStep(Asking):
    """The caller is called back: at the number they call from once they confirm it, or another."""

    silent: ClassVar[bool] = True
    ends: ClassVar[bool] = True
    do: Literal["callback"]
    queue: MaybeKey = ""


class VoicemailStep(Step):
    """The caller leaves a message of at most ``most_s`` seconds."""

    ends: ClassVar[bool] = True
    do: Literal["voicemail"]
    queue: MaybeKey = ""
    most_s: int = Field(120, ge=5, le=600)


class MessageStep(Step):
    """The caller gets a text message and goes on in chat; ``{link}`` in ``sms`` is the address.
    Whose number is not known, or cannot get one, goes to ``otherwise``.
    """

    ends: ClassVar[bool] = True
    do: Literal["message"]
    sms: str = Field(min_length=1, max_length=600)
    sms_en: str = Field("", max_length=600)
    otherwise: Key

    @field_validator("sms", "sms_en")
    @classmethod
    def _links(cls, text: str) -> str:
        if text and "{link}" not in text:
            raise PydanticCustomError("no_link", "write {link} where the address belongs")
        return text


def _address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.netloc or "{" in parts.netloc:
        raise PydanticCustomError("web_address", "must be an http(s) address")
    return url


class LookupStep(Step):
    """Something is asked of another system while the caller waits: GET of ``url``, in which
    ``{number}`` and ``{NAME}`` stand for the caller's number and for answers. Of its JSON object
    ``keep`` names what becomes an answer.
    """

    silent: ClassVar[bool] = True
    do: Literal["lookup"]
    url: Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_address)]
    timeout_s: int = Field(3, ge=1, le=10)
    keep: dict[AnswerName, Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        min_length=1, max_length=20
    )
    next: Key
    otherwise: Key


class HangUpStep(Step):
    """Last words."""

    ends: ClassVar[bool] = True
    do: Literal["hang_up"]


STEPS: dict[str, type[Step]] = {
    "say": SayStep,
    "menu": MenuStep,
    "ask": AskStep,
    "branch": BranchStep,
    "queue": QueueStep,
    "callback": CallbackStep,
    "voicemail": VoicemailStep,
    "message": MessageStep,
    "lookup": LookupStep,
    "hang_up": HangUpStep,
}


def _kind(value: Any) -> str | None:
    do = value.get("do") if isinstance(value, dict) else getattr(value, "do", None)
    return f"<{do}>" if isinstance(do, str) and do in STEPS else None


AnyStep = Annotated[
    Annotated[SayStep, Tag("<say>")]
    | Annotated[MenuStep, Tag("<menu>")]
    | Annotated[AskStep, Tag("<ask>")]
    | Annotated[BranchStep, Tag("<branch>")]
    | Annotated[QueueStep, Tag("<queue>")]
    | Annotated[CallbackStep, Tag("<callback>")]
    | Annotated[VoicemailStep, Tag("<voicemail>")]
    | Annotated[MessageStep, Tag("<message>")]
    | Annotated[LookupStep, Tag("<lookup>")]
    | Annotated[HangUpStep, Tag("<hang_up>")],
    Discriminator(
        _kind,
        custom_error_type="unknown_step_kind",
        custom_error_message="unknown; known are {known}",
        custom_error_context={"known": ", ".join(STEPS)},
    ),
]
"""The tags stand in the places of faults, in brackets; :func:`faults_of` leaves them out."""
