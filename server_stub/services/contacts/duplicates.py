"""The rules of duplicates: find contacts that are the same person, and merge them into one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

from crm_sdk.models.values import MergeCounts
from crm_sdk.resources.contacts import Contacts

from ...data.document import Document
from ...problems import invalid
from ...request.access import permissions
from ...serving import STAMPS, Context, Members, serves
from .. import attachments
from .likeness import MATCHED, Likeness, alike, likeness, traits
from .records import CONTACTS
from .relationships import inverse, relationships_of

_KEPT = STAMPS | frozenset({
    "name", "health_score", "relationship_health", "sentiment", "churn_risk", "last_contact", "total_deals",
    "total_value", "open_deals", "currency", "communication_history", "ai_insights", "merged_ids",
})  # fmt: skip
"""The members that a merge does not fill in: those that the survivor keeps, and computed ones."""
_UNITED = ("tags", "notes", "social_profiles")
_CHILDREN = (
    ("deal", "contact_id", "deals"),
    ("activity", "contact_id", "activities"),
    ("lead", "converted_contact_id", "leads"),
    ("conversation", "contact_id", "conversations"),
)
"""The kinds of records that move, each with the member with the contact's id, and the name of its count."""


Edge: TypeAlias = tuple[Likeness, Document, Document]


@serves(Contacts.deduplicate)
def deduplicate(
    call: Context,
    mode: str,
    match_on: Sequence[str] | None,
    threshold: int,
    contact_ids: Sequence[str] | None,
    survivor: str,
    groups: Sequence[Members] | None,
) -> dict[str, Any]:
    """Find the contacts that are the same person, and merge them with the mode ``merge``."""
    if groups is not None and mode != "merge":
        raise invalid("groups", "choice", "groups are merged: give them with the mode merge")
    docs = permissions.readable(call, "contact") if contact_ids is None else _contacts(call, contact_ids, "contact_ids")
    wanted = tuple(match_on or MATCHED)
    found = _groups(docs, wanted, threshold, survivor) if groups is None else _scored_groups(call, groups)
    result: dict[str, Any] = {"groups": found, "merged": [], "scanned": len(docs), "dry_run": mode != "merge"}
    if mode == "merge":
        permissions.check(call.caller, CONTACTS.word, "delete")
        wanted_merges = [_with_right_to_merge(call, group) for group in found]
        result["merged"] = [merge(call, *each) for each in wanted_merges]
    return result


def _contacts(call: Context, ids: Sequence[str], field: str) -> list[Document]:
    """Return the contacts with the given ids, each once, with survivors in place of merged ones. Raises: 422."""
    docs = [call.reference("contact", id, f"{field}.{number}") for number, id in enumerate(ids)]
    return list({doc["id"]: doc for doc in docs if doc is not None}.values())


def _with_right_to_merge(call: Context, group: Members) -> tuple[Document, list[Document]]:
    """Return the survivor of a group and the other contacts. Raises: 403 where the caller may not write one of them.

    All groups are checked before any is merged.
    """
    survivor_id = group["survivor_id"]
    others = [CONTACTS.writable(call, id, "delete") for id in group["contact_ids"] if id != survivor_id]
    return CONTACTS.writable(call, survivor_id), others


def _scored_groups(call: Context, groups: Sequence[Members]) -> list[dict[str, Any]]:
    """Return the caller's own groups with their scores. Raises: 422 for groups that cannot be merged."""
    seen: set[str] = set()
    out: list[dict[str, Any]] = []
    for number, group in enumerate(groups):
        field = f"groups.{number}"
        docs = {doc["id"]: doc for doc in _contacts(call, group["contact_ids"], f"{field}.contact_ids")}
        survivor_id = call.resolve("contact", group["survivor_id"], f"{field}.survivor_id")
        if survivor_id not in docs:
            raise invalid(f"{field}.survivor_id", "reference", "the survivor is not one of the group's contacts")
        if len(docs) < 2:
            raise invalid(f"{field}.contact_ids", "length", "a group has at least two contacts")
        if seen & docs.keys():
            raise invalid(f"{field}.contact_ids", "unique", f"{min(seen & docs.keys())} is in a group before")
        seen |= docs.keys()
        links = [(likeness(traits(one), traits(other)), one, other) for one, other in combinations(docs.values(), 2)]
        out.append(_group(docs[survivor_id], docs, links))
    return out


# -- finding -----------------------------------------------------------------------------------------------------------


def _groups(docs: Sequence[Document], match_on: Sequence[str], threshold: int, survivor: str) -> list[dict[str, Any]]:
    """Return the groups of contacts that are connected by similar pairs, the highest score first."""
    edges: list[Edge] = sorted(alike(docs, match_on, threshold), key=lambda edge: -edge[0].score)
    above: dict[str, str] = {}

    def head(id: str) -> str:
        while id in above:
            id = above[id]
        return id

    for _, one, other in edges:
        if head(one["id"]) != head(other["id"]):
            above[head(other["id"])] = head(one["id"])
    members: dict[str, dict[str, Document]] = {}
    links: dict[str, list[Edge]] = {}
    for edge in edges:
        top = head(edge[1]["id"])
        links.setdefault(top, []).append(edge)
        members.setdefault(top, {}).update({doc["id"]: doc for doc in edge[1:]})
    groups = [_group(_survivor(list(docs.values()), survivor), docs, links[top]) for top, docs in members.items()]
    return sorted(groups, key=lambda group: -group["score"])


