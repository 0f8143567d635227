"""Every fault of a configuration has a code that the pages have words for."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from madoguchi.configuration.flow_parts import STEPS
from madoguchi.http.table import encode
from tests.support.worlds import World, world

WORDS = Path(__file__).parents[2] / "agent_ui/web/src/desk/admin/faults.ts"
PLACE = "account.sms.settings"


def account(**settings: Any) -> str:
    """Return a text that changes the SMS account's settings."""
    lines = [f"{name} = {encode(value).decode()}" for name, value in settings.items()]
    return "\n".join(["[account.sms.settings]", *lines])


BYE = "do = 'hang_up', text = 'x'"
MENU = "do = 'menu', text = 'x', otherwise = 'z'"
LOOKUP = "do = 'lookup', keep = {x = 'y'}, next = 'z', otherwise = 'z'"
FLOWS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("steps.a = { do = 'fly' }", "steps.a", "unknown_step_kind", {"known": ", ".join(STEPS)}),
    ("steps.a = { do = 'hang_up' }", "steps.a", "step_says_nothing", {}),
    (
        f"steps.a = {{ {BYE} }}\nsteps.b = {{ {BYE} }}",
        "steps.b",
        "step_unreachable",
        {},
    ),
    (
        "steps.a = { do = 'say', text = 'x', next = 'b' }",
        "steps.a.next",
        "no_such_step",
        {"step": "b"},
    ),
    (
        f"steps.a = {{ {MENU}, choices = [{{ key = '1', to = 'b' }}] }}\nsteps.z = {{ {BYE} }}",
        "steps.a.choices.0.to",
        "no_such_step",
        {"step": "b"},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ {MENU}, choices = "
        "[{ key = '1', to = 'z' }, { key = '1', to = 'a' }] }",
        "steps.a.choices",
        "key_twice",
        {"key": "1"},
    ),
    (
        "steps.a = { do = 'branch', cases = [{ open = 'orders', to = 'a' }], otherwise = 'b' }\n"
        f"steps.b = {{ {BYE} }}",
        "steps.a",
        "flow_round",
        {"way": "a → a"},
    ),
    (
        "steps.a = { do = 'menu', text = 'x', otherwise = 'a', choices = [{ key='1', to = 'a' }] }",
        "steps.a",
        "flow_endless",
        {},
    ),
    (
        "steps.a = { do = 'queue', queue = 'x' }",
        "steps.a.queue",
        "no_such",
        {"kind": "queue", "key": "x"},
    ),
    (
        f"steps.a = {{ do = 'hang_up', play = '{'0' * 36}' }}",
        "steps.a.play",
        "no_such_file",
        {},
    ),
    (
        f"steps.a = {{ do = 'hang_up', text = '{'x' * 1501}' }}",
        "steps.a.text",
        "string_too_long",
        {"max_length": 1500},
    ),
    (
        "".join(f"steps.s{n} = {{ {BYE} }}\n" for n in range(201)),
        "steps",
        "too_long",
        {"field_type": "Dictionary", "max_length": 200},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ do = 'ask', text = 'x', name = 'n', least = 5, "
        "most = 4, next = 'z', otherwise = 'z' }",
        "steps.a",
        "range_reversed",
        {},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ do = 'branch', otherwise = 'z', "
        "cases = [{ to = 'z' }] }",
        "steps.a.cases.0",
        "case_one_condition",
        {},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ do = 'branch', otherwise = 'z', "
        "cases = [{ when = 'answer', to = 'z' }] }",
        "steps.a.cases.0.when",
        "expression_undeclared",
        {"line": 1, "column": 1, "name": "answer"},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ do = 'message', text = 'x', sms = 'x', "
        "otherwise = 'z' }",
        "steps.a.sms",
        "no_link",
        {},
    ),
    (
        f"steps.z = {{ {BYE} }}\nsteps.a = {{ {LOOKUP}, url = 'http://{{x}}/' }}",
        "steps.a.url",
        "web_address",
        {},
    ),
]

