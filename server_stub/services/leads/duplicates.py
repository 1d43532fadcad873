"""Duplicate leads: linked to each other, or refused by the company's `duplicate_policy`."""

from __future__ import annotations

from collections.abc import Iterable

from ...data.collection import Collection
from ...data.document import Document
from ...problems import Problem
from ...serving import Context, Members

_TELLING = ("email", "phone")
"""The members by which duplicates are recognised."""


def duplicates_of(leads: Collection, doc: Members) -> list[str]:
    """Return the ids of all other leads with the same e-mail address or phone, sorted."""
    same = {other["id"] for name in _TELLING if doc[name] for other in leads.find(name, doc[name])}
    return sorted(same - {doc["id"]})


def link_duplicates(leads: Collection, ids: Iterable[str]) -> None:
    """Update `duplicate_ids` of some leads."""
    for id in ids:
        doc = leads.get(id)
        duplicates = duplicates_of(leads, doc) if doc is not None else []
        if doc is not None and duplicates != doc["duplicate_ids"]:
            # Not an update: no caller has changed this lead, so that its version stays.
            leads.put(doc | {"duplicate_ids": duplicates})


def with_duplicates(call: Context, doc: Document, before: Members | None) -> Document:
    """Return a stored lead with its duplicates, and update its present and former duplicates."""
    if before is not None and all(before[name] == doc[name] for name in _TELLING):
        return doc
    leads = call.collection("lead")
    link_duplicates(leads, [doc["id"]])
    new = leads.get(doc["id"]) or doc
    link_duplicates(leads, {*(before["duplicate_ids"] if before is not None else ()), *new["duplicate_ids"]})
    return new


def refuse_duplicates(call: Context, members: Members, before: Document | None) -> None:
    """Raise 409 DUPLICATE_VALUE for an address or phone of another lead, where the company's policy is to reject."""
    if call.tenant.get("duplicate_policy") != "reject":
        return
    for name in _TELLING:
        value = members.get(name)
        if value is None or (before is not None and before[name] == value):
            continue
        for other in call.collection("lead").find(name, value):
            if before is None or other["id"] != before["id"]:
                message = f"{other['id']} has the {name} {value!r} already, and the company wants no lead twice"
                raise Problem(
                    "DUPLICATE_VALUE", message, field=name, rule="unique", details={"existing_id": other["id"]}
                )
