"""The rules of relationships between contacts: one record, seen from both sides with its type turned round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.contacts import ContactRelationships

from ...data.document import Document
from ...data.query import filter_by_values, sort_documents
from ...problems import Problem
from ...serving import Context, Members, changes_between, serves
from .writing import found, writable

_PAIRS = (
    ("reports_to", "manages"),
    ("assistant_of", "has_assistant"),
    ("child_of", "parent_of"),
    ("referred_by", "referred"),
)
_INVERSE: Mapping[str, str] = {one: other for pair in _PAIRS for one, other in (pair, pair[::-1])}
_UPWARD = frozenset({"reports_to", "child_of"})
"""Types that lead to somebody above; going on upward nobody must meet themselves."""


def inverse(type: str) -> str:
    """Return what a relationship is, seen from the other side."""
    return _INVERSE.get(type, type)


@serves(ContactRelationships.list)
def list_(call: Context, contact_id: str, type: str | None, sort: str | None, order: str | None) -> Sequence[Document]:
    """Return a contact's relationships as seen from it."""
    contact = found(call, contact_id)
    seen = [seen_from(call, contact["id"], doc) for doc in relationships_of(call, contact["id"])]
    return sort_documents(
        filter_by_values(seen, type=type),
        sort,
        order,
        ("created_at", "updated_at", "type", "since", "related_contact_name"),
    )


@serves(ContactRelationships.create)
def create(call: Context, contact_id: str, relationship: Members) -> Document:
    """Relate two contacts."""
    contact = writable(call, contact_id)
    other = call.reference("contact", relationship["related_contact_id"], "related_contact_id")
    assert other is not None, "an id was given"
    if other["id"] == contact["id"]:
        raise Problem("SELF_RELATIONSHIP", "a contact is not related to itself", field="related_contact_id")
    _refuse_conflicts(call, contact["id"], other["id"], relationship["type"])
    doc = call.create(
        "relationship",
        "rel_",
        {
            "contact_id": contact["id"],
            "related_contact_id": other["id"],
            "type": relationship["type"],
            "inverse_type": inverse(relationship["type"]),
            "since": relationship.get("since"),
            "notes": relationship.get("notes"),
        },
    )
    call.emit("contact.relationship_created", "contact", contact, metadata={"relationship_id": doc["id"]})
    return seen_from(call, contact["id"], doc)


@serves(ContactRelationships.update)
def update(call: Context, contact_id: str, relationship_id: str, changes: Members, version: int | None) -> Document:
    """Change a relationship; its type is given as seen from the contact in the path."""
    contact = writable(call, contact_id)
    doc = _relationship_of(call, contact["id"], relationship_id)
    call.lock(doc, version)
    given: dict[str, Any] = dict(changes)
    if "type" in given:
        here = seen_from(call, contact["id"], doc)
        _refuse_conflicts(call, contact["id"], here["related_contact_id"], given["type"], but=doc["id"])
        if doc["contact_id"] != contact["id"]:
            given["type"] = inverse(given["type"])
        given["inverse_type"] = inverse(given["type"])
    new = call.update("relationship", doc, given)
    call.emit(
        "contact.relationship_updated",
        "contact",
        contact,
        changes=changes_between(doc, new),
        metadata={"relationship_id": doc["id"]},
    )
    return seen_from(call, contact["id"], new)


@serves(ContactRelationships.delete)
def delete(call: Context, contact_id: str, relationship_id: str) -> None:
    """End a relationship on both sides."""
    contact = writable(call, contact_id)
    doc = call.delete("relationship", _relationship_of(call, contact["id"], relationship_id))
    call.emit("contact.relationship_deleted", "contact", contact, metadata={"relationship_id": doc["id"]})


def relationships_of(call: Context, contact_id: str) -> list[Document]:
    """Return the relationships a contact has, from whichever side they were made."""
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


def _relationship_of(call: Context, contact_id: str, relationship_id: str) -> Document:
    doc = call.record("relationship", relationship_id)
    if contact_id not in (doc["contact_id"], doc["related_contact_id"]):
        message = f"the contact {contact_id!r} has no relationship {relationship_id!r}"
        raise Problem("NOT_FOUND", message, details={"id": relationship_id})
    return doc


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
