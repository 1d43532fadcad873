"""What can be shown of a file without downloading it."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from itertools import islice
from typing import IO, Any

from .kinds import PDF, PICTURES, TABLES, is_text
from .pictures import UnreadableError, has_picture, page_text, thumbnail

MOST_TEXT = 65_536
"""The bytes of a text that a preview shows."""
_MOST_ROWS = 100
_MOST_CELLS = 200


def kind_of_preview(record: Mapping[str, Any]) -> str:
    """Return how a file is shown: ``none`` where the head of its content is not what it says."""
    content_type = record["content_type"]
    if content_type in PICTURES:
        return "image" if has_picture(record) else "none"
    if content_type in TABLES:
        return "table"
    if content_type == PDF:
        return "pdf" if record.get("page_count") else "none"
    return "text" if is_text(content_type) else "none"


def preview(file: IO[bytes], record: Mapping[str, Any], page: int) -> dict[str, Any]:
    """Return what is shown of a file: its text, its rows, the text of a page; nothing rather than an error."""
    kind, content_type, encoding = kind_of_preview(record), record["content_type"], record.get("encoding")
    file.seek(0)
    if kind == "text":
        head = file.read(MOST_TEXT + 1)
        text = _text(head[:MOST_TEXT], encoding)
        return {"kind": kind, "text": text, "truncated": len(head) > MOST_TEXT}
    if kind == "table":
        return {"kind": kind, **_rows(file, content_type, encoding)}
    if kind == "pdf":
        try:
            text = page_text(file, page)
        except UnreadableError:
            return {"kind": "none", "truncated": False}
        shown = _text(text.encode("utf-8", "replace")[:MOST_TEXT], "utf-8")
        return {"kind": kind, "text": shown, "truncated": len(shown) < len(text)}
    if kind == "image":
        try:
            thumbnail(file, content_type, 1, "png")
        except UnreadableError:
            kind = "none"
    return {"kind": kind, "truncated": False}


def _text(head: bytes, encoding: str | None) -> str:
    """Return a text whose end may be half a letter."""
    return head.decode(encoding or "utf-8", "ignore").encode("utf-8", "ignore")[:MOST_TEXT].decode("utf-8", "ignore")


def _rows(file: IO[bytes], content_type: str, encoding: str | None) -> dict[str, Any]:
    text = io.TextIOWrapper(file, encoding or "utf-8", "replace", newline="")
    try:
        delimiter = "\t" if content_type != "text/csv" else _delimiter(text)
        try:
            rows = list(islice(csv.reader(text, delimiter=delimiter), _MOST_ROWS + 1))
        except csv.Error:
            return {"rows": [], "truncated": True}
    finally:
        text.detach()
    wide = any(len(row) > _MOST_CELLS for row in rows)
    return {"rows": [row[:_MOST_CELLS] for row in rows[:_MOST_ROWS]], "truncated": wide or len(rows) > _MOST_ROWS}


def _delimiter(text: io.TextIOWrapper) -> str:
    line = text.readline(10_000)
    text.seek(0)
    return max(",;\t", key=line.count)
