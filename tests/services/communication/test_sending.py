"""What an e-mail that is sent is made of: who it is from, where answers go, and what a template can name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from typing import Any

import pytest
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient, JobFailedError
from server_stub import StubServer
from server_stub.outside.mailboxes import Mailbox
from server_stub.outside.remotes import ConnectionLostError

BOX: Any = {
    "name": "Ada's mail", "type": "email", "provider": "imap", "auth_type": "basic",
    "credentials": {"host": "mail.example", "username": "ada", "password": "a long secret"},
}  # fmt: skip
Sent = list[tuple[EmailMessage, str, list[str]]]


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """The messages that mailboxes were given, with the sender and the recipients of each."""
    found: Sent = []

    def send(box: Mailbox, message: EmailMessage, sender: str, recipients: Sequence[str]) -> Mapping[str, str]:
        found.append((message, sender, list(recipients)))
        return {}

    monkeypatch.setattr(Mailbox, "send", send)
    return found


def test_a_message_says_where_answers_go_and_hides_who_gets_a_blind_copy(
    stub: StubServer, client: CrmClient, sent: Sent
) -> None:
    box = client.integrations.create(BOX | {"config": {"address": "ada@acme.example"}}).id
    mail: Any = {
        "to": ["a@x.example", "A@x.example"], "cc": ["b@x.example"], "bcc": ["c@x.example", "a@x.example"],
        "subject": "A", "body_text": "B", "integration_id": box, "send_at": stub.clock.now() + timedelta(minutes=5),
    }  # fmt: skip
    plain, answered = (client.communication.email.send(mail).id for _ in range(2))
    client.activities.update(answered, {"reply_to": {"email": "team@x.example", "name": "Team"}})
    stub.clock.advance(299)
    assert client.communication.email.get(plain).status == "queued" and not sent
    stub.clock.advance(2)
    assert client.communication.email.get(plain).status == "sent"
    assert sorted(str(message["Reply-To"]) for message, _, _ in sent) == ["None", "Team <team@x.example>"]
    for message, sender, recipients in sent:
        assert (message["From"], sender) == ("Ada Lindqvist <ada@acme.example>", "ada@acme.example")
        assert (message["To"], message["Cc"], message["Bcc"]) == ("a@x.example", "b@x.example", None)
        assert recipients == ["a@x.example", "b@x.example", "c@x.example"]


def test_who_sends_is_the_user_or_the_service_and_the_company(stub: StubServer, client: CrmClient) -> None:
    made = client.notifications.templates.create({
        "name": "From", "category": "custom", "subject": "{{ sender_name }}",
        "content": "{{ sender.name }} <{{ sender.email | default('none') }}> of {{ our_company }}, {{ company.name }}",
    })  # fmt: skip
    app = stub.client().auth.token(
        grant_type="client_credentials", client_id="demo-service", client_secret="demo-secret"
    )
    service = stub.client(api_key=str(app.access_token), dialects="platform", max_retries=0)
    body: Any = {"to": ["a@x.example"], "template_id": made.id}
    company = some(stub.store.collection("tenant_acme", "tenant").get("tenant_acme"))["name"]
    found = {}
    for name, crm in (("user", client), ("service", service)):
        mail = crm.communication.email.send(body)
        found[name] = (mail.subject, mail.body_text, some(mail.from_address).email, some(mail.from_address).name)
    assert found["user"] == (
        "Ada Lindqvist", f"Ada Lindqvist <ada@acme.test> of {company}, {company}", "ada@acme.test", "Ada Lindqvist",
    )  # fmt: skip
    subject, *rest = found["service"]
    assert tuple(rest) == (f"{subject} <none> of {company}, {company}", "no-reply@acme.test", company)
    counted = some(stub.store.collection("tenant_acme", "template").get(made.id))
    assert (counted["usage_count"], counted["version"]) == (2, 1)


def test_only_the_html_of_a_template_has_its_values_escaped(client: CrmClient) -> None:
    contact = client.contacts.create({"name": "A & B <c>", "email": "ab@x.example"}).id
    made = client.notifications.templates.create({
        "name": "For {{contact.name}}", "category": "custom", "content": "Hi {{contact.name}}",
        "content_html": "<b>{{contact.name}}</b>", "subject": "On  {{contact.name}}",
    })  # fmt: skip
    mail = client.communication.email.send({"to": [contact], "template_id": made.id, "track_opens": False})
    assert (mail.subject, mail.body_text, mail.body_html, mail.template_id) == (
        "On A & B <c>", "Hi A & B <c>", "<b>A &amp; B &lt;c&gt;</b>", made.id,
    )  # fmt: skip
    own: Any = {"to": [contact], "template_id": made.id, "subject": "Own", "body_text": "", "body_html": "<i>Own</i>"}
    mail = client.communication.email.send(own | {"track_opens": False})
    assert (mail.subject, mail.body_text, mail.body_html) == ("Own", "", "<i>Own</i>")


def test_what_a_template_can_name_is_of_whom_the_email_concerns(stub: StubServer, client: CrmClient) -> None:
    contact = client.contacts.create({"name": "Grace Hopper", "email": "grace@x.example", "company": "Navy"}).id
    lead = client.leads.create({"name": "Leo", "email": "leo@x.example"}).id
    deal = client.deals.create({"title": "Offer", "value": 5, "contact_id": contact}).id
    templates = stub.store.collection("tenant_acme", "template")
    template = templates.all()[0]

    def filled(text: str, to: str, **given: Any) -> str | None:
        templates.put(template | {"subject": "S", "content": text, "content_html": None, "translations": []})
        body: Any = {"to": [to], "template_id": template["id"], **given}
        return client.communication.email.send(body).body_text

    for text, to, given, expected in (
        ("{{first_name}} {{contact_name}}", contact, {}, "Grace Grace Hopper"),
        ("{{contact.first_name}} of {{company}}", contact, {}, "Grace of Navy"),
        ("{{deal.title}}", "new@x.example", {"deal_id": deal}, "Offer"),
        ("{{lead.name}} {{contact.name}}", "leo@x.example", {}, "Leo Leo"),
        ("{{contact.name}}", "user_sam", {}, "Sam Okonkwo"),
        ("{{contact.name}}", contact, {"variables": {"contact.name": "Grey"}}, "Grey"),
        ("{{contact}} {{other.name}}", contact, {"variables": {"contact": "C"}}, None),
        ("{{first_name}}", contact, {"variables": {"first_name": "Amazing"}}, "Amazing"),
        ("{{deal.title | default('none')}}", contact, {}, "none"),
    ):  # fmt: skip
        if expected is None:
            assert refused(partial(filled, text, to, **given)).code == "MISSING_VARIABLE"
        else:
            assert filled(text, to, **given) == expected, text
    assert lead


def test_a_run_that_is_cut_off_has_failed_with_what_the_mailbox_said(
    stub: StubServer, client: CrmClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fetch(box: Mailbox, folder: str, after: int) -> Any:
        yield 1, b"Message-ID: <1@x.example>\nFrom: a@x.example\nSubject: A\n\nB"
        raise ConnectionLostError("nobody answers")

    monkeypatch.setattr(Mailbox, "fetch", fetch)
    box = client.integrations.create(BOX).id
    log = len(stub.audit())
    run = client.communication.email.sync(box)
    with pytest.raises(JobFailedError):
        run.wait()
    lost: dict[str, Any] = {"code": "CONNECTION_REFUSED", "message": "nobody answers", "field": None, "details": {}}
    (job,) = stub.store.collection("tenant_acme", "job").find("kind", "email_sync")
    assert (job["status"], job["error"], job["title"]) == ("failed", lost, "E-mails of Ada's mail")
    assert (job["counts"]["total"], job["counts"]["created"]) == (1, 1)
    doc = some(stub.store.collection("tenant_acme", "integration").get(box))
    assert (doc["status"], doc["last_error"], doc["email_cursor"]) == ("error", lost | {"rule": None}, {"INBOX": 1})
    ended = some(stub.store.collection("tenant_acme", "sync_run").get(job["payload"]["run_id"]))
    assert (ended["status"], ended["error"], ended["progress"]) == ("failed", lost | {"rule": None}, 0.0)
    assert (ended["direction"], ended["entity_types"], ended["mode"]) == ("inbound", ["activity"], "incremental")
    told = [entry["action"] for entry in stub.audit()[log:] if entry["entity"]["id"] == box]
    assert told == ["integration.error"]


def test_the_images_of_what_we_wrote_stay_and_those_of_others_wait(stub: StubServer, client: CrmClient) -> None:
    html = '<p>Hi <img src="https://x.example/a.png"></p>'
    mail: Any = {"to": ["a@x.example"], "subject": "A", "body_html": html, "track_opens": False}
    sent = client.communication.email.send(mail)
    assert sent.body_html == client.communication.email.get(sent.id).body_html == html
    stored(stub, "activity", sent.id, direction="inbound")
    assert client.communication.email.get(sent.id).body_html == html.replace("src", "data-src")
    assert client.communication.email.get(sent.id, include=["images"]).body_html == html
    stored(stub, "activity", sent.id, body_html=None)
    assert client.communication.email.get(sent.id).body_html is None


def test_an_invitation_is_an_email_with_the_time_the_way_in_and_the_icalendar_file(
    stub: StubServer, client: CrmClient, sent: Sent
) -> None:
    for mailbox in stub.store.collection("tenant_acme", "integration").find("type", "email"):
        stored(stub, "integration", mailbox["id"], status="error")
    client.integrations.create(BOX | {"config": {"address": "ada@acme.example"}})
    start = stub.clock.now().replace(microsecond=0) + timedelta(days=2)
    event: Any = {
        "title": "A\n long  talk", "start_time": start, "end_time": start + timedelta(hours=1),
        "attendees": [{"email": "eva@x.example"}, {"email": "sam@acme.test", "user_id": "user_sam"}],
    }  # fmt: skip
    meetings: Any = client.communication.meetings
    made = meetings.create(event, force=True)
    moved = start + timedelta(hours=3)
    meetings.update(made.id, {"start_time": moved, "end_time": moved + timedelta(hours=1)})
    meetings.update(made.id, {"meeting_link": None})
    meetings.cancel(made.id)
    title = made.title
    said = []
    for (message, sender, recipients), at, method, link in zip(
        sent, (start, moved, moved), ("REQUEST", "REQUEST", "CANCEL"), (made.meeting_link, made.meeting_link, None),
        strict=True,
    ):  # fmt: skip
        assert (message["From"], message["To"]) == ("Ada Lindqvist <ada@acme.example>", "eva@x.example")
        assert (sender, recipients) == ("ada@acme.example", ["eva@x.example"])
        text, calendar = message.iter_parts()
        way_in = f"\n{link}" if link is not None else ""
        assert text.get_content() == f"{title}\n{at:%Y-%m-%d %H:%M} UTC{way_in}\n"
        assert (calendar.get_content_type(), calendar.get_param("method")) == ("text/calendar", method)
        assert f"METHOD:{method}" in calendar.get_content()
        said.append(message["Subject"])
    assert said == ["Invitation: A long talk", "Moved: A long talk", "Cancelled: A long talk"]


def test_a_meeting_stands_though_its_invitation_was_not_sent(
    stub: StubServer, client: CrmClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def send(box: Mailbox, message: EmailMessage, sender: str, recipients: Sequence[str]) -> Mapping[str, str]:
        raise ConnectionLostError("nobody answers")

    monkeypatch.setattr(Mailbox, "send", send)
    client.integrations.create(BOX)
    start = stub.clock.now() + timedelta(days=2)
    event: Any = {
        "title": "Talk", "start_time": start, "end_time": start + timedelta(hours=1),
        "attendees": [{"email": "eva@x.example"}, {"email": "bob@x.example"}],
    }  # fmt: skip
    made = client.communication.meetings.create(event, force=True)
    invitations = stub.store.collection("tenant_acme", "invitation").find("event_id", made.id)
    assert [one["to"] for one in invitations] == ["eva@x.example", "bob@x.example"]
    assert [record.getMessage() for record in caplog.records if record.name.startswith("server_stub")] == [
        f"the invitation {one['id']} was not sent: nobody answers" for one in invitations
    ]


def test_a_mailbox_that_is_not_connected_sends_nothing(stub: StubServer, client: CrmClient) -> None:
    made = client.integrations.create(BOX)
    emails, known = stub.store.collection("tenant_acme", "activity"), len(stub.audit())
    email: Any = {"to": ["eva@x.example"], "subject": "S", "body_text": "T", "integration_id": made.id}
    for status in ("error", "disconnected"):
        stored(stub, "integration", made.id, status=status)
        error = refused(lambda: client.communication.email.send(email))
        assert (error.status, error.code, error.message, error.details) == (
            409, "INTEGRATION_NOT_CONNECTED", "Ada's mail is not connected", {"status": status},
        )  # fmt: skip
    assert emails.find("integration_id", made.id) == [] and len(stub.audit()) == known
