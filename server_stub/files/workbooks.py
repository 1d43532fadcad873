"""Workbooks (.xlsx) as lines of texts: the first sheet with cells."""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time
from typing import Any

from .table import UnreadableFileError

_UNPACKED = 256 * 1024 * 1024
"""The size of what a workbook may hold once unpacked."""
_WIDEST = 1_000
"""The columns of a sheet that are read."""


class NumberText(str):
    """The text of a cell with a number, as opposed to one with a text of digits."""

    __slots__ = ()


def read(content: bytes, *, first_sheet: bool = False) -> list[list[str]]:
    """Return the cells of the active sheet, or of the first that has any; with `first_sheet` those of the first.

    Raises: `UnreadableFileError`.
    """
    # Imported here: only workbooks need it.
    from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
        if size > _UNPACKED:
            raise UnreadableFileError(f"the workbook is too large: {size:,} bytes once it is unpacked")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that do not matter here
            book: Any = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            try:
                sheets = list(book.worksheets)  # a workbook may have charts only
                if first_sheet:
                    del sheets[1:]
                sheets.sort(key=lambda sheet: sheet is not book.active)
                for sheet in sheets:
                    lines = list(_lines(sheet))
                    if lines:
                        return lines
            finally:
                book.close()
    except UnreadableFileError:
        raise
    except Exception as error:  # a damaged part may raise anything: KeyError, TypeError, ParseError …
        raise UnreadableFileError(f"the file cannot be read as xlsx: {type(error).__name__}: {error}") from None
    raise UnreadableFileError("no sheet of the workbook has any cells")


def _lines(sheet: Any) -> Iterator[list[str]]:
    sheet.reset_dimensions()  # what a sheet says of its size may be wrong
    for row in sheet.iter_rows(values_only=True):
        cells = row[:_WIDEST]
        if any(value is not None for value in cells):
            yield [cell_text(value) for value in cells]


def cell_text(value: object) -> str:
    """Return the value of a cell as an export writes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else f"{value.isoformat()}Z"
    if isinstance(value, date):
        return value.isoformat()
    text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    return NumberText(text) if isinstance(value, (int, float)) else text
