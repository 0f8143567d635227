"""Expressions: what is refused and where, what they say, what they cost at most."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from madoguchi.configuration.facts import AGENT
from madoguchi.expressions import patterns
from madoguchi.expressions.cel import Facts, Refused, Unanswered, Variable, Vocabulary
from madoguchi.expressions.cost import BUDGET

WORDS = Vocabulary(
    {
        "channel": Variable("text", 16),
        "text": Variable("text", 1000),
        "known": Variable("bool"),
        "now.hour": Variable("int"),
        "tags": Variable("texts", 50, 50),
        "attributes": Variable("text_map", 200, 40),
    }
)


def facts(**values: object) -> Facts:
    told: dict[str, object] = {
        "channel": "sms",
        "text": "豆が届きません",
        "known": True,
        "now.hour": 9,
        "tags": ["vip", "tokyo"],
        "attributes": {"product": "kettle"},
    }
    return WORDS.facts(told | values)


@pytest.mark.parametrize(
    ("source", "type", "line", "column"),
    [
        ("", "expression_empty", 1, 1),
        ("channel ==", "expression_syntax", 1, 11),
        ('channel = "sms"', "expression_syntax", 1, 9),
        ('chanel == "sms"', "expression_undeclared", 1, 1),
        ('known &&\n  "日本" == chanel', "expression_undeclared", 2, 11),
        ("now.our == 3", "expression_undeclared", 1, 4),
        ("now.hour == '9'", "expression_types", 1, 10),
        ("attributes.product == 3", "expression_types", 1, 20),
        ("text.lower() == 'a'", "expression_undeclared", 1, 11),
        ("channel", "expression_not_bool", 1, 1),
        ("dyn(known)", "expression_not_bool", 1, 1),
        ("text.matches('(a')", "expression_pattern", 1, 14),
        ("known && text.matches(channel)", "expression_pattern_not_constant", 1, 23),
        ("known ||" * 200 + "known", "expression_long", 1, 1),
        ("(" * 100 + "known" + ")" * 100, "expression_nested", 1, 1),
        (r"text.matches('\\p{L}{1,300}x')", "expression_budget", 1, 1),
        ("text.matches('(a{1,100}){1,10}b')", "expression_budget", 1, 1),
        ("tags.all(a, tags.all(b, tags.all(c, a == b)))", "expression_budget", 1, 1),
    ],
)
def test_what_does_not_hold_is_refused_at_its_place(
    source: str, type: str, line: int, column: int
) -> None:
    with pytest.raises(Refused) as caught:
        WORDS.compile(source)
    found = caught.value
    assert (found.type, found.facts["line"], found.facts["column"]) == (type, line, column)
    assert str(found)


@pytest.mark.parametrize(
    ("source", "holds"),
    [
        ("true", True),
        ('channel == "sms" && now.hour >= 9', True),
        ('channel in ["chat", "email"]', False),
        ('text.contains("届きません")', True),
        ('text.matches("(?i)返品|交換|returns?")', False),
        ('tags.exists(t, t == "vip")', True),
        ('attributes.product == "kettle"', True),
        ("has(attributes.contract)", False),
        ('has(attributes.contract) && attributes.contract == "gold"', False),
        ('attributes.contract == "gold" || known', True),
        ('tags.filter(t, t.startsWith("t")).size() == 1', True),
        ('(known ? channel : text) + "!" == "sms!"', True),
    ],
)
def test_what_it_says(source: str, holds: bool) -> None:
    assert WORDS.compile(source).holds(facts()) is holds


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ('attributes.contract == "gold"', 'Key not found in map : "contract"'),
        ("1 / (now.hour - 9) > 0", "divide by zero"),
        ("int(channel) > 0", "cannot convert string to int"),
        ("tags[7] == 'x'", "Index error: index=7"),
    ],
)
def test_what_it_cannot_tell(source: str, why: str) -> None:
    expression = WORDS.compile(source)
    with pytest.raises(Unanswered, match=why.split('"')[0]):
        expression.holds(facts())


def test_what_it_is_told_is_cut_to_its_bounds() -> None:
    long = facts(
        text="x" * 5000,
        tags=["t" * 500] * 500,
        attributes={f"k{n}": "v" * 999 for n in range(99)},
    )
    bounds = "text.size() == 1000 && tags.size() == 50 && tags[0].size() == 50"
    assert WORDS.compile(bounds).holds(long)
    assert WORDS.compile("attributes.size() == 40").holds(long)
    assert WORDS.compile("attributes.all(k, attributes[k].size() == 200)").holds(long)


def test_a_conjunction_says_which_part_is_not_true() -> None:
    whole = WORDS.compile('known && (channel == "chat" || now.hour > 12) && text != ""')
    assert WORDS.untrue(whole, facts()) == ['(channel == "chat" || now.hour > 12)']
    # Joints within parentheses cannot be cut: the whole is told.
    grouped = WORDS.compile('known && (channel == "chat" && now.hour > 12)')
    assert WORDS.untrue(grouped, facts()) == [grouped.source]


def test_equal_text_is_compiled_once() -> None:
    assert WORDS.compile("known && known") is WORDS.compile("known && known")


GRAMMAR = st.recursive(
    st.sampled_from(
        ["known", "channel", "text", "tags", "now.hour", "1", "'a'", "attributes", "attributes.x"]
    ),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["&&", "||", "==", "+", "<", "in"]), inner).map(
            lambda p: f"({p[0]} {p[1]} {p[2]})"
        ),
        inner.map(lambda e: f"!{e}"),
        inner.map(lambda e: f"tags.map(x, {e}).size() < 9"),
        inner.map(lambda e: f"tags.exists(x, {e} == x)"),
        inner.map(lambda e: f"({e}).contains('b')"),
    ),
    max_leaves=8,
)


@given(GRAMMAR, st.text(max_size=50), st.lists(st.text(max_size=5), max_size=5))
def test_whatever_is_written_it_is_refused_or_answers(
    source: str, text: str, tags: list[str]
) -> None:
    with suppress(Refused):
        expression = WORDS.compile(source)
        assert 0 < expression.steps <= BUDGET
        with suppress(Unanswered):
            assert expression.holds(facts(text=text, tags=tags)) in {True, False}


@given(st.text(max_size=60))
def test_no_text_makes_the_compiler_fall(source: str) -> None:
    with suppress(Refused):
        assert WORDS.compile(source).source == source


@given(st.text(alphabet="ab.[]()|*+?{1,9}\\pLdQ^$日", max_size=30))
def test_no_pattern_makes_its_measure_fall(pattern: str) -> None:
    assert patterns.size(pattern) >= 1


def test_counted_repetition_multiplies() -> None:
    assert patterns.size("a{1,100}") >= 100
    assert patterns.size("(ab){10}{10}") >= 200
    assert patterns.size("a{3,}") >= 3
    assert patterns.size("[^]a-z]") < 40
    assert patterns.size(r"\p{L}") > patterns.size("[a-z]") * 10
    assert patterns.size(r"\p{L}{1,30}") >= 30 * patterns.NAMED
    assert patterns.size(r"\pL{3,30}") >= 30 * patterns.NAMED
    assert patterns.size("返品|交換") == 1 + 12 + 1


@pytest.mark.parametrize(
    "condition",
    [
        r"agent.language.matches(r'\p{L}{3,30}x')",
        " || ".join([r"agent.language.matches(r'\p{L}x')"] * 3),
        r"agent.key.matches(r'((.{1,30}){1,30})')",
        r"agent.key.matches(r'((.{1,1000}){1,1000})')",
    ],
)
def test_a_pattern_is_reckoned_with_its_compiling_also_for_short_texts(condition: str) -> None:
    """The library compiles it each time it is used; a condition is asked for every agent."""
    with pytest.raises(Refused) as refused:
        AGENT.compile(condition)
    assert refused.value.type == "expression_budget"
