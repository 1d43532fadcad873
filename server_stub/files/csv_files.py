"""CSV files that the stub makes: for spreadsheets, which must not carry out what somebody typed."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from ..data.document import Document

if TYPE_CHECKING:
    from ..serving import Context

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a text begins with that a spreadsheet carries out."""


def quote_formula(cell: str) -> str:
    """Return a text as a spreadsheet shows it: one that looks like a formula is quoted, lest it be carried out."""
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def store(call: Context, name: str, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Document:
    """Store a file of the caller's with a header and rows; None is an empty cell, texts are quoted as formulas are."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows(["" if cell is None else quote_formula(str(cell)) for cell in row] for row in rows)
    return keep(call, name, "text/csv", out.getvalue().encode("utf-8-sig", "replace"))  # half a character has no bytes


def keep(call: Context, name: str, content_type: str, content: bytes, **members: Any) -> Document:
    """Store a file of the caller's that the server has made; `members` are further ones of its record."""
    file = {
        "name": name,
        "content_type": content_type,
        "size": len(content),
        "checksum": hashlib.sha256(content).hexdigest(),
        "content": content,
        "owner_id": call.caller.user_id,
    }
    return call.create("file", "file_", {**file, **members})
