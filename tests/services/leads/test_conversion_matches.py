"""Whom a conversion finds, what it fills in and what it carries over, at the bounds of each rule."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models.lead_conversions import LeadConversion
from server_stub import StubServer

WHOLE: dict[str, Any] = {
    "name": "Ann Lee", "first_name": "Ann", "last_name": "Lee", "email": "ann@initech.test", "phone": "+14155552671",
    "title": "CTO", "source": "referral", "address": {"city": "Berlin"}, "website": "https://initech.test",
    "social_profiles": [{"network": "github", "url": "https://github.example/ann"}], "language": "de",
    "timezone": "Europe/Berlin", "tags": ["hot"], "notes": ["Met at the fair"], "custom_fields": {"size": "L"},
}  # fmt: skip
FIRM: dict[str, Any] = {"company": "Initech", "industry": "Software", "employees": 7, "annual_revenue": 900}


def new(client: CrmClient, **members: Any) -> str:
    given: Any = {"name": "Ann Lee", **members}
    return client.leads.create(given).id


def converted(client: CrmClient, members: dict[str, Any], **how: Any) -> LeadConversion:
    return client.leads.convert(new(client, **members), **{"create_deal": False, **how})


@pytest.mark.parametrize("create_deal", [True, False])
def test_all_that_is_known_of_a_lead_is_carried_over(client: CrmClient, create_deal: bool) -> None:
    done = converted(client, {**WHOLE, **FIRM, "value": "10.5", "currency": "EUR"}, create_deal=create_deal)
    lead, contact, account = done.lead, done.contact, some(done.account)
    for name in WHOLE:
        assert getattr(contact, name) == getattr(lead, name), name
    assert (contact.company, contact.account_id, contact.lead_id) == ("Initech", account.id, lead.id)
    assert contact.lifecycle_stage == ("opportunity" if create_deal else "lead")
    assert (account.name, account.domain, account.website) == ("Initech", "initech.test", "https://initech.test")
    assert (account.industry, account.employees, account.source) == ("Software", 7, "referral")
    assert (account.annual_revenue, account.currency, some(account.billing_address).city) == (
        Decimal(900),
        "EUR",
        "Berlin",
    )
    assert (lead.status, lead.account_id, lead.converted_account_id) == ("converted", account.id, account.id)
    assert lead.converted_contact_id == contact.id and lead.converted_at is not None
    assert lead.converted_deal_id == (some(done.deal).id if create_deal else None)
    if create_deal:
        deal = some(done.deal)
        assert (deal.title, deal.value, deal.currency) == ("Initech", lead.value, "EUR")
        assert (deal.source, deal.lead_id, deal.account_id) == ("referral", lead.id, account.id)
    alone = {"ai_insights", "communication_history"}  # in the answer to `get` alone
    assert client.contacts.get(contact.id).model_dump(exclude=alone) == contact.model_dump(exclude=alone)
    assert (client.accounts.get(account.id), client.leads.get(lead.id)) == (account, lead)


@pytest.mark.parametrize("said", [True, False])
def test_who_wants_no_contact_wants_none_as_a_contact(client: CrmClient, said: bool) -> None:
    contact = converted(client, {"do_not_contact": said, "email_opt_out": said}).contact
    assert (contact.do_not_contact, contact.email_opt_out) == (said, said)


@pytest.mark.parametrize(
    ("company", "title", "value", "expected"),
    [(None, "Ann Lee", None, 0), ("I" * 200, "I" * 200, 5, 5), ("", "Ann Lee", 0, 0)],
)
def test_a_deal_is_named_after_the_company_or_else_the_person(
    client: CrmClient, company: str | None, title: str, value: Any, expected: int
) -> None:
    deal = some(converted(client, {"company": company, "value": value}, create_deal=True).deal)
    assert (deal.title, deal.value) == (title, Decimal(expected))


def test_a_longer_title_is_cut_and_an_amount_has_the_digits_of_its_currency(
    client: CrmClient, stub: StubServer
) -> None:
    lead = new(client, company="Initech", value=10)
    stored(stub, "lead", lead, company="I" * 201, value=Decimal("10.006"))
    deal = some(client.leads.convert(lead, create_account=False).deal)
    assert (deal.title, deal.value) == ("I" * 200, Decimal("10.01"))


def test_a_lead_that_was_disqualified_is_not_converted(client: CrmClient) -> None:
    lead = new(client)
    client.leads.qualify(lead, qualified=False, reason="No budget")
    error = refused(lambda: client.leads.convert(lead))
    assert (error.status, error.code, error.details) == (409, "LEAD_UNQUALIFIED", {"reason": "No budget"})
    client.leads.update(lead, {"status": "new"})
    assert client.leads.convert(lead, create_deal=False).lead.status == "converted"


def test_no_members_of_no_deal_are_none(client: CrmClient) -> None:
    assert converted(client, {}, deal={}).deal is None


# -- the contact ----------------------------------------------------------------------------------------------------


def test_the_contact_of_the_address_with_the_latest_activity_is_taken(client: CrmClient, stub: StubServer) -> None:
    older, newer = (client.contacts.create({"name": name}).id for name in ("Ann Old", "Ann New"))
    for id, email, others in ((older, "ann@initech.test", []), (newer, None, ["ann@initech.test"])):
        stored(stub, "contact", id, email=email, secondary_emails=others, created_at=stub.clock.now())
        stub.clock.advance(60)
    done = converted(client, {"email": "ann@initech.test"})
    assert (done.contact.id, done.created) == (newer, [])
    assert [(ref.type, ref.id, ref.name) for ref in done.other_matches] == [("contact", older, "Ann Old")]
    named = converted(client, {"email": "ann@initech.test"}, contact_id=older)
    assert (named.contact.id, named.other_matches) == (older, [])


@pytest.mark.parametrize(
    ("members", "found"),
    [({"email": "other@initech.test"}, False), ({}, False), ({"email": "ANN@initech.test"}, True)],
)
def test_only_the_same_address_is_the_same_person(client: CrmClient, members: Any, found: bool) -> None:
    known = client.contacts.create({"name": "Ann Lee", "email": "ann@initech.test"})
    done = converted(client, members)
    assert (done.contact.id == known.id, done.created) == (found, [] if found else ["contact"])


@pytest.mark.parametrize(
    ("company", "account", "takes"),
    [("Initech", "INITECH", True), (None, "Initech", True), ("Other", "Initech", False)],
)
def test_a_contact_gets_the_account_that_is_of_its_company(
    client: CrmClient, company: str | None, account: str, takes: bool
) -> None:
    firm = client.accounts.create({"name": account})
    known = client.contacts.create({"name": "Ann Lee", "company": company})
    done = converted(client, {}, contact_id=known.id, account_id=firm.id)
    assert done.contact.account_id == (firm.id if takes else None)
    assert done.contact.company == (account if takes and company is None else done.contact.company)
    assert some(done.account).id == firm.id


@pytest.mark.parametrize(("taken", "email"), [("main", None), ("secondary", None), (None, "ann@initech.test")])
def test_a_contact_gets_no_address_that_another_one_has(
    client: CrmClient, taken: str | None, email: str | None
) -> None:
    known = client.contacts.create({"name": "Ann Lee"})
    if taken == "main":
        client.contacts.create({"name": "Other", "email": "ann@initech.test"})
    elif taken == "secondary":
        client.contacts.create({"name": "Other", "secondary_emails": ["ann@initech.test"]})
    done = converted(client, {"email": "ann@initech.test", "title": "CTO"}, contact_id=known.id)
    assert (done.contact.id, done.contact.email, done.contact.title) == (known.id, email, "CTO")


def test_the_fields_of_a_contact_win_over_those_of_the_lead(client: CrmClient) -> None:
    known = client.contacts.create({"name": "Ann Lee", "custom_fields": {"size": "S", "hat": "7"}})
    done = converted(client, {"custom_fields": {"size": "L", "shoe": "44"}}, contact_id=known.id)
    assert done.contact.custom_fields == {"size": "S", "hat": "7", "shoe": "44"}


def test_a_contact_that_lacks_nothing_is_not_written(client: CrmClient, stub: StubServer) -> None:
    known = client.contacts.create({"name": "Ann Lee", "custom_fields": {"size": "S"}})
    stored(stub, "contact", known.id, lead_id="lead_123", source="api")
    lead = new(client, custom_fields={"size": "L"})
    stored(stub, "lead", lead, source="api")
    assert client.leads.convert(lead, contact_id=known.id, create_deal=False).contact.version == known.version


# -- the account ----------------------------------------------------------------------------------------------------


def test_an_account_is_found_by_its_name_or_else_by_the_domains_of_the_lead(client: CrmClient) -> None:
    ids = {
        "name": client.accounts.create({"name": "Initech"}).id,
        "mail": client.accounts.create({"name": "By mail", "domain": "mail.test"}).id,
        "site": client.accounts.create({"name": "By site", "domain": "site.test"}).id,
    }
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({"company": "Initech"}, "name"),
        ({"company": " Initech "}, "name"),
        ({"company": "Initech", "email": "a@mail.test", "website": "https://site.test"}, "name"),
        ({"company": "Else", "email": "b@mail.test", "website": "https://site.test"}, "mail"),
        ({"company": "Else", "email": "c@gmail.com", "website": "https://www.site.test/x"}, "site"),
        ({"company": "Else", "website": "http://SITE.test:80"}, "site"),
        ({"company": "Else", "email": "d@none.test"}, None),
        ({"company": None, "email": "e@mail.test"}, None),
        ({"company": "Else"}, None),
    ]
    for members, found in cases:
        done = converted(client, members, create_account=False)
        assert (done.account and done.account.id) == (ids[found] if found is not None else None), members
        assert done.other_matches == []


def test_the_account_of_the_contact_is_taken_among_several(client: CrmClient, stub: StubServer) -> None:
    own = client.accounts.create({"name": "Twin Ltd"}).id
    stub.clock.advance(60)
    newer = client.accounts.create({"name": "Twin Ltd"}).id
    ann = client.contacts.create({"name": "Ann", "account_id": own})
    done = converted(client, {"company": "Twin Ltd"}, contact_id=ann.id)
    assert some(done.account).id == own
    assert [(ref.type, ref.id) for ref in done.other_matches] == [("account", newer)]


@pytest.mark.parametrize("company", [None, "Nobody's"])
def test_the_account_of_the_contact_is_taken_where_none_is_found(client: CrmClient, company: str | None) -> None:
    own = client.accounts.create({"name": "Own Ltd"})
    ann = client.contacts.create({"name": "Ann", "account_id": own.id})
    done = converted(client, {"company": company}, contact_id=ann.id, create_deal=True)
    assert (some(done.account).id, some(done.deal).account_id, done.created) == (own.id, own.id, ["deal"])


def test_the_account_that_is_named_goes_before_that_of_the_lead_and_this_before_all_others(client: CrmClient) -> None:
    named, linked = (client.accounts.create({"name": name}).id for name in ("Named", "Linked"))
    client.accounts.create({"name": "Like"})
    lead: dict[str, Any] = {"company": "Like", "account_id": linked}
    assert some(converted(client, lead, account_id=named).account).id == named
    done = converted(client, {**lead, "account_id": linked})
    assert (some(done.account).id, done.other_matches) == (linked, [])


def test_who_belongs_to_another_account_is_named(client: CrmClient) -> None:
    own, other = (client.accounts.create({"name": name}).id for name in ("Own Ltd", "Other Ltd"))
    ann = client.contacts.create({"name": "Ann", "account_id": own})
    lead = new(client)
    error = refused(lambda: client.leads.convert(lead, contact_id=ann.id, account_id=other))
    assert (error.status, error.code) == (409, "ACCOUNT_MISMATCH")
    assert error.details == {"contactId": ann.id, "contactAccountId": own, "accountId": other}


def test_a_new_account_has_the_domain_of_the_address_or_else_of_the_website(client: CrmClient) -> None:
    cases: list[tuple[dict[str, Any], str | None]] = [
        ({"website": "https://www.site.test/x", "email": "ann@mail.test"}, "mail.test"),
        ({"website": "https://www.site.test/x", "email": "ann@gmail.com"}, "site.test"),
        ({"email": "bo@gmail.com"}, None),
        ({}, None),
    ]
    for number, (members, domain) in enumerate(cases):
        assert some(converted(client, {"company": f"Fresh {number}", **members}).account).domain == domain


@pytest.mark.parametrize(
    ("account", "domain"),
    [({}, "site.test"), ({"website": "https://own.test", "domain": None}, None), ({"domain": "own.test"}, "own.test")],
)
def test_an_account_without_a_website_gets_the_domain_of_the_leads(
    client: CrmClient, stub: StubServer, account: dict[str, Any], domain: str | None
) -> None:
    there = client.accounts.create({"name": "Initech"})
    stored(stub, "account", there.id, **account)
    done = some(converted(client, {"company": "Initech", "website": "https://site.test"}).account)
    assert (done.id, done.domain) == (there.id, domain)
    assert done.website == account.get("website", "https://site.test")


def test_an_account_that_lacks_nothing_is_not_written(client: CrmClient, stub: StubServer) -> None:
    there = client.accounts.create({"name": "Initech"})
    stored(stub, "account", there.id, source="api")
    assert some(converted(client, {"company": "Initech", "source": "web"}).account).version == there.version


# -- what was said --------------------------------------------------------------------------------------------------


def test_activities_and_conversations_get_what_they_lack(client: CrmClient, stub: StubServer) -> None:
    """What has a contact stays as it is; an account or a deal of its own stays too."""
    lead = new(client, company="Initech")
    activities, conversations = (stub.store.collection("tenant_acme", kind) for kind in ("activity", "conversation"))
    other = client.accounts.create({"name": "Other"}).id
    bare, owned, taken = (client.activities.create({"kind": "note", "body": "x", "lead_id": lead}).id for _ in range(3))
    stored(stub, "activity", owned, account_id=other)
    stored(stub, "activity", taken, contact_id="contact_123")
    talk, apart = conversations.all()[0], conversations.all()[1]
    conversations.put(talk | {"lead_id": lead, "contact_id": None, "account_id": None, "deal_id": None})
    conversations.put(apart | {"lead_id": lead, "contact_id": "contact_123"})

    done = client.leads.convert(lead)

    contact, account, deal = done.contact.id, some(done.account).id, some(done.deal).id
    assert (some(done.moved).activities, some(done.moved).conversations) == (2, 1)
    seen = {id: some(activities.get(id)) for id in (bare, owned, taken)}
    assert [seen[bare][name] for name in ("contact_id", "account_id", "deal_id", "lead_id")] == [
        contact, account, deal, lead,
    ]  # fmt: skip
    assert [seen[owned][name] for name in ("contact_id", "account_id", "deal_id")] == [contact, other, deal]
    assert [seen[taken][name] for name in ("contact_id", "account_id", "deal_id")] == ["contact_123", None, None]
    moved, stays = (some(conversations.get(each["id"])) for each in (talk, apart))
    assert (moved["contact_id"], moved["contact_name"], moved["account_id"], moved["deal_id"]) == (
        contact, "Ann Lee", account, deal,
    )  # fmt: skip
    assert stays["contact_id"] == "contact_123"
