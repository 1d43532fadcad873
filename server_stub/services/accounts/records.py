"""Accounts: the companies contacts work for, what follows from a change of one, and what forbids to delete it."""

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
from ...serving import Context
from ..leads.assignment import territory_of


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the domain that follows from the website, where the account has none."""
    known = members.get("domain", before.get("domain") if before is not None else None)
    place = normalise.host(members.get("website")) if not known else None
    return {"domain": place} if place else {}


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Let the company's name and the territory follow; contacts of a deleted account stay without it."""
    if after is None:
        for contact in call.collection("contact").find("account_id", before["id"]) if before is not None else ():
            call.collection("contact").put(contact | {"account_id": None})
        return None
    if before is not None and before["name"] != after["name"]:
        for kind in ("contact", "deal"):
            for doc in call.collection(kind).find("account_id", after["id"]):
                call.collection(kind).put(doc | {"company": after["name"]})
    if after.get("territory_locked"):
        return None
    territory = territory_of(call, after)
    territory_id = territory["id"] if territory is not None else None
    return call.collection("account").put(after | {"territory_id": territory_id})


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
    forms={"name": required_text("name"), "domain": lambda call, value: normalise.host(value)},
    refers={"owner_id": "user", "parent_id": "account"},
    unique={"domain": "ACCOUNT_EXISTS"},
    defaults={
        "owner_id": lambda call: call.caller.user_id,
        "currency": lambda call: call.tenant["base_currency"],
    },
    filters={"parent_id": lambda call, value: lambda doc: doc["parent_id"] == (None if value == "none" else value)},
    check=_check,
    follow=_follow,
    may_delete=_may_delete,
)
