"""Read a file of any of the formats as rows of columns."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace

from . import delimited, json_lines, workbooks
from .delimited import Score
from .encodings import decode
from .table import Remark, Row, Table, UnreadableFileError, checked_rows, whole

FORMATS: Mapping[str, str] = {
    "csv": "csv", "tsv": "csv", "tab": "csv", "txt": "csv", "xlsx": "xlsx", "xlsm": "xlsx", "jsonl": "jsonl",
    "ndjson": "jsonl", "vcf": "vcf", "vcard": "vcf",
}  # fmt: skip
"""The format of a file, by the extension of its name."""

Cards = Callable[[str], tuple[Iterable[Row], Iterable[str], list[Remark]]]
"""Reads the cards of a text: their rows, the names of what is in them but not read, and remarks."""


def read(
    format: str,
    content: bytes,
    *,
    has_header: bool,
    delimiter: str,
    encoding: str,
    score: Score,
    cards: Cards,
    guess: Collection[str] | None = None,
    first_sheet: bool = False,
    noun: str = "contact",
) -> Table:
    """Read a file; `score` counts the headers of known columns in a line. Raises: `UnreadableFileError`.

    The default delimiter, a comma, gives way to the one that the file shows; any other is used as it was given. `guess`
    names which of ``delimiter`` and ``encoding`` may give way, where that is known. With `first_sheet` a workbook is
    its first sheet, whichever is active. `noun` says in messages what the rows are.
    """
    if format == "xlsx":
        lines = workbooks.read(content, first_sheet=first_sheet)
        table = delimited.table_of(lines, has_header=has_header, score=score)
        return replace(table, rows=tuple(checked_rows(table.rows)))
    if content.startswith(b"PK\x03\x04") and zipfile.is_zipfile(io.BytesIO(content)):
        raise UnreadableFileError(f"the file is a workbook or another zip, not {format}: give format='xlsx'")
    text, used, remarks = decode(content, encoding, exact=guess is not None and "encoding" not in guess)
    if format == "csv":
        detect = delimiter in (",", "\t") if guess is None else "delimiter" in guess
        table = delimited.read(text, has_header=has_header, delimiter=delimiter, score=score, detect=detect)
        remarks += table.remarks
        return replace(table, rows=tuple(checked_rows(table.rows)), remarks=tuple(remarks), encoding=used)
    unread: Iterable[str] = ()
    rows: Iterable[Row]
    if format == "vcf":
        rows, unread, more = cards(text)
        remarks += more
    else:
        rows = json_lines.read(text)
    return replace(_of_records(noun, tuple(rows), unread, remarks), encoding=used)


def _of_records(noun: str, rows: tuple[Row, ...], unread: Iterable[str], remarks: Iterable[Remark]) -> Table:
    if not any(isinstance(row, Mapping) for row in rows):
        why = next((f": {row}" for row in rows if isinstance(row, str)), "")
        raise UnreadableFileError(f"there is no {noun} in the file{why}")
    names = dict.fromkeys(whole(name) for row in rows if not isinstance(row, str) for name in row)
    return Table(tuple(dict.fromkeys((*names, *unread))), tuple(checked_rows(rows)), tuple(remarks))
