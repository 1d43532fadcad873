"""A terminal of tmux with a shell in it, as a person has it: keys go in, and what stands on the screen can be read."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from patience import until
from shell import ROOT

NEEDS_TMUX = pytest.mark.skipif(shutil.which("tmux") is None, reason="needs tmux, which is not installed here")
STARTS: Mapping[str, list[str]] = {
    "bash": ["bash", "--norc", "--noprofile"],
    "zsh": ["zsh", "-f"],
    "fish": ["fish", "--no-config"],
}
"""How each shell is started without what its user has set up."""


def program(folder: Path) -> Path:
    """Write `crm` into a folder, as pip would, and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / "crm").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m crm_cli "$@"\n')
    (folder / "crm").chmod(0o755)
    return folder


class Screen:
    """A shell in a terminal of so many columns and lines; it ends with the `with`."""

    def __init__(self, shell: str, environment: Mapping[str, str], *, width: int = 100, height: int = 30) -> None:
        if shutil.which(shell) is None:
            pytest.skip(f"needs {shell}, which is not installed here")
        self._folder = tempfile.mkdtemp(prefix="crm-")  # the path of a socket may not be long
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("TMUX")},
            "TERM": "xterm-256color",
            "LC_ALL": "C.UTF-8",
            "PS1": "$ ",
            "HOME": self._folder,
            **environment,
        }
        for name in ("COLUMNS", "LINES"):
            self._environment.pop(name, None)
        size = ["-x", str(width), "-y", str(height)]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size, "-c", str(ROOT), *STARTS[shell])

    def _tmux(self, *words: str) -> str:
        done = subprocess.run(
            ["tmux", "-S", f"{self._folder}/tmux", *words],
            env=self._environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if error is not None:
            print(self.text())  # noqa: T201 # pytest shows it with the failure
        self._tmux("kill-server")
        shutil.rmtree(self._folder, ignore_errors=True)

    def press(self, *keys: str) -> None:
        """Press keys by their names: Tab, Enter, C-c."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text as it is."""
        self._tmux("send-keys", "-l", text)

    def run(self, line: str) -> None:
        """Type a line, and end it."""
        self.type(line)
        self.press("Enter")

    def text(self) -> str:
        """Return what stands on the screen."""
        return self._tmux("capture-pane", "-p", "-J")

    def shows(self, text: str, times: int = 1) -> None:
        """Wait until a text stands on the screen, so many times."""
        until(lambda: self.text().count(text) >= times)
