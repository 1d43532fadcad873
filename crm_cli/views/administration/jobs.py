"""``crm jobs wait``: wait for the end of a job, whoever started it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...settings import Options, settle
from ..drawing import heading, line, show

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk.models import AnyJob

_MARKS: Mapping[str, tuple[str, str]] = {"succeeded": ("✓", "green"), "failed": ("✗", "bold red")}


def wait(options: Options, job_id: Annotated[str, typer.Argument(help="Id of the job.")]) -> None:
    """Wait until a job has ended, and show what it did. One that failed or was cancelled is an error."""
    settings = settle(options)
    with open_client(settings) as client:
        job = client.jobs.get(job_id).wait(timeout=None)
    show(settings.output, job, [job], lambda screen: _draw(screen, job))


def _draw(screen: Console, job: AnyJob) -> None:
    counts: Mapping[str, int] = job.counts.model_dump(exclude_none=True) if job.counts is not None else {}
    done = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
    screen.print(line(_MARKS.get(job.status, ("⊘", "dim")), heading(job.title or job.id, done), between=" "))
