"""Permissions: the built-in roles, and the one place where a caller's permission for an action is decided."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, cast

from crm_sdk.route import Action
from crm_sdk.vocabulary.codes import DOORS

from ..problems import Problem

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ..serving import Caller

Scope: TypeAlias = Literal["all", "own"]

_LETTERS: Mapping[str, Action] = {
    "r": "read", "c": "create", "u": "update", "d": "delete", "x": "export", "i": "import", "m": "manage",
}  # fmt: skip
_ROLES = ("admin", "manager", "sales", "read_only")
# 002, roles of the platform: one row per resource, the letters of each role in the order of _ROLES. `ud@own` limits
# the letters before the sign to records that the caller owns, or that nobody owns.
_TABLE = """
contacts leads deals accounts activities | rcudxim | rcudxim | r c ud@own x@own i | r
conversations                            | rcudxm  | rcudx   | r c ud@own x@own   | r
pipelines workflows                      | rcudxm  | rcudx   | r                  | r
users                                    | rcudxm  | r       | r                  | r
analytics                                | r       | r       | r                  | r
ai_insights                              | rcudm   | rcud    | r c ud@own         | r
custom_objects                           | rcudxim | rcudxi  | r c ud@own x@own i | r
marketplace integrations                 | rcudm   | r       | r                  | r
agents webhooks                          | rcudm   | rcud    | rcud               | r
files                                    | rcudxm  | rcudx   | r c ud@own x@own   | r
reports dashboards                       | rcudxm  | rcudxm  | r c ud@own x@own   | r
communication                            | rcudxm  | rcudx   | r c ud@own         | r
social                                   | rcudxm  | rcudxm  | r c                | r
collaboration                            | rcudxm  | rcudxm  | r c ud@own         | r
search                                   | rm      | r       | r                  | r
tenants                                  | rcudm   |         |                    |
audit                                    | rcuxm   | r       |                    |
"""
_DOORS: Mapping[str, str] = {
    "calendar": "activities",
    "messages": "conversations",
    **DOORS,
}
"""Resources, each with the resource of 002 whose permissions apply to it; of a part with its dotted name."""


@cache
def _read_table() -> Mapping[tuple[str, str], Mapping[Action, Scope]]:
    granted: dict[tuple[str, str], dict[Action, Scope]] = {}
    for line in _TABLE.strip().splitlines():
        resources, *columns = line.split("|")
        for role, column in zip(_ROLES, columns, strict=True):
            actions: dict[Action, Scope] = {}
            for word in column.split():
                letters, _, scope = word.partition("@")
                actions |= {_LETTERS[letter]: "own" if scope else "all" for letter in letters}
            for resource in resources.split():
                granted[resource, role] = actions
    return granted


_OWN = frozenset({"notifications"})
"""Resources of which users see only their own records, and may write these whatever their role."""


def resource_of(name: str) -> str:
    """Return the resource of the table whose permissions apply to a call or a resource with a dotted name."""
    door = next((_DOORS[door] for door in _DOORS if name == door or name.startswith(f"{door}.")), None)
    return door or name.partition(".")[0]


def scope_of(role: str, resource: str, action: Action) -> Scope | None:
    """Return for which records of a resource a role has the permission for an action: ``all``, ``own``, or None.

    `resource` is the first word of a call's dotted name. A resource that the table does not list can be read by
    everybody and created by all roles except read_only; sales may change its own records.
    """
    if role not in _ROLES or resource in _OWN:  # the system, or a caller of a call without sign-in
        return "all"
    actions = _read_table().get((resource_of(resource), role))
    if actions is None:
        if role == "read_only" and action != "read":
            return None
        return "own" if role == "sales" and action in ("update", "delete") else "all"
    return actions.get(action)


def scope_for(caller: Caller, resource: str, action: Action) -> Scope | None:
    """Return for which records of a resource a caller has the permission for an action.

    A caller with a role has what the table says, an app what it was granted.
    """
    if caller.granted is None:
        return scope_of(caller.role, resource, action)
    return "all" if f"{resource_of(resource)}:{action}" in caller.granted else None


def read_permission(text: str) -> tuple[str, Action] | None:
    """Return the resource and the action of a permission for all records, ``deals:update``; None for any other text."""
    resource, _, action = text.removesuffix("@all").partition(":")
    known = any(resource == name for name, _ in _read_table()) or resource in _OWN
    return (resource, cast("Action", action)) if known and action in _LETTERS.values() else None


def action_of(operation: Operation[..., Any], method: str) -> Action:
    """Return the action of a call: from its declaration, else from its method and status."""
    if operation.flags.action is not None:
        return operation.flags.action
    if method == "GET" or operation.flags.safe:
        return "read"
    if method == "DELETE":
        return "delete"
    return "create" if operation.status == 201 else "update"


def permit(caller: Caller, operation: Operation[..., Any], method: str) -> None:
    """Raise 403 FORBIDDEN where the declaration of a call or the caller's role does not permit the call."""
    role = operation.flags.role
    if role == "everybody":
        return
    if role is not None and caller.role != role:
        raise Problem("FORBIDDEN", f"{operation.id} is for the role {role}, not for {caller.role}")
    check(caller, resource_of(operation.id), action_of(operation, method))


def permits(caller: Caller, resource: str, action: Action, record: Mapping[str, Any] | None = None) -> bool:
    """Return whether a caller has the permission for an action on a resource, or on one record of it."""
    scope = scope_for(caller, resource, action)
    if scope == "own" and record is not None:
        return record.get("owner_id") in (None, caller.user_id)
    return scope is not None


def check(caller: Caller, resource: str, action: Action, record: Mapping[str, Any] | None = None) -> None:
    """Raise 403 FORBIDDEN where a caller has no permission for an action on a resource, or on one record of it."""
    if not permits(caller, resource, action):
        who = f"the role {caller.role}" if caller.granted is None else f"{caller.name}, which was not granted this,"
        raise Problem("FORBIDDEN", f"{who} may not {action} {resource.replace('_', ' ')}")
    if record is not None and not permits(caller, resource, action, record):
        raise Problem(
            "FORBIDDEN",
            f"{record['id']} belongs to another user; the role {caller.role} may {action} only its own records",
            details={"id": record["id"]},
        )
