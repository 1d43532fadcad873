"""The relationships of custom objects: made, changed and deleted together with their inverse."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from crm_sdk.models.custom_objects import ObjectRelationship
from crm_sdk.resources.custom_objects import ObjectRelationships

from ...data.blanks import blank
from ...data.document import Document
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members, changes_between, serves
from .definitions import (
    LINKED,
    OBJECTS,
    Definitions,
    holds_many,
    ids_in,
    is_exclusive,
    keys_of,
    links_of,
    object_named,
    records_of,
    with_link_count,
)
from .stored import rewrite

_INVERSE = {"one_to_many": "many_to_one", "many_to_one": "one_to_many"}
_MIRRORED = {"label": "inverse_label", "inverse_label": "label"}


def _check(call: Context, members: dict[str, Any], before: Document | None) -> Mapping[str, Any]:
    """Return the members of a relationship that follow from those given. Raises: 409; 422."""
    if before is not None:
        whole = before | members
        _refuse_narrower(call, whole, before)
        if whole["required"] and not before["required"]:
            linked = links_of(call, before)
            _refuse_required(whole, [doc for doc in records_of(call, before["object_id"]) if doc["id"] not in linked])
        return {}
    own = call.record("custom_object", members["object_id"])
    name, related = members["api_name"], members["related_object"]
    _refuse_taken(call, own, name, "api_name")
    if members.get("required"):
        _refuse_required(members, records_of(call, own["id"]))
    if related in LINKED:
        return {}
    target = object_named(call, related)
    if target is None:
        message = f"{related!r} is neither a custom object nor one of {', '.join(LINKED)}"
        raise validation([FieldError("related_object", "reference", message, "REFERENCE_NOT_FOUND")])
    inverse = members.get("inverse_api_name")
    if inverse is None:
        taken = {*keys_of(call, target["id"]), *((name,) if target["id"] == own["id"] else ())}
        words = (own["api_name"][:45] + end for end in ("", *(f"_{number}" for number in range(2, 1_000))))
        inverse = next(word for word in words if word not in taken)
    elif target["id"] == own["id"] and inverse == name:
        raise _taken_name(inverse, own, "inverse_api_name", None)
    _refuse_taken(call, target, inverse, "inverse_api_name")
    many = members["cardinality"] in ("many_to_one", "many_to_many")
    label = members.get("inverse_label") or own["plural_label" if many else "label"]
    return {"related_object": target["api_name"], "inverse_api_name": inverse, "inverse_label": label}


def _refuse_taken(call: Context, object: Document, name: str, member: str) -> None:
    there = keys_of(call, object["id"]).get(name)
    if there is not None:
        raise _taken_name(name, object, member, there["id"])


def _taken_name(name: str, object: Document, member: str, id: str | None) -> Problem:
    message = f"{object['label']} has a field or a relationship called {name} already"
    return Problem("RELATIONSHIP_EXISTS", message, field=member, rule="unique", details={"existing_id": id})


def _refuse_required(relationship: Members, lacking: list[Document]) -> None:
    if lacking:
        raise Problem(
            "FIELD_NEEDS_DEFAULT",
            f"{len(lacking)} records have no {relationship['label']}: it cannot be required",
            field="required",
            details={"record_ids": [doc["id"] for doc in lacking[:20]], "record_count": len(lacking)},
        )


def _refuse_narrower(call: Context, after: Document, before: Document) -> None:
    """Raise 409 where stored links break another cardinality."""
    links = links_of(call, before)
    broken = [id for id, ids in links.items() if len(ids) > 1] if not holds_many(after) else []
    if is_exclusive(after) and not is_exclusive(before):
        often = {id for id, count in Counter(id for ids in links.values() for id in ids).items() if count > 1}
        broken += [id for id, ids in links.items() if often & set(ids) and id not in broken]
    if broken:
        raise Problem(
            "CARDINALITY_VIOLATION",
            f"{len(broken)} records have links that {after['cardinality']} does not allow",
            field="cardinality",
            details={"record_ids": broken[:20], "record_count": len(broken)},
        )


def _follow(call: Context, before: Document | None, after: Document | None) -> Document | None:
    """Make the inverse of a new relationship, and change that of a changed one."""
    if after is None:
        return None
    if before is not None:
        _shape(call, before, after)
        _change_inverse(call, before, after)
        return None
    target = object_named(call, after["related_object"]) if after["related_object"] not in LINKED else None
    if target is None:
        return None
    own = call.record("custom_object", after["object_id"])
    inverse = call.create(
        "object_relationship",
        "objrel_",
        {
            **blank(ObjectRelationship),
            "object_id": target["id"],
            "api_name": after["inverse_api_name"],
            "label": after["inverse_label"],
            "related_object": own["api_name"],
            "cardinality": _INVERSE.get(after["cardinality"], after["cardinality"]),
            "inverse_api_name": after["api_name"],
            "inverse_label": after["label"],
            "inverse_id": after["id"],
        },
    )
    if target["id"] != own["id"]:
        RELATIONSHIPS.publish(call, "created", inverse)
    return call.collection("object_relationship").put(after | {"inverse_id": inverse["id"]})


def _change_inverse(call: Context, before: Document, after: Document) -> None:
    inverse = _inverse_of(call, after)
    changed = {entry["field"]: entry["after"] for entry in changes_between(before, after)}
    mirrored = {_MIRRORED[name]: value for name, value in changed.items() if name in _MIRRORED}
    if "cardinality" in changed:
        mirrored["cardinality"] = _INVERSE.get(after["cardinality"], after["cardinality"])
    if inverse is not None and mirrored:
        new = call.update("object_relationship", inverse, mirrored)
        _shape(call, inverse, new)
        if new["object_id"] != after["object_id"]:
            RELATIONSHIPS.publish(call, "updated", new, before=inverse)


def _inverse_of(call: Context, relationship: Members) -> Document | None:
    return call.collection("object_relationship").get(relationship.get("inverse_id") or "")


def _shape(call: Context, before: Document, after: Document) -> None:
    """Store links as lists where a relationship now holds many, and as single ids where it no longer does."""
    name, many = after["api_name"], holds_many(after)

    def change(values: dict[str, Any]) -> None:
        if name in values:
            ids = ids_in(values[name])
            values[name] = ids if many else ids[0]

    if many != holds_many(before):
        rewrite(call, after["object_id"], change, relationship_id=after["id"])


@serves(ObjectRelationships.delete)
def delete(call: Context, object_id: str, relationship_id: str, force: bool) -> str:
    """Delete a relationship with its inverse, and return its id; with `force` the links go, too."""
    found = OBJECTS.find_one(call, object_id)
    relationship = RELATIONSHIPS.writable(call, relationship_id, "delete", whole_id=found["id"])
    count = with_link_count(call, relationship)["link_count"]
    if count and not force:
        message = f"{relationship['label']} has {count} links: remove them with force"
        raise Problem("RELATIONSHIP_IN_USE", message, details={"link_count": count})
    drop(call, relationship)
    return str(relationship["id"])


def drop(call: Context, relationship: Document) -> None:
    """Delete a relationship and its inverse, and the links on both sides."""
    inverse = _inverse_of(call, relationship)
    RELATIONSHIPS.remove(call, relationship)
    if inverse is not None:
        if inverse["object_id"] != relationship["object_id"]:
            RELATIONSHIPS.remove(call, inverse)
        else:
            call.delete("object_relationship", inverse)
    for one in (relationship, inverse):
        if one is not None:
            _erase_links(call, one)


def _erase_links(call: Context, relationship: Document) -> None:
    name = relationship["api_name"]
    rewrite(call, relationship["object_id"], lambda values: values.pop(name, None), relationship_id=relationship["id"])


RELATIONSHIPS = Definitions(
    resource=ObjectRelationships,
    kind="object_relationship",
    prefix="objrel_",
    model=ObjectRelationship,
    own=("delete",),
    within=("object_id", OBJECTS),
    events="custom_object.relationship_",
    sorts=("api_name", "label"),
    unique={"api_name": "RELATIONSHIP_EXISTS"},
    check=_check,
    follow=_follow,
    shown=with_link_count,
    listed=with_link_count,
)
