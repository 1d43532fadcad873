"""Requests of exports: whether a caller may make them, and what they mean for each entity."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from crm_sdk.wire import camel, snake

from ...data import normalise
from ...data.document import Document
from ...data.queries.filter_groups import FieldType, compile_filters
from ...data.queries.query import Resolve
from ...files.names import checked_name
from ...nouns.entities import Entity
from ...problems import FieldError, Problem, invalid, validation
from ...request.access import permissions
from ...request.access.hiding import unknown
from ...request.reading.views import find_layout
from ...serving import Context, Members
from .. import company
from ..objects.describing import description_of
from .columns import Fields, Path, check_paths

_FORMATS: Mapping[str, Sequence[str]] = {"vcf": ("contact", "lead"), "ics": ("activity",)}
"""The entities of the formats that are not for all."""
Labels = Mapping[str, Sequence[tuple[Sequence[str], Mapping[str, str]]]]
"""The labels of choices by entity, each with the path of its member."""


@dataclass(frozen=True, slots=True)
class Part:
    """What a request means for one entity."""

    entity: Entity
    fields: Fields
    paths: Sequence[Path] | None
    """The chosen columns; None for all."""
    keep: Callable[[Document], bool]
    """Returns whether a record, as lists show it, meets the conditions."""
    order: Sequence[Mapping[str, str]]
    resolve: Resolve

    @property
    def shows(self) -> list[str]:
        """What the file has of the entity: the chosen members, or all of it."""
        if self.paths is None:
            return [self.entity.name]
        members = (".".join((snake(path[0]), *path[1:])) for path in self.paths)
        return [f"{self.entity.name}.{member}" for member in members]


def parts_of(call: Context, request: Members) -> tuple[list[Part], list[Problem]]:
    """Return what a request means for each of its entities, and the problems of fields that are not there.

    Raises: 422 for whatever else cannot be exported; 403; 409 OBJECT_INACTIVE.
    """
    entities = _entities(call, request)
    _check_form(request, entities)
    parts: list[Part] = []
    problems: list[Problem] = []
    for name, entity in entities.items():
        part, wrong = _part(call, request, name, entity)
        parts.append(part)
        problems += wrong
    return parts, problems


def checked_request(call: Context, request: Members) -> list[Part]:
    """Return what a request means for each of its entities. Raises: 422, also for ids of other records; 403; 409."""
    parts, problems = parts_of(call, request)
    if problems:
        entries = [entry for problem in problems for entry in problem.entries]
        raise validation(FieldError(one.field, one.rule, one.message, one.code, one.details) for one in entries)
    _check_ids(call, request, parts)
    return parts


def labels_of(call: Context, request: Members, parts: Sequence[Part]) -> Labels:
    """Return the labels of the choices that the records have, where a request asks for them."""
    if not request["labels"]:
        return {}
    found: dict[str, list[tuple[list[str], dict[str, str]]]] = {}
    for part in parts:
        for field in description_of(call, part.entity, include_hidden=True)["fields"]:
            known = {str(one["value"]): str(one["label"]) for one in field["options"]}
            head, _, rest = str(field["name"]).partition(".")
            path = [camel(head), *([rest if field["custom"] else camel(rest)] if rest else [])]
            if known:
                found.setdefault(part.entity.name, []).append((path, known))
    return found


def refuse_outside(call: Context, recipients: Sequence[str], parts: Sequence[Part]) -> None:
    """Raise 403 for an address that is no user's, where the caller may not export all records of each entity."""
    known = {str(user.get("email") or "").lower() for user in call.collection("user")}
    outside = [one for one in recipients if "@" in one and one.lower() not in known]
    for part in parts if outside else ():
        if permissions.scope_for(call.caller, part.entity.word, "export") != "all":
            message = f"{outside[0]} is not in the company: that takes {part.entity.word.partition('.')[0]}:export@all"
            raise Problem("FORBIDDEN", message, field="recipients")


# -- what is asked for -------------------------------------------------------------------------------------------------


def _entities(call: Context, request: Members) -> dict[str, Entity]:
    """Return the entities by the names that the request has for them. Raises: 422; 403; 409."""
    found: dict[str, Entity] = {}
    for number, name in enumerate(request["entity_types"]):
        entity = call.server.entities.find(call, name)
        if entity is None:
            known = [one.name for one in call.server.entities.readable(call) if "export" in one.capabilities]
            raise invalid(f"entity_types.{number}", "choice", f"there is no entity {name!r}", choices=known)
        try:
            entity = call.server.entities.named(call, name, "export", "export")
        except Problem as problem:
            raise Problem(
                problem.code, problem.message, field=f"entity_types.{number}", details=problem.details
            ) from None  # fmt: skip
        if all(one.name != entity.name for one in found.values()):
            found[name] = entity
    for option in ("fields", "filter_groups"):
        named: Members = request.get(option) or {}
        for name in named:
            if name not in found:
                raise invalid(f"{option}.{name}", "choice", f"{name!r} is not exported", choices=list(found))
    return found


