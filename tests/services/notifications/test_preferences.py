"""Preferences, quiet hours, opt-outs and subscriptions: what holds a message back, and who decides."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.wire import camel
from server_stub import StubServer
from server_stub.request.http import Request

HEADERS = {"authorization": "Bearer acme-sales", "content-type": "application/json"}
MAIL: Any = {"subject": "S", "content": "C"}


def outcome(acme: CrmClient, **more: Any) -> str:
    return str(acme.notifications.send_email("user_sam", **{**MAIL, **more}).delivery_status)


@pytest.mark.parametrize(
    ("changes", "held", "sent"),
    [
        ({"enabled": False}, {}, {"category": "transactional"}),
        ({"channels": {"email": False}}, {}, {"category": "transactional"}),
        ({"types": [{"type": "approval", "channels": ["in_app"]}]}, {"type": "approval"}, {"type": "comment"}),
    ],
)
def test_what_a_user_does_not_want_is_held_back(
    acme: CrmClient, sales: CrmClient, changes: Any, held: Any, sent: Any
) -> None:
    assert outcome(acme, **held) == "sent"
    sales.notifications.preferences.update(changes)
    assert outcome(acme, **held) == "suppressed"
    assert outcome(acme, **sent) == "sent"


def test_a_change_keeps_what_it_does_not_name_and_no_difference_writes_nothing(
    sales: CrmClient, stub: StubServer
) -> None:
    sales.notifications.preferences.update({"channels": {"sms": False}, "digest": "daily"})
    found = sales.notifications.preferences.update({"channels": {"push": False}})
    assert (found.channels.sms, found.channels.push, found.channels.email, found.digest) == (
        False,
        False,
        True,
        "daily",
    )
    count = len(stub.audit())
    assert sales.notifications.preferences.update({"channels": {"push": False}}) == found
    assert len(stub.audit()) == count
    assert [entry["action"] for entry in stub.audit()[-2:]] == ["notification.preferences_updated"] * 2


def test_others_are_for_those_who_manage(acme: CrmClient, sales: CrmClient) -> None:
    assert refused(lambda: sales.notifications.preferences.update({}, user_id="user_ada")).code == "FORBIDDEN"
    assert refused(lambda: sales.notifications.preferences.get(user_id="user_ada")).code == "FORBIDDEN"
    assert acme.notifications.preferences.update({"digest": "weekly"}, user_id="user_sam").user_id == "user_sam"
    assert sales.notifications.preferences.get().digest == "weekly"
    assert refused(lambda: acme.notifications.preferences.get(user_id="user_nobody")).status == 404


@pytest.mark.parametrize(
    "changes",
    [
        {"types": [{"type": "system", "channels": ["email"]}]},
        {"types": [{"type": "approval", "channels": ["pigeon"]}]},
        {"types": [{"type": "a", "channels": []}, {"type": "a", "channels": []}]},
        {"channels": {"pigeon": True}},
        {"digest": "yearly"},
        {"quiet_hours": {"start": "25:00", "end": "06:00", "timezone": "UTC"}},
        {"quiet_hours": {"start": "22:00", "end": "06:00", "timezone": "Mars/North"}},
    ],
)
def test_what_cannot_be_is_refused(stub: StubServer, changes: dict[str, Any]) -> None:
    body = {camel(name): value for name, value in changes.items()}
    request = Request("PUT", "/v1/notifications/preferences", headers=HEADERS, body=json.dumps(body).encode())
    answer = stub.handle(request)
    assert answer.status == 422


@pytest.mark.parametrize(
    ("hours", "now", "until"),
    [
        (("22:00", "07:00", "Europe/Berlin"), (23, 30), datetime(2026, 1, 16, 6, 0, tzinfo=UTC)),
        (("09:00", "18:00", "Asia/Tokyo"), (23, 30), None),
        (("09:00", "18:00", "America/Los_Angeles"), (23, 30), datetime(2026, 1, 16, 2, 0, tzinfo=UTC)),
    ],
)
def test_quiet_hours_are_those_of_the_users_zone(
    acme: CrmClient, sales: CrmClient, stub: StubServer, hours: Any, now: Any, until: datetime | None
) -> None:
    start, end, zone = hours
    sales.notifications.preferences.update({"quiet_hours": {"start": start, "end": end, "timezone": zone}})
    stub.clock.advance((datetime(2026, 1, 15, now[0], now[1], tzinfo=UTC) - stub.clock.now()).total_seconds())
    sent = acme.notifications.send_email("user_sam", **MAIL)
    assert (sent.delivery_status, sent.scheduled_at) == (("scheduled", until) if until else ("sent", None))
    assert acme.notifications.send_email("user_sam", priority="high", **MAIL).delivery_status == "sent"
    if until is not None:
        stub.clock.advance((until - stub.clock.now()).total_seconds() + 2)
        assert acme.notifications.status(sent.id).delivery_status == "delivered"


def test_the_inbox_obeys_too_but_for_the_system(acme: CrmClient, sales: CrmClient) -> None:
    sales.notifications.preferences.update({"channels": {"in_app": False}})
    sent = [
        acme.notifications.send_in_app("user_sam", title="T", content="C", type=type).delivery_status
        for type in ("approval", "system")
    ]
    assert sent == ["suppressed", "delivered"]


def test_unsubscribing_from_a_topic_and_from_all(acme: CrmClient) -> None:
    person = acme.contacts.create({"name": "Eva", "email": "eva@example.com"})

    def sent(category: str) -> str:
        return str(acme.notifications.send_email(person.id, category=category, **MAIL).delivery_status)

    acme.notifications.unsubscribe(address="EVA@example.com", topic="marketing")
    assert [sent(word) for word in ("marketing", "support")] == ["suppressed", "sent"]
    assert acme.contacts.get(person.id).email_opt_out is False
    ended = acme.notifications.unsubscribe(address="eva@example.com")
    assert acme.notifications.unsubscribe(address="eva@example.com") == ended
    assert [sent(word) for word in ("support", "transactional")] == ["suppressed", "sent"]
    assert acme.contacts.get(person.id).email_opt_out is True


def test_an_opt_out_of_sms_holds_back_sms_only(acme: CrmClient) -> None:
    person = acme.contacts.create({
        "name": "Eva", "email": "eva@example.com", "phone": "+4930123457", "sms_opt_out": True,
    })  # fmt: skip
    assert acme.notifications.send_sms(person.id, content="x").delivery_status == "suppressed"
    assert acme.notifications.send_email(person.id, **MAIL).delivery_status == "sent"


def test_addresses_of_others_are_for_those_who_may(sales: CrmClient, acme: CrmClient, stub: StubServer) -> None:
    own = "sam@acme.test"
    assert sales.notifications.unsubscribe(address=own, topic="comment")[0].address == own
    assert [one.topic for one in sales.notifications.subscriptions.list()] == ["comment"]
    for call in (
        lambda: sales.notifications.unsubscribe(address="ada@acme.test"),
        lambda: sales.notifications.subscriptions.list(address="ada@acme.test"),
    ):
        assert refused(call).code == "FORBIDDEN"
    assert own in {one.address for one in acme.notifications.subscriptions.list(subscribed=False)}
