"""Schedules of exports: when they are made by themselves, as the user who owns them, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from typing import Any

from crm_sdk.models.exports import ExportSchedule
from crm_sdk.resources.exports import ExportSchedules
from crm_sdk.route import Action

from ... import jobs
from ...data import normalise
from ...data.document import Document
from ...data.forms import required_text
from ...data.schedules import check_schedule, next_time, next_time_of_last
from ...noun import Noun
from ...problems import Problem
from ...request.access import permissions
from ...serving import Collections, Context, Members, reacts
from ...timetable import Appointment, apart, falls_due, plan
from .. import company
from ..handing_out import hand_out, say_skipped
from ..users.roles import refuse_borrowed, rights_of
from .making import SCHEDULE, in_full, start
from .requests import Labels, checked_request, labels_of, parts_of, refuse_outside

_MOST = 20
"""So many schedules a user may have."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check what is exported, when and for whom; return the schedule's next time."""
    whole: dict[str, Any] = {"mode": "full", "enabled": True, "recipients": [], **(before or {}), **members}
    owner_id = before["owner_id"] if before is not None else call.caller.user_id
    if owner_id is None:
        raise Problem("NO_USER", "only a user has schedules of exports: they run with the user's permissions")
    owner = call.caller if call.caller.user_id == owner_id else rights_of(call, owner_id, whole.get("granted"))
    acting = call.acting_as(owner) if owner is not None else call
    found: dict[str, Any] = {}
    if {"request", "recipients"} & members.keys():
        if owner is call.caller:
            found["granted"] = call.caller.stored_grant
        elif owner is not None:  # the limit of the credential that the owner made it with stays
            refuse_borrowed(call, owner, str(whole["name"]), may_take_over=False)
    request: Members = whole["request"]
    if "request" in members:
        found["request"] = request = in_full(members["request"])
        try:
            parts = checked_request(acting, request)
        except Problem as problem:
            raise problem.within("request") from None
    else:
        parts, _ = parts_of(acting, request)
    if whole["mode"] == "changed" and request["format"] in ("vcf", "ics"):
        message = f"{request['format']} has no column that says what became of a record"
        raise Problem("INVALID_FORMAT", message, field="request.format", rule="choice")
    check_schedule(whole["schedule"], "schedule")
    found["recipients"] = recipients = _recipients(call, whole["recipients"] or ())
    refuse_outside(acting, recipients, parts)
    at = next_time(whole["schedule"], call.now, company.zone(call)) if whole["enabled"] else None
    found["next_run_at"] = at
    if before is None:
        mine = [one for one in call.collection(SCHEDULE) if one["owner_id"] == owner_id]
        if len(mine) >= _MOST:
            message = f"one user has at most {_MOST} schedules of exports"
            raise Problem("SCHEDULE_LIMIT", message, details={"limit": _MOST})
        found |= {"owner_id": owner_id, "position": None}
    elif in_full(before["request"]) != request or before["mode"] != whole["mode"]:
        found["position"] = None
    return found


def _recipients(call: Context, given: Any) -> list[str]:
    """Return recipients in stored form: ids of users, and addresses. Raises: 422."""
    found: dict[str, None] = {}
    for number, one in enumerate(given):
        at = f"recipients.{number}"
        if "@" in one:
            found[normalise.email(one, at) or ""] = None
        else:
            user = call.reference("user", one, at)
            assert user is not None  # an id was given
            found[str(user["id"])] = None
    return list(found)


def _visible(call: Context, schedule: Document) -> bool:
    return _is_own(call, schedule) or permissions.scope_for(call.caller, "jobs", "read") == "all"


def _permits(call: Context, schedule: Document, action: Action) -> bool:
    return _is_own(call, schedule) or permissions.scope_for(call.caller, "jobs", "manage") == "all"


def _is_own(call: Context, schedule: Document) -> bool:
    return bool(schedule["owner_id"] == call.caller.user_id is not None)


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    plan(call.collection, DUE)


def _published_schedule(schedule: Document) -> Document:
    return Document({name: value for name, value in schedule.items() if name not in ("position", "granted")})


SCHEDULES = Noun(
    resource=ExportSchedules,
    kind=SCHEDULE,
    prefix="expsched_",
    model=ExportSchedule,
    events="export.",
    verbs={"created": "scheduled", "updated": "schedule_updated", "deleted": "unscheduled"},
    searched=("name",),
    sorts=("name", "next_run_at", "last_run_at"),
    forms={"name": required_text("name")},
    unique={"name": "SCHEDULE_EXISTS"},
    visible=_visible,
    permits=_permits,
    check=_check,
    follow=_follow,
    computed=("next_run_at",),
    published=_published_schedule,
    limit="export_schedules",
)


# -- on the clock ----------------------------------------------------------------------------------------------------


def _times(collections: Collections) -> Iterator[datetime]:
    return (doc["next_run_at"] for doc in collections(SCHEDULE) if doc["next_run_at"] is not None)


DUE = Appointment("export schedules", _times)


@falls_due(DUE)
def run_due(call: Context) -> None:
    """Start the exports that are due, each as its owner; of several times that were missed only the last counts."""
    for schedule in call.collection(SCHEDULE):
        if schedule["next_run_at"] is not None and schedule["next_run_at"] <= call.now:
            with apart(call, schedule):
                now = max(call.now, call.server.clock.now())
                at = next_time_of_last(schedule["schedule"], call.now, now, company.zone(call), most=1)
                is_passed_over = at is not None and at <= now  # a later time was missed as well: that one counts
                outcome = {} if is_passed_over else {"last_run_at": call.now, **_run(call, schedule)}
                call.collection(SCHEDULE).put(schedule | {"next_run_at": at, **outcome})


def _run(call: Context, schedule: Document) -> dict[str, Any]:
    """Start the job of a schedule; return what the schedule keeps of it."""
    owner = rights_of(call, schedule["owner_id"], schedule.get("granted"))
    if owner is None:
        return {"last_status": say_skipped(call, "Export", schedule["name"], schedule)}
    acting = call.acting_as(owner)
    request = schedule["request"]
    labels: Labels = {}  # where the request cannot be made any more, the job fails for the same reason, and tells it
    with suppress(Problem):
        labels = labels_of(acting, request, parts_of(acting, request)[0])
    job = start(acting, request, labels, schedule)
    return {"last_job_id": job["id"]}


@reacts("job.completed", "job.failed")
def after_run(call: Context, entry: Document) -> None:
    """Keep how a scheduled export went, and tell its recipients."""
    job = jobs.job_of(call, entry)
    schedule = call.collection(SCHEDULE).get(job["payload"].get("schedule_id") or "")
    if schedule is None:
        return
    if entry["action"] == "job.failed":
        call.collection(SCHEDULE).put(schedule | {"last_status": "failed"})
        return
    title, name = f"Export ready: {schedule['name']}", job["result"]["file_name"]
    text = (
        f"{name} has {job['result']['row_count']:,} records. It is kept until {job['result']['expires_at']:%Y-%m-%d}."
    )
    said = {"scheduleId": schedule["id"], "jobId": job["id"], "fileId": job["file_id"]}
    hand_out(call, schedule["recipients"], title, text, about=("file", job["file_id"]), data=said)
