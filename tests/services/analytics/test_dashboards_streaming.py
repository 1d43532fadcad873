"""The stream of a dashboard, event by event: its numbers, its pace, its heartbeats and its end."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

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
