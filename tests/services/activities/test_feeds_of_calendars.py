"""The address of a calendar that other programs read: what is in it, how often it is read, and who has one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from icalendar import Calendar
from newcomers import signed_in
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.activities import subscriptions

DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def feeds(stub: StubServer) -> Any:
    return stub.store.collection("tenant_acme", subscriptions.KIND)


def opened(stub: StubServer, feed: Any, **headers: str) -> httpx.Response:
    with httpx.Client(transport=stub.transport(), base_url="http://stub.test") as http:
        return http.get(str(feed.url), headers=headers)


def shown(stub: StubServer, feed: Any) -> dict[str, Any]:
    calendar: Any = Calendar.from_ical(opened(stub, feed).content)
    return {str(part["summary"]): part for part in calendar.walk("VEVENT")}


def test_an_address_is_made_told_of_and_counted(stub: StubServer, acme: CrmClient) -> None:
    feed = acme.calendar.feed.create(kinds=["task", "event", "task"])
    kept = some(feeds(stub).get("user_ada"))
    assert (feed.kinds, feed.include_private, feed.prefix, feed.read_count, feed.last_read_at) == (
        ["task", "event"], True, kept["said"][:10], 0, None,
    )  # fmt: skip
    assert str(feed.url).rpartition("/")[2].startswith(f"{kept['said']}.")
    told = stub.audit()[-1]
    assert (told["action"], told["entity"]["type"], told["entity"]["id"]) == (
        "calendar.feed_created", told["entity"]["type"], "user_ada",
    )  # fmt: skip
    assert kept["said"] not in str(told)
    first, second = opened(stub, feed), opened(stub, feed)
    assert first.headers["cache-control"] == "private, no-cache" and first.headers["etag"] == second.headers["etag"]
    assert int(first.headers["content-length"]) == len(first.content)
    assert "calendar.ics" in first.headers["content-disposition"]
    now = some(feeds(stub).get("user_ada"))
    assert (now["read_count"], now["last_read_at"]) == (2, stub.clock.now())
    assert opened(stub, feed, **{"If-None-Match": first.headers["etag"]}).status_code == 304
    assert some(feeds(stub).get("user_ada"))["read_count"] == 3
    acme.calendar.feed.delete()
    assert (stub.audit()[-1]["action"], feeds(stub).get("user_ada")) == ("calendar.feed_deleted", None)
    error = refused(acme.calendar.feed.delete)
    assert (error.status, error.code, "user_ada" in str(error)) == (404, "NOT_FOUND", True)
    wrong = opened(stub, feed)
    assert wrong.status_code == 404 and kept["said"] not in wrong.text and kept["said"][:10] in wrong.text


def test_a_company_may_let_nobody_subscribe_and_who_is_inactive_has_nothing(stub: StubServer, acme: CrmClient) -> None:
    feed = acme.calendar.feed.create()
    acme.configuration.settings.update({"calendar.feed_allowed": False})
    error = refused(acme.calendar.feed.create)
    assert (error.status, error.code, error.details) == (403, "FORBIDDEN", {"setting": "calendar.feed_allowed"})
    assert opened(stub, feed).status_code == 404
    acme.configuration.settings.update({"calendar.feed_allowed": True})
    assert opened(stub, feed).status_code == 200
    for members, status in (
        ({"status": "inactive"}, 404), ({"status": "active"}, 200), ({"deleted_at": stub.clock.now()}, 404),
    ):  # fmt: skip
        stored(stub, "user", "user_ada", **members)
        assert opened(stub, feed).status_code == status, members


def test_an_app_has_no_calendar_of_its_own(stub: StubServer, acme: CrmClient) -> None:
    app = acme.marketplace.apps.create({
        "name": "Diary", "tagline": "Days", "description": "Shows days.", "category": "productivity",
        "support_email": "help@diary.example", "privacy_url": "https://diary.example/privacy",
        "permissions": ["activities:read"],
    })  # fmt: skip
    stub.clock.advance(3_600)
    made = acme.marketplace.apps.install(app.id, granted_permissions=["activities:read"])
    error = refused(stub.client(api_key=made.access_token, dialects="platform", max_retries=0).calendar.feed.create)
    assert (error.status, error.code, error.message) == (403, "FORBIDDEN", "only users have a calendar")
    assert feeds(stub).all() == []


def test_an_address_is_read_sixty_times_an_hour(stub: StubServer, acme: CrmClient) -> None:
    feed = acme.calendar.feed.create()
    said = some(feeds(stub).get("user_ada"))["said"]
    for number in range(60):
        assert stub.limits.check((said, subscriptions.KIND), 60, 3600, stub.clock.now()).retry_after is None, number
    assert opened(stub, feed).status_code == 200, "nothing is limited here"
    stub.enforce_limits = True
    answer = opened(stub, feed)
    (error,) = answer.json()["errors"]
    wait = int(answer.headers["retry-after"])
    assert (answer.status_code, error["code"]) == (429, "RATE_LIMIT_EXCEEDED") and 3590 < wait <= 3600
    assert error["details"] == {"limit": 60, "retryAfter": wait}
    assert error["message"] == f"a calendar is read 60 times an hour; wait {wait} s"
    assert some(feeds(stub).get("user_ada"))["read_count"] == 1


def test_a_feed_has_what_is_near_of_the_kinds_that_are_asked_for(stub: StubServer, acme: CrmClient) -> None:
    now = stub.clock.now().replace(microsecond=0)
    for doc in stub.store.collection("tenant_acme", "activity").all():
        stub.store.collection("tenant_acme", "activity").remove(doc["id"])

    def event(title: str, begin: datetime, **members: Any) -> str:
        given: Any = {"title": title, "start_time": begin, "end_time": begin + HOUR, **members}
        return acme.activities.events.create(given).id

    event("gone by", now - 90 * DAY - HOUR)
    event("still", now - 90 * DAY - HOUR + 9 * SECOND)
    event("next year", now + 365 * DAY)
    event("beyond", now + 365 * DAY + 9 * SECOND)
    event("series", now - 400 * DAY, recurrence="FREQ=YEARLY;COUNT=9")
    event("sams", now, owner_id="user_sam")
    event("invited", now, owner_id="user_sam", attendees=[{"email": "ada@acme.test"}])
    event("declined", now, owner_id="user_sam", attendees=[{"email": "ada@acme.test", "status": "declined"}])
    for title, due, owner in (("due", now, "user_ada"), ("past", now - 90 * DAY, "user_ada"),
                              ("late", now + 365 * DAY + 9 * SECOND, "user_ada"), ("theirs", now, "user_sam"),
                              ("undated", None, "user_ada")):  # fmt: skip
        task: Any = {"title": f"task {title}", "owner_id": owner, **({"due_at": due} if due is not None else {})}
        acme.activities.tasks.create(task)
    for title, end in (("short", None), ("long", now + HOUR)):
        call: Any = {"title": f"call {title}", "start_time": now, **({"end_time": end} if end else {})}
        acme.activities.calls.create(call)
    events = {"still", "next year", "series", "invited"}
    assert set(shown(stub, acme.calendar.feed.create())) == events
    assert set(shown(stub, acme.calendar.feed.create(kinds=["task"]))) == {"task due"}
    found = shown(stub, acme.calendar.feed.create(kinds=["call", "task", "event"]))
    assert set(found) == events | {"task due", "call short", "call long"}
    times = {name: (part["dtstart"].dt.astimezone(UTC), part["dtend"].dt.astimezone(UTC), str(part["transp"]))
             for name, part in found.items() if " " in name and name != "next year"}  # fmt: skip
    assert times == {
        "task due": (now, now, "TRANSPARENT"), "call short": (now, now, "OPAQUE"),
        "call long": (now, now + HOUR, "OPAQUE"),
    }  # fmt: skip


def test_what_is_private_is_busy_only_where_it_is_not_wanted_or_is_somebody_elses(
    stub: StubServer, acme: CrmClient
) -> None:
    at = stub.clock.now().replace(microsecond=0) + DAY
    for title, owner, more in (("own", "user_ada", {}), ("open", "user_ada", {"visibility": "public"}),
                               ("asked", "user_sam", {"attendees": [{"email": "ada@acme.test"}]})):  # fmt: skip
        given: Any = {"title": title, "start_time": at, "end_time": at + HOUR, "owner_id": owner,
                      "visibility": "private", "location": "Hall", **more}  # fmt: skip
        acme.activities.events.create(given)
    whole = shown(stub, acme.calendar.feed.create())
    assert {"own", "open", "asked"} <= set(whole), "who is invited knows"
    calendar = shown(stub, acme.calendar.feed.create(include_private=False))
    assert {"own", "asked"}.isdisjoint(calendar) and {"open", "Busy"} <= set(calendar)
    busy = calendar["Busy"]
    assert (busy.get("location"), str(busy["class"]), busy["dtstart"].dt.astimezone(UTC)) == (None, "PRIVATE", at)


def test_an_event_whose_times_a_role_hides_is_in_no_feed(stub: StubServer, acme: CrmClient) -> None:
    for field, titles in (("start_time", {"call"}), ("location", {"call", "event"})):
        body: Any = {
            "key": f"without_{field}", "name": field,
            "permissions": [
                {"resource": "activities", "action": action, "scope": "all"} for action in ("create", "read")
            ],
            "field_permissions": [{"entity": "event", "field": field, "access": "hidden"}],
        }  # fmt: skip
        user, crm = signed_in(stub, acme, acme.security.roles.create(body).key, strict=False)
        at = stub.clock.now() + DAY
        event: Any = {
            "title": "event",
            "start_time": at,
            "end_time": at + HOUR,
            "owner_id": user.id,
            "location": "Hall",
        }
        acme.activities.events.create(event)
        call: Any = {
            "title": "call",
            "direction": "outbound",
            "status": "queued",
            "start_time": at,
            "owner_id": user.id,
        }
        acme.activities.calls.create(call)
        calendar = shown(stub, crm.calendar.feed.create(kinds=["event", "call"]))
        assert set(calendar) == titles
        assert "event" not in calendar or calendar["event"].get("location") is None
