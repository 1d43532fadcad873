"""Test the sources of this folder, and say at once which packages the tests miss.

`make test` sets CRM_TEST_INSTALLED: then what is tested is what is installed, the built wheel.
"""

from __future__ import annotations

import os
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
INSTALL = "pip install -e '.[cli,server,redis]' --group test"
"""What brings all that tests need; it is the same as CONTRIBUTING says."""


def missing(project: dict[str, Any]) -> list[str]:
    """Return what a run of the tests needs by pyproject.toml and does not find installed."""
    extras = project["project"]["optional-dependencies"]
    needed = [*project["project"]["dependencies"], *extras["server"], *extras["redis"]]
    needed += [*extras["stub"], *project["dependency-groups"]["test"]]
    return sorted({text for text in needed if not _is_installed(Requirement(text))})


def _is_installed(needed: Requirement) -> bool:
    if needed.marker is not None and not needed.marker.evaluate():
        return True
    try:
        return needed.specifier.contains(version(needed.name), prereleases=True)
    except PackageNotFoundError:
        return False


def prepare() -> None:
    """Let this process and those it starts import the sources; end the run where a package is missing."""
    lacking = missing(tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    if lacking:
        sys.exit(f"The tests need {', '.join(lacking)}.\nRun: {INSTALL}\nOr: make test")
    if "CRM_TEST_INSTALLED" not in os.environ:
        sys.path.insert(0, str(ROOT))
        inherited = os.environ.get("PYTHONPATH")
        os.environ["PYTHONPATH"] = f"{ROOT}{os.pathsep}{inherited}" if inherited else str(ROOT)


prepare()
