"""The security policy of the company, and whom a change of it affects."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from crm_sdk.models.security import SecurityPolicy
from crm_sdk.resources.security import SecurityPolicies

from ...data.document import Document
from ...problems import Problem
from ...request.access.callers import SESSION
from ...request.access.networks import is_within
from ...request.access.policy import policy_of
from ...serving import Context, Members, serves
from ..tenants.config import check_config
from ..tenants.finding import store, tell, writable
from .api_keys import status_of


def _policy(call: Context, security: Members | None = None) -> Document:
    held: Members = policy_of(call.tenant) if security is None else security
    usual = {name: info.default for name, info in SecurityPolicy.model_fields.items() if info.default_factory is None}
    given = {name: value for name, value in held.items() if value is not None}
    return Document({**usual, **given, "version": call.tenant.get("config_version", 1)})


@serves(SecurityPolicies.get)
def get(call: Context) -> Document:
    """Return the policy."""
    return _policy(call)


def _of_the_policy(problem: Problem) -> Problem:
    """Return a problem of the configuration as one of its policy: the members are those of this call's own body."""
    errors = [
        replace(entry, field=entry.field.removeprefix("security.")) if entry.field is not None else entry
        for entry in problem.entries
    ]
    return Problem(problem.code, problem.message, errors=errors)


@serves(SecurityPolicies.update)
def update(call: Context, changes: Members, dry_run: bool, version: int | None) -> dict[str, Any]:
    """Change the policy, or say whom it would affect."""
    there = writable(call, "current")
    call.lock(Document(version=there.tenant.get("config_version", 1)), version)
    nulls = {name: None for name, value in changes.items() if value is None}
    try:
        members = check_config(there, {"security": dict(changes)}, there.tenant, call)
    except Problem as problem:
        raise _of_the_policy(problem) from None
    members["security"] = {**policy_of(members), **nulls}
    if changes.get("require_mfa"):
        user = call.collection("user").get(call.caller.user_id or "")
        if user is None or not user.get("mfa_enabled"):
            message = "you have no second factor yourself: you would be locked out"
            raise Problem("LOCKOUT", message, field="require_mfa")
    policy = _policy(call, members["security"])
    impact = _impact(call, policy)
    if not dry_run and policy != _policy(call):  # what is in force by default is no change
        made = store(there, members)
        if made:
            tell(call, there, "security.policy_updated", changes=made)
        policy = _policy(call)
    return {"policy": policy, "impact": impact, "dry_run": dry_run}


def _impact(call: Context, policy: Members) -> dict[str, Any]:
    """Return whom a policy affects now."""
    users = [user for user in call.collection("user") if user["status"] == "active"]
    domains = [str(domain).casefold() for domain in policy.get("allowed_email_domains") or ()]
    minutes = policy.get("session_idle_minutes") or policy.get("session_timeout_minutes")
    sessions = [one for one in call.collection(SESSION) if one["revoked_at"] is None]
    idle = timedelta(minutes=minutes) if minutes is not None else None
    networks = policy.get("ip_allowlist") or ()
    addresses = {str(one["ip_address"]) for one in sessions if one.get("ip_address")}
    days = policy.get("api_key_max_days")
    last = call.now + timedelta(days=days) if days is not None else None
    keys = [key for key in call.collection("api_key") if status_of(key, call.now) == "active"]
    return {
        "users_without_mfa": [
            _ref(user) for user in users if policy.get("require_mfa") and not user.get("mfa_enabled")
        ],
        "sessions_ending": sum(idle is not None and call.now - one["last_seen_at"] >= idle for one in sessions),
        "keys_expiring": sum(
            last is not None and (key.get("expires_at") is None or key["expires_at"] > last) for key in keys
        ),
        "users_outside_domains": [
            _ref(user) for user in users if domains and user["email"].rpartition("@")[2].casefold() not in domains
        ],
        "blocked_addresses": sum(not is_within(address, networks) for address in addresses),
    }


def _ref(user: Members) -> dict[str, Any]:
    return {"id": user["id"], "name": user.get("name"), "avatar": user.get("avatar")}
