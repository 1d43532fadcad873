"""The options of a declared command that follow from the kind of its call."""

from __future__ import annotations

import inspect

import typer

from ..bulk.ids_options import ids_options
from ..terminal.limits import LIMIT
from .global_options import keyword, watch_option
from .parameters import Form

MEMBERS = "Members of the body"
"""The panel of the members of a body."""


def _told(form: Form) -> str:
    """Return the sentence about the end of a file's name, where a call makes files of several formats."""
    formats = (p.choices for p in form.parameters if p.name == "format" and p.place != "argument")
    return " Its end tells --format where that is not given." if next(formats, ()) else ""


def own_options(form: Form) -> list[inspect.Parameter]:
    """Return the options that follow from the kind of a call."""
    own: list[inspect.Parameter] = []
    if form.has_data:
        text = (
            "The body as JSON, @file, or - for stdin; options go before it; an empty value clears a member that may be "
            "null."
        )
        panel = MEMBERS if form.operation.arguments.body else None
        own.append(keyword("data", str, typer.Option(None, "--data", help=text, metavar="JSON", rich_help_panel=panel)))
    if form.operation.goes_on:
        text = "Print the items of all parts, one a line, in place of the first part."
        own.append(keyword("every", bool, typer.Option(False, "--all", help=text)))
    if form.operation.kind == "page":
        text = "Follow all pages: as --limit all."
        own.append(keyword("every", bool, typer.Option(False, "--all", help=text)))
        if "--limit" in form.own:
            own.append(keyword("limit", str, typer.Option(None, "--limit", help=LIMIT, metavar="INT")))
    if "--watch" in form.own:
        own.append(watch_option())
    if form.destroys:
        text = "Do it without asking; needed where there is no terminal to ask on."
        own.append(keyword("yes", bool, typer.Option(False, "--yes", "-y", help=text)))
    if form.operation.kind == "download":
        text = f"The file to write, - for stdout; without it the server's name for it.{_told(form)}"
        own.append(keyword("to", str, typer.Option(None, "--to", help=text, metavar="FILE")))
    if form.makes_file:
        text = "The file to save what the job made, - for stdout; without it the result says which file it is."
        text += _told(form)
        own.append(keyword("to", str, typer.Option(None, "--to", help=text, metavar="FILE")))
    if form.is_job or form.makes_file:
        text = "Wait for the job's end and print its result; otherwise print the job."
        waits = form.waits or form.is_run
        own.append(keyword("wait", bool, typer.Option(waits, "--wait/--no-wait", help=text)))
    if form.ids is not None:
        own += ids_options(form.ids)
    text = "Which members a table or CSV has, separated by commas."
    option = typer.Option(None, "--columns", help=text, metavar="NAMES")
    own.append(keyword("columns", str, option))
    return own
