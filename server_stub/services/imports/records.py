"""The rules of importing records of any entity: a job that writes a batch of rows at a step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, cast

from crm_sdk.resources.imports import Imports

from ... import jobs
from ...bulk import error_of
from ...data.document import Document
from ...files import csv_files
from ...files.received import Received
from ...files.table import UnreadableFileError
from ...nouns.entities import Entity
from ...problems import FieldError, Problem, invalid, refuse_any, validation
from ...request.access import permissions
from ...serving import Context, Members, reacts, runs, serves
from ..contacts.files.import_rows import kept_row
from ..objects.keys import check_key
from . import ledger
from .cells import Cells
from .columns import Column
from .fields import Field, Fields
from .opening import Opened, Opener, no_columns
from .rows import COUNTS, Link, Outcome, Work
from .sources import check_encoding, check_names_columns, no_format, source_of

KIND = "import"
KINDS = (KIND, "contact_import")
"""The kinds of the jobs that import, by either door."""
FILE = "import_file"
"""The collection of the rows that an import reads, beside its job, which is written anew at every step."""


def entity_to_import(call: Context, name: str) -> Entity:
    """Return the entity of an import. Raises: 404; 403; 422 UNSUPPORTED_OPERATION."""
    return call.server.entities.named(call, name, "import", "import")


@serves(Imports.create)
def create(
    call: Context,
    entity: str,
    file: Received | None,
    file_id: str | None,
    format: str | None,
    mapping: Sequence[Members] | None,
    mapping_from: str | None,
    mode: str,
    match_on: str | None,
    on_duplicate: str,
    links: Sequence[Members] | None,
    values: Members | None,
    has_header: bool,
    delimiter: str | None,
    encoding: str | None,
    date_format: str | None,
    owner_id: str | None,
    batch_size: int,
    stop_after_errors: int | None,
    retry_of: str | None,
    dry_run: bool,
) -> Document:
    """Begin an import."""
    found = entity_to_import(call, entity)
    source = source_of(call, file, file_id, format)
    if not source.format:
        raise no_format(source.name)
    if encoding is not None:
        check_encoding(encoding)
    before = _earlier(call, retry_of, found, "retry_of") if retry_of is not None else None
    if before is not None and before["payload"].get("checksum") != source.checksum:
        message = f"{before['id']} read another file than {source.name}: import that as a whole"
        raise Problem("IMPORT_FILE_CHANGED", message, field="file", details={"job_id": before["id"]})
    if before is not None and before["status"] not in jobs.ENDED:
        raise invalid("retry_of", "reference", f"{before['id']} has not ended yet")
    told: Members = before["payload"] if before is not None else {}
    if mapping_from is not None:
        if mapping is not None:
            raise invalid("mapping_from", "unique", "give mapping or mapping_from, not both")
        mapping = _mapping_of(_earlier(call, mapping_from, found, "mapping_from"))
    elif mapping is None and before is not None:
        mapping = _mapping_of(before)
    key = check_key(call, found, match_on or told.get("match_on"))
    opener = Opener(call, found)
    given: Members = (values if values is not None else told.get("given_values")) or {}
    owner_id = owner_id or told.get("owner_id")
    constants = opener.constants(given, owner_id)
    payload: dict[str, Any] = {
        "entity": found.name, "name": source.name, "format": source.format, "checksum": source.checksum,
        "mode": mode, "match_on": key, "on_duplicate": on_duplicate, "values": constants,
        "given_values": dict(given), "owner_id": owner_id, "date_format": date_format or told.get("date_format"),
        "dry_run": dry_run,
        "batch_size": batch_size, "stop_after_errors": stop_after_errors, "retry_of": retry_of,
        "links_given": [dict(link) for link in (links if links is not None else told.get("links_given") or ())],
        "created_ids": [], "updated_ids": [], "failed": [], "refused": None, "numbers": None, "read": 0,
    }  # fmt: skip
    rows: list[Any] = []
    numbers: list[int] = []
    try:
        opened = opener.open(
            source, has_header=has_header, delimiter=delimiter, encoding=encoding, mapping=mapping,
            links=payload["links_given"],
        )  # fmt: skip
        refuse(opened.problems)
        if mode == "create":
            _require_fields(opener.fields, opened, constants)
        if not opened.columns and not constants:
            check_names_columns(mapping)
            raise no_columns(opened, found)
    except UnreadableFileError as error:
        payload["refused"] = dict(error_of(Problem("UNREADABLE_FILE", str(error), field="file")))
    else:
        payload |= {
            "headers": opened.headers, "keys": list(opened.table.columns), "mapped": opened.mapping,
            "columns": [asdict(column) for column in opened.columns],
            "links": [_kept_link(link) for link in opened.links],
            "unmapped": opened.unmapped,
        }  # fmt: skip
        too_many = opener.check_size(opened)
        payload["refused"] = dict(error_of(too_many)) if too_many is not None else None
        if too_many is None:
            numbers = _rows_left(before, len(opened.table.rows))
            payload["numbers"] = numbers if before is not None else None
            rows = [row if isinstance(row, str) else dict(row) for row in opened.table.rows]
    title = f"{'Trial import' if dry_run else 'Import'} of {source.name}"
    job = jobs.start(call, KIND, payload, title=title, total=len(numbers), status_url="/jobs/{id}")
    call.collection(FILE).put(Document(id=job["id"], rows=rows, numbers=numbers))
    return job


def refuse(problems: Iterable[Problem]) -> None:
    """Raise the problems of a mapping in one; those of one code have it."""
    found = list(problems)
    if len({one.code for one in found}) > 1:
        refuse_any(found)
    if found:
        raise validation(
            FieldError(entry.field, entry.rule, entry.message, one.code, entry.details)
            for one in found
            for entry in one.entries
        )


def _require_fields(fields: Fields, opened: Opened, constants: Members) -> None:
    """Raise 422 where nothing gives a field that new records need."""
    lacking = fields.missing(opened.field_names(constants), constants.get("kind"))
    if lacking:
        raise validation(
            FieldError(name, "required", "a new record needs it: map a column to it, or give it in values",
                       "REQUIRED_FIELD_MISSING", {"field": name}) for name in lacking
        )  # fmt: skip


def _earlier(call: Context, id: str, entity: Entity, field: str) -> Document:
    """Return an earlier import of the entity. Raises: 422 for one that there is not, or that the caller may not see."""
    job = import_record(call, id)
    if job is None or job["payload"].get("entity") != entity.name:
        message = f"no import of records of the type {entity.name} has the id {id!r}"
        raise Problem("REFERENCE_NOT_FOUND", message, field=field, rule="reference")
    return job


def _mapping_of(job: Document) -> Sequence[Members] | None:
    """Return the mapping that an import used; None of a documented one that was given none."""
    found: Sequence[Members] | None = job["payload"].get("mapped") or job["payload"].get("mapping")
    return found


def import_record(call: Context, id: str) -> Document | None:
    """Return an import by its id; None where there is none, or it is somebody else's and the caller may not see it."""
    job = call.collection("job").get(id)
    if job is None or job["kind"] not in KINDS:
        return None
    return job if may_see(call, job) else None


