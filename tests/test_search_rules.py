"""The rules of the search and of questions: what is found follows the data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient, ValidationError
from crm_sdk.models.ai import QueryAnswer
from crm_sdk.models.search import SearchResults
from server_stub import StubServer
from server_stub.document import Document


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", max_retries=0)


def put(stub: StubServer, collection: str, **members: Any) -> str:
    now = stub.clock.now()
    doc = Document(members, id=stub.store.new_id("test_"), created_at=now, updated_at=now, version=1, tags=[])
    return str(stub.store.collection("tenant_acme", collection).put(doc)["id"])


def found(results: SearchResults) -> dict[str, list[str]]:
    kinds = ("contacts", "deals", "messages", "events")
    return {kind: [record.id for record in getattr(results, kind)] for kind in kinds}


@pytest.fixture
def zanzibar(client: CrmClient, stub: StubServer) -> dict[str, str]:
    """Put one record of each kind that has to do with Zanzibar Spices."""
    contact = client.contacts.create({"name": "Zoë Zimt", "company": "Zanzibar Spices"}).id
    now = stub.clock.now()
    event = {"kind": "event", "title": "Tasting at Zanzibar Spices", "type": "meeting", "attendees": []}
    conversation = put(stub, "conversation", contact_id=contact)
    message = {"content": "Hello", "conversation_id": conversation, "timestamp": now, "status": "sent"}
    deal = {"title": "Pepper", "company": "Zanzibar Spices", "stage": "prospect", "status": "open", "value": 5}
    return {
        "contacts": contact,
        "deals": put(stub, "deal", **deal),
        "messages": put(stub, "message", **message),
        "events": put(stub, "activity", **event, start_time=now, end_time=now + timedelta(hours=1)),
    }


@pytest.mark.parametrize("q", ["zanzibar", "SPICES zanzibar"])
def test_every_kind_is_found(client: CrmClient, zanzibar: dict[str, str], q: str) -> None:
    assert found(client.search.query(q)) == {kind: [id] for kind, id in zanzibar.items()}
    assert found(client.search.query(q, type="all")) == {kind: [id] for kind, id in zanzibar.items()}


@pytest.mark.parametrize("kind", ["contacts", "deals", "messages", "events"])
def test_one_kind_can_be_asked_for(client: CrmClient, zanzibar: dict[str, str], kind: str) -> None:
    expected = {each: [id] if each == kind else [] for each, id in zanzibar.items()}
    assert found(client.search.query("zanzibar", type=kind)) == expected


def test_all_words_must_occur_and_names_come_first(client: CrmClient, stub: StubServer, zanzibar: Any) -> None:
    assert found(client.search.query("zanzibar nonsense")) == {kind: [] for kind in zanzibar}
    named = client.contacts.create({"name": "Spices Anna"}).id
    assert found(client.search.query("spices"))["contacts"] == [named, zanzibar["contacts"]]
    client.contacts.delete(named)
    assert found(client.search.query("spices"))["contacts"] == [zanzibar["contacts"]]
    assert not any(found(stub.client(dialects="flow", api_key="globex-admin").search.query("zanzibar")).values())


def test_what_cannot_be_searched_for_is_refused(client: CrmClient) -> None:
    with pytest.raises(ValidationError) as short:
        client.search.query(" z ")
    assert short.value.code == "QUERY_TOO_SHORT"
    with pytest.raises(ValidationError) as kind:
        client.search.query("zanzibar", type="leads")
    assert kind.value.fields[0].rule == "choice"


# -- questions ---------------------------------------------------------------------------------------------------------


def asked(client: CrmClient, question: str) -> QueryAnswer:
    return client.ai.query(question)


@pytest.mark.parametrize(
    ("question", "intent", "filters"),
    [
        ("show me deals about to close", "list_deals", {"filter": "closing-soon"}),
        ("Which deals are at risk?", "list_deals", {"filter": "at-risk"}),
        ("hot deals at Innovation Inc", "list_deals", {"filter": "hot", "search": "Innovation Inc"}),
        ("contacts at risk in Berlin", "list_contacts", {"filter": "at-risk", "search": "Berlin"}),
        ("our most valuable customers", "list_contacts", {"filter": "high-value"}),
        ("who is Alice Johnson?", "list_contacts", {"search": "Alice Johnson"}),
        ("unread messages from Acme", "list_messages", {"filter": "unread", "search": "Acme"}),
        ("urgent emails", "list_messages", {"filter": "high-priority"}),
        ("events this week", "list_events", {"filter": "this-week"}),
        ("meetings with Alice Johnson", "search", {"q": "Alice Johnson", "type": "events"}),
        ("Innovation Inc", "search", {"q": "Innovation Inc"}),
    ],
)
def test_a_question_becomes_filters(client: CrmClient, question: str, intent: str, filters: dict[str, str]) -> None:
    answer = asked(client, question)
    assert (answer.intent, answer.filters) == (intent, filters)
    assert all(f"{name}=" in answer.suggested_route for name in filters)


def test_a_time_is_a_span_in_the_users_zone(client: CrmClient) -> None:
    answer = asked(client, "meetings this week")
    start, end = (datetime.fromisoformat(answer.filters[name]) for name in ("start", "end"))
    assert answer.filters["filter"] == "meetings"
    assert (start.isoformat(), answer.entities["period"]) == ("2026-01-12T05:00:00+00:00", "this week")  # New York
    assert timedelta(days=6) < end - start < timedelta(days=7)


def test_names_are_those_of_the_data(client: CrmClient, zanzibar: Any) -> None:
    assert asked(client, "contacts at Zanzibar Spices").entities == {"company": "Zanzibar Spices"}
    assert asked(client, "deals with zoe zimt").entities == {"contact": "Zoë Zimt"}
    assert asked(client, "messages from Nowhere Ltd").entities == {"name": "Nowhere Ltd"}
    with pytest.raises(ValidationError):
        asked(client, "  ")


def test_the_filters_give_the_right_contacts(client: CrmClient, stub: StubServer) -> None:
    platform = stub.client(dialects="platform")
    for city, summary in (
        ("Berlin", "I cancel, we go to a competitor"),
        ("Berlin", "Great, thank you"),
        ("Ulm", "I cancel, bad"),
    ):
        made = platform.contacts.create({"name": f"X {summary[:4]}", "address": {"city": city}})
        client.contacts.communication.create(
            made.id, {"type": "call", "date": stub.clock.now() - timedelta(days=60), "summary": summary}
        )
    answer = asked(client, "contacts at risk in Berlin")
    chosen = list(client.contacts.list(**answer.filters))
    assert "X I ca" in {contact.name for contact in chosen}
    assert all((contact.churn_risk or 0) >= 60 for contact in chosen)
    cities = {platform.contacts.get(contact.id).address for contact in chosen}
    assert {address.city for address in cities if address is not None} == {"Berlin"}


def test_a_provoked_failure_is_the_documented_one(client: CrmClient, stub: StubServer) -> None:
    stub.faults.add("status", status=500, code="AI_SERVICE_ERROR", operation="ai.query")
    with pytest.raises(ApiError) as caught:
        asked(client, "hot deals")
    assert (caught.value.status, caught.value.code) == (500, "AI_SERVICE_ERROR")


def test_questions_are_limited_to_twenty_a_minute(stub: StubServer) -> None:
    stub.enforce_limits = True
    client = stub.client(dialects="flow", max_retries=0)
    for _ in range(20):
        asked(client, "hot deals")
    with pytest.raises(ApiError) as caught:
        client.ai.churn_risk(contact_id="contact_123")
    assert caught.value.status == 429
    assert client.notifications.unread_count().count >= 0  # counted in another class
    stub.clock.advance(60)
    asked(client, "hot deals")