FAULTS: list[tuple[str, str, str, dict[str, Any]]] = [
    ("x =", "TOML", "toml_end", {}),
    ("[skill.order]\nname = 2026-13-45", "TOML", "toml_syntax_at", {"line": 2, "column": 12}),
    ("a = " + "[" * 5000, "TOML", "toml_deep", {}),
    ('name = "a\\u0000b"', "TOML", "nul_characters", {}),
    ("based_on = 999", "based_on", "version_to_come", {"newest": 2}),
    ('based_on = "x"', "based_on", "int_type", {}),
    ("queue = 5", "queue", "toml_tables", {"kind": "queue"}),
    ("[queue]\norders = 5", "queue.orders", "toml_table", {}),
    (
        "[nonsense.x]",
        "nonsense",
        "unknown_kind",
        {"known": "skill, hours, queue, routing_rule, team, agent, flow, account"},
    ),
    (
        '[account.sms]\nconnector = "fax"',
        "account.sms.connector",
        "unknown_connector",
        {"known": "twilio_sms, twilio_voice, web_chat"},
    ),
    (
        account(number="0120"),
        f"{PLACE}.number",
        "phone_number",
        {"example": "+815012345678"},
    ),
    (account(number=""), PLACE, "no_sender", {}),
    (
        "[queue.orders]\nweights = { sms = -1 }",
        "queue.orders.weights.sms",
        "greater_than_equal",
        {"ge": 1},
    ),
    (
        '[queue.orders]\norder = "service_level"\nageing = { slope = 3 }',
        "queue.orders",
        "order_and_ageing",
        {},
    ),
    (
        '[queue.orders]\nhelp = [{ when = "waiting", under = 0.5, add_groups = ["x"] }]',
        "queue.orders.help.0",
        "help_limit",
        {"figure": "waiting", "wanted": "over"},
    ),
    (
        "[queue.orders]\nauto_accept = true\noffer_to = 2",
        "queue.orders",
        "auto_accept_alone",
        {},
    ),
    (
        '[queue.orders]\nalerts = [{ when = "waiting", under = 0.5 }]',
        "queue.orders.alerts.0",
        "help_limit",
        {"figure": "waiting", "wanted": "over"},
    ),
    (
        '[queue.orders]\nalerts = [{ when = "waiting", over = 5 }, { when = "waiting", over = 5 }]',
        "queue.orders.alerts",
        "alert_twice",
        {},
    ),
    (
        "[queue.orders]\ncallback = { text = 'We may call you.' }",
        "queue.orders",
        "callback_no_way",
        {},
    ),
    (
        "[queue.orders]\nmax_wait_s = 60\ncallback = { after = 60 }",
        "queue.orders",
        "callback_too_late",
        {"after": 60.0, "max_wait_s": 60.0},
    ),
    *(
        (f"[queue.orders]\ncallback = {{ {wrong} }}", f"queue.orders.callback.{place}", code, facts)
        for wrong, place, code, facts in (
            ("after = 0", "after", "greater_than", {"gt": 0.0}),
            ("after = -5", "after", "greater_than", {"gt": 0.0}),
            ("after = 9, retry_s = 0", "retry_s", "greater_than", {"gt": 0.0}),
            ("after = 9, attempts = 0", "attempts", "greater_than_equal", {"ge": 1}),
            (f"after = 9, text = '{'x' * 501}'", "text", "string_too_long", {"max_length": 500}),
        )
    ),
    ("[queue.orders]\nrings = [{ after = 5 }]", "queue.orders.rings.0", "ring_widens_nothing", {}),
    (
        "[queue.orders]\nrings = [{ after = 5, relax = { x = 0 } }]",
        "queue.orders.rings.0.relax.x",
        "no_such",
        {"kind": "skill", "key": "x"},
    ),
    (
        "[queue.orders]\nrings = [{ after = 5, add_groups = ['x'] }]",
        "queue.orders.rings.0.add_groups.0",
        "no_such",
        {"kind": "team", "key": "x"},
    ),
    (
        "[queue.orders]\nrings = [{ after = 9, priority = 1 }, { after = 5, priority = 2 }]",
        "queue.orders.rings",
        "steps_out_of_order",
        {},
    ),
    (
        "[queue.orders]\noverflow = [{ after = 5, to_queue = 'orders' }]",
        "queue.orders.overflow",
        "overflow_loop",
        {"way": "orders → orders"},
    ),
    (
        "[queue.orders]\ngroup_order = [['x']]",
        "queue.orders.group_order.0.0",
        "no_such",
        {"kind": "team", "key": "x"},
    ),
    (
        "[queue.orders]\nhours = 'x'",
        "queue.orders.hours",
        "no_such",
        {"kind": "hours", "key": "x"},
    ),
    (
        "[queue.orders]\noutside = { to_queue = 'x' }",
        "queue.orders.outside.to_queue",
        "no_such",
        {"kind": "queue", "key": "x"},
    ),
    (
        "[queue.orders]\noutside = { action = 'queue' }",
        "queue.orders.outside",
        "outside_needs_queue",
        {},
    ),
    (
        "[queue.orders]\noutside = { action = 'queue', to_queue = 'orders' }",
        "queue.orders.outside.to_queue",
        "outside_loop",
        {"way": "orders → orders"},
    ),
    (
        "[agent.ann]\ninterrupts = { chat = ['email'], email = ['chat'] }",
        "agent.ann.interrupts",
        "interrupts_loop",
        {"way": "chat → email → chat"},
    ),
    (
        "[queue.orders]\nfull = { to_queue = 'x' }",
        "queue.orders.full.to_queue",
        "no_such",
        {"kind": "queue", "key": "x"},
    ),
    (
        "[queue.orders]\nfull = { to_queue = 'orders' }",
        "queue.orders.full.to_queue",
        "full_loop",
        {"way": "orders → orders"},
    ),
    *(
        (f"[hours.office]\nname = 'Office'\n{wrong}", f"hours.office.{place}", code, facts)
        for wrong, place, code, facts in (
            (
                "time_zone = 'Mars/Base'",
                "time_zone",
                "unknown_time_zone",
                {"zone": "Mars/Base"},
            ),
            (
                "time_zone = '../etc/passwd'",
                "time_zone",
                "unknown_time_zone",
                {"zone": "../etc/passwd"},
            ),
            ("time_zone = 'localtime'", "time_zone", "unknown_time_zone", {"zone": "localtime"}),
            ("holidays = 'US-ZZ'", "holidays", "unknown_country", {"place": "US-ZZ"}),
            ("week.mon = [['9', '12:00']]", "week.mon.0.0", "bad_time", {}),
            ("week.mon = [['9:00', '9:00']]", "week.mon.0", "span_empty", {}),
            (
                "week.mon = [['13:00', '18:00'], ['9:00', '12:00']]",
                "week.mon",
                "spans_out_of_order",
                {},
            ),
            (
                "week.mon = [['9:00', '12:00'], ['11:00', '18:00']]",
                "week.mon",
                "spans_overlap",
                {},
            ),
            (
                "week = { sun = [['22:00', '03:00']], mon = [['2:00', '4:00']] }",
                "week",
                "spans_overlap_next_day",
                {},
            ),
            ("days = [{ date = '2026-13-01' }]", "days.0.date", "bad_date", {}),
            (
                "days = [{ date = 2026-12-31 }, { date = '2026-12-31' }]",
                "days",
                "date_twice",
                {"date": "2026-12-31"},
            ),
            (
                "days = [{ date = 2026-12-31, hours = [['10:00', '9:00'], ['8:00', '9:00']] }]",
                "days.0.hours",
                "spans_out_of_order",
                {},
            ),
        )
    ),
    *(
        (f"[flow.main]\nname = 'x'\nstart = 'a'\n{wrong}", f"flow.main.{place}", code, facts)
        for wrong, place, code, facts in FLOWS
    ),
    (account(api_base="ftp://x"), f"{PLACE}.api_base", "web_address", {}),
    (
        account(**{f"x{n}": 1 for n in range(101)}),
        PLACE,
        "too_long",
        {"field_type": "Dictionary", "max_length": 100},
    ),
    (
        account(auth_token="env:MADOGUCHI_SECRET_NOT_THERE"),
        f"{PLACE}.auth_token",
        "secret_env_unset",
        {"name": "MADOGUCHI_SECRET_NOT_THERE"},
    ),
    (
        account(auth_token="env:MADOGUCHI_DATABASE"),
        f"{PLACE}.auth_token",
        "secret_env_name",
        {"prefix": "MADOGUCHI_SECRET_"},
    ),
    (account(auth_token="enc:v1:AAAA"), f"{PLACE}.auth_token", "secret_keys", {}),
]


