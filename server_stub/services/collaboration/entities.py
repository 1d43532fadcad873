"""The records that people share, comment on and follow: which of them somebody sees, and what they may do with one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ...data.document import Document
from ...problems import Problem, missing
from ...request.access import permissions, shares
from ...request.access.callers import user_caller
from ...request.access.features import is_on
from ...serving import Context, Members
from ..activities.privacy import is_hidden
from ..files.access import level_of as level_of_file

_WITHOUT_NOUN: Mapping[str, str] = {"conversation": "conversations", "message": "conversations", "agent": "agents"}
"""Kinds whose records have no noun, with the resources whose permissions apply to them."""
_APART = frozenset({"comment", "share", "notification", "webhook", "relationship", "custom_object"})
"""Kinds that are no subject of collaboration."""
NOTHING, VIEW, COMMENT, EDIT, MANAGE = range(-1, 4)
"""Access, as places in `shares.LEVELS`."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A record that the caller may see."""

    type: str
    word: str
    """The resource whose permissions apply to it."""
    doc: Document

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.doc["id"])

    @property
    def name(self) -> str | None:
        """What people call it."""
        return self.doc.get("name") or self.doc.get("title") or self.doc.get("subject")

    @property
    def ref(self) -> dict[str, Any]:
        """The reference to it."""
        return {"type": self.type, "id": self.id, "name": self.name}


def seen_entity(call: Context, type: str, id: str, *, deleted: bool = False) -> Entity | None:
    """Return a record if the caller may see it; with `deleted` also one that is no more, where it could be seen.

    An activity may be named by its kind, a record of a custom object by the API name of that.
    """
    noun = call.server.nouns.get(type) if type not in _APART else None
    kind, word, object_id = type, _WITHOUT_NOUN.get(type), None
    if noun is not None:
        kind, word = noun.collection, noun.word
        if noun.within is not None or noun.shared or type == "record":
            return None
    elif word is None:
        custom = next(iter(call.collection("custom_object").find("api_name", type)), None)
        if custom is None:
            return None
        kind, word, object_id, noun = "record", "custom_objects", custom["id"], call.server.nouns["record"]
    doc = call.collection(kind).get(id, deleted=True) if deleted else call.find_one(kind, id)
    if (
        doc is None
        or (object_id is not None and doc["object_id"] != object_id)
        or not is_on(call.server, call.caller, word)
        or not permissions.permits(call.caller, word, "read", doc)
        or (noun is not None and noun.visible is not None and not noun.visible(call, doc))
        or is_hidden(call, doc)
    ):
        return None
    return Entity(type if object_id is not None else kind, word, doc)


def entity_of(call: Context, record: Members) -> Entity | None:
    """Return the record that a share, a comment or a mention is on, if the caller may see it."""
    return seen_entity(call, record["entity"]["type"], record["entity"]["id"])


def found_entity(call: Context, type: str, id: str) -> Entity:
    """Return a record that a path or query names. Raises: 404."""
    entity = seen_entity(call, type, id)
    if entity is None:
        raise missing(type, id)
    return entity


def referenced_entity(call: Context, reference: Members, field: str = "entity") -> Entity:
    """Return a record that a body refers to. Raises: 422."""
    entity = seen_entity(call, reference["type"], reference["id"])
    if entity is None:
        message = f"no {reference['type'].replace('_', ' ')} has the id {reference['id']!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field=f"{field}.id", rule="reference")
    return entity


def with_name(call: Context, record: Document) -> Document:
    """Return a record on another one, with the present name of that."""
    entity = entity_of(call, record)
    return record | {"entity": entity.ref} if entity is not None else record


def level_of(call: Context, entity: Entity) -> int:
    """Return the access that role, ownership and shares give the caller, as a place in `shares.LEVELS`."""
    if entity.type == "file":
        return level_of_file(call, entity.doc)
    may_update = permissions.permits(call.caller, entity.word, "update", entity.doc)
    if may_update and permissions.permits(call.caller, entity.word, "delete", entity.doc):
        return MANAGE
    return EDIT if may_update else max(VIEW, min(COMMENT, shares.level_of(call.caller.shared, entity.doc)))


def as_user(call: Context, user: Document) -> Context:
    """Return this call with another user as the caller, to ask what that one sees."""
    return call.acting_as(user_caller(call.server.store, user, call.now))


def can_see(call: Context, user: Document, entity: Entity) -> bool:
    """Return whether a user works here and sees a record."""
    return user.get("status") != "inactive" and seen_entity(as_user(call, user), entity.type, entity.id) is not None


def person(call: Context, id: str | None) -> dict[str, Any] | None:
    """Return the reference to a user, also one who has left; None for who is none. An API key is that of its user."""
    if id is not None and id.startswith("apikey_"):
        key = call.collection("api_key").get(id, deleted=True)
        id = key["user_id"] if key is not None else None
    user = call.collection("user").get(id or "", deleted=True)
    return {"id": user["id"], "name": user["name"], "avatar": user.get("avatar")} if user is not None else None


def author(call: Context) -> dict[str, Any]:
    """Return the reference to the caller."""
    caller = call.caller
    return person(call, caller.user_id) or {"id": caller.actor_id, "name": caller.name, "avatar": None}
