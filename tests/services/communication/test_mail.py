"""E-mails through real servers: what is sent arrives, what arrives is in its thread, what comes back is told."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from imap_server import ImapServer
from refusals import refused
from stub_data import some, stored

from crm_sdk import ConflictError, CrmClient, JobFailedError, PermissionDeniedError, ValidationError
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.request.http import Request
from server_stub.services.communication import receiving


class Inbox:
    """What an SMTP server was given; it refuses addresses that begin with ``nobody``."""

    def __init__(self) -> None:
        self.messages: list[Any] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address.startswith("nobody"):
            return "550 5.1.1 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self.messages.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class Smtp(Controller):
    """An SMTP server on a free port."""

    def _trigger_server(self) -> None:
        with socket.create_connection(self.address, timeout=5) as connection:
            connection.recv(1024)

    @property
    def address(self) -> tuple[str, int]:
        sockets: Any = getattr(self.server, "sockets", ())
        host, port = sockets[0].getsockname()
        return host, port


@pytest.fixture
def post(stub: StubServer, client: CrmClient) -> Iterator[Any]:
    """A mailbox of the caller with an SMTP and an IMAP server."""
    inbox = Inbox()
    smtp = Smtp(inbox, hostname="127.0.0.1", port=0)
    smtp.start()
    with ImapServer("secret") as imap:
        made = client.integrations.create({
            "name": "Ada's mail", "type": "email", "provider": "imap", "auth_type": "basic",
            "credentials": {"host": "mail.example", "username": "ada", "password": "a long secret"},
            "config": {"address": "ada@acme.example"},
        })  # fmt: skip
        box = stub.mailboxes[made.id]
        box.connect(smtp=smtp.address, imap=imap.address, username="ada", password="secret")
        yield SimpleNamespace(id=made.id, sent=inbox.messages, folders=imap.folders, box=box, imap=imap)
    smtp.stop()


def person(client: CrmClient, **members: Any) -> Any:
    given: Any = {"name": "Grace Hopper", "email": "grace@navy.example", **members}
    return client.contacts.create(given)


def answer(to: Any, text: str = "Yes, please", **headers: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"] = "Grace <grace@navy.example>", "ada@acme.example"
    message["Subject"] = "Re: Offer"
    for name, value in {"Message-ID": "<answer@navy.example>", "In-Reply-To": to, "References": to, **headers}.items():
        message[name] = value
    message.set_content(text)
    return message.as_bytes()


def test_a_sent_email_and_its_answer_are_one_thread(stub: StubServer, client: CrmClient, post: Any) -> None:
    grace = person(client)
    mail = client.communication.email.send({
        "to": [grace.id], "subject": "Offer", "body_text": "See below", "body_html": "<p>See below</p>",
        "integration_id": post.id,
    })  # fmt: skip
    assert (mail.status, mail.contact_id) == ("queued", grace.id)
    stub.clock.advance(1)
    assert client.communication.email.get(mail.id).status == "sent"
    (arrived,) = post.sent
    assert (arrived["To"], arrived["Subject"]) == ("Grace Hopper <grace@navy.example>", "Offer")
    assert arrived["Message-ID"] == mail.message_id
    stub.clock.advance(2)
    assert client.communication.email.get(mail.id).status == "delivered"
    post.folders["INBOX"].append(answer(arrived["Message-ID"]))
    run = client.communication.email.sync(post.id).wait()
    assert run.counts is not None and (run.counts.created, run.counts.failed) == (1, 0)
    (reply,) = client.communication.email.inbox(contact_id=grace.id)
    assert (reply.thread_id, reply.direction, reply.is_read) == (mail.thread_id, "inbound", False)
    thread = client.communication.email.get(reply.id, include=["thread"]).thread
    assert thread is not None and [one.id for one in thread.emails] == [mail.id, reply.id]
    again = client.communication.email.sync(post.id, mode="full").wait()
    assert again.counts is not None and (again.counts.created, again.counts.skipped) == (0, 1)
    actions = [entry["action"] for entry in stub.audit()]
    assert actions.count("email.received") == 1 and actions.count("email.sent") == 1
    back = client.communication.email.send(
        {"to": [grace.id], "body_text": "Fine", "reply_to_email_id": reply.id, "integration_id": post.id}
    )
    stub.clock.advance(1)
    assert (
        post.sent[-1]["References"].split() == [mail.message_id, reply.message_id] and back.thread_id == mail.thread_id
    )


@pytest.mark.parametrize(
    ("members", "parts"),
    [
        ({"body_text": "See below"}, [("text/plain", "See below")]),
        ({"body_html": "<p>See</p>"}, [("text/html", "<p>See</p>")]),
        ({"body_text": "See below", "body_html": "<p>See</p>"},
         [("text/plain", "See below"), ("text/html", "<p>See</p>")]),
    ],
)  # fmt: skip
def test_a_message_has_the_text_and_the_html_that_there_are(
    stub: StubServer, client: CrmClient, post: Any, members: Any, parts: list[tuple[str, str]]
) -> None:
    mail: Any = {
        "to": [{"email": "grace@navy.example", "name": " Grace  Hopper "}, {"email": "a@x.example"}],
        "cc": [{"email": "c@x.example"}], "subject": "A\n B", "integration_id": post.id, "track_opens": False,
        **members,
    }  # fmt: skip
    client.communication.email.send(mail)
    stub.clock.advance(1)
    (arrived,) = post.sent
    found = [(one.get_content_type(), one.get_content().strip()) for one in arrived.walk() if not one.is_multipart()]
    assert found == parts
    assert (arrived["To"], arrived["Cc"], arrived["Subject"], arrived["In-Reply-To"]) == (
        "Grace Hopper <grace@navy.example>, a@x.example", "c@x.example", "A B", None,
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["contact", "lead"])
def test_an_email_that_came_is_told_in_the_conversation_with_its_sender(
    stub: StubServer, client: CrmClient, post: Any, kind: str
) -> None:
    calls: Any = client.contacts if kind == "contact" else client.leads
    grace: Any = calls.create({"name": "Grace Hopper", "email": "grace@navy.example"})
    client.integrations.update(post.id, {"config": {"shared": True}})
    old = format_datetime(stub.clock.now() - timedelta(days=1, seconds=1))
    for number, (text, date) in enumerate((("Yes", None), (" ", None), ("Long ago", old))):
        headers = {"Message-ID": f"<{number}@navy.example>"} | ({"Date": date} if date is not None else {})
        post.folders["INBOX"].append(answer("<none@x.example>", text, **headers))
    client.communication.email.sync(post.id).wait()
    (conversation,) = stub.store.collection("tenant_acme", "conversation").find(f"{kind}_id", grace.id)
    assert conversation["unread_count"] == 2
    told = stub.store.collection("tenant_acme", "message").find("conversation_id", conversation["id"])
    assert [(one["content"], one["subject"], one["type"]) for one in told] == [
        ("Yes", "Re: Offer", "email"), ("Re: Offer", "Re: Offer", "email"),
    ]  # fmt: skip
    assert {(one["sender_type"], one["sender_id"], one["sender_name"], one["status"]) for one in told} == {
        ("contact", grace.id, "Grace Hopper", "delivered")
    }
    mails = client.communication.email.inbox(integration_id=post.id).items
    assert len(mails) == 3 and {one["email_id"] for one in told} < {mail.id for mail in mails}


@pytest.mark.parametrize(
    ("sender", "direction"),
    [("ADA@acme.example", "outbound"), ("ada@acme.test", "outbound"), ("eva@acme.example", "inbound")],
)
def test_an_email_from_one_of_the_owners_addresses_went_out(
    stub: StubServer, client: CrmClient, post: Any, sender: str, direction: str
) -> None:
    raw = answer("<none@x.example>").replace(b"grace@navy.example", sender.encode())
    post.folders["INBOX"].append(raw)
    client.communication.email.sync(post.id).wait()
    (mail,) = client.communication.email.inbox(
        folder="inbox" if direction == "inbound" else "sent", integration_id=post.id
    )
    assert (mail.direction, mail.from_address and mail.from_address.email) == (direction, sender)
    assert (mail.received_at is None) is (direction == "outbound")
    received = [entry for entry in stub.audit() if entry["action"] == "email.received"]
    assert len(received) == (direction == "inbound")


def test_what_is_refused_or_comes_back_has_bounced(stub: StubServer, client: CrmClient, post: Any) -> None:
    send = client.communication.email.send
    refused = send({"to": ["nobody@x.example"], "subject": "A", "body_text": "B", "integration_id": post.id})
    partly = send({
        "to": ["nobody@x.example"], "cc": ["b@x.example"], "bcc": ["nobody.else@x.example"], "subject": "A",
        "body_text": "B", "integration_id": post.id,
    })  # fmt: skip
    lost = send({"to": ["a@lost.invalid"], "subject": "A", "body_text": "B"})
    returned = send({"to": ["late@x.example"], "subject": "A", "body_text": "B", "integration_id": post.id})
    stub.clock.advance(3)
    report = (
        f'Content-Type: multipart/report; report-type=delivery-status; boundary="x"\nFrom: mailer@x.example\n\n'
        f"--x\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x.example\n\n"
        f"Final-Recipient: rfc822; late@x.example\n"
        f"Action: failed\nDiagnostic-Code: smtp; 550 gone\n\n--x\nContent-Type: text/rfc822-headers\n\n"
        f"Message-ID: {returned.message_id}\n\n--x--\n"
    )
    post.folders["INBOX"].append(report.encode())
    client.communication.email.sync(post.id).wait()
    for mail, why in ((refused, "no such mailbox"), (lost, "no such mailbox"), (returned, "550 gone")):
        now = client.communication.email.get(mail.id)
        assert now.status == "bounced" and now.error is not None and why in now.error.message
    assert [entry["action"] for entry in stub.audit()].count("email.bounced") == 3
    now, error = client.communication.email.get(partly.id), "550 5.1.1 no such mailbox"
    told = f"nobody@x.example: {error}; nobody.else@x.example: {error}"
    assert now.error is not None and (now.status, now.error.code, now.error.message) == (
        "delivered",
        "NO_ADDRESS",
        told,
    )


def test_a_mailbox_is_its_owners_until_it_is_shared(stub: StubServer, client: CrmClient, post: Any) -> None:
    post.folders["INBOX"].append(answer("<unknown@x.example>"))
    client.communication.email.sync(post.id).wait()
    other = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    (mail,) = client.communication.email.inbox(integration_id=post.id)
    assert not other.communication.email.inbox(integration_id=post.id).items
    assert other.activities.get(mail.id).title is None
    with pytest.raises(ValidationError, match="not a mailbox"):
        other.communication.email.sync(post.id)
    task = client.activities.tasks.create({"title": "T"}).id
    stored(stub, "activity", task, integration_id=post.id, visibility="private")
    client.integrations.update(post.id, {"config": {"shared": True}})
    assert [one.id for one in other.communication.email.inbox(integration_id=post.id)] == [mail.id]
    assert some(stub.store.collection("tenant_acme", "activity").get(task))["visibility"] == "private", "no e-mail"
    stub.mailboxes[post.id].connect(imap=post.imap.address, username="ada", password="wrong")
    with pytest.raises(JobFailedError, match="wrong password"):
        client.communication.email.sync(post.id).wait()
    with pytest.raises(ConflictError, match="not connected"):
        client.communication.email.sync(post.id)


PROVIDERS: dict[str, Any] = {
    "google": {"auth_type": "oauth2", "credentials": {"access_token": "a long token of google"}},
    "microsoft": {"auth_type": "oauth2", "credentials": {"access_token": "a long token of microsoft"}},
}


def test_the_mailboxes_of_several_providers_are_fetched_beside_each_other(
    stub: StubServer, client: CrmClient, post: Any
) -> None:
    post.folders["INBOX"].append(answer("<none@x.example>", **{"Message-ID": "<imap@navy.example>"}))
    client.communication.email.sync(post.id).wait()
    boxes: dict[str, str] = {"imap": post.id}
    for provider, given in PROVIDERS.items():
        members: Any = {"name": provider, "type": "email", "provider": provider, **given}
        boxes[provider] = client.integrations.create(members).id
        post.folders["INBOX"][:] = [answer("<none@x.example>", **{"Message-ID": f"<{provider}@navy.example>"})]
        stub.mailboxes[boxes[provider]].connect(imap=post.imap.address, username="ada", password="secret")
        client.communication.email.sync(boxes[provider]).wait()
    found = {name: client.communication.email.inbox(integration_id=id).items for name, id in boxes.items()}
    assert {name: [mail.message_id for mail in mails] for name, mails in found.items()} == {
        name: [f"<{name}@navy.example>"] for name in boxes
    }


def test_a_message_that_cannot_be_taken_is_told_and_the_others_go_on(
    client: CrmClient, post: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def take(call: Any, raw: bytes, *given: Any) -> str:
        if b"broken" in raw:
            raise Problem("VALIDATION_ERROR", "it is broken")
        return receiving.take(call, raw, *given)

    monkeypatch.setattr("server_stub.services.communication.syncing.take", take)
    for number, text in enumerate(("one", "broken", "three")):
        post.folders["INBOX"].append(answer("<a@x.example>", text, **{"Message-ID": f"<{number}@navy.example>"}))
    client.communication.email.sync(post.id).wait()
    run = next(iter(client.integrations.sync.history(post.id)))
    assert run.counts is not None and (run.counts.created, run.counts.failed, run.counts.processed) == (2, 1, 3)
    assert [(one.row, one.code, one.message) for one in run.errors] == [(2, "VALIDATION_ERROR", "it is broken")]
    assert len(client.communication.email.inbox(integration_id=post.id).items) == 2


def test_a_meeting_is_told_by_the_mailbox_that_is_connected(stub: StubServer, client: CrmClient, post: Any) -> None:
    for mailbox in stub.store.collection("tenant_acme", "integration").find("type", "email"):
        stored(stub, "integration", mailbox["id"], status="connected" if mailbox["id"] == post.id else "error")
    start = stub.clock.now() + timedelta(hours=1)
    event: Any = {
        "title": "Talk", "start_time": start, "end_time": start + timedelta(minutes=30),
        "attendees": [{"email": "grace@navy.example"}],
    }  # fmt: skip
    client.communication.meetings.create(event, force=True)
    assert [(one["To"], one["From"]) for one in post.sent] == [
        ("grace@navy.example", "Ada Lindqvist <ada@acme.example>")
    ]
    stored(stub, "integration", post.id, status="error")
    client.communication.meetings.create(event, force=True)
    assert len(post.sent) == 1


def test_templates_are_filled_from_the_records(stub: StubServer, client: CrmClient) -> None:
    grace = person(client, first_name="Grace")
    templates = stub.store.collection("tenant_acme", "template")
    text = "Hi {{contact.first_name}}, {{sender.name}} on {{topic}}{{ deal.title | default('') }}"
    template = templates.all()[0]
    templates.put(template | {"subject": "For {{contact.name}}", "content": text})
    body: Any = {"to": [grace.id], "template_id": template["id"]}
    with pytest.raises(ValidationError) as caught:
        client.communication.email.send(body)
    assert caught.value.code == "MISSING_VARIABLE" and caught.value.fields[0].field == "variables.topic"
    body["variables"] = {"topic": "engines"}
    mail = client.communication.email.send(body)
    assert mail.subject == "For Grace Hopper" and (mail.body_text or "").startswith("Hi Grace, ")
    assert (mail.body_text or "").endswith(" on engines")


def test_opens_and_clicks_are_counted_by_signed_links(stub: StubServer, client: CrmClient) -> None:
    html = '<a href="https://x.example/?a=1&amp;b=2">x</a>'
    mail = client.communication.email.send({"to": ["a@x.example"], "subject": "A", "body_html": html})
    sent = client.communication.email.get(mail.id, include=["images"]).body_html or ""
    paths = re.findall(r"http://stub.test(/l/[^\"]+)", sent)
    click, pixel = (stub.handle(Request("GET", path)) for path in paths)
    assert (click.status, click.headers["Location"]) == (302, "https://x.example/?a=1&b=2")
    assert (pixel.status, pixel.headers["Content-Type"]) == (200, "image/gif")
    assert stub.handle(Request("GET", paths[0][:-4] + "zzzz")).status == 404
    now = client.communication.email.get(mail.id)
    assert now.tracking is not None and (now.tracking.opens, now.tracking.clicks) == (1, 1)
    assert "stub.test" not in (now.body_html or "") and now.version == mail.version


def test_the_limit_of_a_day_and_the_feature(stub: StubServer, client: CrmClient) -> None:
    tenants = stub.store.collection("tenant_acme", "tenant")
    tenant = tenants.all()[0]
    mail: Any = {"to": ["a@x.example"], "subject": "A", "body_text": "B"}
    client.communication.email.send(mail)
    tenants.put(tenant | {"limits": {"emails_per_day": 1}})
    with pytest.raises(PermissionDeniedError) as caught:
        client.communication.email.send(mail)
    assert caught.value.code == "LIMIT_EXCEEDED"
    stub.clock.advance(24 * 3600)
    client.communication.email.send(mail)
    tenants.put(tenant | {"features": {"communication": False}})
    with pytest.raises(PermissionDeniedError) as caught:
        client.communication.email.inbox()
    assert caught.value.code == "FEATURE_DISABLED"


def test_files_leave_with_an_email(stub: StubServer, client: CrmClient, post: Any) -> None:
    file = client.files.upload(("Größe.csv", b"a,b\n1,2\n"))
    client.communication.email.send({
        "to": ["grace@navy.example"], "subject": "Offer", "body_text": "See the file", "attachments": [file.id],
        "integration_id": post.id,
    })  # fmt: skip
    stub.clock.advance(1)
    (arrived,) = post.sent
    (part,) = [one for one in arrived.walk() if one.get_content_disposition() == "attachment"]
    assert (part.get_filename(), part.get_content_type()) == ("Größe.csv", "text/csv")
    assert part.get_payload(decode=True) == b"a,b\n1,2\n"


def test_an_address_that_has_unsubscribed_gets_no_email(client: CrmClient) -> None:
    client.notifications.unsubscribe(address="nobody@navy.example")
    mail: Any = {"to": ["Nobody@navy.example"], "subject": "Offer", "body_text": "See below"}
    error = refused(lambda: client.communication.email.send(mail))
    assert (error.code, [one["email"] for one in error.details["recipients"]]) == (
        "RECIPIENT_OPTED_OUT",
        ["Nobody@navy.example"],
    )


def test_a_template_is_the_same_by_both_doors(client: CrmClient) -> None:
    template = client.notifications.templates.create({
        "name": "Offer", "category": "proposal", "subject": "{{ what }}", "content": "{{ text }}",
        "translations": [{"language": "de", "content": "{{ wort }}"}],
    })  # fmt: skip
    (found,) = client.communication.email.templates.list(search="Offer", category="proposal", language="en").items[:1]
    assert template in client.communication.email.templates.list(limit=200).items
    assert found.variables
    client.users.preferences.update("me", {"language": "de"})
    mail: Any = {"to": ["user_ada"], "template_id": template.id, "variables": {"what": "x", "text": "y", "wort": "z"}}
    assert client.communication.email.send(mail).body_text == "z"
    client.notifications.templates.update(template.id, {"active": False})
    assert [one.field for one in refused(lambda: client.communication.email.send(mail)).fields] == ["template_id"]


def test_the_inbox_is_searched_by_who_wrote(client: CrmClient) -> None:
    first = client.communication.email.inbox(limit=1).items[0]
    assert first.from_address is not None
    for word in (first.from_address.email, first.from_address.name):
        assert first.id in {mail.id for mail in client.communication.email.inbox(search=word, limit=200)}
