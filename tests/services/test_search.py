"""The rules of the search and of questions: what is found follows the data."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from crm_sdk import ApiError, CrmClient, InvalidInputError, ValidationError
from crm_sdk.models.ai import QueryAnswer
from crm_sdk.models.search import SearchResults
from server_stub import StubServer
from server_stub.data.document import Document


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
    message |= {"sender_type": "contact"}
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


def test_a_question_becomes_filters(client: CrmClient) -> None:
    cases: list[Any] = [
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
        ("deals in negotiation", "list_deals", {"search": "negotiation"}),
        ("overdue deals", "list_deals", {"filter": "at-risk"}),
        ("deals closing in March", "list_deals", {}),  # the filter shows those of the next days only
        ("emails I haven't answered", "list_messages", {"filter": "follow-up"}),
        ("who haven't we talked to lately?", "list_contacts", {"filter": "at-risk"}),
        ("customers about to leave", "list_contacts", {"filter": "at-risk"}),
        ("follow-ups", "list_events", {"filter": "follow-ups"}),
        ("zeig mir gefährdete Kunden in Berlin", "list_contacts", {"filter": "at-risk", "search": "Berlin"}),
        ("mensajes sin leer", "list_messages", {"filter": "unread"}),
    ]
    for question, intent, filters in cases:
        answer = asked(client, question)
        assert (answer.intent, answer.filters) == (intent, filters), question
        assert all(f"{name}=" in answer.suggested_route for name in filters), question


def test_a_time_is_a_span_in_the_users_zone(client: CrmClient) -> None:
    answer = asked(client, "meetings this week")
    start, end = (datetime.fromisoformat(answer.filters[name]) for name in ("start", "end"))
    assert answer.filters["filter"] == "meetings"
    assert (start.isoformat(), answer.entities["period"]) == ("2026-01-12T05:00:00+00:00", "this week")  # New York
    assert timedelta(days=6) < end - start < timedelta(days=7)


def test_amounts_counts_and_silence_are_understood(client: CrmClient) -> None:
    cases: list[Any] = [
        ("deals over 10k", "list_deals", {"min_value": 10_000}, {}),
        ("deals worth more than $50,000", "list_deals", {"min_value": 50_000}, {}),
        ("deals over 1.5 million", "list_deals", {"min_value": 1_500_000}, {}),
        ("deals under 5,000", "list_deals", {"max_value": 5_000}, {}),
        ("deals between 5 and 20k", "list_deals", {"min_value": 5_000, "max_value": 20_000}, {}),
        ("Geschäfte über 10.000 €", "list_deals", {"min_value": 10_000}, {}),
        ("negocios de más de 50 mil", "list_deals", {"min_value": 50_000}, {}),
        ("hot deals that are more than 30 days old", "list_deals", {"filter": "hot"}, {}),
        ("Geschäfte ab 5. März", "list_deals", {}, {}),
        ("how many leads do we have?", "list_leads", {}, {"measure": "count"}),
        ("wie viele Kontakte haben wir?", "list_contacts", {}, {"measure": "count"}),
        ("¿cuántos negocios hay?", "list_deals", {}, {"measure": "count"}),
        ("qualified leads", "list_leads", {"status": "qualified"}, {}),
        ("contacts with no activity for two weeks", "list_contacts", {"filter": "at-risk"}, {"inactive_days": 14}),
        ("Kunden ohne Kontakt seit 3 Monaten", "list_contacts", {"filter": "at-risk"}, {"inactive_days": 90}),
    ]
    for question, intent, filters, entities in cases:
        answer = asked(client, question)
        assert (answer.intent, answer.filters) == (intent, filters), question
        assert answer.entities.items() >= entities.items(), question


def test_days_and_their_parts_are_understood(client: CrmClient) -> None:
    cases: list[Any] = [
        ("meetings on Friday afternoon", "2026-01-16T17:00", 6),
        ("meetings tomorrow morning", "2026-01-16T11:00", 6),
        ("Termine am Freitag", "2026-01-16T05:00", 24),
        ("Termine nächsten Dienstag Nachmittag", "2026-01-20T17:00", 6),
        ("reuniones el viernes por la tarde", "2026-01-16T17:00", 6),
        ("meetings on 5 March", "2026-03-05T05:00", 24),
        ("Termine am 5. März", "2026-03-05T05:00", 24),
        ("reuniones el 5 de marzo", "2026-03-05T05:00", 24),
        ("Termine morgen", "2026-01-16T05:00", 24),
    ]
    for question, start, hours in cases:
        answer = asked(client, question)
        begin, end = (datetime.fromisoformat(answer.filters[name]) for name in ("start", "end"))
        assert begin.isoformat().startswith(start), question
        assert round((end - begin).total_seconds() / 3_600) == hours, question


def test_an_amount_chooses_deals(stub: StubServer) -> None:
    client = stub.client()
    chosen = list(client.deals.list(**client.ai.query("deals over 50k").filters))
    assert chosen and all((deal.value or 0) >= 50_000 for deal in chosen)


def test_names_are_those_of_the_data(client: CrmClient, zanzibar: Any) -> None:
    assert asked(client, "contacts at Zanzibar Spices").entities == {"company": "Zanzibar Spices"}
    assert asked(client, "deals with zoe zimt").entities == {"contact": "Zoë Zimt"}
    assert asked(client, "messages from Nowhere Ltd").entities == {"name": "Nowhere Ltd"}
    with pytest.raises(InvalidInputError):
        asked(client, "  ")


@pytest.mark.parametrize(("name", "question", "known"), [
    ("Kim", "meet kim", True), ("Li", "meet li", False), ("Bo Y", "notes on bo y", True),
    ("Kim", "meet kimberly", False),
])  # fmt: skip
def test_a_name_of_two_letters_may_be_any_word(client: CrmClient, name: str, question: str, known: bool) -> None:
    client.contacts.create({"name": name})
    assert asked(client, question).entities == ({"contact": name} if known else {})


def test_a_time_is_no_name(client: CrmClient) -> None:
    cases: list[Any] = ["2026", "2025", "Q3", "q1", "March", "Monday", "monday", "15 January", "last week"]
    for when in cases:
        answer = asked(client, f"deals from {when}")
        assert answer.intent == "list_deals" and not {"search", "name"} & {*answer.filters, *answer.entities}, when


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


def test_the_filters_give_the_right_deals(client: CrmClient, stub: StubServer) -> None:
    today = stub.clock.now().date()

    def ids(question: str) -> set[str]:
        answer = asked(client, question)
        assert answer.intent == "list_deals"
        return {deal.id for deal in client.deals.list(**answer.filters)}

    before = {question: ids(question) for question in ("show me deals about to close", "deals in negotiation")}
    soon = client.deals.create({"title": "A", "expected_close_date": today + timedelta(days=5), "stage": "proposal"}).id
    later = client.deals.create(
        {"title": "B", "expected_close_date": today + timedelta(days=80), "stage": "negotiation"}
    ).id
    assert ids("show me deals about to close") - before["show me deals about to close"] == {soon}
    assert ids("deals in negotiation") - before["deals in negotiation"] == {later}
    late = client.deals.update(later, {"expected_close_date": today - timedelta(days=1)}).id
    assert late in ids("overdue deals") and soon not in ids("overdue deals")
    contact = client.contacts.create({"name": "Zoë Zimt", "company": "Zanzibar Spices"}).id
    spice = client.deals.create({"title": "Pepper", "contact_id": contact, "expected_close_date": today}).id
    assert ids("deals with Zanzibar Spices") == ids("deals with Zoë Zimt closing this month") == {spice}
    client.deals.move_stage(spice, "closed-won")
    assert spice in ids("deals I won") and ids("deals with Zoë Zimt closing this month") == set()


@pytest.mark.thorough
def test_the_filters_give_the_right_conversations(client: CrmClient, stub: StubServer) -> None:
    both = stub.client(dialects="mvp,platform")
    talks: dict[str, str] = {}
    for name, company in (("Ada Pepper", "Zanzibar Spices"), ("Ben Salt", "Zanzibar Spices"), ("Cy Mint", "Ulm Teas")):
        lead = both.leads.create({"name": name, "company": company}).id
        both.messages.create({"lead_id": lead, "content": "Hello", "sender": "lead"})
        talks[name] = next(one.id for one in both.conversations.list() if one.lead_id == lead)
        both.leads.convert(lead)

    def ids(question: str) -> set[str]:
        answer = asked(client, question)
        assert answer.intent == "list_messages"
        return {one.id for one in client.conversations.list(**answer.filters)}

    assert ids("unread messages from Zanzibar Spices") == {talks["Ada Pepper"], talks["Ben Salt"]}
    client.conversations.messages.create(talks["Ben Salt"], {"content": "Welcome", "type": "chat"})
    assert ids("unread messages from Zanzibar Spices") == {talks["Ada Pepper"]}
    assert ids("conversations with Ben Salt") == {talks["Ben Salt"]}
    client.conversations.set_priority(talks["Cy Mint"], "high")
    assert ids("urgent messages from Ulm Teas") == {talks["Cy Mint"]}
    assert talks["Ada Pepper"] not in ids("emails I haven't answered")
    stub.clock.advance(2 * 86_400)
    assert talks["Ada Pepper"] in ids("emails I haven't answered")
    assert talks["Ben Salt"] not in ids("emails I haven't answered")


def test_the_filters_give_the_right_events(client: CrmClient, stub: StubServer) -> None:
    now = stub.clock.now()  # a Thursday
    made: dict[str, str] = {}
    for title, type, days in (("Now", "meeting", 1), ("Call", "call", 1), ("Next", "meeting", 7), ("Mon", "demo", 4)):
        start = now + timedelta(days=days)
        made[title] = client.calendar.events.create(
            {"title": title, "type": type, "start_time": start, "end_time": start + timedelta(hours=1)}
        ).id

    def titles(question: str) -> set[str]:
        answer = asked(client, question)
        assert answer.intent == "list_events"
        found = {event.id for event in client.calendar.events.list(**answer.filters)}
        return {title for title, id in made.items() if id in found}

    assert titles("meetings this week") == {"Now"}
    assert titles("events this week") == titles("what is on my calendar tomorrow?") == {"Now", "Call"}
    assert titles("meetings next week") == {"Next"}
    assert titles("demos on Monday") == {"Mon"}
    client.calendar.events.update(made["Call"], {"priority": "high"})
    assert titles("important calls this week") == {"Call"}
    users = stub.store.collection("tenant_acme", "user")
    ada = users.get("user_ada") or Document()
    users.put(ada | {"preferences": {**ada["preferences"], "timezone": "Asia/Tokyo", "week_start": 6}})
    answer = asked(client, "meetings this week")  # from Sunday, in Tokyo
    assert answer.filters["start"] == "2026-01-10T15:00:00Z"


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
