"""Runs of synchronisations, of records and of calendars: each is a record, carried out by a job."""

from __future__ import annotations

from typing import Any

from crm_sdk.models.sync_runs import SyncRun

from ... import jobs
from ...data.blanks import blank
from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members, RecordType

SYNC_RUNS = RecordType("sync_run", SyncRun)
COUNTS = ("total", "processed", "succeeded", "failed", "skipped", "created", "updated", "deleted")
PLANS = "sync_plan"
"""The collection with what a run still has to do: its mappings as they were, and the records."""
UNDER_WAY = ("queued", "running", "paused")
"""The states of a run that has not ended."""


def create(call: Context, **members: Any) -> Document:
    """Store a new run."""
    plain = {"progress": 0.0, "counts": dict.fromkeys(COUNTS, 0), "status": "queued"}
    return call.create("sync_run", "sync_", {**blank(SyncRun), **plain, **members})


def begin(
    call: Context, integration: Members, job_kind: str, payload: Members, *, title: str, **members: Any
) -> Document:
    """Store a new run of an integration, and queue the job that carries it out."""
    run = create(call, integration_id=integration["id"], **members)
    job = jobs.start(
        call, job_kind, {**payload, "run_id": run["id"]}, title=title, total=0,
        status_url=f"/integrations/{integration['id']}/sync-status",
        entity={"type": "integration", "id": integration["id"], "name": integration["name"]},
    )  # fmt: skip
    return call.collection("sync_run").put(run | {"job_id": job["id"]})


def of(call: Context, integration_id: str) -> list[Document]:
    """Return the runs of an integration, the oldest first."""
    return call.collection("sync_run").find("integration_id", integration_id)


def current(call: Context, integration_id: str) -> Document | None:
    """Return the run of an integration that is queued, running or paused."""
    return next((run for run in reversed(of(call, integration_id)) if run["status"] in UNDER_WAY), None)


def require_ready(call: Context, integration: Members) -> None:
    """Raise 409 where an integration is not connected, or has a run already."""
    if integration["status"] != "connected":
        message = f"{integration['name']} is not connected"
        raise Problem("INTEGRATION_NOT_CONNECTED", message, details={"status": integration["status"]})
    run = current(call, integration["id"])
    if run is not None:
        raise in_progress(integration, run)


def in_progress(integration: Members, run: Members) -> Problem:
    """Return the 409 for what is not possible during a run."""
    message = f"{integration['name']} is being synchronised: {run['id']} is {run['status']}"
    return Problem("SYNC_IN_PROGRESS", message, details={"run_id": run["id"], "status": run["status"]})


def change_job(call: Context, run: Members, **members: Any) -> None:
    """Change the job of a run; one that is paused has no next step."""
    records = call.collection("job")
    job = records.get(run["job_id"]) if run.get("job_id") else None
    if job is not None and job["status"] not in jobs.ENDED:
        records.put(job | {"updated_at": call.now, "version": job["version"] + 1, **members})


def cancel(call: Context, run: Document) -> Document:
    """Cancel a run; what it has written stays."""
    change_job(call, run, status="cancelled", finished_at=call.now, cancellable=False)
    return end(call, run, {"status": "cancelled"})


def end(call: Context, run: Document, members: Members) -> Document:
    """Store the end of a run."""
    plans = call.collection(PLANS)
    if run["id"] in plans:
        plans.remove(run["id"])
    return call.update("sync_run", run, {**members, "finished_at": call.now})
