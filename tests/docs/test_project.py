"""How the project is worked on is what CONTRIBUTING.md, the Makefile, pyproject.toml and the workflow say together."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_every_verb_can_be_made_and_is_told_of() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, flags=re.M)
    verbs = set(phony.split())
    assert {"demo", "test", "quick", "check", "types", "soak", "release"} <= verbs
    helped = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  make (\w+) +\S", helped, flags=re.M)) == verbs
    table = (ROOT / "CONTRIBUTING.md").read_text().partition("## ")[0]
    assert set(re.findall(r"^\| `make (\w+)", table, flags=re.M)) == verbs - {"help"}
    for verb in verbs:
        done = subprocess.run(["make", "--dry-run", verb], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def _names(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(text).name) for text in requirements}


def test_the_tools_have_versions_and_what_users_install_is_free() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pinned = _names([line for line in lines if not line.startswith("#")])
    groups = PYPROJECT["dependency-groups"]
    assert _names([text for group in groups.values() for text in group]) <= pinned, "make pins"
    extras = PYPROJECT["project"]["optional-dependencies"]
    ours = [*PYPROJECT["project"]["dependencies"], *(text for extra in extras.values() for text in extra)]
    assert not _names(ours) & pinned


def test_the_workflow_runs_on_every_python_that_is_promised() -> None:
    workflow = (ROOT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    (listed,) = re.findall(r"python: \[(.*)\]", workflow)
    promised = re.findall(r"Python :: (3\.\d+)", " ".join(PYPROJECT["project"]["classifiers"]))
    assert set(promised) <= set(re.findall(r"3\.\d+", listed))
    assert f">={promised[0]}" == PYPROJECT["project"]["requires-python"]
