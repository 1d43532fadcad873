"""What each kind of activity demands, and what follows from it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from activity_wire import START, Wire, body_of, deeds
from stub_data import stored

from server_stub import StubServer

HOUR = timedelta(hours=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_what_no_activity_can_be_is_named(wire: Wire) -> None:
    cases: list[tuple[str, dict[str, Any], str]] = [
        ("task", {"title": " "}, "title"),
        ("task", {"title": "x" * 256}, "title"),
        ("task", {"dueAt": START, "startTime": START + HOUR}, "dueAt"),
        ("task", {"recurrence": "FREQ=SECONDLY"}, "recurrence"),
        ("task", {"reminders": [{"minutesBefore": 40_321}]}, "reminders.0.minutesBefore"),
        ("task", {"ownerId": "user_none"}, "ownerId"),
        ("event", {"endTime": START}, "endTime"),
        ("event", {"endTime": START + timedelta(days=14, seconds=1)}, "endTime"),
        ("event", {"timezone": "Mars/Olympus"}, "timezone"),
        ("event", {"recurrence": "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"}, "recurrence"),
        ("event", {"recurrence": "FREQ=DAILY;COUNT=2;UNTIL=20270101"}, "recurrence"),
        ("event", {"meetingLink": "no link"}, "meetingLink"),
        ("call", {"startTime": START, "endTime": START - HOUR}, "endTime"),
        ("call", {"durationSeconds": -1}, "durationSeconds"),
        ("email", {"sentAt": None}, "sentAt"),
        ("email", {"to": []}, "to"),
        ("email", {"subject": "x" * 999}, "subject"),
        ("note", {"contactId": None}, "contactId"),
        ("note", {"body": "  "}, "body"),
        ("note", {"body": "x" * 20_001}, "body"),
        ("note", {"attachments": ["file_none"]}, "attachments.0"),
    ]
    for kind, members, field in cases:
        body = {**body_of(kind), **members}
        for path, sent in ((f"/activities/{kind}s", body), ("/activities", {**body, "kind": kind})):
            status, code, named = wire.send("POST", path, sent).refusal
            assert (status, named) == (422, field), path
            assert code == ("REFERENCE_NOT_FOUND" if str(members).count("_none") else "VALIDATION_ERROR")


# -- tasks -----------------------------------------------------------------------------------------------------------


def test_a_task_is_completed_opened_again_and_overdue_by_the_clock(wire: Wire) -> None:
    made = wire.make("task", dueAt=wire.stub.clock.now() + HOUR)
    assert made["isOverdue"] is False and made["occurredAt"] == made["dueAt"]
    wire.stub.clock.advance(2 * 3600)
    late = wire.get(made["id"])
    assert late["isOverdue"] is True and late["version"] == 1
    done = wire.put(made["id"], {"status": "completed"}).ok()
    assert done["completedAt"] and done["isOverdue"] is False and done["occurredAt"] == done["completedAt"]
    assert deeds(wire.stub, made["id"]).count("activity.completed") == 1
    again = wire.put(made["id"], {"status": "waiting"}).ok()
    assert again["completedAt"] is None and again["isOverdue"] is True
    told = [doc["type"] for doc in wire.stub.store.collection("tenant_acme", "notification") if made["id"] in str(doc)]
    assert told == ["task_due"], "once, when it fell due"


@pytest.mark.parametrize(
    ("rule", "dues"),
    [
        ("FREQ=WEEKLY;COUNT=3", ["03-02 10:00", "03-09 10:00", "03-16 10:00"]),  # over the change of the clock
        ("FREQ=DAILY;UNTIL=20260303", ["03-02 10:00", "03-03 10:00"]),
        ("FREQ=MONTHLY;BYDAY=-1FR;COUNT=2", ["03-02 10:00", "03-27 10:00"]),
    ],
)
def test_a_completed_task_comes_again_until_its_rule_ends(wire: Wire, rule: str, dues: list[str]) -> None:
    wire.make("task", title="Again", dueAt=START, recurrence=rule, tags=["kept"], reminders=[{"minutesBefore": 10}])
    found: list[str] = []
    while True:
        listed = wire.send("GET", "/activities", search="again", status="not_started").ok()
        if not listed:
            break
        (task,) = listed
        assert task["tags"] == ["kept"] and task["reminders"][0]["minutesBefore"] == 10
        found.append(f"{at(task['dueAt']).astimezone(ZoneInfo('America/New_York')):%m-%d %H:%M}")
        for status in ("completed", "in_progress", "completed"):
            wire.put(task["id"], {"status": status}).ok()
    assert found == dues, "one more for each that was completed, and none twice"


# -- calls and e-mails -----------------------------------------------------------------------------------------------


def test_a_call_is_that_of_who_has_the_number(wire: Wire) -> None:
    people = [wire.send("POST", "/contacts", {"name": name, "mobile": "+493012345678"}).ok(201) for name in "AB"]
    older, newer = people
    wire.make("note", body="Spoke", contactId=older["id"])
    call = wire.make("call", toNumber="030 12345678", startTime=START - timedelta(days=60))
    if call["contactId"] is None:  # the number is dialled from the company's own country
        call = wire.make("call", toNumber="+49 30 12345678", startTime=START - timedelta(days=60))
    assert (call["contactId"], call["contactName"]) == (older["id"], "A"), "the latest activity wins"
    assert [ref["id"] for ref in call["otherMatches"]] == [newer["id"]]
    given = wire.make("call", toNumber="+49 30 12345678", contactId=newer["id"])
    assert given["contactId"] == newer["id"] and given["otherMatches"] == []
    lead = wire.send("POST", "/leads", {"name": "L", "phone": "+493055555555"}).ok(201)
    inbound = wire.make("call", direction="inbound", fromNumber="+493055555555")
    assert (inbound["leadId"], inbound["contactId"]) == (lead["id"], None)


def test_the_length_of_a_call_follows_from_its_times(wire: Wire) -> None:
    assert wire.make("call")["startTime"] is not None
    call = wire.make("call", startTime=START, endTime=START + HOUR, durationSeconds=5)
    assert call["durationSeconds"] == 3600
    assert wire.put(call["id"], {"endTime": START + 2 * HOUR}).ok()["durationSeconds"] == 7200
    assert wire.make("call", durationSeconds=77)["durationSeconds"] == 77


def test_an_email_is_logged_once_joins_its_thread_and_stays(wire: Wire) -> None:
    person = wire.send("POST", "/contacts", {"name": "Eve", "email": "eve@x.example"}).ok(201)
    sent: dict[str, Any] = {"to": [{"email": "Eve@x.example", "name": "Eve"}], "messageId": "<1@x>", "subject": "Offer"}
    first = wire.make("email", **sent, bodyHtml="<p onclick='x()'>Hi<script>bad()</script></p>", bodyText="Thank you!")
    assert [first[name] for name in ("contactId", "status", "folder", "isRead")] == [person["id"], "sent", "sent", True]
    assert first["bodyHtml"] == "<p>Hi</p>" and first["fromAddress"]["email"] == "ada@acme.test"
    assert first["title"] == "Offer" and first["sentiment"] == "positive"
    assert wire.send("POST", "/activities/emails", {**body_of("email"), **sent}).refusal[:2] == (409, "EMAIL_EXISTS")
    answer: dict[str, Any] = {
        "direction": "inbound",
        "fromAddress": {"email": "eve@x.example"},
        "to": [{"email": "ada@acme.test"}],
    }
    by_id = wire.make("email", **answer, subject="About it", inReplyTo="<1@x>")
    by_subject = wire.make("email", **answer, subject="AW: Offer")
    assert by_id["threadId"] == by_subject["threadId"] == first["threadId"]
    assert (by_id["status"], by_id["folder"], by_id["isRead"]) == ("received", "inbox", False)
    assert by_id["contactId"] == person["id"]
    assert by_id["receivedAt"] == by_id["sentAt"]
    assert wire.make("email", subject="AW: Offer")["threadId"] != first["threadId"], "of other people"
    changes: dict[str, Any]
    for changes in ({"subject": "x"}, {"bodyText": "x"}, {"to": [{"email": "a@b.example"}]}, {"priority": "high"}):
        assert wire.put(first["id"], changes).refusal[:2] == (409, "EMAIL_SENT"), changes
    lead = wire.send("POST", "/leads", {"name": "L"}).ok(201)
    for changes in ({"tags": ["x"]}, {"isRead": False}, {"leadId": lead["id"]}, {"contactId": None}):
        assert wire.put(first["id"], changes).status == 200, changes


# -- notes -----------------------------------------------------------------------------------------------------------


def test_a_note_notifies_each_it_names_once(wire: Wire) -> None:
    body = "First @sam, then @user_mia. And @nobody, me@sam.example, @ada"
    note = wire.make("note", body=body)
    assert note["mentions"] == ["user_sam", "user_mia", "user_ada"] and note["title"] == body
    wire.put(note["id"], {"body": f"{body} and @user_rita"}).ok()
    inbox = wire.stub.store.collection("tenant_acme", "notification")
    told = [doc["user_id"] for doc in inbox if note["id"] in str(doc)]
    assert told == ["user_sam", "user_mia", "user_rita"], "whoever writes it knows"


def test_the_title_of_a_note_stays_while_its_text_does(wire: Wire) -> None:
    entry: Any = {
        "type": "note",
        "date": wire.stub.clock.now(),
        "subject": "Of the day",
        "summary": "First\nsecond @sam",
    }
    note = {"id": wire.stub.client().contacts.communication.create("contact_123", entry).id}
    for body, title in (
        ("First\nsecond @sam", "Of the day"), ("  First\nsecond @sam\n", "Of the day"), ("Other\nline", "Other"),
        ("o" * 256, "o" * 255),
    ):  # fmt: skip
        now = wire.put(note["id"], {"body": body}).ok()
        mentions = ["user_sam"] if "@sam" in body else []
        assert (now["title"], now["body"], now["mentions"]) == (title, body.strip(), mentions), body


def test_an_assignee_is_told_and_nobody_of_their_own(wire: Wire) -> None:
    def told(id: str) -> list[str]:
        inbox = wire.stub.store.collection("tenant_acme", "notification")
        return [doc["user_id"] for doc in inbox if id in str(doc) and doc["type"] == "assignment"]

    given, own = wire.make("task", ownerId="user_sam"), wire.make("task")
    assert (told(given["id"]), told(own["id"])) == (["user_sam"], [])
    wire.put(given["id"], {"ownerId": "user_mia"}).ok()
    wire.put(given["id"], {"title": "Else"}).ok()
    assert told(given["id"]) == ["user_sam", "user_mia"]


# -- whom it concerns ------------------------------------------------------------------------------------------------


def test_figures_of_whom_it_concerns_follow_creation_change_and_deletion(wire: Wire, stub: StubServer) -> None:
    client = stub.client()
    firm = client.accounts.create({"name": "Firm"})
    eve = client.contacts.create({"name": "Eve", "account_id": firm.id})
    lead = client.leads.create({"name": "Lea"})
    deal = client.deals.create({"title": "Engine", "value": 1000, "contact_id": eve.id})
    call = wire.make(
        "call", contactId=eve.id, dealId=deal.id, nextStep="Send it", description="Budget approved. Great!"
    )
    assert (call["accountId"], call["contactName"], call["contactCompany"]) == (firm.id, "Eve", "Firm")
    assert call["sentiment"] == "positive" and call["aiAnalysis"]
    seen = client.deals.get(deal.id)
    assert seen.activities[0].next_step == "Send it" and (seen.probability or 0) > (deal.probability or 0)
    assert [found.id for found in seen.activities] == [call["id"]]
    contact = client.contacts.get(eve.id)
    assert contact.last_contact == at(call["startTime"]) and (contact.health_score or 0) > 50
    assert client.accounts.get(firm.id).last_activity_at is not None
    note = wire.make("note", contactId=None, leadId=lead.id)
    assert client.leads.get(lead.id).last_activity_at == at(note["occurredAt"]) and note["contactName"] == "Lea"
    moved = wire.put(call["id"], {"contactId": "contact_123", "description": "Terrible, a disaster."}).ok()
    assert moved["contactName"] == "Alice Johnson" and moved["sentiment"] == "negative"
    assert client.contacts.get(eve.id).communication_history == []
    wire.delete(call["id"]).ok()
    assert client.deals.get(deal.id).activities == []


def test_names_stay_while_the_links_do_and_follow_where_one_is_changed(wire: Wire, stub: StubServer) -> None:
    client = stub.client()
    firm = client.accounts.create({"name": "Firm"})
    eve = client.contacts.create({"name": "Eve", "account_id": firm.id})
    note, bare = wire.make("note", contactId=eve.id), wire.make("task")
    stored(stub, "activity", bare["id"], contact_name="Guest", contact_company="Club")
    stored(stub, "contact", eve.id, name="Eva", company="Company")

    def names(id: str, **changes: Any) -> list[Any]:
        answer = wire.put(id, changes)
        assert answer.status == 200, (answer.refusal, changes)
        return [wire.get(id)[name] for name in ("contactId", "contactName", "contactCompany", "accountId")]

    kept = [eve.id, "Eve", "Firm", firm.id]
    for changes in ({"tags": ["x"]}, {"contactId": eve.id}, {"contactId": eve.id, "leadId": None, "tags": ["y"]}):
        assert names(note["id"], **changes) == kept, changes
    assert names(bare["id"], tags=["x"]) == [None, "Guest", "Club", None]
    assert names(bare["id"], leadId=None) == [None, "Guest", "Club", None]
    assert names(note["id"], contactId="contact_123")[:2] == ["contact_123", "Alice Johnson"]
    assert names(note["id"], contactId=eve.id)[:3] == [eve.id, "Eva", "Company"], "as it is called now"


def reminders_of(wire: Wire, id: str) -> list[Any]:
    return [entry for entry in wire.stub.audit() if (entry["action"], entry["entity"]["id"]) == ("event.reminder", id)]


# -- reminders -------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
@pytest.mark.parametrize(("kind", "member"), [("task", "dueAt"), ("event", "startTime"), ("call", "startTime")])
def test_each_reminder_is_sent_once_and_again_where_the_time_moves(wire: Wire, kind: str, member: str) -> None:
    start = wire.stub.clock.now() + timedelta(days=2)
    times = {member: start, **({"endTime": start + HOUR} if kind != "task" else {})}
    more = {"status": "queued"} if kind == "call" else {}
    reminders = [{"minutesBefore": 30}, {"minutesBefore": 120, "channel": "email"}]
    made = wire.make(kind, **times, **more, reminders=reminders)

    def sent() -> list[bool]:
        return [reminder["sentAt"] is not None for reminder in wire.get(made["id"])["reminders"]]

    assert sent() == [False, False]
    wire.stub.clock.advance(86_400 * 2 - 3600)
    assert sent() == [False, True] and wire.get(made["id"])["version"] == 1
    wire.send("PUT", f"/activities/{made['id']}/reschedule", {"startTime": start + timedelta(days=1)}).ok()
    assert sent() == [False, False]
    wire.stub.clock.advance(86_400 * 2)
    assert sent() == [True, True]
    told = [entry["metadata"]["minutes_until"] for entry in reminders_of(wire, made["id"])]
    assert told == ([120, 120, 30] if kind == "event" else [])


def test_an_event_without_reminders_gets_three_and_a_series_those_of_each_occurrence(wire: Wire) -> None:
    start = wire.stub.clock.now() + timedelta(days=1, hours=1)
    plain = wire.make("event", startTime=start, endTime=start + HOUR)
    assert [entry["minutesBefore"] for entry in plain["reminders"]] == [1440, 60, 15]
    daily = wire.make(
        "event",
        startTime=start,
        endTime=start + HOUR,
        recurrence="FREQ=DAILY;COUNT=4",
        reminders=[{"minutesBefore": 15}],
    )
    wire.delete(daily["id"], occurrence=start + timedelta(days=2), scope="this").ok()
    wire.stub.clock.advance(86_400 * 6)
    wire.get(daily["id"])
    told = [entry["occurred_at"] for entry in reminders_of(wire, daily["id"])]
    assert told == [start + timedelta(days=day, minutes=-15) for day in (0, 1, 3)]


@pytest.mark.parametrize("seconds", [0, 30, 300])
def test_a_reminder_that_was_sent_is_not_sent_again_where_others_join_it(wire: Wire, seconds: int) -> None:
    start = wire.stub.clock.now() + timedelta(hours=2)
    made = wire.make("event", startTime=start, endTime=start + HOUR, reminders=[{"minutesBefore": 30}])
    wire.stub.clock.advance(90 * 60 + seconds)
    assert [one["sentAt"] is not None for one in wire.get(made["id"])["reminders"]] == [True]
    wire.put(made["id"], {"reminders": [{"minutesBefore": 30}, {"minutesBefore": 10}]}).ok()
    wire.stub.clock.advance(3600)
    told = [(entry["occurred_at"], entry["metadata"]["minutes_until"]) for entry in reminders_of(wire, made["id"])]
    assert told == [(start - timedelta(minutes=minutes), minutes) for minutes in (30, 10)]


def test_a_task_that_comes_again_is_reminded_of_each_time_once(wire: Wire) -> None:
    due = wire.stub.clock.now() + timedelta(days=1)
    task = wire.make(
        "task", title="Again", dueAt=due, recurrence="FREQ=DAILY;COUNT=2", reminders=[{"minutesBefore": 15}]
    )
    wire.stub.clock.advance(86_400 * 5)
    (sent,) = (one["sentAt"] for one in wire.get(task["id"])["reminders"])
    assert sent is not None


def test_when_a_note_was_taken_stays_as_it_was_told_when_it_is_changed(stub: StubServer) -> None:
    client, told = stub.client(dialects="platform"), stub.clock.now() - timedelta(days=3)
    contact = client.contacts.create({"name": "Ada"})
    note = stub.client().contacts.communication.create(
        contact.id, {"type": "note", "date": told, "summary": "They met"}
    )
    assert client.activities.get(note.id).occurred_at == told
    changed = client.activities.update(note.id, {"tags": ["met"]})
    assert (changed.occurred_at, changed.tags, changed.version) == (told, ["met"], 2)
    task = client.activities.tasks.create({"title": "T", "due_at": told + timedelta(days=9)})
    assert client.activities.update(task.id, {"title": "U"}).occurred_at == task.due_at
    later = told + timedelta(days=10)
    assert client.activities.update(task.id, {"due_at": later}).occurred_at == later
    assert client.activities.update(task.id, {"due_at": None}).occurred_at == task.created_at
