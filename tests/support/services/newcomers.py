"""Somebody new in the first demo company, with a role and a client that has signed in."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import User
from server_stub import StubServer

PASSWORD = "Correct-Horse-7!"
_numbers = count(1)
New = Callable[..., tuple[str, CrmClient]]


def signed_in(
    stub: StubServer, admin: CrmClient, role: str, *, strict: bool = True, **members: Any
) -> tuple[User, CrmClient]:
    """Create a user with a role, and sign in as the user."""
    number = next(_numbers)
    body: Any = {"email": f"new{number}@acme.test", "name": f"New {number}", "role": role, "password": PASSWORD}
    user = admin.users.create(body | members)
    crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=strict)
    crm.auth.login(user.email, PASSWORD)
    return user, crm


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
        user, crm = signed_in(stub, admin, role)
        return user.id, crm

    return make
