"""What web sites tell of a contact or a customer beside their words: short texts by short names."""

import re
from collections.abc import Mapping
from typing import Any

from madoguchi.configuration.facts import ATTRIBUTE, ATTRIBUTES
from unified_profile.identity import clean

NAME = re.compile("[A-Za-z_][A-Za-z0-9_]{0,39}")


def kept(told: object) -> dict[str, str]:
    """Return what anybody may have told, as far as it is of the form; the rest is dropped."""
    if not isinstance(told, Mapping):
        return {}
    pairs = [(str(name), _text(value)) for name, value in told.items()]
    fit = [(name, text) for name, text in pairs if NAME.fullmatch(name) and text]
    return {name: clean(text, ATTRIBUTE) for name, text in fit[:ATTRIBUTES]}


def why_unfit(signed: object) -> str | None:
    """Return why signed attributes are not taken, None when they are: they count as they stand."""
    if not isinstance(signed, Mapping) or len(signed) > ATTRIBUTES:
        return f"attributes must be an object of at most {ATTRIBUTES} texts"
    for name, value in signed.items():
        if not NAME.fullmatch(str(name)):
            return f"an attribute cannot be called {str(name)[:60]!r}"
        if not isinstance(value, str) or len(value) > ATTRIBUTE:
            return f"attribute {name!r} must be a text of at most {ATTRIBUTE} characters"
    return None


def pairs(signed: Mapping[str, Any]) -> list[list[str]]:
    """Return attributes as they are signed: [name, text] by name."""
    return [[name, signed[name]] for name in sorted(signed)]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, str | int | float) else ""
