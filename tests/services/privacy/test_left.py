"""What is left of others when a person goes: their figures, and whom they are like."""

from __future__ import annotations

from typing import Any

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer


@pytest.mark.parametrize("gone_before", [False, pytest.param(True, marks=pytest.mark.thorough)])
def test_others_are_as_after_a_delete(stub: StubServer, crm: CrmClient, gone_before: bool) -> None:
    account = crm.accounts.create({"name": "Initech"}).id
    contact = crm.contacts.create({"name": "Eva Roth", "email": "eva@roth.example", "account_id": account}).id
    stays = crm.contacts.create({"name": "Uwe", "account_id": account}).id
    person: Any = {"name": "Eva Roth", "email": "eva@roth.example", "phone": "+4930111222"}
    lead = crm.leads.create(person).id
    other = crm.leads.create({"name": "Otto", "phone": "+4930111222"}).id
    assert crm.leads.get(other).duplicate_ids == [lead]
    if gone_before:
        crm.contacts.delete(contact)
        crm.leads.delete(lead)
    report = crm.privacy.erase({"email": "eva@roth.example"}, dry_run=False, confirm="eva@roth.example").wait()
    counts = {one.entity: (one.found, one.erased, one.anonymized, one.kept) for one in report.records}
    likeness = int(not gone_before)  # the other lead is like it no more
    assert (counts["contact"], counts["lead"]) == ((1, 1, 0, 0), (1 + likeness, 1, likeness, 0))
    assert crm.leads.get(other).duplicate_ids == []
    assert crm.accounts.get(account).contact_count == 1
    assert [one.id for one in crm.contacts.list(account_id=account)] == [stays]
    for kind, id in (("contact", contact), ("lead", lead)):
        assert stub.store.collection("tenant_acme", kind).get(id, deleted=True) is None
