"""Our top-level names are ours, and the wheel is complete and runs from anywhere."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.waiting import wait_for_blocking

ROOT = Path(__file__).resolve().parent.parent
NAMES = ("connectors", "router", "unified_profile", "agent_ui", "notifications", "madoguchi")
PROBE = """
import importlib, importlib.metadata, json, sys
owners = importlib.metadata.packages_distributions()
files = {name: importlib.import_module(name).__file__ for name in sys.argv[1:]}
print(json.dumps({name: [file, owners.get(name, [])] for name, file in files.items()}))
"""


def run(command: list[str | Path], cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)  # noqa: S603
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def origins(python: Path, cwd: Path) -> dict[str, tuple[Path, list[str]]]:
    """Where each of our names comes from, and which distributions claim it, seen from ``cwd``."""
    found = json.loads(run([python, "-I", "-c", PROBE, *NAMES], cwd))
    return {name: (Path(file), owners) for name, (file, owners) in found.items()}


def test_our_names_are_ours(tmp_path: Path) -> None:
    for name, (file, owners) in origins(Path(sys.executable), tmp_path).items():
        assert file == ROOT / name / "__init__.py"
        # An editable install lists no packages, so a name that appears here belongs to another.
        assert set(owners) <= {"madoguchi"}, f"{name} also belongs to {owners}"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT], folder)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def clean_venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run([sys.executable, "-m", "venv", folder], ROOT)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--constraint", ROOT / ".ci" / "constraints.txt"]
    run([*pip, wheel], folder)
    return folder


@pytest.mark.packaging
@pytest.mark.timeout(300)
def test_the_wheel_holds_the_built_pages_and_no_sources_of_them(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    assert {
        "agent_ui/static/desk/index.html",
        "agent_ui/static/widget/widget.js",
        "madoguchi/i18n/catalogue/en.json",
        "madoguchi/i18n/catalogue/ja.json",
    } <= names
    assert any(name.startswith("agent_ui/static/desk/assets/") for name in names)
    strange = [n for n in names if n.startswith(("agent_ui/web/", "tests/", "docs/", ".ci/"))]
    assert strange == []
    tops = {name.split("/")[0] for name in names if ".dist-info/" not in name}
    assert tops == set(NAMES)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_installed_names_belong_to_us_alone(clean_venv: Path, tmp_path: Path) -> None:
    for file, owners in origins(clean_venv / "bin" / "python", tmp_path).values():
        assert file.is_relative_to(clean_venv)
        assert owners == ["madoguchi"]


@contextmanager
def serving(venv: Path, folder: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "MADOGUCHI_PORT": str(port),
        "MADOGUCHI_DATA": str(folder / "data"),
    }
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603
            [venv / "bin" / "madoguchi", "serve"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def fetch(url: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, ""
    except OSError:
        return 0, ""


@pytest.mark.packaging
@pytest.mark.timeout(600)
def test_the_installed_hub_starts_serves_its_page_and_stops(
    clean_venv: Path, tmp_path: Path
) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with serving(clean_venv, tmp_path, port) as process:

        def healthy() -> bool:
            assert process.poll() is None, (tmp_path / "log").read_text(errors="replace")
            return fetch(f"{address}/healthz")[0] == 200

        wait_for_blocking(healthy, "the hub is healthy", within=30.0, every=0.1)
        status, page = fetch(f"{address}/")
        assert status == 200
        assert '<div id="app">' in page
        status, script = fetch(f"{address}/widget.js")
        assert status == 200
        assert len(script) > 10_000
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0, (tmp_path / "log").read_text(errors="replace")
