"""The rules of the account hierarchy: parents and children, cycles and depth, and the figures of a tree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import takewhile
from typing import Any

from crm_sdk.resources.accounts import AccountContacts, AccountDeals, Accounts

from ...data.document import Document
from ...data.queries.latest import entity_refs
from ...problems import Problem
from ...request.access.permissions import readable
from ...serving import Context, serves
from ..company import total
from ..contacts.records import CONTACTS
from ..deals.records import DEALS
from .figures import with_sums_seen
from .records import ACCOUNTS, ancestors_of, check_parent, height_of

_SHOWN = 1_000
"""The greatest number of accounts of a tree in the answer."""


def children_of(call: Context, account_id: str) -> list[Document]:
    """Return the child accounts of an account, by name."""
    children = readable(call, "account", call.collection("account").find("parent_id", account_id))
    return sorted(children, key=lambda child: (child["name"].casefold(), child["id"]))


def below(call: Context, account_id: str) -> Iterator[Document]:
    """Yield the accounts below an account, at every depth."""
    for child in readable(call, "account", call.collection("account").find("parent_id", account_id)):
        yield child
        yield from below(call, child["id"])


@serves(Accounts.hierarchy)
def hierarchy(call: Context, account_id: str, max_depth: int) -> dict[str, Any]:
    """Return the tree from its root, the path to the account, and the figures of the account and all below it."""
    account = ACCOUNTS.find_one(call, account_id)
    above = takewhile(lambda one: call.sees("account", one), ancestors_of(call, account))
    path = [*reversed([*above]), account]
    shown = [0]

    def node(doc: Document, level: int) -> dict[str, Any]:
        shown[0] += 1
        doc = with_sums_seen(call, doc)
        deeper = children_of(call, doc["id"]) if level < max_depth else []
        return {
            **{name: doc[name] for name in ("id", "name", "type", "owner_id", "open_deal_value", "won_value")},
            "level": level,
            "children": [node(child, level + 1) for child in deeper if shown[0] < _SHOWN],
        }

    whole = [path[0], *below(call, path[0]["id"])]
    mine = [with_sums_seen(call, doc) for doc in (account, *below(call, account["id"]))]
    return {
        "root": node(path[0], 0),
        "path": entity_refs("account", path),
        "rollup": {
            "accounts": len(mine),
            "contacts": sum(doc["contact_count"] for doc in mine),
            "open_deals": sum(doc["open_deal_count"] for doc in mine),
            "open_value": total(Decimal(doc["open_deal_value"]) for doc in mine),
            "won_value": total(Decimal(doc["won_value"]) for doc in mine),
            "currency": call.tenant["base_currency"],
        },
        "truncated": len(whole) > _SHOWN,
    }


@serves(Accounts.add_child)
def add_child(call: Context, account_id: str, child_id: str) -> Document:
    """Make an account without a parent a child of another."""
    parent = ACCOUNTS.writable(call, account_id)
    call.reference("account", child_id, "child_id")
    child = ACCOUNTS.writable(call, child_id)
    if child["parent_id"] not in (None, parent["id"]):
        raise Problem(
            "ACCOUNT_HAS_PARENT",
            f"{child['name']} is below {child['parent_id']}: use set_parent to move it",
            details={"parent_id": child["parent_id"]},
        )
    return _move(call, child, parent["id"])


@serves(Accounts.set_parent)
def set_parent(call: Context, account_id: str, parent_id: str | None, version: int | None) -> Document:
    """Move an account with all accounts below it."""
    account = ACCOUNTS.writable(call, account_id)
    call.lock(account, version)
    return _move(call, account, call.resolve("account", parent_id, "parent_id"))


def _move(call: Context, account: Document, parent_id: str | None) -> Document:
    check_parent(call, account, parent_id, height=height_of(call, account["id"]))
    moved = ACCOUNTS.change(call, account, {"parent_id": parent_id}, verb="hierarchy_changed")
    return ACCOUNTS.find_one(call, moved["id"])


def _accounts(call: Context, account_id: str, *, include_children: bool) -> list[str]:
    account = ACCOUNTS.find_one(call, account_id)
    return [account["id"], *(doc["id"] for doc in below(call, account["id"]) if include_children)]


@serves(AccountContacts.list)
def list_contacts(
    call: Context,
    account_id: str,
    include_children: bool,
    search: str | None,
    status: str | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the contacts of an account, or of the account and all below it."""
    given = {"account_id": _accounts(call, account_id, include_children=include_children), "status": status}
    return CONTACTS.select(call, {**given, "search": search, "sort": sort, "order": order})


@serves(AccountDeals.list)
def list_deals(
    call: Context,
    account_id: str,
    include_children: bool,
    status: str | None,
    pipeline_id: str | None,
    sort: str | None,
    order: str | None,
) -> Sequence[Document]:
    """Return the deals of an account, or of the account and all below it, with their present figures."""
    equal: dict[str, object] = {"account_id": _accounts(call, account_id, include_children=include_children)}
    return DEALS.select(call, {**equal, "status": status, "pipeline_id": pipeline_id, "sort": sort, "order": order})
