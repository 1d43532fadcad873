"""Records as files, in each format; several files make one zip with a manifest."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from crm_sdk.wire import encode_json, snake

from ...data.document import Document
from ...files.marked import mark
from ...files.sheets import MOST_ROWS, write_csv, write_workbook
from ...problems import Problem
from ...request.answering.members import wholes
from ...serving import Context, Members
from ..activities import icalendars
from ..activities.privacy import as_seen
from ..calendar.preparation import uid_of
from ..contacts.files import vcards
from ..objects.showing import shown_as
from .columns import CHANGE, GONE, Path, cell_of, picked_members, relabelled_row, value_at
from .requests import Labels, Part
from .rows import Row

_IN_CALENDAR = ("event", "task")
_NOTHING = Document(title=None, status=None)
"""What an event has in place of what is hidden."""


@dataclass(frozen=True, slots=True)
class Writing:
    """One part of an export on its way into a file."""

    call: Context
    part: Part
    rows: Sequence[Row]
    request: Members
    labels: Labels
    tells_changes: bool = False
    """Whether it says what became of each record."""

    @property
    def zone(self) -> tzinfo:
        """The zone in which tables have times."""
        name = self.request["timezone"] or "UTC"
        return UTC if name == "UTC" else ZoneInfo(name)

    def objects(self) -> list[dict[str, Any]]:
        """Return the records as JSON, without nested lists; with what became of them where that is known."""
        fields, paths = self.part.fields, self.part.paths
        nested = {path[0] for path in paths or ()} & fields.nested_wire
        show = shown_as(self.call, self.part.entity, whole=bool(nested))
        labels, found = self.labels.get(self.part.entity.name, ()), list[dict[str, Any]]()
        for row in self.rows:
            whole: dict[str, Any] = show(row.doc) if row.doc is not None else {"id": row.id}
            value = {name: held for name, held in whole.items() if name not in fields.nested_wire or name in nested}
            value = relabelled_row(value, labels) if labels else value
            if self.request["include_deleted"] and row.doc is not None:
                value[GONE] = row.doc.get("deleted_at")
            found.append({CHANGE: row.change, **value} if row.change is not None else value)
        return found

    def paths(self, objects: Sequence[Mapping[str, Any]], *, whole: bool) -> list[Path]:
        """Return the columns; of objects one for each member, or with `whole` the chosen ones as they are."""
        chosen = self.part.paths
        if chosen is not None and not whole:
            every = self.part.fields.columns(objects)
            chosen = list(dict.fromkeys(
                column
                for path in chosen
                for column in ([one for one in every if one[: len(path)] == path] or [path])
            ))  # fmt: skip
        found = list(chosen) if chosen is not None else self.part.fields.columns(objects)
        if self.tells_changes and ("id",) not in found:
            found.insert(0, ("id",))
        if self.request["include_deleted"]:
            found.append((GONE,))
        return [(CHANGE,), *found] if self.tells_changes else found

    def table(self) -> tuple[list[str], Iterable[list[Any]]]:
        """Return the header of a table and its rows."""
        objects = self.objects()
        paths = self.paths(objects, whole=False)
        header = [mark(".".join(path)) for path in paths]
        return header, ([cell_of(value_at(one, path)) for path in paths] for one in objects)

    def whole(self) -> list[dict[str, Any]]:
        """Return the records as JSON, with the chosen members where some are chosen."""
        objects = self.objects()
        if self.part.paths is None:
            return objects
        paths = self.paths(objects, whole=True)
        paths = wholes(paths)
        return [
            picked_members(one, paths) if row.doc is not None else one
            for one, row in zip(objects, self.rows, strict=True)
        ]

    def docs(self) -> list[Document]:
        """Return the records as they are stored, without what is hidden from the caller."""
        return [self.part.fields.without_hidden(row.doc) for row in self.rows if row.doc is not None]


Write: TypeAlias = Callable[[Writing], tuple[bytes, int]]
"""Returns the bytes of a file, and how many records it has."""


def _csv(work: Writing) -> tuple[bytes, int]:
    delimiter, encoding = work.request["delimiter"], work.request["encoding"]
    chunks = write_csv(*work.table(), delimiter=delimiter, encoding=encoding, zone=work.zone)
    return b"".join(chunks), len(work.rows)


def _xlsx(work: Writing) -> tuple[bytes, int]:
    if len(work.rows) > MOST_ROWS:
        message = f"a sheet of a workbook has at most {MOST_ROWS:,} rows, and there are {len(work.rows):,}"
        raise Problem("TOO_MANY_ROWS", message, details={"limit": MOST_ROWS, "rows": len(work.rows)})
    title = work.part.entity.plural_label[:31] or "Records"
    title = "".join(" " if letter in "[]:*?/\\'" else letter for letter in title)
    return b"".join(write_workbook(title, *work.table(), zone=work.zone)), len(work.rows)


def _jsonl(work: Writing) -> tuple[bytes, int]:
    return b"".join(encode_json(one) + b"\n" for one in work.whole()), len(work.rows)


def _json(work: Writing) -> tuple[bytes, int]:
    return encode_json(work.whole(), indent=2) + b"\n", len(work.rows)


def _vcf(work: Writing) -> tuple[bytes, int]:
    docs, kept = work.docs(), {snake(path[0]) for path in work.part.paths or ()} | {"name"}
    if work.part.paths is not None:
        docs = [Document({name: value for name, value in doc.items() if name in kept}) for doc in docs]
    return b"".join(vcards.write(doc) for doc in docs), len(docs)


def _ics(work: Writing) -> tuple[bytes, int]:
    docs = [doc for doc in work.docs() if doc.get("kind") in _IN_CALENDAR]
    timed = [doc for doc in docs if doc["kind"] == "event" and doc.get("start_time") and doc.get("end_time")]
    events = [_NOTHING | as_seen(work.call, doc) | {"uid": uid_of(doc)} for doc in timed]
    tasks = [doc for doc in docs if doc["kind"] == "task"]
    return icalendars.write(events, tasks=tasks), len(events) + len(tasks)


WRITERS: Mapping[str, Write] = {
    "csv": _csv, "xlsx": _xlsx, "jsonl": _jsonl, "json": _json, "vcf": _vcf, "ics": _ics,
}  # fmt: skip
"""The function that writes each format; the name of a format is the ending of its files."""


@dataclass(frozen=True, slots=True)
class Made:
    """A file that is made, of one entity."""

    entity: str
    name: str
    content: bytes
    rows: int
    schema_version: str


def packed_files(call: Context, files: Sequence[Made], format: str, position: str) -> bytes:
    """Return several files as a zip, with a manifest that says what each of them is."""
    manifest = {
        "createdAt": call.now,
        "format": format,
        "position": position,
        "files": [
            {
                "name": file.name,
                "entity": file.entity,
                "rows": file.rows,
                "size": len(file.content),
                "sha256": hashlib.sha256(file.content).hexdigest(),
                "schemaVersion": file.schema_version,
            }
            for file in files
        ],
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        contents = {"manifest.json": encode_json(manifest, indent=2), **{file.name: file.content for file in files}}
        for name, content in contents.items():
            entry = zipfile.ZipInfo(name, call.now.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return out.getvalue()
