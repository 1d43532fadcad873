"""What is told of an answer to an invitation, and the times that are offered where one is taken."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from activity_wire import Wire

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUIET = datetime(2027, 3, 8, tzinfo=UTC)
"""A Monday on which the demo data has nothing but a series of user_mia."""


def test_an_answer_is_told_with_what_was_said_and_the_host_reads_it(wire: Wire) -> None:
    guests = [{"email": "ada@acme.test", "role": "host"}, {"email": "sam@acme.test"}]
    made = wire.make("event", startTime=QUIET + 10 * HOUR, endTime=QUIET + 11 * HOUR, attendees=guests)
    sam, path = wire.by("acme-sales"), f"/calendar/events/{made['id']}/response"
    seen: list[dict[str, Any]] = []
    before = "pending"
    for status, comment in (("accepted", "Fine"), ("declined", None), ("tentative", "")):
        said = {} if comment is None else {"comment": comment}
        sam.send("PUT", path, {"status": status, **said}).ok()
        told = [entry for entry in wire.stub.audit() if entry["action"] == "event.responded"]
        seen = [dict(entry["metadata"]) for entry in told]
        whole = {"email": "sam@acme.test", "status": status, **({"comment": comment} if comment else {})}
        assert seen[-1] == whole, (status, comment)
        (change,) = told[-1]["changes"]
        assert (change["before"], change["after"]) == (before, status) and change["field"].endswith(".status")
        (*_, message) = [doc for doc in wire.stub.store.collection("tenant_acme", "notification") if "Sam" in str(doc)]
        title = message["title"]
        assert (message["user_id"], message["message"]) == ("user_ada", comment or title)
        assert title.endswith(f" {status}: {made['title']}")
        before = status
    count = len(wire.stub.store.collection("tenant_acme", "notification").all())
    wire.send("PUT", path, {"status": "declined"}).ok()
    assert len(seen) == 3
    assert len(wire.stub.store.collection("tenant_acme", "notification").all()) == count, "the host knows"


def test_three_times_are_offered_that_do_not_overlap(wire: Wire) -> None:
    start = QUIET + 14 * HOUR
    body = {"title": "Plan", "durationMinutes": 60, "userIds": ["user_ada", "user_sam"], "startTime": start}
    wire.send("POST", "/activities/schedule", body).ok(201)
    answer = wire.send("POST", "/activities/schedule", body)
    assert answer.refusal == (409, "SCHEDULE_CONFLICT", "startTime")
    found = answer.body["errors"][0]["details"]["suggestions"]
    times = [
        (datetime.fromisoformat(one["start"]) - start, datetime.fromisoformat(one["end"]) - start) for one in found
    ]
    assert times == [(HOUR * number, HOUR * (number + 1)) for number in (1, 2, 3)]


def test_an_answer_is_for_the_part_of_a_series_that_it_names(wire: Wire) -> None:
    guests = [{"email": "ada@acme.test", "role": "host"}, {"email": "SAM@acme.test"}]
    begin = QUIET + 10 * HOUR
    made = wire.make("event", startTime=begin, endTime=begin + HOUR, attendees=guests, recurrence="FREQ=DAILY;COUNT=5")
    sam, path = wire.by("acme-sales"), f"/calendar/events/{made['id']}/response"

    def answer(**body: Any) -> Any:
        version = body.pop("version", None)
        return sam.send("PUT", path, {"status": "declined", **body}, version=version)

    for scope in ("this", "following"):
        refused = answer(scope=scope)
        assert refused.refusal == (422, "VALIDATION_ERROR", "occurrence")
        assert refused.body["errors"][0]["rule"] == "required"
    assert answer(occurrence=begin + HOUR, scope="this").refusal[:2] == (422, "OCCURRENCE_NOT_FOUND")
    assert answer(version=7).refusal[:2] == (409, "VERSION_CONFLICT")
    rest = answer(occurrence=begin + 3 * DAY, scope="following").ok()
    assert (rest["recurrence"], rest["seriesId"], rest["version"]) == ("FREQ=DAILY;COUNT=2", None, 1)
    assert [guest["status"] for guest in rest["attendees"]] == ["pending", "declined"]
    own = answer(occurrence=begin + DAY).ok()
    assert (own["recurrence"], own["seriesId"]) == (None, made["id"])
    whole = wire.get(made["id"])
    assert [guest["status"] for guest in whole["attendees"]] == ["pending", "pending"]
    assert wire.starts("Meet", QUIET) == ["03-08 05:00", "03-09 05:00", "03-10 05:00", "03-11 05:00", "03-12 05:00"]
    told = [entry for entry in wire.stub.audit() if entry["action"] == "event.responded"]
    assert [entry["entity"]["id"] for entry in told] == [rest["id"], own["id"]]
    same = answer(version=whole["version"]).ok()
    assert (same["id"], same["version"]) == (made["id"], whole["version"] + 1)


def test_a_guest_sees_the_event_and_nothing_that_the_company_says_of_it(wire: Wire) -> None:
    deal = wire.send("POST", "/deals", {"title": "Engine", "contactId": "contact_123"}).ok(201)["id"]
    said = {
        "title": "Talk", "durationMinutes": 30, "userIds": ["user_ada"], "emails": ["out@x.example"], "dealId": deal,
        "startTime": QUIET + 10 * HOUR, "location": "Hall",
    }  # fmt: skip
    made = wire.send("POST", "/activities/schedule", said).ok(201)
    wire.put(made["id"], {"tags": ["secret"], "customFields": {"a": 1}}).ok()
    (letter,) = wire.stub.store.collection("tenant_acme", "invitation").find("event_id", made["id"])
    guest, path = wire.stub.client(api_key=None, dialects="platform", max_retries=0), f"/calendar/events/{made['id']}"
    body = {"status": "accepted", "token": letter["token"]}
    reply = guest.request("PUT", f"/v1{path}/response", json=body)
    shown = reply.json()["data"]
    assert (reply.status, shown["title"], shown["location"], shown["id"]) == (200, "Talk", "Hall", made["id"])
    for name in ("preparation", "outcome", "aiAnalysis", "sentiment", "dealId", "leadId", "accountId", "contactId"):
        assert shown[name] is None, name
    for name in ("aiInsights", "reminders", "attachments", "tags", "otherMatches"):
        assert shown[name] == [], name
    assert shown["customFields"] == {}
    inside = wire.get(made["id"])
    assert (inside["dealId"], inside["tags"], bool(inside["reminders"])) == (deal, ["secret"], True)
    assert guest.request("PUT", f"/v1{path}/response", json=body).json()["data"] == shown, "the same answer again"
    refused = wire.send("PUT", f"{path}/response", {"status": "declined", "email": "x@y.example"})
    assert refused.refusal[:2] == (403, "NOT_AN_ATTENDEE")
