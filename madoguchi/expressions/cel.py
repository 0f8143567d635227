"""Compiling and evaluating predicates in CEL, by Google's C++ implementation.

An expression is checked once, where it is saved: its types against a vocabulary of facts, its
worst case against the budget. What it says later of a contact is true, false or "cannot tell".
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

from madoguchi.expressions import cost
from madoguchi.expressions.cost import BUDGET, Bound, TooDear
from madoguchi.expressions.tree import Node, Tree, read

LONGEST = 1000
"""Characters of an expression."""

Type = Literal["bool", "int", "text", "texts", "text_map", "int_map", "any_map"]
_SIGNATURES = {
    "bool": "bool",
    "int": "int",
    "text": "string",
    "texts": "list<string>",
    "text_map": "map<string, string>",
    "int_map": "map<string, int>",
    "any_map": "map<string, dyn>",
}
_FAULT = re.compile(r"ERROR: <input>:(?P<line>\d+):(?P<column>\d+): (?P<message>[^\n]*)")
_STATUS = re.compile(r"^[A-Z_]+: |\s*\[[A-Z_]+\]$")
_UNDECLARED = re.compile(r"undeclared reference to '(?P<name>[^']*)'")


class Refused(Exception):
    """An expression that may not be saved: why, and where (from 1, in characters)."""

    def __init__(
        self, type: str, message: str, line: int = 1, column: int = 1, **facts: Any
    ) -> None:
        super().__init__(message)
        self.type = type
        self.facts = {"line": line, "column": column, **facts}


class Unanswered(Exception):
    """An expression cannot tell: it asked for what is not there, or divided by nothing."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A fact that expressions may speak of; texts are cut to ``most`` characters, lists and maps
    to ``count`` elements. What stands in an ``any_map`` weighs ``most`` at most: a list, all of it.
    """

    type: Type
    most: int = 320
    count: int = 1

    @property
    def bound(self) -> Bound:
        """Return what the worst case is reckoned with."""
        if self.type in {"bool", "int"}:
            return Bound()
        return Bound.text(self.most) if self.type == "text" else Bound.many(self.count, self.most)

    def kept(self, value: Any) -> Any:
        """Return a value within the bound."""
        if self.type == "text":
            return value[: self.most]
        if self.type == "texts":
            return [one[: self.most] for one in value[: self.count]]
        if self.type.endswith("_map"):
            pairs = list(value.items())[: self.count]
            return {name[: self.most]: _cut(one, self.most) for name, one in pairs}
        return value


def _cut(value: Any, most: int) -> Any:
    if isinstance(value, str):
        return value[:most]
    if not isinstance(value, list):
        return value
    left, kept = most, []
    for one in value:
        if len(one) > left:
            break
        left -= len(one)
        kept.append(one)
    return kept[:most]


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The facts that a kind of expression may speak of, and the steps that one may take."""

    variables: Mapping[str, Variable]
    budget: int = BUDGET

    @cached_property
    def environment(self) -> Any:
        """Return the compiler; the library is loaded by whoever needs it first."""
        from cel_expr_python import cel

        types = {name: cel.Type(_SIGNATURES[v.type]) for name, v in self.variables.items()}
        return cel.NewEnv(variables=types)

    @cached_property
    def bounds(self) -> dict[str, Bound]:
        """Return the bound of each fact."""
        return {name: variable.bound for name, variable in self.variables.items()}

    def facts(self, values: Mapping[str, Any]) -> "Facts":
        """Return values as expressions are told them, every one of the vocabulary, cut to its
        bound. Raises KeyError for one that is missing.
        """
        kept = {name: each.kept(values[name]) for name, each in self.variables.items()}
        return Facts(self.environment.Activation(kept))

    def compile(self, source: str) -> "Expression":
        """Return a predicate that may be evaluated. Raises Refused."""
        return _compiled(self, source)

    def untrue(self, expression: "Expression", facts: "Facts") -> list[str]:
        """Return the parts of an untrue conjunction that are not true themselves."""
        try:
            parts = [self.compile(clause) for clause in expression.clauses]
            return [part.source for part in parts if not part.holds(facts)]
        except (Refused, Unanswered):
            return [expression.source]


@dataclass(frozen=True, slots=True)
class Facts:
    """What expressions are told of one thing."""

    activation: Any


@dataclass(frozen=True, slots=True)
class Expression:
    """A predicate; ``steps`` is its worst case, ``clauses`` what ``&&`` joins in it, ``asked`` the
    entries of maps that it names: (map, key).
    """

    source: str
    steps: int
    program: Any
    clauses: tuple[str, ...] = ()
    asked: frozenset[tuple[str, str]] = frozenset()

    def holds(self, facts: Facts) -> bool:
        """Tell whether it is true of something. Raises Unanswered."""
        try:
            found = self.program.eval(facts.activation).value()
        except RuntimeError as wrong:
            raise Unanswered(_STATUS.sub("", str(wrong))) from wrong
        if found is True or found is False:
            return bool(found)
        # An error is a value of its own, and its value is the reason.
        raise Unanswered(_STATUS.sub("", str(found)))


