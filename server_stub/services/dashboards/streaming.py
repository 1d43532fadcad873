"""Dashboards that are followed: a stream of server-sent events with the figures that have changed.

The id of an event is ``<epoch>:<number>``; the number begins with that of the company's last write, so that a stream
which continues after it knows whether anything has been written since. Where nothing has, nothing was missed; else it
begins with a snapshot.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from crm_sdk.models.dashboard_data import DashboardEvent
from crm_sdk.resources.dashboards import Dashboards
from crm_sdk.wire import encode_json

from ...answers import LiveAnswer
from ...caller import Caller
from ...data.document import Document
from ...live.connection import Close, Connection, Data
from ...live.hub import Live
from ...problems import Problem
from ...request.access import permissions
from ...request.answering.rendering import renderer
from ...serving import Context, serves
from .data import computed_widget, data_of, writes_of
from .figures import Limits
from .records import DASHBOARDS

_PACE = timedelta(seconds=1)
"""A widget is looked at so often at most."""
_QUIET = timedelta(seconds=15)
"""After so long without an event a heartbeat is sent."""
_STEP = 1_000
"""So many events there can be between two writes."""


@serves(Dashboards.subscribe)
def subscribe(call: Context, dashboard_id: str, last_event_id: str | None) -> LiveAnswer:
    """Stream what the widgets of a dashboard show."""
    board = DASHBOARDS.find_one(call, dashboard_id)
    return LiveAnswer(lambda live, caller, ends: DashboardStream(live, caller, ends, board["id"], last_event_id))


class DashboardStream(Connection):
    """The connection of a viewer who follows a dashboard."""

    def __init__(
        self, live: Live, caller: Caller, expires_at: datetime | None, dashboard_id: str, last_event_id: str | None
    ) -> None:
        super().__init__(live, caller, expires_at)
        self._id = dashboard_id
        self._shown: dict[str, bytes] = {}
        """What each widget showed last, without when it was computed."""
        self._looked: dict[str, datetime] = {}
        self._again: datetime | None = None
        self._said_at = self.now
        call = self._call()
        epoch, _, number = (last_event_id or "").rpartition(":")
        self._number = int(number) if number.isdigit() and epoch == self.epoch else 0
        self._seen = writes_of(call)
        missed = self._number // _STEP != self._seen
        self._last_event = _last_event_id(call)
        board = DASHBOARDS.find_one(call, dashboard_id)
        self._remember(call, board)
        if missed or not last_event_id:
            self._say(call, "snapshot", data=self._whole(call, board))

    def handle(self, data: Data) -> None:
        """Ignore what a client sends: nothing can be."""

    def close(self, code: int, reason: str = "") -> None:
        """Close the stream; where the credential has expired, an event says so first."""
        if code == Close.EXPIRED and self.ended is None:
            body = {"code": "UNAUTHORIZED", "status": 401, "message": reason}
            self._waiting.append(f"event: error\ndata: {encode_json(body).decode()}\n\n")
        super().close(code, reason)

    # -- what is sent ----------------------------------------------------------------------------------------------

    def _next(self) -> Data | None:
        if not self._waiting and self.ended is None:
            self._look()
        if self._waiting:
            self._said_at = self.now
            return self._waiting.popleft()
        return None

    def _look(self) -> None:
        """Queue what has changed since the last look; without anything for long, a heartbeat."""
        call = self._call()
        writes = writes_of(call)
        if writes != self._seen or (self._again is not None and self._again <= self.now):
            self._seen = writes
            try:
                permissions.check(self.caller, DASHBOARDS.word, "read")
                board = DASHBOARDS.find_one(call, self._id)
            except Problem:  # deleted, or not shared with the viewer any more
                self._say(call, "dashboard.deleted")
                self.close(Close.NORMAL, "the dashboard is gone")
                return
            self._follow(call, board)
        if not self._waiting and self.now >= self._said_at + _QUIET:
            self._say(call, "heartbeat")

    def _follow(self, call: Context, board: Document) -> None:
        changed, forced = self._tell(call)
        if changed:
            self._remember(call, board)
            self._say(call, "dashboard.updated", data=self._whole(call, board))
            return
        self._again = None
        for widget in board["widgets"]:
            due = self._looked.get(widget["id"], datetime.min.replace(tzinfo=self.now.tzinfo)) + _PACE
            if due > self.now and widget["id"] not in forced:
                self._again = min(self._again or due, due)
                continue
            shown = self._compute(call, board, widget)
            figures = _figures(shown)
            if figures != self._shown.get(widget["id"]) or widget["id"] in forced:
                self._shown[widget["id"]] = figures
                self._say(call, "widget.updated", widget=shown)

    def _tell(self, call: Context) -> tuple[bool, Collection[str]]:
        """Return whether the dashboard was changed since the last look, and which widgets were refreshed."""
        changed, forced, newest = False, set[str](), self._last_event
        for event in call.collection("event").backwards():
            if event["id"] == self._last_event:
                break
            newest = newest if newest != self._last_event else event["id"]
            if event["entity_type"] == "dashboard" and event["entity"]["id"] == self._id:
                changed = changed or event["type"] == "dashboard.updated"
                forced |= (
                    set(event["metadata"].get("widget_ids") or ()) if event["type"].endswith("refreshed") else set()
                )
        self._last_event = newest
        return changed, forced

    def _whole(self, call: Context, board: Document) -> dict[str, Any]:
        """Return what all widgets show, as `_remember` has computed it."""
        return {**data_of(call, {**board, "widgets": []}, None), "widgets": list(self._computed.values())}

    def _remember(self, call: Context, board: Document) -> None:
        self._computed = {widget["id"]: self._compute(call, board, widget) for widget in board["widgets"]}
        self._shown = {id: _figures(shown) for id, shown in self._computed.items()}

    def _compute(self, call: Context, board: Document, widget: Mapping[str, Any]) -> dict[str, Any]:
        self._looked[widget["id"]] = self.now
        return computed_widget(call, widget, Limits.of(board["filters"], widget["source"]))

    def _say(self, call: Context, name: str, **members: Any) -> None:
        self._number = max(self._number + 1, self._seen * _STEP)
        id = f"{self.epoch}:{self._number}"
        event = {"id": id, "event": name, "at": self.now, "data": None, "widget": None, **members}
        text = encode_json(renderer(DashboardEvent, "platform")(event)).decode()
        self._waiting.append(f"id: {id}\nevent: {name}\ndata: {text}\n\n")

    def _due(self) -> datetime | None:
        if self.ended is not None or self.silent:
            return None
        times = [super()._due(), self._again, self._said_at + _QUIET]
        return min(time for time in times if time is not None)

    def _call(self) -> Context:
        return Context(
            self.live.server,
            self.caller,
            self.now,
            dialect="platform",
            operation=Dashboards.subscribe.operation.id,
            request_id=self.name,
            source={},
        )


def _figures(shown: Mapping[str, Any]) -> bytes:
    """Return what a widget shows, without when it was computed."""
    table = shown["table"] and {name: value for name, value in shown["table"].items() if name != "generated_at"}
    return encode_json(
        [shown["title"], shown["type"], shown["value"], shown["series"], table, shown["feed"], shown["error"]]
    )


def _last_event_id(call: Context) -> str | None:
    last = call.collection("event").last()
    return last["id"] if last is not None else None
