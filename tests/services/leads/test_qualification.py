"""Judging leads, one or many, and who hears of it."""

from __future__ import annotations

from datetime import date
from typing import Any

from refusals import refused
from stub_data import some, trail

from crm_sdk import CrmClient
from server_stub import StubServer


def test_the_same_judgement_again_is_none(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.qualify(client.leads.create({"name": "Ann Lee"}).id, need="Reports", budget=500)
    before = len(stub.audit())
    again = client.leads.qualify(lead.id, need="Reports", budget=500)
    same = client.leads.update(lead.id, {"name": "Ann Lee", "status": "qualified"})
    assert (again.version, same.version, trail(stub, before)) == (lead.version, lead.version, [])
    assert client.leads.qualify(lead.id, timeline=date(2026, 2, 1)).version == (lead.version or 0) + 1


def test_a_contrary_judgement_needs_its_own_reason(client: CrmClient) -> None:
    lead = client.leads.qualify(client.leads.create({"name": "Ann Lee"}).id, need="Reports", reason="Asked twice")
    error = refused(lambda: client.leads.qualify(lead.id, qualified=False))
    assert (error.status, error.code, error.fields[0].field) == (422, "REASON_REQUIRED", "reason")
    judged = client.leads.qualify(lead.id, qualified=False, reason="No budget")
    assert judged.qualification is not None
    assert (judged.qualification.qualified, judged.qualification.need) == (False, "Reports")
    again = client.leads.qualify(lead.id)
    assert (again.status, again.disqualified_reason) == ("qualified", None)
    assert again.qualification is not None and again.qualification.reason is None


def test_a_judgement_is_kept_whole_and_told(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "owner_id": "user_sam"})
    said: Any = {"reason": " Asked twice ", "budget": 500, "authority": False, "need": "Reports", "notes": "n"}
    before = len(stub.audit())
    judged = client.leads.qualify(lead.id, timeline=date(2026, 2, 1), **said)
    kept = some(judged.qualification)
    assert kept.model_dump(exclude={"qualified_at", "budget"}) == {
        "qualified": True, "reason": "Asked twice", "authority": False, "need": "Reports", "notes": "n",
        "timeline": date(2026, 2, 1), "qualified_by": "apikey_acme_admin",
    }  # fmt: skip
    assert kept.budget == 500 and kept.qualified_at == stub.clock.now()
    assert (judged.status, judged.version, judged.disqualified_reason) == ("qualified", 2, None)
    (told, *_) = stub.audit()[before:]
    assert (told["action"], told["reason"], told["entity"]["id"]) == ("lead.qualified", "Asked twice", lead.id)
    note = stub.store.collection("tenant_acme", "notification").all()[-1]
    assert (note["user_id"], note["type"], note["title"], note["message"]) == (
        "user_sam", "lead", "New qualified lead", "Ann Lee has been qualified and is ready for follow-up",
    )  # fmt: skip
    assert (note["entity"]["id"], note["metadata"]["leadName"]) == (lead.id, "Ann Lee")
    more = some(client.leads.qualify(lead.id, authority=True).qualification)
    assert (more.authority, more.need, more.reason, more.notes) == (True, "Reports", "Asked twice", "n"), (
        "what is not given stays"
    )
    against = client.leads.qualify(lead.id, qualified=False, reason=" No budget ")
    kept = some(against.qualification)
    assert (kept.qualified, kept.reason, kept.need, against.disqualified_reason) == (
        False,
        "No budget",
        "Reports",
        "No budget",
    )
    assert (stub.audit()[-1]["action"], stub.audit()[-1]["reason"]) == ("lead.disqualified", "No budget")
    version = against.version
    assert client.leads.qualify(lead.id, qualified=False, reason="No budget").version == version
    assert client.leads.qualify(lead.id, qualified=False).version == version, "the reason is known"
    assert client.leads.qualify(lead.id, qualified=False, reason="Other").disqualified_reason == "Other"
    (done,) = client.leads.bulk_qualify([lead.id], qualified=False, reason=" Bulk ").items
    assert some(done.result).disqualified_reason == "Bulk"
    assert some(client.leads.bulk_qualify([lead.id]).items[0].result).status == "qualified"


def test_the_owner_is_told_once_however_a_lead_was_qualified(stub: StubServer, client: CrmClient) -> None:
    def told() -> int:
        found = stub.store.collection("tenant_acme", "notification").find("user_id", "user_sam")
        return sum(doc["title"] == "New qualified lead" for doc in found)

    before = told()
    one, two, three, unowned = (
        client.leads.create({"name": "Ann Lee", "owner_id": owner}).id for owner in ("user_sam",) * 3 + (None,)
    )
    client.leads.qualify(one)
    client.leads.qualify(one, need="Reports")
    client.leads.update(two, {"status": "qualified"})
    client.leads.bulk_qualify([three, unowned])
    client.leads.update(three, {"title": "CEO"})
    assert told() == before + 3


def test_bulk_items_stand_alone_unless_it_is_atomic(client: CrmClient) -> None:
    one, two, three = (client.leads.create({"name": name}).id for name in ("A", "B", "C"))
    for converted in (one, two):
        client.leads.convert(converted, create_deal=False)
    done = client.leads.bulk_qualify([one, three, "lead_none"], qualified=False, reason="Closed")
    codes = [item.error.code if item.error else item.status for item in done.items]
    assert codes == ["LEAD_CONVERTED", "ok", "NOT_FOUND"]
    client.leads.update(three, {"status": "new"})
    error = refused(lambda: client.leads.bulk_qualify([three, one, two], atomic=True))
    assert error.code == "BULK_REJECTED"
    assert [field.field for field in error.fields] == ["lead_ids", "lead_ids.1", "lead_ids.2"]
    assert client.leads.get(three).status == "new"
    assert refused(lambda: client.leads.bulk_qualify([three] * 1_001)).code == "TOO_MANY_ITEMS"


def test_the_demo_data_know_which_leads_were_qualified(stub: StubServer) -> None:
    leads = stub.store.collection("tenant_acme", "lead").all()
    known = {doc["status"] for doc in leads if doc["first_qualified_at"] is not None}
    assert known == {doc["status"] for doc in leads} & {"qualified", "converted"} != set()
