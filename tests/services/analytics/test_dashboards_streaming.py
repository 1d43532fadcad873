"""The stream of a dashboard, event by event: its numbers, its pace, its heartbeats and its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.http import Request

from .conftest import CAMPAIGN

COUNT: Any = {"entity_type": "lead", "filter_groups": CAMPAIGN, "measures": [{"function": "count"}]}


def lead(crm: CrmClient) -> None:
    crm.leads.create({"name": "One more", "campaign": "camp"})


def followed(stub: StubServer, id: str, **headers: str) -> Any:
    said = {"authorization": "Bearer acme-admin", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return some(stub.handle(Request("GET", f"/v1/dashboards/{id}/subscribe", "", said)).live)


def events(link: Any) -> list[tuple[str, str, Any]]:
    """Return what a stream has to say now: the id, the name and the data of each event."""
    found: list[tuple[str, str, Any]] = []
    while (text := link.next()) is not None:
        lines = dict(line.split(": ", 1) for line in str(text).strip().splitlines())
        found.append((lines.get("id", ""), lines["event"], json.loads(lines["data"])))
    return found


def test_a_stream_tells_each_change_once_and_goes_on(platform: CrmClient, stub: StubServer, leads: list[str]) -> None:
    widgets: Any = [{"title": "W", "type": "kpi", "source": {"query": COUNT}}, {"title": "T", "type": "text"}]
    board = platform.dashboards.create({"name": "B", "widgets": widgets})
    counter = board.widgets[0].id if board.widgets[0].type == "kpi" else board.widgets[1].id
    link = followed(stub, board.id)
    ((first, name, said),) = events(link)
    assert (name, len(said["data"]["widgets"]), said["widget"], said["id"]) == ("snapshot", 2, None, first)
    assert said["data"]["dashboardId"] == board.id and events(link) == []
    epoch, _, number = first.rpartition(":")
    assert int(number) % 1_000 == 0 and int(number) > 0
    stub.clock.advance(1)
    lead(platform)
    ((second, name, said),) = events(link)
    assert (name, said["widget"]["widgetId"], said["data"]) == ("widget.updated", counter, None)
    assert float(said["widget"]["value"]["value"]) == 6 and int(second.rpartition(":")[2]) > int(number)
    lead(platform)
    assert events(link) == [], "once a second at most"
    assert timedelta() < some(link.due) - stub.clock.now() <= timedelta(seconds=1), "it looks again by itself"
    stub.clock.advance(1)
    ((_, name, said),) = events(link)
    assert float(said["widget"]["value"]["value"]) == 7
    platform.contacts.create({"name": "Of no matter"})
    stub.clock.advance(1)
    assert events(link) == []
    stub.clock.advance(15)
    assert [name for _, name, _ in events(link)] == ["heartbeat"] and events(link) == []
    platform.dashboards.refresh(board.id, widget_ids=[counter])
    assert [(name, said["widget"]["widgetId"]) for _, name, said in events(link)] == [("widget.updated", counter)]
    platform.dashboards.update(board.id, {"name": "Other"})
    ((last, name, said),) = events(link)
    assert (name, len(said["data"]["widgets"])) == ("dashboard.updated", 2) and last.startswith(f"{epoch}:")
    assert events(followed(stub, board.id, last_event_id=last)) == [], "nothing was missed"
    for known in (first, f"other:{last.rpartition(':')[2]}"):
        assert [name for _, name, _ in events(followed(stub, board.id, last_event_id=known))] == ["snapshot"], known
    platform.dashboards.delete(board.id)
    assert [name for _, name, _ in events(link)] == ["dashboard.deleted"] and link.due is None
    assert link.ended is not None


def test_a_stream_that_is_silent_or_over_is_never_due(platform: CrmClient, stub: StubServer, leads: list[str]) -> None:
    board = platform.dashboards.create({"name": "B"})
    silent, gone, kept = (followed(stub, board.id) for _ in range(3))
    for link in (silent, gone, kept):
        assert [name for _, name, _ in events(link)] == ["snapshot"]
        assert link.due == stub.clock.now() + timedelta(seconds=15)
    silent.half_open()
    gone.client_left()
    stub.clock.advance(60)
    assert [(link.next(), link.due) for link in (silent, gone)] == [(None, None)] * 2 and kept.due is not None
    assert [name for _, name, _ in events(kept)] == ["heartbeat"]
    for seconds, said in ((14.999, []), (0.001, ["heartbeat"]), (15, ["heartbeat"])):
        stub.clock.advance(seconds)
        assert [name for _, name, _ in events(kept)] == said


def test_a_stream_ends_with_its_credential_and_with_the_right_to_see(platform: CrmClient, stub: StubServer) -> None:
    crm = stub.client(api_key=None, dialects="platform", max_retries=0)
    tokens = crm.auth.login("sam@acme.test", "demo-password")
    board = platform.dashboards.create({"name": "B", "visibility": "tenant"})
    hidden, expiring = (followed(stub, board.id, authorization=f"Bearer {tokens.access_token}") for _ in range(2))
    for link in (hidden, expiring):
        assert [name for _, name, _ in events(link)] == ["snapshot"]
    stub.clock.advance(some(tokens.expires_in) - 10)
    for link in (hidden, expiring):
        events(link)
    platform.dashboards.update(board.id, {"name": "C"})
    assert [name for _, name, _ in events(hidden)] == ["dashboard.updated"]
    platform.dashboards.update(board.id, {"visibility": "private"})
    assert [name for _, name, _ in events(hidden)] == ["dashboard.deleted"] and hidden.ended is not None
    assert (hidden.next(), hidden.due) == (None, None)
    platform.dashboards.update(board.id, {"visibility": "tenant"})
    stub.clock.advance(10)
    over = {"code": "UNAUTHORIZED", "status": 401, "message": "the credential expired"}
    assert events(expiring) == [("", "error", over)]
    assert (expiring.ended.code, expiring.ended.reason, expiring.due) == (4401, "the credential expired", None)
    expiring.close(4401, "again")
    assert events(expiring) == [], "it is told once"


def test_a_refresh_is_told_of_the_widgets_that_were_asked_for(platform: CrmClient, stub: StubServer) -> None:
    """Also within the second, and without other figures; what has changed beside it comes at its time."""
    other: Any = {**COUNT, "filter_groups": []}
    widgets: Any = [{"title": title, "type": "kpi", "source": {"query": query}}
                    for title, query in (("Few", COUNT), ("All", other))]  # fmt: skip
    board = platform.dashboards.create({"name": "B", "widgets": widgets})
    strange = platform.dashboards.create({"name": "Other", "widgets": widgets})
    ids = {widget.title: widget.id for widget in board.widgets}
    link = followed(stub, board.id)
    assert [name for _, name, _ in events(link)] == ["snapshot"]
    lead(platform)
    platform.dashboards.refresh(strange.id)
    assert events(link) == []
    platform.dashboards.refresh(board.id, widget_ids=[ids["Few"]])
    ((_, _, said),) = events(link)
    assert (said["widget"]["widgetId"], float(said["widget"]["value"]["value"])) == (ids["Few"], 1)
    stub.clock.advance(1)
    ((_, _, said),) = events(link)
    assert said["widget"]["widgetId"] == ids["All"], "that of few was told"
    platform.dashboards.refresh(board.id)
    told = [(name, said["widget"]["widgetId"]) for _, name, said in events(link)]
    assert told == [("widget.updated", ids["Few"]), ("widget.updated", ids["All"])]
    error = refused(lambda: platform.dashboards.refresh(board.id, widget_ids=[ids["Few"], "widget_none"]))
    assert (error.status, error.code, error.fields[0].field, error.fields[0].rule, error.message) == (
        422, "REFERENCE_NOT_FOUND", "widget_ids.1", "reference", "the dashboard has no widget 'widget_none'",
    )  # fmt: skip
    shown = platform.dashboards.data(board.id, widget_ids=[ids["All"]]).widgets
    assert [one.widget_id for one in shown] == [ids["All"]] and platform.dashboards.data(board.id).widgets[1] == shown[
        0
    ]
