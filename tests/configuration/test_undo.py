"""What takes a version back."""

from __future__ import annotations

from typing import Any

import pytest

from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.service import Change, Invalid, body_of
from madoguchi.configuration.undo import undone
from tests.support.days import catalog_of

NOW = catalog_of('[queue.a]\nname = "A"\npriority = 3\n[skill.s]\nname = "S"\n')


def difference(act: str, kind: str = "queue", key: str = "a", **fields: Any) -> dict[str, Any]:
    return {"kind": kind, "key": key, "act": act, "fields": fields}


def places(*differences: dict[str, Any], catalog: Catalog = NOW) -> list[tuple[str, str]]:
    with pytest.raises(Invalid) as refused:
        undone(differences, catalog)
    return [(fault.place, fault.type) for fault in refused.value.faults]


def test_only_what_changed_goes_back() -> None:
    (change,) = undone([difference("changed", priority=[1, 3])], NOW)
    entry = NOW.objects["queue", "a"]
    assert change == Change("queue", "a", {**body_of(entry.object), "priority": 1}, 1)


def test_what_was_made_goes_and_what_was_deleted_comes_back_in_the_other_order() -> None:
    made = difference("made", "skill", "s", name=[None, "S"], name_en=[None, ""])
    gone = difference("deleted", "skill", "t", name=["T", None], name_en=["", None])
    assert undone([made, gone], NOW) == [
        Change("skill", "t", {"name": "T", "name_en": ""}, 0),
        Change("skill", "s", None, 1),
    ]


def test_what_has_changed_again_is_named() -> None:
    assert places(
        difference("changed", priority=[1, 2], name=["B", "A"]),
        difference("changed", "skill", "gone", name=["x", "y"]),
        difference("deleted", "skill", "s", name=["S", None]),
    ) == [
        ("skill.s", "changed_since"),
        ("skill.gone", "changed_since"),
        ("queue.a.priority", "changed_since"),
    ]


def test_no_version_keeps_secrets() -> None:
    assert places(difference("deleted", "account", "x", settings="<settings>")) == [
        ("account.x.settings", "settings_not_kept")
    ]
