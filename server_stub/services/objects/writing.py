"""The rules that write records of any entity: rows found by a key, and transactions over several entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from crm_sdk.operation import Operation
from crm_sdk.resources.objects import Objects
from crm_sdk.route import Action
from crm_sdk.wire import camel, is_array, is_object, snake

from ...bulk import carry_out
from ...data.document import Document
from ...data.merging import EMPTY, missing_members
from ...noun import Noun
from ...nouns.entities import Entity
from ...problems import FieldError, Problem, invalid, missing
from ...request.access import permissions
from ...request.reading.intake import arguments_of
from ...serving import Context, Members, serves
from ..activities.records import changes_of
from .bodies import as_sent, wire_members
from .keys import check_key, check_value, matching, value_in
from .reading import some
from .showing import Show, shown_as

_LARGEST = 25


# -- one record --------------------------------------------------------------------------------------------------------


def _read(call: Context, noun: Noun, verb: str, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as the body of the noun's own create or update; what is read-only is ignored. Raises: 422."""
    operation: Operation[..., Any] | None = noun.declared(verb)
    assert operation is not None, "what has rows has the calls that write one"
    members = wire_members(operation.arguments.body_type, as_sent(row))
    values, ignored = arguments_of(operation, operation.routes["platform"], {}, members, {})
    call.ignored = {name: value for name, value in ignored.items() if name not in ("updated_at", "version")}
    body: dict[str, Any] = values.get(operation.arguments.body or "", {})
    return body


def _noun_of_new(entity: Entity, row: Mapping[str, Any]) -> tuple[Noun, Mapping[str, Any]]:
    """Return the noun of a new record: of several kinds, that of the row's `kind`."""
    if entity.kinds is None:
        return entity.noun_of({}), row
    kind = row.get("kind")
    if not isinstance(kind, str) or kind not in entity.kinds:
        rule = "required" if kind is None else "choice"
        raise invalid("kind", rule, f"must be one of {', '.join(entity.kinds)}", choices=list(entity.kinds))
    return entity.kinds[kind], {name: value for name, value in row.items() if name != "kind"}


def create(call: Context, entity: Entity, row: Mapping[str, Any]) -> Document:
    """Create a record from a row, as the noun's own create does."""
    permissions.check(call.caller, entity.word, entity.needed("create"))
    noun, own = _noun_of_new(entity, row)
    declared = noun.declared("create")
    if declared is not None and "platform" not in declared.routes and entity.noun is not None:
        members = _read(call, entity.noun, "create", row)  # only another dialect documents a call for this kind
    else:
        members = _read(call, noun, "create", own)
    if entity.object is not None:
        members["object_id"] = entity.object["id"]
    return noun.add(call, noun.stored_form(call, members))


def _writable(call: Context, entity: Entity, id: str, action: Action = "update") -> Document:
    """Return a record that the caller may write. Raises: 404, also for a record of another custom object; 403."""
    doc = entity.noun_of(call.find_one(entity.collection, id) or {}).writable(call, id, action)
    if not entity.has(doc):
        raise missing(entity.name, id)
    return doc


def change(call: Context, entity: Entity, id: str, row: Mapping[str, Any], on_match: str = "update") -> Document:
    """Change a record by a row, as the noun's own update does; `fill_empty` fills what it lacks."""
    doc = _writable(call, entity, id)
    noun = entity.noun_of(doc)
    permissions.check(call.caller, entity.word, entity.needed("update"))
    several = entity.noun if entity.kinds is not None else None  # one update for records of all kinds
    if several is not None and row.get("kind") not in (None, doc["kind"]):
        raise invalid("kind", "read_only", "can be given only when the record is created")
    own = {name: value for name, value in row.items() if name != "kind"} if several is not None else row
    members: Mapping[str, Any] = _read(call, several or noun, "update", own)
    if on_match == "fill_empty":
        members = _lacking(doc, members)
    return put(call, entity, doc, members)


def put(call: Context, entity: Entity, doc: Document, members: Mapping[str, Any]) -> Document:
    """Change a record by members in Python names, as the noun's own update does."""
    noun = entity.noun_of(doc)
    stored = changes_of(call, doc, members) if entity.kinds is not None else noun.stored_form(call, members, doc)
    return noun.change(call, doc, stored)


