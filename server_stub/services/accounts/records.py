"""The rules of accounts: derived members, consequences of a change, and conditions for deleting one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.models.accounts import Account
from crm_sdk.resources.accounts import Accounts

from ...data import normalise
from ...data.document import Document
from ...data.forms import required_text
from ...noun import Noun
from ...problems import Problem
from ...request.access.permissions import key_seen
from ...serving import Context
from ..territories import territory_of
from .figures import SUMMED, with_sums_seen

LEVELS = 10
"""The greatest number of levels in a tree of accounts."""


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the domain of the website where the account has none. Raises: 409 for a tree that is too deep."""
    if before is None and members.get("parent_id") is not None:
        check_parent(call, None, members["parent_id"])
    known = members.get("domain", before.get("domain") if before is not None else None)
    place = normalise.host(members.get("website")) if not known else None
    return {"domain": place} if place else {}


def ancestors_of(call: Context, account: Document) -> list[Document]:
    """Return the accounts above one, the nearest first."""
    accounts, above = call.collection("account"), list[Document]()
    parent = accounts.get(account["parent_id"]) if account["parent_id"] else None
    while parent is not None:
        above.append(parent)
        parent = accounts.get(parent["parent_id"]) if parent["parent_id"] else None
    return above


def hierarchy_cycle(account: Document, why: str) -> Problem:
    """Return the 409 for a tree in which an account would be its own ancestor."""
    return Problem("HIERARCHY_CYCLE", f"{account['name']} would be above itself: {why}", details={"id": account["id"]})


def check_parent(call: Context, account: Document | None, parent_id: str | None, *, height: int = 0) -> None:
    """Raise 409 for a parent that is the account itself or below it, or a tree that would be too deep.

    `height` is the number of levels below the account. `account` is None for a new account.
    """
    parent = call.collection("account").get(parent_id) if parent_id is not None else None
    if parent is None:
        return
    above = [parent, *ancestors_of(call, parent)]
    if account is not None and any(doc["id"] == account["id"] for doc in above):
        raise hierarchy_cycle(account, f"{parent['name']} is the account itself, or below it")
    if len(above) + 1 + height > LEVELS:
        raise Problem(
            "HIERARCHY_TOO_DEEP", f"a tree of accounts has at most {LEVELS} levels", details={"limit": LEVELS}
        )


def height_of(call: Context, account_id: str) -> int:
    """Return how many levels there are below an account; no more are counted than there may be."""
    level, height = [account_id], 0
    while height <= LEVELS:
        level = [child["id"] for id in level for child in call.collection("account").find("parent_id", id)]
        if not level:
            break
        height += 1
    return height


_ASSIGNED = ("territory_id", "territory_method", "territory_locked")
"""What a write changes that assigns an account to a territory: the rules decide with the next one."""


def by_rules(call: Context, account: Document) -> dict[str, Any]:
    """Return the members of an account with the territory that the rules assign to it."""
    territory = territory_of(call, account)
    return {"territory_id": territory["id"] if territory is not None else None, "territory_method": "rule"}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Update the copies of the account's name and its territory; unlink the contacts of a deleted account."""
    if after is None:
        for contact in call.collection("contact").find("account_id", before["id"]) if before is not None else ():
            call.collection("contact").put(contact | {"account_id": None})
        return None
    if before is not None and before["name"] != after["name"]:
        for kind in ("contact", "deal"):
            for doc in call.collection(kind).find("account_id", after["id"]):
                call.collection(kind).put(doc | {"company": after["name"]})
    assigned = before is not None and any(before.get(name) != after.get(name) for name in _ASSIGNED)
    if assigned or after.get("territory_locked"):
        return None
    place = by_rules(call, after)
    if place["territory_id"] == after.get("territory_id") and before is not None:
        return None
    stamp = {"territory_assigned_at": call.now, "territory_assigned_by": "system"}
    return call.collection("account").put(after | place | stamp)


def _may_delete(call: Context, account: Document) -> None:
    deals = [deal for deal in call.collection("deal").find("account_id", account["id"]) if deal["status"] == "open"]
    if deals:
        raise Problem(
            "ACCOUNT_HAS_OPEN_DEALS",
            f"{account['name']} has {len(deals)} open deals: close them, or give them to another account",
            details={"deal_count": len(deals)},
        )
    children = call.collection("account").find("parent_id", account["id"])
    if children:
        raise Problem(
            "ACCOUNT_HAS_CHILDREN",
            f"{account['name']} has {len(children)} child accounts: give them another parent first",
            details={"child_count": len(children)},
        )


ACCOUNTS = Noun(
    resource=Accounts,
    kind="account",
    model=Account,
    searched=("name", "domain", "industry", "tags"),
    sorts=("name", "annual_revenue", "employees", "open_deal_value", "won_value", "last_activity_at"),
    forms={"name": required_text("name"), "domain": lambda call, value: normalise.domain(value)},
    refers={"owner_id": "user", "parent_id": "account"},
    unique={"domain": "ACCOUNT_EXISTS"},
    defaults={
        "owner_id": lambda call: call.caller.user_id,
        "currency": lambda call: call.tenant["base_currency"],
    },
    computed=(
        "contact_count",
        "open_deal_count",
        "open_deal_value",
        "won_value",
        "child_count",
        "health_score",
        "last_activity_at",
        "territory_locked",
        "territory_method",
        "territory_assigned_at",
        "territory_assigned_by",
    ),
    filters={"parent_id": lambda call, value: lambda doc: doc["parent_id"] == (None if value == "none" else value)},
    check=_check,
    follow=_follow,
    may_delete=_may_delete,
    sorted_by={name: key_seen(name, with_sums_seen, *SUMMED) for name in ("open_deal_value", "won_value")},
    shown=with_sums_seen,
    listed=with_sums_seen,
)
