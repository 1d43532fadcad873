"""Roles: those that every company has, and those it made itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from ...caller import Caller
from ...data.document import Document
from ...problems import Problem
from ...request.access import permissions
from ...request.access.callers import user_caller
from ...serving import Context, Members

_SAID: Mapping[str, str] = {
    "admin": "Everything, with users, settings and billing.",
    "manager": "All records, and the settings of sales; users and settings are read.",
    "sales": "All records are read; one's own, and those that nobody owns, are written.",
    "read_only": "All records are read, none is written.",
}


def find_role(call: Context, id_or_key: str) -> Document | None:
    """Return a role of the company by its id or its key; None where there is none."""
    key = id_or_key.removeprefix("role_")
    if key in permissions.BUILT_IN:
        return built_in(call, key)
    roles = call.collection("role")
    return roles.get(id_or_key) or next(iter(roles.find("key", id_or_key)), None)


def built_in(call: Context, key: str) -> Document:
    """Return a role that every company has, by its key."""
    made = call.tenant["created_at"]
    return Document(
        id=f"role_{key}",
        key=key,
        name=key.replace("_", " ").capitalize(),
        description=_SAID[key],
        permissions=list(permissions.permissions_of(partial(permissions.scope_of, key))),
        field_permissions=[],
        is_system=True,
        created_at=made,
        updated_at=made,
        created_by="system",
        version=1,
    )


def reference_to(role: Members) -> dict[str, Any]:
    """Return a role as a user refers to it."""
    return {name: role[name] for name in ("id", "key", "name")}


def roles_of(call: Context, user: Members) -> list[Document]:
    """Return the roles of a user, the first one first, each with the number of its users."""
    found = [role for entry in user["roles"] if (role := find_role(call, entry["id"])) is not None]
    holders = [entry["id"] for other in call.collection("user") for entry in other["roles"]]
    return [role | {"user_count": holders.count(role["id"])} for role in found]


def resource_named(call: Context, name: str) -> str:
    """Return the resource of a permission: of the api_name of a custom object that of its records."""
    found = call.collection("custom_object").find("api_name", name)
    return f"{permissions.RECORDS}.{found[0]['id']}" if found else name


def held_permissions(call: Context, caller: Caller) -> Iterator[dict[str, str]]:
    """Yield what a caller may do: by resource, and with the custom objects that have permissions of their own."""
    yield from permissions.permissions_of(partial(permissions.usual_scope, caller))
    for object in call.collection("custom_object"):
        for action in permissions.ACTIONS if object["id"] in caller.objects else ():
            scope = permissions.scope_for(caller, f"{permissions.RECORDS}.{object['id']}", action)
            if scope is not None:
                yield {"resource": str(object["api_name"]), "action": action, "scope": scope}


def refuse_escalation(call: Context, role: Members) -> None:
    """Raise 403 ROLE_ESCALATION for a role that permits more than the caller may do."""
    more = permissions.beyond(call.caller, role["permissions"], partial(resource_named, call))
    if more:
        message = f"the role {role['key']} permits more than you may do: {', '.join(more[:3])}"
        raise Problem("ROLE_ESCALATION", message, field="role_id", details={"permissions": more})


def rights_of(
    call: Context, user_id: str | None, granted: list[str] | None, *, once_active: bool = False
) -> Caller | None:
    """Return a user as whom something acts, limited as a credential was; None where nobody is there or active.

    With `once_active`, somebody who is not active is returned as they would be if they were.
    """
    user = call.find_one("user", user_id or "")
    if user is None or (user.get("status") == "inactive" and not once_active):
        return None
    return user_caller(call.server.store, user, call.now, granted=granted)


def rights_beyond(call: Context, other: Caller) -> list[str]:
    """Return what somebody may do and the caller may not, as texts."""
    more = permissions.beyond(call.caller, held_permissions(call, other), partial(resource_named, call))
    more += [f"reading {name}" for name in sorted(call.caller.hidden - other.hidden)]
    return more + [f"writing {name}" for name in sorted(call.caller.fixed - other.fixed - other.hidden)]


def refuse_borrowed(call: Context, other: Caller, name: str, *, may_take_over: bool) -> None:
    """Raise 403 where what the caller says is done with rights of somebody else that the caller does not have."""
    more = rights_beyond(call, other)
    if more:
        what = f"{', '.join(more[:3])}{', …' if len(more) > 3 else ''}"
        message = (
            f"{name} acts with the rights of {other.name}, which are more than yours ({what}): make one of your own"
        )
        if may_take_over:
            message = (
                f"{name} acts with the rights of {other.name}, which are more than yours ({what}): "
                "become its owner to write it"
            )
        raise Problem("FORBIDDEN", message, field="owner_id", details={"permissions": more})


def keep_an_administrator(call: Context, user: Members, roles: Sequence[Mapping[str, Any]] = ()) -> None:
    """Raise 409 LAST_ADMIN where nobody would be an administrator if a user had just these roles from now on."""
    if user["status"] != "active" or not is_admin(user["roles"]) or is_admin(roles):
        return
    others = (other for other in call.collection("user") if other["id"] != user["id"] and other["status"] == "active")
    if not any(is_admin(other["roles"]) for other in others):
        raise Problem("LAST_ADMIN", f"{user['name']} is the last administrator: make somebody else one first")


def is_admin(roles: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether one of some roles is that of administrators."""
    return any(role["key"] == "admin" for role in roles)
