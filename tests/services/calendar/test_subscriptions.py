"""Calendars that other programs subscribe to, and guests who answer without a sign-in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

START = datetime(2026, 3, 27, 9, 0, tzinfo=UTC)  # two days before the clock of Berlin changes


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def http(stub: StubServer) -> httpx.Client:
    return httpx.Client(transport=stub.transport(), base_url="http://stub.test")


def event(client: CrmClient, title: str, **members: Any) -> Any:
    start = members.pop("start_time", START)
    whole: Any = {"title": title, "start_time": start, "end_time": start + timedelta(hours=1), **members}
    return client.activities.events.create(whole)


def entries(content: bytes) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for part in Calendar.from_ical(content).walk("VEVENT"):
        found.setdefault(str(part["summary"]), []).append(part)
    return found


def test_a_feed_is_the_callers_calendar(acme: CrmClient, http: httpx.Client) -> None:
    series = event(acme, "Standup", recurrence="FREQ=DAILY;COUNT=5", timezone="Europe/Berlin")
    second = START + timedelta(days=1)
    moved: Any = {"start_time": second + timedelta(hours=2), "end_time": second + timedelta(hours=3)}
    own: Any = acme.activities.update(series.id, moved, occurrence=second, scope="this")
    acme.activities.delete(series.id, occurrence=START + timedelta(days=4, hours=-1), scope="this")
    event(acme, "Long ago", start_time=datetime(2025, 10, 1, 9, 0, tzinfo=UTC))
    event(acme, "Of Mia alone", owner_id="user_mia")
    feed = acme.calendar.feed.create()
    assert feed.url is not None and feed.url.startswith("http://stub.test/v1/calendar/feed/")
    assert feed.prefix in feed.url and (feed.kinds, feed.read_count) == (["event"], 0)
    answer = http.get(feed.url)
    assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/calendar")
    calendar: Any = Calendar.from_ical(answer.content)
    assert calendar["refresh-interval"].dt == timedelta(hours=1) and list(calendar.walk("VTIMEZONE"))
    found = entries(answer.content)
    assert "Long ago" not in found and "Of Mia alone" not in found
    whole, exception = sorted(found["Standup"], key=lambda part: "recurrence-id" in part)
    assert whole["rrule"]["COUNT"] == [5] and str(whole["dtstart"].params["TZID"]) == "Europe/Berlin"
    assert exception["uid"] == whole["uid"] == own.uid and exception["recurrence-id"].dt == second
    gone = whole["exdate"]
    assert [one.dt.hour for one in gone.dts] == [10], "ten o'clock stays ten o'clock over the change"
    assert acme.calendar.feed.download(feed.url.rpartition("/")[2]).read() == answer.content
    again = http.get(feed.url, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    event(acme, "Another")
    assert http.get(feed.url, headers={"If-None-Match": answer.headers["etag"]}).status_code == 200


def test_a_feed_begins_as_every_icalendar_must(acme: CrmClient, http: httpx.Client) -> None:
    """RFC 5545, 3.6: the version and the product, each once, before any component; no METHOD where nobody is asked."""
    event(acme, "Standup")
    lines = http.get(str(acme.calendar.feed.create().url)).text.split("\r\n")
    head = [line.partition(":")[0].partition(";")[0] for line in lines[1 : lines.index("BEGIN:VEVENT")]]
    assert lines[0] == "BEGIN:VCALENDAR" and head.count("VERSION") == head.count("PRODID") == 1
    assert "VERSION:2.0" in lines and "METHOD" not in head


def test_private_events_are_only_busy_where_they_are_not_wanted(acme: CrmClient, http: httpx.Client) -> None:
    event(acme, "Secret talk", visibility="private", location="Behind the door")
    acme.activities.tasks.create({"title": "Call the bank", "due_at": START})
    whole = http.get(str(acme.calendar.feed.create(kinds=["event", "task"]).url)).content
    assert {"Secret talk", "Call the bank"} <= entries(whole).keys()
    busy = http.get(str(acme.calendar.feed.create(include_private=False).url)).content
    assert b"Secret" not in busy and b"Behind" not in busy and b"Call the bank" not in busy
    assert START in [part["dtstart"].dt for part in entries(busy)["Busy"]]


def test_an_address_is_replaced_deleted_and_lost(stub: StubServer, acme: CrmClient, http: httpx.Client) -> None:
    assert refused(acme.calendar.feed.delete).code == "NOT_FOUND"
    first, second = (str(acme.calendar.feed.create().url) for _ in range(2))
    assert [http.get(url).status_code for url in (first, second, f"{second}x", first.rpartition("/")[0] + "/x")] == [
        404, 200, 404, 404,
    ]  # fmt: skip
    acme.calendar.feed.delete()
    assert http.get(second).status_code == 404
    user = acme.users.create(
        {"email": "fee@acme.test", "name": "Fee D", "role": "sales", "password": "Demo-passw0rd!9"}
    )
    fee = stub.client(api_key=None, dialects="platform", max_retries=0)
    fee.auth.login("fee@acme.test", "Demo-passw0rd!9")
    url = str(fee.calendar.feed.create().url)
    assert http.get(url).status_code == 200
    acme.users.deactivate(user.id)
    assert http.get(url).status_code == 404
    actions = [entry["action"] for entry in stub.audit() if entry["action"].startswith("calendar.feed")]
    assert actions == ["calendar.feed_created"] * 2 + ["calendar.feed_deleted", "calendar.feed_created"]
    assert not [entry for entry in stub.audit() if "said" in str(entry["metadata"])]


@pytest.mark.thorough
def test_an_address_is_read_sixty_times_an_hour(stub: StubServer, acme: CrmClient, http: httpx.Client) -> None:
    stub.enforce_limits = True
    url = str(acme.calendar.feed.create().url)
    assert {http.get(url).status_code for _ in range(60)} == {200}
    assert http.get(url).status_code == 429
    stub.clock.advance(3_600)
    assert http.get(url).status_code == 200


def test_a_guest_answers_with_the_token_of_the_letter(stub: StubServer, acme: CrmClient, http: httpx.Client) -> None:
    guests: Any = [{"email": "ada@acme.test", "role": "host"}, {"email": "guest@else.example"}]
    made = event(acme, "With a guest", attendees=guests)
    scheduled = acme.activities.schedule(
        title="Other", duration_minutes=30, user_ids=["user_ada"], emails=["guest@else.example"]
    )
    letters = {doc["event_id"]: doc["token"] for doc in stub.store.collection("tenant_acme", "invitation")}
    path = f"/v1/calendar/events/{scheduled.id}/response"
    token = letters[scheduled.id]
    answer = http.put(path, json={"status": "accepted", "token": token, "email": "ada@acme.test"})
    assert answer.status_code == 200, answer.text
    shown = answer.json()["data"]
    assert {one["email"]: one["status"] for one in shown["attendees"]}["guest@else.example"] == "accepted"
    assert shown["preparation"] is None and shown["title"] == "Other"
    (entry,) = [entry for entry in stub.audit() if entry["action"] == "event.responded"]
    assert entry["metadata"]["email"] == "guest@else.example"
    assert http.put(path, json={"status": "accepted"}).status_code == 401
    other = f"/v1/calendar/events/{made.id}/response"
    for place, sent in ((other, token), (path, "nonsense"), (path, f"{token}x")):
        assert http.put(place, json={"status": "declined", "token": sent}).status_code == 404


HIDDEN = {
    "event": ("title", "description", "location", "status", "attendees", "recurrence", "all_day", "start_time",
              "end_time"),
    "task": ("title", "description", "status", "start_time", "due_at"),
}  # fmt: skip
WHEN = {"start_time", "end_time", "due_at"}


@pytest.mark.parametrize(("kind", "hidden"), [(kind, name) for kind, names in HIDDEN.items() for name in names])
def test_a_feed_has_nothing_that_is_hidden_from_its_user(
    stub: StubServer, acme: CrmClient, http: httpx.Client, kind: Any, hidden: str
) -> None:
    fields: Any = [{"entity": kind, "field": hidden, "access": "hidden"}]
    held: Any = [{"resource": "activities", "action": action, "scope": "all"} for action in ("read", "create")]
    acme.security.roles.create({"key": "half", "name": "Half", "permissions": held, "field_permissions": fields})
    user, crm = signed_in(stub, acme, "half", strict=False)
    said = {"title": "Canary title", "description": "Canary description"}
    event(acme, **said, location="Canary location", owner_id=user.id)
    task: Any = {**said, "due_at": START, "owner_id": user.id}
    acme.activities.tasks.create(task)
    feed = crm.calendar.feed.create(kinds=[kind])
    answer = http.get(feed.url or "")
    shown = {name for name in (*said, "location") if f"Canary {name}" in answer.text}
    every = {*said, "location"} if kind == "event" else set(said)
    gone = hidden in WHEN and (kind, hidden) != ("task", "start_time")
    assert (answer.status_code, shown) == (200, set() if gone else every - {hidden})
