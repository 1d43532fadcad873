"""Sending: recipients, states, retries on the clock, bounces, tracking, SMTP, bulk, and who may send."""

from __future__ import annotations

import re
import socket
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models import MessageTemplate
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Reply, Request
from server_stub.services.notifications.delivery import PENDING, deliver
from server_stub.timetable import system_call

VALUES = {"name": "Eva", "offer": "tea"}
MAIL: Any = {"subject": "S", "content": "C"}


def state(acme: CrmClient, id: str) -> str:
    return str(acme.notifications.status(id).delivery_status)


def fetched(stub: StubServer, url: str, method: str = "GET", **more: Any) -> Reply:
    path, _, query = url.removeprefix(stub.origin).partition("?")
    return stub.handle(Request(method, path, query, **more))


def test_a_message_is_sent_and_arrives(acme: CrmClient, stub: StubServer) -> None:
    sent = acme.notifications.send_email("a@example.com", **MAIL)
    assert (sent.delivery_status, sent.attempts, sent.recipient) == ("sent", 1, "a@example.com")
    stub.clock.advance(2)
    assert state(acme, sent.id) == "delivered"
    said = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == sent.id]
    assert said == ["notification.sent", "notification.delivered"]
    assert refused(lambda: acme.notifications.retry(sent.id)).code == "NOT_RETRYABLE"


def test_a_failed_message_is_tried_again_after_1_5_and_30_minutes(acme: CrmClient, stub: StubServer) -> None:
    stub.outbox.refuse("a@example.com", times=5)
    sent = acme.notifications.send_email("a@example.com", **MAIL)
    assert sent.delivery_status == "failed"
    assert sent.error is not None
    for number, minutes in enumerate((1, 5, 30), start=2):
        now = acme.notifications.status(sent.id)
        assert now.next_retry_at is not None
        assert round((now.next_retry_at - now.attempts[-1].at).total_seconds()) == minutes * 60
        stub.clock.advance(minutes * 60 - 5)
        assert len(acme.notifications.status(sent.id).attempts) == number - 1
        stub.clock.advance(5)
        assert len(acme.notifications.status(sent.id).attempts) == number
    assert acme.notifications.status(sent.id).next_retry_at is None
    assert not acme.notifications.subscriptions.list(address="a@example.com").items, "it did not bounce"
    assert acme.notifications.retry(sent.id).attempts == 5
    assert refused(lambda: acme.notifications.retry(sent.id)).code == "RETRY_LIMIT"


def test_a_manual_retry_takes_the_place_of_the_next_automatic_one(acme: CrmClient, stub: StubServer) -> None:
    stub.outbox.refuse("a@example.com")
    sent = acme.notifications.send_email("a@example.com", **MAIL)
    assert acme.notifications.retry(sent.id).delivery_status == "sent"
    stub.clock.advance(3_600)
    assert len(stub.outbox.messages) == 1
    assert acme.notifications.status(sent.id).next_retry_at is None
    stub.outbox.refuse("b@example.com", times=4)
    failed = acme.notifications.send_email("b@example.com", **MAIL)
    stub.clock.advance(6 * 60)
    assert acme.notifications.retry(failed.id).attempts == 4
    stub.clock.advance(1_800)
    now = acme.notifications.status(failed.id)
    assert (now.delivery_status, len(now.attempts), now.next_retry_at) == ("failed", 4, None)


def test_a_bounce_ends_the_subscription(acme: CrmClient) -> None:
    person = acme.contacts.create({"name": "Eva", "email": "bounce@example.com"})
    assert acme.notifications.send_email(person.id, **MAIL).delivery_status == "bounced"
    assert acme.notifications.send_email(person.id, **MAIL).delivery_status == "suppressed"
    kept = acme.notifications.subscriptions.list(address="bounce@example.com").items
    assert [(one.topic, one.subscribed, one.source) for one in kept] == [("all", False, "bounce")]


