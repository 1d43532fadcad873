"""What the tests of users stand on: clients of two companies, and somebody new who has signed in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from newcomers import PASSWORD, admin, signed_in

from crm_sdk import CrmClient
from crm_sdk.models import User
from server_stub import StubServer

__all__ = ["PASSWORD", "New", "Somebody", "admin", "deeds", "new"]


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
def new(stub: StubServer, admin: CrmClient) -> New:
    """Create a user with a role, and sign in as the user."""

    def make(role: str = "sales", **members: Any) -> Somebody:
        return Somebody(*signed_in(stub, admin, role, **members))

    return make


def deeds(stub: StubServer, id: str) -> list[str]:
    """Return the actions that the trail has of a record, oldest first, without those of signing in."""
    return [
        entry["action"]
        for entry in stub.audit()
        if entry["entity"]["id"] == id and not entry["action"].startswith("auth.")
    ]
