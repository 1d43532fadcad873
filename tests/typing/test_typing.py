"""The types are part of the product: what they promise, what they catch, and that none is missing."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
MISTAKES = HERE / "mistakes.py"
MARK = re.compile(r"  # type: ignore\[.*")


def run(*command: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    # pyright finds the packages of the first python on the path; --verifytypes heeds nothing else.
    environment = {**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"}
    return subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def tool(name: str) -> Path:
    path = BIN / name
    if not path.exists():
        pytest.fail(f"{name} is not installed beside {sys.executable}: run `make test`")
    return path


def test_mypy_sees_every_type_and_every_mistake(tmp_path: Path) -> None:
    found = run(
        tool("mypy"),
        "--strict",
        "--warn-unused-ignores",
        "--config-file=",
        f"--cache-dir={tmp_path}",
        HERE,
        cwd=tmp_path,
    )
    assert found.returncode == 0, found.stdout


def pyright(folder: Path, *arguments: str) -> dict[str, object]:
    found = run(tool("pyright"), "--outputjson", *arguments, cwd=folder)
    answer: dict[str, object] = json.loads(found.stdout)
    return answer


def test_pyright_sees_every_type_and_every_mistake(tmp_path: Path) -> None:
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict", "enableTypeIgnoreComments": false}')
    shutil.copytree(HERE, tmp_path / "checked", ignore=shutil.ignore_patterns("test_*"))
    found = pyright(tmp_path)
    reported = {
        (Path(str(item["file"])).name, item["range"]["start"]["line"] + 1)
        for item in found["generalDiagnostics"]  # type: ignore[attr-defined] # JSON
        if item["severity"] == "error"
    }
    lines = MISTAKES.read_text().splitlines()
    marked = {("mistakes.py", number) for number, line in enumerate(lines, 1) if MARK.search(line)}
    assert len(marked) >= 10
    assert reported == marked


def test_every_public_type_is_known(tmp_path: Path) -> None:
    found = pyright(tmp_path, "--verifytypes", "crm_sdk", "--ignoreexternal")
    completeness = found["typeCompleteness"]
    assert isinstance(completeness, dict)
    unknown = [
        symbol["name"] for symbol in completeness["symbols"] if symbol["isExported"] and not symbol["isTypeKnown"]
    ]
    assert completeness["completenessScore"] == 1, unknown
