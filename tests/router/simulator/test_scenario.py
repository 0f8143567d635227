"""Scenario files: what is accepted, and how what is wrong is said."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from madoguchi.cli import app
from madoguchi.model.routing import AgentChoice
from router.simulator import BadScenario, Scenario, explained, read, run

WHOLE = """
seed: 7
replications: 3
contacts: 400
warmup: 50
service_level_s: 20
queues:
  - name: sales
    requires: {sales: 2}
    priority: 1
    ageing: {slope: 1.0, boost: 0}
    rings: [{after: 60, relax: {sales: 1}, add_groups: [floaters], priority: 1}]
    overflow: [{after: 120, to_queue: general}]
    max_waiting: 30
    agent_choice: longest_idle
    group_order: [[specialists], [generalists, floaters]]
    offer: {accept: {fixed_s: 2}, timeout_s: 30}
  - name: general
limits: [{queues: [sales, general], max_waiting: 40}]
traffic:
  sales:
    arrivals: {poisson_per_hour: 240}
    handling: {lognormal_s: {mean: 180, cv: 1.1}}
    patience: {exponential_s: 300}
    wrap_up: {fixed_s: 10}
  general:
    arrivals: {poisson_per_hour: 60}
    handling: {exponential_s: 120}
groups:
  - {name: specialists, agents: 8, skills: {sales: 3}, serves: [{queue: sales, keep_free: 1}]}
  - {name: generalists, agents: 4, skills: {sales: 2}, speed: {general: 1.5}}
  - {name: floaters, agents: 2, serves: [general], capacity: 2, speed: 0.8}
"""


def scenario(**changes: Any) -> Scenario:
    """Return the scenario above with some keys changed."""
    return Scenario.model_validate(yaml.safe_load(WHOLE) | changes)


def written(folder: Path, text: str) -> Path:
    path = folder / "scenario.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_scenario_runs_and_gives_every_figure(tmp_path: Path) -> None:
    figures = run(read(written(tmp_path, WHOLE)), tmp_path, processes=1)
    assert set(figures) == {"queues", "groups", "total"}
    assert set(figures["queues"]["sales"]) == {
        "offered", "answered", "abandoned", "blocked", "p_blocked", "p_abandoned", "p_wait",
        "mean_wait_s", "asa_s", "service_level", "wait_s", "mean_queue_length",
    }  # fmt: skip
    assert set(figures["queues"]["sales"]["wait_s"]) == {"p50", "p80", "p90", "p95", "p99"}
    assert set(figures["groups"]["floaters"]) == {"occupancy", "contacts"}
    total = figures["total"]
    ends = sum(total[name]["mean"] for name in ("answered", "abandoned", "blocked"))
    assert ends == pytest.approx(400)
    assert set(total["offered"]) == {"mean", "se", "ci95"}
    contacts = sum(group["contacts"]["mean"] for group in figures["groups"].values())
    assert contacts == pytest.approx(total["answered"]["mean"])


def test_the_same_file_gives_the_same_bytes_however_many_processes() -> None:
    once = json.dumps(run(scenario(), Path(), processes=1))
    assert json.dumps(run(scenario(), Path(), processes=3)) == once
    assert json.dumps(run(scenario(seed=8), Path(), processes=1)) != once


@pytest.mark.parametrize("choice", list(AgentChoice))
def test_every_choice_runs(choice: AgentChoice) -> None:
    queues = [{"name": "sales", "agent_choice": choice.value}, {"name": "general"}]
    figures = run(scenario(queues=queues, replications=1, contacts=200), Path(), processes=1)
    assert figures["total"]["answered"]["mean"] > 0


def test_two_configurations_meet_the_same_customers(tmp_path: Path) -> None:
    few = run(scenario(replications=1, limits=[]), tmp_path, processes=1)
    more = scenario(replications=1, limits=[]).model_dump(mode="json", by_alias=True)
    for group in more["groups"]:
        group["agents"] += 5
    many = run(Scenario.model_validate(more), tmp_path, processes=1)
    assert few["queues"]["sales"]["offered"] == many["queues"]["sales"]["offered"]
    assert few["total"]["mean_wait_s"]["mean"] > many["total"]["mean_wait_s"]["mean"]


def test_a_replay_and_a_shift_meet(tmp_path: Path) -> None:
    with (tmp_path / "times.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["at_s"], [8 * 3600], [9 * 3600 + 60], [9 * 3600 + 3500]])
    text = """
