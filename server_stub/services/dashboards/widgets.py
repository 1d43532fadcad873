"""The rules of widgets: each is a part of its dashboard, and a change of it one of the dashboard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from crm_sdk.models.dashboards import Widget, WidgetCreate
from crm_sdk.resources.dashboards import Dashboards, Widgets

from ...bulk import error_of
from ...data.document import Document
from ...data.merging import merge_values
from ...nouns.write_checks import unfinished
from ...problems import Problem, invalid, missing, refuse_any
from ...request.reading.json_types import input_hints
from ...serving import Context, Members, serves
from ..reports.records import copied_record
from ..sharing import is_visible
from .grid import placed_widgets
from .records import DASHBOARDS, SOURCES, check_widget, stored_widget

MOST = 50
"""So many widgets a dashboard has at most."""


@serves(Widgets.create)
def create(call: Context, dashboard_id: str, widget: Members) -> dict[str, Any]:
    """Put a widget on a dashboard."""
    board = DASHBOARDS.writable(call, dashboard_id)
    if len(board["widgets"]) >= MOST:
        raise invalid("widgets", "max", f"a dashboard has at most {MOST} widgets", limit=MOST)
    check_widget(call, widget, "", {})
    new = _laid_out(board, [*board["widgets"], widget], len(board["widgets"]))
    made = stored_widget(call, new, {})
    _store(call, board, [*board["widgets"], made], made["id"])
    return _shown_widget(board, made)


@serves(Widgets.update)
def update(call: Context, dashboard_id: str, widget_id: str, changes: Members, version: int | None) -> dict[str, Any]:
    """Change a widget."""
    board = DASHBOARDS.writable(call, dashboard_id)
    before = widget_of(board, widget_id)
    call.lock(Document(before), version)
    merged = merge_values(dict(changes), _without_source(before, changes), frozenset({"config"}))
    refuse_any(problem for _, problem in unfinished(changes, merged, input_hints(WidgetCreate)))
    whole = {**{name: before[name] for name in _WRITABLE}, **merged, "id": widget_id}
    check_widget(call, whole, "", {widget_id: before})
    others = [widget for widget in board["widgets"] if widget["id"] != widget_id]
    after = stored_widget(call, _laid_out(board, [*others, whole], len(others)), {widget_id: before})
    if after != before:
        _store(call, board, [*others, after], widget_id)
    return _shown_widget(board, after)


def _without_source(widget: Mapping[str, Any], changes: Members) -> dict[str, Any]:
    """Return a widget without what it shows, where it is to show something else."""
    source: Members = changes.get("source") or {}
    if not widget["source"] or all(source.get(name) is None for name in SOURCES):
        return dict(widget)
    kept = {name: None if name in SOURCES and source.get(name) is None else v for name, v in widget["source"].items()}
    return {**widget, "source": kept}


@serves(Widgets.delete)
def delete(call: Context, dashboard_id: str, widget_id: str) -> str:
    """Take a widget off a dashboard."""
    board = DASHBOARDS.writable(call, dashboard_id, "delete")
    gone = widget_of(board, widget_id)
    _store(call, board, [widget for widget in board["widgets"] if widget["id"] != gone["id"]], widget_id)
    return widget_id


@serves(Widgets.reorder)
def reorder(
    call: Context,
    dashboard_id: str,
    widget_ids: Sequence[str] | None,
    positions: Mapping[str, Members] | None,
) -> list[dict[str, Any]]:
    """Lay out the widgets of a dashboard: in an order, row by row, or each in its place."""
    board = DASHBOARDS.writable(call, dashboard_id)
    if (widget_ids is None) is (positions is None):
        raise invalid("widget_ids", "required", "give either widget_ids or positions")
    there = {widget["id"]: widget for widget in board["widgets"]}
    given = list(widget_ids if widget_ids is not None else positions or ())
    if sorted(given) != sorted(there):
        field = "positions" if widget_ids is None else "widget_ids"
        details = {"missing": sorted(there.keys() - set(given)), "unknown": sorted(set(given) - there.keys())}
        raise Problem("INCOMPLETE_ORDER", "name every widget exactly once", field=field, details=details)
    laid = [{**there[id], "position": dict(positions[id]) if positions is not None else None} for id in given]
    if positions is None:  # with their own sizes, row by row
        laid = _in_rows(laid, [there[id]["position"] for id in given], board["columns"])
    else:
        laid = _placed_by_id(laid, board["columns"])
    widgets = [stored_widget(call, widget, there) for widget in placed_widgets(laid, board["columns"])]
    new = _store(call, board, widgets, None)
    return [_shown_widget(new, widget) for widget in new["widgets"]]


def _in_rows(widgets: Sequence[Mapping[str, Any]], places: Sequence[Members], columns: int) -> list[dict[str, Any]]:
    """Return widgets one after the other, row by row, each with its size; a row is as high as its highest widget."""
    x = y = height = 0
    found: list[dict[str, Any]] = []
    for widget, place in zip(widgets, places, strict=True):
        if x + place["width"] > columns:
            x, y, height = 0, y + height, 0
        found.append({**widget, "position": {**place, "x": x, "y": y}})
        x, height = x + place["width"], max(height, place["height"])
    return found


def _placed_by_id(widgets: Sequence[dict[str, Any]], columns: int) -> list[dict[str, Any]]:
    """Return widgets with full positions. Raises: 422 that names the widget in its details."""
    try:
        return placed_widgets(widgets, columns)
    except Problem as problem:
        widget = widgets[int((problem.field or "widgets.0").split(".")[1])]
        details = {**problem.details, "widget_id": widget["id"]}
        raise Problem(problem.code, problem.message, field="positions", rule=problem.rule, details=details) from None


def _laid_out(board: Members, widgets: Sequence[Mapping[str, Any]], own: int) -> dict[str, Any]:
    """Return one of the widgets in its place beside the others. Raises: 422 that names its position."""
    marked = [{**widget, "_own": number == own} for number, widget in enumerate(widgets)]
    try:
        found = next(widget for widget in placed_widgets(marked, board["columns"]) if widget["_own"])
    except Problem as problem:
        raise Problem(
            problem.code, problem.message, field="position", rule=problem.rule, details=dict(problem.details)
        ) from None
    return {name: value for name, value in found.items() if name != "_own"}


def _store(call: Context, board: Document, widgets: Sequence[Mapping[str, Any]], widget_id: str | None) -> Document:
    """Store the widgets of a dashboard in the order of their places, as a change of it."""
    ordered = sorted(widgets, key=lambda widget: (widget["position"]["y"], widget["position"]["x"]))
    metadata = {"widget_id": widget_id} if widget_id is not None else {}
    return DASHBOARDS.change(call, board, {"widgets": ordered, "widget_count": len(ordered)}, metadata=metadata)


def widget_of(board: Members, widget_id: str) -> dict[str, Any]:
    """Return a widget of a dashboard. Raises: 404."""
    found = next((widget for widget in board["widgets"] if widget["id"] == widget_id), None)
    if found is None:
        raise missing("widget", widget_id)
    return dict(found)


def _shown_widget(board: Members, widget: Mapping[str, Any]) -> dict[str, Any]:
    return {**widget, "dashboard_id": board["id"]}


@serves(Dashboards.clone)
def clone(call: Context, dashboard_id: str, name: str | None, visibility: str) -> Document:
    """Copy a dashboard, without the widgets whose reports the caller may not see."""
    board = DASHBOARDS.find_one(call, dashboard_id)
    kept: list[dict[str, Any]] = []
    warnings: list[Mapping[str, Any]] = []
    for number, widget in enumerate(board["widgets"]):
        source: Members = widget["source"] or {}
        report_id = source.get("report_id")
        report = call.find_one("report", report_id) if report_id is not None else None
        if report_id is None or (report is not None and is_visible(call, report)):
            given = {name: deepcopy(widget[name]) for name in _WRITABLE}
            kept.append(stored_widget(call, given, {}))
        else:
            message = f"{widget['title']} is left out: its report is gone, or not shared with you"
            gone = Problem("SOURCE_MISSING", message, field=f"widgets.{number}", details={"widget_id": widget["id"]})
            warnings.append(error_of(gone, call.language))
    members = copied_record(DASHBOARDS, call, board, name, visibility)
    made = DASHBOARDS.add(call, {**members, "widgets": kept, "widget_count": len(kept), "is_default": False})
    return DASHBOARDS.answer(call, made) | {"warnings": warnings}


_WRITABLE = frozenset(Widget.model_fields) - {
    "id", "created_at", "updated_at", "created_by", "version", "dashboard_id",
}  # fmt: skip
"""The members of a widget that are given."""
