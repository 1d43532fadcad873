"""The rules of importing contacts: a job that reads a file and writes its rows, fifty at a step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_sdk.resources.contact_imports import ContactImports
from crm_sdk.wire import snake

from ... import jobs
from ...bulk import error_of
from ...data import csv_files
from ...data.document import Document
from ...data.normalise import person_name
from ...problems import FieldError, Problem, invalid, missing
from ...serving import Context, Members, runs, serves
from .columns import Column, check_mapping, members_of, plan
from .files import FORMATS, UnreadableFileError, read
from .records import CONTACTS, change, create_new, key_of
from .validation import read_changes, read_new

_ROWS_A_STEP = 50
_KIND = "contact_import"


class _TrialEndedError(Exception):
    """Ends the transaction of a row that was only tried."""


@serves(ContactImports.create)
def create(
    call: Context,
    file: tuple[str, bytes] | None,
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
    if (file is None) == (file_id is None):
        raise invalid("file", "required", "give exactly one of file and file_id")
    if file is not None:
        name, content = file
    else:
        stored = call.reference("file", file_id, "file_id")
        assert stored is not None, "an id was given"
        name, content = stored["name"], stored.get("content") or b""
    kind = format or FORMATS.get(name.rpartition(".")[2].lower())
    if kind is None:
        raise invalid("format", "required", f"the name {name!r} does not tell the format: give csv, xlsx, jsonl or vcf")
    if len(delimiter) != 1:
        raise invalid("delimiter", "length", "a delimiter is one character")
    try:
        "".encode(encoding)  # a codec that makes no bytes of a text is a LookupError, too
    except (LookupError, ValueError):
        raise invalid("encoding", "choice", f"there is no encoding {encoding!r}") from None
    check_mapping(mapping or ())
    call.reference("user", owner_id, "owner_id")
    payload = {
        "name": name, "format": kind, "mapping": None if mapping is None else [dict(entry) for entry in mapping],
        "mode": mode, "match_on": match_on, "on_duplicate": on_duplicate, "has_header": has_header,
        "delimiter": "\t" if name.lower().endswith(".tsv") and delimiter == "," else delimiter, "encoding": encoding,
        "date_format": date_format, "owner_id": owner_id, "tags": list(tags or ()), "dry_run": dry_run,
        "created_ids": [], "updated_ids": [], "failed": [], "seen": [], "unmapped": [],
    }  # fmt: skip
    title = f"{'Trial import' if dry_run else 'Import'} of {name}"
    job = jobs.start(call, _KIND, payload, title=title, total=0, status_url="/contacts/import/{id}")
    # The file is kept beside the job, which is written anew at every step.
    call.collection("import_file").put(Document(id=job["id"], content=content))
    return job


@serves(ContactImports.get)
def get(call: Context, job_id: str) -> Document:
    """Return how far an import is."""
    job = call.record("job", job_id)
    if job["kind"] != _KIND:
        raise missing("import", job_id)
    return job


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
    work = _Work(call, options, columns)
    for number in range(done, min(done + _ROWS_A_STEP, counts["total"])):
        outcome = work.row(number, kept["rows"][number])
        counts["processed"] += 1
        counts[outcome] += 1
        if outcome in ("created", "updated"):
            counts["succeeded"] += 1
    changes = {"counts": counts, "new_errors": work.errors, "payload": work.options}
    if counts["processed"] < counts["total"]:
        return changes
    files.remove(job["id"])
    return changes | {"status": "succeeded", "result": _result(call, job, kept, work.options)}


def _open(kept: Document, options: Members) -> tuple[Document, Members]:
    table = read(
        options["format"],
        kept["content"],
        has_header=options["has_header"],
        delimiter=options["delimiter"],
        encoding=options["encoding"],
    )
    columns, unmapped = plan(table.columns, options["mapping"])
    if not columns:
        raise UnreadableFileError(
            f"none of the columns {', '.join(table.columns)} belongs to a contact; give a mapping"
        )
    shown = [{"column": c.column, "field": c.field, "transform": c.transform, "default": c.default} for c in columns]
    rows = [row if isinstance(row, str) else dict(row) for row in table.rows]
    return Document(id=kept["id"], names=list(table.columns), columns=shown, rows=rows), {
        **options,
        "unmapped": unmapped,
    }


class _Work:
    """The rows of one step, and what came of them."""

    def __init__(self, call: Context, options: Members, columns: Sequence[Column]) -> None:
        self._call = call
        self._columns = columns
        self.errors: list[dict[str, Any]] = []
        lists = ("created_ids", "updated_ids", "failed", "seen")
        self.options: dict[str, Any] = {**options, **{name: list(options[name]) for name in lists}}

    def row(self, number: int, row: Members | str) -> str:
        """Write one row; return what it counts as."""
        try:
            if isinstance(row, str):
                raise Problem("VALIDATION_ERROR", row, rule="format")
            members = members_of(row, self._columns, self.options["date_format"])
            return self._create_or_update(members)
        except Problem as problem:
            for entry in problem.entries:
                self.errors.append(self._error(number, entry, row))
            self.options["failed"].append([number, problem.message])
            return "failed"

    def _create_or_update(self, members: dict[str, Any]) -> str:
        """Create or update; a trial is undone, but for what it tells of the rows after it."""
        options, call = self.options, self._call
        key = key_of(call, members | {"external_id": members.get("externalId")}, options["match_on"])
        outcome, id = "skipped", None
        try:
            with call.server.store.transaction():
                outcome, doc = self._save(members, key)
                id = doc["id"] if doc is not None else None
                if options["dry_run"]:
                    raise _TrialEndedError
        except _TrialEndedError:
            if outcome == "created" and key is not None:
                options["seen"].append(key)
            return outcome
        if id is not None:
            options[f"{outcome}_ids"].append(id)
        return outcome

    def _save(self, members: dict[str, Any], key: str | None) -> tuple[str, Document | None]:
        options, call = self.options, self._call
        name = options["match_on"]
        existing = CONTACTS.matching(call, name, key) if key is not None else None
        members.pop("id", None)
        if options["owner_id"]:
            members["ownerId"] = options["owner_id"]
        tags = [*members.get("tags", []), *options["tags"]]
        before = key in options["seen"]
        if existing is None and not before:
            if options["mode"] == "update":
                raise Problem("NOT_FOUND", f"no contact has the {name} {key!r}", field=name)
            members |= {"tags": tags} if tags else {}
            full = person_name({snake(part): members.get(part) for part in ("name", "firstName", "lastName")})
            return "created", create_new(call, read_new(members | ({"name": full} if full else {}), typed=False))
        policy = options["on_duplicate"]
        if options["mode"] == "create" and policy == "update":
            policy = "skip"  # nothing is updated by an import that only creates
        if policy == "skip":
            return "skipped", None
        if policy == "fail":
            details = {"existing_id": existing["id"]} if existing is not None else {}
            raise Problem(
                "CONTACT_EXISTS",
                f"a contact has the {name} {key!r} already",
                field=name,
                rule="unique",
                details=details,
            )
        if existing is None:
            read_changes(members, typed=False)
            return "updated", None
        if tags:
            members["tags"] = [*(existing.get("tags") or ()), *tags]
        return "updated", change(call, existing["id"], read_changes(members, typed=False))

    def _error(self, number: int, entry: FieldError, row: Members | str) -> dict[str, Any]:
        field = entry.field
        at = next((c.column for c in self._columns if field and c.field in (field, field.partition(".")[0])), None)
        value = row if isinstance(row, str) else row.get(at) if at is not None else None
        return {
            "row": number + 1,
            "field": field,
            "code": entry.code,
            "message": entry.message,
            "value": None if value is None else str(value)[:200],
        }


def _result(call: Context, job: Document, kept: Document, options: Members) -> dict[str, Any]:
    error_file = _error_file(call, kept, options) if options["failed"] else None
    counts = {name: len(options[name]) for name in ("created_ids", "updated_ids", "failed")}
    entity = {"id": job["id"], "name": options["name"]}
    call.emit("contact.import_completed", "job", entity, metadata={**counts, "dry_run": options["dry_run"]})
    return {
        "created_ids": options["created_ids"],
        "updated_ids": options["updated_ids"],
        "error_file_id": error_file,
        "unmapped_columns": options["unmapped"],
        "dry_run": options["dry_run"],
    }


def _error_file(call: Context, kept: Document, options: Members) -> str:
    """Store the rows that failed, as a CSV file with a column ``error``; return its id."""
    rows: list[list[Any]] = []
    for number, message in options["failed"]:
        row = kept["rows"][number]
        rows.append([*([row] if isinstance(row, str) else [row.get(name) for name in kept["names"]]), message])
    stem = options["name"].rpartition(".")[0] or options["name"]
    id: str = csv_files.store(call, f"{stem}-errors.csv", [*kept["names"], "error"], rows)["id"]
    return id
