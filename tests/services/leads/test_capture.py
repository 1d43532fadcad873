"""What comes in through forms, e-mails and social networks: a new lead, or more of one that is there."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from refusals import refused
from stub_data import some, stored, trail

from crm_sdk import CrmClient
from crm_sdk.models.lead_captures import EmailCapture, WebFormSubmission
from crm_sdk.models.leads import Lead
from server_stub import StubServer


def test_a_form_completes_the_open_lead_there_is(client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "title": "CTO", "notes": "Old"})
    form: WebFormSubmission = {"form_id": "f", "email": "ANN@initech.test", "title": "CEO", "company": "Initech"}
    again = client.leads.capture.web_form({**form, "message": "New"})
    now = some(again.lead)
    assert (now.id, again.created, again.matched_on, again.assignment) == (lead.id, False, "email", None)
    assert (now.title, now.company, now.notes) == ("CTO", "Initech", ["Old", "New"])
    client.leads.qualify(lead.id, qualified=False, reason="Student")
    fresh = client.leads.capture.web_form({"form_id": "f", "email": "ann@initech.test"})
    assert (fresh.created, some(fresh.lead).duplicate_ids) == (True, [lead.id])
    assert some(fresh.assignment).owner_id == some(fresh.lead).owner_id


def test_a_form_needs_no_id(client: CrmClient) -> None:
    lead = some(client.leads.capture.web_form({"email": "ann@initech.test", "message": "Hello"}).lead)
    assert (lead.source, lead.source_detail, lead.notes) == ("website", None, ["Hello"])
    named = some(client.leads.capture.web_form({"email": "bo@initech.test", "form_id": "contact-us"}).lead)
    assert named.source_detail == "contact-us"


def test_a_robots_form_leaves_no_trace(stub: StubServer, client: CrmClient) -> None:
    before = (client.leads.list(limit=1).total, len(stub.audit()))
    capture = client.leads.capture.web_form({"form_id": "f", "email": "bot@spam.test", "honeypot": "x"})
    assert (capture.lead, capture.created) == (None, False)
    assert (client.leads.list(limit=1).total, len(stub.audit())) == before
    error = refused(lambda: client.leads.capture.web_form({"form_id": "f", "name": "No way to answer"}))
    assert (error.status, error.fields[0].rule) == (422, "required")


def test_the_lead_of_the_latest_activity_is_completed_and_the_others_are_named(
    stub: StubServer, client: CrmClient
) -> None:
    def twin() -> Lead:
        stub.clock.advance(60)
        return client.leads.create({"name": "Ann Lee", "email": "ann@initech.test", "phone": "+14155552671"})

    def completed(**given: str) -> tuple[str, set[str]]:
        captured = client.leads.capture.web_form({"message": "Hello", **given})  # type: ignore[typeddict-item] # email, phone
        assert captured.created is False
        return some(captured.lead).id, {ref.id for ref in captured.other_matches if ref.type == "lead"}

    old, middle, new = twin(), twin(), twin()
    at = stub.clock.now()
    stored(stub, "lead", old.id, last_activity_at=at)
    assert completed(email="ann@initech.test") == (old.id, {middle.id, new.id})
    for lead in (old, middle, new):
        stored(stub, "lead", lead.id, last_activity_at=None)
    assert completed(phone="+14155552671") == (new.id, {old.id, middle.id}), "none has any: the newest"
    for lead in (old, middle, new):
        stored(stub, "lead", lead.id, last_activity_at=at, created_at=at)
    greatest = max(old.id, middle.id, new.id)
    assert completed(email="ann@initech.test") == (greatest, {old.id, middle.id, new.id} - {greatest})
    client.leads.qualify(greatest, qualified=False, reason="Student")
    again = client.leads.capture.web_form({"email": "ann@initech.test"})
    assert greatest not in {some(again.lead).id, *(ref.id for ref in again.other_matches)}, "only open leads"


def test_an_email_is_read_once(client: CrmClient) -> None:
    mail: EmailCapture = {
        "from_email": "bo@contoso.test",
        "from_name": "Bo Ek",
        "subject": "Prices",
        "body": "Price?\n\nKind regards\nBo Ek\nHead of Purchasing, Contoso Nordic\n(415) 555-2671\n> CEO at Foo Inc",
        "message_id": "<1@contoso.test>",
    }
    first = client.leads.capture.email(mail)
    lead = some(first.lead)
    read = {change.field: change.after for change in first.extracted}
    assert read == {"phone": "+14155552671", "title": "Head of Purchasing", "company": "Contoso Nordic"}
    assert (first.created, lead.title, lead.phone) == (True, read["title"], read["phone"])
    again = client.leads.capture.email(mail)
    assert (again.created, again.matched_on, again.extracted) == (False, "message_id", first.extracted)
    assert again.lead == lead
    other = client.leads.capture.email({**mail, "message_id": "<2@contoso.test>"})
    assert (other.matched_on, some(other.lead).version) == ("email", 2)


def test_the_same_email_names_the_same_other_matches(client: CrmClient) -> None:
    for _ in range(2):
        client.leads.create({"name": "Bo Ek", "email": "bo@contoso.test"})
    mail: EmailCapture = {"from_email": "bo@contoso.test", "subject": "Hi", "body": "Hello", "message_id": "<1@c.test>"}
    first, again = client.leads.capture.email(mail), client.leads.capture.email(mail)
    assert len(first.other_matches) == 1 and again.other_matches == first.other_matches
    unknown: EmailCapture = {**mail, "message_id": "<2@c.test>", "attachments": ["file_none"]}
    error = refused(lambda: client.leads.capture.email(unknown))
    assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "attachments.0")


def test_a_handle_is_the_same_person_on_the_same_network_only(client: CrmClient) -> None:
    first = client.leads.capture.social({"network": "twitter", "handle": "@AnnLee", "message": "Nice"})
    again = client.leads.capture.social({"network": "twitter", "profile_url": "https://twitter.com/annlee/"})
    other = client.leads.capture.social({"network": "github", "handle": "annlee"})
    assert (again.created, again.matched_on, other.created) == (False, "handle", True)
    assert (some(again.lead).id, some(again.lead).source) == (some(first.lead).id, "social")


def test_a_capture_tells_of_the_lead_and_of_what_was_said(stub: StubServer, client: CrmClient) -> None:
    form: WebFormSubmission = {"email": "ann@initech.test", "title": "CTO", "message": "Hello"}
    before = len(stub.audit())
    first = some(client.leads.capture.web_form(form).lead)
    assert trail(stub, before) == ["lead.created", "activity.created", "note.created", "lead.captured"]
    before = len(stub.audit())
    again = some(client.leads.capture.web_form({**form, "title": "CEO"}).lead)
    assert trail(stub, before) == ["activity.created", "note.created", "lead.captured"]
    assert (first.version, again.version, again.title) == (1, 2, "CTO")
    captured = stub.audit()[-1]
    assert {change["field"] for change in captured["changes"]} >= {"notes", "last_activity_at"}
    assert captured["metadata"]["matched_on"] == "email"
    assert stored(stub, "activity", captured["metadata"]["activity_id"])["lead_id"] == first.id
    assert len(client.leads.scoring_history(first.id).items) == 2, "what was said counts at once"


def test_a_value_that_comes_in_is_in_the_companys_currency(client: CrmClient) -> None:
    cases: list[tuple[Any, Any]] = [
        ({}, (Decimal(50), "USD")),
        ({"currency": "EUR"}, (Decimal(50), "USD")),
        ({"currency": "EUR", "annual_revenue": 7}, (None, "EUR")),
        ({"currency": "EUR", "value": 0}, (Decimal(0), "EUR")),
    ]
    for number, (known, found) in enumerate(cases):
        email = f"ada{number}@initech.test"
        ada: Any = {"name": "Ada", "email": email, **known}
        lead = client.leads.create(ada)
        client.leads.capture.web_form({"email": email, "value": 50})
        now = client.leads.get(lead.id)
        assert (now.value, now.currency) == found
