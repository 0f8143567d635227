"""Configuration as text: TOML by stable keys, ``madoguchi apply`` and ``madoguchi export``."""

import re
import tomllib
from typing import Any

import tomli_w

from madoguchi.configuration.catalog import Catalog
from madoguchi.configuration.kinds import KINDS, Account
from madoguchi.configuration.service import Change, Invalid, body_of, unknown_kind
from madoguchi.http.table import has_nul
from madoguchi.model.faults import Fault

_PLACE = re.compile(r"\(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_END = "(at end of document)"

KEPT = "<kept>"
"""Stands for a secret that is set and not shown; applying it keeps the secret."""


def export(catalog: Catalog, secret_fields: dict[str, frozenset[str]]) -> str:
    """Return the configuration as TOML, secrets as ``<kept>``.

    ``secret_fields``: connector → names of its secret settings.
    """
    document: dict[str, Any] = {"based_on": catalog.number}
    for kind in KINDS:
        table = {}
        for (name, key), entry in sorted(catalog.objects.items()):
            if name != kind:
                continue
            body = body_of(entry.object)
            if isinstance(entry.object, Account):
                hidden = secret_fields.get(entry.object.connector, frozenset())
                body["settings"] = {
                    field: KEPT if field in hidden and value else value
                    for field, value in body["settings"].items()
                }
            table[key] = _without_none(body)
        if table:
            document[kind] = table
    return tomli_w.dumps(document, multiline_strings=False)


def changes(text: str, catalog: Catalog, *, prune: bool = False) -> list[Change]:
    """Return the changes that a TOML text asks for.

    Only what the text names changes; a named object keeps the fields that it does not name.
    ``prune`` deletes what is not named. ``based_on`` in the text makes every touched object
    refuse a change that came after that version. Raises Invalid.
    """
    document = _parsed(text)
    based_on = document.pop("based_on", None)
    _shape(document, based_on)
    if based_on is not None and based_on > catalog.number:
        newest = f"the newest version is {catalog.number}"
        facts = {"newest": catalog.number}
        raise Invalid([Fault("based_on", newest, "version_to_come", facts)])
    wanted = []
    for kind, table in document.items():
        for key, fields in table.items():
            entry = catalog.objects.get((kind, key))
            standing = body_of(entry.object) if entry else {}
            wanted.append(Change(kind, key, _merge(standing, fields)))
    if prune:
        named = {(c.kind, c.key) for c in wanted}
        gone = [at for at in catalog.objects if at not in named]
        gone.sort(key=lambda at: -list(KINDS).index(at[0]))
        wanted += [Change(kind, key, None) for kind, key in gone]
    return wanted


def based_on(text: str) -> int | None:
    """Return the version that a text says it was made from, None when it says nothing."""
    value = _parsed(text).get("based_on")
    return value if isinstance(value, int) else None


def _parsed(text: str) -> dict[str, Any]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, ValueError) as wrong:
        raise Invalid([_unreadable(str(wrong))]) from wrong
    except RecursionError as wrong:
        raise Invalid([Fault("TOML", "is nested too deep", "toml_deep")]) from wrong
    if has_nul(document):
        raise Invalid([Fault("TOML", "texts must not hold NUL characters", "nul_characters")])
    return document


def _unreadable(why: str) -> Fault:
    """Return the fault of a text that is no TOML. Python's parser says where in its sentence."""
    place = _PLACE.search(why)
    if place is None:
        return Fault("TOML", why, "toml_end" if why.endswith(_END) else "toml_syntax")
    facts = {"line": int(place["line"]), "column": int(place["column"])}
    return Fault("TOML", why, "toml_syntax_at", facts)


def _without_none(body: dict[str, Any]) -> dict[str, Any]:
    """Return a body without what TOML cannot say: fields that are not set."""
    return {
        field: _without_none(value) if isinstance(value, dict) else value
        for field, value in body.items()
        if value is not None
    }


def _shape(document: dict[str, Any], based_on: object) -> None:
    faults = []
    if based_on is not None and (not isinstance(based_on, int) or isinstance(based_on, bool)):
        faults.append(Fault("based_on", "must be a whole number", "int_type"))
    for kind, table in document.items():
        if kind not in KINDS:
            faults.append(unknown_kind(kind))
        elif not isinstance(table, dict):
            facts = {"kind": kind}
            faults.append(Fault(kind, f"write [{kind}.KEY] tables", "toml_tables", facts))
        else:
            faults += [
                Fault(f"{kind}.{key}", "must be a table", "toml_table")
                for key, fields in table.items()
                if not isinstance(fields, dict)
            ]
    if faults:
        raise Invalid(faults)


def _merge(standing: dict[str, Any], fields: dict[str, Any]) -> dict[str, Any]:
    merged = {**standing, **fields}
    if "settings" in standing and "settings" in fields:
        merged["settings"] = {**standing["settings"], **fields["settings"]}
    return merged
