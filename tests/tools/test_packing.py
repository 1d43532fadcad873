"""One file or one folder that holds a program and the client."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
from crm_sdk import CrmClient
def main():
    with CrmClient(sys.argv[1], "acme-admin") as client:
        print(client.leads.get("lead_123").id)
if __name__ == "__main__":
    main()
"""


def run(*command: str | Path, **options: object) -> str:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_pyinstaller(url: str, tmp_path: Path) -> None:
    pytest.importorskip("PyInstaller")
    (tmp_path / "program.py").write_text(PROGRAM)
    folders = [f"--{name}path={tmp_path / name}" for name in ("dist", "work", "spec")]
    folders += [f"--exclude-module={name}" for name in ("IPython", "pygments", "trio")]  # what only some programs use
    run(sys.executable, "-m", "PyInstaller", "--log-level=ERROR", *folders, tmp_path / "program.py")
    assert run(tmp_path / "dist" / "program" / "program", url) == "lead_123\n"


def test_shiv(url: str, tmp_path: Path) -> None:
    pytest.importorskip("shiv")
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "program.py").write_text(PROGRAM)
    made = tmp_path / "program.pyz"
    run(sys.executable, "-m", "shiv.cli", "-e", "program:main", "-o", made, "--site-packages", tmp_path / "app")
    assert run(sys.executable, made, url) == "lead_123\n"
