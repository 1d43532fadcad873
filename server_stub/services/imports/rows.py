"""The rows of an import: each finds its record by a key, and changes or creates it in a transaction of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crm_sdk.wire import camel, is_object

from ...data.document import Document
from ...nouns.entities import Entity
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members
from .. import erasures
from ..contacts.files.import_rows import kept_value
from ..objects.bodies import as_sent
from ..objects.keys import matching, value_in
from ..objects.writing import change, create
from . import ledger
from .cells import Cells
from .columns import Column
from .fields import Field, Fields

COUNTS: Mapping[str, str] = {"create": "created", "update": "updated", "skip": "skipped", "fail": "failed"}
"""What each outcome counts as."""

_KIND = Field("kind")


@dataclass(frozen=True, slots=True)
class Link:
    """A column that names a record of another entity."""

    key: str
    """The name of the column in the rows."""
    entity: Entity
    match_on: str
    field: str
    create_missing: bool


@dataclass(slots=True)
class Outcome:
    """What became of a row."""

    row: int
    outcome: str
    match_id: str | None = None
    id: str | None = None
    values: dict[str, Any] = field(default_factory=dict[str, Any])
    problem: Problem | None = None


@dataclass
class Work:
    """The rows of one step, and what came of them."""

    call: Context
    entity: Entity
    fields: Fields
    columns: Sequence[Column]
    links: Sequence[Link]
    options: Members
    cells: Cells
    written: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """What the rows did to the records, for a revert."""

    def row(self, number: int, row: Members | str) -> Outcome:
        """Write a row; `number` is its place in the file, from 0."""
        done = Outcome(number + 1, "fail")
        mark = len(self.written)
        try:
            with self.call.server.store.transaction():
                if isinstance(row, str):
                    raise Problem("VALIDATION_ERROR", row, rule="format")
                members = self._members(row)
                done.values = wire_members(members)
                self._save(members, row, done)
        except Problem as problem:
            del self.written[mark:]
            done.outcome, done.problem = "fail", problem
        return done

    # -- reading -----------------------------------------------------------------------------------------------

    def _members(self, row: Members) -> dict[str, Any]:
        """Return the members of a row in Python names, without empty cells. Raises: 422 with every wrong cell."""
        members: dict[str, Any] = {}
        wrong: list[FieldError] = []
        kind = self._kind(row)
        for column in self.columns:
            field = self.fields.of_kind(kind, column.field)
            transform = column.transform if column.transform != column.field.transform else field.transform
            try:
                value = self.cells.read(row.get(column.key), field, transform)
                if value is None and column.default is not None:
                    value = self.cells.read(column.default, field, transform)
            except Problem as problem:
                wrong += problem.entries
                continue
            if value is not None:
                _put(members, column.field.name, as_sent(value))
        if wrong:
            raise validation(wrong)
        constants: Members = self.options["values"] or {}
        for name, value in constants.items():
            _put(members, name, value)
        return members

    def _kind(self, row: Members) -> str | None:
        """Return which kind of record a row is, where the entity has several: by itself, or by the record of its id."""
        entity = self.entity
        if entity.kinds is None:
            return None
        given = {column.field.name: row.get(column.key) or column.default for column in self.columns}
        constants: Members = self.options["values"] or {}
        said = constants.get("kind") or given.get("kind")
        if said is None and given.get("id") is not None:
            record = self.call.find_one(entity.collection, str(given["id"]))
            said = record["kind"] if record is not None else None
        return None if said is None else str(self.cells.read(said, _KIND, "trim"))

    def _link(self, row: Members, members: dict[str, Any], number: int) -> None:
        """Put the ids of linked records into the members. Raises: REFERENCE_NOT_FOUND; AMBIGUOUS_MATCH."""
        for link in self.links:
            value = str(row.get(link.key) or "").strip()
            if not value:
                continue
            try:
                _put(members, link.field, self._linked_id(link, value, number))
            except Problem as problem:
                raise Problem(
                    problem.code, problem.message, field=link.field, rule=problem.entries[0].rule,
                    details=problem.details,
                ) from None  # fmt: skip

    def _linked_id(self, link: Link, value: str, number: int) -> str:
        call, entity = self.call, link.entity
        found = (
            call.find_one(entity.collection, value)
            if link.match_on == "id"
            else matching(call, entity, link.match_on, value)
        )
        if found is not None and entity.has(found) and entity.sees(call, found):
            return str(found["id"])
        if not link.create_missing or link.match_on == "id":
            message = f"no {entity.name} has the {link.match_on.replace('_', ' ')} {value!r}"
            raise Problem("REFERENCE_NOT_FOUND", message, rule="reference")
        named = {link.match_on: value}
        made = create(call, entity, {"fields": named} if entity.object is not None else named)
        self.written.append(ledger.entry_of(call, entity.name, entity.collection, number, None, made["id"]))
        return str(made["id"])

    # -- writing -----------------------------------------------------------------------------------------------

    def _save(self, members: dict[str, Any], row: Members, done: Outcome) -> None:
        """Create or change the record of a row. Raises the Problem of the row."""
        call, entity, options = self.call, self.entity, self.options
        key, value, before = self._match(members)
        done.match_id = before["id"] if before is not None else None
        if before is None and (options["mode"] == "update" or (key == "id" and value is not None)):
            if value is None:
                message = f"{camel(key)} is the key of this import"
                raise Problem("MATCH_KEY_MISSING", message, field=key, rule="required")
            raise Problem("NOT_FOUND", f"there is no {entity.name} with the {key} {value!r}", field=key)
        policy = options["on_duplicate"]
        if before is not None and (policy == "skip" or (policy == "update" and options["mode"] == "create")):
            done.outcome, done.id = "skip", before["id"]
            return
        if before is not None and policy == "fail":
            codes: Mapping[str, str] = entity.noun_of(before).unique
            message = f"{before['id']} has the {key.replace('_', ' ')} {value!r} already"
            details = {"existing_id": before["id"]}
            raise Problem(codes.get(key, "DUPLICATE_VALUE"), message, field=key, rule="unique", details=details)
        self._link(row, members, done.row)
        if before is None:
            if lacking := self.fields.missing(_names(members), members.get("kind")):
                raise validation(FieldError(name, "required", "a new record needs it") for name in lacking)
            after = create(call, entity, members)
            done.outcome = "create"
        else:
            after = change(call, entity, before["id"], members)
            done.outcome = "update" if after.get("version") != before.get("version") else "skip"
        done.id = after["id"]
        if done.outcome != "skip":
            self.written.append(ledger.entry_of(call, entity.name, entity.collection, done.row, before, after["id"]))

    def _match(self, members: dict[str, Any]) -> tuple[str, Any, Document | None]:
        """Return the key of a row, its value and the record that has it; the id of a record goes before the key.

        An id that nobody has counts only where it is the key: it may be of the company that a file is from.
        """
        id, key = members.pop("id", None), str(self.options["match_on"])
        found = self.call.find_one(self.entity.collection, str(id)) if id is not None else None
        if found is not None and self.entity.has(found):
            if found["id"] != str(id):
                message = f"{id} was merged into {found['id']}: change that one"
                raise Problem("RECORD_MERGED", message, field="id", details={"survivor_id": found["id"]})
            return "id", id, found
        if key == "id":
            return key, None if id is None else str(id), None
        value = value_in(self.entity, members, key)
        return key, value, matching(self.call, self.entity, key, value) if value is not None else None

    # -- telling -----------------------------------------------------------------------------------------------

    def errors_of(self, done: Outcome, row: Members | str) -> list[dict[str, Any]]:
        """Return what is wrong with a row as errors of the job."""
        problem = done.problem
        return [self._error(done.row, problem, entry, row) for entry in problem.entries] if problem is not None else []

    def _error(self, number: int, problem: Problem, entry: FieldError, row: Members | str) -> dict[str, Any]:
        name = entry.field
        head = (name or "").partition(".")[0]
        keys = [
            *(one.key for wanted in (name, head) for one in self.columns if wanted and one.field.name == wanted),
            *(link.key for link in self.links if link.field == name),
        ]
        value = row if isinstance(row, str) else row.get(keys[0]) if keys else None
        return {
            "row": number,
            "field": name,
            "code": entry.code or problem.code,
            "message": erasures.without_refused(self.call, entry.message),
            "value": kept_value(self.call, value, problem.code),
        }


def _put(members: dict[str, Any], path: str, value: Any) -> None:
    """Set a member, or a member of an object; objects merge."""
    head, _, rest = path.partition(".")
    if rest:
        value = {rest: value}
    held = members.get(head)
    members[head] = {**held, **value} if is_object(held) and is_object(value) else value


def _names(members: Members) -> list[str]:
    """Return the names of given fields, those of objects one by one."""
    return [
        path for name, value in members.items() if value is not None
        for path in ([f"{name}.{key}" for key in value] if is_object(value) and value else [name])
    ]  # fmt: skip


def wire_members(members: Members) -> dict[str, Any]:
    """Return members with the names of the wire; the keys of custom fields are the company's own."""
    free = ("fields", "custom_fields", "metadata")
    return {
        camel(name): {camel(key): inner for key, inner in value.items()}
        if is_object(value) and name not in free
        else value
        for name, value in members.items()
    }
