"""What each attempt leaves behind, what a mail leaves with, what is counted, and what a digest says."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from refusals import refused
from stub_data import plain, some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request
from server_stub.services.notifications import notify
from server_stub.timetable import system_call

MAIL: Any = {"subject": "S", "content": "C"}
NEW_YORK = ZoneInfo("America/New_York")
"""The company's time zone."""


def events(stub: StubServer, id: str) -> list[tuple[str, Any]]:
    return [(entry["action"], entry["metadata"]) for entry in stub.audit() if entry["entity"]["id"] == id]


def test_each_attempt_is_noted_and_told(acme: CrmClient, stub: StubServer) -> None:
    about = {"user_id": None, "channel": "email"}
    stub.outbox.refuse("a@example.com")
    sent = acme.notifications.send_email("a@example.com", **MAIL)
    first = acme.notifications.status(sent.id)
    assert [(one.number, one.status, one.provider) for one in first.attempts] == [(1, "failed", None)]
    error = some(sent.error)
    assert (first.attempts[0].code, first.attempts[0].message) == (error.code, error.message) and error.code
    stub.clock.advance(61)
    done = acme.notifications.status(sent.id)
    assert [(one.number, one.status) for one in done.attempts] == [(1, "failed"), (2, "sent")]
    assert (done.attempts[1].code, done.attempts[1].message) == (None, None) and done.attempts[1].provider
    assert done.next_retry_at is None
    stub.clock.advance(2)
    assert events(stub, sent.id) == [
        ("notification.failed", {**about, "attempts": 1, "code": error.code}),
        ("notification.sent", {**about, "attempts": 2}),
        ("notification.delivered", {**about, "attempts": 2}),
    ]
    held = some(stub.store.collection("tenant_acme", "notification").get(sent.id))
    assert held["error"] is None and held["delivered_at"] - held["sent_at"] == timedelta(seconds=1)
    bounced = acme.notifications.send_email("bounce+x@example.com", **MAIL)
    assert (bounced.delivery_status, some(bounced.error).code, bounced.sent_at is not None) == (
        "bounced", "BOUNCED", True,
    )  # fmt: skip
    assert events(stub, bounced.id) == [("notification.failed", {**about, "attempts": 1, "code": "BOUNCED"})]
    for fine in ("bouncer@example.com", "a+bounce@example.com"):
        assert acme.notifications.send_email(fine, **MAIL).delivery_status == "sent"
    inbox = acme.notifications.send_in_app("user_sam", title="T", content="C")
    assert events(stub, inbox.id) == [
        ("notification.created", {"user_id": "user_sam", "channel": "in_app", "attempts": 1})
    ]
    assert inbox.sent_at == inbox.delivered_at is not None


def test_a_bounced_message_is_tried_again_by_hand_and_not_by_itself(acme: CrmClient, stub: StubServer) -> None:
    sent = acme.notifications.send_email("bounce@example.com", **MAIL)
    stub.clock.advance(3_600)
    assert len(acme.notifications.status(sent.id).attempts) == 1
    (reason,) = acme.notifications.subscriptions.list(address="bounce@example.com").items
    assert reason.reason == "nobody has the address bounce@example.com"
    for number in range(2, 6):
        assert acme.notifications.retry(sent.id).attempts == number
    limit = refused(lambda: acme.notifications.retry(sent.id))
    assert (limit.status, limit.code, limit.details) == (409, "RETRY_LIMIT", {"limit": 5})
    stub.outbox.refuse("late@example.com")
    late = acme.notifications.send_email("late@example.com", **MAIL)
    stored(stub, "notification", late.id, expires_at=stub.clock.now() + timedelta(hours=1))
    assert acme.notifications.retry(late.id).delivery_status == "sent"
    stored(stub, "notification", late.id, expires_at=stub.clock.now(), delivery_status="failed")
    assert refused(lambda: acme.notifications.retry(late.id)).code == "NOTIFICATION_EXPIRED"