@lru_cache(maxsize=4096)
def _compiled(vocabulary: Vocabulary, source: str) -> Expression:
    if not source.strip():
        raise Refused("expression_empty", "write a condition; true is one")
    if len(source) > LONGEST:
        text = f"the expression is longer than {LONGEST} characters"
        raise Refused("expression_long", text, most=LONGEST)
    try:
        program = vocabulary.environment.compile(source)
    except RuntimeError as wrong:
        raise _refusal(str(wrong)) from wrong
    kind = program.return_type().name()
    if kind != "BOOL":
        text = f"it is of type {kind.lower()}; it must be true or false"
        raise Refused("expression_not_bool", text, found=kind.lower())
    tree = read(program.serialize())
    steps = _affordable(tree, vocabulary, source)
    return Expression(source, steps, program, _clauses(tree, source), _asked(tree))


def _affordable(tree: Tree, vocabulary: Vocabulary, source: str) -> int:
    try:
        steps = cost.steps(tree, vocabulary.bounds)
    except TooDear as wrong:
        raise Refused(
            f"expression_{wrong.type}", str(wrong), **_place(source, tree, wrong.node)
        ) from wrong
    if steps > vocabulary.budget:
        text = f"it may take {steps} steps; {vocabulary.budget} are allowed"
        raise Refused("expression_budget", text, steps=steps, budget=vocabulary.budget)
    # Only now: to compile a pattern is a part of what is dear.
    _check_patterns(tree, source)
    return steps


def _check_patterns(tree: Tree, source: str) -> None:
    """Refuse regular expressions that are none: they would only fail when they are used."""
    for node in _nodes(tree.root):
        if node.kind == "call" and node.name == "matches":
            pattern = node.args[-1]
            tried = _matching().compile("''.matches(p)").eval(data={"p": pattern.text})
            if tried.type().name() != "BOOL":
                why = _STATUS.sub("", str(tried.value()))
                place = _place(source, tree, pattern.id)
                raise Refused("expression_pattern", why, **place, why=why)


@lru_cache(maxsize=1)
def _matching() -> Any:
    from cel_expr_python import cel

    return cel.NewEnv(variables={"p": cel.Type.STRING})


def _nodes(node: Node) -> list[Node]:
    return [node, *(each for arg in node.args for each in _nodes(arg))]


def _clauses(tree: Tree, source: str) -> tuple[str, ...]:
    """Return the parts of a conjunction as they are written. Joints within parentheses count for
    nothing here: what they would cut does not compile by itself, and is left whole by the caller.
    """
    cuts = sorted(tree.positions[node.id] for node in _joints(tree.root))
    edges = zip([0, *(cut + 2 for cut in cuts)], [*cuts, len(source)], strict=True)
    return tuple(source[start:end].strip() for start, end in edges)


def _asked(tree: Tree) -> frozenset[tuple[str, str]]:
    found = set()
    for node in _nodes(tree.root):
        key = node.name if node.kind == "select" else node.args[-1].text if node.args else None
        selects = node.kind == "select" or node.name == "_[_]"
        if selects and key is not None and node.args[0].kind == "ident":
            found.add((node.args[0].name, key))
    return frozenset(found)


def _joints(node: Node) -> list[Node]:
    if node.kind != "call" or node.name != "_&&_":
        return []
    return [node, *(each for arg in node.args for each in _joints(arg))]


def _place(source: str, tree: Tree, node: int) -> dict[str, int]:
    before = source[: tree.positions.get(node, 0)]
    line = before.count("\n")
    return {"line": line + 1, "column": len(before) - before.rfind("\n")}


def _refusal(why: str) -> Refused:
    """Return the compiler's first fault."""
    found = _FAULT.search(why)
    if found is None:
        nested = "recursion limit" in why
        kind = "expression_nested" if nested else "expression_syntax"
        return Refused(kind, _STATUS.sub("", why).splitlines()[0], why=_STATUS.sub("", why))
    place = {"line": int(found["line"]), "column": int(found["column"])}
    text = _STATUS.sub("", found["message"])
    if undeclared := _UNDECLARED.match(text):
        name = undeclared["name"]
        plain = f"nothing is called {name}"
        return Refused("expression_undeclared", plain, **place, name=name)
    if text.startswith("Syntax error"):
        return Refused("expression_syntax", text, **place, why=text.partition(": ")[2])
    return Refused("expression_types", text, **place, why=text)
