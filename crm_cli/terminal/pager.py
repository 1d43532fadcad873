"""A pager for what is longer than the terminal; what goes to a pipe or a file meets none."""

from __future__ import annotations

import io
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

from ..failures import holding_notes

paging: ContextVar[bool] = ContextVar("paging", default=True)
"""Whether the command that runs may use a pager: not with `--no-pager`."""
_LESS = "FRX"
"""less ends by itself where all fits the screen, shows colours, and leaves what it showed."""


class _Paged(io.TextIOWrapper):
    """Standard output on its way through a pager: still a terminal, whose width and colours are used."""

    def isatty(self) -> bool:
        """Return True."""
        return True


@contextmanager
def through_pager() -> Generator[None]:
    """Show on a terminal what is printed within it by the pager; whoever leaves that early has seen enough."""
    words = _pager()
    if not words:
        yield
        return
    with holding_notes(), _through(words):
        yield


@contextmanager
def _through(words: list[str]) -> Generator[None]:
    environment = {"LESS": _LESS, "LESSCHARSET": "utf-8", **os.environ}
    try:
        pager = subprocess.Popen(words, stdin=subprocess.PIPE, env=environment)  # the user's own choice
    except OSError:
        yield
        return
    terminal = sys.stdout
    out: Any = pager.stdin
    stream = _Paged(out, encoding=terminal.encoding, errors=terminal.errors, write_through=True)
    sys.stdout = stream
    try:
        with suppress(BrokenPipeError):
            yield
    finally:
        sys.stdout = terminal
        with suppress(BrokenPipeError):
            stream.close()
        while True:
            with suppress(KeyboardInterrupt):  # Ctrl-C is the pager's
                pager.wait()
                break


def _pager() -> list[str]:
    """Return the words of the pager; none where there is none, or nobody who reads."""
    if not (paging.get() and sys.stdout.isatty() and sys.stdin.isatty()):
        return []
    chosen = next((os.environ[name] for name in ("CRM_PAGER", "PAGER") if name in os.environ), "less")
    words = shlex.split(chosen)
    if not words or words == ["cat"] or os.environ.get("TERM") == "dumb" or shutil.which(words[0]) is None:
        return []
    return words
