"""Follow-ups of contacts: their owner is told once, when one falls due."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer


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
