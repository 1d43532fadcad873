"""What leads become: contact, account and deal, found or made, all of it or nothing."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient, InvalidInputError
from crm_sdk.models.deals import DealUpdate
from server_stub import StubServer


def test_conversion_makes_all_three_and_closes_the_lead(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "company": "Initech", "value": 700})
    before = len(stub.audit())
    done = client.leads.convert(lead.id)
    assert done.created == ["contact", "account", "deal"]
    account, deal = some(done.account), some(done.deal)
    assert (account.domain, done.contact.account_id) == ("initech.test", account.id)
    assert (deal.title, deal.value, deal.contact_id) == ("Initech", Decimal(700), done.contact.id)
    assert deal.expected_close_date == date(2026, 3, 31)
    events = [event for event in trail(stub, before) if event != "contact.health_changed"]
    assert events == ["account.created", "contact.created", "deal.created", "lead.converted"]
    assert refused(lambda: client.leads.convert(lead.id)).code == "LEAD_CONVERTED"
    assert refused(lambda: client.leads.update(lead.id, {"company": "Other"})).code == "LEAD_CONVERTED"
    assert client.leads.update(lead.id, {"notes": ["Called"], "company": "Initech"}).notes == ["Called"]


def test_what_is_made_belongs_to_who_is_named_or_has_the_lead_or_calls(stub: StubServer, client: CrmClient) -> None:
    cases: list[tuple[str | None, str | None, str]] = [
        ("user_sam", "user_rita", "user_rita"),
        ("user_sam", None, "user_sam"),
        (None, "user_rita", "user_rita"),
        (None, None, "user_ada"),
    ]
    for of_lead, given, owner in cases:
        firm = f"initech-{of_lead}-{given}".replace("_", "-")
        lead = client.leads.create({"name": "Ann Lee", "email": f"ann@{firm}.test", "company": firm})
        stored(stub, "lead", lead.id, owner_id=of_lead)
        done = client.leads.convert(lead.id, owner_id=given)
        assert (done.contact.owner_id, some(done.account).owner_id, some(done.deal).owner_id) == (owner, owner, owner)


@pytest.mark.parametrize("company", ["Initech", None])
def test_no_account_and_no_deal_are_made_where_none_is_wanted(client: CrmClient, company: str | None) -> None:
    members: Any = {"name": "Ann Lee", "email": "ann@initech.test", "company": company}
    accounts = client.accounts.list(limit=1).total
    done = client.leads.convert(client.leads.create(members).id, create_account=False, create_deal=False)
    assert (done.created, done.account, done.deal) == (["contact"], None, None)
    assert (done.contact.account_id, done.contact.company) == (None, company)
    assert client.accounts.list(limit=1).total == accounts
    lead = client.leads.get(done.lead.id)
    assert (lead.converted_contact_id, lead.converted_account_id, lead.converted_deal_id) == (
        done.contact.id,
        None,
        None,
    )


def test_an_account_that_is_there_is_used_whether_or_not_one_may_be_made(client: CrmClient) -> None:
    known = client.accounts.create({"name": "Initech"})
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "company": "Initech"})
    done = client.leads.convert(lead.id, create_account=False)
    assert done.created == ["contact", "deal"] and some(done.account).id == known.id
    deal = some(done.deal)
    assert (deal.account_id, deal.contact_id, deal.contact_name) == (known.id, done.contact.id, "Ann Lee")
    assert [(role.contact_id, role.is_primary) for role in deal.contact_roles] == [(done.contact.id, True)]


def test_members_of_a_deal_that_is_not_made_are_refused(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test"})
    error = refused(lambda: client.leads.convert(lead.id, create_deal=False, deal={"title": "None"}))
    assert (error.fields[0].field, client.leads.get(lead.id).status) == ("deal", "new")


def test_conversion_fills_only_what_a_contact_lacks(client: CrmClient) -> None:
    known = client.contacts.create({"name": "Ann Lee", "email": "ann@initech.test", "title": "CTO"})
    lead = client.leads.create({"name": "A. Lee", "email": "ann@initech.test", "title": "CEO", "phone": "+14155552671"})
    done = client.leads.convert(lead.id, create_deal=False)
    assert (done.created, done.contact.id, done.account, done.deal) == ([], known.id, None, None)
    assert (done.contact.title, done.contact.phone, done.contact.lead_id) == ("CTO", "+14155552671", lead.id)


def test_conversion_is_all_or_nothing(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "company": "Initech"})
    kinds = ("contact", "account", "deal", "audit")
    before = [len(stub.store.collection("tenant_acme", kind)) for kind in kinds]
    error = refused(lambda: client.leads.convert(lead.id, deal={"stage": "no-such-stage"}))
    assert (error.status, error.code) == (409, "STAGE_NOT_IN_PIPELINE")
    assert [len(stub.store.collection("tenant_acme", kind)) for kind in kinds] == before
    assert client.leads.get(lead.id).status == "new"


def test_a_contact_of_another_account_is_not_moved(client: CrmClient) -> None:
    first = client.leads.convert(client.leads.create({"name": "Ann Lee", "company": "Initech"}).id)
    lead = client.leads.create({"name": "Ann Lee", "company": "Initech"})
    other = client.leads.convert(client.leads.create({"name": "Bo Ek", "company": "Contoso"}).id)
    error = refused(lambda: client.leads.convert(lead.id, contact_id=other.contact.id))
    assert (error.status, error.code) == (409, "ACCOUNT_MISMATCH")
    assert client.leads.convert(lead.id, contact_id=first.contact.id).created == ["deal"]


def test_the_account_of_the_latest_activity_is_taken_and_the_others_are_named(
    stub: StubServer, client: CrmClient
) -> None:
    def converted() -> tuple[str, list[tuple[str, str]]]:
        lead = client.leads.create({"name": "Ada", "company": "Twin Ltd"})
        done = client.leads.convert(lead.id, create_deal=False)
        return some(done.account).id, [(ref.type, ref.id) for ref in done.other_matches]

    older = client.accounts.create({"name": "Twin Ltd"}).id
    stub.clock.advance(60)
    newer = client.accounts.create({"name": "Twin Ltd"}).id
    assert converted() == (newer, [("account", older)]), "no activity: the newest"
    stub.clock.advance(60)
    stored(stub, "account", older, last_activity_at=stub.clock.now())
    assert converted() == (older, [("account", newer)])


def test_an_account_that_was_named_leaves_no_other_match(client: CrmClient) -> None:
    older, _ = (client.accounts.create({"name": "Twin Ltd"}).id for _ in range(2))
    lead = client.leads.create({"name": "Ada", "company": "Twin Ltd"})
    done = client.leads.convert(lead.id, account_id=older, create_deal=False)
    assert (some(done.account).id, done.other_matches) == (older, [])


def test_the_id_of_a_merged_record_means_the_survivor(client: CrmClient) -> None:
    keep, gone = (client.contacts.create({"name": name}).id for name in ("Keep", "Gone"))
    client.contacts.deduplicate(mode="merge", groups=[{"survivor_id": keep, "contact_ids": [keep, gone]}])
    firm, old = (client.accounts.create({"name": "Initech"}).id for _ in range(2))
    client.accounts.merge(firm, [old])
    lead = client.leads.create({"name": "Ada", "account_id": old})
    assert lead.account_id == firm
    deal: DealUpdate = {"contact_id": gone, "account_id": old, "contact_roles": [{"contact_id": gone, "role": "buyer"}]}
    done = client.leads.convert(lead.id, contact_id=gone, account_id=old, deal=deal)
    assert (done.contact.id, some(done.account).id) == (keep, firm)
    made = some(done.deal)
    assert (made.contact_id, made.account_id) == (keep, firm)
    assert [(part.contact_id, part.role, part.is_primary) for part in made.contact_roles] == [(keep, "buyer", True)]
    assert (done.lead.converted_contact_id, done.lead.converted_account_id) == (keep, firm)


def test_a_deleted_contact_is_none(client: CrmClient) -> None:
    gone = client.contacts.create({"name": "Gone"}).id
    client.contacts.delete(gone)
    lead = client.leads.create({"name": "Ada"})
    error = refused(lambda: client.leads.convert(lead.id, contact_id=gone))
    assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "contact_id")


def test_the_members_of_the_deal_are_checked_as_those_of_any_deal(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ada"})
    deal: DealUpdate = {"currency": "JPY", "owner_id": "user_none"}
    error = refused(lambda: client.leads.convert(lead.id, deal=deal))
    assert (error.status, {entry.field for entry in error.fields}) == (422, {"deal.currency", "deal.owner_id"})
    bulk = refused(lambda: client.leads.bulk_convert([{"lead_id": lead.id, "deal": deal}], atomic=True))
    assert (bulk.code, {entry.field for entry in bulk.fields}) == (
        "BULK_REJECTED",
        {"conversions", "conversions.0.deal.currency", "conversions.0.deal.owner_id"},
    )
    with pytest.raises(InvalidInputError, match=r"deal\.title: must not be blank"):
        client.leads.convert(lead.id, deal={"title": " "})
    other = client.contacts.create({"name": "Other"}).id
    error = refused(lambda: client.leads.convert(lead.id, deal={"contact_id": other}))
    assert [(entry.field, entry.rule) for entry in error.fields] == [("deal.contact_id", "read_only")]
    assert refused(lambda: client.leads.convert(lead.id, create_deal=False, deal={"value": 5})).status == 422
    client.leads.convert(client.leads.create({"name": "Bo Ek"}).id, deal={"external_id": "x-1"})
    error = refused(lambda: client.leads.convert(lead.id, deal={"external_id": "x-1"}))
    assert (error.status, error.code, error.fields[0].field) == (409, "DUPLICATE_VALUE", "deal.external_id")
    made = some(client.leads.convert(lead.id, deal={"title": "Mine", "value": 5, "currency": "EUR"}).deal)
    assert (made.title, made.value, made.currency, made.status) == ("Mine", Decimal(5), "EUR", "open")


def test_an_external_id_of_the_deal_is_one_deals_own(client: CrmClient) -> None:
    """A taken one refuses the conversion, alone and in bulk; an empty one is none, however often it comes."""
    leads = [client.leads.create({"name": f"Ada {number}"}).id for number in range(4)]
    for lead in leads[:2]:
        assert some(client.leads.convert(lead, deal={"external_id": ""}).deal).external_id is None
    client.leads.convert(leads[2], deal={"external_id": "x-1"})
    (item,) = client.leads.bulk_convert([{"lead_id": leads[3], "deal": {"external_id": "x-1"}}]).items
    assert item.error is not None
    assert (item.status, item.error.code, item.error.field) == ("failed", "DUPLICATE_VALUE", "deal.externalId")
    assert client.leads.get(leads[3]).status == "new"


@pytest.mark.parametrize(
    ("account", "found"),
    [
        ({}, (Decimal(900), "EUR")),
        ({"annual_revenue": 5}, (Decimal(5), "USD")),
        ({"currency": "EUR"}, (Decimal(900), "EUR")),
    ],
)
def test_the_revenue_of_a_company_comes_with_its_currency(client: CrmClient, account: Any, found: Any) -> None:
    there: Any = {"name": "Initech", **account}
    client.accounts.create(there)
    lead = client.leads.create({"name": "Ada", "company": "Initech", "annual_revenue": 900, "currency": "EUR"})
    filled = some(client.leads.convert(lead.id, create_deal=False).account)
    assert (filled.annual_revenue, filled.currency) == found


def test_what_an_account_lacks_is_filled_in_and_no_domain_is_taken_from_another(client: CrmClient) -> None:
    client.accounts.create({"name": "Owner of the domain", "domain": "initech.test"})
    bare = client.accounts.create({"name": "Initech", "industry": "Software"})
    lead = client.leads.create(
        {
            "name": "Ada",
            "company": "Initech",
            "website": "https://initech.test",
            "industry": "Banking",
            "address": {"city": "Berlin"},
        }
    )
    done = some(client.leads.convert(lead.id, create_deal=False).account)
    assert (done.id, done.website, done.domain) == (bare.id, "https://initech.test", None)
    assert (done.industry, some(done.billing_address).city) == ("Software", "Berlin")
    assert done.contact_count == 1, "the answer has the figures of now"


def test_what_was_said_moves_along(stub: StubServer, client: CrmClient) -> None:
    captured = client.leads.capture.web_form({"form_id": "f", "email": "ann@initech.test", "message": "Hello"})
    before = len(stub.audit())
    done = client.leads.convert(some(captured.lead).id)
    assert some(done.moved).activities == 1
    assert client.contacts.activities.list(done.contact.id).total == 1
    assert [action for action in trail(stub, before) if action.endswith(".updated")] == [
        "activity.updated",
        "note.updated",
    ]


def test_bulk_items_stand_alone_and_share_what_the_first_one_made(client: CrmClient) -> None:
    one, two, three = (client.leads.create({"name": name, "company": "Initech"}).id for name in ("A", "B", "C"))
    done = client.leads.bulk_convert([{"lead_id": one}, {"lead_id": "lead_none"}, {"lead_id": two}])
    assert [item.error.code if item.error else item.status for item in done.items] == ["ok", "NOT_FOUND", "ok"]
    accounts = {item.result.account.id for item in done.items if item.result and item.result.account}
    assert len(accounts) == 1
    error = refused(lambda: client.leads.bulk_convert([{"lead_id": three}, {"lead_id": one}], atomic=True))
    assert error.code == "BULK_REJECTED"
    assert [field.field for field in error.fields] == ["conversions", "conversions.1"]
    assert client.leads.get(three).status == "new"
