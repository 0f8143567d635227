"""Whatever an act at the desk can be refused for has words on its pages, in each language."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = (
    "router",
    "router/board",
    "router/engine",
    "madoguchi/conversations",
    "madoguchi/conversations/calls",
    "unified_profile",
)


def refusals() -> Iterator[str]:
    """Yield the code of each refusal that the rooms name."""
    for room in ROOMS:
        for file in sorted((ROOT / room).glob("*.py")):
            for node in ast.walk(ast.parse(file.read_text())):
                if isinstance(node, ast.Call) and node.args and _refuses(node):
                    yield from _texts(node)


def _refuses(call: ast.Call) -> bool:
    named = isinstance(call.func, ast.Name) and call.func.id
    return named in {"Refused", "Refusal", "Problem"}


def _texts(call: ast.Call) -> Iterator[str]:
    place = 1 if isinstance(call.args[0], ast.Constant) and call.args[0].value in range(600) else 0
    code = call.args[place]
    if isinstance(code, ast.Constant):
        yield str(code.value)


CODES = sorted({*refusals(), "conflict", "forbidden", "not_found", "too_many", "unavailable"})


def test_the_codes_are_found() -> None:
    assert len(CODES) > 25
    assert {"no_room", "newer_answer", "code_needed", "same_queue"} <= set(CODES)


@pytest.mark.parametrize("language", ["ja", "en"])
def test_each_has_words(language: str) -> None:
    catalogue = json.loads((ROOT / f"madoguchi/i18n/catalogue/{language}.json").read_text())
    assert [code for code in CODES if code not in catalogue["desk"]["refused"]] == []
