"""The checked syntax tree of an expression, read from the compiler's own serialisation.

Source: cel/expr/syntax.proto and checked.proto of github.com/google/cel-spec; the compiler writes
them as a google.protobuf.Any. Only what a worst case depends on is read.
"""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["const", "ident", "select", "call", "list", "map", "comprehension"]
Fields = dict[int, list["int | bytes"]]

_KINDS: dict[int, Kind] = {
    3: "const",
    4: "ident",
    5: "select",
    6: "call",
    7: "list",
    8: "map",
    9: "comprehension",
}
_TEXT, _BYTES = 6, 7
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Node:
    """One part of an expression.

    ``name``: of an identifier, a selected field, a called function. ``args``: a call's target
    first; a map's keys and values; a comprehension's range, start, condition, step and result,
    whose ``variables`` are the loop's, the last of them the accumulator. ``text``: of a constant.
    """

    id: int
    kind: Kind
    name: str = ""
    args: tuple["Node", ...] = ()
    variables: tuple[str, ...] = ()
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Tree:
    """An expression and where its parts stand: node id → offset in code points."""

    root: Node
    positions: dict[int, int] = field(default_factory=dict)


def read(serialised: bytes) -> Tree:
    """Return the tree of a serialised checked expression."""
    checked = _fields(_bytes(_fields(serialised), 2))
    source = _fields(_bytes(checked, 5))
    pairs = [_fields(bytes(_sure(pair))) for pair in source[4]]
    positions = {_int(pair, 1): _int(pair, 2) for pair in pairs}
    return Tree(_node(_bytes(checked, 4)), positions)


def _node(written: bytes) -> Node:
    fields = _fields(written)
    number = next((n for n in _KINDS if n in fields), 3)
    return _READERS[_KINDS[number]](_int(fields, 2), _fields(_bytes(fields, number)))


def _const(id: int, fields: Fields) -> Node:
    for number in (_TEXT, _BYTES):
        if number in fields:
            return Node(id, "const", text=_bytes(fields, number).decode("utf-8", "replace"))
    return Node(id, "const")


def _ident(id: int, fields: Fields) -> Node:
    return Node(id, "ident", _text(fields, 1))


def _select(id: int, fields: Fields) -> Node:
    return Node(id, "select", _text(fields, 2), (_node(_bytes(fields, 1)),))


def _call(id: int, fields: Fields) -> Node:
    return Node(id, "call", _text(fields, 2), (*_nodes(fields, 1), *_nodes(fields, 3)))


def _list(id: int, fields: Fields) -> Node:
    return Node(id, "list", args=tuple(_nodes(fields, 1)))


def _map(id: int, fields: Fields) -> Node:
    entries = [_fields(bytes(_sure(entry))) for entry in fields[2]]
    parts = [node for entry in entries for number in (3, 4) for node in _nodes(entry, number)]
    return Node(id, "map", args=tuple(parts))


def _comprehension(id: int, fields: Fields) -> Node:
    variables = tuple(name for number in (1, 8, 3) if (name := _text(fields, number)))
    args = tuple(_node(_bytes(fields, number)) for number in (2, 4, 5, 6, 7))
    return Node(id, "comprehension", args=args, variables=variables)


_READERS = {
    "const": _const,
    "ident": _ident,
    "select": _select,
    "call": _call,
    "list": _list,
    "map": _map,
    "comprehension": _comprehension,
}


def _nodes(fields: Fields, number: int) -> Iterator[Node]:
    return (_node(bytes(_sure(each))) for each in fields[number])


def _bytes(fields: Fields, number: int) -> bytes:
    return bytes(_sure(fields[number][-1])) if fields[number] else b""


def _text(fields: Fields, number: int) -> str:
    return _bytes(fields, number).decode()


def _int(fields: Fields, number: int) -> int:
    value = fields[number][-1] if fields[number] else 0
    return value if isinstance(value, int) else 0


def _sure(value: int | bytes) -> bytes:
    if isinstance(value, int):
        raise TypeError("a message was expected, not a number")
    return value


def _fields(written: bytes) -> Fields:
    """Return field number → values of a message in protobuf's wire format."""
    found: Fields = defaultdict(list)
    at = 0
    while at < len(written):
        tag, at = _varint(written, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(written, at)
            found[number].append(value)
            continue
        if wire == _LENGTH:
            size, at = _varint(written, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[wire]
        found[number].append(written[at : at + size])
        at += size
    return found


def _varint(written: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = written[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
