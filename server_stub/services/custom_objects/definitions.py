"""Definitions: custom objects with their fields and relationships, found by their ids or by their API names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from crm_sdk.models.custom_objects import CustomObject
from crm_sdk.models.values import EntityType
from crm_sdk.reading import choices_of
from crm_sdk.resources.custom_objects import CustomObjects
from crm_sdk.route import Action

from ...data.document import Document
from ...noun import Noun
from ...problems import Problem, invalid
from ...request.access import permissions
from ...serving import Context, Members

LINKED = ("contact", "lead", "deal", "account", "user")
"""The kinds of records of the CRM itself that a relationship can link, and whose deletion a field can refuse."""
REFERABLE = (
    *LINKED, "activity", "conversation", "message", "team", "pipeline", "territory", "file", "report", "dashboard",
    "workflow", "integration", "app", "comment", "template",
)  # fmt: skip
"""The kinds of records of the CRM itself that people work with: a reference field can refer to them."""
CORE = ("contact", "lead", "account", "deal", "activity", "territory")
"""The kinds of records of the CRM itself that may have further fields: these have the kind as their `object_id`, and
the records have the values in `custom_fields`."""
_RESOURCES = """
contacts deals leads accounts activities pipelines analytics ai_insights custom_objects workflows marketplace
integrations auth users tenants notifications files audit search reports dashboards communication social collaboration
conversations agents webhooks objects changes exports imports calendar jobs privacy configuration customization security
monitoring backups chatops presence
"""
RESERVED = frozenset({*choices_of(EntityType), *_RESOURCES.split(), "object", "field", "record"})
"""What no custom object can be called: the words for entities and for permissions."""


class Definitions(Noun):
    """A noun whose records can be named by their API names, too."""

    def find_one(self, call: Context, id: str, whole_id: str | None = None) -> Document:
        """Return a live record by its id or its API name. Raises: 404."""
        named = [
            doc for doc in self.records(call).find("api_name", id)
            if doc["api_name"] == id and whole_id in (None, doc.get("object_id"))
        ]  # fmt: skip
        return super().find_one(call, named[0]["id"] if named else id, whole_id)

    def in_sight(self, call: Context, doc: Members) -> bool:
        """Return whether a definition can be found: all can, whatever the caller may do with the records."""
        return True

    def writable(self, call: Context, id: str, action: Action = "update", *, whole_id: str | None = None) -> Document:
        """Return a record by its id or its API name if the caller may do `action` with it. Raises: 404; 403."""
        return super().writable(call, self.find_one(call, id, whole_id)["id"], action, whole_id=whole_id)


def object_named(call: Context, name: str) -> Document | None:
    """Return the live custom object with an API name or id; None where there is none."""
    objects = call.collection("custom_object")
    return objects.get(name) or next((doc for doc in objects.find("api_name", name) if doc["api_name"] == name), None)


def fields_of(call: Context, object_id: str) -> list[Document]:
    """Return the fields of a custom object, by position."""
    fields = call.collection("field").find("object_id", object_id)
    return sorted(fields, key=lambda field: (field["position"] or 0, field["id"]))


def relationships_of(call: Context, object_id: str) -> list[Document]:
    """Return the relationships of a custom object."""
    return call.collection("object_relationship").find("object_id", object_id)


def keys_of(call: Context, object_id: str) -> dict[str, Document]:
    """Return what each key in the `fields` of an object's records stands for: a field or a relationship."""
    return {doc["api_name"]: doc for doc in (*fields_of(call, object_id), *relationships_of(call, object_id))}


def records_of(call: Context, object_id: str) -> list[Document]:
    """Return the live records of a custom object, or of a kind of the CRM itself that may have further fields."""
    if object_id in CORE:
        return call.collection(object_id).all()
    return call.collection("record").find("object_id", object_id)


def prefix_of(object_id: str) -> str:
    """Return the member of the records that has the values of their fields."""
    return "custom_fields" if object_id in CORE else "fields"


def values_of(doc: Members, object_id: str) -> Mapping[str, Any]:
    """Return the values of a record's fields."""
    values: Mapping[str, Any] = doc.get(prefix_of(object_id)) or {}
    return values


def with_record_count(call: Context, doc: Document) -> Document:
    """Return a custom object with the number of its records, without its parts."""
    count = len(records_of(call, doc["id"]))
    return doc.with_members({"record_count": count, "fields": [], "relationships": []})


