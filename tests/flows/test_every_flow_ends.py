"""Whatever flow may be saved, and whatever callers do: it comes to a decision."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from madoguchi.configuration.flow_check import flow_faults
from madoguchi.configuration.flow_parts import KEYS
from madoguchi.configuration.kinds import Flow
from madoguchi.flows.interpreter import ASKED, begin, heard
from madoguchi.flows.turns import Heard, State, Turn
from tests.flows.stage import known

NAMES = ("a", "b", "c", "d", "e", "f")
END = {"do": "hang_up", "text": "では。"}
_step = st.sampled_from(NAMES)
_words = st.sampled_from(["はい。", "{link} {number}", "<x>&"])
_choices = st.lists(st.sampled_from(KEYS), min_size=1, max_size=4, unique=True).flatmap(
    lambda keys: st.tuples(*(st.fixed_dictionaries({"key": st.just(k), "to": _step}) for k in keys))
)
_case = st.one_of(
    st.fixed_dictionaries({"open": st.just("orders"), "to": _step}),
    st.fixed_dictionaries({"closed": st.just("orders"), "to": _step}),
    st.fixed_dictionaries({"when": st.just('answers["x"] == "1"'), "to": _step}),
    st.fixed_dictionaries({"when": st.just("now.hour < 12"), "to": _step}),
)


def _made(do: str, **fields: Any) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"do": st.just(do), "text": _words, **fields})


_name = st.sampled_from(["x", "language"])
_steps = st.one_of(
    _made("say", next=_step),
    _made("menu", choices=_choices, name=_name, otherwise=_step, tries=st.integers(1, 3)),
    _made(
        "ask", name=_name, next=_step, otherwise=_step, input=st.sampled_from(["digits", "speech"])
    ),
    _made("branch", cases=st.lists(_case, min_size=1, max_size=3), otherwise=_step),
    _made("queue"),
    _made("callback", otherwise=_step),
    _made("voicemail"),
    _made("message", sms=st.just("{link}"), otherwise=_step),
    _made(
        "lookup", url=st.just("http://x/{x}"), keep=st.just({"x": "y"}), next=_step, otherwise=_step
    ),
    _made("hang_up"),
)


@st.composite
def flows(draw: st.DrawFn) -> Flow:
    """Any flow that may be saved: steps of a random one that do not hold become last words."""
    steps = {name: draw(_steps) for name in NAMES}
    while True:
        made = Flow.model_validate({"key": "main", "name": "x", "start": "a", "steps": steps})
        faults = flow_faults(made)
        if not faults:
            return made
        for fault in faults:
            name = fault.place.split(".")[3]
            if fault.type == "step_unreachable":
                del steps[name]
            else:
                steps[name] = END


_inputs = st.builds(
    Heard,
    digits=st.one_of(st.text(max_size=12), st.sampled_from(["", "1", "2", "#", "0312345678"])),
    speech=st.text(max_size=40),
    found=st.one_of(st.none(), st.just({"x": "1"}), st.just({})),
)


@settings(max_examples=300, deadline=None)
@given(flows(), st.data(), st.booleans(), st.sampled_from(["", "+819055500187", "anonymous"]))
def test_every_saved_flow_ends(flow: Flow, data: st.DataObject, open: bool, number: str) -> None:
    facts = known(number, open)
    turn = begin(flow, facts)
    for _ in range(ASKED + 1):
        assert Turn.model_validate_json(turn.model_dump_json()) == turn
        assert turn.instructions
        if turn.decision is not None:
            return
        turn = heard(flow, turn.state, data.draw(_inputs), facts)
    assert turn.decision is not None


@given(flows(), st.sampled_from([*NAMES, "nowhere"]), st.text(max_size=8), _inputs)
def test_no_state_and_no_input_crashes_it(flow: Flow, step: str, stage: str, input: Heard) -> None:
    state = State(flow="main", step=step, stage=stage, language="en")
    assert heard(flow, state, input, known()).instructions
