"""Our top-level names are ours, and the wheel is complete and runs from anywhere."""

from __future__ import annotations

import json
import os
import shutil
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


def run(command: list[str | Path], cwd: Path, **environment: str) -> str:
    done = subprocess.run(  # noqa: S603
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
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


def build(folder: Path, **environment: str) -> Path:
    command: list[str | Path] = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
    run(command, folder, **environment)
    [built] = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("compiled"), MADOGUCHI_COMPILED="1")


@pytest.fixture(scope="module")
def clean_venv(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean") / "venv"
    run([sys.executable, "-m", "venv", folder], ROOT)
    pip: list[str | Path] = [folder / "bin" / "python", "-m", "pip", "install", "--quiet"]
    pip += ["--disable-pip-version-check", "--constraint", ROOT / ".ci" / "constraints.txt"]
    run([*pip, wheel], folder)
    return folder


@pytest.mark.packaging
@pytest.mark.xdist_group("wheel")
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


SETTINGS = """
[pytest]
asyncio_mode = auto
asyncio_default_fixture_loop_scope = function
addopts = --import-mode=importlib -p no:cacheprovider
filterwarnings = error
markers =
    long: not here
    compiled: here
"""


@pytest.mark.packaging
@pytest.mark.xdist_group("compiled")
@pytest.mark.timeout(1500)
def test_a_compiled_engine_passes_the_tests_of_the_engine(compiled: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(compiled) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path)
    libraries = {name for name in names if name.endswith(".so")}
    modules = {file.stem for file in (ROOT / "router" / "engine").glob("*.py")} - {"__init__"}
    assert {Path(name).name.split(".")[0] for name in libraries} == {*modules, "native__mypyc"}
    assert all(name.startswith("router/engine/") for name in libraries)
    assert not compiled.name.endswith("-none-any.whl")
    shutil.copytree(ROOT / "tests", tmp_path / "tests")
    (tmp_path / "pytest.ini").write_text(SETTINGS)
    probe = "import router.engine.engine as engine; print(engine.__file__)"
    file = run([sys.executable, "-c", probe], tmp_path, PYTHONPATH=str(tmp_path)).strip()
    assert Path(file).is_relative_to(tmp_path)
    assert file.endswith(".so")
    rooms = tmp_path / "tests" / "router"
    tests = [*sorted(rooms.glob("test_engine*.py")), rooms / "simulator" / "test_theory.py"]
    said = run(
        [sys.executable, "-m", "pytest", "-q", "-m", "not long", *tests],
        tmp_path,
        PYTHONPATH=str(tmp_path),
        MADOGUCHI_TEST_PROCESSES="2",
    )
    assert "passed" in said


@pytest.mark.packaging
@pytest.mark.xdist_group("wheel")
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
@pytest.mark.xdist_group("wheel")
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
