"""Exports of reports: jobs that run a report as the caller and make a file of what came of it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.resources.reports import ReportExports

from ... import jobs
from ...data.document import Document
from ...files.storing import store_bytes
from ...problems import missing
from ...serving import Context, Members, runs, serves
from .checks import parameter_values
from .files import WRITERS
from .records import REPORTS
from .runs import carry_out
from .tables import sound_source

_JOB = "report_export"
KINDS = (_JOB, "audit_export")
"""The kinds of jobs that are exports."""
KEPT = timedelta(days=7)
"""So long the file of an export is kept."""


@serves(ReportExports.pdf)
def pdf(
    call: Context,
    report_id: str,
    parameters: Members | None,
    orientation: str,
    paper: str,
    include_chart: bool,
) -> Document:
    """Queue an export as PDF."""
    options = {"orientation": orientation, "paper": paper, "include_chart": include_chart}
    return _start(call, report_id, "pdf", parameters, options)


@serves(ReportExports.excel)
def excel(call: Context, report_id: str, parameters: Members | None, include_chart: bool) -> Document:
    """Queue an export as a workbook."""
    return _start(call, report_id, "excel", parameters, {"include_chart": include_chart})


@serves(ReportExports.csv)
def csv(call: Context, report_id: str, parameters: Members | None, delimiter: str, encoding: str) -> Document:
    """Queue an export as CSV."""
    return _start(call, report_id, "csv", parameters, {"delimiter": delimiter, "encoding": encoding})


def _start(
    call: Context, report_id: str, format: str, parameters: Members | None, options: Mapping[str, Any]
) -> Document:
    report = REPORTS.writable(call, report_id, "export")
    values = parameter_values(report, parameters or {})
    sound_source(call, report)
    return jobs.start(
        call,
        _JOB,
        {"report_id": report["id"], "format": format, "parameters": values, "options": dict(options)},
        title=f"Export of {report['name']} as {format}",
        total=0,
        status_url="/reports/exports/{id}",
        entity={"type": "report", "id": report["id"], "name": report["name"]},
    )


@runs(_JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Run the report and make the file."""
    payload = job["payload"]
    report = REPORTS.find_one(call, payload["report_id"])
    run = carry_out(call, report, payload["parameters"], "export")
    file = made_file(call, report, run, payload["format"], payload["options"])
    said = {"format": payload["format"], "count": run["row_count"], "run_id": run["id"], "file_id": file["id"]}
    call.emit("report.exported", "report", report, metadata={**said, "job_id": job["id"]})
    call.emit("data.exported", "report", report, metadata={**said, "job_id": job["id"]})
    result = file_result(file, run["row_count"])
    done = dict.fromkeys(("total", "processed", "succeeded"), run["row_count"])
    return {"status": "succeeded", "file_id": file["id"], "result": result, "counts": job["counts"] | done}


def file_result(file: Members, row_count: int) -> dict[str, Any]:
    """Return the result of an export: its file, and of how many records it was made."""
    return {
        "file_id": file["id"],
        "file_name": file["name"],
        "content_type": file["content_type"],
        "size": file["size"],
        "row_count": row_count,
        "download_url": f"/files/{file['id']}/download",
        "expires_at": file["expires_at"],
    }


def made_file(call: Context, report: Members, run: Members, format: str, options: Mapping[str, Any]) -> Document:
    """Store a file of the caller's with the data of a run; those who may see the report may read it."""
    ending, _, write = WRITERS[format]
    content = write(call, report, run["content"], run["parameters"], options)
    stem = re.sub(r"[^\w -]+", "", report["name"]).strip()[:80] or "report"
    return store_bytes(
        call,
        f"{stem}-{call.now:%Y-%m-%d}.{ending}",
        content,
        related_to={"type": "report", "id": report["id"], "name": report["name"]},
        expires_at=call.now + KEPT,
    )


@serves(ReportExports.get)
def get(call: Context, export_id: str) -> Document:
    """Return how far an export is; an expired file has no address any more."""
    job = call.record("job", export_id)
    caller = job["caller"]
    theirs = caller["user_id"] or caller["actor_id"]
    if job["kind"] not in KINDS or theirs != (call.caller.user_id or call.caller.actor_id):
        raise missing("export", export_id)
    return job | {"result": result_now(call, job["result"])}


def result_now(call: Context, result: Members | None) -> Members | None:
    """Return the result of a job; what made a file that has expired has no address of it any more."""
    ended: datetime | None = result.get("expires_at") if result is not None else None
    gone = result is not None and "download_url" in result and ended is not None and ended <= call.now
    return {**result, "download_url": None} if result is not None and gone else result
