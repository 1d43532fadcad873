"""The platform's own wire, as several callers: what the tests of activities stand on."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from crm_sdk.wire import instant
from server_stub import StubServer
from server_stub.request.http import Request

START = datetime(2026, 3, 2, 15, tzinfo=UTC)
"""10:00 of a Monday in New York, where the clock is put forward on the 8th."""


@dataclass(frozen=True)
class Wire:
    """Calls to the platform as somebody: ``wire.post("/activities", {...})`` is the status and the answer."""

    stub: StubServer
    key: str = "acme-admin"

    def by(self, key: str) -> Wire:
        return replace(self, key=key)

    def send(self, method: str, path: str, body: Any = None, *, version: Any = None, **query: Any) -> Answer:
        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        if version is not None:
            headers["if-match"] = f'"{version}"'
        texts = {name: instant(value) if isinstance(value, datetime) else value for name, value in query.items()}
        content = json.dumps(body, default=instant).encode() if body is not None else b""
        reply = self.stub.handle(Request(method, f"/platform/v1{path}", urlencode(texts, doseq=True), headers, content))
        return Answer(reply.status, dict(reply.headers), json.loads(reply.body))

    def make(self, kind: str, **members: Any) -> dict[str, Any]:
        """Create an activity through the door of its kind."""
        made: dict[str, Any] = self.send("POST", f"/activities/{kind}s", {**body_of(kind), **members}).ok(201)
        return made

    def get(self, id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.send("GET", f"/activities/{id}").ok()
        return found

    def put(self, id: str, changes: Any, **query: Any) -> Answer:
        return self.send("PUT", f"/activities/{id}", changes, **query)

    def delete(self, id: str, **query: Any) -> Answer:
        return self.send("DELETE", f"/activities/{id}", **query)

    def starts(self, title: str, begin: datetime = START, days: int = 90, **query: Any) -> list[str]:
        """Return when something of a title is in the calendar, on the clock of New York."""
        window = {"start": begin - timedelta(days=1), "end": begin + timedelta(days=days)}
        view = self.send("GET", "/activities/calendar", **window, **query).ok()
        items = [item for day in view["days"] for item in day["items"] if item["activity"]["title"] == title]
        zone = ZoneInfo("America/New_York")
        return sorted(f"{datetime.fromisoformat(item['start']).astimezone(zone):%m-%d %H:%M}" for item in items)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: dict[str, Any]

    def ok(self, status: int = 200) -> Any:
        assert self.status == status, (self.status, self.body)
        return self.body["data"]

    @property
    def refusal(self) -> tuple[int, str, str | None]:
        error = self.body["errors"][0]
        return self.status, error["code"], error.get("field")


def body_of(kind: str) -> dict[str, Any]:
    """Return the least that a new activity of a kind needs."""
    bodies: dict[str, dict[str, Any]] = {
        "task": {"title": "Do"},
        "event": {"title": "Meet", "startTime": START, "endTime": START + timedelta(hours=1)},
        "call": {"title": "Call"},
        "email": {"subject": "Mail", "to": [{"email": "nobody@x.example"}], "sentAt": START - timedelta(days=60)},
        "note": {"body": "First line\nsecond", "contactId": "contact_123"},
    }
    return bodies[kind]


KINDS = ("task", "event", "call", "email", "note")


def deeds(stub: StubServer, id: str) -> list[str]:
    """Return what the trail tells of a record."""
    return [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == id]
