"""The options of commands whose first argument is an id: `-` in its place reads the ids from stdin."""

from __future__ import annotations

import inspect
from typing import Any

import typer

from ..failures import MisuseError
from ..tree.global_options import PANEL, keyword
from ..tree.parameters import Parameter

STDIN = "-"
"""What stands for the ids of stdin."""


def ids_options(ids: Parameter) -> list[inspect.Parameter]:
    """Return ``--jobs``, and the argument ``-`` where the ids are an option."""
    text = f"How many calls are made at once for the ids of stdin: {STDIN} in place of {ids.flag}; without it one."
    option = typer.Option(None, "--jobs", min=1, max=32, help=text, metavar="INT", rich_help_panel=PANEL)
    found = [keyword("jobs", int, option)]
    if ids.place != "argument":
        text = f"`{STDIN}` for the ids of {ids.flag}, one a line on stdin."
        found.append(keyword("stdin", str, typer.Argument(None, metavar=f"[{STDIN}]", help=text, parser=str)))
    return found


def reads_ids(ids: Parameter, typed: Any, stdin: str | None, data: str | None, jobs: int | None) -> bool:
    """Return whether the ids are those of stdin. Raises: MisuseError for a word where only `-` can stand."""
    if stdin not in (None, STDIN):
        raise MisuseError(f"unexpected argument {stdin}: ids go to {ids.flag}, or {STDIN} reads them from stdin")
    reads = stdin == STDIN or typed in (STDIN, [STDIN])
    if reads and data in (STDIN, f"@{STDIN}"):
        raise MisuseError("stdin has the ids: --data cannot read it as well")
    if jobs is not None and not reads:
        raise MisuseError(f"--jobs is for the ids of stdin: type {STDIN} in place of the id")
    return reads
