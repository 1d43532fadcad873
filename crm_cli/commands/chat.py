"""``crm chat "my deals over 10k"``: a conversation over the company's data, which asks before it writes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from ..connection import open_writing_client
from ..failures import DECLINED, MisuseError, visible
from ..settings import Options, settle

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import ChatMessage

_END = frozenset(["exit", "quit", "/exit", "/quit"])


def chat(
    options: Options,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="WORDS", help="What is said; without it the terminal is asked.")
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help="The conversation to go on with.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Carry out what is planned without asking.")] = False,
) -> int:
    """Ask about the company's records, and change them: `crm chat "my deals over 10k closing this month"`.

    What would write is shown first, and asked about; where there is no terminal to ask, `--yes` confirms it. `/help`
    lists the commands. The CRM needs to be one of the platform.
    """
    settings = settle(options)
    status = 0
    with open_writing_client(settings) as client:
        for text in [" ".join(words)] if words else _typed_lines():
            answer = client.chatops.send(text, session_id=session, channel="cli")
            session = answer.session_id
            _show(settings.output, answer)
            if answer.plan is not None and answer.plan.status == "pending":
                status = _settle(client, settings.output, answer, yes=yes)
    return status


def _typed_lines() -> Iterator[str]:
    """Yield the lines that are typed, or those of stdin where it is no terminal."""
    asks = sys.stdin.isatty()
    while True:
        if asks:
            sys.stderr.write("> ")
            sys.stderr.flush()
        typed = sys.stdin.readline()
        if not typed or typed.strip().casefold() in _END:
            return
        if typed.strip():
            yield typed.strip()


def _settle(client: CrmClient, format: str, answer: ChatMessage, *, yes: bool) -> int:
    """Confirm a plan, or cancel it; return the exit status."""
    from ..terminal.asking import is_confirmed  # here: the root of the command line imports this module

    summary = answer.plan.summary if answer.plan is not None else ""
    try:
        agreed = yes or is_confirmed(summary)
    except MisuseError:
        client.chatops.confirm(answer.id, accept=False)
        raise
    done = client.chatops.confirm(answer.id, accept=agreed)
    if agreed:
        _show(format, done)
    return 0 if agreed else DECLINED


def _show(format: str, answer: ChatMessage) -> None:
    if format == "table":
        from ..console import stdout

        _draw(stdout(), answer)
    else:
        from ..terminal.output import Printer, plain

        Printer("jsonl" if format in ("csv", "tsv", "ids") else format).show(plain(answer))


def _draw(screen: Console, answer: ChatMessage) -> None:
    """Draw an answer: its text, the records with their ids, and what would change."""
    from rich.table import Table
    from rich.text import Text

    def table(columns: list[str], rows: list[list[str]]) -> None:
        drawn = Table(*columns, box=None, header_style="bold", pad_edge=False)
        for row in rows:
            drawn.add_row(*(Text(visible(cell)) for cell in row))
        screen.print(drawn)

    plan, listed = answer.plan, answer.intent is not None and answer.intent.name == "list"
    first = answer.text.partition(":")[0] if listed and answer.records else answer.text
    screen.print(Text("\n".join(visible(text) for text in first.splitlines())))
    if plan is not None and plan.status == "pending" and plan.changes:
        changes = [[change.field, _text(change.before), _text(change.after)] for change in plan.changes]
        table(["member", "before", "after"], changes)
    elif listed and answer.records:
        table(["id", "name"], [[record.id, record.name or ""] for record in answer.records])
    if answer.suggestions and not answer.records:
        screen.print(Text("\n".join(f"  {visible(text)}" for text in answer.suggestions), "dim"))


def _text(value: object) -> str:
    return "" if value is None else str(value)
