"""The tree that the compiler writes down, read back."""

from __future__ import annotations

from madoguchi.expressions.cel import Variable, Vocabulary
from madoguchi.expressions.tree import Node, Tree, read

WORDS = Vocabulary({"text": Variable("text"), "tags": Variable("texts", 10, 10)})


def tree(source: str) -> Tree:
    return read(WORDS.environment.compile(source).serialize())


def shape(node: Node) -> str:
    inside = ", ".join(shape(arg) for arg in node.args)
    text = repr(node.text) if node.text is not None else node.name
    return f"{node.kind} {text}({inside})" if inside else f"{node.kind} {text}".strip()


def test_constants_calls_and_selections() -> None:
    assert shape(tree("text.contains('a')").root) == "call contains(ident text, const 'a')"
    assert shape(tree("b'x' == b'日'").root) == "call _==_(const 'x', const '日')"
    assert shape(tree("1.5 < 2.0").root) == "call _<_(const, const)"
    assert shape(tree("has({'a': 1}.a)").root) == "select a(map (const 'a', const))"
    assert shape(tree("text in ['a', text]").root) == (
        "call @in(ident text, list (const 'a', ident text))"
    )


def test_a_macro_is_a_loop_with_its_variables() -> None:
    loop = tree("tags.exists(t, t == text)").root
    assert loop.kind == "comprehension"
    assert loop.variables == ("t", "@result")
    assert shape(loop.args[0]) == "ident tags"
    assert shape(loop.args[3]) == "call _||_(ident @result, call _==_(ident t, ident text))"


def test_positions_are_characters_from_the_start() -> None:
    found = tree("'日本' == text")
    assert found.positions[found.root.id] == 5
