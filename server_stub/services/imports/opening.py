"""A file of an import read as a table, with the columns that are used; for a preview and for the import itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from crm_sdk.wire import is_object, snake

from ...files.delimited import Score
from ...files.reading import read
from ...files.table import Row, Table, UnreadableFileError
from ...files.workbooks import NumberText
from ...nouns.entities import Entity
from ...problems import Problem, invalid
from ...request.settings import value_of
from ...serving import Context, Members
from ..contacts.files import vcards
from ..objects.keys import check_key
from .columns import Column, Suggestions, as_mapping, headers_of, mapped_columns, place_of, suggested_columns
from .fields import Fields
from .rows import Link
from .sources import Source

_CARDS = frozenset({"contact", "lead"})
"""What cards are of."""


@dataclass
class Opened:
    """A file with the columns that an import reads."""

    table: Table
    suggestions: list[dict[str, Any]]
    """What each column seems to hold."""
    columns: list[Column]
    links: list[Link] = field(default_factory=list[Link])
    problems: list[Problem] = field(default_factory=list[Problem])
    """What is wrong with the mapping and the links."""

    @property
    def headers(self) -> list[str]:
        """What the file calls its columns."""
        return headers_of(self.table)

    @property
    def mapping(self) -> list[dict[str, Any]]:
        """The columns as a mapping that is ready to be sent."""
        return as_mapping(self.table, self.columns)

    @property
    def unmapped(self) -> list[str]:
        """The names of the columns that are not read."""
        used = {*(one.key for one in self.columns), *(one.key for one in self.links)}
        pairs = zip(self.table.columns, self.headers, strict=True)
        return [header for key, header in pairs if key not in used]

    def field_names(self, constants: Members) -> list[str]:
        """Return the names of the fields that a row may fill."""
        return [*(one.field.name for one in self.columns), *(one.field for one in self.links), *constants]


class Opener:
    """Reads the files of an entity."""

    def __init__(self, call: Context, entity: Entity) -> None:
        self.call = call
        self.entity = entity
        self.fields = Fields(call, entity)
        self._suggestions = Suggestions(entity, self.fields, self._previous)

    def open(
        self,
        source: Source,
        *,
        has_header: bool,
        delimiter: str | None,
        encoding: str | None,
        mapping: Sequence[Members] | None,
        links: Sequence[Members] = (),
    ) -> Opened:
        """Return a file with its columns. Raises: `UnreadableFileError`."""
        if source.format == "vcf" and self.entity.name not in _CARDS:
            message = f"there are no cards of the type {self.entity.name}; use csv, xlsx or jsonl"
            raise Problem("INVALID_FORMAT", message, field="format", rule="choice")
        usual = "\t" if source.name.lower().endswith((".tsv", ".tab")) else ","
        missing = {"delimiter": delimiter, "encoding": encoding}
        table = read(
            source.format, source.content, has_header=has_header, delimiter=delimiter or usual,
            encoding=encoding or "utf-8", score=self._score(mapping), cards=vcards.read,
            guess=[name for name, value in missing.items() if value is None], first_sheet=True,
            noun=self.entity.name,
        )  # fmt: skip
        table = replace(table, rows=tuple(map(_exact, table.rows)))
        suggestions = self._suggestions.of(table)
        problems: list[Problem] = []
        found = [link for one in enumerate(links) if (link := self._link(table, *one, problems)) is not None]
        if mapping is not None:
            columns, more = mapped_columns(table, self.fields, mapping)
            problems += more
        else:
            keys = {link.key for link in found}
            linked = {number for number, key in enumerate(table.columns) if key in keys}
            columns = suggested_columns(table, self.fields, suggestions, linked)
        return Opened(table, suggestions, columns, found, problems)

    def _score(self, mapping: Sequence[Members] | None) -> Score:
        if mapping is None:
            return self._suggestions.score
        named = {entry["column"].casefold() for entry in mapping}
        return lambda cells: len(named & {cell.strip().casefold() for cell in cells})

    def _previous(self, headers: Sequence[str]) -> Sequence[Members]:
        """Return the mapping of the caller's company's last import of a file with the same header."""
        for job in self.call.collection("job").backwards():
            payload: Members = job["payload"]
            same = job["kind"] == "import" and payload.get("entity") == self.entity.name
            if same and payload.get("headers") == list(headers) and payload.get("mapped"):
                entries: Sequence[Members] = payload["mapped"]
                return entries
        return ()

    def _link(self, table: Table, number: int, given: Members, problems: list[Problem]) -> Link | None:
        """Return a link; what is wrong with it is added to the problems."""
        path = f"links.{number}"
        try:
            entity = self._linked_entity(given["entity"], f"{path}.entity")
            if given.get("create_missing"):
                self.call.server.entities.named(self.call, entity.name, "create")
                entity.require("upsert")
            try:
                key = check_key(self.call, entity, given["match_on"])
            except Problem as problem:
                raise Problem(
                    problem.code, problem.message, field=f"{path}.match_on", rule="choice", details=problem.details
                ) from None
            field = self.fields.checked(given["field"], f"{path}.field")
            if not self._holds(field.name, field.reference_to, entity):
                message = f"{field.name} does not hold the id of a record of the type {entity.name}"
                raise invalid(f"{path}.field", "reference", message)
            at = place_of(table, given["column"], f"{path}.column")
        except Problem as problem:
            if problem.code in ("FORBIDDEN", "FEATURE_DISABLED"):
                raise
            problems.append(problem)
            return None
        return Link(table.columns[at], entity, key, field.name, bool(given.get("create_missing")))

    def _linked_entity(self, name: str, path: str) -> Entity:
        try:
            return self.call.server.entities.named(self.call, name)
        except Problem as problem:
            if problem.code != "NOT_FOUND":
                raise
            raise invalid(path, "choice", problem.message, **problem.details) from None

    def _holds(self, name: str, reference_to: Sequence[str], entity: Entity) -> bool:
        """Return whether a field holds ids of an entity: as it says, or where it says nothing by its name."""
        if reference_to:
            return bool({entity.name, entity.collection} & set(reference_to))
        return name.rpartition(".")[2] in (f"{entity.name}_id", f"{entity.name}_ids")

    def constants(self, values: Mapping[str, Any] | None, owner_id: str | None) -> dict[str, Any]:
        """Return the members that every record gets, by their names. Raises: 422 for what cannot be written."""
        found: dict[str, Any] = {}
        for name, value in (values or {}).items():
            head = snake(name)
            if head == "custom_fields" or (head == "fields" and self.entity.object is not None):
                if not is_object(value):
                    raise invalid(f"values.{head}", "type", "must be an object")
                found |= {f"{head}.{key}": inner for key, inner in value.items()}
                for key in value:
                    self.fields.checked(f"{head}.{key}", f"values.{head}.{key}")
                continue
            field = self.fields.checked(name, f"values.{name}")
            found[field.name] = {snake(key): inner for key, inner in value.items()} if is_object(value) else value
        if owner_id is not None:
            self.call.reference("user", owner_id, "owner_id")
            found["owner_id"] = owner_id
        return found

    def check_size(self, opened: Opened) -> Problem | None:
        """Return the problem of a file with more rows than the company's setting allows."""
        most = value_of(self.call.collection, self.call.caller, "imports.max_rows", str(self.call.tenant.get("plan")))
        rows = len(opened.table.rows)
        if most is None or rows <= most:
            return None
        message = f"the file has {rows:,} rows; an import has at most {most:,}"
        return Problem("TOO_MANY_ROWS", message, field="file", rule="max", details={"limit": most, "given": rows})


def _exact(row: Row) -> Row:
    """Return a row in which the numbers of a workbook are numbers."""
    if isinstance(row, str) or not any(isinstance(value, NumberText) for value in row.values()):
        return row
    return {key: Decimal(str(value)) if isinstance(value, NumberText) else value for key, value in row.items()}


def no_columns(opened: Opened, entity: Entity) -> UnreadableFileError:
    """Return the error of a file of which no column can be read."""
    names = ", ".join(opened.headers)[:500]
    hint = "; if they are not told apart, give delimiter" if opened.table.delimiter is not None else ""
    return UnreadableFileError(
        f"none of the columns {names} is known for records of the type {entity.name}; give a mapping{hint}"
    )
