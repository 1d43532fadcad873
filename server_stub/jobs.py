"""Long work on the stub's clock: jobs are records, a step at a time, so that they survive snapshots and restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from .data.document import Document
from .problems import Problem
from .services.calendar.reminders import due_reminders
from .serving import Caller, Context
from .timetable import Entry, Timetable, carry_out, due_entries

if TYPE_CHECKING:
    from .core import StubServer

Step = Callable[[Context, Document], Mapping[str, Any]]

PACE = timedelta(milliseconds=200)
"""How long one step takes on the stub's clock."""


def start(call: Context, kind: str, payload: Mapping[str, Any], *, total: int, status_url: str | None) -> Document:
    """Queue a job. `payload` is what its steps work on; `status_url` has ``{id}`` where the job's id goes."""
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
        )
    )


def run_due(server: StubServer, steps: Mapping[str, Step], table: Timetable) -> None:
    """Carry out every step, recurring task and reminder that is due, in the order of time; each at its own time."""
    while True:
        now = server.clock.now()
        waiting: list[tuple[datetime, str, Document | Entry]] = [
            (doc["due_at"], collection.tenant_id, doc)
            for collection in server.store.across("job")
            for status in ("queued", "running")
            for doc in collection.find("status", status)
            if doc["due_at"] <= now
        ]
        waiting += due_entries(server, table, now)
        if not waiting:
            due_reminders(server)
            return
        at, tenant_id, task = min(waiting, key=_order)
        due_reminders(server, at)
        if isinstance(task, Entry):
            carry_out(server, table, at, tenant_id, task)
            continue
        call = Context(
            server,
            Caller(**task["caller"]),
            at,
            dialect="system",
            operation=f"job:{task['kind']}",
            request_id=task["id"],
            source=task["source"],
        )
        server.store.collection(tenant_id, "job").put(_after_step(call, task, steps))


def _order(waiting: tuple[datetime, str, Document | Entry]) -> tuple[datetime, str, str]:
    at, tenant_id, task = waiting
    return at, task.name if isinstance(task, Entry) else task["id"], tenant_id


def _after_step(call: Context, job: Document, steps: Mapping[str, Step]) -> Document:
    moved = {"status": "running", "started_at": job["started_at"] or call.now, "due_at": call.now + PACE}
    try:
        with call.server.store.transaction():
            changes = steps[job["kind"]](call, job | moved)
    except Problem as problem:
        changes = {
            "status": "failed",
            "error": {
                "code": problem.code,
                "message": problem.message,
                "field": problem.field,
                "details": dict(problem.details),
            },
        }
    new = job | moved | changes | {"updated_at": call.now, "version": job["version"] + 1}
    if new["status"] in ("succeeded", "failed", "cancelled"):
        return new | {"finished_at": call.now, "progress": 1.0 if new["status"] == "succeeded" else new["progress"]}
    total = new["counts"]["total"]
    return new | {"progress": round(new["counts"]["processed"] / total, 4) if total else new["progress"]}
