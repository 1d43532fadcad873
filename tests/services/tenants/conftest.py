"""What the tests of companies stand on: their clients, and a company of its own, which is managed by the first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Tenant
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.access.identity import fingerprint

DAY = 86_400
_numbers = count(1)


@dataclass
class Company:
    """A company that was founded for a test, with a client of its admin."""

    id: str
    slug: str
    own: CrmClient
    stub: StubServer

    def put(self, kind: str, **members: Any) -> None:
        """Store a record of the company."""
        self.stub.store.collection(self.id, kind).put(Document(members))

    def trail(self) -> list[str]:
        """Return the actions in the company's trail."""
        return [entry["action"] for entry in self.stub.audit(self.id)]

    def add_users(self, number: int, status: str = "active") -> None:
        for n in range(number):
            self.put(
                "user", id=f"user_{self.id}_{n}", email=f"u{n}@x.test", name="U", role="sales", roles=[], status=status
            )


Found = Callable[..., Company]


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sales(stub: StubServer) -> CrmClient:
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def found(stub: StubServer, acme: CrmClient) -> Found:
    """Found a company, with an API key of its own; with a plan it has a card and ten seats."""

    def make(plan: str = "free", **members: Any) -> Company:
        body: Any = {"name": f"Hooli {next(_numbers)}", "admin_email": "gavin@hooli.test", **members}
        tenant: Tenant = acme.tenants.create(body)
        stub.clock.advance(3)
        key = f"key-of-{tenant.slug}"
        company = Company(
            tenant.id, tenant.slug, stub.client(api_key=key, dialects="platform", max_retries=0, strict=True), stub
        )
        (admin,) = stub.store.collection(tenant.id, "user")
        company.put("user", **admin | {"status": "active"})
        company.put(
            "api_key",
            id=f"apikey_{tenant.slug}",
            name=key,
            role="admin",
            user_id=admin["id"],
            tenant_id=tenant.id,
            fingerprint=fingerprint(key),
            revoked_at=None,
        )
        if plan != "free":
            company.own.tenants.billing.update("current", {"payment_method_token": "tok_visa"})
            company.own.tenants.billing.upgrade("current", plan, seats=10)
        return company

    return make
