"""What the tests of users stand on: clients of two companies, and somebody new who has signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import User
from server_stub import StubServer

PASSWORD = "Correct-Horse-7!"
_numbers = count(1)


@dataclass(frozen=True)
class Somebody:
    """A user of the first demo company, with a client that has signed in as the user."""

    user: User
    crm: CrmClient

    @property
    def id(self) -> str:
        return self.user.id


New = Callable[..., Somebody]


@pytest.fixture
def admin(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def new(stub: StubServer, admin: CrmClient) -> New:
    """Create a user with a role, and sign in as the user."""

    def make(role: str = "sales", **members: Any) -> Somebody:
        number = next(_numbers)
        body: Any = {"email": f"new{number}@acme.test", "name": f"New {number}", "role": role, "password": PASSWORD}
        body |= members
        user = admin.users.create(body)
        crm = stub.client(api_key=None, dialects="platform", max_retries=0, strict=True)
        crm.auth.login(user.email, PASSWORD)
        return Somebody(user, crm)

    return make


def deeds(stub: StubServer, id: str) -> list[str]:
    """Return the actions that the trail has of a record, oldest first, without those of signing in."""
    return [
        entry["action"]
        for entry in stub.audit()
        if entry["entity"]["id"] == id and not entry["action"].startswith("auth.")
    ]
