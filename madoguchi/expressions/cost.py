"""The worst case of an expression in steps, from its tree and the limits of what it is told.

A step is at most about 0.1 µs (benchmarks/rules.py). Values have bounds: the facts' own, which
are enforced before an expression runs, and those that follow for what is made of them; so the
worst case is certain and nothing has to be stopped midway.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from madoguchi.expressions import patterns
from madoguchi.expressions.tree import Node, Tree

BUDGET = 200_000
"""Steps that one expression may take: at most about 20 ms if everything comes together."""

COMPILED = 5
"""A regular expression is compiled each time it is used: so many steps for an instruction."""

CHARS = 10
"""So many characters are copied or compared in a step."""


class TooDear(Exception):
    """A part of an expression may not be used like this; ``node`` is the part."""

    def __init__(self, node: int, type: str, message: str) -> None:
        super().__init__(message)
        self.node, self.type = node, type


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that a value can be: elements (of a text: characters), the weight of one of them,
    the weight of all.
    """

    count: int = 1
    each: int = 1
    weight: int = 1

    @staticmethod
    def text(most: int) -> "Bound":
        """Return the bound of a text."""
        return Bound(most, 1, most)

    @staticmethod
    def many(count: int, each: int) -> "Bound":
        """Return the bound of a list or a map of texts."""
        return Bound(count, each, count * each)

    @property
    def element(self) -> "Bound":
        """Return the bound of one element."""
        return Bound(self.each, self.each, self.each)

    def joined(self, other: "Bound") -> "Bound":
        """Return the bound of both put together."""
        each = max(self.each, other.each)
        return Bound(self.count + other.count, each, self.weight + other.weight)

    def either(self, other: "Bound") -> "Bound":
        """Return the bound of whichever of the two it is."""
        counts, eachs = max(self.count, other.count), max(self.each, other.each)
        return Bound(counts, eachs, max(self.weight, other.weight))

    def times(self, n: int) -> "Bound":
        """Return the bound of ``n`` of them put together."""
        return Bound(self.count * n, self.each, self.weight * n)


NOTHING = Bound(0, 0, 0)
NUMBER = Bound()
WRITTEN = Bound.text(64)
"""A number or a time, written out."""

Scope = Mapping[str, Bound]
Cost = tuple[int, Bound]


def steps(tree: Tree, facts: Scope) -> int:
    """Return how many steps an expression takes at most. Raises TooDear."""
    return _cost(tree.root, facts)[0]


def _cost(node: Node, scope: Scope) -> Cost:
    return _BY_KIND[node.kind](node, scope)


def _const(node: Node, scope: Scope) -> Cost:
    return 1, Bound.text(len(node.text)) if node.text is not None else NUMBER


def _ident(node: Node, scope: Scope) -> Cost:
    return 1, scope.get(node.name, NUMBER)


def _select(node: Node, scope: Scope) -> Cost:
    cost, operand = _cost(node.args[0], scope)
    return cost + 1, operand.element


def _list(node: Node, scope: Scope) -> Cost:
    parts = [_cost(arg, scope) for arg in node.args]
    weights = [bound.weight for _, bound in parts]
    whole = Bound(len(parts), max(weights, default=0), sum(weights))
    return 1 + sum(cost for cost, _ in parts), whole


def _comprehension(node: Node, scope: Scope) -> Cost:
    turned, start, condition, step, result = node.args
    cost, over = _cost(turned, scope)
    start_cost, begun = _cost(start, scope)
    inside = {**scope, **dict.fromkeys(node.variables[:-1], over.element)}
    accumulator = node.variables[-1]
    _, grown = _cost(step, {**inside, accumulator: NOTHING})
    inside[accumulator] = begun.joined(grown.times(over.count))
    # Appending does not copy what is there: a turn pays for what it adds.
    turn, _ = _cost(step, {**inside, accumulator: NOTHING})
    look, _ = _cost(condition, inside)
    end, whole = _cost(result, inside)
    return cost + start_cost + end + over.count * (turn + look + 1), whole


def _call(node: Node, scope: Scope) -> Cost:
    parts = [_cost(arg, scope) for arg in node.args]
    work, bound = _FUNCTIONS.get(node.name, _other)(node, [bound for _, bound in parts])
    return 1 + sum(cost for cost, _ in parts) + work, bound


def _other(node: Node, given: list[Bound]) -> Cost:
    """Count a function without a rule of its own as one that looks at everything."""
    weight = sum(bound.weight for bound in given)
    return weight // CHARS + 20, Bound(weight, weight, weight)


def _compared(node: Node, given: list[Bound]) -> Cost:
    return min(bound.weight for bound in given) // CHARS, NUMBER


def _searched(node: Node, given: list[Bound]) -> Cost:
    return given[0].weight * max(given[-1].weight, 1) // (CHARS * CHARS), NUMBER


def _one_of(node: Node, given: list[Bound]) -> Cost:
    wanted, among = given
    return among.count * (1 + min(wanted.weight, among.each) // CHARS), NUMBER


def _joined(node: Node, given: list[Bound]) -> Cost:
    whole = given[0].joined(given[-1])
    return whole.weight // CHARS, whole


def _chosen(node: Node, given: list[Bound]) -> Cost:
    return 0, given[1].either(given[2])


def _element(node: Node, given: list[Bound]) -> Cost:
    return given[-1].weight // CHARS, given[0].element


def _plain(node: Node, given: list[Bound]) -> Cost:
    return 0, NUMBER


def _written(node: Node, given: list[Bound]) -> Cost:
    return given[0].weight // CHARS, given[0].either(WRITTEN)


def _kept(node: Node, given: list[Bound]) -> Cost:
    return 0, given[0]


def _counted(node: Node, given: list[Bound]) -> Cost:
    return given[0].weight // CHARS, NUMBER


def _matched(node: Node, given: list[Bound]) -> Cost:
    pattern = node.args[-1]
    if pattern.text is None:
        text = "the pattern of matches() must be written out"
        raise TooDear(pattern.id, "pattern_not_constant", text)
    return (given[0].weight + COMPILED) * patterns.size(pattern.text), NUMBER


_BY_KIND: dict[str, Callable[[Node, Scope], Cost]] = {
    "const": _const,
    "ident": _ident,
    "select": _select,
    "call": _call,
    "list": _list,
    "map": _list,
    "comprehension": _comprehension,
}
_FUNCTIONS: dict[str, Callable[[Node, list[Bound]], Cost]] = {
    "matches": _matched,
    "contains": _searched,
    "@in": _one_of,
    "_+_": _joined,
    "_?_:_": _chosen,
    "_[_]": _element,
    "size": _counted,
    "string": _written,
    "dyn": _kept,
    "_?._": _element,
    **dict.fromkeys(
        ("_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "startsWith", "endsWith"), _compared
    ),
    **dict.fromkeys(
        ("_&&_", "_||_", "!_", "-_", "_-_", "_*_", "_/_", "_%_", "@not_strictly_false"), _plain
    ),
}
