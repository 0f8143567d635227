"""What a caller's keys and words mean."""

import re
import unicodedata
from collections.abc import Iterable

from madoguchi.configuration.flow_parts import Choice
from madoguchi.flows.turns import Heard

_NOT_A_KEY = re.compile(r"[^0-9*#]")


def digits(input: Heard) -> str:
    """Return the digits of an input, spoken ones too; none of # and *."""
    said = input.digits or _NOT_A_KEY.sub("", _plain(input.speech))
    return "".join(each for each in _plain(said) if each in "0123456789")


def chosen(choices: Iterable[Choice], input: Heard) -> Choice | None:
    """Return the choice that was made by its key, or by the longest of the phrases that were said;
    None where none was.
    """
    key, said = _plain(input.digits), _plain(input.speech)
    found: list[tuple[int, Choice]] = []
    for choice in choices:
        if key and choice.key == key:
            return choice
        phrases = (_plain(phrase) for phrase in choice.phrases)
        fits = [len(phrase) for phrase in phrases if phrase and phrase in said]
        found += [(max(fits), choice)] if fits and not key else []
    return max(found, key=lambda each: each[0])[1] if found else None


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(folded.split())
