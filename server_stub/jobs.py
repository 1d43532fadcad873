"""Jobs on the stub's clock: they are records and run in steps, so that they survive snapshots and restarts.

A step gets the job and returns its new members; its new errors are the member ``new_errors``. A job shows its first
1,000 errors. A job that ends with errors and made no file stores all of them in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from . import timetable
from .caller import Caller
from .data.collection import Collection
from .data.document import Document
from .files import csv_files
from .problems import LOG, Problem
from .request.access.hiding import is_limited
from .serving import Context
from .timetable import Task

if TYPE_CHECKING:
    from .core import StubServer

Step = Callable[[Context, Document], Mapping[str, Any]]

PACE = timedelta(milliseconds=200)
"""The duration of one step on the stub's clock."""
ENDED = frozenset({"succeeded", "failed", "cancelled"})
_NEVER = datetime.max.replace(tzinfo=UTC)
_ERRORS = "job_errors"
_ERRORS_SHOWN = 1_000
_ERROR_COLUMNS = ("row", "field", "code", "message", "value")


def start(
    call: Context,
    kind: str,
    payload: Mapping[str, Any],
    *,
    title: str,
    total: int,
    status_url: str | None,
    entity: Mapping[str, Any] | None = None,
    cancellable: bool = True,
) -> Document:
    """Queue a job. `payload` is the input of its steps; `status_url` has ``{id}`` in place of the job's id.

    `title` describes it in one line; `entity` refers to the record it is about, where it is about one.
    """
    id = call.new_id("job_")
    return call.collection("job").put(
        Document(
            id=id,
            kind=kind,
            title=title,
            entity=dict(entity) if entity is not None else None,
            cancellable=cancellable,
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
            file_id=None,
            result=None,
            status_url=status_url.format(id=id) if status_url else None,
            payload=dict(payload),
            caller=call.caller.as_stored(),
            due_at=call.now + PACE,
            source=dict(call.source),
            reason=call.reason,
        )
    )


def finish(call: Context, job: Document, result: Mapping[str, Any], **counts: int) -> Document:
    """End a job that was carried out within the request, with its result and its counts: the answer tells of it."""
    ended = {"status": "succeeded", "started_at": call.now, "result": dict(result), "counts": job["counts"] | counts}
    return call.collection("job").put(_with_progress(job | ended))


def cancel(call: Context, job: Document) -> Document:
    """Stop a job that waits or runs between two steps: what its steps have done stays."""
    stopped = job | {"status": "cancelled", "updated_at": call.now, "version": job["version"] + 1}
    return call.collection("job").put(_with_error_file(call, _with_progress(stopped)))


def job_of(call: Context, entry: Mapping[str, Any]) -> Document:
    """Return the job whose end an event tells; a job of no kind where it is gone."""
    return call.collection("job").get(entry["entity"]["id"]) or Document(kind=None, payload={})


def fail_record(call: Context, entry: Mapping[str, Any], job_kind: str, kind: str, member: str) -> None:
    """End the record that a failed job of a kind was to make, whose id its payload has, as failed."""
    job = job_of(call, entry)
    doc = call.collection(kind).get(job["payload"][member]) if job["kind"] == job_kind else None
    if doc is not None:
        call.update(kind, doc, {"status": "failed", "error": job["error"], "finished_at": call.now})


def _tell(call: Context, job: Document) -> None:
    """Publish the end of a job."""
    event = "job.completed" if job["status"] == "succeeded" else "job.failed"
    call.emit(event, "job", {**job, "name": job["title"]}, metadata={"kind": job["kind"]})


@dataclass(slots=True)
class Rest:
    """Until when nothing is due, as long as nobody writes to what says so."""

    until: datetime
    written: Sequence[tuple[Collection, int]]
    """The collections that say what is due when, each with the number of its writes."""


def run_due(server: StubServer) -> None:
    """Carry out everything that is due in order of time: job steps, recurring work and appointments.

    What cannot even be noted as failed is left until the next request.
    """
    left: set[tuple[str, str]] = set()
    while True:
        now, rest, written = server.clock.now(), server.rest, _write_counts(server)
        if rest is not None and now < rest.until and rest.written == written:
            return
        planned = (*_planned_steps(server), *timetable.planned_tasks(server, now))
        task = min((one for one in planned if (one.tenant_id, one.name) not in left), default=None)
        if task is None or task.at > now:
            server.rest = Rest(_NEVER if task is None else task.at, written) if not left else None
            return
        try:
            task.run()
        except Exception:  # nobody who calls meanwhile is to blame
            LOG.exception("%s of %s was not noted: it is tried again with the next request", task.name, task.tenant_id)
            left.add((task.tenant_id, task.name))


