"""The page of tools and the tests of `make tools` name the same tools."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
BY_MAKE_TYPES = {"mypy", "pyright"}
WITHOUT_INSTALLING = {"unittest-mock", "anyio", "starlette", "rich"}
"""What Python has, or crm-sdk brings."""


def named() -> set[str]:
    rows = re.findall(r"^\| ([\w.-]+) \|", (ROOT / "docs" / "works-with.md").read_text(encoding="utf-8"), flags=re.M)
    assert len(rows) == len(set(rows))
    return {row.replace(".", "-") for row in rows} - {"Tool"}


def test_every_tool_of_the_page_has_a_test_and_every_test_a_row() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "tools").glob("test_*.py")]
    tested = {name.replace("_", "-") for text in texts for name in re.findall(r"^def test_(\w+)", text, flags=re.M)}
    assert named() == tested | BY_MAKE_TYPES
    (types,) = re.findall(r"^types:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.M)
    assert all(f"{tool}\n" in types for tool in BY_MAKE_TYPES)


def test_every_tool_of_the_page_is_installed_for_its_test() -> None:
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]
    installed = {Requirement(text).name for text in groups["tools"]}
    assert named() - WITHOUT_INSTALLING - BY_MAKE_TYPES <= installed


def test_other_runs_do_not_collect_them(pytestconfig: pytest.Config) -> None:
    assert "tools" in pytestconfig.getini("norecursedirs")
