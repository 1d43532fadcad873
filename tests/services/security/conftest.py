"""What the tests of security stand on: an administrator, and somebody with a role made for the test."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from newcomers import PASSWORD, admin, signed_in

from crm_sdk import CrmClient
from crm_sdk.models import Role, User
from server_stub import StubServer

_numbers = count(1)
__all__ = ["PASSWORD", "New", "Somebody", "admin", "new", "permission"]


def permission(resource: str, action: str, scope: str = "all") -> Any:
    return {"resource": resource, "action": action, "scope": scope}


@dataclass(frozen=True)
class Somebody:
    """A user of the first demo company with one role, and a client that has signed in as the user."""

    user: User
    role: Role
    crm: CrmClient

    @property
    def id(self) -> str:
        return self.user.id


New = Callable[..., Somebody]


@pytest.fixture
def new(stub: StubServer, admin: CrmClient) -> New:
    """Make a role of some permissions, and a user with it, who has signed in."""

    def make(*permissions: Any, **more: Any) -> Somebody:
        number = next(_numbers)
        body: Any = {"key": f"role_{number}", "name": f"Role {number}", "permissions": list(permissions), **more}
        role = admin.security.roles.create(body)
        user, crm = signed_in(stub, admin, role.key, strict=False)
        return Somebody(user, role, crm)

    return make
