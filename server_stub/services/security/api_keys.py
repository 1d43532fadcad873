"""The rules of API keys: made once, replaced, revoked; what they may do is never more than their user may."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from crm_sdk.models.security import ApiKey
from crm_sdk.resources.security import ApiKeys
from crm_sdk.route import Action

from ...answers import Answer
from ...data.document import Document
from ...data.forms import required_text
from ...data.queries.filters import Test
from ...noun import Noun
from ...problems import FieldError, Problem, invalid, validation
from ...request.access import permissions
from ...request.access.callers import user_caller
from ...request.access.identity import fingerprint
from ...request.access.networks import check_networks
from ...request.access.plans import check_limit
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..users.roles import held_permissions, resource_named, rights_beyond
from .words import is_known

_LETTERS = string.ascii_letters + string.digits
_PREFIX = 12
_NO_STORE = {"Cache-Control": "no-store"}


def _manages(call: Context) -> bool:
    return permissions.permits(call.caller, "security", "manage")


class _Keys(Noun):
    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        return self.find_one(call, id, whole_id)  # who sees a key may write it: its user, and who manages security


def status_of(key: Members, now: datetime) -> str:
    """Return whether a key works, has expired or was revoked."""
    if key.get("revoked_at") is not None:
        return "revoked"
    return "expired" if key.get("expires_at") is not None and key["expires_at"] <= now else "active"


def _shown_key(call: Context, key: Document) -> Document:
    """Return a key with its state, how it was used, and what it may do; never with the key itself."""
    count, at, ip = call.server.key_uses.of(key["id"])
    given: Sequence[str] | None = key.get("permissions")
    user = call.collection("user").get(key["user_id"] or "", deleted=True)
    every = _permissions_of(call, user) if given is None and user is not None else list(given or ())
    used = {"use_count": count, "last_used_at": at, "last_used_ip": ip}
    return key | {"status": status_of(key, call.now), "permissions": every, "key": None, **used}


def _permissions_of(call: Context, user: Document) -> list[str]:
    caller = user_caller(call.server.store, user, call.now)
    return [permissions.permission_text(entry) for entry in held_permissions(call, caller)]


def _has_status(call: Context, status: str) -> Test:
    return lambda key: status_of(key, call.now) == status


def _published_key(key: Document) -> Document:
    """Return a key without what it is recognised by."""
    return Document({name: value for name, value in key.items() if not name.endswith("fingerprint")})


def _networks(call: Context, values: Sequence[str] | None) -> list[str]:
    check_networks(values or (), "ip_allowlist")
    return list(values or ())


KEYS = _Keys(
    resource=ApiKeys,
    kind="api_key",
    prefix="apikey_",
    model=ApiKey,
    own=("create",),
    searched=("name", "description"),
    sorts=("last_used_at", "expires_at"),
    sorted_by={"last_used_at": lambda call: lambda key: call.server.key_uses.of(key["id"])[1]},
    forms={"name": required_text("name"), "ip_allowlist": _networks},
    refers={"user_id": "user"},
    filters={"status": _has_status},
    visible=lambda call, key: key["user_id"] == call.caller.user_id or _manages(call),
    shown=_shown_key,
    listed=_shown_key,
    published=_published_key,
)


@serves(ApiKeys.create)
def create(call: Context, api_key: Members) -> Answer:
    """Create a key; the answer has it."""
    who = call.caller
    _refuse_narrow(call)
    members = KEYS.stored_form(call, {"user_id": who.user_id, **api_key})
    user = call.collection("user").get(members["user_id"] or "")
    policy = policy_of(call.tenant)
    if user is None or (not _manages(call) and (user["id"] != who.user_id or policy.get("allow_api_keys") is False)):
        raise Problem(
            "FORBIDDEN", "another's API key, or one against the company's policy, is for who manages security"
        )
    if user["status"] != "active":
        raise invalid("user_id", "reference", f"{user['name']} does not work here now: the key would not work")
    days = policy.get("api_key_max_days")
    if members.get("expires_at") is not None:
        _refuse_time(call, members["expires_at"], days)
    members["expires_at"] = _last_day(call, members.get("expires_at"), days)
    members["permissions"] = _narrowed_scopes(call, user, members.get("permissions"))
    _refuse_more(call, user, members["permissions"])
    check_limit(
        call.tenant, "api_keys", sum(status_of(key, call.now) == "active" for key in call.collection("api_key"))
    )
    key = _new_key()
    made = {"tenant_id": who.tenant_id, "role": user["role"], "fingerprint": fingerprint(key), "revoked_at": None}
    doc = KEYS.add(call, {**members, **made, "prefix": key[:_PREFIX], "previous_valid_until": None})
    return _with_key(call, doc, key)


def _refuse_narrow(call: Context) -> None:
    """Refuse to give the caller a key that may do more than the one that it calls with. Raises: 403."""
    if call.caller.auth == "api_key" and not permissions.permits(call.caller, "security", "create"):
        raise Problem("FORBIDDEN", "this API key may not create keys: it lacks security:create")


def _refuse_more(call: Context, user: Document, granted: Sequence[str] | None) -> None:
    """Refuse to give the caller a key of somebody else that may do more than the caller. Raises: 403."""
    if user["id"] != call.caller.user_id:
        more = rights_beyond(call, user_caller(call.server.store, user, call.now, granted=granted))
        if more:
            message = f"the key acts as {user['name']}, who may do more than you: {', '.join(more[:3])}"
            raise Problem("ROLE_ESCALATION", message, field="user_id", details={"permissions": more})


def _last_day(call: Context, until: datetime | None, days: int | None) -> datetime | None:
    """Return when a key expires that is made now: as it says, at the latest when the company's policy lets it."""
    if days is None:
        return until
    last = call.now + timedelta(days=days)
    return last if until is None else min(until, last)


