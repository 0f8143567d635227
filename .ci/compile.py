"""Compiles the router's engine into the wheel, where MADOGUCHI_COMPILED=1 asks for it.

mypyc makes C of the modules' typed Python; without it the same modules run as they are. Hatch calls
this for every wheel (pyproject.toml); it needs a C compiler and Python's headers.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ENGINE = Path("router/engine")


def wanted() -> bool:
    """Tell whether somebody has asked for a compiled engine."""
    return os.environ.get("MADOGUCHI_COMPILED") == "1"


class Compile(BuildHookInterface[Any]):
    """Hatch's hook."""

    PLUGIN_NAME = "custom"

    made: Path | None = None

    def dependencies(self) -> list[str]:
        """Return what building needs besides hatchling."""
        return ["mypy>=2.4", "setuptools>=80"] if wanted() else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile the engine and add it to the wheel; not for an installation to be edited."""
        if version == "editable" or not wanted():
            return
        self.made = folder = Path(tempfile.mkdtemp(prefix="madoguchi-engine-"))
        before = Path.cwd()
        os.chdir(self.root)
        try:
            built = compiled(folder)
        finally:
            os.chdir(before)
        build_data["pure_python"] = False
        build_data["infer_tag"] = True
        for file in built:
            build_data["force_include"][str(file)] = str(file.relative_to(folder / "lib"))

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Take away what was only needed to build the wheel."""
        if self.made is not None:
            shutil.rmtree(self.made)


def compiled(folder: Path) -> list[Path]:
    """Compile the engine's modules into a folder; return the libraries."""
    from mypyc.build import mypycify
    from setuptools import Distribution
    from setuptools.command.build_ext import build_ext

    modules = sorted(str(file) for file in ENGINE.glob("*.py") if file.name != "__init__.py")
    extensions = mypycify(
        ["--ignore-missing-imports", *modules],
        opt_level="3",
        debug_level="0",
        group_name="router.engine.native",
        target_dir=str(folder / "c"),
    )
    command = build_ext(Distribution({"name": "madoguchi", "ext_modules": extensions}))
    command.build_lib, command.build_temp = str(folder / "lib"), str(folder / "temp")
    command.ensure_finalized()
    command.run()
    return sorted((folder / "lib").rglob("*.so"))
