"""Dashboards: two doors to one store, widgets on a grid, and who sees them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from portions import portion
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import Dashboard
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.dashboards.grid import placed_widgets
from server_stub.services.dashboards.records import METRICS


def text(x: int | None = None, y: int = 0, width: int = 4, height: int = 3, **more: Any) -> Any:
    place = {"position": {"x": x, "y": y, "width": width, "height": height}} if x is not None else {}
    return {"title": "Text", "type": "text", "content": "Hello", **place, **more}


def kpi(source: Any, **more: Any) -> Any:
    return {"title": "Figure", "type": "kpi", "source": source, **more}


def places(board: Dashboard) -> list[tuple[int, int]]:
    return [(widget.position.x, widget.position.y) for widget in board.widgets]


@pytest.fixture(params=["dashboards", "analytics"])
def door(request: pytest.FixtureRequest, platform: CrmClient) -> Any:
    """The calls of each of the two doors."""
    return platform.dashboards if request.param == "dashboards" else platform.analytics.dashboards


def test_both_doors_lead_to_the_same_dashboards(platform: CrmClient, door: Any, stub: StubServer) -> None:
    other: Any = platform.analytics.dashboards if door is platform.dashboards else platform.dashboards
    made = door.create({"name": "Two doors", "widgets": [text(4), text(0)], "tags": ["x"]})
    assert (made.widget_count, made.columns, made.refresh_seconds, made.visibility) == (2, 12, 300, "private")
    assert places(made) == [(0, 0), (4, 0)] and {widget.dashboard_id for widget in made.widgets} == {made.id}
    assert other.get(made.id) == made == door.get(made.id)
    for calls in (door, other):
        (listed,) = calls.list(search="two DOORS", tags=["x"])
        assert (listed.id, listed.widgets, listed.widget_count) == (made.id, [], 2)
    assert other.update(made.id, {"description": "x"}, version=1).version == 2
    assert refused(lambda: door.update(made.id, {"name": "y"}, version=1)).code == "VERSION_CONFLICT"
    assert door.update(made.id, {"description": "x"}).version == 2
    door.delete(made.id)
    assert refused(lambda: other.get(made.id)).status == 404
    deeds = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert deeds == ["dashboard.created", "dashboard.updated", "dashboard.deleted"]


def test_dashboards_are_shared_as_their_owner_says(platform: CrmClient, sam: CrmClient, globex: CrmClient) -> None:
    made = platform.dashboards.create({"name": "Shared"})
    for visibility, seen in (("private", False), ("team", True), ("tenant", True)):
        platform.dashboards.update(made.id, {"visibility": visibility})
        assert (made.id in [board.id for board in sam.analytics.dashboards.list(search="Shared")]) is seen
        status = 403 if seen else 404
        assert refused(lambda: sam.dashboards.update(made.id, {"name": "Mine"})).status == status
        assert refused(lambda: sam.analytics.dashboards.delete(made.id)).status == status
        assert refused(lambda: globex.dashboards.get(made.id)).status == 404
    assert sam.dashboards.create({"name": "Own"}).owner_id == "user_sam"


def test_one_default_for_each_user(platform: CrmClient, sam: CrmClient) -> None:
    theirs = sam.dashboards.create({"name": "Theirs", "is_default": True})
    first = platform.dashboards.create({"name": "First", "is_default": True})
    second = platform.dashboards.create({"name": "Second", "is_default": True})
    found = {board.id for board in platform.dashboards.list(is_default=True, owner_id="user_ada")}
    assert found == {second.id}
    platform.dashboards.update(first.id, {"is_default": True})
    assert [board.id for board in platform.dashboards.list(is_default=True, owner_id="user_ada")] == [first.id]
    assert sam.dashboards.get(theirs.id).is_default


@pytest.mark.parametrize("feature", ["analytics", "dashboards", "reports"])
def test_a_door_needs_both_features(platform: CrmClient, stub: StubServer, feature: str) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    (tenant,) = tenants
    tenants.put(tenant | {"features": {feature: False}})
    analytics = platform.analytics
    calls: dict[str, tuple[Any, set[str]]] = {
        "metrics": (analytics.metrics.sales, {"analytics"}),
        "dashboards": (platform.dashboards.list, {"dashboards"}),
        "door to dashboards": (analytics.dashboards.list, {"analytics", "dashboards"}),
        "door to reports": (lambda: analytics.reports.get("report_1"), {"analytics", "reports"}),
    }
    for name, (call, needed) in calls.items():
        if feature in needed:
            error = refused(call)
            assert (error.status, error.code, error.details) == (403, "FEATURE_DISABLED", {"feature": feature}), name
        elif name != "door to reports":
            call()


# -- widgets ---------------------------------------------------------------------------------------------------------


def test_widgets_are_taken_all_or_not_at_all(platform: CrmClient) -> None:
    refusals: list[tuple[Any, str, str]] = [
        ([text(0), text(2, 2)], "WIDGET_OVERLAP", "widgets.1.position"),
        ([text(), text(10)], "WIDGET_OUT_OF_GRID", "widgets.1.position"),
        ([{"title": "None", "type": "kpi"}], "VALIDATION_ERROR", "widgets.0.source"),
        ([kpi({"metric": "sales.revenue", "feed": {}})], "VALIDATION_ERROR", "widgets.0.source"),
        ([text(source={"metric": "sales.revenue"})], "VALIDATION_ERROR", "widgets.0.source"),
        ([kpi({"metric": "leads.nonsense"})], "UNKNOWN_METRIC", "widgets.0.source.metric"),
        ([kpi({"report_id": "report_nobody"})], "REFERENCE_NOT_FOUND", "widgets.0.source.report_id"),
        ([kpi({"metric": "sales.revenue", "owner_id": "user_nobody"})], "REFERENCE_NOT_FOUND",
         "widgets.0.source.owner_id"),
        ([kpi({"query": {"entity_type": "lead", "measures": [{"function": "sum", "field": "name"}]}})],
         "INVALID_MEASURE", "widgets.0.source.query.measures.0.function"),
        ([kpi({"query": {"entity_type": "lead", "measures": [{"function": "count"}],
                         "filter_groups": [{"filters": [{"field": "nope", "op": "is_set"}]}]}})], "UNKNOWN_FIELD",
         "widgets.0.source.query.filter_groups.0.filters.0.field"),
        *(([text(refresh_seconds=few)], "VALIDATION_ERROR", "widgets.0.refresh_seconds") for few in (1, 3, 4)),
        ([text(id="widget_nobody")], "REFERENCE_NOT_FOUND", "widgets.0.id"),
    ]  # fmt: skip
    for widgets, code, field in refusals:
        before = platform.dashboards.list(limit=1).total
        made = platform.dashboards.create({"name": "Kept", "widgets": [text()]})
        for call in (
            partial(platform.dashboards.create, {"name": "Half", "widgets": widgets}),
            partial(platform.dashboards.update, made.id, {"widgets": widgets}),
        ):
            error = refused(call)
            assert (error.status, error.code, error.fields[0].field) == (422, code, field)
        assert platform.dashboards.get(made.id) == made, widgets
        assert platform.dashboards.list(limit=1).total == (before or 0) + 1, widgets


def test_a_widget_ends_within_the_grid(platform: CrmClient) -> None:
    for x, width, end in [(8, 4, None), (9, 4, 13), (11, 1, None), (11, 2, 13), (12, 1, 13)]:
        given: Any = {"name": "Board", "widgets": [text(x, width=width)]}
        if end is None:
            assert places(platform.dashboards.create(given)) == [(x, 0)]
            continue
        error = refused(partial(platform.dashboards.create, given))
        assert (error.code, error.fields[0].rule, error.details) == ("WIDGET_OUT_OF_GRID", "max", {"columns": 12}), x
        assert error.message == f"the widget ends in column {end}, the grid has 12", x


def test_a_private_report_of_somebody_else_is_no_source(platform: CrmClient, sam: CrmClient) -> None:
    report = platform.reports.create({"name": "R", "entity_type": "lead", "columns": [{"field": "name"}]})
    made: Any = {"name": "Board", "widgets": [kpi({"report_id": report.id})]}
    assert refused(lambda: sam.dashboards.create(made)).code == "REFERENCE_NOT_FOUND"
    assert platform.dashboards.create(made).widget_count == 1


def test_a_widget_keeps_a_source_that_is_gone(platform: CrmClient, stub: StubServer) -> None:
    report = platform.reports.create({"name": "R", "entity_type": "lead", "columns": [{"field": "name"}]})
    owned: Any = kpi({"metric": "sales.revenue", "owner_id": "user_mia"})
    made = platform.dashboards.create({"name": "Board", "widgets": [kpi({"report_id": report.id}), owned]})
    stub.store.collection("tenant_acme", "report").remove(report.id)
    stored(stub, "user", "user_mia", deleted_at=stub.clock.now())
    one, two = made.widgets
    kept: Any = [kpi({"report_id": report.id}, id=one.id, title="New"), {**owned, "id": two.id, "title": "Own"}]
    now = platform.dashboards.update(made.id, {"widgets": kept})
    assert [(widget.title, widget.version, widget.source) for widget in now.widgets] == [
        ("New", 2, one.source), ("Own", 2, two.source),
    ]  # fmt: skip
    for number, name in enumerate(("report_id", "owner_id")):
        moved: Any = [{**widget, "id": (two.id, one.id)[at]} for at, widget in enumerate(kept)]
        fresh: Any = [kept[1 - number], {name: value for name, value in kept[number].items() if name != "id"}]
        for widgets in (moved, fresh):
            error = refused(partial(platform.dashboards.update, made.id, {"widgets": widgets}))
            assert error.code == "REFERENCE_NOT_FOUND"
        assert error.fields[0].field == f"widgets.1.source.{name}"


def test_every_metric_can_be_shown(platform: CrmClient) -> None:
    board = platform.dashboards.create({"name": "All", "widgets": [kpi({"metric": name}) for name in sorted(METRICS)]})
    assert sorted(widget.source.metric or "" for widget in board.widgets if widget.source) == sorted(METRICS)
    answers = {name: getattr(platform.analytics.metrics, name)() for name in {one.partition(".")[0] for one in METRICS}}
    for metric in METRICS:
        name, _, figure = metric.partition(".")
        assert getattr(answers[name], figure).unit, metric


def test_a_widget_keeps_its_id_and_counts_its_versions(platform: CrmClient) -> None:
    made = platform.dashboards.create({"name": "Kept", "widgets": [text(0), text(4)]})
    one, two = made.widgets
    changed: Any = [text(0, id=one.id, content="New"), text(4, id=two.id), text()]
    new = platform.dashboards.update(made.id, {"widgets": changed})
    assert [(widget.version, widget.content) for widget in new.widgets] == [(2, "New"), (1, "Hello"), (1, "Hello")]
    assert [widget.id for widget in new.widgets][:2] == [one.id, two.id] and new.widgets[0].created_at == one.created_at
    back: Any = {"widgets": [widget.model_dump(mode="json", by_alias=True) for widget in new.widgets]}
    raw = platform.request("PUT", f"/v1/dashboards/{made.id}", json=back).json()["data"]
    assert raw["version"] == new.version == 2, "what was read can be written back"
    fewer = platform.dashboards.update(made.id, {"widgets": [text(4, id=two.id)]})
    assert (fewer.widget_count, places(fewer), fewer.version) == (1, [(4, 0)], 3)


def test_a_grid_is_as_wide_as_its_widgets_need(platform: CrmClient) -> None:
    made = platform.dashboards.create({"name": "Narrow", "widgets": [text(5, width=2)]})
    error = refused(lambda: platform.dashboards.update(made.id, {"columns": 6}))
    assert (error.status, error.code, error.details["columns"]) == (409, "GRID_TOO_NARROW", 7)
    assert platform.dashboards.update(made.id, {"columns": 7}).columns == 7
    moved = platform.dashboards.update(made.id, {"columns": 2, "widgets": [text()]})
    assert moved.widgets[0].position.width == 2


@settings(max_examples=portion(50))
@given(
    st.integers(1, 24),
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 6), st.integers(1, 6), st.integers(1, 3)) | st.none(), max_size=12
    ),
)
def test_widgets_never_overlap(columns: int, cells: list[tuple[int, int, int, int] | None]) -> None:
    names = ("x", "y", "width", "height")
    widgets = [{"position": dict(zip(names, cell, strict=True)) if cell is not None else None} for cell in cells]
    try:
        found = [widget["position"] for widget in placed_widgets(widgets, columns)]
    except Problem as problem:
        event(problem.code)  # they overlap, or are outside
        return
    taken = [
        (x, y)
        for place in found
        for x in range(place["x"], place["x"] + place["width"])
        for y in range(place["y"], place["y"] + place["height"])
    ]
    assert len(found) == len(cells) and len(taken) == len(set(taken)) and all(x < columns for x, _ in taken)


def test_a_dashboard_of_a_list_is_sent_back_with_its_widgets_kept(platform: CrmClient) -> None:
    """A list leaves the widgets out; whoever sends an empty list without their number means it."""
    made = platform.dashboards.create({"name": "Back", "widgets": [text(0), text(4)]})
    listed = platform.request("GET", "/v1/dashboards", query={"search": "Back"}).json()["data"][0]
    assert (listed["widgets"], listed["widgetCount"]) == ([], 2)
    platform.request("PUT", f"/v1/dashboards/{made.id}", json=listed | {"name": "Kept"})
    now = platform.dashboards.get(made.id)
    assert (now.name, now.widget_count, [one.id for one in now.widgets]) == (
        "Kept",
        2,
        [one.id for one in made.widgets],
    )
    platform.request("PUT", f"/v1/dashboards/{made.id}", json={"widgets": []})
    assert platform.dashboards.get(made.id).widget_count == 0