def _lacking(doc: Mapping[str, Any], members: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given members that a record lacks, also within the objects that it has."""
    found = missing_members(doc, members)
    for name, value in members.items():
        held = doc.get(name)
        if name not in found and is_object(value) and is_object(held):
            own = {key: inner for key, inner in value.items() if held.get(key) in EMPTY and inner not in EMPTY}
            found |= {name: own} if own else {}
    return found


def remove(call: Context, entity: Entity, id: str, version: int | None) -> Document:
    """Delete a record, as the noun's own delete does."""
    doc = _writable(call, entity, id, "delete")
    permissions.check(call.caller, entity.word, entity.needed("delete"))
    call.lock(doc, version)
    entity.noun_of(doc).remove(call, doc)
    return call.collection(entity.collection).get(doc["id"], deleted=True) or doc


# -- rows --------------------------------------------------------------------------------------------------------------


@dataclass
class _Upsert:
    """The rows of a call: how they find their records, and what they do with them."""

    call: Context
    entity: Entity
    key: str
    mode: str = "upsert"
    on_match: str = "update"
    show: Show | None = None
    seen: dict[tuple[str, Any], int] = field(default_factory=dict[tuple[str, Any], int])
    place: int = -1

    def write(self, row: Members) -> dict[str, Any]:
        """Write one row. Raises the Problem of the row."""
        self.place += 1
        id = value_in(self.entity, row, "id")
        key, value = ("id", id) if id is not None else (self.key, value_in(self.entity, row, self.key))
        if value is None:
            message = f"{camel(self.key)} is the key of this call"
            raise Problem("MATCH_KEY_MISSING", message, field=self.key, rule="required")
        if key != "id":
            check_value(self.entity, key, value)
        self._refuse_second(key, value)
        doc = self._find(key, value)
        members = {name: one for name, one in row.items() if name != "id"}
        if doc is None:
            if self.mode == "update" or key == "id":
                raise Problem("NOT_FOUND", f"there is no {self.entity.name} with the {key} {value!r}")
            return self.result(create(self.call, self.entity, members), "created", None)
        if self.mode == "create":
            codes: Mapping[str, str] = self.entity.noun_of(doc).unique if self.entity.noun is not None else {}
            code = codes.get(key, "DUPLICATE_VALUE")
            message = f"{doc['id']} has the {key.replace('_', ' ')} {value!r} already"
            raise Problem(code, message, field=key, rule="unique", details={"existing_id": doc["id"]})
        if self.on_match == "skip":
            return self.result(doc, "skipped", key)
        after = change(self.call, self.entity, doc["id"], members, self.on_match)
        same = after.get("version") == doc.get("version")
        return self.result(after, "unchanged" if same else "updated", key)

    def _find(self, key: str, value: Any) -> Document | None:
        if key != "id":
            found = matching(self.call, self.entity, key, value)
        elif not isinstance(value, str):
            raise invalid("id", "type", "must be a text")
        else:
            found = self.call.find_one(self.entity.collection, value)
        if found is None or not self.entity.has(found):
            return None
        if key == "id" and found["id"] != value:
            message = f"{value} was merged into {found['id']}: change that one"
            raise Problem("RECORD_MERGED", message, details={"survivor_id": found["id"]})
        return found

    def _refuse_second(self, key: str, value: Any) -> None:
        noun = self.entity.noun
        stored = value if noun is None or key == "id" else noun.stored_value(self.call, key, value)
        same = (key, stored.casefold() if isinstance(stored, str) and key == "email" else str(stored))
        if same in self.seen:
            message = f"row {self.seen[same] + 1} has the {key.replace('_', ' ')} {value!r} already"
            raise Problem("DUPLICATE_IN_BATCH", message, field=key, details={"index": self.seen[same]})
        self.seen[same] = self.place

    def result(self, doc: Document, outcome: str, matched_on: str | None) -> dict[str, Any]:
        """Return what has become of a row."""
        return {
            "id": doc["id"],
            "outcome": outcome,
            "matched_on": matched_on,
            "version": doc.get("version"),
            "record": self.show(doc) if self.show is not None else None,
        }


@serves(Objects.upsert)
def upsert(
    call: Context,
    entity: str,
    records: Sequence[Members],
    match_on: str | None,
    mode: str,
    on_match: str,
    atomic: bool,
    return_records: bool,
) -> dict[str, Any]:
    """Create and change records, each found by a key."""
    found = call.server.entities.named(call, entity, capability="upsert")
    some(records, "records")
    key = check_key(call, found, match_on)
    rows = _Upsert(call, found, key, mode, on_match, shown_as(call, found) if return_records else None)
    result = carry_out(
        call, records, rows.write, field="records", atomic=atomic,
        id_of=lambda row: _text(row, "id"), key_of=lambda row: _key_of(found, row, key),
    )  # fmt: skip
    items = [item | {"id": item["result"]["id"]} if item["result"] else item for item in result["items"]]
    return result | {"items": items}


def _text(row: Members, name: str) -> str | None:
    value = row.get(name)
    return value if isinstance(value, str) else None


def _key_of(entity: Entity, row: Members, key: str) -> str | None:
    found = (value_in(entity, row, name) for name in ("id", key, "external_id"))
    return next((str(value) for value in found if value is not None), None)


# -- transactions ------------------------------------------------------------------------------------------------------


@serves(Objects.transaction)
def transaction(call: Context, operations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Write records of several entities, all or none."""
    some(operations, "operations")
    if len(operations) > _LARGEST:
        message = f"{len(operations)} operations; a transaction takes at most {_LARGEST}"
        details = {"limit": _LARGEST, "given": len(operations)}
        raise Problem("TOO_MANY_ITEMS", message, field="operations", rule="max", details=details)
    refs: dict[str, str | None] = {}
    results: list[dict[str, Any]] = []
    errors: list[FieldError] = []
    for place, operation in enumerate(operations):
        try:
            with call.server.store.transaction():
                result = _carry_out(call, operation, refs)
        except _Unresolved:
            result = None  # what it refers to has failed, and says why
        except Problem as problem:
            result = None
            errors += _placed_errors(f"operations[{place}]", problem)
        if operation.get("ref") is not None:
            refs[operation["ref"]] = result["id"] if result is not None else None
        results.append(result or {})
    if errors:
        message = f"{len(errors)} things are wrong with the operations, so nothing was written"
        whole = FieldError("operations", None, message, "BULK_REJECTED", {"total": len(operations)})
        raise Problem("BULK_REJECTED", message, errors=[whole, *errors])
    return {"results": results, "refs": refs}


class _Unresolved(Exception):  # noqa: N818 # no error of the caller's
    """An operation names the record of an earlier one that has failed."""


def _placed_errors(path: str, problem: Problem) -> list[FieldError]:
    return [
        replace(
            entry,
            field=path if entry.field is None else f"{path}.{entry.field}",
            code=entry.code or problem.code,
            details={**problem.details, **entry.details},
        )
        for entry in problem.entries
    ]


def _carry_out(call: Context, operation: Mapping[str, Any], refs: Mapping[str, str | None]) -> dict[str, Any]:
    action, ref = operation["action"], operation.get("ref")
    if ref is not None and ref in refs:
        raise invalid("ref", "unique", f"an operation before is called {ref!r} already")
    entity = _entity(call, operation["entity"])
    entity.require("delete" if action == "delete" else "upsert")
    id = operation.get("id")
    if action in ("update", "delete") and id is None:
        raise invalid("id", "required", f"which record to {action} says its id")
    resolve = partial(_resolved_references, refs=refs)
    id = resolve(id, path="id") if id is not None else None
    values: Mapping[str, Any] = operation.get("values") or {}
    row = {name: resolve(value, path=f"values.{name}") for name, value in values.items()}
    if action == "delete":
        doc = remove(call, entity, str(id), operation.get("version"))
        return _Upsert(call, entity, "id").result(doc, "deleted", "id")
    rows = _Upsert(call, entity, "id")
    try:
        if action == "create":
            return rows.result(create(call, entity, row), "created", None)
        if action == "update":
            before = _writable(call, entity, str(id))
            call.lock(before, operation.get("version"))
            after = change(call, entity, str(id), row)
            same = after["version"] == before["version"]
            return rows.result(after, "unchanged" if same else "updated", "id")
        rows.key = check_key(call, entity, operation.get("match_on"))
        return rows.write({**row, "id": id} if id is not None else row)
    except Problem as problem:
        raise _within_values(problem) from None


def _entity(call: Context, name: str) -> Entity:
    """Return the entity of an operation. Raises: 422 where the call's own path would be 404."""
    try:
        return call.server.entities.named(call, name)
    except Problem as problem:
        if problem.code != "NOT_FOUND":
            raise
        raise invalid("entity", "choice", problem.message, **problem.details) from None


def _within_values(problem: Problem) -> Problem:
    """Return a problem of a record with the paths of its members within the operation."""
    entries = [
        replace(
            entry,
            code=entry.code or problem.code,
            field=f"values.{entry.field}" if entry.field not in (None, "match_on", "id", "version") else entry.field,
        )
        for entry in problem.entries
    ]
    return Problem(problem.code, problem.message, details=problem.details, errors=entries)


def _resolved_references(value: Any, *, refs: Mapping[str, str | None], path: str) -> Any:
    """Return a value with the ids of earlier operations in place of ``@name``, and ``@`` for ``@@``."""
    if is_object(value):
        return {name: _resolved_references(one, refs=refs, path=f"{path}.{name}") for name, one in value.items()}
    if is_array(value):
        return [_resolved_references(one, refs=refs, path=f"{path}.{place}") for place, one in enumerate(value)]
    if not isinstance(value, str) or not value.startswith("@"):
        return value
    if value.startswith("@@"):
        return value[1:]
    name = value[1:]
    if name not in refs:
        message = f"no operation before is called {name!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field=snake(path), rule="reference")
    id = refs[name]
    if id is None:
        raise _Unresolved
    return id
