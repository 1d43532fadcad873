"""The rules of dashboards: who sees them, their widgets, and where these are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.models.analytics_metrics import (
    ActivityMetrics,
    LeadMetrics,
    MetricValue,
    RealTimeMetrics,
    SalesMetrics,
)
from crm_sdk.models.dashboards import Dashboard, ReportQuery, Widget
from crm_sdk.models.record import Model
from crm_sdk.resources.analytics import AnalyticsDashboards
from crm_sdk.resources.dashboards import Dashboards

from ...data.blanks import blank, in_full
from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem, invalid
from ...serving import STAMPS, Context, Members
from ..reports.checks import check_content, check_range
from ..sharing import is_visible
from .grid import placed_widgets, width_needed

_MODELS: Mapping[str, type[Model]] = {
    "sales": SalesMetrics, "leads": LeadMetrics, "activities": ActivityMetrics, "real_time": RealTimeMetrics,
}  # fmt: skip
METRICS = frozenset(
    f"{name}.{member}"
    for name, model in _MODELS.items()
    for member, info in model.model_fields.items()
    if info.annotation is MetricValue
)
"""The figures that a widget can show: every one of `analytics.metrics` that is compared with an earlier time."""
KEPT = "widget_data"
"""The collection of the figures that are kept for a while."""
SOURCES = ("report_id", "metric", "query", "feed")
"""What a widget shows: one of these."""
_SHORTEST_REFRESH = 5
_PEOPLE: Mapping[str, str] = {"owner_id": "user", "team_id": "team", "pipeline_id": "pipeline"}


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Check the widgets and the grid of a dashboard; return the widgets in their places."""
    _check_refresh(members.get("refresh_seconds"), "refresh_seconds")
    if members.get("filters"):
        check_scope(call, members["filters"], "filters", before and before.get("filters"))
    columns = members.get("columns") or (before or blank(Dashboard))["columns"]
    if "widgets" not in members or _as_listed(call, members, before):
        if before is not None and (need := width_needed(before["widgets"])) > columns:
            message = f"its widgets need {need} columns: move them first"
            raise Problem("GRID_TOO_NARROW", message, details={"columns": need})
        return {"widgets": before["widgets"] if before is not None else []}
    there = {widget["id"]: widget for widget in before["widgets"]} if before is not None else {}
    ids = [widget.get("id") for widget in members["widgets"]]
    for number, widget in enumerate(members["widgets"]):
        if ids[number] is not None and ids[number] in ids[:number]:
            raise invalid(f"widgets.{number}.id", "unique", f"{ids[number]} is there twice")
        check_widget(call, widget, f"widgets.{number}.", there)
    widgets = [stored_widget(call, widget, there) for widget in placed_widgets(members["widgets"], columns)]
    return {"widgets": widgets, "widget_count": len(widgets)}


def _as_listed(call: Context, members: Members, before: Document | None) -> bool:
    """Tell whether a dashboard came back as a list shows it: without its widgets, but with their number."""
    count = call.ignored.get("widget_count")
    return before is not None and not members["widgets"] and bool(count) and count == before["widget_count"]


def check_widget(call: Context, widget: Members, at: str, there: Mapping[str, Members]) -> None:
    """Check what a widget shows. Raises: 422, also UNKNOWN_METRIC, REFERENCE_NOT_FOUND and the codes of a report.

    `at` is what comes before the names of its members, `there` are the widgets that the dashboard has, by id.
    """
    if widget.get("id") is not None and widget["id"] not in there:
        message = f"the dashboard has no widget {widget['id']!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field=f"{at}id", rule="reference")
    _check_refresh(widget.get("refresh_seconds"), f"{at}refresh_seconds")
    source: Members = widget.get("source") or {}
    given = [name for name in SOURCES if source.get(name) is not None]
    if widget["type"] == "text":
        if given:
            raise invalid(f"{at}source", "choice", "a text has no source")
        return
    if len(given) != 1:
        raise invalid(f"{at}source", "required", f"a widget shows exactly one of {', '.join(SOURCES)}")
    held: Members = there.get(widget.get("id") or "", {}).get("source") or {}
    if source.get("report_id") is not None and source["report_id"] != held.get("report_id"):
        report = call.reference("report", source["report_id"], f"{at}source.report_id")
        if report is not None and not is_visible(call, report):
            message = f"no report has the id {source['report_id']!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, field=f"{at}source.report_id", rule="reference")
    if source.get("metric") is not None and source["metric"] not in METRICS:
        message = f"there is no metric {source['metric']!r}"
        raise Problem("UNKNOWN_METRIC", message, field=f"{at}source.metric", rule="choice")
    if source.get("query") is not None:
        check_content(call, {**blank(ReportQuery), **source["query"]}, f"{at}source.query.")
    check_scope(call, source, f"{at}source", held)


def check_scope(call: Context, given: Members, at: str, held: Members | None) -> None:
    """Check what figures are limited to: days, a user, a team and a pipeline. Raises 422."""
    check_range(given.get("date_range"), f"{at}.date_range")
    for name, kind in _PEOPLE.items():
        if given.get(name) is not None:
            call.reference(kind, given[name], f"{at}.{name}", held and held.get(name))


def _check_refresh(seconds: int | None, at: str) -> None:
    if seconds is not None and 0 < seconds < _SHORTEST_REFRESH:
        raise invalid(at, "min", f"must be 0, for never, or at least {_SHORTEST_REFRESH}")


def stored_widget(call: Context, given: Members, there: Mapping[str, Members]) -> dict[str, Any]:
    """Return a widget as it is stored: one that is there keeps its id and what is not given, and its version counts."""
    before = there.get(given.get("id") or "")
    given = {name: {} if name == "config" and value is None else value for name, value in given.items()}
    given = {name: in_full(Widget.model_fields[name].annotation, value) for name, value in given.items()}
    if before is None:
        stamp = {"id": call.new_id("widget_"), "created_at": call.now, "created_by": call.caller.actor_id, "version": 1}
        return {**blank(Widget), **given, **stamp, "updated_at": call.now}
    new = {**before, **given}
    if all(new[name] == before[name] for name in new if name not in STAMPS):
        return dict(before)
    return {**new, "version": before["version"] + 1, "updated_at": call.now}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Take the mark of the default dashboard from the owner's other ones; forget the figures of a deleted one."""
    if after is None and before is not None:
        for entry in call.collection(KEPT).find("dashboard_id", before["id"]):
            call.collection(KEPT).remove(entry["id"])
    if after is not None and after["is_default"] and not (before is not None and before["is_default"]):
        for other in call.collection("dashboard").find("owner_id", after["owner_id"]):
            if other["is_default"] and other["id"] != after["id"]:
                call.update("dashboard", other, {"is_default": False})
    return None


def _with_ids(call: Context, doc: Document) -> Document:
    """Return a dashboard whose widgets say which one they are parts of."""
    return doc | {"widgets": [{**widget, "dashboard_id": doc["id"]} for widget in doc["widgets"]]}


DASHBOARDS = Noun(
    resource=Dashboards,
    doors=(AnalyticsDashboards,),
    kind="dashboard",
    model=Dashboard,
    searched=("name", "description", "tags"),
    sorts=("name", "last_refreshed_at"),
    forms={"name": required_text("name")},
    refers={"owner_id": "user"},
    defaults={"owner_id": lambda call: call.caller.user_id},
    computed=("widget_count", "last_refreshed_at"),
    visible=is_visible,
    check=_check,
    follow=_follow,
    shown=_with_ids,
    listed=lambda call, doc: doc.with_members({"widgets": []}),
)