def _group(survivor: Document, docs: Mapping[str, Document], links: Sequence[Edge]) -> dict[str, Any]:
    """Return a group with the survivor first. Its score is that of its least similar contact."""
    others = sorted(
        (doc for doc in docs.values() if doc is not survivor), key=lambda doc: (doc["created_at"], doc["id"])
    )
    best = {id: max(like.score for like, *pair in links if docs[id] in pair) for id in docs}
    kept: dict[tuple[str, tuple[str, ...]], Mapping[str, Any]] = {}
    for like, *_ in links:
        for reason in like.reasons:
            kept.setdefault((reason["field"], tuple(reason["values"])), reason)
    return {
        "survivor_id": survivor["id"],
        "contact_ids": [survivor["id"], *(doc["id"] for doc in others)],
        "score": min(best.values()),
        "reasons": list(kept.values()),
    }


def _survivor(docs: Sequence[Document], rule: str) -> Document:
    oldest = sorted(docs, key=lambda doc: (doc["created_at"], doc["id"]))
    if rule == "newest":
        return oldest[-1]
    if rule == "oldest":
        return oldest[0]
    return max(oldest, key=lambda doc: sum(value not in (None, "", [], {}) for value in doc.values()))


# -- merging -----------------------------------------------------------------------------------------------------------


def merge(call: Context, survivor: Document, others: Sequence[Document]) -> dict[str, Any]:
    """Merge contacts into the survivor, which keeps its values, is filled in, and gets the records of the others."""
    moved = dict.fromkeys(MergeCounts.model_fields, 0) | {"contacts": len(others)}
    merged_ids = [other["id"] for other in others]
    with call.server.store.transaction():
        for other in others:
            _move(call, other["id"], survivor, moved)
            call.update("contact", other, {"deleted_at": call.now, "merged_into": survivor["id"]})
        moved |= attachments.hand_over(call, "contact", merged_ids, survivor)
        changes = _merged_members(survivor, others)
        new = CONTACTS.change(call, survivor, changes, verb="merged", metadata={"merged_ids": merged_ids})
    return {"contact": new, "merged_ids": merged_ids, "moved": moved}


def _merged_members(survivor: Document, others: Sequence[Document]) -> dict[str, Any]:
    """Return the members of the survivor that a merge changes."""
    out: dict[str, Any] = {}
    for other in others:
        for name, value in other.items():
            if name in _KEPT or not value or (out.get(name) or survivor.get(name)) not in (None, "", [], {}):
                continue
            if name != "account_id" or _company(survivor) in ("", _company(other)):
                out[name] = value
    for name in _UNITED:
        out[name] = _each_once(item for doc in (survivor, *others) for item in doc.get(name) or ())
    fields: list[dict[str, Any]] = [doc.get("custom_fields") or {} for doc in (*reversed(others), survivor)]
    out["custom_fields"] = {name: value for members in fields for name, value in members.items() if value is not None}
    first = out.get("email") or survivor.get("email")
    addresses = [
        a for doc in (survivor, *others) for a in (doc.get("email"), *(doc.get("secondary_emails") or ())) if a
    ]
    out["secondary_emails"] = [address for address in dict.fromkeys(addresses) if address != first]
    ids = [*survivor["merged_ids"], *(id for other in others for id in (other["id"], *other["merged_ids"]))]
    out["merged_ids"] = list(dict.fromkeys(ids))
    return out


def _company(doc: Document) -> str:
    return (doc.get("company") or "").strip().casefold()


def _each_once(items: Iterable[Any]) -> list[Any]:
    kept: list[Any] = []
    for item in items:
        key = item.casefold() if isinstance(item, str) else item
        if not any((known.casefold() if isinstance(known, str) else known) == key for known in kept):
            kept.append(item)
    return kept


def _move(call: Context, id: str, survivor: Document, moved: dict[str, int]) -> None:
    names = {"contact_name": survivor["name"], "contact_company": survivor.get("company")}
    for kind, member, counted in _CHILDREN:
        records = call.collection(kind)
        for doc in records.find(member, id):
            said = {name: value for name, value in names.items() if name in doc}
            records.put(doc | {member: survivor["id"], **said})
            moved[counted] += 1
    deals = call.collection("deal")
    for deal in deals.find("contact_roles.contact_id", id):
        roles: list[dict[str, Any]] = deal["contact_roles"]
        turned: dict[str, Any] = {}
        for role in sorted(
            (role | {"contact_id": survivor["id"]} if role["contact_id"] == id else role for role in roles),
            key=lambda role: not role.get("is_primary"),
        ):
            turned.setdefault(role["contact_id"], role)
        deals.put(deal | {"contact_roles": list(turned.values())})
    _move_relationships(call, id, survivor["id"], moved)


def _move_relationships(call: Context, id: str, survivor_id: str, moved: dict[str, int]) -> None:
    """Move relationships to the survivor; one with itself, one it has already, a second superior are deleted."""
    relationships = call.collection("relationship")
    mine = {_other_side(doc, survivor_id) for doc in relationships_of(call, survivor_id)}
    superior = any(type == "reports_to" for _, type in mine)
    for doc in relationships_of(call, id):
        other, type = _other_side(doc, id)
        if other == survivor_id or (other, type) in mine or (type == "reports_to" and superior):
            call.delete("relationship", doc)
            continue
        side = "contact_id" if doc["contact_id"] == id else "related_contact_id"
        relationships.put(doc | {side: survivor_id})
        moved["relationships"] += 1


def _other_side(doc: Document, contact_id: str) -> tuple[str, str]:
    """Return the other contact of a relationship, and the type as seen from this contact."""
    if doc["contact_id"] == contact_id:
        return doc["related_contact_id"], doc["type"]
    return doc["contact_id"], inverse(doc["type"])
