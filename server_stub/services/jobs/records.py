"""The rules of `client.jobs`: every job, and every record that is work itself, in one list."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.any_jobs import result_model
from crm_sdk.resources.jobs import Jobs
from crm_sdk.route import Action
from crm_sdk.wire import camel

from ... import jobs
from ...data.document import Document
from ...data.mapped import Mapped
from ...data.queries.query import sort_documents
from ...problems import Problem, missing
from ...request.access import permissions
from ...request.answering.rendering import renderer
from ...serving import Context, Members, reacts, serves
from ..backups import records as backups
from ..integrations import runs as sync_runs
from ..notifications import notify
from ..reports.exports import result_now
from ..workflows import engine

KEPT = timedelta(days=30)
"""So long after its end a job is answered."""
_REGISTER = timedelta(days=1_095)
"""The same of the requests of persons about their data, which are the register of them."""
_COUNTS = ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted")


@dataclass(frozen=True, slots=True)
class _Run:
    """A kind of records that are work themselves."""

    kind: str
    title: str
    """What it is called; of one that has a name, with that in place of the braces."""
    of: Mapping[str, str] = field(default_factory=dict[str, str])
    """The members with the id of what is carried out, whose name it has, and the collections of these."""
    job_kinds: tuple[str, ...] = ()
    """The kinds of the jobs that carry such work out: they are not listed beside it."""
    cancel: Callable[[Context, Document], object] | None = None


RUNS: Mapping[str, _Run] = {
    "prediction": _Run("prediction", "Prediction of {}", job_kinds=("prediction",)),
    "execution": _Run(
        "workflow", "Execution of {}", {"rule_id": "rule", "workflow_id": "workflow"}, cancel=engine.cancel
    ),
    "run": _Run("report_run", "Run of {}", {"report_id": "report"}, ("report_run",)),
    "sync_run": _Run(
        "sync",
        "Synchronisation with {}",
        {"integration_id": "integration"},
        ("integration_sync", "calendar_sync"),
        sync_runs.cancel,
    ),
    "backup": _Run("backup", "Backup {}", job_kinds=("backup",), cancel=backups.cancel),
}
"""The records that are work themselves, by their collection."""
_WITHIN = frozenset(kind for run in RUNS.values() for kind in run.job_kinds)


def _is_own(call: Context, job: Members) -> bool:
    return job["created_by"] in (call.caller.actor_id, call.caller.user_id)


def _is_permitted(call: Context, action: Action, job: Members) -> bool:
    """Return whether a job is the caller's own, or the caller may do this with the jobs of all."""
    return _is_own(call, job) or permissions.scope_for(call.caller, "jobs", action) == "all"


def _is_kept(call: Context, job: Members) -> bool:
    ended: datetime | None = job.get("finished_at")
    kept = _REGISTER if str(job.get("kind")).startswith("privacy_") else KEPT
    return ended is None or ended + kept > call.now


def _about(job: Members) -> Mapping[str, Any]:
    return job["entity"] or {}


def _found_job(call: Context, id: str) -> tuple[str, Document]:
    """Return the collection and the record of a job or a run that the caller may see. Raises: 404."""
    for collection in ("job", *RUNS):
        doc = call.collection(collection).get(id)
        if doc is not None and _is_kept(call, doc) and _is_permitted(call, "read", doc):
            return collection, doc
    raise missing("job", id)


def _name_of(call: Context, run: _Run, doc: Members) -> str:
    """Return the name of a run: its own, or that of what it carries out, also where that was deleted since."""
    own = doc.get("name") or doc.get("title") or doc.get("kind")
    if own is not None:
        return str(own)
    member, kind = next((pair for pair in run.of.items() if doc[pair[0]] is not None), ("id", ""))
    carried_out = call.collection(kind).get(doc[member], deleted=True) if kind else None
    return str(carried_out["name"] if carried_out is not None else doc[member])


def _view(call: Context, collection: str, doc: Document) -> dict[str, Any]:
    """Return a job, or a run, with the members of a job."""
    if collection == "job":
        return {**doc, "result": _result(call, doc), "status_url": doc["status_url"] or f"/jobs/{doc['id']}"}
    run = RUNS[collection]
    name = _name_of(call, run, doc)
    ended = doc["status"] in jobs.ENDED
    return {
        **doc,
        "kind": run.kind,
        "title": run.title.format(name.removeprefix(run.title.format(""))),
        "entity": {"type": run.kind, "id": doc["id"], "name": name},
        "cancellable": run.cancel is not None and not ended,
        "status": doc["status"] if ended or doc["status"] == "queued" else "running",
        "progress": doc.get("progress") or 0.0,
        "counts": _counts(doc),
        "error": doc.get("error"),
        "errors": [],
        "errors_truncated": False,
        "file_id": None,
        "result": None,
        "status_url": f"/jobs/{doc['id']}",
    }


