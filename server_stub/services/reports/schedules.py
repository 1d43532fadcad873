"""Schedules of reports: when a report is run by itself, as the user who asked for it, and who is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any

from crm_sdk.models.report_runs import ReportSchedule
from crm_sdk.resources.analytics import AnalyticsReportSchedules
from crm_sdk.resources.reports import ReportSchedules

from ...data import normalise
from ...data.document import Document
from ...data.schedules import check_schedule, next_time, next_time_of_last
from ...noun import Noun
from ...problems import Problem
from ...request.access.callers import has_permission
from ...serving import Collections, Context, Members, serves
from ...timetable import MADE_UP, Appointment, apart, falls_due, plan
from .. import company
from ..handing_out import hand_out, say_skipped
from ..sharing import is_shared_with
from ..users.roles import rights_of
from .checks import parameter_values
from .exports import made_file
from .records import REPORTS, count
from .runs import carry_out

_MOST = 10
"""So many schedules a report may have."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check the times, the recipients and the parameters of a schedule; return when it runs first."""
    report = REPORTS.find_one(call, members["report_id"])
    check_schedule(members["schedule"], "schedule")
    recipients = [_recipient(call, report, one, number) for number, one in enumerate(members["recipients"])]
    parameter_values(report, members.get("parameters") or {})
    if len(call.collection("schedule").find("report_id", report["id"])) >= _MOST:
        message = f"{report['name']} has {_MOST} schedules already"
        raise Problem("SCHEDULE_LIMIT", message, details={"limit": _MOST})
    at = next_time(members["schedule"], call.now, company.zone(call)) if members.get("enabled", True) else None
    runs = {"next_run_at": at, "runs_as": call.caller.user_id, "granted": call.caller.stored_grant}
    return {"recipients": list(dict.fromkeys(recipients)), **runs}


def _recipient(call: Context, report: Document, given: str, number: int) -> str:
    """Return a recipient in stored form: an address, or the id of a user who may see the report. Raises 422."""
    at = f"recipients.{number}"
    if "@" in given:
        return normalise.email(given, at) or ""
    user = call.reference("user", given, at)
    assert user is not None  # an id was given
    if not is_shared_with(call, report, user["id"]) or not has_permission(call, user, REPORTS.word, "read"):
        message = f"{user['name']} may not see {report['name']}"
        raise Problem("RECIPIENT_NO_ACCESS", message, field=at, rule="reference", details={"id": user["id"]})
    return str(user["id"])


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    schedule = after if after is not None else before
    assert schedule is not None  # there is one before or after any write
    report_id = schedule["report_id"]
    count(call, report_id, schedule_count=len(call.collection("schedule").find("report_id", report_id)))
    plan(call.collection, DUE)


SCHEDULES = Noun(
    resource=ReportSchedules,
    kind="schedule",
    model=ReportSchedule,
    within=("report_id", REPORTS),
    events="report.",
    verbs={"created": "scheduled", "deleted": "unscheduled"},
    check=_check,
    follow=_follow,
)


@serves(AnalyticsReportSchedules.create)
def create(call: Context, report_id: str, schedule: Members) -> Document:
    """Schedule a report that the body names."""
    report = call.reference("report", report_id, "report_id")
    assert report is not None  # it is required
    if not REPORTS.visible or not REPORTS.visible(call, report):
        raise Problem("REFERENCE_NOT_FOUND", f"no report has the id {report_id!r}", field="report_id", rule="reference")
    REPORTS.writable(call, report["id"])
    return SCHEDULES.add(call, SCHEDULES.stored_form(call, {**schedule, "report_id": report["id"]}))


# -- on the clock ----------------------------------------------------------------------------------------------------


def _times(collections: Collections) -> Iterator[datetime]:
    return (doc["next_run_at"] for doc in collections("schedule") if doc["next_run_at"] is not None)


DUE = Appointment("report schedules", _times)


@falls_due(DUE)
def run_due(call: Context) -> None:
    """Run the reports that are due, each as the user who scheduled it, and tell the recipients."""
    for schedule in call.collection("schedule"):
        if schedule["next_run_at"] is not None and schedule["next_run_at"] <= call.now:
            with apart(call, schedule):
                status, run_id = _run(call, schedule)
                at = next_time_of_last(
                    schedule["schedule"], call.now, call.server.clock.now(), company.zone(call), most=MADE_UP
                )
                outcome = {"last_run_at": call.now, "last_status": status, "last_run_id": run_id, "next_run_at": at}
                call.collection("schedule").put(schedule | outcome)


def _run(call: Context, schedule: Document) -> tuple[str, str | None]:
    """Run the report of a schedule; return how it went, and the id of the run."""
    report = call.collection("report").get(schedule["report_id"])
    if report is None or schedule["runs_as"] is None:
        return "failed", None
    caller = rights_of(call, schedule["runs_as"], schedule.get("granted"))
    if caller is None:
        return say_skipped(call, "Report", report["name"], schedule), None
    acting = call.acting_as(caller)
    try:
        run = carry_out(acting, report, schedule["parameters"], "schedule", schedule_id=schedule["id"])
        if not run["row_count"] and schedule["only_if_rows"]:
            return "skipped", run["id"]
        file = made_file(acting, report, run, schedule["format"], {})
    except Problem:
        return "failed", None
    _deliver(call, report, run, file, schedule["recipients"])
    return "succeeded", run["id"]


def _deliver(call: Context, report: Document, run: Document, file: Document, recipients: Sequence[str]) -> None:
    """Notify the recipients who are users, and send an e-mail to addresses, each with the file."""
    at = f"{call.now.astimezone(company.zone(call)):%H:%M}"
    title, text = f"Report ready: {report['name']}", f"It ran on its schedule at {at}: {file['name']} is attached."
    said = {"reportId": report["id"], "runId": run["id"], "fileId": file["id"]}
    hand_out(call, recipients, title, text, about=("report", report["id"]), data=said)
