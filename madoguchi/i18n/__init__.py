"""The words that people read, a JSON file for each language in ``catalogue``."""

from importlib.resources import files
from typing import Any

import orjson


def catalogue(language: str) -> dict[str, Any]:
    """Return the words of a language, ``ja`` or ``en``, as a tree."""
    path = files("madoguchi.i18n").joinpath("catalogue", f"{language}.json")
    return dict(orjson.loads(path.read_bytes()))
