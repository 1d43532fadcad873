"""What the tests of customization stand on: clients of two companies, and somebody new who has signed in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

import pytest

from crm_sdk import CrmClient
from server_stub import StubServer

PASSWORD = "Correct-Horse-7!"
_numbers = count(1)
New = Callable[..., tuple[str, CrmClient]]


@pytest.fixture
def admin(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def other(stub: StubServer) -> CrmClient:
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def new(stub: StubServer, admin: CrmClient) -> New:
    """Create a user with a role, and sign in as the user; returns the user's id and client."""

    def make(role: str = "sales") -> tuple[str, CrmClient]:
        email = f"cust{next(_numbers)}@acme.test"
        user = admin.users.create({"email": email, "name": "Cust", "role": role, "password": PASSWORD})
        crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
        crm.auth.login(email, PASSWORD)
        return user.id, crm

    return make
