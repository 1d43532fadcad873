"""The rules of importing contacts: a job that reads a file and writes its rows, fifty at a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

from crm_sdk.resources.contact_imports import ContactImports

from .... import jobs
from ....bulk import error_of
from ....data.document import Document
from ....files import csv_files
from ....files.reading import read
from ....files.received import Received
from ....files.table import Table, UnreadableFileError
from ....files.values import day_comes_first
from ....problems import Problem, missing
from ....serving import Context, Members, runs, serves
from ...imports import ledger
from ...imports.sources import check_encoding, check_names_columns, no_format, source_of
from . import vcards
from .columns import Column, check_mapping, known_headers, plan
from .import_rows import WARNINGS, Work, kept_row, warning_of

_ROWS_A_STEP = 50
_KIND = "contact_import"


@serves(ContactImports.create)
def create(
    call: Context,
    file: Received | None,
    file_id: str | None,
    format: str | None,
    mapping: Sequence[Members] | None,
    mode: str,
    match_on: str,
    on_duplicate: str,
    has_header: bool,
    delimiter: str,
    encoding: str,
    date_format: str | None,
    owner_id: str | None,
    tags: Sequence[str] | None,
    dry_run: bool,
) -> Document:
    """Begin an import."""
    source = source_of(call, file, file_id, format)
    name = source.name
    if not source.format:
        raise no_format(name)
    check_encoding(encoding)
    check_names_columns(mapping)
    check_mapping(mapping or ())
    call.reference("user", owner_id, "owner_id")
    payload = {
        "entity": "contact", "name": name, "checksum": source.checksum, "format": source.format,
        "mapping": None if mapping is None else [dict(entry) for entry in mapping],
        "mode": mode, "match_on": match_on, "on_duplicate": on_duplicate, "has_header": has_header,
        "delimiter": "\t" if name.lower().endswith((".tsv", ".tab")) and delimiter == "," else delimiter,
        "encoding": encoding,
        "date_format": date_format, "owner_id": owner_id, "tags": list(tags or ()), "dry_run": dry_run,
        "created_ids": [], "updated_ids": [], "failed": [], "seen": [], "unmapped": [], "warnings": [],
    }  # fmt: skip
    title = f"{'Trial import' if dry_run else 'Import'} of {name}"
    job = jobs.start(call, _KIND, payload, title=title, total=0, status_url="/contacts/import/{id}")
    # The file is kept beside the job, which is written anew at every step.
    call.collection("import_file").put(Document(id=job["id"], content=source.content))
    return job


@serves(ContactImports.get)
def get(call: Context, job_id: str) -> Document:
    """Return how far an import is."""
    job = call.record("job", job_id)
    of_contacts = job["kind"] == "import" and job["payload"]["entity"] == "contact"  # by the door for every entity
    if job["kind"] != _KIND and not of_contacts:
        raise missing("import", job_id)
    return job | {"errors": jobs.errors_seen(call, job)}


@runs(_KIND)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Read the file at the first step, then write some rows at each."""
    files, options = call.collection("import_file"), job["payload"]
    kept = files.get(job["id"])
    assert kept is not None, "the file is kept until the job has ended"
    if "rows" not in kept:
        try:
            kept, options = _open(kept, options)
        except (UnreadableFileError, Problem) as error:
            files.remove(job["id"])
            problem = error if isinstance(error, Problem) else Problem("UNREADABLE_FILE", str(error), field="file")
            return {"status": "failed", "error": error_of(problem)}
        files.put(kept)
    counts = {**job["counts"], "total": len(kept["rows"])}
    done = counts["processed"]
    columns = [Column(**column) for column in kept["columns"]]
    work = Work(call, options, columns)
    for number in range(done, min(done + _ROWS_A_STEP, counts["total"])):
        outcome = work.row(number, kept["rows"][number])
        counts["processed"] += 1
        counts[outcome] += 1
        if outcome in ("created", "updated"):
            counts["succeeded"] += 1
    ledger.keep(call, job, work.written)
    changes = {"counts": counts, "new_errors": work.errors, "payload": work.options}
    if counts["processed"] < counts["total"]:
        return changes
    files.remove(job["id"])
    return changes | {"status": "succeeded", "result": _result(call, job, kept, work.options)}


def _open(kept: Document, options: Members) -> tuple[Document, Members]:
    mapping = options["mapping"]
    table = read(
        options["format"],
        kept["content"],
        has_header=options["has_header"],
        delimiter=options["delimiter"],
        encoding=options["encoding"],
        score=partial(known_headers, mapping),
        cards=vcards.read,
    )
    columns, unmapped, shared = plan(table.columns, mapping)
    if not columns:
        names = ", ".join(table.columns)[:500]
        hint = "; if they are not told apart, give delimiter" if options["format"] == "csv" else ""
        raise UnreadableFileError(f"none of the columns {names} belongs to a contact; give a mapping{hint}")
    columns = [replace(column, day_first=_day_first(table, column)) for column in columns]
    rows = [row if isinstance(row, str) else dict(row) for row in table.rows]
    warnings = [warning_of(remark) for remark in (*table.remarks, *shared)]
    shown = [asdict(column) for column in columns]
    opened = Document(id=kept["id"], names=list(table.columns), columns=shown, rows=rows)
    return opened, {**options, "unmapped": unmapped, "warnings": warnings[:WARNINGS]}


def _day_first(table: Table, column: Column) -> bool | None:
    if column.field not in ("birthday", "next_follow_up") and column.transform != "date":
        return None
    cells = (row.get(column.column) for row in table.rows if not isinstance(row, str))
    return day_comes_first(cell for cell in cells if isinstance(cell, str))


def _result(call: Context, job: Document, kept: Document, options: Members) -> dict[str, Any]:
    error_file = _error_file(call, kept, options) if options["failed"] else None
    counts = {name: len(options[name]) for name in ("created_ids", "updated_ids", "failed")}
    entity = {"id": job["id"], "name": options["name"]}
    call.emit("contact.import_completed", "job", entity, metadata={**counts, "dry_run": options["dry_run"]})
    if not options["dry_run"]:
        call.emit("data.imported", "job", entity, metadata={"entity": "contact", **counts})
    return {
        "created_ids": options["created_ids"],
        "updated_ids": options["updated_ids"],
        "error_file_id": error_file,
        "unmapped_columns": options["unmapped"],
        "warnings": options["warnings"],
        "dry_run": options["dry_run"],
    }


def _error_file(call: Context, kept: Document, options: Members) -> str:
    """Store the rows that failed, as a CSV file with a column ``error``; return its id."""
    rows: list[list[Any]] = []
    for number, message, code in options["failed"]:
        row = kept["rows"][number]
        cells = [row] if isinstance(row, str) else [row.get(name) for name in kept["names"]]
        rows.append([*kept_row(call, cells, code), message])
    stem = options["name"].rpartition(".")[0] or options["name"]
    id: str = csv_files.store(call, f"{stem}-errors.csv", [*kept["names"], "error"], rows, shows=["contact"])["id"]
    return id
