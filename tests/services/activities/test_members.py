"""What follows from the members of an activity at their boundaries: times, texts, titles, and whose it is."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from activity_wire import START, Wire, body_of, deeds
from stub_data import some, stored

from server_stub import StubServer

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def part(found: dict[str, Any], *names: str) -> list[Any]:
    return [found[name] for name in names]


def inbox(stub: StubServer, id: str) -> list[tuple[Any, ...]]:
    """Return who was told what of an activity."""
    told = stub.store.collection("tenant_acme", "notification")
    return [
        (one["user_id"], one["type"], one["title"], one["message"], one["priority"]) for one in told if id in str(one)
    ]


def test_times_may_be_equal_and_say_how_long_a_call_was(wire: Wire) -> None:
    for kind, first, last in (("task", "startTime", "dueAt"), ("call", "startTime", "endTime")):
        made = wire.make(kind, **{first: START, last: START})
        assert part(made, first, last) == [made[first]] * 2 and at(made[first]) == START
        wrong = wire.send("POST", f"/activities/{kind}s", {**body_of(kind), first: START, last: START - SECOND})
        assert wrong.refusal == (422, "VALIDATION_ERROR", last)
        wrong = wire.put(made["id"], {last: START - SECOND})
        assert wrong.refusal == (422, "VALIDATION_ERROR", last)
    assert made["durationSeconds"] == 0
    now = wire.stub.clock.now()
    assert wire.send("POST", "/activities/calls", {"title": "C", "endTime": now - MINUTE}).refusal[2] == "endTime"
    short = wire.make("call", startTime=START, endTime=START + timedelta(seconds=1.9))
    assert short["durationSeconds"] == 1
    early = wire.make("call", endTime=now + timedelta(hours=1))
    assert 3590 <= early["durationSeconds"] <= 3600 and early["occurredAt"] == early["startTime"]


def test_a_call_that_is_over_keeps_its_state(wire: Wire) -> None:
    for state in ("completed", "busy", "no_answer", "failed", "cancelled"):
        made = wire.make("call", status=state)
        assert wire.put(made["id"], {"status": "in_progress"}).refusal[:2] == (409, "CALL_ENDED")
        assert wire.put(made["id"], {"status": state, "title": "Still"}).ok()["title"] == "Still"
    for state in ("queued", "ringing", "in_progress"):
        made = wire.make("call", status=state)
        assert wire.put(made["id"], {"status": "completed"}).ok()["status"] == "completed"


def test_a_task_is_completed_once_and_late_only_after_its_time(wire: Wire) -> None:
    wire.stub.clock.advance(0)
    due = wire.stub.clock.now() + timedelta(hours=1)
    task = wire.make("task", dueAt=due, status="completed")
    assert task["completedAt"] == task["createdAt"] == task["occurredAt"] and task["isOverdue"] is False
    wire.stub.clock.advance(7200)
    again = wire.put(task["id"], {"status": "completed", "title": "Done"}).ok()
    assert part(again, "completedAt", "isOverdue", "version") == [task["completedAt"], False, 2]
    for state, late in (("not_started", True), ("waiting", True), ("cancelled", False), ("completed", False)):
        made = wire.make("task", dueAt=due, status=state)
        assert made["isOverdue"] is late, state
        assert (made["completedAt"] is not None) == (state == "completed")
    assert wire.make("task", dueAt=None)["isOverdue"] is False


def test_what_was_said_is_the_first_text_there_is(wire: Wire) -> None:
    good, bad = "Thank you, that was great, excellent!", "Terrible, a disaster, awful."
    html = "<p>Terrible</p><p>a&nbsp;disaster, awful</p>"
    for kind, members, tone in (
        ("call", {"description": good, "transcript": bad}, "positive"),
        ("call", {"transcript": bad}, "negative"),
        ("call", {"description": ""}, None),
        ("email", {"bodyText": good, "description": bad, "bodyHtml": html}, "positive"),
        ("email", {"description": bad}, "negative"),
        ("email", {"bodyHtml": html}, "negative"),
        ("note", {"body": bad}, "negative"),
        ("task", {"description": bad}, None),
        ("event", {"description": bad}, None),
    ):
        made = wire.make(kind, **members)
        assert made.get("sentiment") == tone, (kind, members)
        assert bool(made.get("aiAnalysis")) == (tone is not None)
    call = wire.make("call", description=good)
    same = wire.put(call["id"], {"description": good, "title": "Terrible"}).ok()
    assert part(same, "sentiment", "aiAnalysis") == ["positive", call["aiAnalysis"]]
    none = wire.put(call["id"], {"description": None}).ok()
    assert part(none, "sentiment", "aiAnalysis") == [None, None]


def test_an_email_that_is_logged_says_what_it_is(wire: Wire) -> None:
    people = [wire.send("POST", "/contacts", {"name": n, "email": f"{n}@m.example"}).ok(201)["id"] for n in "abc"]
    a, b, c = ({"email": f"{name}@M.example"} for name in "abc")
    nobody = [{"email": "nobody@x.example"}]
    names = ("contactId", "status", "folder", "isRead", "fromAddress", "title")
    ada, when = {"email": "ada@acme.test", "name": "Ada Lindqvist"}, START - timedelta(days=60)
    inbound = {"direction": "inbound", "fromAddress": b, "to": [a]}
    for members, expected in (
        ({"to": [c], "cc": [a]}, [people[2], "sent", "sent", True, ada, "Mail"]),
        ({"to": nobody, "cc": [b, a]}, [people[1], "sent", "sent", True, ada, "Mail"]),
        ({"isRead": False}, [None, "sent", "sent", False, ada, "Mail"]),
        ({"contactId": people[0], "to": [b]}, [people[0], "sent", "sent", True, ada, "Mail"]),
        (inbound, [people[1], "received", "inbox", False, {"email": "b@M.example", "name": None}, "Mail"]),
        ({"direction": "inbound", "isRead": True}, [None, "received", "inbox", True, None, "Mail"]),
        ({"subject": "x" * 500}, [None, "sent", "sent", True, ada, "x" * 255]),
    ):
        made = wire.make("email", **members)
        assert part(made, *names) == expected, members
        assert made["receivedAt"] == (made["sentAt"] if members.get("direction") else None)
        assert at(made["sentAt"]) == at(made["occurredAt"]) == when


def test_an_answer_joins_the_thread_of_the_same_people_and_subject(wire: Wire) -> None:
    def mail(subject: str, to: str = "x@t.example", **members: Any) -> str:
        return str(wire.make("email", subject=subject, to=[{"email": to}], **members)["threadId"])

    mine: dict[str, Any] = {"fromAddress": {"email": "me@t.example"}}
    first = mail("Offer", **mine)
    assert mail("Offer", **mine) != first, "not an answer"
    for prefix in ("Re: ", "RE:", "Fw: ", "Fwd: re: ", "AW: WG:", " sv : "):
        assert mail(f"{prefix}Offer", **mine) == first, prefix
    assert mail("Re: Offer", "X@T.example", fromAddress={"email": "other@t.example"}) == first
    assert mail("Re: Offers", **mine) != first
    assert mail("Re: Offer", "y@t.example", fromAddress={"email": "third@t.example"}) != first
    assert mail("Re: Offer", inReplyTo="<unknown@x>", **mine) == first


def test_the_first_line_of_a_note_is_its_title_unless_one_is_given(wire: Wire) -> None:
    note = wire.make("note", body="  First line \nsecond  ")
    assert part(note, "body", "title") == ["First line \nsecond", "First line"]
    assert wire.make("note", body="y" * 300)["title"] == "y" * 255
    again = wire.put(note["id"], {"body": " First line \nsecond", "tags": ["t"]}).ok()
    assert part(again, "body", "title", "tags") == ["First line \nsecond", "First line", ["t"]]
    assert part(wire.put(note["id"], {"body": "Other\nsecond"}).ok(), "body", "title") == ["Other\nsecond", "Other"]
    for link in ("contactId", "leadId", "dealId", "accountId"):
        kind = link.removesuffix("Id")
        id = wire.stub.store.collection("tenant_acme", kind).all()[0]["id"]
        made = wire.make("note", **{"contactId": None, link: id})
        assert made[link] == id
        assert wire.put(made["id"], {link: None}).ok()[link] is None


def test_who_is_told_of_a_task_and_of_a_note(wire: Wire) -> None:
    task = wire.make("task", title="Do", ownerId="user_sam", priority="high")
    said = ("assignment", "New task: Do", "acme-admin gave you the task Do.", "high")
    assert inbox(wire.stub, task["id"]) == [("user_sam", *said)]
    assert wire.put(task["id"], {"ownerId": None}).ok()
    wire.put(task["id"], {"ownerId": "user_sam", "priority": "low"}).ok()
    assert inbox(wire.stub, task["id"])[1:] == [("user_sam", *said[:3], "low")]
    body = "@sam " + "z" * 600
    note = wire.make("note", body=body)
    one = ("user_sam", "mention", f"You were mentioned: {body[:255]}", body[:500], "medium")
    assert inbox(wire.stub, note["id"]) == [one]
    wire.put(note["id"], {"tags": ["t"]}).ok()
    wire.put(note["id"], {"body": f"@mia @sam {'z' * 600}"}).ok()
    assert [told[0] for told in inbox(wire.stub, note["id"])] == ["user_sam", "user_mia"]


def test_who_has_to_do_a_task_is_told_when_it_falls_due(wire: Wire) -> None:
    due = wire.stub.clock.now() + timedelta(hours=1)
    of_whom = wire.make("task", title="Call", ownerId="user_sam", dueAt=due, contactId="contact_123", priority="low")
    plain, done = wire.make("task", title="Write", dueAt=due), wire.make("task", dueAt=due, status="cancelled")
    later = wire.make("task", dueAt=due + SECOND * 30)
    wire.stub.clock.advance(3600 - 1)
    wire.get(plain["id"])
    before = [one for one in inbox(wire.stub, of_whom["id"]) if one[1] == "task_due"]
    wire.stub.clock.advance(2)
    assert [wire.get(one["id"])["isOverdue"] for one in (of_whom, plain, done, later)] == [True, True, False, False]
    assert before == []
    named = ("user_sam", "task_due", "Due now: Call", "Call, with Alice Johnson", "low")
    assert inbox(wire.stub, of_whom["id"])[1:] == [named]
    assert inbox(wire.stub, plain["id"]) == [("user_ada", "task_due", "Due now: Write", "Write", "medium")]
    assert inbox(wire.stub, done["id"]) == inbox(wire.stub, later["id"]) == []


def next_of(wire: Wire, id: str) -> list[str]:
    """Complete a task, and return the ids of those that follow it."""
    wire.put(id, {"status": "completed"}).ok()
    made = [one for one in wire.stub.audit() if one["metadata"].get("previous_task_id") == id]
    assert [one["action"] for one in made] == ["activity.created", "task.created"][: len(made)]
    return list(dict.fromkeys(str(one["entity"]["id"]) for one in made))


def test_the_next_task_of_a_series_has_what_the_one_before_had(wire: Wire) -> None:
    given: dict[str, Any] = {
        "title": "Again", "description": "D", "ownerId": "user_mia", "contactId": "contact_123", "priority": "high",
        "tags": ["t"], "type": "meeting", "recurrence": "FREQ=DAILY;COUNT=3",
    }  # fmt: skip
    task = wire.make("task", **given, startTime=START, dueAt=START + MINUTE)
    ((id,), day) = next_of(wire, task["id"]), timedelta(days=1)
    new = wire.get(id)
    kept = [*(name for name in given if name != "recurrence"), "contactName", "contactCompany", "accountId"]
    assert part(new, *kept) == part(task, *kept) and new["contactName"] == "Alice Johnson"
    assert [at(new["startTime"]), at(new["dueAt"])] == [START + day, START + MINUTE + day]
    assert part(new, "recurrence", "status", "completedAt", "version") == ["FREQ=DAILY;COUNT=2", "not_started", None, 1]
    alone = wire.make("task", title="Undated", recurrence="FREQ=DAILY")
    (next_id,) = next_of(wire, alone["id"])
    next_one, ended = wire.get(next_id), wire.get(alone["id"])
    assert (
        next_one["startTime"] is None and at(next_one["dueAt"]) == at(ended["completedAt"]).replace(microsecond=0) + day
    )
    begun = wire.make("task", startTime=START, recurrence="FREQ=DAILY")
    (next_id,) = next_of(wire, begun["id"])
    following = wire.get(next_id)
    assert [at(following["startTime"]), following["dueAt"]] == [START + day, None]
    last = wire.make("task", dueAt=START, recurrence="FREQ=DAILY;COUNT=1")
    assert next_of(wire, last["id"]) == []
    assert "activity.completed" in deeds(wire.stub, last["id"])


def test_a_deal_takes_the_next_step_of_what_was_added_to_it(wire: Wire) -> None:
    deal = wire.send("POST", "/deals", {"title": "Engine", "value": 1000}).ok(201)["id"]

    def told() -> list[Any]:
        return [
            one for one in wire.stub.audit() if (one["action"], one["entity"]["id"]) == ("deal.activity_added", deal)
        ]

    call = wire.make("call", dealId=deal, nextStep="Send it", startTime=wire.stub.clock.now() - MINUTE)
    assert wire.send("GET", f"/deals/{deal}").ok()["nextStep"] == "Send it"
    (first,) = told()
    assert first["metadata"]["activity_id"] == call["id"]
    assert {one["field"]: one["after"] for one in first["changes"]}["next_step"] == "Send it"
    version = wire.send("GET", f"/deals/{deal}").ok()["version"]
    wire.make("call", dealId=deal, nextStep="Send it", startTime=wire.stub.clock.now() - MINUTE)
    assert wire.send("GET", f"/deals/{deal}").ok()["version"] == version and len(told()) == 2
    wire.put(call["id"], {"nextStep": "Other"}).ok()
    assert wire.send("GET", f"/deals/{deal}").ok()["nextStep"] == "Send it" and len(told()) == 2
    task = wire.make("task", title="Ring", dealId=deal, dueAt=START)
    assert told()[2]["metadata"]["activity"] == {
        "id": task["id"], "type": "note", "date": START, "description": "Ring", "outcome": None, "next_step": "Ring",
    }  # fmt: skip


def test_a_lead_says_when_something_happened_with_it_last(wire: Wire) -> None:
    lead = wire.send("POST", "/leads", {"name": "Lea"}).ok(201)["id"]
    wire.stub.clock.advance(600)
    now = wire.stub.clock.now()
    for kind, when, last in (("task", now + timedelta(days=1), None), ("call", now - MINUTE, now - MINUTE)):
        member = "dueAt" if kind == "task" else "startTime"
        made = wire.make(kind, leadId=lead, **{member: when})
        found = wire.send("GET", f"/leads/{lead}").ok()
        assert [found["lastActivityAt"] and at(found["lastActivityAt"]), found["version"]] == [last, 1]
    assert at(found["firstResponseAt"]) == now - MINUTE
    older = wire.make("call", leadId=lead, startTime=now - 2 * MINUTE)
    found = wire.send("GET", f"/leads/{lead}").ok()
    assert [at(found["lastActivityAt"]), at(found["firstResponseAt"])] == [now - MINUTE, now - 2 * MINUTE]
    stored(wire.stub, "lead", lead, converted_contact_id="contact_123")
    wire.delete(older["id"]).ok()
    wire.delete(made["id"]).ok()
    kept = some(wire.stub.store.collection("tenant_acme", "lead").get(lead))
    assert kept["first_response_at"] == now - 2 * MINUTE


def test_a_rule_is_kept_in_normal_form_or_refused(wire: Wire) -> None:
    cases: list[tuple[str, str | None]] = [
        ("RRULE:freq=daily;count=2", "FREQ=DAILY;COUNT=2"),
        ("FREQ=DAILY;COUNT=9999", "FREQ=DAILY;COUNT=9999"),
        ("FREQ=DAILY;INTERVAL=1", "FREQ=DAILY;INTERVAL=1"),
        ("FREQ=DAILY;COUNT=10000", None),
        ("FREQ=DAILY;COUNT=0", None),
        ("FREQ=DAILY;COUNT=-1", None),
        ("FREQ=DAILY;INTERVAL=0", None),
        ("FREQ=DAILY;FREQ=DAILY", None),
        ("FREQ=HOURLY", None),
        ("FREQ=DAILY;BYHOUR=3", None),
        ("COUNT=2", None),
        ("FREQ=DAILY;COUNT=", None),
        ("FREQ=DAILY;COUNT", None),
        ("FREQ=DAILY;UNTIL=2026-03-05", None),
        ("FREQ=DAILY;UNTIL=20260305T1", None),
        ("FREQ=DAILY;UNTIL=20269905", None),
        ("FREQ=DAILY;UNTIL=20260305T150000Z", "FREQ=DAILY;UNTIL=20260305T150000Z"),
    ]
    for rule, fits in cases:
        reply = wire.send("POST", "/activities/events", {**body_of("event"), "recurrence": rule})
        if fits is None:
            assert reply.refusal == (422, "VALIDATION_ERROR", "recurrence")
        else:
            assert reply.ok(201)["recurrence"] == fits


def test_a_series_ends_on_the_clock_of_its_zone(wire: Wire) -> None:
    zone = {"timezone": "America/New_York", "endTime": START + MINUTE}
    for number, (rule, days) in enumerate((
        ("FREQ=DAILY;UNTIL=20260304", ["03-02", "03-03", "03-04"]),
        ("FREQ=DAILY;UNTIL=20260304T150000Z", ["03-02", "03-03", "03-04"]),
        ("FREQ=DAILY;UNTIL=20260304T145959Z", ["03-02", "03-03"]),
        ("FREQ=DAILY;UNTIL=20260304T100000", ["03-02", "03-03", "03-04"]),
        ("FREQ=DAILY;UNTIL=20260304T095959", ["03-02", "03-03"]),
        ("FREQ=WEEKLY;BYDAY=WE;COUNT=2", ["03-02", "03-04", "03-11"]),
        ("FREQ=DAILY;INTERVAL=3;COUNT=3", ["03-02", "03-05", "03-08"]),
    )):  # fmt: skip
        wire.make("event", title=f"S{number}", recurrence=rule, **zone)
        assert wire.starts(f"S{number}", days=30) == [f"{day} 10:00" for day in days], rule


def test_the_next_step_of_a_deals_own_activity_is_the_deals(wire: Wire) -> None:
    deal = wire.send("POST", "/deals", {"title": "Engine", "value": 1000}).ok(201)["id"]
    flow = wire.stub.client(dialects="flow", max_retries=0)
    for step, kept in (("Send it", "Send it"), (None, "Send it"), ("Call", "Call")):
        given: Any = {"type": "call", "date": wire.stub.clock.now(), "description": "Spoke", "next_step": step}
        flow.deals.activities.create(deal, given)
        assert wire.send("GET", f"/deals/{deal}").ok()["nextStep"] == kept


def test_a_lead_is_written_where_its_times_move_and_its_score_does_not(wire: Wire) -> None:
    one, two = (wire.send("POST", "/leads", {"name": "Lea"}).ok(201)["id"] for _ in "12")
    wire.stub.clock.advance(3600)
    now = wire.stub.clock.now()
    wire.make("call", leadId=one, startTime=now)
    scored = wire.send("GET", f"/leads/{one}").ok()
    stored(wire.stub, "lead", two, score=scored["score"])  # as it comes to be with the call
    wire.make("call", leadId=two, startTime=now)
    found = wire.send("GET", f"/leads/{two}").ok()
    names = ("score", "lastActivityAt", "firstResponseAt")
    assert part(found, *names) == part(scored, *names) and at(found["firstResponseAt"]) == now


def test_a_deal_has_of_what_is_private_what_its_reader_takes_part_in(wire: Wire) -> None:
    crm, sam = (wire.stub.client(api_key=key, dialects="platform") for key in ("acme-admin", "acme-sales"))
    given: Any = {"title": "Own", "value": 1, "owner_id": "user_sam"}
    deal = crm.deals.create(given).id
    over = wire.stub.clock.now() - MINUTE
    times = {"startTime": over - MINUTE, "endTime": over}
    made = [
        wire.make("event", dealId=deal, ownerId="user_sam", visibility=kept, **times) for kept in ("private", "public")
    ]
    secret, known = (one["id"] for one in made)
    for reader, ids in ((crm, {known}), (sam, {secret, known})):
        assert {one.id for one in reader.deals.get(deal).activities} == ids


def test_a_task_or_a_call_may_become_one_of_a_type_of_the_companys_own(wire: Wire) -> None:
    for kind, member in (("task", "type"), ("call", "outcome")):
        made = wire.make(kind)
        assert wire.put(made["id"], {member: "site_visit"}).ok()[member] == "site_visit"
        assert wire.put(made["id"], {"status": "site_visit"}).refusal == (422, "VALIDATION_ERROR", "status")
