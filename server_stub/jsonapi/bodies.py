"""The bodies of JSON:API: a resource as the members of a plain body, each with its place in the document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.operation import Operation
from crm_sdk.wire import camel, is_array, is_object, snake

from ..problems import Problem, invalid
from .forms import Kinds, Relation, is_reference


@dataclass
class Received:
    """A body that was read."""

    document: Mapping[str, Any]
    members: dict[str, Any] = field(default_factory=dict[str, Any])
    """The members of the plain body, by their wire names."""
    pointers: dict[str, str] = field(default_factory=dict[str, str])
    """The JSON Pointer to each of them (RFC 6901)."""

    def put(self, name: str, pointer: str, value: Any) -> None:
        """Take a member. Raises: 400 for one that came twice."""
        if name in self.members:
            message = f"{self.pointers[name]} and {pointer} say the same: give one of them"
            raise Problem("BAD_REQUEST", message, field=pointer)
        self.members[name], self.pointers[name] = value, pointer

    def pointer_to(self, kinds: Kinds, path: str) -> str:
        """Return the pointer to a member by its wire path; to what holds it where it is not there."""
        head, *rest = path.split(".")
        pointer = self.pointers.get(head) or _place_of(kinds, head, "data" in self.document)
        return existing(self.document, "/".join([pointer, *map(escaped_part, rest)]))


def escaped_part(part: str) -> str:
    """Return a name as a part of a JSON Pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def existing(document: Any, pointer: str) -> str:
    """Return a pointer, or that to the nearest value above it that the document has."""
    at, good = document, ""
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        if is_object(at) and name in at:
            at = at[name]
        elif is_array(at) and name.isdigit() and int(name) < len(at):
            at = at[int(name)]
        else:
            break
        good += f"/{part}"
    return good


def _place_of(kinds: Kinds, member: str, resource: bool) -> str:
    if not resource:
        return f"/meta/{escaped_part(member)}"
    name = kinds.name_of(member)
    group = "relationships" if name in kinds.relations and kinds.relations[name].wire == member else "attributes"
    return f"/data/{group}/{escaped_part(name)}"


def read(
    operation: Operation[..., Any],
    method: str,
    kinds: Kinds,
    document: Mapping[str, Any],
    own_type: str | None,
    is_meant: Callable[[str], bool],
) -> Received:
    """Return the members of a document.

    One that writes a record has `data`; the arguments of another call may come as `meta`, as their results go.
    `own_type` is the type of the resources where it depends on the company; `is_meant` tells whether an id is that of
    the record in the path.

    Raises: 422 for a document without a resource; 409 TYPE_CONFLICT; 403 CLIENT_ID_FORBIDDEN.
    """
    received = Received(document)
    writes = bool(kinds.forms) and not kinds.many and (operation.status == 201 or method in ("PUT", "PATCH"))
    if "data" not in document and not writes and is_object(document.get("meta")):
        for name, value in document["meta"].items():
            received.put(name, f"/meta/{escaped_part(name)}", value)
        return received
    data = document.get("data")
    if not is_object(data):
        what = "a resource object is needed as data" if "data" not in document else "data must be a resource object"
        raise invalid("/data", "required" if "data" not in document else "type", what)
    _check_identity(operation, method, kinds, data, own_type, is_meant)
    attributes, relationships = (_group(data, name) for name in ("attributes", "relationships"))
    for name, value in attributes.items():
        is_attribute = name in kinds.members and name not in kinds.relations
        received.put(kinds.members[name] if is_attribute else name, f"/data/attributes/{escaped_part(name)}", value)
    for name, value in relationships.items():
        _relate(received, operation, kinds, name, value)
    if method == "DELETE":  # a client may send the record that it deletes; what counts is how it is to be deleted
        taken = {camel(name) for name in (*operation.arguments.types, *operation.arguments.members)}
        received.members = {name: value for name, value in received.members.items() if name in taken}
    return received


def _group(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    group = data.get(name, {})
    if not is_object(group):
        raise invalid(f"/data/{name}", "type", f"{name} must be an object")
    return group


def _check_identity(
    operation: Operation[..., Any],
    method: str,
    kinds: Kinds,
    data: Mapping[str, Any],
    own_type: str | None,
    is_meant: Callable[[str], bool],
) -> None:
    type_, id = data.get("type"), data.get("id")
    types = [own_type] if own_type is not None else sorted({form.name for form in kinds.forms})
    if not isinstance(type_, str):
        raise invalid("/data/type", "type" if "type" in data else "required", "a resource object has a type")
    if types and type_ not in types:
        message = f"{operation.id} takes a resource of the type {' or '.join(types)}, not {type_!r}"
        raise Problem("TYPE_CONFLICT", message, field="/data/type", details={"type": types[0]})
    if id is None:
        return
    if not isinstance(id, str):
        raise invalid("/data/id", "type", "an id is a string")
    if operation.status == 201 and method == "POST":
        raise Problem("CLIENT_ID_FORBIDDEN", "the server gives the ids of new records", field="/data/id")
    if not is_meant(id):
        raise Problem("TYPE_CONFLICT", f"the path names another record than {id}", field="/data/id")


def _relate(received: Received, operation: Operation[..., Any], kinds: Kinds, name: str, value: Any) -> None:
    """Take a relationship as the member that holds its reference; one without `data` says nothing."""
    place = f"/data/relationships/{escaped_part(name)}"
    if not is_object(value):
        raise invalid(place, "type", "a relationship is an object with the identifier of a resource as data")
    if "data" not in value:
        return
    data, relation = value["data"], _relation(operation, kinds, name)
    identifiers = data if is_array(data) else [data] if data is not None else []
    for number, one in enumerate(identifiers):
        at = f"{place}/data/{number}" if is_array(data) else f"{place}/data"
        if not is_reference(one):
            raise invalid(at, "type", "the identifier of a resource has a type and an id")
        if relation.target not in (None, one["type"]):
            message = f"{name} refers to a {relation.target}, not to a {one['type']}"
            raise Problem("TYPE_CONFLICT", message, field=f"{at}/type", details={"type": relation.target})
    if is_array(data) != relation.many:
        raise invalid(f"{place}/data", "type", f"{name} refers to {'several resources' if relation.many else 'one'}")
    references = [{"type": one["type"], "id": one["id"]} for one in identifiers]
    first = references[0] if references else None
    taken = {*operation.arguments.types, *operation.arguments.members}
    wire = name if relation.member not in taken and snake(name) in taken else relation.wire
    if relation.member.endswith("_id"):
        received.put(wire, place, first["id"] if first is not None else None)
        received.pointers[wire] = f"{place}/data/id"
    else:
        received.put(wire, place, references if relation.many else first)
        received.pointers[wire] = f"{place}/data"


def _relation(operation: Operation[..., Any], kinds: Kinds, name: str) -> Relation:
    """Return the relationship of a name; one that is not the record's is an argument of the call."""
    known = kinds.relations.get(name)
    if known is not None:
        return known
    taken = {*operation.arguments.types, *operation.arguments.members}
    member = snake(name)
    if f"{member}_id" in taken or member not in taken:
        return Relation(name, f"{member}_id", None)
    return Relation(name, member, None, many=member.endswith("s"))


def plain_pointer(document: Any, path: str) -> str:
    """Return the pointer into a plain body to a member by its wire path."""
    return existing(document, "".join(f"/{escaped_part(part)}" for part in path.split(".")))
