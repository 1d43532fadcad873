"""Somebody who reads only what is theirs."""

from __future__ import annotations

from crm_sdk import CrmClient
from server_stub import StubServer


def somebody_scoped(stub: StubServer) -> CrmClient:
    """Return a client of somebody who reads only what is theirs, or nobody's."""
    words = ("contacts", "leads", "accounts", "deals", "activities", "custom_objects")
    permissions = [{"resource": word, "action": "read", "scope": "own"} for word in words]
    roles, users = (stub.store.collection("tenant_acme", kind) for kind in ("role", "user"))
    role = {"id": "role_scoped", "key": "scoped", "name": "Scoped"}
    roles.put(roles.all()[0] | role | {"permissions": permissions})
    user = users.get("user_sam")
    assert user is not None
    users.put(user | {"role": "scoped", "roles": [role]})
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=4)
