"""Owners are notified of what comes in and of what falls due, without a call of theirs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Notification
from server_stub import StubServer


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client()


def told(client: CrmClient, type: str) -> list[Notification]:
    return [one for one in client.notifications.list() if one.type == type]


def test_a_message_that_comes_in_is_told_to_the_owner(stub: StubServer, client: CrmClient) -> None:
    lead = client.leads.create({"name": "Ada Byron", "owner_id": "user_sam"})
    sam = stub.client(api_key="acme-sales", dialects="flow")
    before = len(told(sam, "message_received"))
    client.messages.create({"lead_id": lead.id, "content": "Ours", "sender": "agent"})
    assert len(told(sam, "message_received")) == before
    client.messages.create({"lead_id": lead.id, "content": "Could you call me back?", "sender": "lead"})
    newest = told(sam, "message_received")[0]
    assert (newest.title, newest.message) == ("Message from Ada Byron", "Could you call me back?")
    assert len(told(sam, "message_received")) == before + 1


@pytest.mark.parametrize("way", ["created", "updated"])
def test_a_follow_up_that_falls_due_is_told_once(stub: StubServer, client: CrmClient, way: str) -> None:
    at = stub.clock.now() + timedelta(hours=2)
    if way == "created":
        contact = client.contacts.create({"name": "Ada Byron", "owner_id": "user_sam", "next_follow_up": at})
    else:
        contact = client.contacts.create({"name": "Ada Byron", "owner_id": "user_sam"})
        contact = client.contacts.update(contact.id, {"next_follow_up": at})
    sam = stub.client(api_key="acme-sales", dialects="flow")

    def of_contact() -> list[str]:
        return [one.title for one in told(sam, "task_due") if one.metadata.get("contactId") == contact.id]

    stub.clock.advance(3_600)
    assert of_contact() == []
    stub.clock.advance(3_601)
    assert of_contact() == ["Follow up with Ada Byron"]
    stub.clock.advance(86_400)
    assert of_contact() == ["Follow up with Ada Byron"]
    assert client.contacts.get(contact.id).version == contact.version


def test_a_follow_up_that_was_cleared_falls_not_due(stub: StubServer, client: CrmClient) -> None:
    at = stub.clock.now() + timedelta(hours=2)
    contact = client.contacts.create({"name": "Ada Byron", "owner_id": "user_sam", "next_follow_up": at})
    client.contacts.update(contact.id, {"next_follow_up": None})
    sam = stub.client(api_key="acme-sales", dialects="flow")
    before = len(told(sam, "task_due"))
    stub.clock.advance(7_201)
    assert len([one for one in told(sam, "task_due") if one.metadata.get("contactId") == contact.id]) == 0
    assert len(told(sam, "task_due")) >= before


def test_what_is_told_lasts_as_long_as_its_kind(stub: StubServer, client: CrmClient) -> None:
    start = stub.clock.now()
    long_ago = start - timedelta(days=14)
    quiet = client.contacts.create(
        {"name": "Quiet Anna", "email": "anna@x.example", "phone": "+12125550111", "owner_id": "user_sam"}
    )
    client.contacts.communication.create(quiet.id, {"type": "call", "date": long_ago, "summary": "We may cancel"})
    angry = client.contacts.create({"name": "Angry Ben", "owner_id": "user_sam"})
    call: Any = {"type": "call", "date": stub.clock.now(), "summary": "Terrible. We cancel."}
    client.contacts.communication.create(angry.id, call)
    cross = client.leads.create({"name": "Cross Carl", "owner_id": "user_sam"})
    for text in ("Great, thank you!", "Excellent", "This is bad", "Terrible, we are angry"):
        client.messages.create({"lead_id": cross.id, "content": text, "sender": "lead"})
    client.contacts.create({"name": "Late Dora", "next_follow_up": start + timedelta(hours=2), "owner_id": "user_sam"})
    client.deals.create({"title": "Hope", "contact_id": quiet.id})
    sam = stub.client(api_key="acme-sales", dialects="flow")
    deal = sam.deals.create({"title": "Vance", "value": 1_000_000})
    sam.deals.update(deal.id, {"stage": "proposal"})
    sam.deals.update(deal.id, {"stage": "closed-won"})
    for hours in (1.5, 24):
        stub.clock.advance(hours * 3_600)
        sam.notifications.unread_count()
    days = {
        "Message from Cross Carl": 14,
        "The mood of Cross Carl is declining": 14,
        "May be about to leave: Angry Ben": 14,
        "Follow up with Late Dora": 14,
        "Quiet Anna is at risk": 30,
        "Deal moved: Vance": 30,
        "Deal won: Vance": 30,
        "Achievement unlocked: Millionaire": 30,
    }
    lasting = {
        one.title: one.expires_at - one.created_at
        for one in sam.notifications.list()
        if one.expires_at is not None and one.created_at is not None
    }
    assert {title: lasting.get(title) for title in days} == {title: timedelta(days=n) for title, n in days.items()}
    rotting = {title: lasts.days for title, lasts in lasting.items() if title.startswith("Deal is rotting: ")}
    assert rotting == dict.fromkeys(rotting, 30) != {}
