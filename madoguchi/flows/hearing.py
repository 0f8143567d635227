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


def number_said(input: Heard) -> int | None:
    """Return the number of an input, pressed or spoken, from 0 to 99; None for none."""
    found = digits(input)
    if found:
        return int(found) if len(found) <= 2 else None
    said = _plain(input.speech)
    fits = [
        (len(word), value) for value, names in _NUMBERS.items() for word in names if word in said
    ]
    return max(fits)[1] if fits else None


_NUMBERS: dict[int, tuple[str, ...]] = {
    0: ("〇", "零", "ゼロ", "れい", "zero"),
    1: ("一", "いち", "one"),
    2: ("二", "two"),
    3: ("三", "さん", "three"),
    4: ("四", "よん", "four"),
    5: ("五", "five"),
    6: ("六", "ろく", "six"),
    7: ("七", "なな", "しち", "seven"),
    8: ("八", "はち", "eight"),
    9: ("九", "きゅう", "nine"),
    10: ("十", "じゅう", "じゅってん", "ten"),
}
"""How numbers are written when they are heard as words."""


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
