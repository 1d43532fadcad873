"""What dashboards show: the figures of their sources, kept for a while, for each viewer, and as they change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import AuthenticationError, CrmClient, InvalidInputError, NotFoundError, Stream
from crm_sdk.models import Dashboard, DashboardEvent, WidgetData
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import CAMPAIGN, MakeReport, Wait

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


@pytest.mark.parametrize(
    ("source", "value", "unit"),
    [
        ({"measures": [{"function": "count"}]}, 5, "count"),
        ({"measures": [{"function": "sum", "field": "value"}]}, 8640.75, "currency"),
        ({"columns": [{"field": "name"}, {"field": "value"}]}, 5, "count"),
    ],
)
def test_one_figure_says_whether_it_is_money(
    platform: CrmClient, report: MakeReport, source: Any, value: float, unit: str
) -> None:
    made = report(**source)
    board = platform.dashboards.create({"name": "B", "widgets": [widget(report_id=made.id)]})
    (shown,) = platform.dashboards.data(board.id).widgets
    assert shown.value is not None and (figure(shown), shown.value.unit) == (value, unit)


@pytest.mark.parametrize("metric", ["sales.revenue", "leads.new_leads", "activities.total", "real_time.leads_today"])
def test_a_metric_is_that_of_analytics(platform: CrmClient, metric: str) -> None:
    board = platform.dashboards.create({"name": "B", "widgets": [widget(metric=metric)]})
    name, _, member = metric.partition(".")
    (shown,) = platform.dashboards.data(board.id).widgets
    assert shown.value == getattr(getattr(platform.analytics.metrics, name)(), member)


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


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ({}, ["by sam", "of noor", "of mia"]),
        ({"owner_id": "user_mia"}, ["of mia"]),
        ({"owner_id": "user_noor"}, ["of noor"]),
        ({"owner_id": "user_sam"}, ["by sam"]),
        ({"team_id": "team_acme_sales"}, ["by sam", "of mia"]),
        ({"owner_id": "user_mia", "team_id": "team_acme_sales"}, ["of mia"]),
        ({"owner_id": "user_noor", "team_id": "team_acme_sales"}, []),
    ],
)
def test_a_feed_is_of_those_who_acted_or_own_the_record(
    platform: CrmClient, sam: CrmClient, stub: StubServer, source: Any, shown: list[str]
) -> None:
    since = stub.clock.now().isoformat()
    stored(stub, "user", "user_ada", team_ids=[])
    for crm, name, owner in ((platform, "of mia", "user_mia"), (platform, "of noor", "user_noor"), (sam, "by sam", "")):
        lead(crm, name=name, **({"owner_id": owner} if owner else {}))
    wanted = {"entityTypes": ["lead"], "verbs": ["created"], "since": since}
    board = platform.dashboards.create({"name": "B", "widgets": [widget("feed", feed=wanted, **source)]})
    (feed,) = platform.dashboards.data(board.id).widgets
    assert feed.feed is not None and [item.entity.name for item in feed.feed] == shown


@pytest.mark.parametrize(
    ("limit", "shown"), [(None, 20), (0, 20), (-1, 20), ("9", 20), (1, 1), (199, 199), (200, 200), (201, 200)]
)
def test_a_feed_has_twenty_items_or_as_many_as_it_says_up_to_200(platform: CrmClient, limit: Any, shown: int) -> None:
    people: Any = [{"external_id": f"x{number}", "name": f"Lead {number}"} for number in range(201)]
    platform.objects.upsert("lead", people)
    wanted = {"entityTypes": ["lead"], "limit": limit}
    board = platform.dashboards.create({"name": "B", "widgets": [widget("feed", feed=wanted)]})
    (feed,) = platform.dashboards.data(board.id).widgets
    assert len(feed.feed or ()) == shown


@pytest.mark.parametrize("by", ["argument", "dashboard", "widget"])
def test_filters_limit_every_widget_and_the_nearest_wins(platform: CrmClient, leads: list[str], by: str) -> None:
    lead(platform, owner_id="user_mia")
    mia: Any = {"owner_id": "user_mia"}
    none: Any = {"owner_id": "user_nobody"}
    campaign = [platform.leads.get(id) for id in leads]
    mine = 1 + sum(one.owner_id == "user_mia" for one in campaign)
    board = platform.dashboards.create({"name": "B", "widgets": [widget(query=COUNT)]})
    id = board.widgets[0].id
    if by != "argument":
        platform.dashboards.widgets.update(
            board.id, id, {"source": {"owner_id": "user_mia" if by == "widget" else "user_ada"}}
        )
    if by == "dashboard":
        platform.dashboards.update(board.id, {"filters": mia})
    given = {"filters": mia} if by == "argument" else {}
    assert figure(platform.dashboards.data(board.id, **given).widgets[0]) == mine
    assert figure(platform.dashboards.widgets.data(board.id, id, **given)) == mine
    assert figure(platform.dashboards.widgets.data(board.id, id, filters=none)) == 0
    past: Any = {"date_range": {"preset": "custom", "end_date": "2020-01-01"}}
    data = platform.dashboards.data(board.id, filters=past)
    assert figure(data.widgets[0]) == 0 and data.filters.date_range is not None


def test_filters_are_json_in_the_query(stub: StubServer, board: Dashboard) -> None:
    crm = httpx.Client(
        base_url="http://stub.test/v1", transport=stub.transport(), headers={"Authorization": "Bearer acme-admin"}
    )
    path = f"/dashboards/{board.id}/data?filters="
    good = crm.get(path + quote(json.dumps({"ownerId": "user_nobody"})))
    assert good.json()["data"]["widgets"][0]["value"]["value"] == 0
    for text, status, code in (
        ("{", 400, "BAD_REQUEST"),
        ("[]", 400, "BAD_REQUEST"),
        ('{"moon": 1}', 422, "VALIDATION_ERROR"),
    ):
        refusal = crm.get(path + quote(text))
        assert (refusal.status_code, refusal.json()["errors"][0]["code"]) == (status, code)


def test_one_broken_widget_leaves_the_rest(platform: CrmClient, sam: CrmClient, report: MakeReport) -> None:
    secret = report()
    board = platform.dashboards.create(
        {"name": "B", "visibility": "tenant", "widgets": [widget(query=COUNT), widget("table", report_id=secret.id)]}
    )
    for crm, code in ((platform, None), (sam, "SOURCE_MISSING"), (platform, None)):
        count, rows = crm.dashboards.data(board.id).widgets
        assert figure(count) == 5 and (rows.error and rows.error.code) == code and (rows.table is None) is bool(code)
    shown = sam.dashboards.widgets.data(board.id, rows.widget_id)
    assert shown.error is not None and secret.name not in shown.error.message
    assert refused(lambda: sam.dashboards.widgets.data(board.id, "widget_nobody")).status == 404


# -- what is kept ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("own", [None, 10])
def test_figures_are_kept_until_they_are_due(
    platform: CrmClient, board: Dashboard, wait: Wait, own: int | None
) -> None:
    crm, id = platform.dashboards, board.widgets[0].id
    crm.widgets.update(board.id, id, {"refresh_seconds": own})
    first = crm.data(board.id)
    assert (figure(first.widgets[0]), first.widgets[0].cached, first.stale) == (5, False, False)
    lead(platform)
    again = crm.data(board.id)
    assert (figure(again.widgets[0]), again.widgets[0].cached, again.stale) == (5, True, True)
    assert figure(crm.data(board.id, filters={"date_range": {"preset": "today"}}).widgets[0]) == 6, "other filters"
    wait((own or 300) / 86_400)
    later = crm.data(board.id)
    assert (figure(later.widgets[0]), later.widgets[0].cached, later.stale) == (6, False, False)


@pytest.mark.thorough
def test_nothing_is_computed_anew_by_itself_without_a_time(platform: CrmClient, board: Dashboard, wait: Wait) -> None:
    platform.dashboards.update(board.id, {"refresh_seconds": 0})
    platform.dashboards.data(board.id)
    lead(platform)
    wait(30)
    assert figure(platform.dashboards.data(board.id).widgets[0]) == 5
    assert figure(platform.dashboards.refresh(board.id).widgets[0]) == 6
    assert figure(platform.dashboards.data(board.id).widgets[0]) == 6


def test_a_refresh_is_of_the_widgets_that_are_named(platform: CrmClient, board: Dashboard, stub: StubServer) -> None:
    second = platform.dashboards.widgets.create(board.id, widget(query=COUNT))
    platform.dashboards.data(board.id)
    lead(platform)
    assert [one.widget_id for one in platform.dashboards.refresh(board.id, widget_ids=[second.id]).widgets] == [
        second.id
    ]
    assert [figure(one) for one in platform.dashboards.data(board.id).widgets] == [5, 6]
    assert [one.widget_id for one in platform.dashboards.data(board.id, widget_ids=[second.id]).widgets] == [second.id]
    error = refused(lambda: platform.dashboards.refresh(board.id, widget_ids=["widget_nobody"]))
    assert (error.code, error.fields[0].field) == ("REFERENCE_NOT_FOUND", "widget_ids.0")
    told = [entry for entry in stub.audit() if entry["action"] == "dashboard.refreshed"]
    assert [entry["metadata"]["widget_ids"] for entry in told] == [[second.id]]
    refreshed = platform.dashboards.get(board.id)
    assert refreshed.last_refreshed_at is not None and refreshed.version == 2, "no change of the dashboard"


# -- as it changes ---------------------------------------------------------------------------------------------------


@pytest.fixture
def stream(platform: CrmClient, board: Dashboard) -> Iterator[Stream[DashboardEvent]]:
    with platform.dashboards.subscribe(board.id) as stream:
        yield stream


def following(stream: Stream[DashboardEvent]) -> DashboardEvent:
    event = stream.wait(20.0)
    assert event is not None
    return event


def test_a_stream_tells_what_writes_have_changed(
    platform: CrmClient, board: Dashboard, stream: Stream[DashboardEvent], stub: StubServer
) -> None:
    first = following(stream)
    assert first.event == "snapshot" and first.data is not None and figure(first.data.widgets[0]) == 5
    platform.contacts.create({"name": "Of no matter"})
    lead(platform)
    stub.clock.advance(1)
    changed = following(stream)
    assert changed.event == "widget.updated" and changed.widget is not None and figure(changed.widget) == 6
    platform.dashboards.refresh(board.id)
    assert (following(stream).event, str(stream.cursor) > first.id) == ("widget.updated", True)
    platform.dashboards.update(board.id, {"name": "Other"})
    assert (event := following(stream)).event == "dashboard.updated" and event.data is not None
    platform.dashboards.delete(board.id)
    assert [event.event for event in stream] == ["dashboard.deleted"] and stream.ended


def test_a_widget_is_told_of_once_a_second_at_most(
    platform: CrmClient, stream: Stream[DashboardEvent], stub: StubServer
) -> None:
    following(stream)
    for _ in range(3):
        lead(platform)
    stub.clock.advance(1)
    assert (event := following(stream)).widget is not None and figure(event.widget) == 8


@pytest.mark.parametrize("written", [True, False])
def test_a_lost_stream_goes_on_where_it_was(
    platform: CrmClient, board: Dashboard, stream: Stream[DashboardEvent], stub: StubServer, written: bool
) -> None:
    following(stream)
    stub.live.abort()
    if written:
        lead(platform)
        assert (event := following(stream)).event == "snapshot" and event.data is not None
        assert figure(event.data.widgets[0]) == 6
    with platform.dashboards.subscribe(board.id, last_event_id=str(stream.cursor)) as later:
        stub.clock.advance(1)
        lead(platform)
        stub.clock.advance(1)
        assert following(later).event == "widget.updated", "nothing was missed: there is no snapshot"


def test_a_stream_is_the_viewers(
    platform: CrmClient, sam: CrmClient, globex: CrmClient, stub: StubServer, board: Dashboard
) -> None:
    with sam.dashboards.subscribe(board.id) as stream:
        following(stream)
        platform.dashboards.update(board.id, {"visibility": "private"})
        assert [event.event for event in stream] == ["dashboard.deleted"]
    for crm in (sam, globex):
        with pytest.raises(NotFoundError):
            crm.dashboards.subscribe(board.id).start()
    with pytest.raises(AuthenticationError):
        stub.client(api_key="nobody", dialects="platform").dashboards.subscribe(board.id).start()
    with pytest.raises(InvalidInputError):
        platform.dashboards.subscribe(board.id, last_event_id="soon")


def test_the_async_client_follows_as_well(stub: StubServer, board: Dashboard) -> None:
    async def follow() -> list[str]:
        async with stub.async_client(dialects="platform") as crm, crm.dashboards.subscribe(board.id) as stream:
            first = await stream.wait(20.0)
            await crm.dashboards.delete(board.id)
            return [first.event if first else "", *[event.event async for event in stream]]

    assert asyncio.run(follow()) == ["snapshot", "dashboard.deleted"]


def test_silence_has_a_heartbeat_and_an_expired_token_an_error(stub: StubServer, board: Dashboard) -> None:
    token = stub.client(dialects="platform").auth.login("ada@acme.test", "demo-password").access_token
    link = httpx.Client(transport=stub.transport(), headers={"Authorization": f"Bearer {token}"})
    with link.stream("GET", f"http://stub.test/v1/dashboards/{board.id}/subscribe") as reply:
        assert reply.headers["content-type"] == "text/event-stream"
        lines = reply.iter_lines()
        names = partial(next, (line for line in lines if line.startswith("event: ")))
        assert names() == "event: snapshot"
        stub.clock.advance(16)
        assert names() == "event: heartbeat"
        stub.clock.advance(86_400)
        assert names() == "event: error"
        assert any('"status":401' in line for line in lines)


@pytest.mark.parametrize("act", ["half_open", "end"])
def test_a_stream_that_sends_no_more_is_never_due(stub: StubServer, board: Dashboard, act: str) -> None:
    request = Request("GET", f"/v1/dashboards/{board.id}/subscribe", "", {"authorization": "Bearer acme-admin"})
    link = stub.handle(request).live
    assert link is not None and "snapshot" in str(link.next()) and link.next() is None
    assert link.due == stub.clock.now() + timedelta(seconds=15), "a heartbeat"
    if act == "half_open":
        link.half_open()
    else:
        link.client_left()
    stub.clock.advance(60)
    sent: tuple[object, object] = (link.next(), link.due)
    assert sent == (None, None)
