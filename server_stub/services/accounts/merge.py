"""The rule of merging accounts: the survivor is filled in and gets the records of the duplicates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crm_sdk.resources.accounts import Accounts

from ...data.document import Document
from ...data.merging import missing_members
from ...problems import invalid
from ...serving import STAMPS, Context, Members, serves
from .. import attachments
from .figures import refresh
from .records import ACCOUNTS, ancestors_of, check_parent, height_of, hierarchy_cycle

_MOVED = {"contacts": "contact", "deals": "deal", "activities": "activity", "leads": "lead"}
_OWN = STAMPS | {"merged_ids", "merged_into", "parent_id", "territory_id", "owner_id", *ACCOUNTS.computed}
"""The members that are not filled in from duplicates."""


@serves(Accounts.merge)
def merge(call: Context, survivor_id: str, duplicate_ids: Sequence[str], values: Members | None) -> dict[str, Any]:
    """Merge duplicates into an account; a failure leaves all unchanged."""
    kept = call.resolve("account", survivor_id, "survivor_id")
    given = call.resolve("account", duplicate_ids, "duplicate_ids")
    if kept in given:
        raise invalid("duplicate_ids", "choice", "the survivor cannot be one of its duplicates")
    survivor = ACCOUNTS.writable(call, kept, "delete")
    duplicates = [ACCOUNTS.writable(call, id, "delete") for id in given]
    gone = {doc["id"] for doc in duplicates}
    parent_id = _parent_after(call, survivor, gone)
    for doc in duplicates:
        call.collection("account").put(doc | {"deleted_at": call.now, "merged_into": survivor["id"]})
    moved = {name: _hand_over(call, kind, gone, survivor) for name, kind in _MOVED.items()}
    moved |= attachments.hand_over(call, "account", gone, survivor)
    moved["children"] = _hand_over_children(call, gone, survivor)
    check_parent(call, survivor, parent_id, height=height_of(call, survivor["id"]))
    given_values = ACCOUNTS.stored_form(call, values, survivor) if values else {}
    changes = dict(given_values)
    for doc in duplicates:
        said = given_values.keys() - {"currency"}
        theirs = {name: value for name, value in doc.items() if name not in _OWN | said}
        if doc["currency"] != given_values.get("currency", doc["currency"]):
            theirs["annual_revenue"] = None  # the caller says which currency the survivor has
        changes |= missing_members({**survivor, **changes}, theirs, amounts=("annual_revenue",))
    ids = [id for doc in duplicates for id in (*doc["merged_ids"], doc["id"])]
    changes |= {"merged_ids": list(dict.fromkeys([*survivor["merged_ids"], *ids])), "parent_id": parent_id}
    ACCOUNTS.change(call, survivor, changes, verb="merged", metadata={"merged_ids": sorted(gone)})
    refresh(call, survivor["id"])
    refresh(call, parent_id)
    return {
        "account": ACCOUNTS.find_one(call, survivor["id"]),
        "merged_ids": [doc["id"] for doc in duplicates],
        "moved": moved,
    }


def _parent_after(call: Context, survivor: Document, gone: set[str]) -> str | None:
    """Return the survivor's parent once the duplicates are gone. Raises 409 where the tree would have a cycle."""
    above = ancestors_of(call, survivor)
    kept = [doc for doc in above if doc["id"] not in gone]
    if kept != above[len(above) - len(kept) :]:
        raise hierarchy_cycle(survivor, "an account between it and a duplicate would be above and below it")
    return kept[0]["id"] if kept else None


def _hand_over(call: Context, kind: str, gone: set[str], survivor: Document) -> int:
    """Move the records of the duplicates to the survivor. Their versions stay, since no caller has changed them."""
    records = call.collection(kind)
    found = [doc for id in gone for doc in records.find("account_id", id)]
    for doc in found:
        company = {"company": survivor["name"]} if kind in ("contact", "deal") else {}
        records.put(doc | {"account_id": survivor["id"], **company})
    return len(found)


def _hand_over_children(call: Context, gone: set[str], survivor: Document) -> int:
    accounts = call.collection("account")
    found = [doc for id in gone for doc in accounts.find("parent_id", id) if doc["id"] != survivor["id"]]
    for doc in found:
        accounts.put(doc | {"parent_id": survivor["id"]})
    return len(found)
