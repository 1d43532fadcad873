"""Widgets one by one: their places, their definitions, and copies of dashboards."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import Dashboard, Widget
from server_stub import StubServer

from .conftest import MakeReport

COUNT: Any = {"query": {"entity_type": "lead", "measures": [{"function": "count"}]}}


def text(**more: Any) -> Any:
    return {"title": "Text", "type": "text", "content": "Hello", **more}


def at(x: int, y: int, width: int = 4, height: int = 3) -> Any:
    return {"x": x, "y": y, "width": width, "height": height}


def place(widget: Widget) -> tuple[int, int]:
    return widget.position.x, widget.position.y


@pytest.fixture
def board(platform: CrmClient) -> Dashboard:
    return platform.dashboards.create({"name": "Board", "visibility": "tenant"})


@pytest.fixture
def full(platform: CrmClient, board: Dashboard) -> Dashboard:
    """A dashboard with four widgets in two rows."""
    for _ in range(4):
        platform.dashboards.widgets.create(board.id, text())
    return platform.dashboards.get(board.id)


def test_widgets_take_the_first_free_place_and_keep_it(platform: CrmClient, full: Dashboard) -> None:
    widgets = platform.dashboards.widgets
    assert [place(one) for one in full.widgets] == [(0, 0), (4, 0), (8, 0), (0, 3)]
    assert {one.dashboard_id for one in full.widgets} == {full.id} and full.widget_count == 4 and full.version == 5
    widgets.delete(full.id, full.widgets[1].id)
    left = platform.dashboards.get(full.id)
    assert [place(one) for one in left.widgets] == [(0, 0), (8, 0), (0, 3)] and left.widget_count == 3
    assert place(widgets.create(full.id, text())) == (4, 0)
    assert refused(lambda: widgets.delete(full.id, full.widgets[1].id)).status == 404


def test_a_change_merges_and_counts_for_the_widget_and_its_dashboard(
    platform: CrmClient, board: Dashboard, stub: StubServer
) -> None:
    widgets = platform.dashboards.widgets
    given: Any = {"title": "N", "type": "kpi", "source": {**COUNT, "owner_id": "user_sam"}}
    made = widgets.create(board.id, given)
    moved = widgets.update(board.id, made.id, {"position": {"x": 6, "y": 1}, "config": {"a": 1}}, version=1)
    assert (moved.version, moved.position.width, moved.config) == (2, 4, {"a": 1}) and place(moved) == (6, 1)
    same = widgets.update(board.id, made.id, {"position": {"x": 6, "y": 1}, "config": {"a": 1}})
    assert same.version == 2 and platform.dashboards.get(board.id).version == 3
    assert refused(lambda: widgets.update(board.id, made.id, {"title": "X"}, version=1)).code == "VERSION_CONFLICT"
    below = widgets.update(board.id, made.id, {"position": {"y": 5}})
    assert place(below) == (6, 5) and below.position.width == 4
    other = widgets.update(board.id, made.id, {"source": {"metric": "sales.revenue"}})
    assert other.source is not None and (other.source.metric, other.source.query) == ("sales.revenue", None)
    assert other.source.owner_id == "user_sam", "the rest of the source stays"
    free = widgets.update(board.id, made.id, {"position": None})
    assert place(free) == (0, 0)
    told = [entry for entry in stub.audit() if entry["action"] == "dashboard.updated"]
    assert [entry["metadata"]["widget_id"] for entry in told[-4:]] == [made.id] * 4


def test_a_widget_is_checked_in_both_calls(platform: CrmClient, full: Dashboard) -> None:
    cases: list[tuple[Any, str, str]] = [
        (text(position=at(0, 0)), "WIDGET_OVERLAP", "position"),
        (text(position=at(10, 0)), "WIDGET_OUT_OF_GRID", "position"),
        ({"title": "M", "type": "kpi", "source": {"metric": "leads.nonsense"}}, "UNKNOWN_METRIC", "source.metric"),
        (
            {"title": "R", "type": "table", "source": {"report_id": "report_x"}},
            "REFERENCE_NOT_FOUND",
            "source.report_id",
        ),
        ({"title": "Q", "type": "kpi"}, "VALIDATION_ERROR", "source"),
        (
            {"title": "F", "type": "kpi", "source": {"query": {**COUNT["query"], "groups": [{"field": "moon"}]}}},
            "UNKNOWN_FIELD",
            "source.query.groups.0.field",
        ),
    ]
    for given, code, field in cases:
        last = full.widgets[-1]
        for call in (
            partial(platform.dashboards.widgets.create, full.id, given),
            partial(platform.dashboards.widgets.update, full.id, last.id, given),
        ):
            error = refused(call)
            assert (error.code, error.fields[0].field) == (code, field)
        assert platform.dashboards.get(full.id) == full, given


def test_a_dashboard_has_fifty_widgets_at_most(platform: CrmClient) -> None:
    board = platform.dashboards.create({"name": "Full", "widgets": [text() for _ in range(50)]})
    assert refused(lambda: platform.dashboards.widgets.create(board.id, text())).status == 422


def test_an_order_lays_out_row_by_row(platform: CrmClient, full: Dashboard) -> None:
    widgets, ids = platform.dashboards.widgets, [one.id for one in full.widgets]
    turned = widgets.reorder(full.id, widget_ids=ids[::-1])
    assert [one.id for one in turned] == ids[::-1]
    assert [place(one) for one in turned] == [(0, 0), (4, 0), (8, 0), (0, 3)]
    spread: Any = {id: at(0, 4 * n, width=12, height=2) for n, id in enumerate(ids)}
    laid = widgets.reorder(full.id, positions=spread)
    assert {one.id: one.position.model_dump() for one in laid} == spread
    assert [place(one) for one in widgets.reorder(full.id, widget_ids=ids)] == [(0, 0), (0, 2), (0, 4), (0, 6)]
    for given, code in (
        ({"widget_ids": ids[:3]}, "INCOMPLETE_ORDER"),
        ({"widget_ids": [*ids[:3], ids[0]]}, "INCOMPLETE_ORDER"),
        ({"widget_ids": [*ids, "widget_nobody"]}, "INCOMPLETE_ORDER"),
        ({"positions": {id: spread[id] for id in ids[1:]}}, "INCOMPLETE_ORDER"),
        ({"positions": {**spread, ids[1]: at(3, 1)}}, "WIDGET_OVERLAP"),
        ({"positions": {**spread, ids[1]: at(3, 4, width=10)}}, "WIDGET_OUT_OF_GRID"),
        ({}, "VALIDATION_ERROR"),
        ({"widget_ids": ids, "positions": spread}, "VALIDATION_ERROR"),
    ):
        error = refused(partial(widgets.reorder, full.id, **given))
        assert error.code == code, given
    error = refused(lambda: widgets.reorder(full.id, positions={**spread, ids[1]: at(3, 1)}))
    assert (error.fields[0].field, error.fields[0].details) == ("positions", {"widgetId": ids[1]})


def test_only_who_may_change_the_dashboard_changes_its_widgets(
    sam: CrmClient, globex: CrmClient, full: Dashboard
) -> None:
    id = full.widgets[0].id
    for other, status in ((sam, 403), (globex, 404)):
        widgets = other.dashboards.widgets
        for call in (
            partial(widgets.create, full.id, text()),
            partial(widgets.update, full.id, id, {"title": "X"}),
            partial(widgets.delete, full.id, id),
            partial(widgets.reorder, full.id, widget_ids=[one.id for one in full.widgets]),
        ):
            assert refused(call).status == status


def test_a_copy_leaves_out_what_is_not_shared(platform: CrmClient, sam: CrmClient, report: MakeReport) -> None:
    secret = report()
    widgets: Any = [
        {"title": "Leads", "type": "kpi", "source": COUNT},
        {"title": "Secret", "type": "table", "source": {"report_id": secret.id}},
    ]
    made = platform.dashboards.create({"name": "Board", "visibility": "tenant", "is_default": True, "widgets": widgets})
    own = platform.dashboards.clone(made.id, name="Copy", visibility="team")
    assert (own.name, own.visibility, own.is_default, own.warnings, own.version) == ("Copy", "team", False, [], 1)
    before, after = made.widgets, platform.dashboards.get(own.id).widgets
    assert [(one.title, one.position, one.source) for one in before] == [
        (one.title, one.position, one.source) for one in after
    ]
    assert not {one.id for one in before} & {one.id for one in after}
    theirs = sam.dashboards.clone(made.id)
    assert (theirs.name, theirs.owner_id, theirs.widget_count) == ("Board (copy)", "user_sam", 1)
    assert [warning.code for warning in theirs.warnings] == ["SOURCE_MISSING"]
    assert sam.dashboards.get(theirs.id).warnings == [] and platform.dashboards.get(made.id).is_default


def test_no_widget_is_there_twice(platform: CrmClient, board: Dashboard) -> None:
    widget = platform.dashboards.widgets.create(board.id, text(position=at(0, 0)))
    same: Any = [{**text(position=at(0, y)), "id": widget.id} for y in (0, 9)]
    refusal = refused(lambda: platform.dashboards.update(board.id, {"widgets": same}))
    assert [(one.field, one.rule) for one in refusal.fields] == [("widgets.1.id", "unique")]
