"""The figures of the messages of some days, and who sees which of them."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from newcomers import signed_in
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models.notifications import Notification
from server_stub import StubServer
from server_stub.data.blanks import blank
from server_stub.data.document import Document
from server_stub.mail import SYSTEM_MAIL, outbox

ZONE = ZoneInfo("America/New_York")
FIRST, LAST = date(2001, 3, 10), date(2001, 3, 11)
MS = timedelta(milliseconds=1)
NAMES = ("sent", "delivered", "opened", "clicked", "bounced", "failed", "suppressed", "unsubscribed")


def put(stub: StubServer, id: str, at: datetime, **members: Any) -> None:
    usual = {
        "channel": "email", "type": "campaign", "template_id": None, "user_id": None, "created_by": "user_ada",
        "title": "T", "message": "M", "recipient": "a@b.test", "delivery_status": "sent", "version": 1,
    }  # fmt: skip
    doc = {**blank(Notification), **usual, "id": id, "created_at": at, "updated_at": at, **members}
    stub.store.collection("tenant_acme", "notification").put(Document(doc))


def test_messages_are_counted_by_how_far_they_have_come(stub: StubServer, acme: CrmClient) -> None:
    begins, noon, ends = (datetime(2001, 3, day, hour, tzinfo=ZONE) for day, hour in ((10, 0), (10, 12), (12, 0)))
    template = stub.store.collection("tenant_acme", "template").all()[0]
    put(stub, "before", begins - MS, sent_at=begins)
    put(stub, "after", ends, sent_at=ends)
    put(
        stub, "n1", begins, sent_at=noon, delivered_at=noon, opened_at=noon, clicked_at=noon, template_id=template["id"]
    )
    put(stub, "n2", noon, sent_at=noon, delivered_at=noon, read_at=noon, channel="in_app", delivery_status="delivered")
    put(stub, "n3", ends - MS, sent_at=noon, delivery_status="bounced", unsubscribed_at=noon, template_id="gone")
    put(stub, "n4", noon, delivery_status="failed", channel="sms")
    put(stub, "n5", noon, delivery_status="suppressed", type="digest")

    def asked(**given: Any) -> dict[str, Any]:
        call = acme.notifications.analytics
        return call(start_date=FIRST, end_date=LAST, period="day", **given).model_dump()

    seen = asked()
    assert (seen["start_date"], seen["end_date"]) == (FIRST, LAST)
    whole = {"sent": 3, "delivered": 2, "opened": 2, "clicked": 1, "bounced": 1, "failed": 1, "suppressed": 1,
             "unsubscribed": 1}  # fmt: skip
    assert {name: seen["totals"][name] for name in NAMES} == whole
    rates = ("delivery_rate", "open_rate", "click_rate", "bounce_rate")
    assert [round(seen["totals"][name], 4) for name in rates] == [0.6667, 1.0, 0.5, 0.3333]
    assert [(one["key"], one["name"], *(one[name] for name in NAMES[:5])) for one in seen["channels"]] == [
        ("email", "E-mail", 2, 1, 1, 1, 1), ("sms", "SMS", 0, 0, 0, 0, 0), ("in_app", "Inbox", 1, 1, 1, 0, 0),
    ]  # fmt: skip
    assert next(one for one in seen["channels"] if one["key"] == "sms")["delivery_rate"] == 0
    assert [(one["key"], one["name"], one["sent"], one["click_rate"]) for one in seen["templates"]] == sorted(
        [(template["id"], template["name"], 1, 1.0), ("gone", "gone", 1, 0.0)]
    )
    assert {one["name"]: [int(point["value"]) for point in one["points"]] for one in seen["series"]} == {
        "sent": [2, 1], "delivered": [2, 0], "opened": [2, 0], "clicked": [1, 0], "bounced": [0, 1], "failed": [1, 0],
        "suppressed": [1, 0],
    }  # fmt: skip
    assert asked(channel="in_app")["totals"]["sent"] == 1 == asked(template_id="gone")["totals"]["sent"]
    assert [asked(type="digest")["totals"][name] for name in ("sent", "suppressed")] == [0, 1]


def test_the_history_is_of_a_time_and_of_ones_own(stub: StubServer, acme: CrmClient) -> None:
    sales = stub.client(api_key="acme-sales", dialects="platform", max_retries=0)
    at = datetime(2001, 3, 10, tzinfo=ZONE)
    put(stub, "n1", at, created_by="user_ada", sent_at=at + 2 * MS)
    put(stub, "n2", at + MS, created_by="user_sam")
    put(stub, "n3", at + 2 * MS, created_by="apikey_acme_sales", sent_at=at + MS)
    put(stub, "n4", at + 3 * MS, user_id="user_sam", channel="in_app")

    def ids(client: CrmClient, **given: Any) -> list[str]:
        return [one.id for one in client.notifications.history(**{"until": at + 4 * MS, **given})]

    assert ids(acme) == ["n4", "n3", "n2", "n1"]
    assert ids(acme, since=at + MS) == ["n4", "n3", "n2"]
    assert ids(acme, since=at + MS, until=at + 3 * MS) == ["n3", "n2"]
    assert ids(acme, sort="sent_at")[:2] == ["n3", "n1"]
    assert ids(acme, channel="in_app") == ids(acme, user_id="user_sam") == ["n4"]
    assert ids(sales) == ["n4", "n3", "n2"]
    for id in ("n2", "n3", "n4"):
        assert sales.notifications.status(id).notification_id == id
    assert refused(lambda: sales.notifications.status("n1")).status == 404
    whole = acme.notifications.status("n1")
    assert whole.model_dump() == {
        "notification_id": "n1", "channel": "email", "delivery_status": "sent", "attempts": [], "opened_at": None,
        "clicked_at": None, "next_retry_at": None,
    }  # fmt: skip
    put(stub, "n5", at, read_at=at + MS, clicked_at=at, next_retry_at=at + MS)
    five = acme.notifications.status("n5")
    assert (five.opened_at, five.clicked_at, five.next_retry_at) == (at + MS, at, at + MS)
    put(stub, "n5", at, read_at=at + MS, opened_at=at)
    assert acme.notifications.status("n5").opened_at == at


def test_figures_are_of_months_where_no_period_is_given(stub: StubServer, acme: CrmClient) -> None:
    found = acme.notifications.analytics(start_date=FIRST, end_date=date(2001, 4, 1))
    assert {tuple(point.period for point in one.points) for one in found.series} == {("2001-03", "2001-04")}


def test_a_token_of_the_platform_is_for_administrators(stub: StubServer, acme: CrmClient) -> None:
    manager = signed_in(stub, acme, "manager")[1]
    acme.auth.password.reset("sam@acme.test")
    put(stub, "n1", stub.clock.now(), user_id=None, metadata={"token": "T1"}, message="T1")

    def shown(client: CrmClient, type: str) -> tuple[str, Any]:
        mail = client.notifications.history(type=type, limit=1).items[0]
        return mail.message, mail.metadata

    (token,) = [mail.token for mail in outbox(stub.store) if mail.subject == "Set a new password"]
    for client, said, metadata in ((acme, token, {"token": token}), (manager, "…", {})):
        text, held = shown(client, SYSTEM_MAIL)
        assert held == metadata and text.startswith(f"Set a new password with this token, within an hour: {said}\n")
        assert shown(client, "campaign") == ("T1", {"token": "T1"}), "of a message of the company's own"
