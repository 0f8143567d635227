"""Taking a version back: the changes that put everything it touched to what it was before; pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.service import Body, Change, Invalid, body_of
from madoguchi.model.faults import Fault


def undone(differences: Sequence[Mapping[str, Any]], catalog: Catalog) -> list[Change]:
    """Return what takes a version's differences back.

    Only what it changed goes back: later changes of other fields stay. Raises Invalid with every
    place that has changed again since, and for an account's settings, which no version keeps.
    """
    faults: list[Fault] = []
    changes = [_back(one, catalog, faults) for one in reversed(differences)]
    if faults:
        raise Invalid(faults)
    return changes


def _back(one: Mapping[str, Any], catalog: Catalog, faults: list[Fault]) -> Change:
    kind, key, act = one["kind"], one["key"], one["act"]
    fields: Mapping[str, Any] = one["fields"]
    entry = catalog.objects.get((kind, key))
    standing = entry.version if entry else 0
    now: Body = body_of(entry.object) if entry else {}
    place = f"{kind}.{key}"
    if (entry is None) != (act == "deleted"):
        faults.append(_moved(place))
        return Change(kind, key, None)
    for name, pair in fields.items():
        if not isinstance(pair, list):
            text = "the settings as they were before are not kept: no version holds secrets"
            faults.append(Fault(f"{place}.{name}", text, "settings_not_kept"))
        elif act != "deleted" and now.get(name) != pair[1]:
            faults.append(_moved(f"{place}.{name}"))
    if act == "made":
        return Change(kind, key, None, standing)
    before = {name: pair[0] for name, pair in fields.items() if isinstance(pair, list)}
    return Change(kind, key, {**now, **before}, standing)


def _moved(place: str) -> Fault:
    return Fault(place, "this has been changed again since", "changed_since")
