"""What a demo company has decided about access: a role that hides figures, and keys of its programs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from ...request.access.identity import fingerprint

_READ = ("accounts", "activities", "contacts", "deals", "leads")


def put_security(put: Callable[[str, Mapping[str, Any]], Any], slug: str, user_id: str, now: datetime) -> None:
    """Put a role for who helps for some weeks, and two keys: one that ends soon, and one that was revoked."""
    put("role", {
        "id": "role_temporary_help",
        "key": "temporary_help",
        "name": "Temporary help",
        "description": "Reads what is sold to whom, without figures, and enters contacts.",
        "permissions": [
            {"resource": resource, "action": action, "scope": "all"}
            for resource in _READ
            for action in (("read", "create") if resource == "contacts" else ("read",))
        ],
        "field_permissions": [
            {"entity": "account", "field": "annual_revenue", "access": "hidden"},
            {"entity": "deal", "field": "value", "access": "hidden"},
            {"entity": "contact", "field": "owner_id", "access": "read"},
        ],
        "is_system": False,
    })  # fmt: skip
    for name, said, more in (
        ("Nightly export", "Copies the leads into the data warehouse.", {"expires_at": now + timedelta(days=30)}),
        ("Old website", "The forms before the relaunch.", {"revoked_at": now - timedelta(days=90)}),
    ):
        word = name.lower().replace(" ", "_")
        secret = f"crm_{fingerprint(f'{slug}/{word}')[:40]}"
        put("api_key", {
            "id": f"apikey_{slug}_{word}",
            "name": name,
            "description": said,
            "user_id": user_id,
            "permissions": ["leads:read"],
            "ip_allowlist": ["203.0.113.0/24"],
            "prefix": secret[:12],
            "fingerprint": fingerprint(secret),
            "expires_at": None,
            "revoked_at": None,
            "previous_valid_until": None,
            "created_by": user_id,
            **more,
        })  # fmt: skip