def test_what_a_mail_leaves_with(acme: CrmClient, stub: StubServer) -> None:
    sent = acme.notifications.send_email(
        "a@example.com", subject="S", content="C", cc=["C@example.com"], bcc=["b@example.com"],
        content_html="<a href='https://x.example/?a=1&amp;b=2'>x</a><a href=\"mailto:a@x.example\">m</a>",
    )  # fmt: skip
    (mail,) = stub.outbox.messages
    assert (mail.notification_id, mail.recipient, mail.cc, mail.bcc) == (
        sent.id, "a@example.com", ("c@example.com",), ("b@example.com",),
    )  # fmt: skip
    headers, html = dict(mail.headers), str(mail.html)
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith(f"<{stub.origin}/v1/notifications/unsubscribe?token=")
    assert 'href="mailto:a@x.example"' in html and html.endswith('width="1" height="1" alt="">')
    (link,) = re.findall(r"href='([^']+)'", html)
    reply = stub.handle(Request("GET", str(link).removeprefix(stub.origin)))
    assert (reply.status, reply.headers["Location"]) == (302, "https://x.example/?a=1&b=2")
    assert reply.headers["Cache-Control"] == "no-store"
    held = some(stub.store.collection("tenant_acme", "notification").get(sent.id))
    assert held["opened_at"] == held["clicked_at"] == held["delivered_at"] is not None
    assert (held["delivery_status"], held["version"]) == ("clicked", some(sent.version) + 1)
    acme.notifications.send_email("a@example.com", category="transactional", **MAIL)
    acme.notifications.send_sms("+4930123456", content="C")
    for other in stub.outbox.messages[1:]:
        assert (dict(other.headers), other.html) == ({}, None)
    stored(stub, "tenant", "tenant_acme", email={"from_address": "hello@acme.example"})
    acme.notifications.send_email("a@example.com", **MAIL)
    assert [one.sender for one in stub.outbox.messages][-1] == "hello@acme.example"


def test_what_was_not_sent_is_not_opened(acme: CrmClient, stub: StubServer) -> None:
    html = {"content_html": "<p>x</p>", **MAIL}
    sent = acme.notifications.send_email("a@example.com", **html)
    (pixel,) = re.findall(r'src="([^"]+)"', str(stub.outbox.messages[-1].html))
    kept = stored(stub, "notification", sent.id, sent_at=None)
    assert stub.handle(Request("GET", str(pixel).removeprefix(stub.origin))).status == 200
    assert stub.store.collection("tenant_acme", "notification").get(sent.id) == kept


@pytest.mark.parametrize(("before", "counted"), [(0, 1), (1, 0)])
def test_a_day_begins_at_midnight_of_the_company(acme: CrmClient, stub: StubServer, before: int, counted: int) -> None:
    midnight = datetime.combine(stub.clock.now().astimezone(NEW_YORK).date(), time(), NEW_YORK).astimezone(UTC)

    def used() -> int:
        return next(one.used for one in acme.tenants.limits.get("current").limits if one.key == "emails_per_day")

    start = used()
    at = midnight - timedelta(milliseconds=before)
    for kind, members in (
        ("notification", {"channel": "email", "type": "approval", "delivery_status": "sent", "user_id": None}),
        ("activity", {"kind": "email", "sent_here": True}),
    ):
        doc: Any = {"id": f"{kind}_x", "created_at": at, "updated_at": at, **members}
        stub.store.collection("tenant_acme", kind).put(Document(doc))
    assert used() == start + 2 * counted


# -- figures -----------------------------------------------------------------------------------------------------------


