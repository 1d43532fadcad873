"""What leaves: whom an e-mail goes to, what an answer is about, and when it arrives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from server_stub import StubServer


def test_whom_an_email_goes_to(client: CrmClient, stub: StubServer) -> None:
    eva = client.contacts.create({"name": "Eva", "email": "eva@x.example", "secondary_emails": ["e@x.example"]})
    bare = client.contacts.create({"name": "Bare"})
    off = client.leads.create({"name": "Off", "email": "off@x.example", "do_not_contact": True})
    client.contacts.create({
        "name": "Quiet", "email": "q@x.example", "secondary_emails": ["quiet@x.example"], "email_opt_out": True,
    })  # fmt: skip
    send: Any = client.communication.email.send
    mail: Any = {"subject": "A", "body_text": "B"}
    made = send(mail | {"to": [eva.id, "EVA@x.example", "e@x.example", "user_sam"], "cc": ["c@x.example"] * 2})
    assert [(one.email, one.name) for one in made.to] == [
        ("eva@x.example", "Eva"), ("e@x.example", None), ("sam@acme.test", "Sam Okonkwo"),
    ]  # fmt: skip
    assert ([one.email for one in made.cc], made.contact_id) == (["c@x.example"], eva.id)
    assert send(mail | {"to": ["E@x.example"]}).contact_id == eva.id
    assert (made.from_address.email, made.from_address.name) == ("ada@acme.test", "Ada Lindqvist")
    for to, code, field in (
        (["a@x.example", "+4930123456"], "VALIDATION_ERROR", "to.1"),
        (["a@b@c"], "VALIDATION_ERROR", "to.0"),
        (["contact_nobody"], "REFERENCE_NOT_FOUND", "to.0"),
        ([bare.id], "NO_ADDRESS", "to.0"),
        (["a@b@c", bare.id, "+49"], "NO_ADDRESS", "to.1"),
        (["a@b@c", "contact_nobody"], "REFERENCE_NOT_FOUND", "to.1"),
        ([off.id], "RECIPIENT_OPTED_OUT", None),
        (["OFF@x.example"], "RECIPIENT_OPTED_OUT", None),
        (["quiet@x.example"], "RECIPIENT_OPTED_OUT", None),
    ):
        refusal = refused(lambda to=to: send(mail | {"to": to}))  # type: ignore[misc] # bound at once
        assert refusal.code == code, to
        assert field is None or refusal.fields[0].field == field
    several = refused(lambda: send(mail | {"to": ["a@b@c", "+4930"], "cc": ["x@y.example"], "bcc": ["@"]}))
    assert [(one.field, one.rule) for one in several.fields] == [
        ("to.0", "format"), ("to.1", "format"), ("bcc.0", "format"),
    ]  # fmt: skip
    details = refused(lambda: send(mail | {"to": [off.id, "off@x.example"]})).details["recipients"]
    assert [(one["type"], one["id"], one["email"]) for one in details] == [("lead", off.id, "off@x.example")]
    for missing, field in (({"subject": "A"}, "body_text"), ({"body_text": "B"}, "subject")):
        refusal = refused(lambda missing=missing: send({"to": ["a@x.example"], **missing}))  # type: ignore[misc] # bound at once
        assert [one.field for one in refusal.fields] == [field]


def test_an_answer_has_the_subject_and_the_records_of_what_it_answers(client: CrmClient, stub: StubServer) -> None:
    eva = client.contacts.create({"name": "Eva", "email": "eva@x.example"})
    deal = client.deals.create({"title": "D", "contact_id": eva.id})
    send: Any = client.communication.email.send
    first = send({"to": [eva.id], "subject": "Offer", "body_text": "B", "deal_id": deal.id})
    second = send({"to": ["new@x.example"], "body_text": "B", "reply_to_email_id": first.id})
    third = send({"to": ["new@x.example"], "body_text": "B", "reply_to_email_id": second.id})
    assert [mail.subject for mail in (second, third)] == ["Re: Offer", "Re: Offer"]
    assert [(mail.contact_id, mail.deal_id, mail.thread_id) for mail in (second, third)] == [
        (eva.id, deal.id, first.thread_id)
    ] * 2
    assert (second.in_reply_to, third.in_reply_to) == (first.message_id, second.message_id)
    task = client.activities.tasks.create({"title": "T"})
    for id in (task.id, "activity_no"):
        body: Any = {"to": ["a@x.example"], "body_text": "B", "reply_to_email_id": id}
        refusal = refused(partial(send, body))
        assert (refusal.code, refusal.fields[0].field) == ("REFERENCE_NOT_FOUND", "reply_to_email_id")


def test_an_email_leaves_at_its_time_and_arrives_a_second_later(client: CrmClient, stub: StubServer) -> None:
    at = stub.clock.now().replace(microsecond=0) + timedelta(hours=1)
    given: Any = {"to": ["a@x.example"], "subject": "A", "body_text": "B"}
    mail = client.communication.email.send(given | {"send_at": at})
    past = client.communication.email.send(given | {"send_at": datetime(2026, 1, 1, tzinfo=UTC)})
    stub.clock.advance(2)
    assert client.communication.email.get(past.id).status == "delivered"
    states = []
    for until in (at, at + timedelta(milliseconds=600), at + timedelta(milliseconds=1_400), at + timedelta(seconds=2)):
        stub.clock.advance((until - stub.clock.now()).total_seconds())
        states.append(client.communication.email.get(mail.id).status)
    assert states == ["queued", "sent", "sent", "delivered"]
    done = client.communication.email.get(mail.id)
    assert (done.sent_at, done.folder) == (
        at + timedelta(milliseconds=500),
        "sent",
    ) and done.occurred_at == done.sent_at
    (sent,) = [one for one in stub.audit() if one["action"] == "email.sent" and one["entity"]["id"] == mail.id]
    assert sent["metadata"] == {"email_id": mail.id}


def test_an_email_that_is_gone_or_done_leaves_no_more(client: CrmClient, stub: StubServer) -> None:
    given: Any = {"to": ["a@x.example"], "subject": "A", "body_text": "B"}
    gone, done, kept = (client.communication.email.send(given) for _ in range(3))
    client.activities.delete(gone.id)
    stored(stub, "activity", done.id, status="delivered")
    stub.clock.advance(3)
    assert client.communication.email.get(kept.id).status == "delivered"
    assert not list(stub.store.collection("tenant_acme", "email_delivery"))
    sent = [entry["entity"]["id"] for entry in stub.audit() if entry["action"] == "email.sent"]
    assert sent == [kept.id]
