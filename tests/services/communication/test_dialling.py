"""Calls by this door: whom they are with, who may begin one, and what is said of them."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import telephone


def test_a_call_is_with_whom_is_named_and_to_their_number(stub: StubServer, client: CrmClient) -> None:
    dial: Any = client.communication.calls.dial
    mobile = client.contacts.create({"name": "Mobile", "mobile": "+4930111001"}).id
    both = client.contacts.create({"name": "Both", "phone": "+4930111002", "mobile": "+4930111003"}).id
    bare = client.contacts.create({"name": "Bare"}).id
    lead = client.leads.create({"name": "Lead", "phone": "+4930111004"}).id
    deal = client.deals.create({"title": "Offer", "contact_id": both}).id
    alone = client.deals.create({"title": "Alone"}).id
    assert refused(lambda: dial(contact_id=mobile)).code == "NO_TELEPHONY"
    system = telephone(client, config={"number": "+4930999000"})
    stored(stub, "integration", system, status="error")
    assert refused(lambda: dial(contact_id=mobile)).code == "NO_TELEPHONY"
    stored(stub, "integration", system, status="connected")

    def called(**given: Any) -> tuple[Any, ...]:
        log = len(stub.audit())
        call = dial(**given)
        told = [entry for entry in stub.audit()[log:] if entry["action"] == "call.started"]
        assert [entry["metadata"] for entry in told] == [{"to_number": call.to_number}]
        kept = some(stub.store.collection("tenant_acme", "activity").get(call.id))
        assert (kept["recorded"], kept["integration_id"]) == (given.get("record", False), system)
        assert (call.status, call.direction, call.provider) == ("queued", "outbound", "twilio")
        assert refused(lambda: dial(contact_id=mobile)).details == {"callId": call.id}
        client.communication.calls.update(call.id, {"status": "cancelled"})
        return call.title, call.to_number, call.from_number, call.contact_id, call.lead_id, call.deal_id

    own = "+4930999000"
    assert called(contact_id=mobile) == ("Call to Mobile", "+4930111001", own, mobile, None, None)
    assert called(contact_id=both) == ("Call to Both", "+4930111002", own, both, None, None)
    assert called(lead_id=lead) == ("Call to Lead", "+4930111004", own, None, lead, None)
    assert called(deal_id=deal) == ("Call to Both", "+4930111002", own, both, None, deal)
    assert called(deal_id=deal, lead_id=lead) == ("Call to Lead", "+4930111004", own, None, lead, deal)
    assert called(contact_id=both, lead_id=lead) == ("Call to Both", "+4930111002", own, both, lead, None)
    assert called(contact_id=bare, to_number="+49 30 777") == ("Call to Bare", "+4930777", own, bare, None, None)
    assert called(to_number="+49 30 777 1", from_number="+49 30 5550", record=True) == (
        "Call to +49307771", "+49307771", "+49305550", None, None, None,
    )  # fmt: skip
    assert called(deal_id=alone, to_number="+4930123456789") == (
        "Call to +4930123456789", "+4930123456789", own, None, None, alone,
    )  # fmt: skip
    for given in ({}, {"contact_id": bare}, {"deal_id": alone}):
        error = refused(partial(dial, **given))
        assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [("to_number", "required")])
    for field, number in (
        ("to_number", "+123456"), ("to_number", "+1234567890123456"), ("to_number", "+0123456789"),
        ("from_number", "1"),
    ):  # fmt: skip
        error = refused(partial(dial, **{"contact_id": both, field: number}))
        assert (error.code, error.fields[0].field, error.fields[0].rule) == ("INVALID_PHONE", field, "format")


def test_each_user_and_each_service_is_in_one_call(stub: StubServer, client: CrmClient) -> None:
    telephone(client)
    sam = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    app = stub.client().auth.token(
        grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret"
    )
    service = stub.client(api_key=str(app.access_token), dialects="platform", max_retries=0)
    everybody = [client, sam, service]
    calls = [one.communication.calls.dial(f"+4930111{at}00") for at, one in enumerate(everybody)]
    for one, call in zip(everybody, calls, strict=True):
        error = refused(partial(one.communication.calls.dial, "+4930111900"))
        assert (error.status, error.code, error.details) == (409, "USER_BUSY", {"callId": call.id})


def test_a_change_of_a_call_is_one_of_its_version_and_tells_of_its_end(stub: StubServer, client: CrmClient) -> None:
    calls: Any = client.communication.calls
    call = calls.create({"title": "Call", "direction": "inbound", "status": "in_progress"})
    version = some(call.version)
    assert refused(lambda: calls.update(call.id, {"title": "Other"}, version=version + 1)).status == 409
    for changes, told in (
        ({"title": "Other"}, ["call.updated"]),
        ({"status": "completed"}, ["call.updated", "call.completed"]),
        ({"outcome": "connected"}, ["call.updated"]),
        ({"status": "completed"}, []),
    ):
        log = len(stub.audit())
        done = calls.update(call.id, changes)
        assert [verb for verb in trail(stub, log) if verb.startswith("call.")] == told
        assert done.end_time is None, "only a call that is dialled ends with its status"
    (end,) = [entry for entry in stub.audit() if entry["action"] == "call.completed"]
    assert [(one["field"], one["before"], one["after"]) for one in end["changes"]] == [
        ("status", "in_progress", "completed")
    ]


@pytest.mark.parametrize(("number", "answered"), [("+4930120001", False), ("+4930120011", True), ("+4930120004", True)])
def test_who_does_not_answer_ends_the_call_with_no_time(
    stub: StubServer, client: CrmClient, number: str, answered: bool
) -> None:
    telephone(client)
    call = client.communication.calls.dial(number)
    stub.clock.advance(6)
    now = client.communication.calls.get(call.id)
    assert (now.status, now.outcome, now.duration_seconds, now.end_time is None) == (
        ("in_progress", None, None, True) if answered else ("busy", "busy", 0, False)
    )