def may_see(call: Context, job: Members) -> bool:
    """Return whether a job is the caller's own, or the caller may see those of all."""
    own = job["created_by"] in (call.caller.actor_id, call.caller.user_id)
    return own or permissions.scope_for(call.caller, "jobs", "read") == "all"


def _rows_left(before: Document | None, rows: int) -> list[int]:
    """Return the places of the rows that an import reads: all, or those that an earlier one failed or did not read."""
    if before is None or before["payload"]["dry_run"]:
        return list(range(rows))
    payload: Members = before["payload"]
    numbers: Sequence[int] = payload.get("numbers") or range(rows)
    read: int = payload.get("read", before["counts"]["processed"])
    failed: Iterable[int] = (entry[0] for entry in payload["failed"])
    return sorted({*failed, *numbers[read:]})


# -- the job -----------------------------------------------------------------------------------------------------------


def _kept_link(link: Link) -> dict[str, Any]:
    return {
        "key": link.key, "entity": link.entity.name, "match_on": link.match_on, "field": link.field,
        "create_missing": link.create_missing,
    }  # fmt: skip


def _work(call: Context, entity: Entity, payload: Members) -> Work:
    """Return what writes the rows of a step."""
    columns = [Column(**dict[str, Any]({**column, "field": Field(**column["field"])})) for column in payload["columns"]]
    links = [
        Link(**dict[str, Any]({**link, "entity": linked})) for link in payload["links"]
        if (linked := call.server.entities.find(call, link["entity"])) is not None
    ]  # fmt: skip
    cells = Cells.of(call, payload["format"], payload["date_format"])
    return Work(call, entity, Fields(call, entity), columns, links, payload, cells)


class _UndoneError(Exception):
    """Ends the transaction of a batch that is undone: a trial, or one with too many errors."""


