"""Whole answers of the AI services for what is given to them: a text, a history, metrics, and a context."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0)


def test_a_neutral_text_takes_on_a_part_of_its_context(client: CrmClient) -> None:
    for text, context, found in (
        ("It is there", "This is excellent", ("positive", 51, "friendly")),
        ("It is there", "This is terrible", ("negative", 51, "concerned")),
        ("It is there", None, ("neutral", 60, "matter-of-fact")),
        ("It is there", "", ("neutral", 60, "matter-of-fact")),
        ("It is good", "This is terrible", ("positive", 67, "friendly")),
    ):  # fmt: skip
        given: Any = {} if context is None else {"context": context}
        told = client.ai.sentiment(text, **given)
        assert (told.sentiment, told.confidence, told.emotional_tone) == found, (text, context)
    for path, body in (("sentiment", {"text": " "}), ("message-analysis", {"content": " "}), ("query", {"query": " "})):
        assert client.request("POST", f"/ai/{path}", json=body).status == 422, path


def test_a_history_is_read_whatever_its_members_are_called(client: CrmClient) -> None:
    late, call, calm = "Get in touch this week", "Call and settle what went wrong", "Keep in touch as before"
    leaving, meet = (
        "Offer a review with the account's owner before they decide",
        "Introduce yourself and ask what they need",
    )
    lost = "Find out why the deals were lost"
    for given, risk, factors, advice in (
        ({"communication_history": [{"summary": "Fine", "date": "2026-01-14T09:00:00Z"}]}, 15, [], [calm]),
        ({"communication_history": [{"content": "Awful, we want a refund", "timestamp": "2026-01-14T09:00:00Z",
                                     "sentiment": "positive"}]},
         62, ["Negative tone of late", "Talk of leaving: refund"], [call, leaving]),
        ({"communication_history": [{"text": "We cancel", "createdAt": "2025-10-14T09:00:00Z"},
                                    {"body": "Great", "occurredAt": "2025-11-14T09:00:00Z"}]},
         63, ["Last contact 62 days ago", "Talk of leaving: cancel"], [late, leaving]),
        ({"communication_history": [{"body": "Great"}]}, 0, [], [calm]),
        ({"communication_history": [{"body": "Ten", "sentiment": "negative"}]}, 30, ["Negative tone of late"], [call]),
        ({"communication_history": [{"body": "At ten", "subject": "Awful"}]}, 38, ["Negative tone of late"], [call]),
        ({"engagement_metrics": {"openTickets": 0.5, "closedCases": 1.5}}, 44,
         ["Never contacted", "1 open support cases"], [meet, "Have the open support cases looked through"]),
        ({"communication_history": []}, 40, ["Never contacted"], [meet]),
        ({"deal_history": [{"status": "Lost"}]}, 46, ["Never contacted", "1 lost deals"], [meet, lost]),
        ({"deal_history": [{"stage": "closed-lost"}, {"stage": "Closed-Won"}]}, 41, ["Never contacted", "1 lost deals"],
         [meet, lost]),
        ({"deal_history": [{"status": "WON"}]}, 35, ["Never contacted"], [meet]),
        ({"deal_history": [{"status": "open", "stage": "lost"}]}, 35, ["Never contacted"], [meet]),
        ({"deal_history": [{}]}, 35, ["Never contacted"], [meet]),
        ({"engagement_metrics": {"loginRate": 0.1, "openTickets": 2, "other": "x"}}, 60,
         ["Never contacted", "Login rate is low", "2 open support cases"],
         [meet, "Show what they do not use yet", "Have the open support cases looked through"]),
        ({"engagement_metrics": {"loginRate": "0.1", "usage": True, "adoption": False, "score": None, "tickets": True,
                                 "cases": "9", "complaints": [9], "usageRate": "high"}},
         40, ["Never contacted"], [meet]),
        ({"engagement_metrics": {"cases": 9, "complaints": 9, "tickets": 9}, "deal_history": [{"status": "lost"}] * 5},
         100, ["9 open support cases"] * 3 + ["5 lost deals", "Never contacted"],
         ["Have the open support cases looked through", lost, meet]),
    ):  # fmt: skip
        asked: Any = given
        found = client.ai.churn_risk(**asked)
        assert (found.churn_risk, found.risk_factors, found.recommendations) == (risk, factors, advice), given
    wrong = refused(lambda: client.ai.churn_risk(communication_history=[{"body": "x"}, {"date": "soon"}]))
    assert wrong.details["field"] == "communicationHistory.1.date"
    assert refused(lambda: client.ai.churn_risk()).details["field"] == "contactId"


def test_a_context_narrows_what_is_found(client: CrmClient) -> None:
    def found(context: Any) -> list[tuple[str, int]]:
        told = client.ai.generate_insights("contact", "contact_123", context=context)
        return [(one.type, one.confidence) for one in told]

    both = [("risk", 95), ("suggestion", 60)]
    for context, wanted in (
        (None, both), ({}, both), ({"minConfidence": 95}, both[:1]), ({"min_confidence": 96}, []),
        ({"minConfidence": 60}, both), ({"minConfidence": "90"}, both), ({"limit": 0}, []), ({"limit": 1}, both[:1]),
        ({"limit": -1}, both), ({"limit": 5}, both), ({"focus": ""}, both), ({"focus": "risk"}, both[:1]),
        ({"focus": "suggestion", "limit": 1}, both[1:]), ({"focus": "trend"}, []), ({"focus": 1}, both),
    ):  # fmt: skip
        assert found(context) == wanted, context
    error = refused(lambda: client.ai.generate_insights("lead", "lead_123"))
    assert (error.details["field"], error.details["rule"]) == ("entityType", "choice")


def test_what_is_composed_follows_who_wrote_last(client: CrmClient) -> None:
    theirs: Any = {"senderType": "contact", "senderName": "Eve Adams", "content": "Can you send the invoice?"}
    ours: Any = {"sender": "user", "senderName": "Ada", "text": "We will."}
    plain = client.ai.smart_compose([theirs])
    assert plain.suggestions[0].startswith("Hello Eve Adams, thank you for your question about billing.")
    assert client.ai.smart_compose(["Can you send the invoice?"]).model_dump() != plain.model_dump(), "nobody is named"
    assert client.ai.smart_compose([theirs, ours]).model_dump() != plain.model_dump()
    for nothing in ([], [""], [{"content": " "}], ""):
        given: Any = nothing
        error = refused(lambda given=given: client.ai.smart_compose(given))  # type: ignore[misc] # bound now
        assert error.details["field"] == "conversationContext", nothing
    assert client.ai.smart_compose([], draft_content="Thank you for") is not None


def test_a_history_says_who_waits_and_for_how_long(client: CrmClient) -> None:
    theirs, ours = {"senderType": "contact", "content": "At ten"}, {"senderType": "user", "content": "At ten"}
    eve, bob = {**theirs, "senderName": "Eve"}, {"sender_type": "lead", "sender_name": "Bob", "text": "At ten"}
    cases: list[Any] = [
        (None, "low", "Hello, "), ([], "low", "Hello, "), (["At ten"], "low", "Hello, "),
        ([theirs], "medium", "Hello, "),
        ([ours], "low", "Hello, "), ([theirs, ours], "low", "Hello, "), ([ours, eve], "medium", "Hello Eve, "),
        ([theirs, "At ten"], "low", "Hello, "), ([eve, bob, ours], "low", "Hello Bob, "),
        ([bob, eve, {**ours, "senderName": "Ada"}], "low", "Hello Eve, "),
        ([{"sender": "lead", "senderName": 5, "content": "At ten"}], "medium", "Hello, "),
        ([{"sender": "agent", "senderName": "Ada", "content": "At ten"}], "low", "Hello, "),
        ([{"senderName": "Ada", "content": "At ten"}], "low", "Hello, "),
        ([eve, {**bob, "text": " "}], "medium", "Hello Eve, "),
        ([{**theirs, "senderName": ""}, {**eve, "senderType": "user", "sender": "contact"}], "low", "Hello, "),
    ]  # fmt: skip
    for history, urgency, greeting in cases:
        found = client.ai.message_analysis("See you.", conversation_history=history)
        assert found.suggested_response.startswith(f"{greeting}thank"), history
        assert found.urgency_level == urgency, history
    prices: Any = {"senderType": "contact", "content": "What is the price?"}
    for given, topic in (
        ([prices, ours], True), ([ours, prices, {**ours, "content": "A demo?"}], True),
        (["A price?", "A demo?"], False),
        ([{**ours, "content": "A price?"}], True), ("A price?", True),
    ):  # fmt: skip
        context: Any = given
        said = client.ai.smart_compose(context).suggestions
        assert any("your question about pricing" in text for text in said) is topic, given
    for tone, start in (("formal", "Dear Eve,"), ("urgent", "Hello Eve,"), (None, "Thank you for it.")):
        more: Any = {} if tone is None else {"tone": tone}
        helped: Any = [{**prices, "senderName": "Eve"}]
        first = client.ai.smart_compose(helped, draft_content="Thank you for it", **more).suggestions[0]
        assert first.startswith(start), tone


def test_what_is_known_of_both_sides_fills_a_template(client: CrmClient, stub: StubServer) -> None:
    for doc in stub.store.collection("tenant_acme", "template").all():
        stored(stub, "template", doc["id"], category="introduction", active=doc["channel"] == "email",
               content="{{contact_name}}|{{first_name}}|{{sender_name}}|{{our_company}}")  # fmt: skip
    asked: Any = {"senderType": "contact", "content": "Could you tell me more?"}
    grant: Any = {"grant_type": "client_credentials", "client_id": "demo-service", "client_secret": "demo-secret"}
    token = stub.client().auth.token(**grant)
    app = stub.client(dialects="flow", api_key=str(token.access_token), max_retries=0)
    for crm, history, filled in (
        (client, [{**asked, "senderName": "Eve Adams"}], "Eve Adams|Eve|Ada Lindqvist|Acme"),
        (client, [asked], "{{contact_name}}|{{first_name}}|Ada Lindqvist|Acme"),
        (app, [asked], "{{contact_name}}|{{first_name}}|{{sender_name}}|Acme"),
    ):
        assert {one.content for one in crm.ai.smart_compose(history).template_suggestions} == {filled}
