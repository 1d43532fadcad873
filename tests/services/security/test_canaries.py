"""What is hidden is nowhere: in no answer, event, export, search or change, nor copied, added up or put into words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from newcomers import PASSWORD

from crm_sdk import CrmClient
from server_stub import StubServer

from .canaries import ENTITIES, MARK, World, asked, every_permission, hidden_members, make, pattern, spread

FEEDS = ("deals", "messages", "contacts", "calendar", "notifications")


@pytest.fixture(scope="module")
def marked_data() -> Iterator[tuple[StubServer, dict[str, str], Any]]:
    with StubServer() as stub:
        crm = stub.client(dialects="platform", max_retries=0)
        ids = make(crm)
        spread(crm, ids)
        stub.clock.advance(3600)
        yield stub, ids, stub.snapshot()


@pytest.fixture
def world(marked_data: tuple[StubServer, dict[str, str], Any], entity: str) -> World:
    """Return the data, and somebody from whom everything of an entity is hidden."""
    stub, ids, start = marked_data
    stub.restore(start)
    admin = stub.client(dialects="platform", max_retries=0)
    hidden = hidden_members(stub, entity)
    role: Any = {"key": "blind", "name": "Blind", "permissions": every_permission(), "field_permissions": hidden}
    admin.security.roles.create(role)
    admin.users.create({"email": "blind@acme.test", "name": "Blind", "role": "blind", "password": PASSWORD})
    login = stub.client(api_key=None, dialects="platform").auth.login("blind@acme.test", PASSWORD)
    return World(stub, ids, {"authorization": f"Bearer {login.access_token}"})


@pytest.fixture
def blind(world: World) -> CrmClient:
    client = world.stub.client(api_key=None, dialects="platform", max_retries=0)
    client.auth.login("blind@acme.test", PASSWORD)
    return client


def around(found: re.Match[bytes], content: bytes) -> bytes:
    return content[max(0, found.start() - 200) : found.end() + 20]


@pytest.mark.parametrize("entity", ENTITIES)
def test_nothing_hidden_is_in_any_answer_to_a_get(world: World, entity: str) -> None:
    hidden, answered = pattern(entity), set[str]()
    for operation, status, content in asked(world, entity):
        assert status < 500, (operation.id, content)
        answered |= {operation.id} if status == 200 else set()
        found = hidden.search(content.replace(f"{MARK}{entity}\"".encode(), b"\"")) if status == 200 else None
        assert found is None, (operation.id, around(found, content))
    assert len(answered) > 160
