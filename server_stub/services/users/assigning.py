"""The rules of the roles of a user: give one more, take one away, list them, and what they permit together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.users import UserRoles, Users

from ...data.document import Document
from ...problems import Problem, missing
from ...request.access import features, permissions
from ...request.access.callers import user_caller
from ...serving import Context, Members, serves
from .records import USERS
from .roles import (
    find_role,
    held_permissions,
    is_admin,
    keep_an_administrator,
    reference_to,
    refuse_escalation,
    roles_of,
)


@serves(UserRoles.assign)
def assign(call: Context, user_id: str, role_id: str) -> list[Document]:
    """Give a user one more role."""
    user = USERS.writable(call, user_id)
    role = find_role(call, role_id)
    if role is None:
        message = f"no role has the id or key {role_id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="role_id", rule="reference")
    if any(entry["id"] == role["id"] for entry in user["roles"]):
        raise Problem("ROLE_ALREADY_ASSIGNED", f"{user['name']} has the role {role['key']} already", field="role_id")
    refuse_escalation(call, role)
    return _give(call, user, [*user["roles"], reference_to(role)], "role_assigned", role)


@serves(UserRoles.remove)
def remove(call: Context, user_id: str, role_id: str) -> str:
    """Take a role from a user."""
    user = USERS.writable(call, user_id, "delete")
    role = find_role(call, role_id)
    kept = [entry for entry in user["roles"] if role is None or entry["id"] != role["id"]]
    if role is None or len(kept) == len(user["roles"]):
        raise missing("role", role_id)
    if not kept:
        raise Problem("LAST_ROLE", f"{role['key']} is the only role of {user['name']}: give another one first")
    keep_an_administrator(call, user, kept)
    _give(call, user, kept, "role_removed", role)
    return str(role["id"])


def _give(
    call: Context, user: Document, roles: Sequence[Mapping[str, Any]], verb: str, role: Members
) -> list[Document]:
    said = {"role_id": role["id"], "role": role["key"]}
    changes = {"roles": list(roles), "role": roles[0]["key"]}
    return roles_of(call, USERS.change(call, user, changes, verb=verb, metadata=said))


@serves(UserRoles.list)
def list_(call: Context, user_id: str) -> list[Document]:
    """Return the roles of a user."""
    return roles_of(call, USERS.find_one(call, user_id))


@serves(Users.permissions)
def effective_permissions(call: Context, user_id: str) -> dict[str, Any]:
    """Return what a user may do, as every call decides it."""
    user = USERS.find_one(call, user_id)
    if user["id"] != call.caller.user_id:
        permissions.check(call.caller, USERS.word, "read")
    caller = user_caller(call.server.store, user, call.now)
    return {
        "user_id": user["id"],
        "roles": user["roles"],
        "permissions": list(held_permissions(call, caller)),
        "features": features.switched_on(call.tenant),
        "is_admin": is_admin(user["roles"]),
    }
