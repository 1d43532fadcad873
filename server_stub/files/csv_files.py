"""CSV files that the stub makes: for spreadsheets, which must not carry out what somebody typed."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..data.document import Document
from .storing import store_bytes

if TYPE_CHECKING:
    from ..serving import Context

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet carries out."""


def quote_formula(cell: str) -> str:
    """Return a text as a spreadsheet shows it: one that looks like a formula is quoted, lest it be carried out."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def store(call: Context, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]], **about: Any) -> Document:
    """Store a file of the caller's with a header and rows; None is an empty cell, texts are quoted as formulas are.

    `about` is passed to `store_bytes`.
    """
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(["" if cell is None else quote_formula(str(cell)) for cell in row] for row in rows)
    return store_bytes(
        call, name, out.getvalue().encode("utf-8-sig", "replace"), **about
    )  # half a character has no bytes
