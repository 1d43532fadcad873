"""One store, several doors: what each writes is one activity, with the same id, events and rules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from activity_wire import KINDS, START, Wire, body_of, deeds
from stub_data import stored

from crm_sdk.models import CalendarEvent, Task
from server_stub import StubServer

HOUR = timedelta(hours=1)
CREATED = {"call": "logged", "email": "logged"}


def test_both_doors_of_a_kind_make_the_same(wire: Wire) -> None:
    for kind in KINDS:
        one = wire.send("POST", f"/activities/{kind}s", body_of(kind))
        other = wire.send("POST", "/activities", {**body_of(kind), "kind": kind})
        first, second = one.ok(201), other.ok(201)
        assert one.headers["ETag"] == '"1"' and one.headers["Location"] == f"/platform/v1/activities/{first['id']}"
        assert other.headers["Location"].endswith(f"/activities/{second['id']}")
        own = {"id", "threadId", "uid", "preparation", "attendees", "createdAt", "updatedAt", "occurredAt", "startTime"}
        assert {k: v for k, v in first.items() if k not in own} == {k: v for k, v in second.items() if k not in own}
        assert first["id"].startswith(f"{kind}_") and wire.get(first["id"])["title"] == first["title"]
        told = deeds(wire.stub, first["id"])
        assert told[0] == "activity.created" and f"{kind}.{CREATED.get(kind, 'created')}" in told


def test_a_change_and_a_deletion_are_told_as_of_any_kind_and_of_its_own(wire: Wire) -> None:
    for kind in KINDS:
        made = wire.make(kind)
        changes = {"tags": ["new"]}
        assert wire.put(made["id"], changes).ok()["version"] == 2
        again = wire.put(made["id"], wire.get(made["id"])).ok()
        assert again["version"] == 2, "what was fetched can be sent back"
        assert wire.put(made["id"], changes, version=1).refusal[:2] == (409, "VERSION_CONFLICT")
        assert wire.put(made["id"], {"kind": "task" if kind != "task" else "call"}).refusal == (
            422, "VALIDATION_ERROR", "kind",
        )  # fmt: skip
        assert wire.put(made["id"], {"nothing": 1}).refusal == (422, "VALIDATION_ERROR", "nothing")
        assert wire.delete(made["id"], version=7).refusal[:2] == (409, "VERSION_CONFLICT")
        wire.delete(made["id"]).ok()
        assert wire.send("GET", f"/activities/{made['id']}").refusal[:2] == (404, "NOT_FOUND")
        told = deeds(wire.stub, made["id"])
        for verb in ("updated", "deleted"):
            assert told.count(f"activity.{verb}") == told.count(f"{kind}.{verb}") == 1


def test_what_a_kind_needs_is_asked_for_at_both_doors(wire: Wire) -> None:
    cases: list[tuple[str, str]] = [
        ("task", "title"),
        ("event", "title"),
        ("event", "startTime"),
        ("event", "endTime"),
        ("call", "title"),
        ("email", "subject"),
        ("email", "to"),
        ("email", "sentAt"),
        ("note", "body"),
    ]
    for kind, member in cases:
        body = {name: value for name, value in body_of(kind).items() if name != member}
        for path, more in ((f"/activities/{kind}s", {}), ("/activities", {"kind": kind})):
            assert wire.send("POST", path, {**body, **more}).refusal == (422, "VALIDATION_ERROR", member)


def test_rights_and_companies_hold_for_every_kind(wire: Wire) -> None:
    for kind in KINDS:
        made = wire.make(kind)
        sales, other, reader = wire.by("acme-sales"), wire.by("globex-admin"), wire.by("acme-read-only")
        for caller, status in ((sales, 403), (other, 404)):
            assert caller.put(made["id"], {"tags": ["x"]}).status == status
            assert caller.delete(made["id"]).status == status
        assert other.send("GET", f"/activities/{made['id']}").status == 404
        assert sales.get(made["id"])["id"] == made["id"]
        assert other.send("POST", f"/activities/{kind}s", {**body_of(kind), "contactId": "contact_123"}).status == 422
        assert reader.send("POST", f"/activities/{kind}s", body_of(kind)).status in (401, 403)


def test_members_of_another_kind_are_refused(wire: Wire) -> None:
    for kind in KINDS:
        strange = {"task": "subject", "event": "pinned", "call": "attendees", "email": "dueAt", "note": "recurrence"}[
            kind
        ]
        value: Any = {"attendees": [], "pinned": True, "dueAt": "2026-04-01T00:00:00Z"}.get(strange, "FREQ=DAILY")
        answer = wire.send("POST", "/activities", {**body_of(kind), "kind": kind, strange: value})
        assert answer.status == 422 and answer.body["errors"][0]["rule"] == "unknown"
        made = wire.make(kind)
        assert wire.put(made["id"], {strange: value}).status == 422
        wrong = {"task": "confirmed", "event": "waiting", "call": "waiting"}.get(kind)
        if wrong is not None:
            refused = wire.send("POST", "/activities", {**body_of(kind), "kind": kind, "status": wrong})
            assert refused.body["errors"][0]["rule"] == "choice"


def test_an_event_of_the_calendar_is_an_activity(wire: Wire) -> None:
    flow = wire.stub.client(dialects="flow")
    made = flow.calendar.events.create({"title": "Flow", "start_time": START, "end_time": START + timedelta(hours=1)})
    seen = wire.get(made.id)
    assert (seen["kind"], seen["title"], seen["timezone"]) == ("event", "Flow", "America/New_York")
    wire.put(made.id, {"location": "Berlin"}).ok()
    assert flow.calendar.events.get(made.id).location == "Berlin"
    other = wire.make("event", title="Platform")
    assert flow.calendar.events.get(other["id"]).title == "Platform"
    flow.calendar.events.delete(other["id"])
    assert wire.send("GET", f"/activities/{other['id']}").status == 404


def test_what_is_said_of_deals_contacts_and_leads_are_activities(wire: Wire, stub: StubServer) -> None:
    client = stub.client()
    deal = client.deals.create({"title": "Engine", "value": 1000, "contact_id": "contact_123"})
    kinds = {"call": "call", "email": "email", "meeting": "event", "demo": "event", "note": "note", "proposal": "note"}
    for type, kind in kinds.items():
        said = client.deals.activities.create(deal.id, {"type": type, "date": stub.clock.now(), "description": "Said"})
        seen = wire.get(said.id)
        assert (seen["kind"], seen["dealId"], seen["contactId"]) == (kind, deal.id, "contact_123")
        assert (seen["tags"] == ["proposal"]) is (type == "proposal")
        told = deeds(stub, said.id)
        assert told[0] == "activity.created" and told[-1].partition(".")[0] == kind
    assert deeds(stub, deal.id).count("deal.activity_added") == len(kinds)
    lead = client.leads.capture.web_form({"email": "ann@initech.test", "message": "Hello"}).lead
    assert lead is not None
    (note,) = wire.send("GET", "/activities", leadId=lead.id).ok()
    assert note["kind"] == "note" and note["body"] == "Hello"


def test_the_client_gives_the_model_of_the_kind(stub: StubServer) -> None:
    client = stub.client()
    made = client.activities.create({"kind": "task", "title": "x", "reminders": [{"minutes_before": 5}]})
    assert isinstance(made, Task) and made.reminders[0].channel == "in_app"
    assert isinstance(client.activities.get(made.id), Task)
    event = client.activities.events.create({"title": "x", "start_time": START, "end_time": START + HOUR})
    assert isinstance(client.activities.get(event.id), CalendarEvent)


def test_lists_filter_and_sort_across_kinds(wire: Wire) -> None:
    late = wire.make("task", title="Zebra", dueAt=START + timedelta(days=2), priority="high", tags=["odd"])
    early = wire.make("task", title="Zebra", dueAt=START)
    meeting = wire.make("event", title="Zebra")

    def ids(**query: Any) -> list[str]:
        return [doc["id"] for doc in wire.send("GET", "/activities", search="zebra", **query).ok()]

    assert ids() == [meeting["id"], early["id"], late["id"]]
    assert ids(kind="task,event") == ids() and ids(kind="task") == [early["id"], late["id"]]
    assert ids(sort="dueAt") == [early["id"], late["id"], meeting["id"]]
    between = START + timedelta(days=1)
    assert ids(dueAfter=between) == [late["id"]] and ids(dueBefore=between) == [early["id"]]
    assert ids(startAfter=START) == [meeting["id"]] and ids(startBefore=START) == []
    assert ids(priority="high") == ids(tags="odd") == [late["id"]] and ids(status="scheduled") == [meeting["id"]]
    assert ids(overdue="true") == [] and len(ids(overdue="false")) == 3
    stored(wire.stub, "activity", early["id"], due_at=wire.stub.clock.now())
    wire.stub.clock.advance(1)
    assert ids(overdue="true") == [early["id"]] and set(ids(overdue="false")) == {late["id"], meeting["id"]}
    assert wire.send("GET", "/activities", sort="title").status == 422