@runs(KIND)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Write a batch of rows."""
    payload: dict[str, Any] = dict(job["payload"])
    files = call.collection(FILE)
    kept = files.get(job["id"])
    assert kept is not None, "the rows are kept until the job has ended"
    if payload["refused"] is not None:
        files.remove(job["id"])
        return {"status": "failed", "error": payload["refused"]}
    entity = entity_to_import(call, payload["entity"])
    numbers: list[int] = kept["numbers"]
    at: int = payload["read"]
    batch = numbers[at:] if payload["dry_run"] else numbers[at : at + payload["batch_size"]]
    work = _work(call, entity, payload)
    done: list[Outcome] = []
    most: int | None = payload["stop_after_errors"]
    stopped = False
    try:
        with call.server.store.transaction():
            for number in batch:
                done.append(work.row(number, kept["rows"][number]))
                stopped = done[-1].outcome == "fail" and _is_enough(most, payload, done)
                if stopped:
                    break
            if stopped or payload["dry_run"]:
                raise _UndoneError
            ledger.keep(call, job, work.written)
    except _UndoneError:
        pass
    if stopped:
        done = [one for one in done if one.outcome == "fail"]  # the others of the batch are undone
    return _after(call, job, payload, kept, work, done, stopped=stopped)


def _is_enough(most: int | None, payload: Members, done: Sequence[Outcome]) -> bool:
    return most is not None and len(payload["failed"]) + sum(one.outcome == "fail" for one in done) >= most


def _after(
    call: Context, job: Document, payload: dict[str, Any], kept: Document, work: Work, done: Sequence[Outcome], *,
    stopped: bool,
) -> Mapping[str, Any]:  # fmt: skip
    """Return the job after a batch."""
    counts = tally(job["counts"], done)
    rows = kept["rows"]
    wrong = {one.row: work.errors_of(one, rows[one.row - 1]) for one in done if one.problem is not None}
    payload["failed"] = [*payload["failed"], *([row - 1, errors] for row, errors in wrong.items())]
    if not payload["dry_run"]:
        for outcome, name in (("create", "created_ids"), ("update", "updated_ids")):
            new = [one.id for one in done if one.outcome == outcome]
            payload[name] = [*payload[name], *new]
    if not stopped:
        payload["read"] += len(done)
    changes = {
        "counts": counts,
        "payload": payload,
        "new_errors": [error for errors in wrong.values() for error in errors],
    }
    if payload["read"] < len(kept["numbers"]) and not stopped:
        return changes
    call.collection(FILE).remove(job["id"])
    error_file = _error_file(call, payload, rows) if payload["failed"] else None
    if not payload["dry_run"]:
        _tell(call, job, payload, counts)
    if stopped:
        message = f"{len(payload['failed'])} rows failed, which is where the import was told to stop"
        problem = Problem("TOO_MANY_ERRORS", message, details={"limit": payload["stop_after_errors"]})
        return changes | {"status": "failed", "error": error_of(problem), "file_id": error_file}
    return changes | {"status": "succeeded", "result": _result(payload, error_file), "file_id": error_file}


def tally(counts: Mapping[str, int], done: Iterable[Outcome]) -> dict[str, int]:
    """Return the counts of a job after some rows."""
    new = dict(counts)
    for one in done:
        new["processed"] += 1
        new[COUNTS[one.outcome]] += 1
        if one.outcome in ("create", "update"):
            new["succeeded"] += 1
    return new


def _result(payload: Members, error_file: str | None) -> dict[str, Any]:
    return {
        "created_ids": payload["created_ids"],
        "updated_ids": payload["updated_ids"],
        "error_file_id": error_file,
        "unmapped_columns": payload["unmapped"],
        "warnings": [],
        "dry_run": payload["dry_run"],
    }


def _tell(call: Context, job: Document, payload: Members, counts: Mapping[str, int]) -> None:
    """Publish that records were imported."""
    said = {name: counts[name] for name in ("created", "updated", "skipped", "failed")}
    entity = {"id": job["id"], "name": payload["name"]}
    if payload["entity"] == "contact":
        call.emit("contact.import_completed", "job", entity, metadata={**said, "dry_run": False})
    call.emit("data.imported", "job", entity, metadata={"entity": payload["entity"], **said})


@reacts("job.cancelled")
def end_early(call: Context, entry: Document) -> None:
    """Publish what an import wrote before it was cancelled, and forget the rows that it did not read."""
    job = jobs.job_of(call, entry)
    if job["kind"] not in KINDS:
        return
    if job["id"] in call.collection(FILE):
        call.collection(FILE).remove(job["id"])
    if job["counts"]["processed"] and not job["payload"]["dry_run"]:
        _tell(call, job, job["payload"], job["counts"])


def _error_file(call: Context, payload: Members, rows: Sequence[Members | str]) -> str:
    """Store the rows that failed, as a CSV file: their own columns, and what is wrong with each."""
    lines: list[list[Any]] = []
    for number, errors in cast("list[tuple[int, list[Members]]]", payload["failed"]):
        row = rows[number]
        width = len(payload["keys"])
        cells = [row, *([None] * (width - 1))] if isinstance(row, str) else [row.get(key) for key in payload["keys"]]
        told = ("; ".join(dict.fromkeys(str(error[name] or "") for error in errors)) for name in _TOLD)
        lines.append([*kept_row(call, cells, errors[0]["code"]), number + 1, *told])
    stem = payload["name"].rpartition(".")[0] or payload["name"]
    header = [*payload["headers"], "_row", *(f"_{name}" for name in _TOLD)]
    return str(csv_files.store(call, f"{stem}-errors.csv", header, lines, shows=[payload["entity"]])["id"])


_TOLD = ("field", "code", "message", "value")
