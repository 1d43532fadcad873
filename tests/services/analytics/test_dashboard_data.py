"""What dashboards show: the figures of their sources, kept for a while, for each viewer, and as they change."""

from __future__ import annotations

from typing import Any

import pytest
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import Dashboard, WidgetData
from server_stub import StubServer

from .conftest import CAMPAIGN, MakeReport

COUNT: Any = {"entity_type": "lead", "filter_groups": CAMPAIGN, "measures": [{"function": "count"}]}


def widget(type: str = "kpi", **source: Any) -> Any:
    return {"title": "W", "type": type, "source": source}


def figure(shown: WidgetData) -> float:
    assert shown.value is not None, shown.error
    return float(shown.value.value)


@pytest.fixture
def board(platform: CrmClient, leads: list[str]) -> Dashboard:
    """A dashboard that counts the five leads of a campaign."""
    return platform.dashboards.create({"name": "B", "visibility": "tenant", "widgets": [widget(query=COUNT)]})


def lead(crm: CrmClient, **members: Any) -> None:
    given: Any = {"name": "One more", "campaign": "camp", **members}
    crm.leads.create(given)


# -- what a widget shows ---------------------------------------------------------------------------------------------


def test_a_widget_shows_what_its_report_gives(platform: CrmClient, report: MakeReport) -> None:
    made = report(groups=[{"field": "source"}], measures=[{"function": "sum", "field": "value"}])
    table = report(sort=[{"key": "value"}])
    board = platform.dashboards.create(
        {"name": "B", "widgets": [widget("bar", report_id=made.id), widget("table", report_id=table.id)]}
    )
    sums, rows = platform.dashboards.data(board.id).widgets
    assert sums.table is not None and rows.table is not None
    assert sums.table.groups == platform.reports.data(made.id).groups
    assert rows.table.rows == platform.reports.data(table.id).rows
    assert platform.reports.get(made.id).run_count == 1, "a widget is no run"


def test_one_figure_says_whether_it_is_money(platform: CrmClient, report: MakeReport) -> None:
    cases: list[tuple[Any, float, str]] = [
        ({"measures": [{"function": "count"}]}, 5, "count"),
        ({"measures": [{"function": "sum", "field": "value"}]}, 8640.75, "currency"),
        ({"columns": [{"field": "name"}, {"field": "value"}]}, 5, "count"),
    ]
    for source, value, unit in cases:
        made = report(**source)
        board = platform.dashboards.create({"name": "B", "widgets": [widget(report_id=made.id)]})
        (shown,) = platform.dashboards.data(board.id).widgets
        assert shown.value is not None and (figure(shown), shown.value.unit) == (value, unit), source


def test_a_metric_is_that_of_analytics(platform: CrmClient) -> None:
    cases: list[str] = ["sales.revenue", "leads.new_leads", "activities.total", "real_time.leads_today"]
    for metric in cases:
        board = platform.dashboards.create({"name": "B", "widgets": [widget(metric=metric)]})
        name, _, member = metric.partition(".")
        (shown,) = platform.dashboards.data(board.id).widgets
        assert shown.value == getattr(getattr(platform.analytics.metrics, name)(), member), metric


def test_periods_are_a_series_without_holes(platform: CrmClient, leads: list[str]) -> None:
    by_day: Any = {**COUNT, "groups": [{"field": "created_at", "interval": "day"}], "filter_groups": []}
    board = platform.dashboards.create(
        {"name": "B", "widgets": [widget("line", query=by_day), widget("line", metric="sales.revenue")]}
    )
    days, revenue = platform.dashboards.data(board.id).widgets
    assert days.series is not None and revenue.series is not None
    (counted,) = days.series
    assert (counted.points[-1].start - counted.points[0].start).days == len(counted.points) - 1
    assert sum(point.value for point in counted.points) == platform.leads.list(limit=1).total
    assert [one.name for one in revenue.series] == ["revenue"] and len(revenue.series[0].points) == 12


def test_a_feed_has_what_the_viewer_may_see(platform: CrmClient, leads: list[str]) -> None:
    wanted = {"entityTypes": ["lead"], "verbs": ["created"], "limit": 3}
    board = platform.dashboards.create({"name": "B", "widgets": [widget("feed", feed=wanted), widget("feed", feed={})]})
    few, all_ = platform.dashboards.data(board.id).widgets
    assert few.feed is not None and all_.feed is not None
    assert [item.entity.id for item in few.feed] == leads[:1:-1] and few.feed[0].summary.endswith("created Lead 4")
    assert {item.verb for item in few.feed} == {"created"} and all_.feed[0].entity.id == board.id


def test_a_feed_is_of_those_who_acted_or_own_the_record(platform: CrmClient, sam: CrmClient, stub: StubServer) -> None:
    since = stub.clock.now().isoformat()
    stored(stub, "user", "user_ada", team_ids=[])
    for crm, name, owner in ((platform, "of mia", "user_mia"), (platform, "of noor", "user_noor"), (sam, "by sam", "")):
        lead(crm, name=name, **({"owner_id": owner} if owner else {}))
    wanted = {"entityTypes": ["lead"], "verbs": ["created"], "since": since}
    expected: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["by sam", "of noor", "of mia"]),
        ({"owner_id": "user_mia"}, ["of mia"]),
        ({"owner_id": "user_noor"}, ["of noor"]),
        ({"owner_id": "user_sam"}, ["by sam"]),
        ({"team_id": "team_acme_sales"}, ["by sam", "of mia"]),
        ({"owner_id": "user_mia", "team_id": "team_acme_sales"}, ["of mia"]),
        ({"owner_id": "user_noor", "team_id": "team_acme_sales"}, []),
    ]
    widgets = [widget("feed", feed=wanted, **source) for source, _ in expected]
    board = platform.dashboards.create({"name": "B", "widgets": widgets})
    for feed, (source, shown) in zip(platform.dashboards.data(board.id).widgets, expected, strict=True):
        assert [item.entity.name for item in feed.feed or ()] == shown, source
    gone = platform.leads.list(search="of noor").items[0].id
    platform.leads.delete(gone)
    wanted = {"entityTypes": ["lead"], "since": since}
    board = platform.dashboards.create({"name": "B", "widgets": [widget("feed", feed=wanted, owner_id="user_noor")]})
    (feed,) = platform.dashboards.data(board.id).widgets
    assert feed.feed == [], "what is gone is nobody's any more"


def test_a_feed_has_twenty_items_or_as_many_as_it_says_up_to_200(platform: CrmClient) -> None:
    people: Any = [{"external_id": f"x{number}", "name": f"Lead {number}"} for number in range(201)]
    platform.objects.upsert("lead", people)
    limits: list[tuple[Any, int]] = [
        (None, 20), (0, 20), (-1, 20), ("9", 20), (1, 1), (199, 199), (200, 200), (201, 200)
    ]  # fmt: skip
    widgets = [widget("feed", feed={"entityTypes": ["lead"], "limit": limit}) for limit, _ in limits]
    board = platform.dashboards.create({"name": "B", "widgets": widgets})
    shown = [len(feed.feed or ()) for feed in platform.dashboards.data(board.id).widgets]
    assert shown == [count for _, count in limits]
