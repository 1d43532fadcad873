"""The data of dashboards: computed for each viewer, and kept until a widget is due anew."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.models.dashboards import DashboardFilters
from crm_sdk.resources.dashboards import Dashboards, Widgets
from crm_sdk.wire import encode_json

from ...bulk import error_of
from ...data.blanks import in_full
from ...data.document import Document
from ...live import log
from ...problems import Problem
from ...serving import Context, Members, serves
from .figures import Limits, figures_of, nothing
from .records import DASHBOARDS, KEPT, check_scope
from .widgets import widget_of


@serves(Dashboards.data)
def data(call: Context, dashboard_id: str, filters: Members | None, widget_ids: Sequence[str] | None) -> dict[str, Any]:
    """Return what the widgets of a dashboard show."""
    board = DASHBOARDS.find_one(call, dashboard_id)
    _check_filters(call, filters)
    wanted = set(widget_ids) if widget_ids is not None else None
    return data_of(call, board, filters, wanted)


@serves(Widgets.data)
def widget_data(call: Context, dashboard_id: str, widget_id: str, filters: Members | None) -> dict[str, Any]:
    """Return what one widget shows."""
    board = DASHBOARDS.find_one(call, dashboard_id)
    widget = widget_of(board, widget_id)
    _check_filters(call, filters)
    shown, _ = _data_of(call, board, widget, filters)
    return shown


@serves(Dashboards.refresh)
def refresh(call: Context, dashboard_id: str, widget_ids: Sequence[str] | None) -> dict[str, Any]:
    """Compute what the widgets of a dashboard show anew; those who follow it are told."""
    board = DASHBOARDS.find_one(call, dashboard_id)
    there = [widget["id"] for widget in board["widgets"]]
    for number, id in enumerate(widget_ids or ()):
        if id not in there:
            message = f"the dashboard has no widget {id!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, field=f"widget_ids.{number}", rule="reference")
    wanted = list(widget_ids) if widget_ids is not None else there
    kept = call.collection(KEPT)
    for entry in kept.find("dashboard_id", board["id"]):
        if entry["widget_id"] in wanted:
            kept.remove(entry["id"])
    board = call.collection("dashboard").put(board | {"last_refreshed_at": call.now})
    call.emit("dashboard.refreshed", "dashboard", board, metadata={"widget_ids": wanted})
    return data_of(call, board, None, set(wanted))


def data_of(
    call: Context, board: Members, filters: Members | None, wanted: Collection[str] | None = None
) -> dict[str, Any]:
    """Return what widgets of a dashboard show, by position."""
    shown = [
        _data_of(call, board, widget, filters)
        for widget in board["widgets"]
        if wanted is None or widget["id"] in wanted
    ]
    limits = Limits.of(filters, board["filters"])
    return {
        "dashboard_id": board["id"],
        "generated_at": call.now,
        "filters": {
            "date_range": limits.date_range,
            "owner_id": limits.owner_id,
            "team_id": limits.team_id,
            "pipeline_id": limits.pipeline_id,
        },
        "widgets": [widget for widget, _ in shown],
        "stale": any(is_stale for _, is_stale in shown),
    }


def _check_filters(call: Context, filters: Members | None) -> None:
    """Check the days of filters; an id that nobody has is one that no record has."""
    if filters is not None:
        check_scope(call, {"date_range": filters.get("date_range")}, "filters", None)


def _data_of(call: Context, board: Members, widget: Members, filters: Members | None) -> tuple[dict[str, Any], bool]:
    """Return what a widget shows, and whether records were written since it was computed."""
    kept, now = call.collection(KEPT), writes_of(call)
    limits = Limits.of(_full(filters), board["filters"], widget["source"])
    id = _key(call, widget, limits)
    there = kept.get(id)
    if there is not None and (there["until"] is None or call.now < there["until"]):
        return {**there["shown"], "cached": True}, there["writes"] != now
    shown = computed_widget(call, widget, limits)
    if shown["error"] is None:  # what could not be computed may be so with the next call
        seconds = widget["refresh_seconds"] if widget["refresh_seconds"] is not None else board["refresh_seconds"]
        until = call.now + timedelta(seconds=seconds) if seconds else None
        for old in kept.find("widget_id", widget["id"]):
            if old["until"] is not None and old["until"] <= call.now:
                kept.remove(old["id"])
        entry = {"dashboard_id": board["id"], "widget_id": widget["id"], "until": until, "writes": now, "shown": shown}
        kept.put(Document(id=id, **entry))
    return shown, False


def computed_widget(call: Context, widget: Members, limits: Limits) -> dict[str, Any]:
    """Return what a widget shows now, or the error for which it shows nothing."""
    shown = nothing(call, widget)
    try:
        return {**shown, **figures_of(call, widget, limits)}
    except Problem as problem:
        return {**shown, "error": error_of(problem, call.language)}


def _full(filters: Members | None) -> Mapping[str, Any] | None:
    return in_full(DashboardFilters, filters) if filters else None


def _key(call: Context, widget: Members, limits: Limits) -> str:
    """Return what tells the data of a widget for a viewer and filters from others, also from earlier definitions."""
    source: Members = widget["source"] or {}
    report = call.find_one("report", source["report_id"]) if source.get("report_id") is not None else None
    shared = report and [report["version"], report["visibility"], report["owner_id"]]
    caller = call.caller
    who = [
        caller.user_id,
        caller.actor_id,
        *map(
            sorted, (caller.roles, caller.permissions, caller.team, caller.shared, caller.hidden, caller.granted or ())
        ),
        caller.sales_reads,
    ]
    of = [limits.date_range, limits.owner_id, limits.team_id, limits.pipeline_id]
    parts = [widget["id"], widget["version"], shared, who, of]
    return hashlib.sha256(encode_json(parts)).hexdigest()


def writes_of(call: Context) -> int:
    """Return a number that goes up with every write of the company, and not when a record is read."""
    last = call.collection(log.KIND).last()
    return int(last["sequence"]) if last is not None else 0
