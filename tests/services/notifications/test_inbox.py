"""The rules of notifications, as their users meet them in either document."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from refusals import refused
from stub_data import some

from crm_sdk import CrmClient
from crm_sdk.models.notifications import Notification
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.services.notifications import notify
from server_stub.services.notifications.inbox import forget_expired
from server_stub.timetable import system_call


@pytest.fixture
def mvp(stub: StubServer) -> CrmClient:
    return stub.client(dialects="mvp", strict=True)


@pytest.fixture
def flow(stub: StubServer) -> CrmClient:
    return stub.client(dialects="flow", strict=True)


def told(stub: StubServer, type: str = "deal_update", user: str = "user_ada", **options: Any) -> str:
    call = system_call(stub, "tenant_acme", stub.clock.now(), "test")
    return str(notify(call, user, type, "Title", "Text", **options)["id"])


def ids(found: list[Notification]) -> list[str]:
    return [notification.id for notification in found]


@pytest.mark.parametrize("dialect", ["mvp", "flow"])
def test_marking_is_one_method_in_both_documents(stub: StubServer, dialect: str) -> None:
    client = stub.client(dialects=dialect, strict=True)
    id = told(stub)
    assert next(found for found in client.notifications.list() if found.id == id).read is False
    assert client.notifications.mark_read(id).read is True
    assert client.notifications.mark_read(id, read=True).read is True
    assert next(found for found in client.notifications.list() if found.id == id).read is True
    asked = {"mvp": "PUT", "flow": "PATCH"}[dialect]
    assert {entry.method for entry in stub.journal.find(operation="notifications.mark_read")} == {asked}
    assert [entry["action"] for entry in stub.audit()].count("notification.read") == 1


def test_only_the_flow_document_unreads_and_deletes(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    id, before = told(stub), flow.notifications.unread_count().count
    flow.notifications.mark_read(id)
    assert flow.notifications.unread_count().count == before - 1
    assert flow.notifications.mark_read(id, read=False).read is False
    assert flow.notifications.unread_count().count == before
    with pytest.raises(Exception, match="mvp does not document read"):
        mvp.notifications.mark_read(id, read=False)
    flow.notifications.delete(id)
    assert flow.notifications.unread_count().count == before - 1
    assert refused(lambda: flow.notifications.mark_read(id)).code == "NOT_FOUND"


def test_flow_is_told_what_to_set_and_mvp_nothing() -> None:
    seen: list[httpx.Request] = []
    answer = {"id": "notif_1", "type": "lead", "title": "T", "message": "M"}

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, json=answer)

    for dialect in ("flow", "mvp"):
        client = CrmClient("http://crm.test", "key", dialects=dialect, http_client=httpx.MockTransport(handle))
        client.notifications.mark_read("notif_1")
    assert [json.loads(request.content) for request in seen] == [{"read": True}, {}]


def test_lists_are_filtered_and_paged(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    made = [told(stub, "message_received" if n % 2 else "task_due") for n in range(30)]
    for id in made[:10]:
        flow.notifications.mark_read(id)
    unread = ids(list(flow.notifications.list(read=False)))
    assert set(made[10:]) <= set(unread) and not set(made[:10]) & set(unread)
    assert set(made[:10]) <= set(ids(list(flow.notifications.list(read=True))))
    assert set(ids(list(mvp.notifications.list(status="unread", limit=100)))) == set(unread)
    assert set(ids(list(mvp.notifications.list(status="all", limit=100)))) > set(made)
    found = list(mvp.notifications.list(type="message", limit=100))
    assert {notification.type for notification in found} == {"message"}
    assert {id for n, id in enumerate(made) if n % 2} <= set(ids(found))
    assert len(mvp.notifications.list().items) == 20
    assert len(flow.notifications.list(limit=5, offset=10).items) == 5
    times = [notification.created_at for notification in flow.notifications.list(limit=7)]
    assert times == sorted(times, key=lambda at: at or stub.clock.now(), reverse=True)
    assert refused(lambda: mvp.notifications.list(status="bogus")).code == "VALIDATION_ERROR"


def test_each_document_has_its_own_words(mvp: CrmClient, flow: CrmClient, stub: StubServer) -> None:
    made = {type: told(stub, type, data={"leadId": "lead_123"}) for type in ("lead", "message_received", "task_due")}
    for client, words in (
        (mvp, {"lead": "lead", "message_received": "message", "task_due": "system"}),
        (flow, {"lead": "deal_update", "message_received": "message_received", "task_due": "task_due"}),
    ):
        shown = {found.id: found for found in client.notifications.list(limit=100)}
        assert {type: shown[id].type for type, id in made.items()} == words
        assert all(shown[id].metadata == {"leadId": "lead_123"} for id in made.values())


def test_everybody_has_their_own(stub: StubServer) -> None:
    id = told(stub, user="user_sam")
    ada, sam = (stub.client(dialects="flow", api_key=key) for key in ("acme-admin", "acme-sales"))
    assert id in ids(list(sam.notifications.list()))
    assert id not in ids(list(ada.notifications.list()))
    for call in (ada.notifications.mark_read, ada.notifications.delete):
        assert refused(lambda call=call: call(id)).status == 404  # type: ignore[misc] # mypy cannot infer a lambda with a default
    rita = stub.client(dialects="flow", api_key="none")
    rita.auth.login("rita@acme.test", "demo-password")
    mine = told(stub, user="user_rita")
    assert rita.notifications.mark_read(mine).read  # also who may write nothing else


def test_what_has_expired_is_not_shown_and_forgotten_at_the_end_of_the_day(flow: CrmClient, stub: StubServer) -> None:
    stored = stub.store.collection("tenant_acme", "notification")
    id = told(stub, expires_at=stub.clock.now() + timedelta(hours=2))
    lasting = told(stub)
    assert id in ids(list(flow.notifications.list()))
    before = flow.notifications.unread_count().count
    stub.clock.advance(2 * 3600)
    assert id not in ids(list(flow.notifications.list()))
    assert flow.notifications.unread_count().count == before - 1
    assert refused(lambda: flow.notifications.mark_read(id)).status == 404
    assert stored.get(id) is not None
    stub.clock.advance(22 * 3600)
    flow.notifications.unread_count()
    assert stored.get(id) is None
    assert stored.get(lasting) is not None


def test_a_qualified_lead_is_told_to_its_owner(mvp: CrmClient, stub: StubServer) -> None:
    lead = mvp.leads.get("lead_123")
    doc = stub.store.collection("tenant_acme", "lead").get("lead_123")
    assert doc is not None
    stub.store.collection("tenant_acme", "lead").put(doc | {"owner_id": "user_ada"})
    before = len(list(mvp.notifications.list(type="lead", limit=100)))
    mvp.leads.update("lead_123", {"status": "contacted"})
    assert len(list(mvp.notifications.list(type="lead", limit=100))) == before
    mvp.leads.update("lead_123", {"status": "qualified"})
    newest = mvp.notifications.list(type="lead", limit=100).items[0]
    assert newest.message == f"{lead.name} has been qualified and is ready for follow-up"
    assert newest.metadata == {"leadId": "lead_123", "leadName": lead.name}


def test_what_a_notification_has(stub: StubServer, flow: CrmClient) -> None:
    deal = next(doc for doc in stub.store.collection("tenant_acme", "deal") if doc.get("title"))
    kept, count = stub.store.collection("tenant_acme", "notification"), len(stub.audit())

    def made(user: str = "user_ada", **options: Any) -> Document:
        return some(kept.get(told(stub, user=user, **options)))

    usual = {
        "user_id": "user_ada", "channel": "in_app", "recipient": "user_ada", "type": "deal_update", "title": "Title",
        "message": "Text", "priority": "medium", "read": False, "read_at": None, "action_url": None, "entity": None,
        "metadata": {}, "expires_at": None, "delivery_status": "delivered", "attempts": 1, "scheduled_at": None,
        "sent_at": stub.clock.now(), "delivered_at": stub.clock.now(),
    }  # fmt: skip
    plain = made()
    assert {name: plain[name] for name in usual} == usual
    about = made(about=("deal", deal["id"]), data={"a": 1}, priority="high")
    assert about["entity"] == {"type": "deal", "id": deal["id"], "name": deal["title"]}
    assert (about["metadata"], about["priority"]) == ({"dealId": deal["id"], "a": 1}, "high")
    assert str(about["action_url"]).endswith(deal["id"])
    contact = some(stub.store.collection("tenant_acme", "contact").get("contact_123"))
    named = made(about=("contact", "contact_123"), data={"contactId": "other"}, action_url="/there")
    assert named["entity"] == {"type": "contact", "id": "contact_123", "name": contact["name"]}
    assert (named["metadata"], named["action_url"]) == ({"contactId": "other"}, "/there")
    note = next(doc for doc in stub.store.collection("tenant_acme", "activity") if doc["kind"] == "note")
    assert made(about=("note", note["id"]))["entity"]["type"] == "activity"
    talk = made(about=("conversation", "conversation_none"))
    assert talk["entity"] == {"type": "conversation", "id": "conversation_none", "name": None}
    assert made("user_nobody")["delivery_status"] == "delivered"
    said = [(entry["action"], entry["metadata"]) for entry in stub.audit()[count:]]
    assert said[0] == ("notification.created", {"user_id": "user_ada"}) and len(said) == 6
    ada = stub.client(dialects="platform", max_retries=0)
    ada.notifications.preferences.update({"channels": {"in_app": False}})
    count = len(stub.audit())
    held = made(about=("deal", deal["id"]))
    assert (held["delivery_status"], held["sent_at"], held["title"]) == ("suppressed", None, "Title")
    assert len(stub.audit()) == count and held["id"] not in ids(list(flow.notifications.list()))
    assert made(type="system")["delivery_status"] == "delivered"


def test_the_inbox_has_what_arrived_there_and_notes_when_it_was_read(stub: StubServer, flow: CrmClient) -> None:
    platform = stub.client(dialects="platform", max_retries=0)
    mail = platform.notifications.send_email("user_ada", subject="S", content="C")
    stub.clock.advance(2)
    assert platform.notifications.status(mail.id).delivery_status == "delivered"
    kept, id = stub.store.collection("tenant_acme", "notification"), told(stub)
    before, shown = flow.notifications.unread_count().count, ids(list(flow.notifications.list(limit=100)))
    assert id in shown and mail.id not in shown
    flow.notifications.mark_read(id)
    first = some(kept.get(id))["read_at"]
    assert first is not None and flow.notifications.unread_count().count == before - 1
    stub.clock.advance(5)
    flow.notifications.mark_read(id)
    assert some(kept.get(id))["read_at"] == first
    flow.notifications.mark_read(id, read=False)
    assert some(kept.get(id))["read_at"] is None
    now = stub.clock.now()
    gone, stays = told(stub, expires_at=now), told(stub, expires_at=now + timedelta(milliseconds=1))
    call, count = system_call(stub, "tenant_acme", now, "test"), len(stub.audit())
    with stub.store.transaction():
        forget_expired(call)
    assert kept.get(gone) is None and kept.get(stays) is not None
    (entry,) = [one for one in stub.audit()[count:] if one["entity"]["id"] == gone]
    assert (entry["action"], entry["reason"]) == ("notification.deleted", "expired")
