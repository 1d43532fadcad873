"""Answer a command line at the front door, or leave it to the tree of commands."""

from __future__ import annotations

import os
import sys

from . import manifest, pages

_HELP = ("--help", "-h")
_DRAWN_OTHERWISE = (
    "FORCE_COLOR",
    "TTY_COMPATIBLE",
    "TTY_INTERACTIVE",
    "JUPYTER_COLUMNS",
    "JUPYTER_LINES",
    "DATABRICKS_RUNTIME_VERSION",
)
"""Variables that have Rich draw for more than a pipe."""
_NARROWEST = 60
"""Narrower pages are drawn by the tree: there tables give way in ways of Rich's own."""


def answer(arguments: list[str]) -> int | None:
    """Print the help that is asked for and return the exit status; None where it is the tree's."""
    words = help_asked_for(arguments)
    if words is None or not manifest.is_trusted():
        return None
    columns = width()
    lines = manifest.block(words) if columns is not None else None
    if columns is None or lines is None:
        return None
    sys.stdout.write(pages.overview(lines, columns) if not words else pages.page(lines, columns))
    return 0


def help_asked_for(arguments: list[str]) -> list[str] | None:
    """Return the words of the command whose help is asked for, and nothing else; None for any other command line."""
    if not arguments:
        return None
    words = arguments[:-1] if arguments[-1] in _HELP else arguments[1:] if arguments[0] == "help" else None
    return words if words is not None and all(map(_may_be_a_command, words)) else None


def _may_be_a_command(word: str) -> bool:
    return word[:1].isalnum() and word.isprintable() and " " not in word


def width() -> int | None:
    """Return how wide a page is on stdout, as Rich finds out; None where it would draw more than plain lines."""
    stdout = sys.stdout
    if stdout.isatty() or sys.platform == "win32" or any(name in os.environ for name in _DRAWN_OTHERWISE):
        return None
    if not (stdout.encoding or "").lower().startswith("utf"):
        return None
    found = 0
    for stream in (0, 1, 2):
        try:
            found = os.get_terminal_size(stream).columns
        except (ValueError, OSError):
            continue
        break
    columns = os.environ.get("COLUMNS", "")
    found = (int(columns) if columns.isdigit() else found) or 80
    return found if found >= _NARROWEST else None