def test_the_figures_are_of_the_messages_that_are_asked_for(
    acme: CrmClient, sales: CrmClient, stub: StubServer
) -> None:
    made = acme.notifications.templates.create({"name": "T", "category": "support", "subject": "S", "content": "C"})
    send, today = acme.notifications, stub.clock.now().date()
    before = send.analytics(start_date=today)
    mail = send.send_email("a@example.com", template_id=made.id)
    send.send_email("bounce@example.com", template_id=made.id)
    send.send_email("b@example.com", type="approval", **MAIL)
    send.send_sms("+4930123456", content="C")
    inbox = send.send_in_app("user_sam", title="T", content="C", type="approval")
    stub.clock.advance(2)
    stored(stub, "notification", mail.id, opened_at=stub.clock.now(), clicked_at=stub.clock.now())
    stub.client(api_key="acme-sales", dialects="flow").notifications.mark_read(inbox.id)
    acme.notifications.templates.delete(made.id)
    found = send.analytics(start_date=today)
    assert plain(found.totals.sent, found.totals.key, found.totals.name) == (
        before.totals.sent + 5, "total", "All messages",
    )  # fmt: skip
    (own,) = [one for one in found.templates if one.key == made.id]
    assert (own.name, own.sent, own.delivered, own.bounced, own.opened, own.clicked) == ("T", 2, 1, 1, 1, 1)
    assert (own.delivery_rate, own.open_rate, own.click_rate, own.bounce_rate) == (0.5, 1, 1, 0.5)
    only = send.analytics(start_date=today, template_id=made.id)
    assert only.totals.model_copy(update={"key": made.id, "name": "T"}) == own
    assert [(one.key, one.name) for one in only.channels] == [("email", "E-mail")]
    assert {one.name for one in only.series} == {
        "sent", "delivered", "opened", "clicked", "bounced", "failed", "suppressed",
    }  # fmt: skip
    assert send.analytics(start_date=today, channel="sms").totals.sent == 1
    approvals = send.analytics(start_date=today, type="approval").totals
    assert (approvals.sent, approvals.opened) == (2, 1), "what is read in the inbox is opened"
    assert sales.notifications.analytics(start_date=today, type="approval").totals.sent == 1, "what it has received"
    assert send.analytics(start_date=today, template_id="template_no").totals.delivery_rate == 0


def test_the_history_has_what_each_condition_says(acme: CrmClient, sales: CrmClient, stub: StubServer) -> None:
    person = acme.contacts.create({"name": "Eva", "email": "eva@example.com"})
    start = stub.clock.now()
    first = acme.notifications.send_email(person.id, **MAIL)
    stub.clock.advance(60)
    second = acme.notifications.send_in_app("user_sam", title="T", content="C", type="approval")
    found = partial(acme.notifications.history, since=start)
    at = some(second.created_at)
    for given, ids in (
        ({}, [second.id, first.id]), ({"channel": "email"}, [first.id]), ({"type": "approval"}, [second.id]),
        ({"user_id": "user_sam"}, [second.id]), ({"contact_id": person.id}, [first.id]),
        ({"delivery_status": "delivered"}, [second.id, first.id]), ({"template_id": "template_no"}, []),
        ({"since": at}, [second.id]), ({"until": at}, [first.id]), ({"order": "asc"}, [first.id, second.id]),
        ({"sort": "sent_at", "order": "desc"}, [second.id, first.id]),
    ):  # fmt: skip
        wanted: Any = given
        assert [one.id for one in found(**wanted)] == ids, given
    assert [one.id for one in sales.notifications.history(since=start)] == [second.id]
    assert refused(lambda: sales.notifications.status(first.id)).status == 404
    status = sales.notifications.status(second.id)
    assert (status.notification_id, status.channel, status.delivery_status) == (second.id, "in_app", "delivered")
    assert (status.opened_at, status.clicked_at, status.next_retry_at) == (None, None, None)
    stub.client(api_key="acme-sales", dialects="flow").notifications.mark_read(second.id)
    assert sales.notifications.status(second.id).opened_at is not None


# -- digests -----------------------------------------------------------------------------------------------------------


@pytest.mark.thorough
def test_a_digest_names_what_is_unread_since_the_one_before(acme: CrmClient, stub: StubServer) -> None:
    given: Any = {"email": "eva@acme.test", "name": "Eva", "role": "sales", "password": "Correct-Horse-7!"}
    eva = acme.users.create(given).id
    acme.users.profile.update(eva, {"timezone": "UTC"})
    acme.notifications.preferences.update({"digest": "daily"}, user_id=eva)
    kept = stub.store.collection("tenant_acme", "notification")

    def tell(title: str, **members: Any) -> str:
        stub.clock.advance(1)
        call = system_call(stub, "tenant_acme", stub.clock.now(), "test")
        return str(notify(call, eva, "approval", title, "M", **members)["id"])

    def digests() -> list[Any]:
        return [doc for doc in kept.find("user_id", eva) if doc["type"] == "digest"]

    first = tell("First")
    read, soon = tell("Read"), tell("Soon", expires_at=stub.clock.now() + timedelta(hours=1))
    stored(stub, "notification", read, read=True)
    acme.notifications.send_email(eva, **MAIL)
    until = stub.clock.now().replace(hour=8, minute=0, second=0, microsecond=0) + timedelta(days=1)
    stub.clock.advance((until - stub.clock.now()).total_seconds() + 1)
    (one,) = digests()
    made = some(kept.get(first))["created_at"]
    assert one["title"] == "Acme: 1 unread notifications"
    assert one["message"] == f"Hello Eva, you have not read these yet:\n\n- {made:%Y-%m-%d %H:%M}  First: M"
    assert (one["metadata"], one["category"], one["channel"]) == ({"notificationIds": [first]}, "digest", "email")
    assert soon not in one["metadata"]["notificationIds"] and one["created_at"] == until
    stub.clock.advance(86_400)
    assert len(digests()) == 1, "nothing is new"
    for number in range(20):
        tell(f"N{number}")
    stub.clock.advance(86_400)
    (_, two) = sorted(digests(), key=lambda doc: doc["created_at"])
    assert two["title"] == "Acme: 20 unread notifications" and "more" not in two["message"]
    lines = two["message"].splitlines()
    assert len(lines) == 22 and lines[2].endswith("N19: M") and lines[-1].endswith("N0: M")
    for number in range(21):
        tell(f"M{number}")
    stub.clock.advance(86_400)
    (*_, three) = sorted(digests(), key=lambda doc: doc["created_at"])
    assert three["message"].endswith("and 1 more") and len(three["metadata"]["notificationIds"]) == 21