replications: 1
contacts: 3
queues: [{name: q}]
traffic: {q: {arrivals: {replay: times.csv}, handling: {fixed_s: 600}}}
groups: [{name: g, agents: 1, shifts: [{from: "09:00", to: "10:00"}]}]
"""
    figures = run(read(written(tmp_path, text)), tmp_path, processes=1)["queues"]["q"]
    # The first waits for the shift, the second for the first, the third finds the agent free.
    assert figures["mean_wait_s"]["mean"] == pytest.approx((3600 + 540 + 0) / 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("", "a scenario is a mapping"),
        ("a: [", "this is no YAML"),
        (WHOLE.replace("seed:", "sede:"), "sede: there is no such key"),
        (WHOLE.replace("requires: {sales: 2}", "requires: {sales: 9}"), "queues.0.requires.sales"),
        (WHOLE.replace("to_queue: general", "to_queue: gone"), "there is no queue gone"),
        (WHOLE.replace("add_groups: [floaters]", "add_groups: [x]"), "there is no group x"),
        (WHOLE.replace("- name: general", "- name: sales"), "two queues have the name sales"),
        (WHOLE.replace("{fixed_s: 10}", "{fixed_s: 10, exponential_s: 5}"), "give exactly one of"),
        (WHOLE.replace("slope: 1.0", "slope: -1"), "queues.0.ageing.slope"),
        (WHOLE.replace("agents: 8", "agents: -8"), "groups.0.agents"),
        (WHOLE.replace("speed: 0.8", "speed: 0"), "speed must be above 0"),
        (
            WHOLE.replace("{after: 60, relax: {sales: 1}, add_groups: [floaters], priority: 1}",
                          "{after: 60}"),
            "widens nothing",
        ),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_place(tmp_path: Path, wrong: str, said: str) -> None:
    path = written(tmp_path, wrong)
    with pytest.raises(BadScenario, match=said) as why:
        read(path)
    assert str(path) in str(why.value)


def test_an_overflow_that_goes_round_is_refused(tmp_path: Path) -> None:
    text = WHOLE.replace(
        "- name: general", "- name: general\n    overflow: [{after: 5, to_queue: sales}]"
    )
    with pytest.raises(BadScenario, match="what overflows comes back: "):
        read(written(tmp_path, text))


def test_a_replay_with_fewer_rows_than_contacts_ends_with_the_last(tmp_path: Path) -> None:
    (tmp_path / "calls.csv").write_text("at_s\n10\n20\n30\n", encoding="utf-8")
    whole = yaml.safe_load(WHOLE)
    whole["traffic"] = {"sales": {"arrivals": {"replay": "calls.csv"}, "handling": {"fixed_s": 60}}}
    whole["groups"][0]["shifts"] = [{"from": "00:00", "to": "18:00"}]
    whole |= {"contacts": 20_000, "warmup": 0, "replications": 1}
    figures = run(read(written(tmp_path, yaml.safe_dump(whole))), tmp_path)
    assert figures["total"]["offered"]["mean"] == 3


@pytest.mark.parametrize(
    "groups",
    [
        [{"name": "specialists", "agents": 3, "skills": {"sales": 3}, "serves": []}],
        [{"name": "specialists", "agents": 3, "skills": {"other": 3}, "serves": ["sales"]}],
        [{"name": "specialists", "agents": 0, "skills": {"sales": 3}}],
        [
            {
                "name": "specialists",
                "agents": 2,
                "skills": {"sales": 3},
                "serves": [{"queue": "sales", "keep_free": 2}],
            }
        ],
    ],
)
def test_contacts_who_would_wait_for_ever_are_refused(
    tmp_path: Path, groups: list[dict[str, Any]]
) -> None:
    traffic = {"arrivals": {"poisson_per_hour": 9}, "handling": {"fixed_s": 60}}
    whole: dict[str, Any] = {
        "queues": [{"name": "sales", "requires": {"sales": 2}}],
        "traffic": {"sales": traffic},
        "groups": groups,
    }
    with pytest.raises(BadScenario, match="traffic sales: nobody can ever serve it"):
        read(written(tmp_path, yaml.safe_dump(whole)))
    whole["traffic"] = {"sales": {**traffic, "patience": {"fixed_s": 30}}}
    whole |= {"contacts": 20, "replications": 1}
    assert run(read(written(tmp_path, yaml.safe_dump(whole))), tmp_path)


def test_missing_files_and_bad_numbers_are_said(tmp_path: Path) -> None:
    text = WHOLE.replace("{poisson_per_hour: 60}", "{replay: gone.csv}")
    with pytest.raises(BadScenario, match=r"gone\.csv"):
        run(read(written(tmp_path, text)), tmp_path, processes=1)
    (tmp_path / "gone.csv").write_text("at_s\n5\nx\n")
    with pytest.raises(BadScenario, match="line 3: 'x' is no number"):
        run(read(written(tmp_path, text)), tmp_path, processes=1)


def test_decisions_are_explained_in_words() -> None:
    lines = explained(scenario(), Path(), 5)
    assert len(lines) == 5
    assert all(" s: contact " in line and " to agent " in line for line in lines)


def test_the_command_prints_json_and_faults_plainly(tmp_path: Path) -> None:
    path = written(tmp_path, WHOLE)
    done = CliRunner().invoke(app, ["simulate", str(path), "--processes", "1"])
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["total"]["offered"]["mean"] == 400
    told = CliRunner().invoke(app, ["simulate", str(path), "--explain", "2", "--processes", "1"])
    assert told.stdout.count(" to agent ") == 2
    gone = CliRunner().invoke(app, ["simulate", str(tmp_path / "gone.yaml")])
    assert gone.exit_code == 1
