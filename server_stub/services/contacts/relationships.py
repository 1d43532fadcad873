"""The rules of relationships: one record, which each of its two contacts sees with its type or the inverse type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.models.contacts import ContactRelationship
from crm_sdk.resources.contacts import ContactRelationships

from ...data.document import Document
from ...data.queries.query import filter_by_values, sort_documents
from ...noun import Noun
from ...problems import Problem
from ...serving import Context, Members, serves
from .records import CONTACTS

_PAIRS = (
    ("reports_to", "manages"),
    ("assistant_of", "has_assistant"),
    ("child_of", "parent_of"),
    ("referred_by", "referred"),
)
_INVERSE: Mapping[str, str] = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_UPWARD = frozenset({"reports_to", "child_of"})
"""The types of relationships that form a hierarchy, which must not have a cycle."""


def inverse(type: str) -> str:
    """Return the inverse type of a relationship."""
    return _INVERSE.get(type, type)


@serves(ContactRelationships.list)
def list_(call: Context, contact_id: str, type: str | None, sort: str | None, order: str | None) -> Sequence[Document]:
    """Return a contact's relationships as seen from it."""
    contact = CONTACTS.find_one(call, contact_id)
    seen = [seen_from(call, contact["id"], doc) for doc in relationships_of(call, contact["id"])]
    return sort_documents(filter_by_values(seen, type=type), sort, order, RELATIONSHIPS.sorts)


def relationships_of(call: Context, contact_id: str) -> list[Document]:
    """Return the relationships of a contact, whichever contact they were created for."""
    relationships = call.collection("relationship")
    return relationships.find("contact_id", contact_id) + relationships.find("related_contact_id", contact_id)


def seen_from(call: Context, contact_id: str, doc: Document) -> Document:
    """Return a relationship as one of its contacts sees it."""
    there = doc["contact_id"] == contact_id
    other_id = doc["related_contact_id"] if there else doc["contact_id"]
    other = call.collection("contact").get(other_id)
    type = doc["type"] if there else inverse(doc["type"])
    return doc | {
        "contact_id": contact_id,
        "related_contact_id": other_id,
        "related_contact_name": other["name"] if other is not None else None,
        "type": type,
        "inverse_type": inverse(type),
    }


def _part_of(call: Context, doc: Document, contact_id: str) -> Document | None:
    """Return a relationship as one of its contacts sees it; None for any other contact."""
    return seen_from(call, contact_id, doc) if contact_id in (doc["contact_id"], doc["related_contact_id"]) else None


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Check a relationship, and return its inverse type. Raises: 409; 422."""
    whole: Members = {**(before or {}), **members}
    contact_id, other_id, type = whole["contact_id"], whole["related_contact_id"], whole["type"]
    if other_id == contact_id:
        raise Problem("SELF_RELATIONSHIP", "a contact is not related to itself", field="related_contact_id")
    if other_id is not None and (before is None or type != before["type"]):
        _refuse_conflicts(call, contact_id, other_id, type, but=before["id"] if before is not None else None)
    return {"inverse_type": inverse(type)}


def _refuse_conflicts(call: Context, contact_id: str, other_id: str, type: str, *, but: str | None = None) -> None:
    """Raise 409 where the relationship is there already, would be a second superior, or would close a circle."""
    for doc in relationships_of(call, contact_id):
        here = seen_from(call, contact_id, doc)
        if doc["id"] != but and here["related_contact_id"] == other_id and here["type"] == type:
            raise _exists(f"they are related as {type} already", doc)
    lower, upper, upward = (contact_id, other_id, type) if type in _UPWARD else (other_id, contact_id, inverse(type))
    if upward not in _UPWARD:
        return
    above = [doc for doc in _relationships_upward(call, lower, upward) if doc["id"] != but]
    if upward == "reports_to" and above:
        raise _exists(f"the contact {lower} reports to {above[0]['related_contact_id']} already", above[0])
    waiting, reached = [upper], {upper}
    while waiting:
        at = waiting.pop()
        if at == lower:
            raise Problem(
                "RELATIONSHIP_CYCLE",
                f"the contact {lower} is above {upper} already",
                field="related_contact_id",
                details={"type": upward},
            )
        further = {
            doc["related_contact_id"] for doc in _relationships_upward(call, at, upward) if doc["id"] != but
        } - reached
        waiting += sorted(further)
        reached |= further


def _relationships_upward(call: Context, contact_id: str, upward: str) -> list[Document]:
    """Return the relationships to those directly above a contact."""
    seen = [seen_from(call, contact_id, doc) for doc in relationships_of(call, contact_id)]
    return [doc for doc in seen if doc["type"] == upward]


def _exists(message: str, doc: Document) -> Problem:
    return Problem("RELATIONSHIP_EXISTS", message, field="type", rule="unique", details={"existing_id": doc["id"]})


def _may_return(call: Context, doc: Document) -> None:
    _refuse_conflicts(call, doc["contact_id"], doc["related_contact_id"], doc["type"], but=doc["id"])


RELATIONSHIPS = Noun(
    resource=ContactRelationships,
    kind="relationship",
    model=ContactRelationship,
    prefix="rel_",
    own=("list",),
    within=("contact_id", CONTACTS),
    part_of=_part_of,
    events="contact.relationship_",
    sorts=("type", "since", "related_contact_name"),
    refers={"related_contact_id": "contact"},
    check=_check,
    may_return=_may_return,
    shown=lambda call, doc: seen_from(call, doc["contact_id"], doc),
)