def _counts(run: Members) -> Mapping[str, int]:
    """Return the counts of a run; those of one that counts its records by entity are their sum."""
    counts: Mapping[str, int] = run.get("counts") or {}
    none: dict[str, int] = dict.fromkeys(_COUNTS, 0)
    if "total" in counts:
        return counts
    return none | dict.fromkeys(("total", "processed", "succeeded"), sum(counts.values()))


def _result(call: Context, job: Members) -> Any:
    """Return the result of a job as JSON: in the model of its kind, else its members by their wire names."""
    result = result_now(call, job["result"])
    model = result_model(job["kind"])
    if result is None or job["status"] != "succeeded":
        return None
    return renderer(model, "platform")(result) if model else {camel(name): value for name, value in result.items()}


def _everything(call: Context) -> Iterator[tuple[str, Document]]:
    """Yield every job and run of the company that is still answered, with its collection."""
    for collection in ("job", *RUNS):
        for doc in call.collection(collection).all():
            inner = collection == "job" and doc["kind"] in _WITHIN
            if not inner and _is_kept(call, doc):
                yield collection, doc


def kinds_and_states(call: Context) -> Iterator[tuple[str, str]]:
    """Yield the kind and the status of every job and run of the company, as they are listed."""
    for collection, doc in _everything(call):
        shown = _view(call, collection, doc)
        yield str(shown["kind"]), str(shown["status"])


@serves(Jobs.list)
def list_(
    call: Context,
    kind: Sequence[str] | None,
    status: Sequence[str] | None,
    created_by: str | None,
    entity_type: str | None,
    since: datetime | None,
    until: datetime | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the jobs that match, newest first."""
    seen = (_view(call, collection, doc) for collection, doc in _everything(call) if _is_permitted(call, "read", doc))
    docs = [
        Document(job)
        for job in seen
        if (kind is None or job["kind"] in kind)
        and (status is None or job["status"] in status)
        and created_by in (None, job["created_by"])
        and entity_type in (None, _about(job).get("type"))
        and (since is None or job["created_at"] >= since)
        and (until is None or job["created_at"] < until)
    ]
    found = sort_documents(docs, sort, order, ("finished_at", "kind"))
    return Mapped(found, lambda job: job | {"errors": [], "result": None})


@serves(Jobs.get)
def get(call: Context, job_id: str) -> dict[str, Any]:
    """Return a job or a run."""
    found = _view(call, *_found_job(call, job_id))
    return found | {"errors": jobs.errors_seen(call, found)}


@serves(Jobs.cancel)
def cancel(call: Context, job_id: str) -> dict[str, Any]:
    """Stop a job; what is done stays done."""
    collection, doc = _found_job(call, job_id)
    if not _is_permitted(call, "manage", doc):
        raise Problem("FORBIDDEN", f"{job_id} was started by somebody else: to stop it takes jobs:manage")
    shown = _view(call, collection, doc)
    if shown["status"] == "cancelled":
        return shown | {"errors": jobs.errors_seen(call, shown)}
    if shown["status"] in jobs.ENDED:
        message = f"{shown['title']} has {shown['status']} already"
        raise Problem("JOB_FINISHED", message, details={"status": shown["status"]})
    if not shown["cancellable"]:
        raise Problem("JOB_NOT_CANCELLABLE", f"a job of the kind {shown['kind']} goes on to its end")
    stop = RUNS[collection].cancel if collection != "job" else jobs.cancel
    if stop is not None:
        stop(call, doc)
    after = call.collection(collection).get(job_id) or doc
    call.emit("job.cancelled", "job", {**after, "name": shown["title"]}, metadata={"kind": shown["kind"]})
    stopped = _view(call, collection, after)
    return stopped | {"errors": jobs.errors_seen(call, stopped)}


@reacts("job.completed", "job.failed")
def tell_creator(call: Context, entry: Document) -> None:
    """Notify whoever started a job of its end."""
    job = call.collection("job").get(entry["entity"]["id"])
    user_id = job["caller"]["user_id"] if job is not None else None
    if job is None or user_id is None:
        return
    failed = entry["action"] == "job.failed"
    error: Mapping[str, Any] = (job["error"] if failed else None) or {}
    why = error.get("message")
    notify(
        call, user_id, "system", f"{job['title']} {'failed' if failed else 'is done'}", why or job["title"],
        priority="high" if failed else "low", about=("job", job["id"]),
    )  # fmt: skip
