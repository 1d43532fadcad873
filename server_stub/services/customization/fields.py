"""The fields of the entities of the CRM: further ones that a company defines, and changed standard ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crm_sdk.models.custom_fields import CustomFieldUpdate
from crm_sdk.resources.customization import EntityFields
from crm_sdk.wire import camel, encode_json, is_object

from ...data.document import Document
from ...nouns.entities import Entity, unsupported_capability
from ...problems import FieldError, Problem, missing, validation
from ...serving import Context, Members, changes_between, serves
from ..custom_objects.definitions import CORE
from ..custom_objects.fields import FIELDS, erase
from ..objects.describing import description_of
from .defaults import check_default
from .overrides import KIND, override_of

_OVERRIDES = ("label", "labels", "help_text", "required", "default", "hidden", "position", "personal", "options")
_NOT_NULL = CustomFieldUpdate.__annotations__.keys() - {
    "default", "min_value", "max_value", "precision", "min_length", "max_length", "pattern", "currency", "reference_to",
    "format", "help_text", "position",
}  # fmt: skip
_USERS = (
    "layout", "report", "dashboard", "workflow", "pipeline", "flag", "mapping", "scoring_scheme", "saved_search",
    "export_schedule",
)  # fmt: skip
"""The definitions that can name a field."""


def _entity(call: Context, name: str) -> Entity:
    """Return an entity whose fields can be changed. Raises: 404; 422 for one of another kind."""
    found = call.server.entities.named(call, name)
    if found.name not in CORE:
        raise unsupported_capability(found.name, "custom fields")
    return found


def _custom(call: Context, entity: Entity, name: str) -> Document | None:
    """Return a custom field by its name, also with `custom_fields.` before it, or its id; None where there is none."""
    try:
        return FIELDS.find_one(call, name.removeprefix("custom_fields.").removeprefix("customFields."), entity.name)
    except Problem:
        return None


def _described_field(call: Context, entity: Entity, name: str) -> dict[str, Any] | None:
    """Return the description of a field; None where there is none."""
    fields = description_of(call, entity, include_hidden=True)["fields"]
    return next((one for one in fields if name in (one["name"], camel(one["name"]))), None)


@serves(EntityFields.create)
def create(call: Context, entity: str, field: Members) -> Document:
    """Add a field to an entity."""
    found = _entity(call, entity)
    if field["api_name"] in found.members:
        message = f"{found.name} has a field {field['api_name']!r} already: call it otherwise"
        raise Problem("RESERVED_NAME", message, field="api_name", rule="choice")
    members = FIELDS.stored_form(call, {**field, "object_id": found.name})
    return FIELDS.answer(call, FIELDS.add(call, members))


@serves(EntityFields.update)
def update(call: Context, entity: str, field: str, changes: Members, version: int | None) -> dict[str, Any]:
    """Change a field."""
    found = _entity(call, entity)
    custom = _custom(call, found, field)
    if custom is not None:
        call.lock(custom, version)
        nulls = [name for name, value in changes.items() if value is None and name in _NOT_NULL]
        if nulls:
            raise validation(FieldError(name, "type", "cannot be null for a custom field") for name in nulls)
        FIELDS.change(call, custom, FIELDS.stored_form(call, changes, custom))
        name = f"custom_fields.{custom['api_name']}"
    else:
        described = _described_field(call, found, field)
        if described is None:
            raise missing("field", field)
        name = described["name"]
        _override(call, found, described, changes, version)
    return _described_field(call, found, name) or {}


def _override(call: Context, entity: Entity, described: dict[str, Any], changes: Members, version: int | None) -> None:
    name = described["name"]
    stray = sorted(changes.keys() - set(_OVERRIDES))
    stray += [one for one in ("required", "personal") if changes.get(one) is False]
    stray += ["api_name"] if call.ignored.get("api_name", name) != name else []
    if stray:
        message = f"of the standard field {name} {', '.join(stray)} cannot be changed like this"
        raise Problem("FIELD_PROTECTED", message, field=stray[0], details={"fields": stray})
    before = override_of(call, entity.name, name)
    docs = call.collection(KIND)
    blank: dict[str, Any] = dict.fromkeys(_OVERRIDES)
    first = Document({"id": f"{entity.name}/{name}", "entity": entity.name, "field": name, "version": 0, **blank})
    held = before or first
    call.lock(held, version)
    members = dict(changes)
    errors = list(_wrong(call, entity, described, members))
    if errors:
        raise validation(errors)
    differing = {key: value for key, value in members.items() if held.get(key) != value}
    if not differing:
        return
    after = docs.put(held | differing | {"version": held["version"] + 1})
    call.emit(
        "field.updated", "field", after, changes=changes_between(held, after),
        metadata={"entity": entity.name, "api_name": name},
    )  # fmt: skip


def _wrong(call: Context, entity: Entity, described: dict[str, Any], members: dict[str, Any]) -> Iterator[FieldError]:
    """Yield what is wrong with the changes of a standard field; its options get their defaults."""
    default = members.get("default")
    if default is not None:
        try:
            check_default(call, entity, described, default)
        except Problem as problem:
            yield from problem.entries
    if members.get("options"):
        known = {one["value"] for one in described["options"]}
        plain: dict[str, Any] = {"color": None, "active": True}
        if not known:
            yield FieldError("options", "choice", "the field has no options")
        for number, option in enumerate(members["options"]):
            if option["value"] not in known and not described["open"]:
                yield FieldError(f"options.{number}.value", "choice", "the field takes no other values")
        members["options"] = [{**plain, "position": at, **one} for at, one in enumerate(members["options"])]


@serves(EntityFields.delete)
def delete(call: Context, entity: str, field: str, force: bool, version: int | None) -> str:
    """Delete a custom field and return its id."""
    found = _entity(call, entity)
    custom = _custom(call, found, field)
    if custom is None:
        if _described_field(call, found, field) is not None:
            raise Problem("FIELD_PROTECTED", f"{field} is a standard field and cannot be deleted")
        raise missing("field", field)
    call.lock(custom, version)
    erase(call, custom, force=force, used_by=list(_users(call, found.name, custom["api_name"])))
    return str(custom["id"])


def _users(call: Context, entity: str, name: str) -> Iterator[dict[str, Any]]:
    """Yield the definitions that name a custom field of an entity."""
    words = tuple(f'"{head}.{name}"'.encode() for head in ("custom_fields", "customFields"))
    for kind in _USERS:
        for doc in call.collection(kind):
            of = doc.get("entity_type") or doc.get("entity")
            if isinstance(of, str) and of != entity:
                continue
            text = encode_json({key: value for key, value in doc.items() if is_object(value) or value})
            if any(word in text for word in words):
                yield {"type": kind, "id": doc["id"], "name": doc.get("name") or doc["id"]}