def _refuse_time(call: Context, until: datetime, days: int | None) -> None:
    """Raise 422 for a time of expiry that has passed, or is later than the company allows."""
    if until <= call.now:
        raise invalid("expires_at", "min", "must be in the future")
    if days is not None and until > call.now + timedelta(days=days):
        raise invalid("expires_at", "max", f"a key of this company lasts {days} days at most")


def _narrowed_scopes(call: Context, user: Document, given: Sequence[str] | None) -> list[str] | None:
    """Return what a key may do: never more than its user and the caller's own credential; None for all of the user's.

    Raises: 422 UNKNOWN_PERMISSION; 403 ROLE_ESCALATION.
    """
    own = call.caller.granted if user["id"] == call.caller.user_id else None
    if given is None:
        return sorted(own) if own is not None else None
    entries: list[Mapping[str, str]] = []
    wrong: list[FieldError] = []
    for number, text in enumerate(given):
        word, _, scope = text.partition("@")
        resource, _, action = word.partition(":")
        entries.append({"resource": resource, "action": action, "scope": scope or "all"})
        if not is_known(call, resource, action, scope or "all") or text.endswith("@"):
            message = f"there is no permission {text!r}"
            details = {"permission": text}
            wrong.append(FieldError(f"permissions.{number}", "choice", message, "UNKNOWN_PERMISSION", details))
    if wrong:
        raise validation(wrong)
    held = user_caller(call.server.store, user, call.now, granted=own)
    named = partial(resource_named, call)
    # Without a scope a permission means the user's own: `contacts:update` of a seller is for the seller's records.
    narrow = [
        {**entry, "scope": permissions.scope_for(held, named(entry["resource"]), _action(entry)) or "all"}
        if "@" not in text else entry
        for text, entry in zip(given, entries, strict=True)
    ]  # fmt: skip
    more = permissions.beyond(held, narrow, named)
    if more:
        message = f"the key would permit more than {user['name']} may do: {', '.join(more[:3])}"
        raise Problem("ROLE_ESCALATION", message, field="permissions", details={"permissions": more})
    return [text.removesuffix("@all") for text in given]


def _action(entry: Mapping[str, str]) -> Any:
    return entry["action"]


def _new_key() -> str:
    return "crm_" + "".join(secrets.choice(_LETTERS) for _ in range(40))


def _with_key(call: Context, doc: Document, key: str) -> Answer:
    return Answer(KEYS.answer(call, doc) | {"key": key}, headers=_NO_STORE, once=("key",))


@serves(ApiKeys.rotate)
def rotate(call: Context, api_key_id: str, grace_seconds: int) -> Answer:
    """Replace a key; the one before works some time more."""
    doc = KEYS.writable(call, api_key_id)
    if doc["id"] != call.caller.actor_id:
        _refuse_narrow(call)
    if (status := status_of(doc, call.now)) != "active":
        raise Problem("API_KEY_REVOKED", f"the API key {doc['name']!r} is {status}: create a new one")
    if (user := call.collection("user").get(doc["user_id"] or "")) is not None:
        _refuse_more(call, user, doc["permissions"])
    key = _new_key()
    changes: dict[str, Any] = {
        "fingerprint": fingerprint(key),
        "previous_fingerprint": doc["fingerprint"] if grace_seconds else None,
        "prefix": key[:_PREFIX],
        "expires_at": _last_day(call, doc.get("expires_at"), policy_of(call.tenant).get("api_key_max_days")),
        "previous_valid_until": call.now + timedelta(seconds=grace_seconds) if grace_seconds else None,
    }
    return _with_key(call, KEYS.change(call, doc, changes, verb="rotated"), key)


@serves(ApiKeys.revoke)
def revoke(call: Context, api_key_id: str) -> Document:
    """Revoke a key; one that was revoked stays as it is."""
    doc = KEYS.writable(call, api_key_id, "delete")
    if doc.get("revoked_at") is None:
        doc = KEYS.change(call, doc, {"revoked_at": call.now}, verb="revoked")
    return KEYS.answer(call, doc)
