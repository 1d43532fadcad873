"""The territory of an account: by the rules of the territories, or set by hand and then locked."""

from __future__ import annotations

from typing import Any

from crm_sdk.resources.accounts import AccountTerritory

from ...data.document import Document
from ...problems import Problem
from ...serving import Context, serves
from .records import ACCOUNTS, by_rules


@serves(AccountTerritory.get)
def get(call: Context, account_id: str) -> dict[str, Any]:
    """Return the territory of an account, and how it was assigned."""
    return _assignment(call, ACCOUNTS.find_one(call, account_id))


@serves(AccountTerritory.update)
def update(call: Context, account_id: str, territory_id: str | None, method: str, locked: bool) -> dict[str, Any]:
    """Assign an account to a territory, by hand or by the rules."""
    account = ACCOUNTS.writable(call, account_id, "manage")
    if method == "rule":
        changes: dict[str, Any] = {**by_rules(call, account), "territory_locked": False}
    else:
        territory = call.reference("territory", territory_id, "territory_id")
        if territory is not None and not territory.get("active", True):
            raise Problem(
                "TERRITORY_INACTIVE", f"the territory {territory['name']} is not active", field="territory_id"
            )
        id = territory["id"] if territory is not None else None
        changes = {"territory_id": id, "territory_method": "manual", "territory_locked": locked}
    stamp = {"territory_assigned_at": call.now, "territory_assigned_by": call.caller.actor_id}
    differ = any(account.get(name) != value for name, value in changes.items())
    new = ACCOUNTS.change(call, account, changes | stamp, verb="territory_changed") if differ else account
    return _assignment(call, new)


def _assignment(call: Context, account: Document) -> dict[str, Any]:
    territory = call.collection("territory").get(account.get("territory_id") or "")
    by_hand = account.get("territory_method") == "manual"
    method = "manual" if by_hand else "rule" if territory is not None else "none"
    return {
        "account_id": account["id"],
        "territory": territory,
        "method": method,
        "rule_index": 0 if method == "rule" else None,
        "locked": bool(account.get("territory_locked")),
        "assigned_at": account.get("territory_assigned_at"),
        "assigned_by": account.get("territory_assigned_by"),
    }
