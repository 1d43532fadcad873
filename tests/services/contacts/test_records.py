"""The rules of contacts, as a caller meets them: change the data, see the answer move."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient, InvalidInputError, NotFoundError
from crm_sdk.models.contacts import Contact
from crm_sdk.models.values import Filter
from server_stub import StubServer
from server_stub.services.sentiment import tone, words_of_leaving


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow")


def new(client: CrmClient, name: str = "Zoë Quist", **members: Any) -> Contact:
    return client.contacts.create({"name": name, **members})  # type: ignore[typeddict-item] # members as the test names them


def actions(stub: StubServer) -> list[str]:
    return [entry["action"] for entry in stub.audit()]


# -- create, read, change, delete --------------------------------------------------------------------------------------


def test_what_is_given_is_brought_into_one_form(client: CrmClient, stub: StubServer) -> None:
    made = new(client, "  Zoë   Quist ", email="ZOE@Quist.Example", phone="(212) 555-0199", tags=["A", "b", "a "])
    assert (made.name, made.email, made.phone, made.tags) == (
        "Zoë Quist",
        "zoe@quist.example",
        "+12125550199",
        ["A", "b"],
    )
    assert (made.owner_id, made.version, made.status) == ("user_ada", 1, "active")
    assert actions(stub) == ["contact.created"]
    globex = stub.client(dialects="platform", api_key="globex-admin")
    assert new(globex, phone="030 901820").phone == "+4930901820"


def test_further_addresses_are_checked_each_and_kept_once(client: CrmClient) -> None:
    given = ["a@x.example", "x@-y.example", "B@X.example", "x..y@z.example", "A@x.example"]
    error = refused(lambda: new(client, secondary_emails=given))
    wrong = [(entry.field, entry.rule) for entry in error.fields]
    assert (error.status, wrong) == (422, [(f"secondary_emails.{number}", "format") for number in (1, 3)])
    made = new(client, secondary_emails=given[::2])
    assert made.secondary_emails == ["a@x.example", "b@x.example"]
    assert client.contacts.update(made.id, {"secondary_emails": []}).secondary_emails == []


def test_a_further_address_may_be_that_of_several_but_no_main_one(client: CrmClient) -> None:
    family: Any = {"secondary_emails": ["family@home.example"]}
    one, other = new(client, email="one@home.example", **family), new(client, email="other@home.example", **family)
    assert (
        client.contacts.update(one.id, {"secondary_emails": ["both@home.example", "family@home.example"]}).version == 2
    )
    taken: Any = {"secondary_emails": ["other@home.example"]}
    for call in (
        lambda: new(client, **taken),
        lambda: client.contacts.update(one.id, taken),
        lambda: new(client, email="family@home.example"),
    ):
        assert refused(call).code == "CONTACT_EXISTS"
    client.contacts.delete(one.id)
    (restored,) = client.objects.restore("contact", [one.id]).items
    assert restored.status == "ok"
    (found,) = client.objects.batch_get("contact", ["family@home.example"], match_on="email").items
    assert found.error is not None and found.error.code == "AMBIGUOUS_MATCH"
    assert sorted(found.error.details["ids"]) == sorted([one.id, other.id])


@pytest.mark.parametrize(("dialect", "status"), [("mvp", 422), ("flow", 409), ("platform", 409)])
def test_an_address_belongs_to_one_contact(stub: StubServer, dialect: str, status: int) -> None:
    client = stub.client(dialects=dialect)
    first = new(client, email="zoe@quist.example")
    error = refused(lambda: new(client, email="Zoe@Quist.example"))
    assert (error.code, error.status, error.details["existingId"]) == ("CONTACT_EXISTS", status, first.id)
    stub.client(dialects="platform").contacts.delete(first.id)
    assert new(client, email="zoe@quist.example").id != first.id


def test_a_contact_finds_its_account(client: CrmClient) -> None:
    named = new(client, company="innovation inc")
    assert (named.company, named.account_id) == ("Innovation Inc", client.contacts.get("contact_123").account_id)
    assert new(client, email="someone@unheard-of.example").account_id is None
    by_domain = new(client, email="else@innovation.example")
    assert (by_domain.account_id, by_domain.company) == (named.account_id, "Innovation Inc")
    assert new(client, email="nobody.else@gmail.com").account_id is None
    assert client.contacts.update(named.id, {"company": "Somewhere Else"}).account_id is None


def test_an_update_merges_and_locks(client: CrmClient, stub: StubServer) -> None:
    made = new(client, title="CEO", custom_fields={"a": 1, "b": "x"}, tags=["old"])
    changed = client.contacts.update(made.id, {"custom_fields": {"a": None, "c": 2}, "tags": ["new"], "title": None})
    assert (changed.custom_fields, changed.tags, changed.title, changed.version) == (
        {"b": "x", "c": 2},
        ["new"],
        None,
        2,
    )
    stale = refused(lambda: client.contacts.update(made.id, {"title": "CTO"}, version=1))
    assert (stale.status, stale.code, stale.details["currentVersion"]) == (409, "VERSION_CONFLICT", 2)
    assert client.contacts.update(made.id, {"title": "CTO"}, version=2).title == "CTO"
    (entry,) = [entry for entry in stub.audit()[-1]["changes"] if entry["field"] == "title"]
    assert (entry["before"], entry["after"]) == (None, "CTO")


def test_every_wrong_member_is_named(client: CrmClient) -> None:
    error = refused(lambda: new(client, timezone="Mars/Phobos", email="a..b@x.example"))
    assert {field.field for field in error.fields} == {"email", "timezone"}
    with pytest.raises(InvalidInputError, match="language: must be a language tag"):
        new(client, language="?!")
    assert refused(lambda: new(client, owner_id="user_gina")).code == "REFERENCE_NOT_FOUND"


def test_deleting_leaves_what_others_need(client: CrmClient, stub: StubServer) -> None:
    deals = stub.store.collection("tenant_acme", "deal")
    deal = next(deal for deal in deals if deal["contact_id"])
    client.contacts.delete(deal["contact_id"])
    with pytest.raises(NotFoundError):
        client.contacts.get(deal["contact_id"])
    left = deals.get(deal["id"])
    assert left is not None
    assert (left["contact_id"], left["contact_name"], left["contact_roles"]) == (None, deal["contact_name"], [])


# -- lists -------------------------------------------------------------------------------------------------------------


def test_lists_filter_search_and_sort(stub: StubServer, client: CrmClient) -> None:
    a = new(client, "Zz Alpha", company="Quux", tags=["red", "blue"])
    b = new(client, "Zz Beta", title="Quux wrangler", tags=["Red"])
    mvp = stub.client(dialects="mvp")
    assert [contact.id for contact in mvp.contacts.list(search="quux")] == [a.id]
    assert {contact.id for contact in client.contacts.list(search="QUUX")} == {a.id, b.id}
    assert [contact.id for contact in mvp.contacts.list(tags=["RED", "blue"])] == [a.id]
    names = [contact.name for contact in mvp.contacts.list(search="zz", sort="name", order="desc")]
    assert names == ["Zz Beta", "Zz Alpha"]
    assert client.contacts.list(limit=2).items[0].id == b.id
    assert refused(lambda: client.contacts.list(sort="shoe_size")).status == 422
    flow = stub.client(dialects="flow")
    for word in ("health_score", "total_value", "last_contact"):  # without a direction to choose, the best come first
        best = [value for one in flow.contacts.list(sort=word) if (value := getattr(one, word)) is not None]
        assert best == sorted(best, reverse=True), word


@pytest.mark.parametrize(("name", "member"), [("all", "total"), ("high-value", "high_value"), ("at-risk", "at_risk")])
def test_the_counts_agree_with_the_filters(flow: CrmClient, stub: StubServer, name: str, member: str) -> None:
    before = getattr(flow.contacts.stats(), member)
    assert before == len(list(flow.contacts.list(filter=name))) > 0
    quiet = next(contact for contact in flow.contacts.list() if (contact.churn_risk or 100) < 40)
    stub.client(dialects="platform").contacts.delete(next(iter(flow.contacts.list(filter=name))).id)
    assert getattr(flow.contacts.stats(), member) == before - 1 == len(list(flow.contacts.list(filter=name)))
    assert quiet.id not in {contact.id for contact in flow.contacts.list(filter="at-risk")}


def test_nested_lists_are_filled_by_get_only(flow: CrmClient) -> None:
    (listed,) = [contact for contact in flow.contacts.list() if contact.id == "contact_123"]
    fetched = flow.contacts.get("contact_123")
    assert (listed.communication_history, listed.ai_insights) == ([], [])
    assert [event.type for event in fetched.communication_history] == ["call"]
    assert fetched.ai_insights


def test_a_search_goes_through_the_account_and_custom_fields(client: CrmClient) -> None:
    mine = new(client, company="Innovation Inc", custom_fields={"budget": 900})
    new(client, "Other", custom_fields={"budget": 100})
    industry: Filter = {"field": "account.industry", "op": "is_set"}
    dotted = new(client, "Dotted", custom_fields={"plan.seats": 5, "plan": "x"})
    seats: Filter = {"field": "custom_fields.plan.seats", "op": "eq", "value": 5}
    assert [one.id for one in client.contacts.search({"filter_groups": [{"filters": [seats]}]})] == [dotted.id]
    budget: Filter = {"field": "custom_fields.budget", "op": "starts_with", "value": "9"}
    found = client.contacts.search({"filter_groups": [{"filters": [industry, budget]}]})
    assert [contact.id for contact in found.items] == [mine.id]
    error = refused(
        lambda: client.contacts.search({"filter_groups": [{"filters": [{"field": "nope", "op": "is_set"}]}]})
    )
    assert error.code == "UNKNOWN_FIELD"
    answer = client.request("POST", "/v1/contacts/search", json={"include": ["aiInsights", "nope"]})
    (told,) = answer.json()["errors"]
    message = "there is no 'nope' to include; use communication_history, ai_insights"
    assert (answer.status, told["field"], told["rule"], told["message"]) == (422, "include.1", "choice", message)
    (filled,) = client.contacts.search({"filter_groups": [{"filters": [seats]}], "include": ["ai_insights"]}).items
    assert filled.communication_history == [] and filled.ai_insights


def test_bulk_calls_do_each_item_for_itself_or_none(client: CrmClient) -> None:
    total = client.contacts.list(limit=1).total
    items: list[Any] = [
        {"name": "B1", "email": "b1@bulk.example"},
        {"name": "B2", "email": "B1@bulk.example"},
        {"email": "alice@company.com", "title": "CEO"},
        {"id": "contact_nope", "name": "x"},
    ]
    result = client.contacts.bulk_upsert(items, match_on="email")
    assert [item.error.code if item.error else item.status for item in result.items] == [
        "ok",
        "DUPLICATE_IN_BATCH",
        "ok",
        "NOT_FOUND",
    ]
    assert client.contacts.get("contact_123").title == "CEO"
    assert (
        refused(lambda: client.contacts.bulk_upsert([{"name": "C"}, *items[3:]], atomic=True)).code == "BULK_REJECTED"
    )
    assert client.contacts.list(limit=1).total == (total or 0) + 1
    made = str(result.items[0].id)
    assert [item.status for item in client.contacts.bulk_delete([made, made]).items] == ["ok", "failed"]


# -- health ------------------------------------------------------------------------------------------------------------


def test_what_is_said_moves_mood_health_and_risk(flow: CrmClient, stub: StubServer) -> None:
    made = new(flow)
    now = stub.clock.now()
    bad = flow.contacts.communication.create(
        made.id,
        {"type": "call", "date": now - timedelta(hours=3), "summary": "Furious about the delays, wants to cancel."},
    )
    angry = flow.contacts.get(made.id)
    assert (bad.sentiment, angry.sentiment) == ("negative", "negative")
    assert (angry.health_score or 0) < (made.health_score or 0)
    assert (angry.churn_risk or 0) > (made.churn_risk or 0)
    assert "May be about to leave" in [insight.title for insight in flow.contacts.ai_insights(made.id)]
    flow.contacts.communication.create(
        made.id, {"type": "email", "date": now, "subject": "Re", "summary": "All solved, thank you, we are very happy!"}
    )
    pleased = flow.contacts.get(made.id)
    assert (pleased.health_score or 0) > (angry.health_score or 0)
    assert (pleased.last_contact, [event.type for event in pleased.communication_history]) == (now, ["email", "call"])
    moved = [entry for entry in stub.audit() if entry["action"] == "contact.health_changed"]
    assert moved[-1]["changes"] == [
        {"field": "health_score", "before": angry.health_score, "after": pleased.health_score}
    ]
    platform = stub.client(dialects="platform")
    assert [activity.kind for activity in platform.contacts.activities.list(made.id)] == ["email", "call"]


def test_deals_count_in_the_companys_currency(client: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    made = new(client)
    for stage, value in (("prospect", 20_000), ("closed-won", 10_000), ("closed-lost", 999)):
        client.deals.create(
            {"title": "x", "stage": stage, "value": Decimal(value), "currency": "EUR", "contact_id": made.id}
        )
    changed = client.contacts.update(made.id, {"title": "x"})
    assert (changed.total_deals, changed.open_deals, changed.total_value) == (3, 1, Decimal("32400"))
    assert made.id in {contact.id for contact in flow.contacts.list(filter="high-value")}
    assert [deal.status for deal in client.contacts.deals.list(made.id, status="won")] == ["won"]


def test_a_tone_is_heard_in_three_languages() -> None:
    for text, expected in [
        ("We are very happy with the service", "positive"),
        ("We are not happy with the service", "negative"),
        ("Nice demo, but far too expensive and slow", "negative"),
        ("Wir sind sehr zufrieden", "positive"),
        ("Wir sind nicht zufrieden", "negative"),
        ("Estamos muy contentos, gracias", "positive"),
        ("El cliente está decepcionado", "negative"),
        ("They asked about the contract", "neutral"),
    ]:
        assert tone(text).sentiment == expected, (text, expected)
        assert tone("really great").score > tone("great").score > tone("slightly great").score > 0, (text, expected)
        assert words_of_leaving("Wir wollen kündigen"), (text, expected)
        assert not words_of_leaving("We will never cancel"), (text, expected)


# -- relationships and duplicates --------------------------------------------------------------------------------------


def test_a_relationship_is_seen_from_both_sides(client: CrmClient) -> None:
    a, b, c = (new(client, name) for name in ("Ann", "Bob", "Cy"))
    relate = client.contacts.relationships
    made = relate.create(a.id, {"related_contact_id": b.id, "type": "reports_to"})
    (seen,) = relate.list(b.id)
    assert (seen.id, seen.type, seen.related_contact_name) == (made.id, "manages", "Ann")
    assert (
        refused(lambda: relate.create(b.id, {"related_contact_id": a.id, "type": "manages"})).code
        == "RELATIONSHIP_EXISTS"
    )
    assert (
        refused(lambda: relate.create(a.id, {"related_contact_id": c.id, "type": "reports_to"})).code
        == "RELATIONSHIP_EXISTS"
    )
    relate.create(b.id, {"related_contact_id": c.id, "type": "reports_to"})
    assert (
        refused(lambda: relate.create(a.id, {"related_contact_id": c.id, "type": "manages"})).code
        == "RELATIONSHIP_CYCLE"
    )
    assert (
        refused(lambda: relate.create(a.id, {"related_contact_id": a.id, "type": "spouse"})).code == "SELF_RELATIONSHIP"
    )
    assert relate.update(b.id, made.id, {"type": "parent_of"}).inverse_type == "child_of"
    assert relate.list(a.id).items[0].type == "child_of"
    relate.delete(a.id, made.id)
    assert [left.related_contact_id for left in relate.list(b.id)] == [c.id]


def test_merging_makes_one_of_two(client: CrmClient, stub: StubServer) -> None:
    kept = new(client, "Tess Müller", email="tess@one.example", company="Quux", tags=["a"], title="CEO")
    gone = new(
        client,
        "Tess Mueller",
        email="tess@two.example",
        company="Quux",
        tags=["A", "b"],
        phone="+12125550123",
        title="x",
    )
    stub.client(dialects="flow").contacts.communication.create(
        gone.id, {"type": "note", "date": stub.clock.now(), "summary": "Likes tea"}
    )
    found = client.contacts.deduplicate(contact_ids=[kept.id, gone.id], threshold=90, survivor="oldest")
    assert [(group.survivor_id, group.contact_ids) for group in found.groups] == [(kept.id, [kept.id, gone.id])]
    assert client.contacts.get(gone.id).id == gone.id
    (merged,) = client.contacts.deduplicate(mode="merge", groups=found.groups).merged
    survivor = client.contacts.get(gone.id)
    assert (survivor.id, survivor.merged_ids, merged.moved.activities) == (kept.id, [gone.id], 1)
    assert (survivor.title, survivor.phone, survivor.tags) == ("CEO", "+12125550123", ["a", "b"])
    assert survivor.secondary_emails == ["tess@two.example"]
    for call in (lambda: client.contacts.update(gone.id, {"title": "x"}), lambda: client.contacts.delete(gone.id)):
        error = refused(call)
        assert (error.code, error.details["survivorId"]) == ("RECORD_MERGED", kept.id)
    assert refused(lambda: new(client, email="tess@two.example")).code == "CONTACT_EXISTS"
