"""Conversations: what a tag and a text may be, what is told of them, and how their figures are found."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from conversing import fresh, hears
from refusals import refused
from stub_data import idle, some, stored, trail
from wire import CHANNELS, MESSAGES, opened

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.conversations import state

GOOD, SOUR, PLAIN = "Great, excellent, thank you", "Terrible, awful, unacceptable", "At ten"
NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


def said(text: str, *, theirs: bool = True, ago: timedelta = timedelta()) -> dict[str, Any]:
    return {"content": text, "sender_type": "contact" if theirs else "user", "timestamp": NOW - ago}


def test_what_a_tag_and_a_text_may_be(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    id = fresh(mvp, flow, PLAIN).id
    add: Any = partial(flow.conversations.tags.add, id)
    write: Any = partial(flow.conversations.messages.create, id)
    for tag, status in ((" ", 422), ("x" * 51, 422), ("\x1c", 422), (f" {'x' * 48} ", 200)):
        sent = flow.request("POST", f"/api/conversations/{id}/tags", json={"tag": tag})
        assert sent.status == status, tag
    assert flow.conversations.get(id).tags == ["x" * 48]
    stored(stub, "conversation", id, tags=[f"tag {number}" for number in range(49)])
    assert len(add("Straße").tags) == 50
    log = len(stub.audit())
    assert len(add("STRASSE").tags) == 50
    assert trail(stub, log) == []
    error = refused(partial(add, "another"))
    assert [(one.field, one.rule, one.message) for one in error.fields] == [
        ("tag", "max", "a conversation has at most 50 tags")
    ]
    for text in (" \n", "\x1f"):
        sent = flow.request("POST", f"/api/conversations/{id}/messages", json={"content": text, "type": "sms"})
        assert sent.status == 422
    error = refused(partial(write, {"content": "x" * 1_601, "type": "sms"}))
    assert (error.code, error.fields[0].field, error.fields[0].message) == (
        "CONTENT_TOO_LONG", "content", "an SMS has at most 1,600 characters, not 1,601",
    )  # fmt: skip
    assert write({"content": f" {'x' * 1_600} ", "type": "sms"}).content == "x" * 1_600
    made = write({"content": "x" * 1_601, "type": "email", "subject": "  "})
    assert (made.subject, made.status, made.sender_type) == (None, "sent", "user")
    log = len(stub.audit())
    flow.conversations.archive(id)
    assert flow.conversations.archive(id).archived is True
    assert flow.conversations.set_priority(id, "high").priority == "high"
    assert flow.conversations.set_priority(id, "high").priority == "high"
    told = [entry for entry in stub.audit()[log:] if entry["action"] == "conversation.updated"]
    assert [[change["field"] for change in entry["changes"]] for entry in told] == [["archived"], ["priority"]]


def about(stub: StubServer, id: str, kind: str) -> list[Any]:
    """Return the notifications of a kind about a conversation."""
    notes = stub.store.collection("tenant_acme", "notification").find("type", kind)
    return [doc for doc in notes if (doc.get("entity") or {}).get("id") == id]


def test_an_owner_is_told_of_messages_and_of_a_mood_that_declines(
    mvp: CrmClient, flow: CrmClient, stub: StubServer
) -> None:
    conversations = stub.store.collection("tenant_acme", "conversation")
    conversation = fresh(mvp, flow, "x" * 201)
    id, lead = conversation.id, some(conversation.messages[0].sender_id)
    (first,) = about(stub, id, "message_received")
    assert (first["title"], first["message"], first["user_id"]) == ("Message from Nora Quist", "x" * 200, "user_ada")
    assert first["expires_at"] - first["created_at"] == timedelta(days=14)
    assert first["priority"] == some(conversations.get(id))["priority"]
    stored(stub, "lead", lead, owner_id=None)
    hears(mvp, lead, GOOD, SOUR)
    assert len(about(stub, id, "message_received")) == 1
    stored(stub, "lead", lead, owner_id="user_ada")
    for message in stub.store.collection("tenant_acme", "message").find("conversation_id", id):
        stored(stub, "message", message["id"], content=GOOD)
    hears(mvp, lead, SOUR, SOUR, SOUR)
    idle(stub)
    version = some(conversations.get(id))["version"]
    log = len(stub.audit())

    def a_day_later() -> tuple[Any, int, int]:
        stub.clock.advance(86_400)
        mvp.conversations.list()
        changes = [
            entry for entry in stub.audit()[log:]
            if entry["action"] == "conversation.updated" and entry["entity"]["id"] == id
        ]  # fmt: skip
        for entry in changes:
            assert [one["field"] for one in entry["changes"]] == ["sentiment_trend"]
        return some(conversations.get(id))["sentiment_trend"], len(changes), len(about(stub, id, "ai_insight"))

    assert a_day_later() == ("declining", 1, 1)
    assert a_day_later() == ("declining", 1, 1)
    (warned,) = about(stub, id, "ai_insight")
    assert (warned["title"], warned["user_id"]) == ("The mood of Nora Quist is declining", "user_ada")
    assert warned["message"] == "What was written lately is less friendly than what was written before."
    assert warned["expires_at"] - warned["created_at"] == timedelta(days=14)
    stored(stub, "conversation", id, sentiment_trend="stable", archived=True)
    assert a_day_later() == ("declining", 2, 1)
    stored(stub, "conversation", id, sentiment_trend="stable", archived=False)
    stored(stub, "lead", lead, owner_id=None)
    assert a_day_later() == ("declining", 3, 1)
    assert some(conversations.get(id))["version"] == version


def test_what_is_written_with_a_converted_lead_is_with_its_contact(
    mvp: CrmClient, flow: CrmClient, stub: StubServer
) -> None:
    def listed(contact_id: str) -> list[str]:
        return [one.id for one in flow.conversations.list() if one.contact_id == contact_id]

    lead = mvp.leads.create({"name": "Nora Quist", "company": "Quist Works", "email": "nora@quist.example"})
    contact = some(stub.client().leads.convert(lead.id).contact).id
    hears(mvp, lead.id, PLAIN)
    (id,) = listed(contact)
    seen = flow.conversations.get(id)
    assert (seen.contact_id, seen.contact_name) == (contact, "Nora Quist")
    flow.contacts.update(contact, {"name": "Nora Quist-Ray"})
    assert flow.conversations.get(id).contact_name == "Nora Quist-Ray"


@pytest.mark.parametrize("order", [1, -1])
def test_a_mood_counts_the_latest_most_and_a_trend_compares_halves(order: int) -> None:
    for texts, mood, trend in (
        ([], "neutral", "stable"), ([GOOD], "positive", "stable"), ([PLAIN, GOOD], "positive", "improving"),
        ([GOOD, SOUR], "neutral", "declining"), ([SOUR, SOUR, GOOD, GOOD], "positive", "improving"),
        ([GOOD, GOOD, GOOD], "positive", "stable"), ([SOUR, SOUR, GOOD], "neutral", "improving"),
        ([SOUR] * 11, "negative", "stable"), ([GOOD, *[SOUR] * 10], "negative", "stable"),
        ([GOOD, *[SOUR] * 9], "negative", "declining"),
    ):  # fmt: skip
        history = [said(text) for text in texts]
        if order < 0:  # ours count for nothing
            history = [one for entry in history for one in (said(SOUR, theirs=False), entry, said(GOOD, theirs=False))]
        assert (state.overall_mood(history), state.trend(history, NOW)) == (mood, trend), texts
    for ago, found in ((30 * DAY, "improving"), (30 * DAY + MOMENT, "stable")):
        history = [said(SOUR, ago=40 * DAY), said(GOOD, ago=ago), said(GOOD, theirs=False)]
        assert state.trend(history, NOW) == found
        known: Any = {"trend_as_of": NOW, "sentiment_trend": "declining"}
        assert state.trend_of(known, history, NOW) == state.trend_of(known, [], NOW) == "declining"
        assert state.trend_of(known | {"trend_as_of": NOW - MOMENT}, history, NOW) == found
        assert state.trend_of(known | {"trend_as_of": None}, history, NOW) == found


def test_what_waits_for_an_answer_and_how_long_ours_took() -> None:
    live: Any = {"archived": False}
    for text, theirs, ago, needed in (
        (PLAIN, True, DAY, False), (PLAIN, True, DAY + MOMENT, True), (PLAIN, False, 9 * DAY, False),
        ("At ten?", False, 3 * DAY, False), ("At ten?", False, 3 * DAY + MOMENT, True),
    ):  # fmt: skip
        history = [said(SOUR, theirs=not theirs, ago=10 * DAY), said(text, theirs=theirs, ago=ago)]
        assert state.needs_follow_up(live, history, NOW) is needed, (text, theirs, ago)
        assert state.needs_follow_up({"archived": True}, history, NOW) is False
    assert state.needs_follow_up(live, [], NOW) is False
    talk = [
        said("a", theirs=False, ago=9 * DAY), said("b", ago=8 * DAY), said("c", ago=7 * DAY),
        said("d", theirs=False, ago=5 * DAY), said("e", theirs=False, ago=4 * DAY), said("f", ago=3 * DAY),
        said("g", ago=2 * DAY),
    ]  # fmt: skip
    assert list(state.response_times(talk)) == [3 * DAY]
    assert [state.count_unanswered(talk[:end]) for end in (0, 1, 2, 3, 4, 6, 7)] == [0, 0, 1, 2, 0, 1, 2]
    assert state.summary("Nora", [], "stable") == "Nothing has been written with Nora yet."
    assert state.summary("Nora", talk, "stable") == (
        "Nora wrote 4 of 7 messages. The mood is neutral and stable. 2 without an answer since 2026-03-29."
    )
    priced = [*talk, said("What is the price?"), said("It is 5", theirs=False)]
    assert state.summary("Nora", priced, "stable") == (
        "Nora wrote 5 of 9 messages, on pricing. The mood is neutral and stable. We wrote last, on 2026-03-31."
    )
    for person, holds in (
        (None, False), ({}, False), ({"total_value": 25_000}, True), ({"total_value": 24_999}, False),
        ({"churn_risk": 60}, True), ({"rating": "hot"}, True), ({"rating": "warm"}, False),
    ):  # fmt: skip
        assert state.is_important(person) is holds, person
    for theirs, ago, status, shown in (
        (False, timedelta(minutes=1), "sent", "delivered"), (False, timedelta(seconds=59), "sent", "sent"),
        (True, DAY, "read", "read"), (False, DAY, "replied", "replied"),
    ):  # fmt: skip
        message = state.shown_message({**said("a", theirs=theirs, ago=ago), "status": status}, NOW)
        assert (message["sender"], message["status"]) == ("lead" if theirs else "agent", shown)


def test_a_stored_conversation_has_the_priority_of_what_came_in_last(
    mvp: CrmClient, flow: CrmClient, stub: StubServer
) -> None:
    conversations = stub.store.collection("tenant_acme", "conversation")

    def completed(id: str) -> tuple[Any, ...]:
        doc = state.with_trend(
            some(conversations.get(id)) | {"priority": "set"}, partial(stub.store.collection, "tenant_acme"), NOW
        )
        assert doc["trend_as_of"] == NOW
        return doc["priority"], doc["sentiment_trend"]

    calm = fresh(mvp, flow, "The documents are attached.").id
    assert completed(calm) == ("low", "stable")
    lead = some(flow.conversations.get(calm).messages[0].sender_id)
    hears(mvp, lead, "Here they are.", "The documents.", "Tomorrow, please.")
    assert completed(calm)[0] == "high", "nobody has answered"
    flow.conversations.messages.create(calm, {"content": "This is urgent, we need it today!", "type": "chat"})
    assert completed(calm)[0] == "high", "what we write is not what came in"
    hears(mvp, lead, "The documents are attached.")
    assert completed(calm)[0] == "low"
    for message in stub.store.collection("tenant_acme", "message").find("conversation_id", calm):
        stored(stub, "message", message["id"], sender_type="user")
    assert completed(calm)[0] == "set", "nothing came in"


def test_what_comes_in_and_goes_out_shows_on_the_feeds(mvp: CrmClient, stub: StubServer) -> None:
    lead = mvp.leads.create({"name": "Nora Quist"}).id
    with opened(stub, CHANNELS) as wire, opened(stub) as feed:
        wire.join(MESSAGES)
        (heard,) = hears(mvp, lead, "Hi")
        received, updated, unread = (frame[3:] for frame in wire.all())
        at = received[1]["message"]["timestamp"]
        id = received[1]["conversationId"]
        assert (received[0], received[1]["message"]) == ("message:received", {
            "id": heard.id, "conversationId": id, "senderId": lead, "senderName": "Nora Quist",
            "senderType": "contact", "content": "Hi", "timestamp": at, "type": "chat", "sentiment": "neutral",
            "confidence": 60, "attachments": [], "status": "delivered",
        })  # fmt: skip
        assert (updated[0], updated[1]["id"], updated[1]["changes"]) == (
            "conversation:updated", id, {"unreadCount": 1, "lastMessageAt": at},
        )  # fmt: skip
        assert (unread[0], unread[1]["conversationId"], unread[1]["count"]) == ("conversation:unread_count", id, 1)
        said = mvp.messages.create({"lead_id": lead, "content": "Yes", "sender": "agent"})
        assert [(frame[3], frame[4].get("count")) for frame in wire.all()] == [
            ("conversation:updated", None), ("conversation:unread_count", 0),
        ]  # fmt: skip
        told = {entry["type"]: entry["data"] for entry in feed.all()}
        for type, made, sender, status in (
            ("message.received", heard, "lead", "delivered"), ("message.sent", said, "agent", "sent"),
        ):  # fmt: skip
            assert told[type] == {
                "id": made.id, "leadId": lead, "sender": sender, "content": made.content, "status": status,
                "timestamp": told[type]["timestamp"],
            }, type  # fmt: skip


def test_which_conversations_a_filter_and_a_search_show_and_in_which_order(
    mvp: CrmClient, flow: CrmClient, stub: StubServer
) -> None:
    records = stub.store.collection("tenant_acme", "conversation")
    for doc in records.all():
        records.remove(doc["id"])
    made = {name: fresh(mvp, flow, f"Hello {name * 4}").id for name in ("a", "b", "c", "d")}
    names = {id: name for name, id in made.items()}
    flow.conversations.messages.create(made["b"], {"content": "See you", "type": "email", "subject": "Zebra"})
    stored(stub, "conversation", made["c"], archived=True, priority="high")
    stored(stub, "conversation", made["d"], priority="high", tags=["vip"], contact_company="Initech")
    stub.clock.advance(2 * 86_400)

    def listed(**given: Any) -> str:
        return "".join(names[one.id] for one in mvp.conversations.list(**given))

    def filtered(name: str) -> str:
        return "".join(sorted(names[one.id] for one in platform.conversations.list(filter=name)))

    platform: Any = flow
    assert listed() == "bdca", "the one with the newest message first"
    for id in made.values():
        lead = some(records.get(id))["lead_id"]
        stored(stub, "lead", lead, converted_contact_id="contact_123")
    for name, shown in (("all", "abcd"), ("unread", "ad"), ("high-priority", "d"), ("follow-up", "ad")):
        assert filtered(name) == shown, name
    stats = flow.messages.stats()
    assert (stats.total, stats.unread, stats.high_priority, stats.needs_follow_up) == (4, 2, 1, 2)
    for search, found in (("zebra", "b"), ("vip", "d"), ("hello cccc", "c"), ("see", "b"), ("nothing", "")):
        shown = "".join(names[one.id] for one in flow.conversations.list(search=search))
        assert shown == found, search
    for id in made.values():
        stored(stub, "conversation", id, last_message_at=None)
    assert listed() == "dcba", "else the newest"
    at = some(records.get(made["a"]))["created_at"]
    for id in made.values():
        stored(stub, "conversation", id, created_at=at)
    assert listed() == "".join(names[id] for id in sorted(names, reverse=True))
