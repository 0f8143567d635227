"""Every name that a rule may speak of, and every reason to refuse one, has words for people."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from madoguchi.configuration.facts import CONTACT
from madoguchi.expressions import cel, cost
from madoguchi.i18n import catalogue

FAULTS = Path("agent_ui/web/src/desk/admin/faults.ts")


@pytest.mark.parametrize("language", ["ja", "en"])
def test_every_fact_is_explained(language: str) -> None:
    words = catalogue(language)["desk"]["rules"]
    for name, variable in CONTACT.variables.items():
        assert words["fact"][name.replace(".", "_")]
        assert words["type"][variable.type]


def test_every_refusal_has_words() -> None:
    sources = "".join(Path(str(module.__file__)).read_text("utf-8") for module in (cel, cost))
    codes = set(re.findall(r'"(expression_\w+)"', sources)) | {"expression_pattern_not_constant"}
    worded = set(re.findall(r"^  (\w+): '\w+',$", FAULTS.read_text("utf-8"), re.MULTILINE))
    assert len(codes) >= 9
    assert codes <= worded
