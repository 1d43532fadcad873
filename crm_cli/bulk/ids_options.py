"""The options of commands whose first argument is an id: `-` in its place reads the ids from stdin."""

from __future__ import annotations

import inspect

import typer

from ..tree.global_options import PANEL, keyword
from ..tree.parameters import Parameter
from .ids_argument import STDIN


def ids_options(ids: Parameter) -> list[inspect.Parameter]:
    """Return ``--jobs``, and the argument ``-`` where the ids are an option."""
    text = f"How many calls are made at once for the ids of stdin: {STDIN} in place of {ids.flag}; without it one."
    option = typer.Option(None, "--jobs", min=1, max=32, help=text, metavar="INT", rich_help_panel=PANEL)
    found = [keyword("jobs", int, option)]
    if ids.place != "argument":
        text = f"`{STDIN}` for the ids of {ids.flag}, one a line on stdin."
        found.append(keyword("stdin", str, typer.Argument(None, metavar=f"[{STDIN}]", help=text, parser=str)))
    return found
