"""The rules of roles: what they permit, who may make them, and what follows for their users."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from crm_sdk.models.users import Role
from crm_sdk.resources.security import SecurityRoles
from crm_sdk.route import Action

from ...data.document import Document
from ...data.forms import required_text
from ...data.mapped import Mapped
from ...data.queries.query import filter_by_text, in_order, key_of, sort_field
from ...noun import Noun
from ...problems import FieldError, Problem, invalid, missing, validation
from ...request.access import permissions
from ...serving import Context, Members, serves
from ..users.records import USERS
from ..users.roles import built_in, find_role, reference_to, refuse_escalation
from .fields import known_field
from .words import is_known

_SORTS = ("key", "name")


class _Roles(Noun):
    def find_one(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        role = find_role(call, id)
        if role is None:
            raise missing("role", id)
        return role

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        role = self.find_one(call, id, whole_id)
        permissions.check(call.caller, self.word, "manage")
        if role["is_system"]:
            raise Problem("ROLE_PROTECTED", f"every company has the role {role['key']}: nobody can change it")
        return role


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Refuse permissions and fields that there are not, and more than the caller may do."""
    key = members.get("key")
    if key is not None and before is None and find_role(call, key) is not None:
        raise Problem("ROLE_EXISTS", f"there is a role with the key {key!r} already", field="key", rule="unique")
    found: dict[str, Any] = {}
    if members.get("permissions") is not None:
        found["permissions"] = [{"scope": "all", **entry} for entry in members["permissions"]]
        _refuse_unknown(call, found["permissions"])
        named = key or (before["key"] if before is not None else None)
        refuse_escalation(call, {"key": named, "permissions": found["permissions"]})
    if members.get("field_permissions") is not None:
        found["field_permissions"] = _fields(call, members["field_permissions"])
    return found


def _refuse_unknown(call: Context, entries: Sequence[Mapping[str, str]]) -> None:
    wrong = [
        FieldError(
            f"permissions.{number}", "choice", f"there is no permission {permissions.permission_text(entry)}",
            code="UNKNOWN_PERMISSION", details={"permission": permissions.permission_text(entry)},
        )
        for number, entry in enumerate(entries)
        if not is_known(call, entry["resource"], entry["action"], entry["scope"])
    ]  # fmt: skip
    if wrong:
        raise validation(wrong)


def _fields(call: Context, entries: Iterable[Mapping[str, str]]) -> list[dict[str, str]]:
    """Return field permissions with the stored names of fields, the last one of each field."""
    kept: dict[tuple[str, str], dict[str, str]] = {}
    for number, entry in enumerate(entries):
        name = known_field(call, entry["entity"], entry["field"])
        if name is None:
            what = f"{entry['entity']}.{entry['field']}"
            raise Problem(
                "UNKNOWN_FIELD", f"there is no field {what}, or nobody can be kept from it", rule="choice",
                field=f"field_permissions.{number}.field", details={"field": entry["field"]},
            )  # fmt: skip
        kept[entry["entity"], name] = {"entity": entry["entity"], "field": name, "access": entry["access"]}
    return list(kept.values())


def _holders(call: Context, role: Members) -> list[Document]:
    return [user for user in call.collection("user") if any(entry["id"] == role["id"] for entry in user["roles"])]


def _shown_role(call: Context, role: Document) -> Document:
    return role | {"user_count": len(_holders(call, role))}


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Carry a new name to the users who have the role."""
    if before is not None and after is not None and before["name"] != after["name"]:
        for user in _holders(call, after):
            roles = [reference_to(after) if entry["id"] == after["id"] else entry for entry in user["roles"]]
            call.collection("user").put(user | {"roles": roles})


ROLES = _Roles(
    resource=SecurityRoles,
    kind="role",
    model=Role,
    own=("list", "delete"),
    sorts=_SORTS,
    forms={"name": required_text("name")},
    check=_check,
    follow=_follow,
    shown=_shown_role,
    computed=("user_count",),
)


@serves(SecurityRoles.list)
def list_(
    call: Context, search: str | None, is_system: bool | None, sort: str | None, order: str | None
) -> Sequence[Document]:
    """Return the roles, those that every company has first."""
    every = [*(built_in(call, key) for key in permissions.built_in()), *call.collection("role")]
    found = [role for role in every if is_system is None or role["is_system"] is is_system]
    field, descending = sort_field(sort, order, _SORTS)
    docs = in_order(filter_by_text(found, search, ("key", "name", "description")), key_of(field), descending=descending)
    if sort is None:
        docs.sort(key=lambda role: not role["is_system"])
    return Mapped(docs, lambda role: _shown_role(call, role))


@serves(SecurityRoles.delete)
def delete(call: Context, role_id: str, move_to: str | None, version: int | None) -> str:
    """Delete a role; its users get another one instead."""
    role = ROLES.writable(call, role_id, "delete")
    call.lock(role, version)
    holders = _holders(call, role)
    if holders and move_to is None:
        message = f"{len(holders)} users have the role {role['key']}: name in move_to the role that they get instead"
        raise Problem("ROLE_IN_USE", message, details={"user_count": len(holders)})
    heir = find_role(call, move_to) if move_to is not None else None
    if move_to is not None and heir is None:
        message = f"no role has the id or key {move_to!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field="move_to", rule="reference")
    if heir is not None and heir["id"] == role["id"]:
        raise invalid("move_to", "reference", "this is the role that is deleted: name another one")
    if heir is not None and holders:
        refuse_escalation(call, heir)
        for user in holders:
            _move(call, user, role, heir)
    ROLES.remove(call, role)
    return str(role["id"])


def _move(call: Context, user: Document, role: Members, heir: Members) -> None:
    """Give a user another role in the place of one that is deleted."""
    new = reference_to(heir)
    roles = [new if entry["id"] == role["id"] else entry for entry in user["roles"]]
    kept = list({entry["id"]: entry for entry in roles}.values())
    said = {"role_id": heir["id"], "role": heir["key"]}
    USERS.change(call, user, {"roles": kept, "role": kept[0]["key"]}, verb="role_assigned", metadata=said)
