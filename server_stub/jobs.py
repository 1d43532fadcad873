"""Jobs on the stub's clock: they are records and run in steps, so that they survive snapshots and restarts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from . import timetable
from .data.collection import Collection
from .data.document import Document
from .problems import LOG, Problem
from .serving import Caller, Context
from .timetable import Task

if TYPE_CHECKING:
    from .core import StubServer

Step = Callable[[Context, Document], Mapping[str, Any]]

PACE = timedelta(milliseconds=200)
"""The duration of one step on the stub's clock."""


def start(call: Context, kind: str, payload: Mapping[str, Any], *, total: int, status_url: str | None) -> Document:
    """Queue a job. `payload` is the input of its steps; `status_url` has ``{id}`` in place of the job's id."""
    id = call.new_id("job_")
    return call.collection("job").put(
        Document(
            id=id,
            kind=kind,
            created_at=call.now,
            updated_at=call.now,
            created_by=call.caller.actor_id,
            version=1,
            status="queued",
            progress=0.0,
            started_at=None,
            finished_at=None,
            error=None,
            counts=dict.fromkeys(
                ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted"), 0
            )
            | {"total": total},
            errors=[],
            errors_truncated=False,
            result=None,
            status_url=status_url.format(id=id) if status_url else None,
            payload=dict(payload),
            caller=asdict(call.caller),
            due_at=call.now + PACE,
            source=dict(call.source),
            reason=call.reason,
        )
    )


def run_due(server: StubServer) -> None:
    """Carry out everything that is due in order of time: job steps, recurring work and appointments."""
    while True:
        now = server.clock.now()
        task = min((*_due_steps(server, now), *timetable.due(server, now)), default=None)
        if task is None:
            return
        task.run()


def _due_steps(server: StubServer, now: datetime) -> Iterator[Task]:
    for jobs in server.store.across("job"):
        for status in ("queued", "running"):
            for job in jobs.find("status", status):
                if job["due_at"] <= now:
                    yield Task(job["due_at"], 1, job["id"], jobs.tenant_id, partial(_step, server, jobs, job))


def _step(server: StubServer, jobs: Collection, job: Document) -> None:
    """Carry out the next step of a job. An exception undoes the writes of the step and fails the job."""
    at: datetime = job["due_at"]
    moved = {"status": "running", "started_at": job["started_at"] or at, "due_at": at + PACE, "updated_at": at}
    running = job | moved | {"version": job["version"] + 1}
    try:
        call = Context(
            server,
            Caller(**job["caller"]),
            at,
            dialect="system",
            operation=f"job:{job['kind']}",
            request_id=job["id"],
            source=job["source"],
            reason=job.get("reason"),
        )
        with server.store.transaction():
            after = _with_progress(running | server.steps[job["kind"]](call, running))
    except Problem as problem:
        after = _with_failure(running, problem.code, problem.message, problem.field, problem.details)
    except Exception as error:  # a bug in the step fails this job, but not the next request
        LOG.exception("the job %s (%s) failed", job["id"], job["kind"])
        after = _with_failure(running, "INTERNAL_ERROR", f"the step raised {type(error).__name__}; the log has more")
    jobs.put(after)


def _with_progress(job: Document) -> Document:
    """Return a job after a step: with its progress, or ended."""
    if job["status"] in ("succeeded", "failed", "cancelled"):
        return job | {
            "finished_at": job["updated_at"], "progress": 1.0 if job["status"] == "succeeded" else job["progress"]
        }  # fmt: skip
    total = job["counts"]["total"]
    return job | {"progress": round(job["counts"]["processed"] / total, 4) if total else job["progress"]}


def _with_failure(
    job: Document, code: str, message: str, field: str | None = None, details: Mapping[str, Any] | None = None
) -> Document:
    error = {"code": code, "message": message, "field": field, "details": dict(details or {})}
    return _with_progress(job | {"status": "failed", "error": error})