@pytest.mark.parametrize(
    ("language", "begins"),
    [("es-MX", "Hola Eva"), ("fr", "Hello Eva"), (None, "Hello Eva")],
)
def test_a_digest_is_in_the_language_of_its_reader(
    acme: CrmClient, stub: StubServer, language: str | None, begins: str
) -> None:
    given: Any = {"email": "eva@acme.test", "name": "Eva", "role": "sales", "password": "Correct-Horse-7!"}
    eva = acme.users.create(given).id
    changes: Any = {"digest": "daily", **({"language": language} if language is not None else {})}
    acme.notifications.preferences.update(changes, user_id=eva)
    acme.notifications.send_in_app(eva, title="T", content="C")
    stub.clock.advance(86_400)
    (one,) = [
        doc for doc in stub.store.collection("tenant_acme", "notification").find("user_id", eva)
        if doc["type"] == "digest"
    ]  # fmt: skip
    assert one["message"].startswith(begins)


def test_why_a_message_is_held_back(acme: CrmClient, stub: StubServer) -> None:
    eva = acme.contacts.create({"name": "Eva", "email": "eva@example.com", "email_opt_out": True})
    only: Any = [{"type": "approval", "channels": ["in_app", "in_app"]}]
    for changes, to, given, reason in (
        ({"enabled": False}, "user_sam", {}, "the user has switched notifications off"),
        ({"channels": {"email": False}}, "user_sam", {}, "the user has switched off email"),
        ({"channels": {"sms": False}}, "user_sam", {}, None),
        ({"types": only}, "user_sam", {"type": "approval"}, "the user wants no email for approval"),
        ({"types": only}, "user_sam", {"type": "comment"}, None),
        ({"enabled": False}, "user_sam", {"category": "transactional"}, None),
        (None, eva.id, {}, "Eva has opted out"), (None, eva.id, {"category": "transactional"}, None),
    ):  # fmt: skip
        start = stub.snapshot()
        if changes is not None:
            wanted: Any = changes
            acme.notifications.preferences.update(wanted, user_id="user_sam")
        more: Any = given
        sent = acme.notifications.send_email(to, **MAIL, **more)
        held = some(stub.store.collection("tenant_acme", "notification").get(sent.id))
        assert (sent.delivery_status, held["held_back"]) == ("suppressed" if reason else "sent", reason), changes
        stub.restore(start)
    for topic, given, reason in (
        ("news", {"category": "news"}, "a@example.com has unsubscribed"), ("news", {"category": "other"}, None),
        ("comment", {"type": "comment"}, "a@example.com has unsubscribed"),
        (None, {}, "a@example.com has unsubscribed"),
        (None, {"category": "transactional"}, None),
    ):  # fmt: skip
        start = stub.snapshot()
        acme.notifications.unsubscribe(address="a@example.com", topic=topic)
        more = given
        sent = acme.notifications.send_email("a@example.com", **MAIL, **more)
        assert some(stub.store.collection("tenant_acme", "notification").get(sent.id))["held_back"] == reason, topic
        stub.restore(start)