async def told(one: World, toml: str) -> dict[str, Any]:
    """Return the one fault of a text."""
    body = {"toml": toml, "dry_run": True}
    status, problem = await one.boss.raw("POST", "/config/apply", body)
    assert status == 422, (toml[:40], problem)
    (fault,) = problem["faults"]
    found: dict[str, Any] = fault
    return found


async def test_each_fault_has_its_place_a_code_its_facts_and_words(tmp_path: Path) -> None:
    worded = set(re.findall(r"^  (\w+): '\w+',$", WORDS.read_text("utf-8"), re.MULTILINE))
    assert {"missing", "secret_file_outside", "secret_file_unreadable"} <= worded
    async with world(tmp_path) as one:
        for toml, place, code, facts in FAULTS:
            fault = await told(one, toml)
            assert (fault["place"], fault["type"]) == (place, code), toml[:40]
            assert fault["facts"] == facts, toml[:40]
            assert code in worded


async def test_all_faults_of_an_account_are_told_at_once(tmp_path: Path) -> None:
    toml = f"""
[account.sms]
name = ""
{account(auth_token="env:PGPASSWORD", previous_auth_token="enc:v1:AAAA", number="0120")}
api_base = "ftp://x"
[account.shop]
queue = "nowhere"
[account.shop.settings]
secret = "env:PGPASSWORD"
colour = 5
"""
    async with world(tmp_path) as one:
        body = {"toml": toml, "dry_run": True}
        status, problem = await one.boss.raw("POST", "/config/apply", body)
    assert status == 422
    assert {(f["place"], f["type"]) for f in problem["faults"]} == {
        ("account.sms.name", "string_too_short"),
        (f"{PLACE}.auth_token", "secret_env_name"),
        (f"{PLACE}.previous_auth_token", "secret_keys"),
        (f"{PLACE}.number", "phone_number"),
        (f"{PLACE}.api_base", "web_address"),
        ("account.shop.settings.secret", "secret_env_name"),
        ("account.shop.settings.colour", "extra_forbidden"),
        ("account.shop.queue", "no_such"),
    }
