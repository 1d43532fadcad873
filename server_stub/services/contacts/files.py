"""The files contacts come from: CSV, XLSX, JSON lines and vCard, read as rows of columns."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, TypeAlias, cast

from ...data.csv_files import unquote_formula
from . import vcards

FORMATS: Mapping[str, str] = {
    "csv": "csv", "tsv": "csv", "txt": "csv", "xlsx": "xlsx", "jsonl": "jsonl", "ndjson": "jsonl",
    "vcf": "vcf", "vcard": "vcf",
}  # fmt: skip
"""The format of a file, by the extension of its name."""

Row: TypeAlias = Mapping[str, Any] | str
"""The value of each column; or an error message for a row that cannot be read."""


class UnreadableFileError(Exception):
    """The file is not what its format says."""


@dataclass(frozen=True, slots=True)
class Table:
    """The rows and columns of a file."""

    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read(format: str, content: bytes, *, has_header: bool, delimiter: str, encoding: str) -> Table:
    """Read a file. Raises `UnreadableFileError`."""
    try:
        if format == "xlsx":
            return _table(_sheet(content), has_header)
        text = content.decode("utf-8-sig" if encoding.lower().replace("_", "-") in ("utf-8", "utf8") else encoding)
        if format == "csv":
            return _table(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), has_header)
        return _records(vcards.read(text) if format == "vcf" else _lines(text))
    except UnicodeDecodeError as error:
        raise UnreadableFileError(f"the file is not encoded in {encoding}: {error}") from None
    except (ValueError, csv.Error, zipfile.BadZipFile, KeyError, OSError) as error:
        raise UnreadableFileError(f"the file cannot be read as {format}: {error}") from None


def _table(lines: Iterable[list[str]], has_header: bool) -> Table:
    filled = [line for line in lines if any(cell.strip() for cell in line)]
    if not filled:
        raise UnreadableFileError("the file is empty")
    width = max(len(line) for line in filled)
    header = [cell.strip() for cell in filled[0]] if has_header else []
    names = tuple((header[n] if n < len(header) else "") or str(n + 1) for n in range(width))
    rows = filled[1:] if has_header else filled
    return Table(
        names,
        tuple({name: unquote_formula(cell) for name, cell in zip(names, row, strict=False)} for row in rows),
    )


def _sheet(content: bytes) -> Iterable[list[str]]:
    # Imported here: only spreadsheets need it.
    from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types

    book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        for row in cast("Any", book.active).iter_rows(values_only=True):
            yield [_cell(value) for value in row]
    finally:
        book.close()


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else f"{value.isoformat()}Z"  # as an export writes it
    if isinstance(value, date):
        return value.isoformat()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _lines(text: str) -> Iterable[Row]:
    for line in text.split("\n"):  # a text may hold other line breaks, such as U+2028
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as error:
            yield f"the line is not JSON: {error}"
            continue
        yield cast("Row", found) if isinstance(found, dict) else "the line is not a JSON object"


def _records(records: Iterable[Row]) -> Table:
    rows = tuple(records)
    if not any(isinstance(row, Mapping) for row in rows):
        raise UnreadableFileError("there is no contact in the file")
    return Table(tuple(dict.fromkeys(name for row in rows if not isinstance(row, str) for name in row)), rows)
