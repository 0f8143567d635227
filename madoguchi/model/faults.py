"""What does not hold in what somebody sent: where, in a sentence, and as a code with facts."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

_TAG = re.compile("<[a-z_]+>")
_WORDY = frozenset({"error", "input_type", "class", "class_name", "tag", "discriminator"})


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold; pages word it by ``type`` and ``facts`` where they know it."""

    place: str
    message: str
    type: str = ""
    facts: Mapping[str, Any] = field(default_factory=dict)

    def view(self) -> dict[str, Any]:
        """Return it as it goes over the wire."""
        view: dict[str, Any] = {"place": self.place, "message": self.message}
        if self.type:
            view |= {"type": self.type, "facts": dict(self.facts)}
        return view


def faults_of(errors: Iterable[Mapping[str, Any]], *within: str, nowhere: str = "") -> list[Fault]:
    """Return pydantic's errors as faults at places that begin with ``within``."""
    return [
        Fault(
            ".".join([*within, *_place(each["loc"])]) or nowhere,
            each["msg"],
            each["type"],
            _facts(each.get("ctx", {})),
        )
        for each in errors
    ]


def _place(loc: Iterable[int | str]) -> list[str]:
    """Return the parts of a place; which kind of several it was taken for stands in brackets."""
    return [str(part) for part in loc if not _TAG.fullmatch(str(part))]


def _facts(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return the limits that were broken; what was sent and Python's own names stay here."""
    return {
        name: value
        for name, value in context.items()
        if name not in _WORDY and isinstance(value, str | int | float)
    }