def with_parts(call: Context, doc: Document) -> Document:
    """Return a custom object with its fields and relationships."""
    links = [with_link_count(call, link) for link in relationships_of(call, doc["id"])]
    return with_record_count(call, doc) | {"fields": fields_of(call, doc["id"]), "relationships": links}


def with_link_count(call: Context, doc: Document) -> Document:
    """Return a relationship with the number of its links."""
    return doc.with_members({"link_count": sum(len(ids) for ids in links_of(call, doc).values())})


def links_of(call: Context, key: Members) -> Mapping[str, list[str]]:
    """Return what the records of an object have at the key of a reference or relationship: ids, by the records' ids."""
    found = {
        doc["id"]: ids_in(values_of(doc, key["object_id"]).get(key["api_name"]))
        for doc in records_of(call, key["object_id"])
    }
    return {id: ids for id, ids in found.items() if ids}


def ids_in(value: Any) -> list[str]:
    """Return the ids that the value of a link holds."""
    if isinstance(value, list):
        return cast("list[str]", value)
    return [value] if isinstance(value, str) else []


def is_link(key: Members) -> bool:
    """Tell whether a field or relationship holds ids of other records."""
    return "cardinality" in key or key["type"] == "reference"


def target_of(key: Members) -> str:
    """Return what the ids of a link are of: an entity type, or a custom object's API name."""
    return str(key["related_object"] if "cardinality" in key else key["reference_to"])


def holds_many(key: Members) -> bool:
    """Tell whether a link holds a list of ids."""
    return key.get("cardinality") in ("one_to_many", "many_to_many")


def is_exclusive(key: Members) -> bool:
    """Tell whether a record may be linked by one record of the object only."""
    return key.get("cardinality") in ("one_to_one", "one_to_many")


def linked_record(call: Context, target: str, id: str) -> Document | None:
    """Return the live record that a link refers to, the survivor of a merged one; None where the caller sees none."""
    if target not in REFERABLE:
        doc = call.find_one("record", id)
        return doc if doc is not None and doc["object"] == target else None
    doc, noun = call.find_one(target, id), call.server.nouns.get(target)
    hidden = doc is not None and noun is not None and noun.visible is not None and not noun.visible(call, doc)
    return None if hidden else doc


def _check(call: Context, members: dict[str, Any], before: Document | None) -> None:
    """Refuse a reserved name, and a primary field that is not a text field of the object."""
    if before is None:
        if members["api_name"] in RESERVED:
            message = f"{members['api_name']!r} is a word of the CRM itself: call it otherwise"
            raise Problem("RESERVED_NAME", message, field="api_name", rule="choice")
    elif members.get("primary_field", before["primary_field"]) != before["primary_field"]:
        texts = [field["api_name"] for field in fields_of(call, before["id"]) if field["type"] == "text"]
        if members["primary_field"] not in texts:
            raise invalid("primary_field", "choice", f"must be a text field: {', '.join(texts)}", choices=texts)


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Name the records by another primary field; nobody has edited them, so their versions stay."""
    if before is not None and after is not None and before["primary_field"] != after["primary_field"]:
        for doc in records_of(call, after["id"]):
            call.collection("record").put(doc | {"name": doc["fields"].get(after["primary_field"])})


OBJECTS = Definitions(
    resource=CustomObjects,
    kind="custom_object",
    limit="custom_objects",
    prefix="object_",
    model=CustomObject,
    own=("create", "delete"),
    searched=("api_name", "label", "plural_label", "description"),
    sorts=("label", "record_count"),
    sorted_by={
        "label": lambda call: lambda doc: doc["label"],
        "record_count": lambda call: lambda doc: len(records_of(call, doc["id"])),
    },
    unique={"api_name": "OBJECT_EXISTS"},
    check=_check,
    follow=_follow,
    shown=with_parts,
    listed=with_record_count,
)


def open_object(call: Context, id: str, action: Action = "read") -> Document:
    """Return a custom object whose records can be used. Raises: 404; 403; 409 for an inactive one."""
    found = OBJECTS.find_one(call, id)
    permissions.check(call.caller, f"{permissions.RECORDS}.{found['id']}", action)
    if not found["active"]:
        raise Problem("OBJECT_INACTIVE", f"{found['label']} is inactive: make it active to use its records")
    return found


def names(docs: Sequence[Members]) -> str:
    """Return the labels of definitions, for a message."""
    return ", ".join(str(doc["label"]) for doc in docs)
