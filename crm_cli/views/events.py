"""``crm events tail``: print the company's events as they happen."""

from __future__ import annotations

from typing import Annotated

import typer

from ..connection import open_client
from ..failures import MisuseError
from ..settings import Options, settle
from ..terminal.output import plain
from .conditions import condition
from .tail import Ending, check_way, split, start_cursor
from .tail import tail as show

_MEMBERS = ("type", "data", "id", "seq", "epoch", "timestamp")


def tail(
    options: Options,
    types: Annotated[
        list[str] | None,
        typer.Option("--type", help="Only these, such as lead.created; separated by commas, or repeat it."),
    ] = None,
    since: Annotated[
        str | None,
        typer.Option("--since", metavar="CURSOR", help="Begin after this: a cursor, a number, or now."),
    ] = None,
    until: Annotated[
        str | None,
        typer.Option("--until", metavar="CONDITION", help="End with the event that fulfils this; exit 0: it came."),
    ] = None,
    over: Annotated[
        str, typer.Option("--over", metavar="ws|sse", help="sse is for networks that block WebSockets.")
    ] = "ws",
    count: Annotated[int | None, typer.Option("--count", min=1, help="End after so many events.")] = None,
) -> int:
    """Print the company's events as they happen: as JSON lines for programs, as a table for people.

    A condition compares members with the names in the JSON lines: `type=lead.updated and data.status=won`. It has `=`,
    `!=` and `and`; quote a value with spaces. A list equals a value that it contains; an event without the member
    fulfils neither `=` nor `!=`.

    `--timeout` limits the whole command. The exit status is 8 if the timeout or `--count` is reached before the
    condition is fulfilled, and 130 after Ctrl-C. Lost events are reported on stderr, and the command continues.
    `--since EPOCH:SEQ` of a line continues after that line; `--since 0` begins with the oldest stored event.

    With `--offline` no other program can change the data: without `--timeout` the command ends after the stored events.

    Example: `crm events tail --type lead.updated --until data.status=qualified --timeout 60 -o jsonl`
    """
    settings = settle(options)
    check_way(over)
    wanted, goal = split(types), condition(until, _MEMBERS) if until is not None else None
    missed = goal.never(wanted) if goal is not None and wanted is not None else None
    if missed is not None:
        raise MisuseError(f"--until waits for {missed}, which --type leaves out")
    ending = Ending.of(settings, goal, count)
    with (
        open_client(settings) as client,
        client.events.listen(types=wanted, since=start_cursor(since), over=over) as stream,  # type: ignore[arg-type] # the SDK checks it
    ):
        return show(stream, plain, settings.output, ending)