def test_a_scheduled_message_waits_and_is_held_back_where_it_is_not_wanted_any_more(
    acme: CrmClient, stub: StubServer
) -> None:
    at = stub.clock.now().replace(microsecond=0) + timedelta(hours=1)
    first = acme.notifications.send_email("a@example.com", scheduled_at=at, **MAIL)
    second = acme.notifications.send_email("b@example.com", scheduled_at=at, **MAIL)
    assert (first.delivery_status, first.scheduled_at, first.attempts) == ("scheduled", at, 0)
    acme.notifications.unsubscribe(address="b@example.com")
    stub.clock.advance(3_605)
    assert (state(acme, first.id), state(acme, second.id)) == ("delivered", "suppressed")


def test_opens_and_clicks_are_noted_by_signed_links(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    sent = acme.notifications.send_email("a@example.com", template_id=template.id, variables=VALUES)
    html = stub.outbox.messages[-1].html or ""
    pixel, link = (re.search(rf'{name}="([^"]+)"', html) for name in ("src", "href"))
    assert pixel is not None
    assert link is not None
    assert fetched(stub, pixel[1] + "x").status == 404
    assert acme.notifications.status(sent.id).opened_at is None
    opened = fetched(stub, pixel[1])
    assert (opened.status, opened.headers["Content-Type"]) == (200, "image/gif")
    assert state(acme, sent.id) == "opened"
    clicked = fetched(stub, link[1])
    assert (clicked.status, clicked.headers["Location"]) == (302, "https://shop.example/x?a=1&b=2")
    assert state(acme, sent.id) == "clicked"
    assert fetched(stub, pixel[1]).status == 200
    stub.clock.advance(5)
    assert state(acme, sent.id) == "clicked"


def test_who_clicks_has_opened_and_only_the_first_time_is_noted(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    sent = acme.notifications.send_email("a@example.com", template_id=template.id, variables=VALUES)
    html = stub.outbox.messages[-1].html or ""
    pixel, link = (str(address) for name in ("src", "href") for address in re.findall(rf'{name}="([^"]+)"', html)[:1])
    fetched(stub, link)
    found = acme.notifications.status(sent.id)
    assert found.opened_at == found.clicked_at is not None
    stub.clock.advance(60)
    for address in (pixel, link):
        fetched(stub, address)
    again = acme.notifications.status(sent.id)
    assert (again.opened_at, again.clicked_at) == (found.opened_at, found.clicked_at)


def test_an_smtp_server_gets_the_mail_and_can_unsubscribe_with_one_click(
    acme: CrmClient, template: MessageTemplate, stub: StubServer
) -> None:
    got: list[Any] = []

    class Handler:
        async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
            if address.startswith("nobody"):
                return "550 there is nobody here"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            got.append(envelope)
            return "250 OK"

    controller = Controller(Handler(), hostname="127.0.0.1", port=free_port(), ready_timeout=30)
    controller.start()
    try:
        stub.outbox.relay("127.0.0.1", controller.port)
        acme.notifications.send_email(
            "eva@example.com", template_id=template.id, variables=VALUES, bcc=["hidden@example.com"]
        )
        assert acme.notifications.send_email("nobody@example.com", **MAIL).delivery_status == "bounced"
    finally:
        controller.stop()
    assert refused_connection(acme) == "failed"
    envelope = got[0]
    text = envelope.content.decode()
    assert envelope.rcpt_tos == ["eva@example.com", "hidden@example.com"]
    assert "Subject: Hello Eva" in text
    assert "hidden@example.com" not in text
    assert "List-Unsubscribe-Post: List-Unsubscribe=One-Click" in text
    url = dict(stub.outbox.messages[-1].headers)["List-Unsubscribe"].strip("<>")
    form = {"headers": {"content-type": "application/x-www-form-urlencoded"}, "body": b"List-Unsubscribe=One-Click"}
    for _ in range(2):
        assert fetched(stub, url, "POST", **form).status == 200
    kept = acme.notifications.subscriptions.list(address="eva@example.com").items
    assert [(one.topic, one.subscribed, one.source) for one in kept] == [("marketing", False, "unsubscribe_link")]
    assert fetched(stub, url.replace("token=", "token=x"), "POST", **form).status == 400
    assert acme.notifications.analytics().totals.unsubscribed == 1


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def refused_connection(acme: CrmClient) -> str:
    return str(acme.notifications.send_email("late@example.com", **MAIL).delivery_status)


@pytest.mark.parametrize("channel", ["push", "in_app", "chat"])
def test_some_channels_are_for_users(acme: CrmClient, stub: StubServer, channel: Any) -> None:
    done = acme.notifications.send_bulk(
        channel, [{"to": "user_ada"}, {"to": "contact_123"}, {"to": "user_nobody"}], content="Hi"
    )
    assert [one.error.code if one.error else None for one in done.items] == [
        None, "VALIDATION_ERROR", "REFERENCE_NOT_FOUND",
    ]  # fmt: skip
    assert [(one.channel, one.recipient) for one in stub.outbox.messages] == [(channel, "user_ada")]


def test_a_push_message_needs_a_device(acme: CrmClient) -> None:
    assert acme.notifications.send_push("user_ada", title="T", content="C").delivery_status == "sent"
    assert refused(lambda: acme.notifications.send_push("user_rita", content="C")).code == "NO_DEVICE"


def test_a_notification_is_in_the_inbox_at_once(acme: CrmClient, stub: StubServer) -> None:
    sent = acme.notifications.send_in_app("user_ada", title="T", content="C", type="approval")
    assert sent.delivery_status == "delivered"
    ada = stub.client(dialects="flow", api_key="none")
    ada.auth.login("ada@acme.test", "demo-password")
    assert sent.id in [one.id for one in ada.notifications.list(limit=100)]
    mail = acme.notifications.send_email("user_ada", **MAIL)
    assert mail.id not in [one.id for one in ada.notifications.list(limit=100)]


def test_a_batch_has_one_id_and_the_variables_of_each(acme: CrmClient, template: MessageTemplate) -> None:
    people: Any = [{"to": f"{n}@example.com", "variables": {"name": n}} for n in "abc"]
    done = acme.notifications.send_bulk("email", people, template_id=template.id, variables={"offer": "x"})
    assert (done.total, done.succeeded) == (3, 3)
    assert [one.key for one in done.items] == ["a@example.com", "b@example.com", "c@example.com"]
    batch = {one.result.batch_id for one in done.items if one.result}
    assert len(batch) == 1
    found = acme.notifications.history(batch_id=batch.pop()).items
    assert sorted(one.title for one in found) == ["Hello a", "Hello b", "Hello c"]


def test_what_is_wrong_with_a_whole_batch_refuses_it(acme: CrmClient) -> None:
    def check(given: Any, code: str, field: str) -> None:
        before = acme.notifications.history().total
        error = refused(
            lambda: acme.notifications.send_bulk("email", [{"to": "a@example.com"}, {"to": "nobody"}], **given)
        )
        assert (error.status, error.code, error.fields[0].field) == (422, code, field)
        assert acme.notifications.history().total == before

    cases: list[tuple[Any, str, str]] = [
        ({}, "VALIDATION_ERROR", "content"),
        ({"content": "C", "template_id": "template_x"}, "VALIDATION_ERROR", "content"),
        ({"template_id": "template_x"}, "REFERENCE_NOT_FOUND", "template_id"),
        ({"content": "Hi {{"}, "TEMPLATE_SYNTAX", "content"),
        ({"content": "C", "subject": "Hi {{"}, "TEMPLATE_SYNTAX", "subject"),
        ({"content": "C", "entity": {"type": "deal", "id": "deal_x"}}, "REFERENCE_NOT_FOUND", "entity.id"),
    ]
    for case in cases:
        check(*case)


def test_a_template_for_another_channel_refuses_a_whole_batch(acme: CrmClient, template: MessageTemplate) -> None:
    error = refused(lambda: acme.notifications.send_bulk("sms", [{"to": "+4930123456"}], template_id=template.id))
    assert (error.status, error.fields[0].field) == (422, "template_id")


def test_every_channel_takes_a_subject(acme: CrmClient, stub: StubServer) -> None:
    assert acme.notifications.send_sms("+4930123456", content="C", subject="S").title == "S"
    assert acme.notifications.send_push("user_sam", content="C", subject="S").title == "S"
    assert acme.notifications.send_push("user_sam", content="C", subject="S", title="T").title == "T"
    assert acme.notifications.send_in_app("user_sam", content="C", subject="S", title="T").title == "T"


def test_sales_write_to_their_own_contacts_only_and_see_what_they_sent(
    acme: CrmClient, sales: CrmClient, template: MessageTemplate
) -> None:
    own = sales.contacts.create({"name": "Own", "email": "own@example.com"})
    other = acme.contacts.create({"name": "Other", "email": "other@example.com", "owner_id": "user_ada"})
    sent = sales.notifications.send_email(own.id, **MAIL)
    foreign = acme.notifications.send_email(other.id, **MAIL)
    for call in (
        lambda: sales.notifications.send_email(other.id, **MAIL),
        lambda: sales.notifications.send_email("stranger@example.com", **MAIL),
        lambda: sales.notifications.send_sms("+4930123456", content="x"),
        lambda: sales.notifications.send_push("user_123", content="x"),  # who has no device, which is not told
        lambda: sales.notifications.send_in_app("user_ada", title="T", content="x"),
        lambda: sales.notifications.templates.create(
            {"name": "N", "category": "other", "subject": "S", "content": "C"}
        ),
        lambda: sales.notifications.templates.delete(template.id),
        lambda: sales.notifications.retry(sent.id),
    ):
        assert refused(call).code == "FORBIDDEN"
    found = [one.id for one in sales.notifications.history(limit=200)]
    assert sent.id in found
    assert foreign.id not in found
    assert refused(lambda: sales.notifications.status(foreign.id)).status == 404


def test_figures_add_up(acme: CrmClient, stub: StubServer) -> None:
    stub.outbox.refuse("a@example.com")
    for to in ("a@example.com", "b@example.com", "bounce@example.com"):
        acme.notifications.send_email(to, **MAIL)
    acme.notifications.send_sms("+4930123456", content="x")
    stub.clock.advance(5)
    figures = acme.notifications.analytics(period="day", start_date=stub.clock.now().date())
    names = ("sent", "delivered", "opened", "clicked", "bounced", "failed", "suppressed")
    for name in names:
        total = getattr(figures.totals, name)
        assert total == sum(getattr(one, name) for one in figures.channels)
        assert total == sum(int(point.value) for one in figures.series if one.name == name for point in one.points)
    mail = next(one for one in figures.channels if one.key == "email")
    assert (mail.sent, mail.delivered, mail.bounced, mail.failed) == (2, 1, 1, 1)
    assert (mail.delivery_rate, mail.bounce_rate, mail.open_rate) == (0.5, 0.5, 0)


def test_files_leave_with_an_email(acme: CrmClient, stub: StubServer) -> None:
    file = acme.files.upload(("offer.csv", b"a,b\n"))
    acme.notifications.send_email("eva@example.com", attachments=[file.id], **MAIL)
    (sent,) = stub.outbox.messages[-1].files
    assert (sent.name, sent.content_type, sent.read()) == ("offer.csv", "text/csv", b"a,b\n")
    mail = EmailMessage()
    mail.set_content("C")
    sent.attach_to(mail)
    (part,) = mail.iter_attachments()
    assert (part.get_filename(), part.get_payload(decode=True)) == ("offer.csv", b"a,b\n")


def test_what_a_message_has_by_default_and_what_is_given(acme: CrmClient, stub: StubServer) -> None:
    sent = acme.notifications.send_email(" A@Example.com ", **MAIL)
    assert (sent.recipient, sent.type, sent.priority, sent.read) == ("a@example.com", "system", "medium", False)
    assert (sent.scheduled_at, sent.template_id, sent.batch_id, sent.entity, sent.metadata) == (
        None,
        None,
        None,
        None,
        {},
    )
    assert stub.outbox.messages[-1].sender == "crm@acme.test"
    before = stub.clock.now() - timedelta(hours=1)
    late = acme.notifications.send_email("a@example.com", scheduled_at=before, priority="low", type="approval", **MAIL)
    assert (late.delivery_status, late.scheduled_at, late.priority, late.type) == ("sent", before, "low", "approval")
    person = acme.contacts.get("contact_123")
    about = acme.notifications.send_email("a@example.com", entity={"type": "contact", "id": person.id}, **MAIL)
    assert about.entity is not None and about.entity.model_dump() == {
        "type": "contact", "id": person.id, "name": person.name,
    }  # fmt: skip
    stub.outbox.refuse("user_ada", bounce=True)
    pushed = acme.notifications.send_push("user_ada", content="C")
    assert pushed.delivery_status == "bounced"
    assert not acme.notifications.subscriptions.list(address="user_ada", subscribed=False).items
    people: Any = [{"to": "a@example.com"}] * 1_001
    many = refused(lambda: acme.notifications.send_bulk("email", people, content="C"))
    assert (many.status, many.code, many.fields[0].field) == (422, "TOO_MANY_ITEMS", "recipients")


def test_what_is_due_at_the_moment_is_sent_and_what_is_gone_is_not(acme: CrmClient, stub: StubServer) -> None:
    at = stub.clock.now() + timedelta(hours=1)
    one, gone = (acme.notifications.send_email("a@example.com", scheduled_at=at, **MAIL) for _ in range(2))
    notifications, pending = (stub.store.collection("tenant_acme", kind) for kind in ("notification", PENDING))
    notifications.remove(gone.id)

    def deliver_at(now: datetime) -> None:
        with stub.store.transaction():
            deliver(system_call(stub, "tenant_acme", now, "test"))

    deliver_at(at - timedelta(milliseconds=1))
    assert state(acme, one.id) == "scheduled" and {doc["id"] for doc in pending} == {one.id, gone.id}
    deliver_at(at)
    assert [(doc["id"], doc["step"], doc["due_at"]) for doc in pending] == [
        (one.id, "arrive", at + timedelta(seconds=1))
    ]
    deliver_at(at + timedelta(seconds=1))
    assert state(acme, one.id) == "delivered" and not list(pending)
    pending.put(Document(id=one.id, step="arrive", due_at=at))
    before = notifications.get(one.id)
    deliver_at(at)
    assert notifications.get(one.id) == before, "it has arrived already"


def test_a_company_sends_so_many_emails_a_day(acme: CrmClient) -> None:
    limits = {one.key: one.used for one in acme.tenants.limits.get("current").limits}
    acme.tenants.limits.update("current", {"emails_per_day": limits["emails_per_day"] + 2})
    assert acme.notifications.send_email("a@example.com", **MAIL).delivery_status == "sent"
    people: Any = [{"to": f"{name}@example.com"} for name in "bc"]
    done = acme.notifications.send_bulk("email", people, content="C")
    assert [one.error.code if one.error else None for one in done.items] == [None, "LIMIT_EXCEEDED"]
    assert refused(lambda: acme.notifications.send_email("d@example.com", **MAIL)).code == "LIMIT_EXCEEDED"
    assert acme.notifications.send_bulk("sms", [{"to": "+4930123456"}], content="C").succeeded == 1
