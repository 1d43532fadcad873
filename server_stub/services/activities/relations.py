"""Whom an activity concerns: its contact, lead, deal and account, and what it holds of their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...data.document import Document
from ...data.keys import with_value
from ...data.queries.latest import entity_refs, latest_first
from ...serving import Context, Members

LINKS = ("contact_id", "lead_id", "deal_id", "account_id")
REFERS: Mapping[str, str] = {
    "owner_id": "user",
    "contact_id": "contact",
    "lead_id": "lead",
    "deal_id": "deal",
    "account_id": "account",
    "attachments": "file",
}
"""What the members of an activity refer to."""
_NAMES = ("contact_name", "contact_company")


def relation_members(
    call: Context, members: Members, before: Members | None, *, contact_of_deal: bool = False
) -> dict[str, Any]:
    """Return what follows from the records an activity is about: the account, and the names.

    The account is the contact's or the deal's where none is given. Names that are given stay where the activity is
    about no contact and no lead. With `contact_of_deal` the contact is the deal's, where none is given.
    """
    given = {name: members[name] for name in LINKS if name in members}
    if before is not None and all(before.get(name) == value for name, value in given.items()):
        known = before.get("contact_id") or before.get("lead_id")
        return {name: before[name] for name in _NAMES if name in members} if known else {}
    now = {name: members.get(name, before.get(name) if before is not None else None) for name in LINKS}
    deal = _live(call, "deal", now["deal_id"])
    cleared = before is not None and "contact_id" in members
    if contact_of_deal and now["contact_id"] is None and deal is not None and not cleared:
        now["contact_id"] = deal.get("contact_id")
    contact = _live(call, "contact", now["contact_id"])
    lead = _live(call, "lead", now["lead_id"])
    derived: dict[str, Any] = {"contact_id": now["contact_id"]} if contact_of_deal else {}
    if members.get("account_id") is None:
        sources = [doc["account_id"] for doc in (contact, deal) if doc is not None and doc.get("account_id")]
        kept = before.get("account_id") if before is not None and not given.keys() - {"lead_id"} else None
        derived["account_id"] = sources[0] if sources else kept
    who = contact or lead
    if who is not None:
        return {**derived, "contact_name": who["name"], "contact_company": who.get("company")}
    return {**derived, **{name: members.get(name) for name in _NAMES}}


def _live(call: Context, kind: str, id: str | None) -> Document | None:
    return call.find_one(kind, id) if id is not None else None


def found_by(call: Context, places: Sequence[tuple[str, str, Sequence[str]]], values: Sequence[Any]) -> dict[str, Any]:
    """Return the contact, or else the lead, that has one of some values, and who else has it as `other_matches`.

    `places` are the member that will hold its id, its kind, and the members to look in.
    """
    for link, kind, names in places:
        found: dict[str, Document] = {}
        for value in values:
            found |= {doc["id"]: doc for doc in with_value(call.collection(kind), names, value) if value}
        if found:
            first, *others = latest_first(found.values())
            return {link: first["id"], "other_matches": entity_refs(kind, others)}
    return {}
