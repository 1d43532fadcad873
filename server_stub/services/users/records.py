"""The records of users, and the rules of creating and changing them."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from crm_sdk.models.users import User
from crm_sdk.resources.users import Users

from ...data.document import Document
from ...data.forms import known_currency, required_text
from ...data.queries.filters import Test
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access.callers import user_caller
from ...request.access.identity import hash_password
from ...request.access.plans import check_limit
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..auth.passwords import check_strength
from . import letters
from .preferences import effective, first_preferences
from .roles import find_role, keep_an_administrator, reference_to, refuse_escalation, rights_beyond
from .trees import refuse_cycle

PROFILE = (
    "first_name", "last_name", "mobile", "bio", "location", "social_profiles", "skills", "start_date",
)  # fmt: skip
"""The members of a profile that the user does not have."""


def user_id_of(call: Context, user_id: str) -> str:
    """Return the id that a path means: ``me`` is the caller."""
    return call.caller.user_id or user_id if user_id == "me" else user_id


class _Users(Noun):
    def find_one(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        return super().find_one(call, user_id_of(call, id), whole_id)

    def writable(self, call: Context, id: str, action: Any = "update", *, whole_id: str | None = None) -> Document:
        return super().writable(call, user_id_of(call, id), action, whole_id=whole_id)


@serves(Users.create)
def create(call: Context, user: Members) -> Document:
    """Create a user who can sign in, or invite one."""
    given = {"role": "sales", **user}
    password = given.pop("password", None)
    members = USERS.stored_form(call, given)
    if password is not None:
        check_strength(password, policy_of(call.tenant))
    check_seats(call)
    state: dict[str, Any] = {"status": "active" if password is not None else "invited", "email_verified": False}
    if password is not None:
        state["password_hash"] = hash_password(password, secrets.token_hex(8))
    doc = USERS.add(call, {**members, **state})
    if password is None:
        letters.invite(call, doc)
        USERS.publish(call, "invited", doc)
    else:
        letters.verify(call, doc)
    return USERS.answer(call, doc)


def check_seats(call: Context) -> None:
    """Raise 403 LIMIT_EXCEEDED where the company has as many active and invited users as it may have."""
    seats = sum(user["status"] in ("active", "invited") for user in call.collection("user"))
    check_limit(call.tenant, "users", seats)


def _check(call: Context, members: dict[str, Any], before: Document | None) -> dict[str, Any]:
    """Refuse roles and managers that cannot be; return what follows from a new role or address."""
    found: dict[str, Any] = {}
    if members.get("manager_id") is not None and before is not None:
        who = before["name"]
        refuse_cycle(call, "user", before, "manager_id", members["manager_id"], f"{who} would report to {who}")
    if "role" in members and (before is None or members["role"] != before["role"]):
        found |= _roles(call, members["role"], before)
    if before is not None and members.get("email", before["email"]) != before["email"]:
        if before["id"] != call.caller.user_id and call.caller.role != "system":
            more = rights_beyond(call, user_caller(call.server.store, before, call.now))
            if more:
                message = (
                    f"whoever has the address of {before['name']} sets the password, and may then do more than you: "
                    f"{', '.join(more[:3])}"
                )
                raise Problem("ROLE_ESCALATION", message, field="email", details={"permissions": more})
        found["email_verified"] = False
    return found


def _roles(call: Context, key: str, before: Document | None) -> dict[str, Any]:
    """Return the roles of a user whose first role is replaced. Raises: 403, 409, 422 for one that cannot be."""
    role = find_role(call, key)
    if role is None or role["key"] != key:
        raise invalid("role", "choice", f"no role of the company has the key {key!r}")
    if before is not None and before["id"] == call.caller.user_id:
        raise Problem("CANNOT_CHANGE_OWN_ROLE", "another administrator can change your role", field="role")
    refuse_escalation(call, role)
    others: list[dict[str, Any]] = before["roles"][1:] if before is not None else []
    roles = [reference_to(role), *(entry for entry in others if entry["id"] != role["id"])]
    if before is not None:
        keep_an_administrator(call, before, roles)
    return {"role": role["key"], "roles": roles}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Ask for the verification of a new address."""
    if before is not None and after is not None and after["email"] != before["email"]:
        letters.verify(call, after)
    return None


def _shown_user(call: Context, user: Document) -> Document:
    return user | {"preferences": effective(call, user)}


def _published_user(user: Document) -> Document:
    """Return a user without the hash of the password and other secrets, with the members of the profile."""
    own: Mapping[str, Any] = user.get("profile") or {}
    kept = {name: user[name] for name in (*User.model_fields, "deleted_at") if name in user}
    return Document({**kept, **{name: own.get(name) for name in PROFILE}})


def _has_role(call: Context, key: str) -> Test:
    return lambda user: any(entry["key"] == key for entry in user["roles"])


def _is_in_team(call: Context, team_id: str) -> Test:
    return lambda user: team_id in user["team_ids"]


USERS = _Users(
    resource=Users,
    kind="user",
    model=User,
    own=("create", "delete"),
    searched=("name", "email", "title", "department"),
    sorts=("name", "email", "last_login"),
    forms={
        "name": required_text("name"),
        "locale": lambda call, value: value or call.tenant.get("locale") or "en",
        "quota_currency": known_currency("quota_currency"),
    },
    refers={"manager_id": "user"},
    unique={"email": "USER_EXISTS"},
    defaults={
        "locale": lambda call: call.tenant.get("locale") or "en",
        "timezone": lambda call: call.tenant.get("timezone") or "UTC",
        "preferences": lambda call: first_preferences(call),
        "tenant_id": lambda call: call.caller.tenant_id,
    },
    filters={"role": _has_role, "team_id": _is_in_team},
    check=_check,
    follow=_follow,
    shown=_shown_user,
    listed=_shown_user,
    published=_published_user,
)


def is_own(call: Context, user: Mapping[str, Any]) -> bool:
    """Return whether a user is the caller."""
    return bool(user["id"] == call.caller.user_id)


def own_or_managed(call: Context, user_id: str) -> Document:
    """Return the caller's own user, or another one if the caller may manage users. Raises: 404; 403 FORBIDDEN."""
    user = USERS.find_one(call, user_id)
    return user if is_own(call, user) else USERS.writable(call, user["id"], "manage")
