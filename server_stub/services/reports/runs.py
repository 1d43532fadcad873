"""Runs of reports: the data of a report as they were, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from crm_sdk.resources.analytics import AnalyticsReports
from crm_sdk.resources.reports import Reports

from ... import jobs
from ...answers import Answer
from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members, reacts, runs, serves
from .checks import parameter_values
from .records import REPORTS, count
from .tables import Table, content_of

AT_ONCE = 50_000
"""So many records are read within the call; more take a job."""
_JOB = "report_run"
_USUAL = 50
"""So many rows or groups a page has."""


def carry_out(
    call: Context, report: Document, parameters: Members, trigger: str, *, schedule_id: str | None = None
) -> Document:
    """Run a report over the records that the caller may see, and keep what came of it. Raises 409, 422."""
    began, values = perf_counter(), parameter_values(report, parameters)
    table = Table.of(call, report, values)
    return _finish(call, report, _new(call, report, values, trigger, schedule_id), table, began)


def _new(
    call: Context, report: Document, values: Members, trigger: str, schedule_id: str | None = None
) -> dict[str, Any]:
    """Return the members of a run that is yet to be made."""
    return {
        "report_id": report["id"],
        "trigger": trigger,
        "parameters": dict(values),
        "row_count": 0,
        "truncated": False,
        "duration_ms": 0,
        "schedule_id": schedule_id,
        "status": "queued",
        "progress": 0.0,
        "started_at": None,
        "finished_at": None,
        "error": None,
        "user_id": call.caller.user_id,
        "content": None,
    }


def _finish(call: Context, report: Document, run: Members, table: Table, began: float) -> Document:
    """Store a run with what came of it."""
    content = content_of(table)
    members = {
        **run,
        "row_count": content["row_count"],
        "truncated": content["truncated"],
        "duration_ms": int((perf_counter() - began) * 1_000),
        "status": "succeeded",
        "progress": 1.0,
        "started_at": run["started_at"] or call.now,
        "finished_at": call.now,
        "content": content,
    }
    there = call.collection("run").get(run["id"]) if "id" in run else None
    done = call.update("run", there, members) if there is not None else call.create("run", "run_", members)
    count(call, report["id"], run_count=report["run_count"] + 1, last_run_at=call.now)
    call.emit("report.run_completed", "report", report, metadata={"run_id": done["id"]})
    return done


def page_of(run: Document, page: int, limit: int) -> dict[str, Any]:
    """Return a page of the data of a run: of its rows, or of its groups."""
    content: Mapping[str, Any] = run["content"]
    begin, end = (page - 1) * limit, page * limit
    return {
        **content,
        "rows": content["rows"][begin:end],
        "groups": content["groups"][begin:end],
        "report_id": run["report_id"],
        "run_id": run["id"],
        "page": page,
        "limit": limit,
        "has_next": end < max(len(content["rows"]), len(content["groups"])),
    }


@serves(Reports.run, AnalyticsReports.run)
def run(call: Context, report_id: str, parameters: Members | None, limit: int | None) -> Answer:
    """Run a report now."""
    report, began = REPORTS.find_one(call, report_id), perf_counter()
    values = parameter_values(report, parameters or {})
    table = Table.of(call, report, values)
    members = _new(call, report, values, "manual")
    if len(table.docs) > AT_ONCE:
        return Answer(_queue(call, report, members, len(table.docs)) | {"data": None}, status=202)
    done = _finish(call, report, members, table, began)
    return Answer(done | {"data": page_of(done, 1, limit or _USUAL)})


def _queue(call: Context, report: Document, members: Members, total: int) -> Document:
    """Store a run that a job makes, and queue the job."""
    run = call.create("run", "run_", members)
    jobs.start(
        call,
        _JOB,
        {"run_id": run["id"]},
        title=f"Run of {report['name']}",
        total=total,
        status_url=f"/jobs/{run['id']}",
        entity={"type": "report", "id": report["id"], "name": report["name"]},
        cancellable=False,
    )
    return run


@runs(_JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Make a run that was queued."""
    run, began = call.record("run", job["payload"]["run_id"]), perf_counter()
    report = REPORTS.find_one(call, run["report_id"])
    table = Table.of(call, report, run["parameters"])
    done = _finish(call, report, run | {"started_at": job["started_at"]}, table, began)
    counts = dict.fromkeys(("processed", "succeeded"), done["row_count"])
    return {"status": "succeeded", "counts": job["counts"] | counts}


@reacts("job.failed")
def end_failed(call: Context, entry: Document) -> None:
    """End a run that its job could not make."""
    jobs.fail_record(call, entry, _JOB, "run", "run_id")


@serves(Reports.data, AnalyticsReports.data)
def data(call: Context, report_id: str, run_id: str | None, fresh: bool, page: int, limit: int) -> dict[str, Any]:
    """Return a page of the caller's last run, or of a named one; without any, run the report."""
    report = REPORTS.find_one(call, report_id)
    mine = [
        one
        for one in call.collection("run").find("report_id", report["id"])
        if one["user_id"] == call.caller.user_id and one["status"] == "succeeded"
    ]
    if run_id is not None:
        found = next((one for one in mine if one["id"] == run_id), None)
        if found is None:
            raise Problem("NOT_FOUND", f"{report['name']} has no run {run_id!r}", details={"id": run_id})
    else:
        found = mine[-1] if mine and not fresh else carry_out(call, report, {}, "manual")
    return page_of(found, page, limit)
