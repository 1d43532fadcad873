"""Tables as files: CSV and workbooks (.xlsx), written in chunks while the rows are read.

A cell is a number, a day, a time, or a text that is marked already (see `marked`): no spreadsheet carries it out.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, tzinfo
from decimal import Decimal
from typing import Any

from crm_sdk.wire import instant, number

CHUNK = 64 * 1024
MOST_ROWS = 1_048_575
"""The rows that a sheet of a workbook holds, beside the header."""
_NOT_IN_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
"""Characters for which a workbook, which is XML, has no place."""
_LONGEST = 32_767
"""The characters that a cell of a workbook can hold."""
_CUT = " … (cut: a cell of a workbook holds 32,767 characters; use csv or jsonl)"
_DIGITS = 15
"""The digits that a number in a workbook can hold; longer ones are texts."""
_FIRST_DAY = date(1900, 3, 1)
"""The day from which on all programs agree about the dates of a workbook."""


def text_of(value: Any, zone: tzinfo = UTC) -> str:
    """Return a cell as text; a time in UTC ends in ``Z``, one of another zone has its offset."""
    if isinstance(value, datetime):
        return instant(value) if zone is UTC else value.astimezone(zone).isoformat()
    if isinstance(value, Decimal):
        return str(number(value))
    return "" if value is None else str(value)


def write_csv(
    header: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    delimiter: str = ",",
    encoding: str = "utf-8",
    zone: tzinfo = UTC,
) -> Iterator[bytes]:
    """Yield a table as CSV; what the encoding has no character for is a question mark."""
    encoder = codecs.getincrementalencoder(encoding)("replace")  # one for all chunks: the mark at the beginning is one
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(header)
    for row in rows:
        writer.writerow([text_of(cell, zone) for cell in row])
        if out.tell() >= CHUNK:
            yield encoder.encode(out.getvalue())
            out.seek(0)
            out.truncate()
    yield encoder.encode(out.getvalue())


def write_workbook(
    title: str, header: Sequence[str], rows: Iterable[Sequence[Any]], *, zone: tzinfo = UTC
) -> Iterator[bytes]:
    """Yield a table as a workbook with one sheet; its times are those of the zone, as a spreadsheet has no zones."""
    # Imported here: only spreadsheets need it.
    from openpyxl import Workbook  # type: ignore[import-untyped] # it has no types
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped] # as above

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet(title)

    def cell(value: Any) -> Any:
        if isinstance(value, datetime):
            return value.astimezone(zone).replace(tzinfo=None)
        if value is None or (isinstance(value, date) and value >= _FIRST_DAY):
            return value
        if not isinstance(value, (str, date)) and len(Decimal(str(value)).as_tuple().digits) <= _DIGITS:
            return value
        text = _NOT_IN_XML.sub(" ", text_of(value))
        if len(text) > _LONGEST:
            text = text[: _LONGEST - len(_CUT)] + _CUT
        made: Any = WriteOnlyCell(sheet, value=text)
        made.data_type = "s"  # never a formula
        return made

    sheet.append([cell(name) for name in header])
    for row in rows:
        sheet.append([cell(value) for value in row])
    out = io.BytesIO()
    book.save(out)
    content = out.getvalue()
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]
