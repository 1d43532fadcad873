"""No call answers with what is hidden: every one is made with a valid request, and every record of a kind is marked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest
from newcomers import PASSWORD
from valid_requests import Maker

from crm_sdk.catalogue import declared_operations
from server_stub import StubServer

from .canaries import AMOUNTS, MARK, every_permission, hidden_members, pattern

TEXTS: Mapping[str, tuple[str, ...]] = {
    "contact": ("name", "first_name", "last_name", "title", "department", "company"),
    "deal": ("title", "description", "next_step", "company", "contact_name"),
    "lead": ("name", "company", "title", "industry", "campaign"),
    "account": ("name", "industry", "description"),
}
AMOUNT = {"deal": "value", "lead": "value", "account": "annual_revenue"}
MADE_ANEW = {"lead": ("leads.convert", "leads.bulk_convert")}
"""The calls that make another record of one: what is hidden of leads is not hidden of the contact that one becomes."""
EXPECTED = 450
"""At least so many requests are answered with success."""


def marked(stub: StubServer, entity: str) -> None:
    """Put a mark in every text of every record of a kind, and in its amount."""
    records = stub.store.collection("tenant_acme", entity)
    for number, doc in enumerate(records.all()):
        changes: dict[str, Any] = {
            name: f"{MARK}{entity} {name} {number}" for name in TEXTS[entity] if doc.get(name) is not None
        }
        if "@" in str(doc.get("email")):
            changes["email"] = f"{MARK}{entity}{number}@x.example"
        if doc.get(AMOUNT.get(entity, "")) is not None:
            changes[AMOUNT[entity]] = Decimal(AMOUNTS[entity])
        records.put(doc | changes)


@pytest.fixture
def token(stub: StubServer, entity: str) -> str:
    """Return the token of somebody who may do everything, and from whom everything of an entity is hidden."""
    admin = stub.client(dialects="platform", max_retries=0)
    hidden = hidden_members(stub, entity)
    role: Any = {"key": "blind", "name": "Blind", "permissions": every_permission(), "field_permissions": hidden}
    admin.security.roles.create(role)
    admin.users.create({"email": "blind@acme.test", "name": "Blind", "role": "blind", "password": PASSWORD})
    return str(stub.client(api_key=None, dialects="platform").auth.login("blind@acme.test", PASSWORD).access_token)


def answers(stub: StubServer, token: str) -> Iterator[tuple[str, int, bytes, bytes]]:
    """Make every call once in every dialect, each on the same data; yield its name, status, request and answer."""
    start = stub.snapshot()
    for operation in declared_operations():
        for route in operation.routes.values():
            stub.restore(start)
            asked = Maker(stub).of(operation, route) if operation.kind != "stream" else None
            if asked is not None and "authorization" in asked.headers:
                asked.headers["authorization"] = f"Bearer {token}"
                reply = stub.handle(asked.request())
                yield operation.id, reply.status, asked.body, reply.body + b"".join(reply.chunks or ())


@pytest.mark.thorough
@pytest.mark.parametrize("entity", TEXTS)
def test_no_call_answers_with_what_is_hidden(stub: StubServer, entity: str, token: str) -> None:
    marked(stub, entity)
    hidden, done = pattern(entity), 0
    for name, status, asked, answered in answers(stub, token):
        done += status < 300
        found = hidden.search(answered)
        if found is not None and hidden.search(asked) is None and name not in MADE_ANEW.get(entity, ()):
            pytest.fail(f"{name}: {answered[max(0, found.start() - 200) : found.end() + 20]!r}")
    assert done >= EXPECTED
