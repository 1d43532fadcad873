"""Runs of reports: the data of a report as they were, page by page."""

from __future__ import annotations

from collections.abc import Mapping
from time import perf_counter
from typing import Any

from crm_sdk.resources.analytics import AnalyticsReports
from crm_sdk.resources.reports import Reports

from ...data.document import Document
from ...problems import Problem
from ...serving import Answer, Context, Members, serves
from .checks import parameter_values
from .records import REPORTS, count
from .tables import content_of

_USUAL = 50
"""So many rows or groups a page has."""


def carry_out(
    call: Context, report: Document, parameters: Members, trigger: str, *, schedule_id: str | None = None
) -> Document:
    """Run a report over the records that the caller may see, and keep what came of it. Raises 409, 422."""
    began, values = perf_counter(), parameter_values(report, parameters)
    content = content_of(call, report, values)
    run = call.create(
        "run",
        "run_",
        {
            "report_id": report["id"],
            "trigger": trigger,
            "parameters": values,
            "row_count": content["row_count"],
            "truncated": content["truncated"],
            "duration_ms": int((perf_counter() - began) * 1_000),
            "schedule_id": schedule_id,
            "status": "succeeded",
            "progress": 1.0,
            "started_at": call.now,
            "finished_at": call.now,
            "error": None,
            "user_id": call.caller.user_id,
            "content": content,
        },
    )
    count(call, report["id"], run_count=report["run_count"] + 1, last_run_at=call.now)
    call.emit("report.run_completed", "report", report, metadata={"run_id": run["id"]})
    return run


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
    report = REPORTS.found(call, report_id)
    done = carry_out(call, report, parameters or {}, "manual")
    return Answer(done | {"data": page_of(done, 1, limit or _USUAL)})


@serves(Reports.data, AnalyticsReports.data)
def data(call: Context, report_id: str, run_id: str | None, fresh: bool, page: int, limit: int) -> dict[str, Any]:
    """Return a page of the caller's last run, or of a named one; without any, run the report."""
    report = REPORTS.found(call, report_id)
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
