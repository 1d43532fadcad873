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


def test_what_cannot_be_laid_out_says_which_widget_and_why(platform: CrmClient, full: Dashboard) -> None:
    widgets, ids = platform.dashboards.widgets, [one.id for one in full.widgets]
    spread: Any = {id: at(0, 4 * n) for n, id in enumerate(ids)}
    order, grid, twice = (
        "name every widget exactly once",
        "the widget ends in column 13, the grid has 12",
        [*ids[1:]] * 2,
    )
    cases: list[tuple[Any, tuple[Any, ...]]] = [
        (partial(widgets.reorder, full.id), ("VALIDATION_ERROR", "widget_ids", "required", {})),
        (
            partial(widgets.reorder, full.id, widget_ids=[*ids[1:], "widget_x"]),
            ("INCOMPLETE_ORDER", "widget_ids", None, {"missing": [ids[0]], "unknown": ["widget_x"]}),
        ),
        (
            partial(widgets.reorder, full.id, positions={id: at(0, 0) for id in ["widget_x", *ids[2:]]}),
            ("INCOMPLETE_ORDER", "positions", None, {"missing": sorted(ids[:2]), "unknown": ["widget_x"]}),
        ),
        (
            partial(widgets.reorder, full.id, widget_ids=twice),
            ("INCOMPLETE_ORDER", "widget_ids", None, {"missing": [ids[0]], "unknown": []}),
        ),
        (
            partial(widgets.reorder, full.id, positions={**spread, ids[2]: at(9, 8)}),
            ("WIDGET_OUT_OF_GRID", "positions", "max", {"columns": 12, "widgetId": ids[2]}),
        ),
        (
            partial(widgets.reorder, full.id, positions={**spread, ids[3]: at(3, 10)}),
            ("WIDGET_OVERLAP", "positions", "unique", {"widgetId": ids[3]}),
        ),
        (
            partial(widgets.create, full.id, text(position=at(9, 20))),
            ("WIDGET_OUT_OF_GRID", "position", "max", {"columns": 12}),
        ),
        (
            partial(widgets.update, full.id, ids[0], {"position": at(4, 2)}),
            ("WIDGET_OVERLAP", "position", "unique", {}),
        ),
    ]
    said: dict[str, str] = {}
    for call, expected in cases:
        error = refused(call)
        assert (error.code, error.fields[0].field, error.fields[0].rule, error.details) == expected
        said[error.code] = error.message
    assert said == {
        "VALIDATION_ERROR": "give either widget_ids or positions", "INCOMPLETE_ORDER": order,
        "WIDGET_OUT_OF_GRID": grid, "WIDGET_OVERLAP": "the widget lies on another one",
    }  # fmt: skip
    assert platform.dashboards.get(full.id) == full
    most = [*({} for _ in range(45)), {"position": at(0, 90, 12, 1)}]
    many: Any = {"widgets": [{**text(), **one} for one in [*most, {}, {}, {}]]}
    platform.dashboards.update(full.id, many)
    assert widgets.create(full.id, text()).title == "Text"
    error = refused(lambda: widgets.create(full.id, text()))
    assert (error.fields[0].field, error.fields[0].rule, error.details, error.message) == (
        "widgets", "max", {"limit": 50}, "a dashboard has at most 50 widgets",
    )  # fmt: skip


def test_a_row_is_as_high_as_its_highest_widget(platform: CrmClient, board: Dashboard, stub: StubServer) -> None:
    sizes = [(6, 2), (6, 5), (12, 1), (5, 3), (7, 1), (1, 1)]
    cells, y = list[Any](), 0
    for width, height in sizes:
        cells, y = [*cells, text(position=at(0, y, width, height))], y + height
    made = platform.dashboards.update(board.id, {"widgets": cells})
    assert [place(one) for one in made.widgets] == [(0, 0), (0, 2), (0, 7), (0, 8), (0, 11), (0, 12)]
    laid = platform.dashboards.widgets.reorder(board.id, widget_ids=[one.id for one in made.widgets])
    assert [place(one) for one in laid] == [(0, 0), (6, 0), (0, 5), (0, 6), (5, 6), (0, 9)]
    assert [(one.position.width, one.position.height) for one in laid] == sizes
    assert [one.version for one in laid] == [1, 2, 2, 2, 2, 2] and {one.dashboard_id for one in laid} == {board.id}
    now = platform.dashboards.get(board.id)
    assert (now.widgets, now.version, now.widget_count) == (laid, 3, 6)
    assert stub.audit()[-1]["metadata"].get("widget_id") is None and stub.audit()[-1]["action"] == "dashboard.updated"


def test_a_widget_is_answered_as_its_dashboard_has_it(platform: CrmClient, board: Dashboard, stub: StubServer) -> None:
    widgets = platform.dashboards.widgets
    given: Any = {"title": "N", "type": "kpi", "source": {**COUNT, "owner_id": "user_sam"}, "config": {"a": 1, "b": 2}}
    made = widgets.create(board.id, given)
    assert platform.dashboards.get(board.id).widgets == [made] and made.version == 1
    changed = widgets.update(board.id, made.id, {"config": {"b": 3}, "source": {"team_id": None}})
    now = platform.dashboards.get(board.id)
    assert (now.widgets, changed.version, changed.config) == ([changed], 2, {"a": 1, "b": 3})
    assert changed.source is not None and changed.source.query is not None and changed.source.owner_id == "user_sam"
    told = stub.audit()[-1]
    assert (told["action"], told["entity"]["id"], told["metadata"]["widget_id"]) == (
        "dashboard.updated", board.id, made.id,
    )  # fmt: skip
    widgets.delete(board.id, made.id)
    assert stub.audit()[-1]["metadata"]["widget_id"] == made.id
    after = platform.dashboards.get(board.id)
    assert (after.widgets, after.widget_count, after.version) == ([], 0, 4)


def test_a_copy_says_which_widgets_it_leaves_out(
    platform: CrmClient, sam: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    secret, shared = report(), report(visibility="tenant")
    cells: Any = [
        {"title": "Secret", "type": "table", "source": {"report_id": secret.id}},
        {"title": "Shared", "type": "table", "source": {"report_id": shared.id}, "config": {"a": [1]}},
        text(),
    ]
    made = platform.dashboards.create({"name": "Board", "visibility": "tenant", "widgets": cells})
    copied = sam.dashboards.clone(made.id, name=" Mine ")
    assert (copied.name, copied.owner_id, copied.visibility, copied.widget_count) == ("Mine", "user_sam", "private", 2)
    (warning,) = copied.warnings
    assert (warning.code, warning.field, warning.message, warning.details) == (
        "SOURCE_MISSING", "widgets.0", "Secret is left out: its report is gone, or not shared with you",
        {"widgetId": made.widgets[0].id},
    )  # fmt: skip
    assert [(one.title, one.config, one.version) for one in copied.widgets] == [
        ("Shared", {"a": [1]}, 1), ("Text", {}, 1),
    ]  # fmt: skip
    reports = stub.store.collection("tenant_acme", "report")
    reports.remove(secret.id)
    again = platform.dashboards.clone(made.id)
    assert ([one.field for one in again.warnings], again.widget_count) == (["widgets.0"], 2)
