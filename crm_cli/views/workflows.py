"""``crm workflows runs``: what a workflow did, step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Annotated

import typer

from crm_sdk.models.workflows import ExecutionStatus
from crm_sdk.reading import choices_of
from crm_sdk.wire import is_array

from ..connection import open_client
from ..lookups import id_of
from ..settings import Options, settle
from ..terminal.limits import count
from .drawing import count_of, line, show, title_of
from .zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import ExecutionStep, FieldChange, WorkflowExecution

_MARKS: Mapping[str, tuple[str, str]] = {
    "succeeded": ("✓", "green"),
    "failed": ("✗", "bold red"),
    "skipped": ("–", "dim"),
    "waiting": ("…", "yellow"),
    "cancelled": ("⊘", "dim"),
}
_PAGE = 200
_LONGEST = 60
"""The characters that are shown of a value."""


def runs(
    options: Options,
    id: Annotated[str, typer.Argument(metavar="ID", help="Of a workflow, or its name, or of one of its executions.")],
    status: Annotated[
        str | None,
        typer.Option("--status", metavar="|".join(choices_of(ExecutionStatus)), help="Only executions like this."),
    ] = None,
    limit: Annotated[
        int, typer.Option("--limit", metavar="INT", parser=count, help="So many executions, the newest, or all.")
    ] = 10,
) -> None:
    """Show the executions of a workflow, the newest first, each with its steps and what they changed.

    ✓ succeeded, ✗ failed, – skipped, … waits, ⊘ cancelled. An execution's own id shows that one, also one of a rule of
    a pipeline.
    """
    settings = settle(options)
    with open_client(settings) as client:
        executions = client.workflows.executions
        if id.startswith("execution_"):
            found = [executions.get(id)]
        else:
            listed = executions.list(id_of(client, "workflows", id), status=status, limit=min(limit, _PAGE))
            found = [executions.get(one.id) for one in islice(listed, limit)]
        zone = zone_of(client) if settings.output == "table" else Zone()
    show(settings.output, found, found, lambda screen: _draw(screen, found, zone))


def _draw(screen: Console, found: Sequence[WorkflowExecution], zone: Zone) -> None:
    for run in found:
        screen.print(_head(run, zone))
        for step in run.steps:
            for text in _step(step, zone):
                screen.print(text)
        screen.print()
    screen.print(line(count_of(len(found), "execution")))


def _head(run: WorkflowExecution, zone: Zone) -> Text:
    entity = run.entity
    return line(
        _mark(run.status),
        (run.id, "bold"),
        (entity.name or entity.id) if entity is not None else ("no record", "dim"),
        (zone.text_of(run.created_at), "dim"),
        ("test" if run.dry_run else str(run.source).replace("_", " "), "dim"),
        (run.error.message, "red") if run.error is not None and not run.steps else None,
        between="  ",
    )


def _mark(status: object) -> tuple[str, str]:
    return _MARKS.get(str(status), ("·", "dim"))


def _step(step: ExecutionStep, zone: Zone) -> list[Text]:
    """Return the lines of a step: its mark and name, and what came of it."""
    made = f"→ {step.output.name or step.output.id}" if step.output is not None else ""
    until = f"until {zone.text_of(step.resume_at)}" if step.resume_at is not None else ""
    lines = [line("  ", _mark(step.status), "  ", step.name or title_of(str(step.type)), "  ", (made or until, "dim"))]
    lines += [line("       ", (_change(change), "dim")) for change in step.changes if step.output is None]
    if step.error is not None:
        lines.append(line("       ", (f"{step.error.code}: {step.error.message}", "red")))
    return lines


def _change(change: FieldChange) -> str:
    return f"{change.field}: {_short(change.before)} → {_short(change.after)}"


def _short(value: object) -> str:
    text = ", ".join(map(str, value)) if is_array(value) else str(value)
    text = text if value not in (None, {}) and text else "nothing"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
