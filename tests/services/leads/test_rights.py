"""Whose leads somebody may write, whatever the way: single, in bulk, by assignment, enrichment or conversion."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.request.access import permissions


def code_of(result: Any) -> str | None:
    """Return the code of the first item of a bulk call; None where it was done."""
    error = result.items[0].error
    return error.code if error is not None else None


def enrichment_code(client: CrmClient, lead_id: str) -> str | None:
    job = client.leads.enrich([lead_id], overwrite=True)
    result = job.wait()
    return result.records[0].error.code if result.records[0].error is not None else None


IN_BULK: dict[str, Callable[[CrmClient, str], str | None]] = {
    "bulk_qualify": lambda client, one: code_of(client.leads.bulk_qualify([one])),
    "bulk_convert": lambda client, one: code_of(client.leads.bulk_convert([{"lead_id": one}])),
    "assign": lambda client, one: code_of(client.leads.assign(lead_ids=[one], reassign=True)),
    "enrich": enrichment_code,
}


def test_sales_writes_no_lead_of_others_in_bulk(client: CrmClient, sales: CrmClient) -> None:
    for way in IN_BULK:
        theirs = client.leads.create({"name": "Theirs", "email": "x@bigco.example", "owner_id": "user_ada"})
        assert IN_BULK[way](sales, theirs.id) == "FORBIDDEN"
        assert client.leads.get(theirs.id) == theirs
        assert IN_BULK[way](client, theirs.id) is None, "an admin may"


def test_sales_writes_its_own_leads_and_those_of_nobody(client: CrmClient, sales: CrmClient) -> None:
    cases: list[str | None] = ["user_sam", None]
    for owner in cases:
        for way in IN_BULK:
            lead = client.leads.create({"name": "Ann Lee", "email": "ann.lee@bigco.example", "owner_id": owner})
            assert IN_BULK[way](sales, lead.id) is None
            assert client.leads.get(lead.id).version == 2


def test_an_atomic_call_writes_nothing_where_one_lead_is_somebody_elses(client: CrmClient, sales: CrmClient) -> None:
    mine, theirs = (client.leads.create({"name": "Ann Lee", "owner_id": owner}) for owner in ("user_sam", "user_ada"))
    error = refused(lambda: sales.leads.bulk_qualify([mine.id, theirs.id], atomic=True))
    assert (error.code, error.fields[1].field, error.fields[1].code) == ("BULK_REJECTED", "lead_ids.1", "FORBIDDEN")
    assert client.leads.get(mine.id) == mine


def test_sales_writes_no_single_lead_of_others(client: CrmClient, sales: CrmClient) -> None:
    theirs = client.leads.create({"name": "Theirs", "owner_id": "user_ada"})
    writes: list[Callable[[], object]] = [
        lambda: sales.leads.update(theirs.id, {"title": "Mine"}),
        lambda: sales.leads.delete(theirs.id),
        lambda: sales.leads.qualify(theirs.id),
        lambda: sales.leads.convert(theirs.id),
        lambda: sales.leads.score(theirs.id, score=90, reason="x"),
    ]
    for write in writes:
        error = refused(write)
        assert (error.status, error.code) == (403, "FORBIDDEN")
    assert client.leads.get(theirs.id) == theirs


def test_what_comes_in_completes_no_lead_of_others(stub: StubServer, client: CrmClient, sales: CrmClient) -> None:
    theirs = client.leads.create({"name": "Theirs", "email": "ann@initech.test", "owner_id": "user_ada"})
    before = len(stub.audit())
    captures: list[Callable[[], object]] = [
        lambda: sales.leads.capture.web_form({"email": "ann@initech.test", "title": "CEO"}),
        lambda: sales.leads.capture.email({"from_email": "ann@initech.test", "subject": "Hi", "body": "Hello"}),
        lambda: sales.leads.capture.social({"network": "github", "handle": "ann", "email": "ann@initech.test"}),
    ]
    for capture in captures:
        assert refused(capture).code == "FORBIDDEN"
    assert (client.leads.get(theirs.id), len(stub.audit())) == (theirs, before)
    stored(stub, "lead", theirs.id, owner_id=None)
    assert sales.leads.capture.web_form({"email": "ann@initech.test"}).created is False


def test_a_conversion_needs_the_right_to_what_it_fills_in(client: CrmClient, sales: CrmClient) -> None:
    def convert(**lead: Any) -> Any:
        body: Any = {"name": "Ann Lee", "owner_id": "user_sam", **lead}
        return lambda: sales.leads.convert(client.leads.create(body).id)

    account = client.accounts.create({"name": "Theirs", "owner_id": "user_ada", "source": "partner"})
    contact = client.contacts.create({"name": "Ann Lee", "email": "ann@initech.test", "owner_id": "user_ada"})
    for lead, theirs in (({"company": "Theirs", "industry": "Banking"}, account), ({"email": contact.email}, contact)):
        error = refused(convert(**lead))
        assert (error.status, error.code, error.details) == (403, "FORBIDDEN", {"id": theirs.id})
    assert (client.accounts.get(account.id), client.contacts.get(contact.id)) == (account, contact)
    made = convert(company="Theirs")()
    assert (made.account.id, made.created) == (account.id, ["contact", "deal"]), "it lacks nothing: no write"
    assert client.accounts.get(account.id).version == account.version


@pytest.mark.parametrize("resource", ["contacts", "accounts", "deals"])
def test_a_conversion_needs_the_right_to_make_what_it_makes(
    client: CrmClient, sales: CrmClient, monkeypatch: pytest.MonkeyPatch, resource: str
) -> None:
    scope_of = permissions.scope_of

    def less(role: str, of: str, action: Any) -> Any:
        return None if (of, action) == (resource, "create") and role == "sales" else scope_of(role, of, action)

    monkeypatch.setattr(permissions, "scope_of", less)  # no built-in role lacks just one of these rights
    lead = client.leads.create({"name": "Ann Lee", "company": "Initech", "owner_id": "user_sam"})
    error = refused(lambda: sales.leads.convert(lead.id))
    assert (error.status, error.code) == (403, "FORBIDDEN")
    assert client.leads.get(lead.id) == lead
    assert client.leads.convert(lead.id).created == ["contact", "account", "deal"]
