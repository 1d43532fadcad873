"""Which column of a file becomes which member: as the server suggests, as `--map` and `--mapping` say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from crm_sdk.errors import FieldError
from crm_sdk.wire import decode_json, is_array, is_object

from ..failures import MisuseError, complain
from ..tree.near import meant_or_all
from .sources import OWN, Source, UnreadableRow

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import ColumnMapping, ImportPreview, ObjectDescription

_LOOKED_AT = 50
"""So many rows show the server what their columns hold."""
_SAMPLES = 2
_LONGEST = 30
"""The characters of a sample that are shown."""
_IDENTIFYING = ("email",)
"""The keys by which rows find their records without `--match-on`, beside those that only one record can have."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """The mapping of a file, and how its rows find their records."""

    entity: ObjectDescription
    entries: Sequence[ColumnMapping]
    key: str | None
    """The key by which a row finds its record; None where no column has one."""
    preview: ImportPreview

    @property
    def key_path(self) -> tuple[str, ...]:
        """Where the key stands in the members of a row."""
        from crm_sdk.wire import camel

        if self.key is None:
            return ()
        return ("fields", self.key) if self.entity.custom and self.key != "id" else (camel(self.key),)

    def key_in(self, members: Any) -> Any:
        """Return the key in the members of a row; None where it has none."""
        if self.key is None:
            return None
        for name in self.key_path:
            members = members.get(name) if is_object(members) else None
        return members

    def of(self, rows: Sequence[Any]) -> Sequence[ColumnMapping]:
        """Return the entries whose columns some rows have; a line of CSV has all."""
        if not all(is_object(row) for row in rows):
            return self.entries
        names = {name for row in rows for name in row}
        return [entry for entry in self.entries if entry["column"] in names]

    @property
    def lacking(self) -> Sequence[str]:
        """The members that a new record needs and no column gives."""
        given = {entry["field"] for entry in self.entries}
        return [name for name in self.preview.unmapped_required if name not in given]

    def show(self, source: Source) -> None:
        """Say on stderr which column becomes which member, and how rows find their records."""
        members = {entry["column"]: entry["field"] for entry in self.entries}
        columns = [one for one in self.preview.columns if one.column not in OWN]
        width = min(max((len(one.column) for one in columns), default=0), 40)
        complain(f"{source.name}: {source.format}, {len(columns)} columns → {self.entity.plural_label.lower()}")
        for one in columns:
            member = members.get(one.column) or members.get(str(one.index))
            samples = ", ".join(_short(sample) for sample in one.samples[:_SAMPLES])
            note = f"  ({samples})" if samples else ""
            complain(f"  {one.column:<{width}}  → {member or 'not read'}{note}")
        for name in self.lacking:
            complain(f"  {name} is needed by new records, and no column gives it")
        if self.key is not None:
            complain(f"rows find their records by {self.key}")
        else:
            keys = ", ".join(key.field for key in self.entity.keys)
            hint = f"no column is a key ({keys}): " if keys else ""
            complain(f"{hint}every row makes a new record")


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def settled_mapping(
    client: CrmClient,
    entity: str,
    source: Source,
    *,
    pairs: Sequence[str],
    file: str | None,
    match_on: str | None,
    mode: str,
) -> Mapped:
    """Return the mapping of a file. Raises: MisuseError for columns, members and keys that there are not."""
    description = client.objects.describe(entity)
    sample = [row for row in islice(source.rows(), _LOOKED_AT) if not isinstance(row, UnreadableRow)]
    if not sample:
        raise MisuseError(f"{source.name}: none of the first rows can be read")

    def look(**options: Any) -> ImportPreview:
        part = source.part(sample)
        return client.imports.preview(entity, part, sample=0, mode=mode, **source.options(), **options)  # type: ignore[arg-type] # checked by the SDK

    preview = look()
    entries: list[ColumnMapping] = [one for one in preview.mapping if one["column"] not in OWN]
    wanted = [*(_read(file) if file is not None else ()), *map(_pair, pairs)]
    if wanted and source.format == "vcf":
        raise MisuseError("a card says itself what its properties are: --map and --mapping are for the other formats")
    if wanted:
        if file is not None:
            entries = []
        for one in wanted:
            entries = _with(entries, _column(one, source), preview)
        found = look(mapping=entries)
        _refuse(found)
        preview = found if found.columns else preview
    elif not entries:
        _refuse(preview)
        raise MisuseError(_unknown(source, preview, description))
    key = match_on if match_on is not None else _key(description, [one["field"] for one in entries])
    if match_on is not None:
        _refuse(look(mapping=entries, match_on=match_on))
        key = match_on.removeprefix("fields.")
    return Mapped(description, entries, key, preview)


def _key(description: ObjectDescription, given: Iterable[str]) -> str | None:
    """Return the key that the columns fill: one that only one record can have, or one that identifies people."""
    named = {name.removeprefix("fields.") for name in given}
    if "id" in named:
        return "id"
    keys = (key.field for key in description.keys if key.unique or key.field in _IDENTIFYING)
    return next((key for key in keys if key in named), None)


def _pair(text: str) -> dict[str, Any]:
    column, mark, member = text.rpartition("=")
    if not mark or not column.strip():
        raise MisuseError(f"--map is Column=member, or Column= to leave a column out, not {text!r}")
    return {"column": column.strip(), "field": member.strip() or None}


def _read(path: str) -> list[dict[str, Any]]:
    """Return the mapping in a file: an object of members by columns, or the entries that `imports preview` prints."""
    try:
        found: Any = decode_json(Path(path).read_bytes())
    except ValueError as error:
        raise MisuseError(f"--mapping: {path} is not JSON ({error})") from None
    if is_object(found) and is_array(found.get("mapping")):
        found = found["mapping"]
    if is_object(found):
        return [{"column": column, "field": member} for column, member in found.items()]
    if is_array(found) and all(is_object(one) and {"column", "field"} <= one.keys() for one in found):
        return [dict(one) for one in found]
    raise MisuseError(f'--mapping: {path} must be an object such as {{"E-Mail": "email"}}, or a list of its entries')


def _column(entry: Mapping[str, Any], source: Source) -> dict[str, Any]:
    """Return an entry with a column that the file has. Raises: MisuseError, with the likely column."""
    named, headers = str(entry["column"]), list(source.headers)
    same = [header for header in headers if header == named]
    same = same or [header for header in headers if header.strip().casefold() == named.casefold()]
    if len(same) > 1:
        places = [str(number) for number, header in enumerate(headers, start=1) if header in same]
        message = f"{len(same)} columns are called {named!r}: name yours by its number, {' or '.join(places)}"
        raise MisuseError(message)
    if same:
        return {**entry, "column": same[0]}
    if named.isdigit() and (not headers or 1 <= int(named) <= len(headers)):
        twice = not headers or headers.count(headers[int(named) - 1]) > 1 or source.format == "csv"
        return {**entry, "column": named if twice else headers[int(named) - 1]}
    if not headers and source.format != "csv":
        return dict(entry)
    raise MisuseError(f"{source.name} has no column {named!r}{meant_or_all(named, headers)}")


def _with(entries: Sequence[Any], wanted: Mapping[str, Any], preview: ImportPreview) -> list[Any]:
    """Return a mapping with another entry for a column, and the member for no other."""
    column, member = wanted["column"], wanted["field"]
    index = {str(one.index): one.column for one in preview.columns}
    same = {column, index.get(column, column)}
    kept = [one for one in entries if one["column"] not in same and one["field"] != member]
    return [*kept, wanted] if member is not None else kept


def _refuse(preview: ImportPreview) -> None:
    """Raise MisuseError for what is wrong with the file or the mapping as a whole, with the likely names."""
    if not preview.errors:
        return
    fields: list[FieldError] = []
    for error in preview.errors:
        named, choices = error.details.get("field"), error.details.get("choices") or error.details.get("keys")
        hint = meant_or_all(str(named), map(str, choices)) if named is not None and is_array(choices) else ""
        fields.append(FieldError(error.field or "file", f"{error.message}{hint}", error.rule or error.code))
    if len(fields) == 1:
        raise MisuseError(fields[0].message)
    raise MisuseError("the columns cannot be read", fields)


def _unknown(source: Source, preview: ImportPreview, description: ObjectDescription) -> str:
    names = ", ".join(one.column for one in preview.columns)[:300]
    header = "; --no-header says that there is no header" if source.has_header else ""
    records = description.plural_label.lower()
    return f"none of the columns {names} is a member of {records}: name members with --map{header}"
