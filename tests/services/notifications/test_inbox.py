"""The rules of notifications, as their users meet them in either document."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.models.notifications import Notification
from server_stub import StubServer
from server_stub.services.notifications import notify
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
