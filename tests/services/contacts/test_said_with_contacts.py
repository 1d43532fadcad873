"""What was said with a contact and what it takes part in: how it is kept, who sees it, in which order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.contacts import health
from server_stub.services.contacts.talks import analysis

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)


@pytest.fixture
def crm(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_each_type_of_communication_is_kept_as_its_kind_of_activity(crm: CrmClient, stub: StubServer) -> None:
    account = crm.accounts.create({"name": "Firm"})
    contact = crm.contacts.create({"name": "Ada", "account_id": account.id})
    flow, now = stub.client(dialects="flow"), stub.clock.now()
    crm.configuration.settings.update({"calendar.meeting_minutes": 45})
    usual = {
        "owner_id": "user_ada", "contact_id": contact.id, "account_id": account.id, "occurred_at": now,
        "sentiment": "positive", "ai_analysis": "Positive tone (great), 78 % sure.",
    }  # fmt: skip
    text = "It went great\nand on"
    for type, subject, kind, title, more in (
        ("email", " Re ", "email", "Re", {"subject": "Re", "to": [], "body_text": text, "sent_at": now}),
        ("email", None, "email", "It went great", {"subject": "It went great", "body_text": text, "to": []}),
        ("note", None, "note", "It went great", {"body": text}),
        ("note", "Subject", "note", "Subject", {"body": text}),
        ("call", " ", "call", "It went great",
         {"start_time": now, "status": "completed", "end_time": None, "duration_seconds": None}),
        ("meeting", "Talk", "event", "Talk", {"start_time": now, "end_time": now + 45 * MINUTE, "status": "completed"}),
    ):  # fmt: skip
        given: Any = {"type": type, "date": now, "summary": f" {text} ", "subject": subject}
        made = flow.contacts.communication.create(contact.id, given)
        kept = some(stub.store.collection("tenant_acme", "activity").get(made.id))
        wanted = {**usual, "kind": kind, "title": title, "description": text, **more}
        assert {name: kept[name] for name in wanted} == wanted, type
        assert (made.type, made.date, made.subject, made.summary, made.sentiment, made.ai_analysis) == (
            type, now, subject, text, "positive", usual["ai_analysis"],
        )  # fmt: skip
    long: Any = {"type": "note", "date": now, "summary": "x" * 300}
    made = flow.contacts.communication.create(contact.id, long)
    assert len(some(stub.store.collection("tenant_acme", "activity").get(made.id))["title"]) == 255
    body = {"type": "note", "date": "2026-01-15T09:00:00Z", "summary": " \n "}
    answer = flow.request("POST", f"/api/contacts/{contact.id}/communication", json=body)
    details = {"field": "summary", "reason": "must not be blank", "rule": "length"}
    assert (answer.status, answer.json()["error"]["details"]) == (422, details)
    theirs = crm.contacts.create({"name": "Theirs", "owner_id": "user_ada"})
    sales = stub.client(dialects="flow", api_key="acme-sales")
    assert refused(lambda: sales.contacts.communication.create(theirs.id, long)).status == 403


def test_the_activities_of_a_contact_are_its_own_and_those_it_attends(crm: CrmClient, stub: StubServer) -> None:
    ada = crm.contacts.create({"name": "Ada", "email": "ada@x.example"})
    bob = crm.contacts.create({"name": "Bob"})
    now, ids = stub.clock.now(), dict[str, str]()
    for title, kind, at, more in (
        ("note", "note", now - 3 * DAY, {"body": "x"}), ("call", "call", now - DAY, {"title": "x"}),
        ("task", "task", now - 2 * DAY, {"title": "x"}),
    ):  # fmt: skip
        given: Any = {"kind": kind, "contact_id": ada.id, **more}
        ids[crm.activities.create(given).id] = title
        stored(stub, "activity", list(ids)[-1], occurred_at=at, contact_id=ada.id)
    meeting: Any = {
        "kind": "event", "title": "x", "start_time": now, "end_time": now + MINUTE, "contact_id": bob.id,
        "attendees": [{"email": "b@x.example"}, {"email": "ada@x.example"}],
    }  # fmt: skip
    ids[crm.activities.create(meeting).id] = "meeting"
    stored(stub, "activity", list(ids)[-1], occurred_at=now)
    own: Any = {"kind": "event", "title": "x", "start_time": now, "end_time": now + MINUTE, "contact_id": bob.id}
    ids[crm.activities.create(own).id] = "bobs"

    def listed(id: str = ada.id, by: CrmClient = crm, **given: Any) -> list[str]:
        return [ids[one.id] for one in by.contacts.activities.list(id, **given)]

    assert listed() == ["meeting", "call", "task", "note"]
    assert sorted(listed(bob.id)) == ["bobs", "meeting"]
    assert listed(kind="note") == ["note"] and listed(kind="event") == ["meeting"]
    assert listed(since=now - 2 * DAY, until=now - DAY / 2) == ["call", "task"]
    assert listed(sort="occurred_at", order="asc") == ["note", "task", "call", "meeting"]
    (status,) = {str(one.status) for one in crm.contacts.activities.list(ada.id, kind="task")}  # type: ignore[union-attr] # a task
    assert listed(status=status) and "note" not in listed(status=status)
    assert listed(status="cancelled") == []
    stored(stub, "activity", next(id for id, title in ids.items() if title == "meeting"), visibility="private",
           owner_id="user_noor")  # fmt: skip
    seen = stub.client(dialects="platform", api_key="acme-sales")
    assert "meeting" not in listed(by=seen)


def test_the_deals_of_a_contact_are_those_it_takes_part_in(crm: CrmClient, stub: StubServer) -> None:
    ada, bob = (crm.contacts.create({"name": name}) for name in ("Ada", "Bob"))
    other = crm.pipelines.create({
        "name": "Own",
        "stages": [
            {"name": "Start", "probability": 5}, {"name": "Won", "kind": "won"}, {"name": "Lost", "kind": "lost"},
        ],
    })  # fmt: skip
    for title, value, members in (
        ("main", 3, {"contact_id": ada.id}), ("lost", 1, {"contact_id": ada.id, "stage": "closed-lost"}),
        ("part", 2, {"contact_id": bob.id, "contact_roles": [{"contact_id": ada.id, "role": "champion"},
                                                            {"contact_id": bob.id, "role": "user"}]}),
        ("own", 4, {"contact_id": ada.id, "pipeline_id": other.id}), ("bobs", 9, {"contact_id": bob.id}),
    ):  # fmt: skip
        given: Any = {"title": title, "value": value, **members}
        crm.deals.create(given)

    def listed(**given: Any) -> list[str]:
        return [one.title for one in crm.contacts.deals.list(ada.id, **given)]

    assert sorted(listed()) == ["lost", "main", "own", "part"]
    assert listed(sort="value") == ["lost", "part", "main", "own"]
    assert listed(sort="value", order="desc") == ["own", "main", "part", "lost"]
    assert listed(status="lost") == ["lost"]
    assert sorted(listed(status="open")) == ["main", "own", "part"]
    assert listed(pipeline_id=other.id) == ["own"]
    assert listed(role="champion") == ["part"]
    assert listed(role="user") == [], "what the other one is"
    assert sorted(listed(role="other")) == ["lost", "main", "own"]
    sales = stub.client(dialects="platform", api_key="acme-sales")
    limited = [one.title for one in sales.contacts.deals.list(ada.id)]
    assert limited == [] or set(limited) <= set(listed())


def test_a_talk_is_judged_by_its_words_once_each() -> None:
    for subject, summary, mood, said in (
        (None, "It went great, great!", "positive", "Positive tone (great), 89 % sure."),
        ("Great", "Great", "positive", "Positive tone (great), 78 % sure."),
        ("Great", "Terrible", "neutral", None), (None, "At ten", "neutral", "Neutral tone, 60 % sure."),
        ("Great", "At ten", "positive", "Positive tone (great), 78 % sure."),
        (
            None, "We want to cancel, yes, cancel.", "negative",
            "Negative tone (cancel), 88 % sure. May be about to leave: cancel.",
        ),
    ):  # fmt: skip
        judged = analysis(subject, summary)
        if said is None:
            assert "(great, terrible)" in judged["ai_analysis"]
            continue
        assert (judged["sentiment"], judged["ai_analysis"]) == (mood, said), summary


def test_a_talk_with_more_than_one_door_is_in_the_history_newest_first(crm: CrmClient, stub: StubServer) -> None:
    contact, now = crm.contacts.create({"name": "Ada"}), stub.clock.now()
    conversations = stub.store.collection("tenant_acme", "conversation")
    conversation = conversations.put(conversations.all()[0] | {"contact_id": contact.id})
    messages = stub.store.collection("tenant_acme", "message").find("conversation_id", conversation["id"])
    flow = stub.client(dialects="flow")
    flow.contacts.communication.create(contact.id, {"type": "note", "date": now, "summary": "Newest"})
    found = flow.contacts.get(contact.id).communication_history
    assert [one.date for one in found] == sorted((one.date for one in found), reverse=True)
    assert found[0].summary == "Newest"
    told = {one.id: one for one in found}
    for message in messages:
        shown = told[message["id"]]
        assert (shown.type, shown.date, shown.summary, shown.sentiment) == (
            "email", message["timestamp"], message["content"], message["sentiment"],
        )  # fmt: skip
    assert messages and len(found) == len(messages) + 1
    assert found[0].date == now != datetime(1, 1, 1, tzinfo=UTC)


def test_a_message_is_told_as_an_email_and_says_whose_it_is(crm: CrmClient, stub: StubServer) -> None:
    eve = crm.contacts.create({"name": "Eve"}).id
    now, flow = stub.clock.now(), stub.client(dialects="flow")
    conversations = stub.store.collection("tenant_acme", "conversation")
    conversations.put(conversations.all()[0] | {"id": "conv_eve", "contact_id": eve, "lead_id": None})
    messages = stub.store.collection("tenant_acme", "message")
    base = messages.find("conversation_id", "conv_123")[0] | {"conversation_id": "conv_eve"}
    for id, ours, text in (("msg_1", True, "Terrible, awful"), ("msg_2", False, "It went great")):
        sender = "user" if ours else "contact"
        said = {
            "id": id,
            "sender_type": sender,
            "content": text,
            "subject": "Re",
            "timestamp": now,
            "sentiment": "neutral",
        }
        messages.put(base | said)
    found = {one.id: one for one in flow.contacts.get(eve).communication_history}
    assert {id: (one.type, one.date, one.subject, one.summary, one.sentiment, one.ai_analysis)
            for id, one in found.items()} == {
        "msg_1": ("email", now, "Re", "Terrible, awful", "neutral", analysis("Re", "Terrible, awful")["ai_analysis"]),
        "msg_2": ("email", now, "Re", "It went great", "neutral", "Positive tone (great), 78 % sure."),
    }  # fmt: skip
    crm.contacts.update(eve, {"title": "CTO"})
    assert crm.contacts.get(eve).sentiment == "positive", "what we wrote says nothing of their mood"


def test_the_last_contact_is_the_newest_talk_or_what_was_done_on_a_network_since() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    tenant: Any = {"base_currency": "USD"}
    for said, stored_at, engaged, last in (
        (None, None, None, None), (None, 3, None, 3), (2, 5, None, 2), (2, None, 4, 2), (2, None, 1, 1),
        (None, 3, 1, 1), (None, 1, 3, 1), (None, None, 4, 4),
    ):  # fmt: skip
        at = [None if days is None else now - days * DAY for days in (said, stored_at, engaged, last)]
        doc: Any = {"id": "contact_1", "created_at": now - 9 * DAY, "last_contact": at[1], "engaged_at": at[2]}
        talks: Any = [] if at[0] is None else [{"id": "1", "date": at[0], "summary": "x", "sentiment": "neutral"}]
        assert health.but_churn_risk(doc, talks, (), now, tenant)["last_contact"] == at[3], (said, stored_at, engaged)
