"""What widgets show of long ranges, many records and hidden members, and which figures are kept for how long."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from newcomers import PASSWORD
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models import Pipeline
from crm_sdk.resources.dashboards import Dashboards
from server_stub import StubServer
from server_stub.services.dashboards.figures import Limits
from server_stub.timetable import system_call

from .conftest import CAMPAIGN

COUNT: Any = {"entity_type": "lead", "filter_groups": CAMPAIGN, "measures": [{"function": "count"}]}
KEPT = "widget_data"


def board(crm: CrmClient, *widgets: Any, **members: Any) -> Any:
    given: Any = {"name": "B", "visibility": "tenant", "widgets": list(widgets), **members}
    return crm.dashboards.create(given)


def widget(type: str = "kpi", **source: Any) -> Any:
    return {"title": "W", "type": type, "source": source}


def test_the_periods_of_a_metric_are_as_long_as_its_range_wants(platform: CrmClient, stub: StubServer) -> None:
    today = stub.clock.now().date()
    made = board(platform, widget("line", metric="sales.revenue"))
    for days, count, name in (
        (0, 1, f"{today}"), (31, 32, f"{today}"), (32, 6, None), (120, 18, None), (121, 5, f"{today:%Y-%m}"),
        (1_500, 50, f"{today:%Y-%m}"), (1_501, 6, f"{today:%Y}"),
    ):  # fmt: skip
        span: Any = {"date_range": {"preset": "custom", "start_date": today - timedelta(days=days), "end_date": today}}
        (shown,) = platform.dashboards.data(made.id, filters=span).widgets
        assert shown.error is None, shown.error
        (line,) = some(shown.series)
        assert abs(len(line.points) - count) <= (0 if name else 1), days
        assert (line.points[-1].period == name) if name else "-W" in line.points[-1].period


def test_a_metric_of_a_widget_has_a_series_only_where_it_shows_periods(platform: CrmClient) -> None:
    kinds = ("line", "area", "bar", "kpi", "gauge", "forecast")
    made = board(platform, *(widget(kind, metric="sales.revenue") for kind in kinds))
    shown = {one.type: one for one in platform.dashboards.data(made.id).widgets}
    assert {kind for kind, one in shown.items() if one.series is not None} == {"line", "area", "bar"}
    assert {one.value is not None for one in shown.values()} == {True}
    other = board(platform, widget("line", metric="real_time.leads_today"))
    (without,) = platform.dashboards.data(other.id).widgets
    assert (without.series, without.error) == (None, None) and without.value is not None


def test_nobody_is_shown_a_metric_of_what_is_hidden(platform: CrmClient, stub: StubServer) -> None:
    words = ("dashboards", "analytics", "deals", "leads", "activities")
    platform.security.roles.create(
        {
            "key": "blind", "name": "Blind",
            "permissions": [{"resource": word, "action": "read"} for word in words],
            "field_permissions": [{"entity": "deal", "field": "value", "access": "hidden"}],
        }
    )  # fmt: skip
    platform.users.create({"email": "blind@acme.test", "name": "Blind", "role": "blind", "password": PASSWORD})
    token = stub.client(api_key=None, dialects="platform").auth.login("blind@acme.test", PASSWORD).access_token
    blind = stub.client(api_key=str(token), dialects="platform", max_retries=0)
    made = board(platform, widget(metric="sales.revenue"), widget(metric="leads.new_leads"))
    for crm, codes in ((blind, {"UNKNOWN_FIELD", None}), (platform, {None})):
        shown = crm.dashboards.data(made.id).widgets
        assert {one.error and one.error.code for one in shown} == codes
        for one in shown:
            assert (one.value is None) is (one.error is not None)
    (error,) = [one.error for one in blind.dashboards.data(made.id).widgets if one.error]
    assert some(error).model_dump() == {
        "code": "UNKNOWN_FIELD", "message": "there is no member 'sales.revenue'", "field": "source.metric",
        "rule": "choice", "details": {"field": "sales.revenue"},
    }  # fmt: skip


def test_a_widget_shows_200_rows_or_groups(platform: CrmClient) -> None:
    people: Any = [{"external_id": f"x{number}", "name": f"N{number:03}", "campaign": "many"} for number in range(201)]
    groups: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "many"}]}]
    table = platform.reports.create(
        {"name": "R", "entity_type": "lead", "columns": [{"field": "name"}], "filter_groups": groups}
    )
    by_name: Any = {**COUNT, "filter_groups": groups, "groups": [{"field": "name"}]}
    made = board(platform, widget("table", report_id=table.id), widget("table", query=by_name))
    for count, more in ((200, False), (201, True)):
        platform.objects.upsert("lead", people[:count])
        shown = [some(one.table) for one in platform.dashboards.refresh(made.id).widgets]
        assert [(len(one.rows), len(one.groups)) for one in shown] == [(200, 0), (0, 200)]
        assert [(one.has_next, one.page, one.limit, one.run_id) for one in shown] == [(more, 1, 200, None)] * 2
        assert [one.report_id for one in shown] == [table.id, None]


def test_the_first_limit_that_is_given_holds() -> None:
    found = Limits.of(None, {"owner_id": "a", "team_id": None}, {"owner_id": "b", "team_id": "t", "pipeline_id": ""})
    assert (found.owner_id, found.team_id, found.pipeline_id, found.date_range) == ("a", "t", None, None)
    assert Limits.of() == Limits(None, None, None, None) == Limits.of(None, {})


@pytest.mark.parametrize("by", ["owner", "team", "pipeline"])
def test_figures_are_of_whom_or_which_pipeline_they_are_limited_to(
    platform: CrmClient, stub: StubServer, pipe: Pipeline, by: str
) -> None:
    stored(stub, "user", "user_ada", team_ids=[])
    for owner, pipeline in (("user_sam", pipe.id), ("user_ada", pipe.id), ("user_sam", "pipeline_acme")):
        platform.deals.create({"title": "Figure", "owner_id": owner, "pipeline_id": pipeline})
    named: Any = [{"filters": [{"field": "title", "op": "eq", "value": "Figure"}]}]
    query: Any = {"entity_type": "deal", "filter_groups": named, "measures": [{"function": "count"}]}
    source = {"owner": {"owner_id": "user_ada"}, "team": {"team_id": "team_acme_sales"},
              "pipeline": {"pipeline_id": pipe.id}}[by]  # fmt: skip
    counts = {"owner": 1, "team": 2, "pipeline": 2}
    of_pipelines: Any = {"entity_type": "pipeline", "filter_groups": [], "measures": [{"function": "count"}]}
    made = board(platform, widget(query=query, **source), widget(query=query), widget(query=of_pipelines, **source))
    figures: Any = [some(shown.value).value for shown in platform.dashboards.data(made.id).widgets]
    one, every, others = figures
    assert (one, every) == (counts[by], 3)
    assert others == platform.pipelines.list(limit=1).total, "pipelines have no owner"
    (shown, *_) = platform.dashboards.data(made.id, filters={"owner_id": "user_nobody"}).widgets
    assert some(shown.value).value == 0


# -- what is kept ------------------------------------------------------------------------------------------------------


def test_what_is_kept_goes_when_it_is_due_or_for_good(platform: CrmClient, stub: StubServer, leads: list[str]) -> None:
    made = board(platform, widget(query=COUNT), refresh_seconds=10)
    id = made.widgets[0].id
    kept = stub.store.collection("tenant_acme", KEPT)

    def count() -> int:
        return len(kept.find("widget_id", id))

    filters: list[Any] = [{"owner_id": f"user_{number}"} for number in range(3)]
    for number, given in enumerate(filters):
        platform.dashboards.data(made.id, filters=given)
        assert count() == number + 1
    first = stub.clock.now()
    stub.clock.advance(9)
    assert platform.dashboards.data(made.id, filters=filters[2]).widgets[0].cached
    stub.clock.advance((first + timedelta(seconds=10) - stub.clock.now()).total_seconds())
    assert not platform.dashboards.data(made.id, filters=filters[2]).widgets[0].cached
    assert count() == 1, "what is over goes"
    platform.dashboards.widgets.update(made.id, id, {"refresh_seconds": 0})
    for given in filters:
        platform.dashboards.data(made.id, filters=given)
    stub.clock.advance(86_400)
    assert [platform.dashboards.data(made.id, filters=given).widgets[0].cached for given in filters] == [True] * 3
    platform.dashboards.refresh(made.id)
    assert count() == 1, "a refresh is of all filters"
    other = board(platform, widget(query=COUNT))
    platform.dashboards.data(other.id)
    platform.dashboards.delete(made.id)
    assert count() == 0 and len(kept.find("dashboard_id", other.id)) == 1


def test_what_is_kept_is_shown_until_its_time(platform: CrmClient, stub: StubServer) -> None:
    made = board(platform, widget(metric="leads.total_leads"), refresh_seconds=60).id
    start, little = stub.clock.now(), timedelta(microseconds=1)

    def is_cached(after: timedelta) -> bool:
        call = system_call(stub, "tenant_acme", start + after, "test")
        (widget,) = stub.rules[Dashboards.data.operation](call, made, None, None)["widgets"]
        return bool(widget["cached"])

    minute = timedelta(seconds=60)
    times = (timedelta(), little, minute - little, minute, 2 * minute - little, 2 * minute)
    assert [is_cached(after) for after in times] == [False, True, True, False, True, False]


def test_what_is_computed_is_of_the_viewer_and_of_the_widget_as_it_is(
    platform: CrmClient, sam: CrmClient, leads: list[str]
) -> None:
    made = board(platform, widget(query=COUNT))
    id = made.widgets[0].id
    assert [crm.dashboards.data(made.id).widgets[0].cached for crm in (platform, sam, platform, sam)] == [
        False, False, True, True,
    ]  # fmt: skip
    platform.dashboards.widgets.update(made.id, id, {"title": "Other"})
    assert not platform.dashboards.widgets.data(made.id, id).cached
    report = platform.reports.create({"name": "R", "entity_type": "lead", "columns": [{"field": "name"}]})
    shown = board(platform, widget("table", report_id=report.id))
    for change in ({}, {"description": "D"}, {"visibility": "tenant"}):
        given: Any = change
        platform.reports.update(report.id, given)
        assert not platform.dashboards.data(shown.id).widgets[0].cached
        assert platform.dashboards.data(shown.id).widgets[0].cached


def test_what_cannot_be_shown_is_tried_again(platform: CrmClient, sam: CrmClient) -> None:
    report = platform.reports.create({"name": "R", "entity_type": "lead", "columns": [{"field": "name"}]})
    made = board(platform, widget("table", report_id=report.id), {"title": "T", "type": "text", "content": "C"})
    (broken, text) = sam.dashboards.data(made.id).widgets
    error = some(broken.error)
    assert (error.code, error.field, broken.table, broken.cached) == (
        "SOURCE_MISSING", "source.reportId", None, False,
    )  # fmt: skip
    assert error.message == "what the widget shows is gone, or not shared with you"
    assert (text.error, text.value, text.series, text.table, text.feed, text.title) == (None,) * 5 + ("T",)
    platform.reports.update(report.id, {"visibility": "tenant"})
    assert sam.dashboards.data(made.id).widgets[0].error is None
    wrong: Any = {"date_range": {"preset": "custom", "start_date": "2026-02-01", "end_date": "2026-01-01"}}
    for call in (
        partial(platform.dashboards.data, made.id, filters=wrong),
        partial(platform.dashboards.widgets.data, made.id, broken.widget_id, filters=wrong),
    ):
        assert refused(call).status == 422


def test_data_say_what_they_are_limited_to_and_whether_they_are_stale(
    platform: CrmClient, stub: StubServer, leads: list[str], pipe: Pipeline
) -> None:
    days = {"preset": "this_month", "start_date": None, "end_date": None}
    own: Any = {"owner_id": "user_mia", "date_range": {"preset": "this_month"}}
    made = board(platform, widget(query=COUNT), widget(query=COUNT, owner_id="user_sam"), filters=own)
    for given, owner, pipeline in (
        (None, "user_mia", None), ({"owner_id": "user_ada"}, "user_ada", None),
        ({"pipeline_id": pipe.id}, "user_mia", pipe.id), ({"team_id": None}, "user_mia", None),
    ):  # fmt: skip
        filters: Any = given
        found = platform.dashboards.data(made.id, filters=filters)
        limits = found.filters.model_dump()
        assert (limits["owner_id"], limits["team_id"], limits["pipeline_id"]) == (owner, None, pipeline), given
        assert {name: limits["date_range"][name] for name in days} == days
    assert (found.dashboard_id, found.stale) == (made.id, False)
    platform.leads.create({"name": "One more", "campaign": "camp"})
    later = platform.dashboards.data(made.id)
    assert (later.stale, [one.cached for one in later.widgets]) == (True, [True, True])
    assert later.widgets[0].value == found.widgets[0].value
    fresh = platform.dashboards.refresh(made.id, widget_ids=[made.widgets[0].id])
    assert (fresh.stale, [one.cached for one in fresh.widgets]) == (False, [False])
    both = platform.dashboards.data(made.id)
    assert (both.stale, [one.cached for one in both.widgets]) == (True, [True, True]), "the other is as it was"
    again = platform.dashboards.refresh(made.id)
    now = platform.dashboards.get(made.id)
    assert (now.last_refreshed_at, now.version) == (again.generated_at, made.version), "to look anew is no change"


def test_a_report_of_a_widget_is_of_the_days_that_are_asked_for(
    platform: CrmClient, stub: StubServer, leads: list[str]
) -> None:
    """Whatever days the report itself is of; who and what limits a dashboard has to be there."""
    now = stub.clock.now()
    stored(stub, "lead", leads[0], created_at=now - timedelta(days=400))
    groups: Any = CAMPAIGN
    given: Any = {"name": "R", "entity_type": "lead", "columns": [{"field": "name"}], "filter_groups": groups,
                  "date_range": {"preset": "this_month"}}  # fmt: skip
    report = platform.reports.create(given)
    made = board(platform, widget(report_id=report.id), widget(query=COUNT))
    figures: list[list[Any]] = []
    for span in (
        None,
        {"preset": "this_year"},
        {"preset": "last_year"},
        {"preset": "custom", "end_date": "2025-06-01"},
    ):
        filters: Any = {"date_range": span} if span is not None else None
        shown = platform.dashboards.data(made.id, filters=filters).widgets
        figures.append([some(one.value).value for one in shown])
    assert figures == [[4, 5], [4, 4], [0, 0], [1, 1]]
    for name, kind in (("owner_id", "user"), ("team_id", "team"), ("pipeline_id", "pipeline")):
        wrong: Any = {"filters": {name: f"{kind}_none"}}
        named: Any = {"name": "B", **wrong}
        for call in (
            partial(platform.dashboards.update, made.id, wrong),
            partial(platform.dashboards.create, named),
        ):
            error = refused(call)
            assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", f"filters.{name}")
    own: Any = {"filters": {"owner_id": "user_sam"}}
    platform.dashboards.update(made.id, own)
    stored(stub, "user", "user_sam", deleted_at=now)
    kept: Any = {"filters": {"owner_id": "user_sam", "pipeline_id": "pipeline_acme"}}
    assert some(platform.dashboards.update(made.id, kept).filters).owner_id == "user_sam", "what is held may stay"
