"""The rules of reports: who sees them, what they may be made of, and what goes with them."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from crm_sdk.models.reports import Report
from crm_sdk.resources.analytics import AnalyticsReports
from crm_sdk.resources.reports import Reports

from ...data.blanks import blank, lists_in_full
from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem
from ...serving import Context, Members, serves
from ..sharing import is_visible
from ..users.roles import rights_beyond, rights_of
from .checks import check_content, check_format, derived_format

_CONTENT = frozenset(
    {"entity_type", "columns", "filter_groups", "date_field", "date_range", "groups", "across", "measures", "sort",
     "parameters", "format"}
)  # fmt: skip

_LONGEST = 143
"""So much of a name is kept in that of a copy."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check the whole content of a report; return its format, and its one measure where it has groups without any."""
    if not _CONTENT & members.keys():
        return {}
    full = lists_in_full(Report, {name: value for name, value in members.items() if name != "tags"})
    whole = {**(before or blank(Report)), **members, **full}
    given = members.get("format")
    format = given or derived_format(whole)
    check_format(format, whole)
    if format != "tabular" and not whole["measures"]:
        whole["measures"] = lists_in_full(Report, {"measures": [{"function": "count"}]})["measures"]
    check_content(call, whole)
    return {**full, "format": format, "measures": whole["measures"], "date_field": whole["date_field"] or "created_at"}


def _may_delete(call: Context, report: Document) -> None:
    boards = [
        board["id"]
        for board in call.collection("dashboard")
        if any(_shows(widget, report["id"]) for widget in board["widgets"])
    ]
    if boards:
        message = f"{report['name']} is shown on {len(boards)} dashboards: take it off them first"
        raise Problem("REPORT_IN_USE", message, details={"dashboard_ids": boards})


def _shows(widget: Members, report_id: str) -> bool:
    source: Members = widget["source"] or {}
    return source.get("report_id") == report_id


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Delete the schedules of a deleted report; one that was changed is read with rights that its writer has."""
    if before is None:
        return None
    for schedule in call.collection("schedule").find("report_id", before["id"]):
        if after is None:
            call.delete("schedule", schedule)
        elif any(before[name] != after[name] for name in _CONTENT) and _needs_another(call, schedule):
            own = {"runs_as": call.caller.user_id, "granted": call.caller.stored_grant}
            call.collection("schedule").put(schedule | own)
    return None


def _needs_another(call: Context, schedule: Document) -> bool:
    """Tell whether a schedule runs as nobody who is active, or as somebody who may do more than the caller."""
    if call.caller.role == "system":
        return False
    other = rights_of(call, schedule["runs_as"], schedule.get("granted"))
    return other is None or bool(rights_beyond(call, other))


REPORTS = Noun(
    resource=Reports,
    doors=(AnalyticsReports,),
    kind="report",
    model=Report,
    searched=("name", "description", "folder", "tags"),
    sorts=("name", "last_run_at", "run_count"),
    forms={"name": required_text("name")},
    refers={"owner_id": "user"},
    defaults={"owner_id": lambda call: call.caller.user_id},
    computed=("last_run_at", "run_count", "schedule_count"),
    visible=is_visible,
    check=_check,
    follow=_follow,
    may_delete=_may_delete,
)


def count(call: Context, report_id: str, **figures: Any) -> None:
    """Store figures of a report, which are no change of it: it keeps its version."""
    doc = call.collection("report").get(report_id)
    if doc is not None:
        call.collection("report").put(doc | figures)


@serves(Reports.clone)
def clone(call: Context, report_id: str, name: str | None, visibility: str) -> Document:
    """Copy a report; its schedules and runs stay its own."""
    report = REPORTS.find_one(call, report_id)
    return REPORTS.add(call, copied_record(REPORTS, call, report, name, visibility))


def copied_record(noun: Noun, call: Context, doc: Document, name: str | None, visibility: str) -> dict[str, Any]:
    """Return the members of a copy of a record, which the caller owns: by default it has the name with ``(copy)``."""
    create = noun.declared("create")
    assert create is not None  # it is copied as it could be created
    members = {member: deepcopy(doc[member]) for member in create.arguments.members if member in doc}
    own = noun.stored_value(call, "name", name) if name is not None else f"{doc['name'][:_LONGEST]} (copy)"
    return {**members, "name": own, "visibility": visibility, "owner_id": call.caller.user_id}