def _check_form(request: Members, entities: Mapping[str, Entity]) -> None:
    """Check how the file is written. Raises: 422."""
    suits = _FORMATS.get(request["format"])
    for entity in entities.values():
        if suits is not None and entity.name not in suits:
            message = f"{request['format']} is for {' and '.join(suits)}, not for {entity.name}"
            raise Problem("INVALID_FORMAT", message, field="format", rule="choice", details={"entities": list(suits)})
    normalise.timezone(request["timezone"])
    if request["file_name"] is not None:
        checked_name(request["file_name"], "file_name")
    for name in ("view", "ids"):
        if request[name] and len(entities) > 1:
            raise invalid(name, "max", f"{name} are of one entity, and {len(entities)} are exported")


def _part(call: Context, request: Members, name: str, entity: Entity) -> tuple[Part, list[Problem]]:
    fields = Fields.of(call, entity)
    types, resolve = call.server.view_fields(call, name)
    order: Sequence[Mapping[str, str]] = ()
    tests: list[Callable[[Document], bool]] = []
    by_entity: Members = request.get("fields") or {}
    chosen: Sequence[str] | None = by_entity.get(name)
    paths, problems = check_paths(fields, chosen, f"fields.{name}") if chosen else (None, [])
    conditions: Members = request.get("filter_groups") or {}
    groups: Sequence[Members] = conditions.get(name) or ()
    if groups:
        tests.append(_compiled_conditions(call, groups, types, resolve, fields, f"filter_groups.{name}"))
    if request["view"] is not None:
        layout = find_layout(call, request["view"], entity.name)
        order = layout["sort"]
        if layout["filter_groups"]:
            tests.append(_compiled_conditions(call, layout["filter_groups"], types, resolve, fields, "view"))
        if paths is None and layout["columns"]:  # those of other records, one step away, are not in it
            paths, _ = check_paths(fields, [column["field"] for column in layout["columns"]], "view")
    return Part(entity, fields, paths, lambda doc: all(test(doc) for test in tests), order, resolve), problems


def _compiled_conditions(
    call: Context,
    groups: Sequence[Members],
    types: Mapping[str, FieldType],
    resolve: Resolve,
    fields: Fields,
    at: str,
) -> Callable[[Document], bool]:
    """Compile conditions. Raises: 422, with the place in the request; also for a field that is hidden."""
    try:
        keep = compile_filters(groups, types, now=call.now, zone=company.zone(call), resolve=resolve)
    except Problem as problem:
        errors = [
            FieldError(_moved_place(one.field, at), one.rule, one.message, one.code, one.details)
            for one in problem.entries
        ]
        raise validation(errors) from None
    for number, group in enumerate(groups):
        for place, one in enumerate(group["filters"]):
            head, dot, rest = str(one["field"]).partition(".")
            if not fields.has(f"{snake(head)}{dot}{rest}"):
                raise unknown(f"{at}.{number}.filters.{place}.field", one["field"])
    return keep


def _moved_place(field: str | None, at: str) -> str:
    """Return the place in a request of what is wrong in one of its lists of conditions."""
    rest = (field or "").removeprefix("filter_groups").lstrip(".")
    return f"{at}.{rest}" if rest else at


def _check_ids(call: Context, request: Members, parts: Sequence[Part]) -> None:
    """Raise 422 REFERENCE_NOT_FOUND for ids of what is no record of the entity that the caller sees."""
    ids: Sequence[str] = request["ids"] or ()
    for number, id in enumerate(ids):
        if find(call, parts[0].entity, id, deleted=bool(request["include_deleted"])) is None:
            message = f"no {parts[0].entity.name} has the id {id!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, field=f"ids.{number}", rule="reference")


def find(call: Context, entity: Entity, id: str, *, deleted: bool = False) -> Document | None:
    """Return a record that the caller sees by its id, or the survivor of a merged one; None where there is none."""
    doc = call.find_one(entity.collection, id)
    if doc is None and deleted:
        doc = call.collection(entity.collection).get(id, deleted=True)
    return doc if doc is not None and entity.has(doc) and entity.sees(call, doc) else None


def may_export(call: Context, entity: Entity, doc: Document) -> bool:
    """Return whether the caller sees a record, and may export it."""
    return entity.has(doc) and entity.sees(call, doc) and permissions.permits(call.caller, entity.word, "export", doc)
