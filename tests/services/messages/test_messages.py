"""The rules of conversations and messages, as a caller meets them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conversing import fresh, hears

from crm_sdk import (
    CrmClient,
    InvalidInputError,
    NotFoundError,
    PermissionDeniedError,
    ValidationError,
)
from server_stub import StubServer


def events(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit()]


# -- both documents --------------------------------------------------------------------------------------------------


def test_the_last_message_is_read_from_either_document(mvp: CrmClient, flow: CrmClient) -> None:
    short = next(one for one in mvp.conversations.list() if one.id == "conv_123")
    assert short.last_message is not None
    assert (short.last_message.content, short.last_message.sender) == ("Thanks for the demo!", "lead")
    assert (short.lead_name, short.unread_count, short.status) == ("John Smith", 2, "active")
    whole = flow.conversations.get("conv_123")
    assert whole.last_message is None
    assert whole.last_message_at == short.last_message_at == short.last_message.timestamp
    assert [message.id for message in whole.messages] == ["msg_123", "msg_124", "msg_125", "msg_126"]
    assert [(m.id, m.sender, m.status) for m in mvp.messages.list("lead_123")][:2] == [
        ("msg_123", "lead", "delivered"),
        ("msg_124", "agent", "delivered"),
    ]


def test_each_document_lists_those_it_knows_newest_first(mvp: CrmClient, flow: CrmClient) -> None:
    leads, contacts = list(mvp.conversations.list()), list(flow.conversations.list())
    assert len({one.id for one in (*leads, *contacts)}) == 41
    assert all(one.lead_id for one in leads)
    assert all(one.contact_id and one.messages == [] for one in contacts)
    times = [one.last_message_at for one in contacts if one.last_message_at]
    assert times == sorted(times, reverse=True)


def test_what_comes_with_a_message_is_described(flow: CrmClient) -> None:
    messages = [message for one in flow.conversations.list() for message in flow.conversations.get(one.id).messages]
    enclosed = [file for message in messages for file in message.attachments]
    assert 0 < len(enclosed) < len(messages)
    assert len({file.id for file in enclosed}) == len(enclosed)
    assert all(file.name.endswith(".pdf") and file.size > 0 and file.id in file.url for file in enclosed)


def test_a_converted_leads_conversation_is_the_contacts(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    conversation = fresh(mvp, flow, "Hello, I have a question about pricing.")
    assert conversation.id not in {one.id for one in flow.conversations.list()}
    lead_id = conversation.messages[0].sender_id
    assert lead_id is not None
    result = stub.client(dialects="platform").leads.convert(lead_id)
    found = next(one for one in flow.conversations.list() if one.id == conversation.id)
    assert found.contact_id == result.contact.id


# -- messages come and go --------------------------------------------------------------------------------------------


def test_what_comes_in_is_unread_until_somebody_answers(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    conversation = fresh(mvp, flow, "Hello?", "Are you there?")
    assert flow.conversations.get(conversation.id).unread_count == conversation.unread_count == 2
    answer = flow.conversations.messages.create(
        conversation.id, {"content": "Yes, happy to help!", "type": "email", "subject": "Here I am"}
    )
    assert (answer.sender_type, answer.subject, answer.status, answer.sentiment) == (
        "user",
        "Here I am",
        "sent",
        "positive",
    )
    after = flow.conversations.get(conversation.id)
    assert after.unread_count == 0
    assert [message.status for message in after.messages] == ["read", "replied", "sent"]
    stub.clock.advance(60)
    assert flow.conversations.get(conversation.id).messages[-1].status == "delivered"
    assert [event for event in events(stub) if event.startswith(("message.", "conversation."))] == [
        *["message.received", "conversation.updated"] * 2,
        *["message.sent", "conversation.updated"],
    ]


def test_a_lead_knows_when_it_was_heard_and_answered(mvp: CrmClient, stub: StubServer) -> None:
    platform = stub.client(dialects="platform")
    lead = mvp.leads.create({"name": "Nora Quist"})
    (heard,) = hears(mvp, lead.id, "Hello")
    after = platform.leads.get(lead.id)
    assert (after.last_activity_at, after.first_response_at) == (heard.timestamp, None)
    stub.clock.advance(600)
    first = mvp.messages.create({"lead_id": lead.id, "content": "Welcome"})
    stub.clock.advance(600)
    second = mvp.messages.create({"lead_id": lead.id, "content": "One more thing", "sender": "agent"})
    after = platform.leads.get(lead.id)
    assert (after.last_activity_at, after.first_response_at) == (second.timestamp, first.timestamp)


def test_what_cannot_be_sent_is_refused(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    with pytest.raises(ValidationError) as caught:
        mvp.messages.create({"lead_id": "lead_nope", "content": "x"})
    assert caught.value.code == "REFERENCE_NOT_FOUND"
    with pytest.raises(InvalidInputError):
        mvp.messages.create({"lead_id": "lead_123", "content": "  "})
    with pytest.raises(NotFoundError):
        mvp.messages.list("lead_nope")
    with pytest.raises(ValidationError) as caught:
        flow.conversations.messages.create("conv_123", {"content": "x" * 1_601, "type": "sms"})
    assert caught.value.code == "CONTENT_TOO_LONG"
    with pytest.raises(NotFoundError):
        stub.client(dialects="flow", api_key="globex-admin").conversations.get("conv_123")


def test_sales_writes_with_its_own_only(stub: StubServer) -> None:
    sales = stub.client(dialects="mvp,flow", api_key="acme-sales")
    platform = stub.client(dialects="platform")
    platform.leads.update("lead_123", {"owner_id": "user_ada"})
    for write in (
        lambda: sales.conversations.messages.create("conv_123", {"content": "x", "type": "chat"}),
        lambda: sales.conversations.archive("conv_123"),
        lambda: sales.messages.create({"lead_id": "lead_123", "content": "x"}),
    ):
        with pytest.raises(PermissionDeniedError):
            write()
    platform.leads.update("lead_123", {"owner_id": "user_sam"})
    assert sales.conversations.archive("conv_123").archived is True


def test_what_is_written_counts_for_the_contact(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    platform = stub.client(dialects="platform")
    conversation = fresh(mvp, flow, "Hello, I have a question about pricing.")
    lead_id = conversation.messages[0].sender_id or ""
    contact_id = platform.leads.convert(lead_id).contact.id
    first = flow.contacts.get(contact_id)
    assert first.last_contact == conversation.messages[0].timestamp
    assert [(entry.type, entry.summary) for entry in first.communication_history] == [
        ("email", "Hello, I have a question about pricing.")
    ]
    stub.clock.advance(3 * 86_400)
    (bad,) = hears(mvp, lead_id, "Terrible. We are angry and will cancel the contract.")
    angry = flow.contacts.get(contact_id)
    assert angry.last_contact == bad.timestamp
    assert angry.sentiment == "negative"
    assert (angry.health_score or 0) < (first.health_score or 0)
    assert (angry.churn_risk or 0) > (first.churn_risk or 0)
    titles = {insight.title for insight in flow.contacts.ai_insights(contact_id)}
    assert {"May be about to leave", "The last conversation went badly"} <= titles
    assert flow.ai.churn_risk(contact_id=contact_id).churn_risk == angry.churn_risk
    sorry = "We are sorry, this was terrible, awful and bad."
    ours = flow.conversations.messages.create(conversation.id, {"content": sorry, "type": "chat"})
    after = flow.contacts.get(contact_id)
    assert after.last_contact == ours.timestamp
    assert (after.churn_risk, after.sentiment) == (angry.churn_risk, "negative")  # what we write is no mood of theirs
    prepared = flow.ai.meeting_preparation("call", contact_id=contact_id)
    assert any("We are angry" in text for text in prepared.recent_interactions)
    assert [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == contact_id][-1] == (
        "contact.health_changed"
    )


# -- mood, priority, archive, tags -----------------------------------------------------------------------------------


def test_the_mood_follows_what_came_in(mvp: CrmClient, flow: CrmClient) -> None:
    good = "Thank you, this is excellent and we are happy."
    bad = "This is terrible, we are disappointed and angry."
    worse = fresh(mvp, flow, good, good, bad, bad, bad)
    assert (worse.overall_sentiment, worse.sentiment_trend) == ("negative", "declining")
    better = fresh(mvp, flow, bad, bad, good, good, good)
    assert (better.overall_sentiment, better.sentiment_trend) == ("positive", "improving")
    assert [message.sentiment for message in better.messages[1:3]] == ["negative", "positive"]
    assert (better.messages[0].confidence or 0) > 80
    assert "positive and improving" in (better.ai_summary or "")


def test_priority_comes_from_urgency_and_sender(mvp: CrmClient, flow: CrmClient) -> None:
    calm = fresh(mvp, flow, "The documents are attached.")
    assert calm.priority == "low"
    lead_id = calm.messages[0].sender_id or ""
    hears(mvp, lead_id, "Here they are.", "The documents.", "Tomorrow, please.")  # nobody answers
    assert flow.conversations.get(calm.id).priority == "high"
    assert flow.conversations.set_priority(calm.id, "low").priority == "low"
    flow.conversations.messages.create(calm.id, {"content": "Got them.", "type": "chat"})
    hears(mvp, lead_id, "Could you confirm soon?")
    assert flow.conversations.get(calm.id).priority == "low"  # set by hand
    hears(mvp, lead_id, "This is urgent, we need it today!")
    assert flow.conversations.get(calm.id).priority == "high"
    refused = flow.request("PATCH", f"/api/conversations/{calm.id}/priority", json={"priority": "extreme"})
    assert refused.status == 422


def test_an_archived_conversation_comes_back_with_a_message(mvp: CrmClient, flow: CrmClient) -> None:
    assert flow.conversations.archive("conv_123").archived is True
    assert next(one for one in mvp.conversations.list() if one.id == "conv_123").status == "archived"
    assert flow.conversations.archive("conv_123", archived=False).archived is False
    flow.conversations.archive("conv_123")
    hears(mvp, "lead_123", "Hello again")
    assert flow.conversations.get("conv_123").archived is False


def test_a_tag_is_there_once(flow: CrmClient, stub: StubServer) -> None:
    assert flow.conversations.tags.add("conv_123", " Renewal ").tags == ["Renewal"]
    before = len(stub.audit())
    assert flow.conversations.tags.add("conv_123", "renewal").tags == ["Renewal"]
    assert len(stub.audit()) == before
    with pytest.raises(InvalidInputError):
        flow.conversations.tags.add("conv_123", " ")


# -- filters and figures ---------------------------------------------------------------------------------------------


def test_the_figures_are_those_of_the_filters(flow: CrmClient, stub: StubServer) -> None:
    stats = flow.messages.stats()
    for name, count in (
        ("all", stats.total),
        ("unread", stats.unread),
        ("high-priority", stats.high_priority),
        ("follow-up", stats.needs_follow_up),
    ):
        assert len(list(flow.conversations.list(filter=name))) == count > 0
    unread = next(iter(flow.conversations.list(filter="unread")))
    flow.conversations.messages.create(unread.id, {"content": "Answered.", "type": "chat"})
    after = flow.messages.stats()
    assert after.unread == stats.unread - 1
    assert after.average_response_time != stats.average_response_time
    stub.clock.advance(timedelta(days=2).total_seconds())
    assert flow.messages.stats().needs_follow_up >= after.needs_follow_up
    assert flow.messages.stats() != stub.client(dialects="flow", api_key="globex-admin").messages.stats()


def test_search_looks_in_names_companies_tags_and_texts(flow: CrmClient) -> None:
    some = next(iter(flow.conversations.list()))
    assert some.id in {one.id for one in flow.conversations.list(search=(some.contact_name or "").upper())}
    flow.conversations.tags.add(some.id, "zebra")
    assert [one.id for one in flow.conversations.list(search="zebra")] == [some.id]
    flow.conversations.messages.create(some.id, {"content": "About the okapi", "type": "chat"})
    assert [one.id for one in flow.conversations.list(search="okapi")] == [some.id]


def test_the_moods_add_up_to_a_hundred_and_move(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    before = flow.messages.sentiment_overview()
    assert before.positive + before.neutral + before.negative == 100
    conversation = fresh(mvp, flow, *["This is a terrible, unacceptable disaster."] * 30)
    stub.client(dialects="platform").leads.convert(conversation.messages[0].sender_id or "")
    after = flow.messages.sentiment_overview()
    assert after.positive + after.neutral + after.negative == 100
    assert after.negative > before.negative
