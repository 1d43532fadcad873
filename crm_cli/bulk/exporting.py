"""``crm NOUN export``: the records of an entity as a file, written as they arrive."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, Literal, TypeAlias

import typer

from crm_sdk.wire import camel, encode_json, is_object

from ..connection import open_client
from ..failures import MisuseError, complain
from ..lookups import id_of
from ..settings import Options, settle
from ..terminal.output import Printer
from ..terminal.values import csv_text, field_text, plain
from ..times import read_time
from ..whole_files import written_whole
from .progress import progress
from .sources import library

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import ObjectDescription

_Row: TypeAlias = Mapping[str, Any]
_Columns: TypeAlias = Mapping[str, str]
"""The types of the members that become columns, by their paths, in order."""
_Write: TypeAlias = Callable[[_Row], None]
_DIGITS = 9
"""The digits that a number of a Parquet file has after its point."""
_PAGE = 200
_GROUP = 5_000
"""The rows of a group of a Parquet file, which are in memory at once."""
_SHEET = 1_048_575
"""The rows that a sheet has below its header."""


def export_file(
    options: Options,
    entity: Annotated[
        str, typer.Argument(metavar="ENTITY", help="Which records: contact, lead, or a custom object's API name.")
    ],
    format: Annotated[
        Literal["csv", "jsonl", "xlsx", "vcf", "parquet"] | None,
        typer.Option("--format", help="The format; the end of --to tells it, or it is csv. vcf: contacts, leads."),
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="FILE", help="The file to write, - for stdout; without it its noun's.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option("--columns", metavar="NAMES", help="Which members, in order; all of them without it."),
    ] = None,
    updated_since: Annotated[
        str | None,
        typer.Option("--updated-since", metavar="TIME", help="Only what was changed since: 2026-01-31, 7d, yesterday."),
    ] = None,
    owner_id: Annotated[
        str | None, typer.Option("--owner-id", help="Only the records of this user: an id, or a unique name.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file where it is there already.")] = False,
) -> None:
    """Export records to a file that can be imported again.

    They come by their ids, and are written as they arrive, whatever their number: one that lives through the whole
    export is in it exactly once. A file gets its name when it is whole.
    """
    settings = settle(options)
    kind = format or _by_name(to)
    path = None if to == "-" else Path(to or f"{entity}.{kind}")
    if path is not None and path.exists() and not force:
        raise MisuseError(f"{path} already exists: name another file with --to, or overwrite it with --force")
    if path is None and kind in ("xlsx", "parquet") and sys.stdout.isatty():
        raise MisuseError(f"{kind} is not for a terminal: name a file with --to")
    if kind in _LIBRARIES:
        library(*_LIBRARIES[kind])
    chosen = [name.strip() for name in columns.split(",") if name.strip()] if columns else None
    printer = Printer(settings.output)
    with open_client(settings) as client:
        owner_id = id_of(client, "users", owner_id, flag="--owner-id") if owner_id is not None else None
        filters = {
            name: value
            for name, value in (
                ("updated_since", read_time(updated_since) if updated_since else None), ("owner_id", owner_id)
            )
            if value is not None
        }  # fmt: skip
        if kind == "vcf":
            written = _cards(client, entity, path, filters)
        else:
            description = client.objects.describe(entity)
            with _output_file(path) as file, _WRITERS[kind](file, _columns(description, chosen)) as write:
                written = _scan(client, description, filters, write)
    if path is None:
        complain(f"{written:,} records")
    else:
        printer.show({"entity": entity, "file": str(path), "records": written, "bytes": path.stat().st_size})


_LIBRARIES = {"xlsx": ("openpyxl", "workbooks", "bulk"), "parquet": ("pyarrow.parquet", "Parquet files", "parquet")}


def _by_name(to: str | None) -> str:
    end = Path(to).suffix[1:].lower() if to is not None else ""
    return {"ndjson": "jsonl"}.get(end, end if end in (*_WRITERS, "vcf") else "csv")


def _columns(description: ObjectDescription, chosen: Sequence[str] | None) -> _Columns:
    """Return the columns: the members that were chosen, or those that the caller may read. Raises: MisuseError."""
    from ..tree.near import meant_or_all

    fields = {field.name: field.type for field in description.fields if field.type != "object"}
    if chosen is None:
        return fields
    known = {name: name for name in fields} | {_wire(name): name for name in fields}
    for name in chosen:
        free = name.partition(".")[0] in ("custom_fields", "customFields", "fields")
        if name not in known and not free:
            raise MisuseError(f"--columns: there is no {name!r}{meant_or_all(name, fields)}")
    return {(path := known.get(name, name)): fields.get(path, "text") for name in chosen}


def _scan(client: CrmClient, description: ObjectDescription, filters: Mapping[str, Any], write: _Write) -> int:
    """Write every record, and return how many there were."""
    first = client.objects.scan(description.entity, limit=_PAGE, **filters)
    count = 0
    with progress("exported", first.total) as advance:
        for record in first:
            write(plain(record))
            count += 1
            if count % _PAGE == 0:
                advance(_PAGE)
        advance(count % _PAGE)
    return count


def _cards(client: CrmClient, entity: str, path: Path | None, filters: Mapping[str, Any]) -> int:
    """Write cards, which the server makes."""
    if "owner_id" in filters:
        raise MisuseError("--owner-id is not for vcf")
    request: Any = {"entity_types": [entity], "format": "vcf"}
    if "updated_since" in filters:
        request["changed_since"] = filters["updated_since"]
    made = client.exports.create(request).wait(timeout=None)
    with client.files.download(made.file_id) as download, _output_file(path) as file:
        for block in download.iter_bytes():
            file.write(block)
    return made.row_count


@contextmanager
def _output_file(path: Path | None) -> Generator[IO[bytes]]:
    """Open a file that gets its name when it is whole; None is stdout."""
    if path is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written_whole(path) as part, part.open("wb") as file:
        yield file


# -- formats -----------------------------------------------------------------------------------------------------------


def _wire(path: str) -> str:
    """Return the path of a member as records have it; the names of custom fields are the company's own."""
    head, dot, rest = path.partition(".")
    return camel(head) + dot + (rest if head in ("custom_fields", "fields") else camel(rest))


