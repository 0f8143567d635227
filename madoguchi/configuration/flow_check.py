"""Whether a flow leads every caller to an end; pure."""

from collections.abc import Iterator, Mapping

from madoguchi.configuration.facts import FLOW
from madoguchi.configuration.flow_parts import BranchStep, Step
from madoguchi.configuration.kinds import Flow
from madoguchi.expressions.cost import BUDGET
from madoguchi.model.faults import Fault
from madoguchi.model.ways import reachable, way_round

CONDITIONS_BUDGET = BUDGET
"""Steps that all conditions of a flow may take: about a fiftieth of a second."""


def flow_faults(flow: Flow) -> list[Fault]:
    """Return what keeps callers of a flow from an end: steps that there are not, that nobody comes
    to, that lead round without waiting for anybody, that no end can be reached from.
    """
    place = f"flow.{flow.key}"
    unknown = list(_unknown(flow, place))
    if unknown:
        return unknown
    ahead = {name: [to for _, to in step.ways()] for name, step in flow.steps.items()}
    return [
        *_unreachable(flow, place, ahead),
        *_round(flow, place, ahead),
        *_dear(flow, place),
    ]


def _unknown(flow: Flow, place: str) -> Iterator[Fault]:
    named = [(f"{place}.start", flow.start)]
    for name, step in flow.steps.items():
        named += [(f"{place}.steps.{name}.{field}", to) for field, to in step.ways()]
    for where, to in named:
        if to not in flow.steps:
            yield Fault(where, f"there is no step {to!r}", "no_such_step", {"step": to})


def _unreachable(flow: Flow, place: str, ahead: Mapping[str, list[str]]) -> Iterator[Fault]:
    found = reachable(flow.start, ahead.__getitem__)
    for name in flow.steps:
        if name not in found:
            yield Fault(f"{place}.steps.{name}", "no step leads here", "step_unreachable")


def _round(flow: Flow, place: str, ahead: Mapping[str, list[str]]) -> Iterator[Fault]:
    """A way round that takes no input would talk for ever; one without an exit is no better."""
    for name, step in flow.steps.items():
        if way := _silent_way(flow, name, step, ahead):
            said = " → ".join(way)
            text = f"this comes back without asking the caller anything: {said}"
            yield Fault(f"{place}.steps.{name}", text, "flow_round", {"way": said})
        elif not any(flow.steps[to].ends for to in reachable(name, ahead.__getitem__)):
            text = "from here no step ends the call or hands it on"
            yield Fault(f"{place}.steps.{name}", text, "flow_endless")


def _dear(flow: Flow, place: str) -> Iterator[Fault]:
    """Between two inputs all conditions may be asked, while the caller waits."""
    branches = [step for step in flow.steps.values() if isinstance(step, BranchStep)]
    when = [case.when for step in branches for case in step.cases if case.when]
    steps = sum(FLOW.compile(each).steps for each in when)
    if steps > CONDITIONS_BUDGET:
        text = f"all conditions together may take {steps} steps; {CONDITIONS_BUDGET} are allowed"
        facts = {"steps": steps, "budget": CONDITIONS_BUDGET}
        yield Fault(f"{place}.steps", text, "flow_budget", facts)


def _silent_way(flow: Flow, name: str, step: Step, ahead: Mapping[str, list[str]]) -> list[str]:
    if step.waits:
        return []
    return way_round(name, lambda one: [to for to in ahead[one] if not flow.steps[to].waits])


def files_of(flow: Flow) -> dict[str, str]:
    """Return the place of each sound file that a flow plays, with the file's id."""
    played = {name: step.play for name, step in flow.steps.items() if step.play}
    return {f"flow.{flow.key}.steps.{name}.play": file for name, file in played.items()}
