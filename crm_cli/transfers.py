"""Downloads and jobs, with their progress on a terminal."""

from __future__ import annotations

import sys
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import JobFailedError

from .failures import MisuseError, complain

if TYPE_CHECKING:
    from rich.progress import Progress

    from crm_sdk import Job
    from crm_sdk.models import JobError
    from crm_sdk.network.downloads import Download

_SHOWN_ERRORS = 10


@contextmanager
def _progress() -> Generator[Progress | None]:
    """Show a progress bar where stderr is a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield progress


def to_stdout(download: Download) -> None:
    """Write a download to stdout."""
    sys.stdout.flush()
    for chunk in download.iter_bytes():
        sys.stdout.buffer.write(chunk)
    sys.stdout.buffer.flush()


def fetch(download: Download, to: str | None) -> dict[str, Any]:
    """Write a download to a file; return the path and the size."""
    path = to or download.filename or "download"
    if to is None and Path(path).exists():
        raise MisuseError(f"{path} already exists; name another file with --to")
    with _progress() as progress:
        if progress is None:
            written = download.save(path)
        else:
            task, seen = progress.add_task(path, total=download.size), download.iter_bytes

            def counted() -> Iterator[bytes]:
                for chunk in seen():
                    progress.advance(task, len(chunk))
                    yield chunk

            download.iter_bytes = counted  # type: ignore[method-assign] # `save` writes what this yields
            written = download.save(path)
    report = {"file": path, "bytes": written, "contentType": download.content_type, "total": download.total}
    return {name: value for name, value in report.items() if value is not None}


def wait(job: Job[Any]) -> tuple[Any, int]:
    """Wait for the end of a job and print the errors of single rows; returns its result and how many rows failed."""
    last = job
    with _progress() as progress:
        task = progress.add_task(job.kind, total=1.0) if progress else None

        def look(state: Job[Any]) -> None:
            nonlocal last
            last = state
            if progress is not None and task is not None:
                progress.update(task, completed=1.0 if state.done else state.progress)

        try:
            result = job.wait(timeout=None, on_progress=look)
        except KeyboardInterrupt:
            complain(f"job {job.id} continues on the server")
            raise
        except JobFailedError:
            _say(last)
            raise
    _say(last)
    _say_warnings(getattr(result, "warnings", ()))
    return result, last.counts.failed if last.counts is not None else 0


def _say_warnings(warnings: Sequence[JobError]) -> None:
    """Print on stderr what an import left out or read otherwise than it stood."""
    if warnings:
        complain(f"{len(warnings)} warning{'s' if len(warnings) > 1 else ''}; the rows are there")
    for warning in warnings[:_SHOWN_ERRORS]:
        complain(_line(warning))
    if len(warnings) > _SHOWN_ERRORS:
        complain("  …")


def _line(error: JobError) -> str:
    where = ", ".join(part for part in (f"row {error.row}" if error.row else "", error.field or "") if part)
    return f"  {where}: {error.message}" if where else f"  {error.message}"


def _say(job: Job[Any]) -> None:
    """Print the errors of single rows of a job on stderr."""
    if job.errors and job.counts is not None:
        complain(f"{job.counts.failed} of {job.counts.total} failed")
    for error in job.errors[:_SHOWN_ERRORS]:
        complain(_line(error))
    if len(job.errors) > _SHOWN_ERRORS:
        complain("  …")
    if job.file_id is not None and job.errors:
        complain(f"all of them: file {job.file_id}")