def _at(row: _Row, path: str) -> Any:
    """Return the value at a path of a record; None where it has none."""
    value: Any = row
    for name in _wire(path).split(".", 1):
        value = value.get(name) if is_object(value) else None
    return value


@contextmanager
def _csv(file: IO[bytes], columns: _Columns) -> Generator[_Write]:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=False)
    try:
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(columns)
        yield lambda row: _ignore(writer.writerow([csv_text(_at(row, name)) for name in columns]))
        text.flush()
    finally:
        text.detach()


@contextmanager
def _jsonl(file: IO[bytes], columns: _Columns) -> Generator[_Write]:
    heads = list(dict.fromkeys(_wire(name).partition(".")[0] for name in columns))
    yield lambda row: _ignore(file.write(encode_json({name: row.get(name) for name in heads}) + b"\n"))


@contextmanager
def _xlsx(file: IO[bytes], columns: _Columns) -> Generator[_Write]:
    openpyxl: Any = library(*_LIBRARIES["xlsx"])
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet()
    sheet.append(list(columns))
    count = 0

    def write(row: _Row) -> None:
        nonlocal count
        count += 1
        if count > _SHEET:
            raise MisuseError(f"a sheet has at most {_SHEET:,} rows: choose csv, jsonl or parquet")
        sheet.append([_cell(_at(row, name)) for name in columns])

    yield write
    book.save(file)


def _cell(value: Any) -> Any:
    """Return a value as a cell, which has no time zone."""
    if isinstance(value, datetime):
        from datetime import UTC

        return value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value if isinstance(value, float) else csv_text(value)


@contextmanager
def _parquet(file: IO[bytes], columns: _Columns) -> Generator[_Write]:
    """Write groups of rows."""
    pyarrow: Any = library("pyarrow", *_LIBRARIES["parquet"][1:])
    parquet: Any = library(*_LIBRARIES["parquet"])
    held: list[list[Any]] = []
    schema = pyarrow.schema([(name, _arrow(pyarrow, kind)) for name, kind in columns.items()])

    writer = parquet.ParquetWriter(file, schema)

    def flush() -> None:
        kinds = list(columns.items())
        table = {name: [_column_value(row[n], kind) for row in held] for n, (name, kind) in enumerate(kinds)}
        writer.write_table(pyarrow.table(table, schema=schema))
        held.clear()

    def write(row: _Row) -> None:
        held.append([_at(row, name) for name in columns])
        if len(held) >= _GROUP:
            flush()

    try:
        yield write
        flush()
    finally:
        writer.close()


def _arrow(pyarrow: Any, kind: str) -> Any:
    """Return the type of a column: that of the member, and texts for what has none of its own."""
    if kind == "datetime":
        return pyarrow.timestamp("us", tz="UTC")
    if kind in ("decimal", "currency"):
        return pyarrow.decimal128(38, _DIGITS)
    simple = {"boolean": pyarrow.bool_(), "date": pyarrow.date32(), "integer": pyarrow.int64()}
    return simple.get(kind, pyarrow.string())


def _column_value(value: Any, kind: str) -> Any:
    """Return a value as its column takes it."""
    if value is None:
        return None
    if kind in ("decimal", "currency"):
        return round(Decimal(str(value)), _DIGITS)
    if kind in ("date", "datetime") and isinstance(value, str):
        return (date if kind == "date" else datetime).fromisoformat(value)
    return value if kind in ("boolean", "date", "datetime", "integer") else field_text(value)


def _ignore(_: object) -> None:
    """Drop what a file's write returns."""


_WRITERS = {"csv": _csv, "jsonl": _jsonl, "xlsx": _xlsx, "parquet": _parquet}
