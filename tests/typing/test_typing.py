"""`make types` finds every mistake of mistakes.py, or fails: a comment that silences nothing is an error there."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]


def test_a_mistake_that_no_checker_finds_is_an_error() -> None:
    tool = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]
    assert tool["mypy"]["strict"] and "tests" in tool["mypy"]["files"]  # strict warns of unused comments
    assert not any(override.get("warn_unused_ignores") is False for override in tool["mypy"]["overrides"])
    (environment,) = (one for one in tool["pyright"]["executionEnvironments"] if one["root"] == "tests/typing")
    assert environment["reportUnnecessaryTypeIgnoreComment"] == "error"
    assert tool["pyright"]["typeCheckingMode"] == "strict" and "tests/typing" in tool["pyright"]["include"]


def test_there_are_mistakes_to_find() -> None:
    marked = re.findall(r"  # type: ignore\[[\w-]+\]", (HERE / "mistakes.py").read_text(encoding="utf-8"))
    assert len(marked) >= 10
