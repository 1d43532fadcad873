"""What a capture stores and answers, member by member, by each of its doors."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from crm_sdk.models.lead_captures import LeadCapture
from server_stub import StubServer
from server_stub.data.document import Document

FORM: dict[str, Any] = {
    "form_id": " contact-us ", "page_url": "https://acme.test/p", "referrer": "https://acme.test/r",
    "first_name": "Ann", "last_name": "Lee", "email": "Ann@initech.test", "phone": "(415) 555-2671",
    "company": "Initech", "title": "CTO", "message": " Hello ", "value": 50, "consent": False,
    "utm": {"source": "s", "campaign": "Spring"}, "custom_fields": {"size": "L"},
}  # fmt: skip


def said(stub: StubServer, lead_id: str) -> list[Document]:
    return stub.store.collection("tenant_acme", "activity").find("lead_id", lead_id)


def members(doc: Any, *names: str) -> list[Any]:
    return [doc[name] if isinstance(doc, dict) else getattr(doc, name) for name in names]


def test_a_form_is_stored_whole(stub: StubServer, client: CrmClient) -> None:
    at = stub.clock.now() - timedelta(days=3)
    form: Any = {**FORM, "submitted_at": at}
    made = client.request("POST", "/v1/leads/capture/web-form", json={
        **{"formId": form["form_id"], "pageUrl": form["page_url"], "firstName": "Ann", "lastName": "Lee"},
        **{name: form[name] for name in ("referrer", "email", "phone", "company", "title", "message", "value", "utm")},
        "consent": False, "customFields": {"size": "L"}, "submittedAt": at.isoformat(),
    })  # fmt: skip
    data = made.json()["data"]
    assert made.status == 201
    assert {name: data[name] for name in ("created", "matchedOn", "channel", "extracted", "otherMatches")} == {
        "created": True, "matchedOn": None, "channel": "web_form", "extracted": [], "otherMatches": [],
    }  # fmt: skip
    lead = client.leads.get(data["lead"]["id"])
    assert (data["assignment"]["leadId"], data["assignment"]["ownerId"]) == (lead.id, lead.owner_id)
    assert members(lead, "name", "first_name", "last_name", "email", "phone", "company", "title") == [
        "Ann Lee", "Ann", "Lee", "ann@initech.test", "+14155552671", "Initech", "CTO",
    ]  # fmt: skip
    assert members(lead, "source", "source_detail", "campaign", "notes", "email_opt_out", "custom_fields", "value") == [
        "website", "contact-us", "Spring", ["Hello"], True, {"size": "L"}, 50,
    ]  # fmt: skip
    assert lead.last_activity_at == at and lead.utm and lead.utm.source == "s"
    (note,) = said(stub, lead.id)
    text = "Hello\npage_url: https://acme.test/p\nreferrer: https://acme.test/r"
    assert members(note, "kind", "title", "description", "body", "occurred_at", "source", "owner_id") == [
        "note", "Web form contact-us", text, text, at, "api", lead.owner_id,
    ]  # fmt: skip
    again = client.request("POST", "/v1/leads/capture/web-form", json={"phone": "+14155552671", "formId": " "})
    seen = again.json()["data"]
    assert (again.status, seen["created"], seen["matchedOn"], seen["assignment"]) == (200, False, "phone", None)
    assert [(one["title"], one["body"]) for one in said(stub, lead.id)[1:]] == [("Web form", "")]
    error = refused(lambda: client.leads.capture.web_form({"name": "Ann", "phone": " "}))
    assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [("email", "required")])


def test_what_comes_in_fills_what_is_empty(stub: StubServer, client: CrmClient) -> None:
    later, old = stub.clock.now() + timedelta(days=1), stub.clock.now() - timedelta(days=9)
    known: Any = {"name": "Ann Lee", "email": "ann@initech.test", "custom_fields": {"size": "S"}, "title": "CEO"}
    lead = client.leads.create(known).id
    form: Any = {**FORM, "custom_fields": {"size": "L", "hat": 7}, "consent": True, "submitted_at": old}
    for last, found in ((None, old), (later, later)):
        stored(stub, "lead", lead, last_activity_at=last)
        client.leads.capture.web_form(form)
        now = client.leads.get(lead)
        assert now.last_activity_at == found
        assert members(now, "title", "company", "custom_fields", "email_opt_out", "campaign", "source") == [
            "CEO", "Initech", {"size": "S", "hat": 7}, False, "Spring", "other",
        ]  # fmt: skip
    assert now.notes == ["Hello", "Hello"]
    client.leads.capture.web_form({"email": "ann@initech.test", "consent": False})
    quiet = client.leads.get(lead)
    assert (quiet.email_opt_out, quiet.notes) == (True, ["Hello", "Hello"])


def test_who_gives_no_name_is_called_by_the_address_or_number(client: CrmClient) -> None:
    cases: list[tuple[dict[str, str], str]] = [
        ({"email": "ann.lee@initech.test"}, "Ann Lee"),
        ({"email": "info@initech.test"}, "info"),
        ({"phone": "+14155552679"}, "+14155552679"),
        ({"email": "bo@initech.test", "first_name": "Bo"}, "Bo"),
        ({"email": "eve@initech.test", "name": "Eve Lind"}, "Eve Lind"),
    ]
    for form, name in cases:
        given: Any = form
        assert some(client.leads.capture.web_form(given).lead).name == name


def test_an_email_is_stored_whole(stub: StubServer, client: CrmClient) -> None:
    at = stub.clock.now() - timedelta(hours=2)

    def captured(address: str, **mail: Any) -> LeadCapture:
        given: Any = {"from_email": address, "subject": "Prices", "body": "Hi", **mail}
        return client.leads.capture.email(given)

    file = client.files.upload(b"x", name="a.txt").id
    capture = captured(
        "Bo@Contoso.test", from_name="Bo Ek", to="Sales@acme.test", message_id=" <1@c.test> ", received_at=at,
        attachments=[file],
    )  # fmt: skip
    lead = some(capture.lead)
    assert members(lead, "name", "email", "source", "source_detail", "company", "last_activity_at") == [
        "Bo Ek", "bo@contoso.test", "email", "sales@acme.test", "Contoso", at,
    ]  # fmt: skip
    assert [(one.field, one.before, one.after) for one in capture.extracted] == [("company", None, "Contoso")]
    (mail,) = said(stub, lead.id)
    assert members(mail, "kind", "title", "subject", "description", "body_text", "direction", "status") == [
        "email", "Prices", "Prices", "Hi", "Hi", "inbound", "received",
    ]  # fmt: skip
    assert members(mail, "received_at", "occurred_at", "message_id", "is_read", "folder", "attachments") == [
        at, at, "<1@c.test>", False, "inbox", [file],
    ]  # fmt: skip
    assert mail["from_address"]["email"] == "bo@contoso.test" and mail["to"][0]["email"] == "sales@acme.test"
    assert captured("bo@contoso.test", message_id="<1@c.test>").matched_on == "message_id"
    client.leads.delete(lead.id)
    anew = captured("bo@contoso.test", message_id="<1@c.test>")
    assert (anew.created, [one["id"] for one in said(stub, some(anew.lead).id)]) == (True, [mail["id"]])
    logged: Any = {"subject": "Hi", "to": [{"email": "a@b.test"}], "message_id": "<2@c.test>", "sent_at": at}
    other = client.leads.create({"name": "Other"}).id
    for number, owner in enumerate((None, other)):
        logged |= {"message_id": f"<log{number}@c.test>", "lead_id": owner}
        known = client.activities.emails.create(logged).id
        found = some(captured(f"log{number}@gmail.com", message_id=logged["message_id"]).lead).id
        assert client.activities.get(known).lead_id == (owner or found), "an e-mail that is logged is one"
    unnamed = captured("eva@gmail.com", message_id=" ")
    assert (unnamed.extracted, some(unnamed.lead).company, some(unnamed.lead).source_detail) == ([], None, None)
    assert captured("eva@gmail.com", message_id=" ").matched_on == "email", "no word for it: it may be another"
    client.accounts.create({"name": "The Fabrikam", "domain": "fabrikam.test"})
    signed = {"body": "Hi\n--\nOther GmbH"}
    companies = [
        some(captured(f"x@{host}", **signed).lead).company for host in ("fabrikam.test", "f.test", "gmail.com")
    ]
    assert companies == ["The Fabrikam", "Other GmbH", "Other GmbH"]


def test_a_post_is_stored_whole(stub: StubServer, client: CrmClient) -> None:
    mentions = stub.store.collection("tenant_acme", "mention")
    mention = mentions.all()[0]["id"]
    stored(stub, "mention", mention, lead_id=None)
    made = client.leads.capture.social(
        {"network": "twitter", "handle": " @AnnLee ", "message": " Nice ", "post_url": "https://t.test/1",
         "email": "ann@initech.test", "mention_id": mention}
    )  # fmt: skip
    lead = some(made.lead)
    assert (made.created, made.matched_on, made.channel) == (True, None, "social")
    assert members(lead, "name", "source", "source_detail", "email", "notes") == [
        "annlee", "social", "https://t.test/1", "ann@initech.test", ["Nice"],
    ]  # fmt: skip
    assert [one.model_dump() for one in lead.social_profiles or ()] == [
        {"network": "twitter", "url": "https://twitter.com/annlee", "handle": "annlee"}
    ]
    (note,) = said(stub, lead.id)
    assert members(note, "title", "body") == ["twitter: annlee", "Nice\nhttps://t.test/1"]
    assert some(mentions.get(mention))["lead_id"] == lead.id
    by_mail = client.leads.capture.social({"network": "github", "handle": "lee", "email": "ann@initech.test"})
    assert (by_mail.matched_on, some(by_mail.lead).id) == ("email", lead.id)
    url = "https://linkedin.test/in/lee/"
    by_url = client.leads.capture.social({"network": "linkedin", "profile_url": url, "ad_form_id": "ad", "name": "L"})
    new = some(by_url.lead)
    assert members(new, "name", "source_detail", "notes") == ["L", "ad", []]
    assert [(one.url, one.handle) for one in new.social_profiles or ()] == [(url, "lee")]
    known = client.leads.capture.social({"network": "github", "handle": "LEE"})
    assert [one.network for one in some(known.lead).social_profiles or ()] == ["twitter", "github"], "none twice"
    plain = some(client.leads.capture.social({"network": "xing", "handle": "z"}).lead)
    assert (plain.source_detail, said(stub, plain.id)[0]["body"]) == ("xing", "")
    error = refused(lambda: client.leads.capture.social({"network": "xing", "handle": " @ "}))
    assert (error.status, [(one.field, one.rule) for one in error.fields]) == (422, [("handle", "required")])


def test_who_consents_need_have_no_address(client: CrmClient) -> None:
    lead = some(client.leads.capture.web_form({"phone": "+12125550123", "consent": True}).lead)
    assert (lead.phone, lead.email, lead.email_opt_out) == ("+12125550123", None, False)
