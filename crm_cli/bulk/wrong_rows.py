"""The file of the rows that failed: each as it was, with its number, member, rule and message; it can be mended and
imported again.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from crm_sdk.wire import encode_json, is_object

from ..whole_files import written_whole
from .journal import Entry, Journal
from .sources import OWN, Source

_ENDS: Mapping[str, str] = {"csv": "csv", "xlsx": "csv", "jsonl": "jsonl", "vcf": "vcf"}
"""How the file ends, by the format of the one that was imported."""


def usual_path(source: Source) -> Path:
    """Return the path where no other is given: in the working folder, and never the file that is imported."""
    stem = Path(source.name).stem if source.name != "stdin" else "stdin"
    stem = re.sub(r"\.errors(-\d+)?$", "", stem)
    path, number = Path(f"{stem}.errors.{_ENDS[source.format]}"), 2
    while path.exists() and path.resolve() == source.path.resolve():
        path = Path(f"{stem}.errors-{number}.{_ENDS[source.format]}")
        number += 1
    return path


def write(journal: Journal, source: Source, path: Path) -> None:
    """Write the rows that failed, in the format of their file; of a workbook as CSV."""
    with written_whole(path) as part:
        if source.format in ("csv", "xlsx"):
            with part.open("w", encoding="utf-8-sig", newline="") as file:
                _write_csv(csv.writer(file), journal, source)
        else:
            with part.open("wb") as bytes_:
                for entry in journal.wrong():
                    bytes_.write(_object(entry) if source.format == "jsonl" else _card(entry))


def _write_csv(writer: Any, journal: Journal, source: Source) -> None:
    places = [number for number, header in enumerate(source.headers) if header not in OWN]
    if source.has_header:
        writer.writerow([*OWN, *(source.headers[number] for number in places)])
    for entry in journal.wrong():
        cells = _cells(entry, source)
        if not source.has_header or len(cells) > len(source.headers):
            places = list(range(len(cells)))
        own = [str(entry.number), *(_joined_errors(entry, name) for name in ("member", "rule", "message"))]
        line = [cells[number] for number in places if number < len(cells)]
        writer.writerow([*own, *line] if source.has_header else [*line, *own])


def _cells(entry: Entry, source: Source) -> Sequence[str]:
    if isinstance(entry.raw, str):
        return [entry.raw]
    if is_object(entry.raw):
        return [_text(entry.raw.get(header)) for header in source.headers]
    return list(map(str, entry.raw))


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    return encode_json(value).decode()


def _joined_errors(entry: Entry, name: str) -> str:
    return "; ".join(dict.fromkeys(getattr(error, name) for error in entry.errors))


def _object(entry: Entry) -> bytes:
    """Return a line; one that could not be read stands as it was, and fails again until it is mended."""
    if not is_object(entry.raw):
        return f"{entry.raw}\n".encode()
    members = {name: value for name, value in entry.raw.items() if name not in OWN}
    own: Sequence[Any] = [entry.number, *(_joined_errors(entry, name) for name in ("member", "rule", "message"))]
    return encode_json(dict(zip(OWN, own, strict=True)) | members) + b"\n"


def _card(entry: Entry) -> bytes:
    """Return a card with what is wrong with it, which address books and imports pass over."""
    lines = [line for line in str(entry.raw).splitlines() if not line.startswith("X-CRM-WRONG")]
    said: Iterable[str] = (f"{error.member}: {error.message}".replace("\n", " ") for error in entry.errors)
    lines[1:1] = [f"X-CRM-WRONG:row {entry.number}\\, {text}" for text in said]
    return ("\r\n".join(lines) + "\r\n").encode()
