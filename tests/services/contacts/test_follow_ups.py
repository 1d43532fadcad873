"""Follow-ups of contacts: their owner is told once, when one falls due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stub_data import idle, some, stored

from crm_sdk import CrmClient
from server_stub import StubServer, timetable


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0)


def test_an_owner_is_told_once_of_each_follow_up_that_falls_due(client: CrmClient, stub: StubServer) -> None:
    hour, contacts = timedelta(hours=1), stub.store.collection("tenant_acme", "contact")
    start = stub.clock.now()

    def told(hours: float) -> list[str]:
        """Let time pass until so many hours after the start, and return the owners who were told by then."""
        stub.clock.advance((start + hours * hour - stub.clock.now()).total_seconds())
        client.contacts.list(limit=1)
        mine = stub.store.collection("tenant_acme", "notification").find("type", "task_due")
        mine = [doc for doc in mine if (doc.get("entity") or {}).get("id") == made.id]
        for doc in mine:
            assert (doc["title"], doc["message"]) == ("Follow up with Zoë", "The follow-up with Zoë is due.")
            assert (doc["entity"]["type"], doc["metadata"]) == (
                "contact", {"contactId": made.id, "contactName": "Zoë"},
            )  # fmt: skip
            assert doc["expires_at"] - doc["created_at"] == timedelta(days=14)
        return [doc["user_id"] for doc in mine]

    def opened() -> bool:
        return bool(some(contacts.get(made.id)).get("follow_up_open"))

    changes: Any = client.contacts.update
    made = client.contacts.create({"name": "Zoë", "next_follow_up": start + hour})
    assert (told(0.99), opened()) == ([], True)
    assert (told(1), opened()) == (["user_ada"], False)
    assert some(contacts.get(made.id))["version"] == made.version
    changes(made.id, {"title": "CTO"})
    assert (told(1.5), opened()) == (["user_ada"], False)
    changes(made.id, {"next_follow_up": start + 2 * hour})
    assert (told(1.9), opened()) == (["user_ada"], True)
    changes(made.id, {"next_follow_up": start + 3 * hour})
    assert told(2.1) == ["user_ada"]
    changes(made.id, {"owner_id": "user_sam"})
    assert (told(3), opened()) == (["user_ada", "user_sam"], False)
    changes(made.id, {"next_follow_up": start + 4 * hour})
    changes(made.id, {"next_follow_up": None})
    assert (told(4.1), opened()) == (["user_ada", "user_sam"], False)
    changes(made.id, {"next_follow_up": start + 5 * hour})
    stored(stub, "contact", made.id, owner_id=None)
    assert (told(5.1), opened()) == (["user_ada", "user_sam"], False)
    changes(made.id, {"next_follow_up": start + 6 * hour, "owner_id": "user_ada"})
    client.contacts.delete(made.id)
    assert told(6.1) == ["user_ada", "user_sam"]


def test_only_what_is_due_is_told_and_what_is_gone_is_waited_for_no_more(client: CrmClient, stub: StubServer) -> None:
    idle(stub)
    start, hour = stub.clock.now(), timedelta(hours=1)
    ids = [client.contacts.create({"name": name, "next_follow_up": start + hours * hour}).id
           for name, hours in (("A", 1), ("B", 2), ("C", 3))]  # fmt: skip

    def waits_for() -> Any:
        return some(stub.store.collection("tenant_acme", timetable.KIND).get("contacts.follow_up"))["next_at"]

    def told() -> list[str]:
        client.contacts.list(limit=1)
        notes = stub.store.collection("tenant_acme", "notification").find("type", "task_due")
        return [doc["entity"]["id"] for doc in notes if (doc.get("entity") or {}).get("id") in ids]

    assert waits_for() == start + hour
    stub.clock.advance(3601)
    assert (told(), waits_for()) == ([ids[0]], start + 2 * hour), "the others are not due yet"
    client.contacts.delete(ids[1])
    assert waits_for() == start + 3 * hour
    client.objects.restore("contact", [ids[1]])
    assert waits_for() == start + 2 * hour
    group: Any = {"survivor_id": ids[0], "contact_ids": [ids[0], ids[2]]}
    client.contacts.deduplicate(mode="merge", groups=[group])
    assert waits_for() == start + 2 * hour
    client.contacts.update(ids[1], {"next_follow_up": None})
    assert waits_for() is None, "the survivor's own was told of"
    stub.clock.advance(7200)
    assert told() == [ids[0]]
