"""The ``madoguchi`` command. What writes goes through the running server, by its control socket."""

import asyncio
import json
import secrets
import sys
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import orjson
import typer
from rich.console import Console
from rich.progress import Progress

from madoguchi import __version__
from madoguchi.i18n import catalogue
from madoguchi.model.dead_letters import DeadCode
from madoguchi.server import CannotStart, control_address, serve
from madoguchi.settings import BadSettings, Settings, load

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="Madoguchi (窓口): the contact-center hub.",
)


class Failed(Exception):
    """A command could not do its work; the text says why."""


def main() -> None:
    """Run the command line; every expected fault is one clear line and exit code 1."""
    try:
        app()
    except (BadSettings, CannotStart, Failed) as why:
        for line in str(why).splitlines():
            print(f"madoguchi: {line}", file=sys.stderr)
        sys.exit(1)


@app.command("serve")
def serve_command() -> None:
    """Run the hub. Settings come from MADOGUCHI_… in the environment; see docs/operations.md."""
    settings = load()
    serve(settings, ready=lambda hub: print(f"Madoguchi is ready: {settings.base_url}", flush=True))


@app.command()
def demo() -> None:
    """Run the hub with a demo company: shop, telephone and a fake of Twilio's API."""
    from madoguchi.demo import company

    settings = load()
    if not settings.public_url:
        settings = settings.model_copy(
            update={"public_url": f"http://{settings.host}:{settings.port}"}
        )
    serve(settings, prepare=company.open_doors, ready=company.welcome)


@app.command()
def version() -> None:
    """Print the version."""
    print(__version__)


@app.command()
def admin(name: str) -> None:
    """Make an administrator (or give one a new password) and print the password once."""
    settings = load()
    found = _call(settings, "GET", "/api/v1/config/agent")
    there = {o["key"]: o for o in found["objects"]}
    if name not in there:
        body = {"name": name, "roles": ["administrator", "supervisor"]}
        made = _call(
            settings, "PUT", f"/api/v1/config/agent/{name}", {"body": body, "reason": "cli"}
        )
        there[name] = made
    password = secrets.token_urlsafe(12)
    _call(settings, "PUT", f"/api/v1/agents/{there[name]['id']}/password", {"password": password})
    print(f"{name}: {password}")


@app.command()
def export() -> None:
    """Print the configuration as TOML; secrets as <kept>."""
    print(_call(load(), "GET", "/api/v1/config.toml", text=True), end="")


@app.command("apply")
def apply_command(
    file: Annotated[Path, typer.Argument(help="TOML as `madoguchi export` prints it; - for stdin")],
    reason: Annotated[str, typer.Option(help="why, for the versions page")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show, change nothing")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="delete what is not named")] = False,
) -> None:
    """Apply configuration from TOML; only what the file names changes."""
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as fault:
        raise Failed(f"cannot read {file}: {fault.strerror}") from fault
    body = {"toml": text, "reason": reason, "dry_run": dry_run, "prune": prune}
    done = _call(load(), "POST", "/api/v1/config/apply", body)
    for change in done["diff"]:
        print(f"{change['act']:8} {change['kind']}.{change['key']}")
        for field, pair in change["fields"].items():
            print(f"         {field}: {json.dumps(pair, ensure_ascii=False)}")
    print(f"{'would be' if dry_run else 'now at'} version {done['number']}")


@app.command()
def deadletters(
    replay: Annotated[list[int] | None, typer.Option(help="run these ids again")] = None,
    all_: Annotated[bool, typer.Option("--replay-all", help="run all again")] = False,
) -> None:
    """Show events that could not be processed, with the reason; or run them again."""
    settings = load()
    letters = _call(settings, "GET", "/api/v1/deadletters")["deadletters"]
    ids = [one["id"] for one in letters] if all_ else replay or []
    if ids:
        done = _call(settings, "POST", "/api/v1/deadletters/replay", {"ids": ids})
        print(f"{done['replayed']} run again; what they become is marked late")
        return
    for one in letters:
        print(told(one))
    if not letters:
        print("no dead letters")


def told(letter: dict[str, Any]) -> str:
    """Return a dead letter as lines: which, why in a sentence, the technical detail.

    What hinders a replay now comes before what hindered the first run, as at the desk.
    """
    words = catalogue("en")["desk"]["admin"]["dead"]
    why = words["why"].get(letter["code"], words["why"][DeadCode.FAILED])
    if not letter["account"]:
        why = words["gone"]
    elif not letter["running"]:
        why = words["down"].replace("{account}", letter["account"])
    account = letter["account"] or "-"
    which = f"{letter['id']}  {letter['received_at']}  {account}  {letter['event_id']}"
    return "\n".join([which, f"    {why}", f"    {letter['detail']}"]).rstrip()


@app.command()
def simulate(
    file: Annotated[Path, typer.Argument(help="a scenario, see docs/simulation.md")],
    explain: Annotated[int, typer.Option(min=0, help="print so many decisions first")] = 0,
    processes: Annotated[int | None, typer.Option(min=1, help="default: one per core")] = None,
) -> None:
    """Run a scenario on the router's own engine; print the figures of its queues as JSON."""
    from router.simulator import BadScenario, explained, read, run

    try:
        scenario = read(file)
        for line in explained(scenario, file.parent, explain) if explain else ():
            print(line)
        with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
            task = bar.add_task(file.name, total=scenario.replications)
            figures = run(
                scenario,
                file.parent,
                processes=processes,
                progress=lambda done: bar.update(task, completed=done),
            )
    except BadScenario as why:
        raise Failed(str(why)) from why
    print(json.dumps(figures, indent=2))


@app.command()
def inspect(channel: str, files: list[Path]) -> None:
    """Print what a channel's parse makes of stored events, one JSON a file; never stores."""
    from connectors.inspecting import inspect_file

    for file in files:
        print(orjson.dumps(inspect_file(channel, file), default=str).decode())


def _call(
    settings: Settings,
    method: str,
    path: str,
    body: dict[str, Any] | None = None,
    *,
    text: bool = False,
) -> Any:
    """Call the running server as its operator. Raises Failed."""
    return asyncio.run(_called(settings.data, method, path, body, text=text))


async def _called(
    folder: Path, method: str, path: str, body: dict[str, Any] | None, *, text: bool
) -> Any:
    connector = aiohttp.UnixConnector(control_address(folder))
    try:
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method, f"http://control{path}", data=orjson.dumps(body) if body else None
            ) as answer,
        ):
            raw = await answer.read()
            if answer.status >= 400:
                problem = orjson.loads(raw)
                places = [f"{f['place']}: {f['message']}" for f in problem.get("faults", [])]
                raise Failed("\n".join(places) or problem["detail"])
            return raw.decode() if text else orjson.loads(raw or b"null")
    except aiohttp.ClientError as fault:
        raise Failed(
            f"no server is running with the data folder {folder}; start it first"
        ) from fault
