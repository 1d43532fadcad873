"""Enrichment of leads: what is filled in, from where, and whose."""

from __future__ import annotations

from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


def test_enrichment_fills_what_is_empty_and_scores_again(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de", "phone": "+493090182000"})
    named = client.leads.create({"name": "Bo Ek", "email": "bo.ek@initech.de", "company": "Kept"})
    job = client.leads.enrich([lead.id, named.id, "lead_none"], fields=["first_name", "company", "address.country"])
    stub.clock.advance(5)
    full = client.leads.get(lead.id)
    assert (full.first_name, full.last_name, full.company) == ("Ann", None, "Initech")
    assert some(full.address).country == "DE"
    assert (full.score or 0) > (lead.score or 0)
    assert client.leads.get(named.id).company == "Kept"
    state = some(stub.store.collection("tenant_acme", "job").get(job.id))
    assert [record["status"] for record in state["result"]["records"]] == ["enriched", "enriched", "failed"]
    assert (state["counts"]["updated"], state["errors"][0]["code"]) == (2, "NOT_FOUND")
    assert refused(lambda: client.leads.enrich([lead.id], fields=["shoe_size"])).code == "UNKNOWN_FIELD"


def changes_of(client: CrmClient, *lead_ids: str, **how: Any) -> list[list[tuple[str, Any, bool]]]:
    result = client.leads.enrich(lead_ids, **how).wait()
    return [[(change.field, change.after, change.applied) for change in record.changes] for record in result.records]


def test_of_several_accounts_the_one_of_the_latest_activity_tells(stub: StubServer, client: CrmClient) -> None:
    older = client.accounts.create({"name": "Twin Ltd", "industry": "Banking"}).id
    stub.clock.advance(60)
    newer = client.accounts.create({"name": "Twin Ltd", "industry": "Software"}).id
    first, second = (client.leads.create({"name": name, "company": "Twin Ltd"}).id for name in ("A", "B"))
    assert ("account_id", newer, True) in changes_of(client, first)[0]
    stored(stub, "account", older, last_activity_at=stub.clock.now())
    assert ("account_id", older, True) in changes_of(client, second, fields=["account_id"])[0]


def test_only_empty_members_are_filled_unless_all_are_to_be(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de", "company": "Kept"})
    fields = ["first_name", "company"]
    assert changes_of(client, lead.id, fields=fields) == [[("first_name", "Ann", True), ("company", "Initech", False)]]
    version = client.leads.get(lead.id).version
    assert changes_of(client, lead.id, fields=fields) == [[("company", "Initech", False)]]
    assert client.leads.get(lead.id).version == version
    assert changes_of(client, lead.id, fields=fields, overwrite=True) == [[("company", "Initech", True)]]
    assert client.leads.get(lead.id).company == "Initech"


def test_a_converted_lead_is_left_out(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de"})
    client.leads.convert(lead.id, create_deal=False)
    new = client.leads.create({"name": "Bo Lee", "email": "bo.lee@initech.de"})
    bare = client.leads.create({"name": "Bare"})
    job = client.leads.enrich([lead.id, new.id, bare.id, "lead_none", new.id])
    result = job.wait()
    assert [one.status for one in result.records] == ["unchanged", "enriched", "no_match", "failed"]
    assert (result.matched, result.unmatched, result.changed) == (1, 1, 1)
    doc = stored(stub, "job", job.id)
    assert {name: count for name, count in doc["counts"].items() if count} == {
        "total": 4, "processed": 4, "succeeded": 2, "updated": 1, "skipped": 1, "failed": 1,
    }  # fmt: skip
    assert (doc["title"], [error["row"] for error in doc["errors"]]) == ("Enrichment of 4 leads", [4])


# -- contacts ----------------------------------------------------------------------------------------------------------


def test_a_contact_is_filled_in(stub: StubServer, client: CrmClient) -> None:
    person = client.contacts.create(
        {
            "name": "J. Roe",
            "email": "jane.roe@firm.de",
            "company": "Own",
            "title": "Head of Sales",
            "phone": "+493012345678",
        }
    )
    client.accounts.create({"name": "Firm", "domain": "firm.de"})
    told = len(stub.audit())
    job = client.ai_insights.enrich.contacts([person.id])
    assert (job.kind, job.title, job.status_url) == (
        "enrichment",
        "Enrichment of 1 contact",
        f"/ai-insights/enrich/{job.id}",
    )
    result = job.wait()
    (record,) = result.records
    assert (record.status, result.matched, result.changed) == ("enriched", 1, 1)
    found = {change.field: (change.after, change.source, change.applied) for change in record.changes}
    assert found["first_name"] == ("Jane", "email_local_part", True)
    assert found["company"] == ("Firm", "email_domain", False) and "account_id" not in found, "it works elsewhere"
    assert found["address.country"] == ("DE", "phone_prefix", True) and found["department"] == ("Sales", "title", True)
    assert {change.field: change.confidence for change in record.changes} == {
        "first_name": 70, "last_name": 70, "company": 50, "website": 60, "address.country": 85, "timezone": 70,
        "department": 75, "custom_fields.seniority": 75,
    }  # fmt: skip
    assert found["timezone"][0] == "Europe/Berlin" and found["custom_fields.seniority"][0] == "director"
    now = client.contacts.get(person.id)
    assert (now.name, now.first_name, now.last_name, now.company, now.version) == ("J. Roe", "Jane", "Roe", "Own", 2)
    assert [entry["action"] for entry in stub.audit()[told:]] == [
        "contact.enriched",
        "job.completed",
        "notification.created",
    ]
    again = client.ai_insights.enrich.contacts([person.id]).wait()
    assert (again.records[0].status, again.changed) == ("unchanged", 0)
    assert (
        client.contacts.get(person.id).version == 2
        and [entry["action"] for entry in stub.audit()].count("contact.enriched") == 1
    )


def test_a_contact_gets_the_account_of_its_domain(client: CrmClient) -> None:
    person = client.contacts.create({"name": "Jane", "email": "jane@firm.example"})
    firm = client.accounts.create({"name": "Firm", "domain": "firm.example"})
    client.ai_insights.enrich.contacts([person.id], fields=["account_id"]).wait()
    now = client.contacts.get(person.id)
    assert (now.account_id, now.company) == (firm.id, "Firm")
    assert client.accounts.get(firm.id).contact_count == 1


def test_the_own_account_of_a_lead_is_surer_than_one_of_its_domain_or_its_company(
    stub: StubServer, client: CrmClient
) -> None:
    own = client.accounts.create({"name": "Firm", "industry": "Tea"})
    client.accounts.create({"name": "Other", "industry": "Rum", "domain": "other.de"})
    for members, account_id, industry, confidence in (
        ({"email": "a@other.de"}, own.id, "Tea", 90), ({"email": "b@other.de"}, None, "Rum", 85),
        ({"website": "https://other.de"}, None, "Rum", 80), ({"company": "Firm"}, None, "Tea", 75),
    ):  # fmt: skip
        body: Any = {"name": "P", **members}
        made = client.leads.create(body)
        stored(stub, "lead", made.id, account_id=account_id)
        (record,) = client.leads.enrich([made.id], fields=["industry"]).wait().records
        found = [(one.field, one.after, one.source, one.confidence) for one in record.changes]
        assert found == [("industry", industry, "account", confidence)], members


def test_a_contact_is_known_from_its_lead(client: CrmClient) -> None:
    client.leads.create({"name": "Jane Roe", "email": "jane@firm.example", "title": "CFO", "language": "de"})
    person = client.contacts.create({"name": "Jane", "email": "jane@firm.example"})
    (record,) = client.ai_insights.enrich.contacts([person.id], fields=["title", "language", "phone"]).wait().records
    assert [(change.field, change.after, change.source) for change in record.changes] == [
        ("title", "CFO", "tenant_data"), ("language", "de", "tenant_data"),
    ]  # fmt: skip


def test_what_most_of_a_company_say_is_said_of_who_is_new_there(client: CrmClient) -> None:
    known = {"company": "Firm", "industry": "Tea", "employees": 50}
    others: list[dict[str, Any]] = [{}, {"website": "https://a.example"}, {"industry": "Rum", "employees": 7}]
    for number, members in enumerate(others):
        said: Any = {"name": f"L{number}", "email": f"l{number}@x.example", **known, **members}
        client.leads.create(said)
    client.leads.create({"name": "Else", "company": "Other", "industry": "Rum", "website": "https://b.example"})
    fields = ["website", "industry", "employees"]

    def told(**own: Any) -> list[tuple[Any, ...]]:
        given: Any = {"name": "New", "email": "new@gmail.com", "company": "Firm", **own}
        new = client.leads.create(given).id
        (record,) = client.ai_insights.enrich.leads([new], fields=fields, overwrite=bool(own)).wait().records
        client.leads.delete(new)
        return [(change.field, change.after, change.source, change.confidence) for change in record.changes]

    assert sorted(told()) == [
        ("employees", 50, "tenant_data", 65), ("industry", "Tea", "tenant_data", 65),
        ("website", "https://a.example", "tenant_data", 65),
    ]  # fmt: skip
    own = told(industry="Rum", employees=7, website="https://a.example")
    assert [change[:2] for change in sorted(own)] == [("employees", 50), ("industry", "Tea")], "what the others say"
    client.leads.create({"name": "L4", "company": "Firm", "industry": "Rum", "website": "https://b.example"})
    assert told() == [("employees", 50, "tenant_data", 65)], "a half is not most"


def test_nothing_is_known_of_a_person_without_an_address_from_another_without_one(client: CrmClient) -> None:
    client.leads.create({"name": "Jane Roe", "title": "CFO", "language": "de", "phone": "+493090182000"})
    person = client.contacts.create({"name": "Jane"})
    done = client.ai_insights.enrich.contacts([person.id], fields=["title", "language", "phone"]).wait()
    assert [change.field for record in done.records for change in record.changes] == []
    assert (client.contacts.get(person.id).title, client.contacts.get(person.id).phone) == (None, None)


def test_each_record_needs_its_own_right(stub: StubServer, client: CrmClient) -> None:
    sales = stub.client(dialects="platform", api_key="acme-sales")
    theirs = client.contacts.create({"name": "Theirs", "email": "a.bee@firm.example", "owner_id": "user_mia"})
    firm = client.accounts.create({"name": "Firm", "domain": "firm.example", "owner_id": "user_mia"})
    for job in (
        sales.ai_insights.enrich.contacts([theirs.id]),
        sales.ai_insights.enrich.companies(domains=["firm.example"]),
    ):
        done = job.wait()
        assert [some(record.error).code for record in done.records] == ["FORBIDDEN"]
        assert (done.matched, done.unmatched, done.changed) == (0, 0, 0)
        state = stored(stub, "job", job.id)
        assert (state["counts"]["failed"], state["errors"][0]["code"]) == (1, "FORBIDDEN")
    assert client.accounts.get(firm.id).version == 1


# -- companies ---------------------------------------------------------------------------------------------------------


def test_a_company_is_filled_in_from_its_people(stub: StubServer, client: CrmClient) -> None:
    firm = client.accounts.create({"name": "Firm", "phone": "+442079460123"})
    for number in range(3):
        host = "firm.de" if number else "elsewhere.example"
        client.contacts.create({"name": f"C{number}", "email": f"c{number}@{host}", "account_id": firm.id})
        client.leads.create(
            {"name": f"L{number}", "company": "Firm", "industry": "Tea" if number else "Rum", "employees": 50}
        )
    told = len(stub.audit())
    (record,) = client.ai_insights.enrich.companies(account_ids=[firm.id]).wait().records
    found = {change.field: (change.after, change.source) for change in record.changes}
    assert found["domain"] == ("firm.de", "email_domain") and found["website"] == ("https://firm.de", "email_domain")
    assert found["industry"] == ("Tea", "tenant_data") and found["employees"] == (50, "tenant_data")
    assert found["billing_address.country"] == ("GB", "phone_prefix")
    assert {change.field: change.confidence for change in record.changes} == {
        "domain": 60, "website": 50, "industry": 65, "employees": 65, "billing_address.country": 85,
    }  # fmt: skip
    now = client.accounts.get(firm.id)
    assert (now.domain, now.industry, some(now.billing_address).country) == ("firm.de", "Tea", "GB")
    assert [entry["action"] for entry in stub.audit()[told:]] == [
        "account.enriched",
        "job.completed",
        "notification.created",
    ]


def test_leads_without_an_address_say_nothing_of_a_company_without_a_domain(client: CrmClient) -> None:
    firm = client.accounts.create({"name": "Firm"})
    for number in range(3):
        client.leads.create({"name": f"L{number}", "industry": "Rum", "employees": 50})
    (record,) = client.ai_insights.enrich.companies(account_ids=[firm.id]).wait().records
    assert (record.status, record.changes) == ("no_match", [])


def test_a_domain_of_another_account_is_not_filled_in(client: CrmClient) -> None:
    client.accounts.create({"name": "First", "domain": "firm.example"})
    second = client.accounts.create({"name": "Second"})
    client.contacts.create({"name": "C", "email": "c@firm.example", "account_id": second.id})
    (record,) = client.ai_insights.enrich.companies(account_ids=[second.id]).wait().records
    assert (record.status, record.changes) == ("no_match", [])


def test_what_is_known_of_a_domain_creates_nothing(client: CrmClient) -> None:
    firm = client.accounts.create({"name": "Firm", "domain": "firm.de"})
    client.leads.create({"name": "L", "email": "l@new-firm.de", "industry": "Tea"})
    count = client.accounts.list(limit=1).total
    result = client.ai_insights.enrich.companies(domains=["https://www.firm.de/about", "new-firm.de", "firm.de"]).wait()
    assert client.accounts.list(limit=1).total == count and len(result.records) == 2
    known, new = result.records
    assert some(known.entity).id == firm.id and known.status == "enriched"
    assert new.entity is None and not any(change.applied for change in new.changes) and result.changed == 1
    assert {change.field: change.after for change in new.changes} == {
        "name": "New Firm", "domain": "new-firm.de", "website": "https://new-firm.de", "industry": "Tea",
        "billing_address.country": "DE",
    }  # fmt: skip


def test_companies_are_named_in_one_way(client: CrmClient) -> None:
    def check(given: Any, code: str, field: str) -> None:
        error = refused(lambda: client.ai_insights.enrich.companies(**given))
        assert (error.status, error.code, error.fields[0].field) == (422, code, field)

    cases: list[tuple[Any, str, str]] = [
        ({}, "VALIDATION_ERROR", "account_ids"),
        ({"account_ids": ["account_1"], "domains": ["firm.de"]}, "VALIDATION_ERROR", "account_ids"),
        ({"domains": ["firm.de", "no domain"]}, "VALIDATION_ERROR", "domains.1"),
        ({"domains": ["firm.de"], "fields": ["title"]}, "UNKNOWN_FIELD", "fields.0"),
        ({"domains": ["firm.de"] * 1_001}, "TOO_MANY_ITEMS", "domains"),
        ({"account_ids": ["account_1"] * 1_001}, "TOO_MANY_ITEMS", "account_ids"),
    ]
    for case in cases:
        check(*case)


def test_both_doors_of_leads_start_the_same_job(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@initech.de"})
    first = client.ai_insights.enrich.leads([lead.id]).wait()
    second = client.leads.enrich([lead.id]).wait()
    assert [record.status for record in (*first.records, *second.records)] == ["enriched", "unchanged"]
    assert refused(lambda: client.ai_insights.enrich.get("job_none")).status == 404
    training = client.ai_insights.lead_scoring.train()
    assert refused(lambda: client.ai_insights.enrich.get(training.id)).status == 404, "a job of another kind"


def test_the_account_of_a_record_is_surer_than_one_that_is_found(client: CrmClient) -> None:
    account = client.accounts.create({"name": "Firm", "domain": "firm.example", "website": "https://firm.example"}).id
    own = client.contacts.create({"name": "Ada", "account_id": account}).id
    found = [(own, client.ai_insights.enrich.contacts([own]).wait(), 90)]
    for members, sure in (({"email": "a@firm.example"}, 85), ({"company": "Firm"}, 75)):
        lead: Any = {"name": "Ada", **members}
        id = client.leads.create(lead).id
        found.append((id, client.leads.enrich([id]).wait(), sure))
    for id, result, sure in found:
        (change,) = [one for one in result.records[0].changes if one.field == "website"]
        assert (change.after, change.source, change.confidence) == ("https://firm.example", "account", sure), id


def test_the_country_of_most_contacts_is_that_of_their_company(client: CrmClient) -> None:
    firm = client.accounts.create({"name": "Firm"})
    for number, country in enumerate(("FR", "DE", "DE")):
        client.contacts.create({"name": f"C{number}", "address": {"country": country}, "account_id": firm.id})
    (record,) = client.ai_insights.enrich.companies(account_ids=[firm.id]).wait().records
    assert [(one.field, one.after, one.source, one.confidence) for one in record.changes] == [
        ("billing_address.country", "DE", "tenant_data", 65)
    ]


def test_the_revenue_of_an_account_counts_in_its_own_currency(client: CrmClient) -> None:
    client.accounts.create({"name": "Firm", "domain": "firm.de", "annual_revenue": 5, "currency": "EUR"})
    ids = [
        client.leads.create({"name": "P", "email": f"{currency}@firm.de", "currency": currency}).id
        for currency in ("EUR", "USD")
    ]
    assert changes_of(client, *ids, fields=["annual_revenue"]) == [[("annual_revenue", 5, True)], []]


def test_many_records_are_enriched_step_by_step(client: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.services.ai_insights.enrichment._STEP", 2)
    ids = [client.leads.create({"name": "x", "email": f"jo.{part}y@firm.de"}).id for part in "abc"]
    job = client.leads.enrich([*ids, "lead_none"])
    result = job.wait()
    assert [record.status for record in result.records] == ["enriched", "enriched", "enriched", "failed"]
    assert (result.matched, result.unmatched, result.changed) == (3, 0, 3)
    done = client.jobs.get(job.id)
    assert [(error.row, error.code) for error in done.errors] == [(4, "NOT_FOUND")]
    assert (some(done.counts).processed, some(done.counts).updated, some(done.counts).failed) == (4, 3, 1)