def _write_counts(server: StubServer) -> list[tuple[Collection, int]]:
    return [(each, each.writes) for kind in ("job", timetable.KIND, "tenant") for each in server.store.across(kind)]


def _planned_steps(server: StubServer) -> Iterator[Task]:
    for jobs in server.store.across("job"):
        for status in ("queued", "running"):
            for job in jobs.find("status", status):
                yield Task(job["due_at"], 1, job["id"], jobs.tenant_id, partial(_step, server, jobs, job))


def _step(server: StubServer, jobs: Collection, job: Document) -> None:
    """Carry out the next step of a job and store it. An exception undoes all writes and fails the job."""
    at: datetime = job["due_at"]
    moved = {"status": "running", "started_at": job["started_at"] or at, "due_at": at + PACE, "updated_at": at}
    running = job | moved | {"version": job["version"] + 1}
    call = Context(
        server,
        Caller.of(job["caller"]),
        at,
        dialect="system",
        operation=f"job:{job['kind']}",
        request_id=job["id"],
        source=job["source"],
        reason=job.get("reason"),
    )
    try:
        with server.store.transaction():
            made = dict(server.steps[job["kind"]](call, running))
            _keep(call, _with_progress(_with_errors(call, running, made.pop("new_errors", ())) | made))
        return
    except Problem as problem:
        after = _with_failure(running, problem.code, problem.message, problem.field, problem.details)
    except Exception as error:  # a bug in the step fails this job, but not the next request
        LOG.exception("the job %s (%s) failed", job["id"], job["kind"])
        after = _with_failure(running, "INTERNAL_ERROR", f"the step raised {type(error).__name__}; the log has more")
    try:
        with server.store.transaction():
            _keep(call, after)
    except Exception:  # a bug in what follows from the failure: the job has failed nevertheless
        LOG.exception("the end of the job %s (%s) was not told", job["id"], job["kind"])
        jobs.put(after)


def _keep(call: Context, job: Document) -> None:
    """Store a job after a step, and publish its end."""
    call.collection("job").put(_with_error_file(call, job) if job["status"] in ENDED else job)
    if job["status"] in ("succeeded", "failed"):
        _tell(call, job)


def _with_errors(call: Context, job: Document, new: Sequence[Mapping[str, Any]]) -> Document:
    """Return a job with more errors; all of them are kept beside it, which is written anew at every step."""
    if not new:
        return job
    errors, kept = call.collection(_ERRORS), [*job["errors"], *new]
    known = errors.get(job["id"])
    errors.put(Document(id=job["id"], errors=[*(known["errors"] if known else ()), *new]))
    shown = kept[:_ERRORS_SHOWN]
    return job | {"errors": shown, "errors_truncated": job["errors_truncated"] or len(kept) > len(shown)}


def _with_error_file(call: Context, job: Document) -> Document:
    """Return a job that has ended with all its errors in a file, where it has any and made no file of its own."""
    errors = call.collection(_ERRORS)
    kept = errors.get(job["id"])
    if kept is None:
        return job
    errors.remove(job["id"])
    if job["file_id"] is not None:
        return job
    rows = [[error.get(name) for name in _ERROR_COLUMNS] for error in kept["errors"]]
    return job | {"file_id": csv_files.store(call, f"{job['id']}-errors.csv", _ERROR_COLUMNS, rows)["id"]}


def errors_seen(call: Context, job: Mapping[str, Any]) -> list[Any]:
    """Return the errors of a job; those of somebody else's have nothing of members that are hidden from the caller."""
    payload: Mapping[str, Any] = job.get("payload") or {}
    entity = payload.get("entity") or ("contact" if job.get("kind") == "contact_import" else None)
    if not isinstance(entity, str) or job["created_by"] in (call.caller.actor_id, call.caller.user_id):
        return list(job["errors"])
    nothing = {"field": None, "value": None, "message": "the error is about what is hidden from you"}
    return [
        error | nothing if is_limited(call.caller.hidden, entity, str(error["field"] or "")) else error
        for error in job["errors"]
    ]


def _with_progress(job: Document) -> Document:
    """Return a job after a step: with its progress, or ended."""
    if job["status"] in ENDED:
        progress = 1.0 if job["status"] == "succeeded" else job["progress"]
        return job | {"finished_at": job["updated_at"], "progress": progress, "cancellable": False}
    total = job["counts"]["total"]
    return job | {"progress": round(job["counts"]["processed"] / total, 4) if total else job["progress"]}


def _with_failure(
    job: Document, code: str, message: str, field: str | None = None, details: Mapping[str, Any] | None = None
) -> Document:
    error = {"code": code, "message": message, "field": field, "details": dict(details or {})}
    return _with_progress(job | {"status": "failed", "error": error})
