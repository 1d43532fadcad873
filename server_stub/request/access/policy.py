"""The security policy of a company: what it asks of passwords, sign-ins, keys and addresses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def policy_of(tenant: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """Return the policy of a company as it is stored; an empty one where there is none, or no such company."""
    return (tenant.get("security") if tenant is not None else None) or {}


def first_policy() -> dict[str, Any]:
    """Return the policy that a company begins with."""
    return {
        "password_min_length": 8,
        "password_require": [],
        "require_mfa": False,
        "require_email_verification": False,
        "session_timeout_minutes": 10_080,
        "allowed_email_domains": [],
        "ip_allowlist": [],
    }
