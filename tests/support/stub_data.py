"""What tests read of a stub's data, and what they write into it in the place of a service."""

from __future__ import annotations

from typing import Any, TypeVar

from server_stub import StubServer
from server_stub.data.document import Document

T = TypeVar("T")


def some(value: T | None) -> T:
    """Return a value that must be there."""
    assert value is not None
    return value


def trail(stub: StubServer, after: int = 0) -> list[str]:
    """Return the actions in the company's audit trail, without the first ones."""
    return [entry["action"] for entry in stub.audit()[after:]]


def stored(stub: StubServer, kind: str, id: str, **members: Any) -> Document:
    """Return a record as it is stored, with these members changed."""
    records = stub.store.collection("tenant_acme", kind)
    return records.put(some(records.get(id)) | members)


def plain(*values: Any) -> tuple[Any, ...]:
    """Return values to compare with plain numbers: an amount is a Decimal to type checkers."""
    return values


def idle(stub: StubServer) -> StubServer:
    """Take from the demo data what works by itself, for a test that moves the clock far: days pass quickly then."""
    for tenant in ("tenant_acme", "tenant_globex"):
        for kind in ("schedule", "backup_schedule", "export_schedule", "contact", "deal"):
            records = stub.store.collection(tenant, kind)
            for doc in records.all():
                records.remove(doc["id"])
    return stub
