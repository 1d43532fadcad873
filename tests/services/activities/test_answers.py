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
