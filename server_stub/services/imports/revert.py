"""The rule of taking an import back: records that it created are deleted, and changed ones get their old values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from crm_sdk.resources.imports import Imports

from ... import jobs
from ...data.document import Document
from ...problems import Problem, missing
from ...serving import Context, runs, serves
from ..contacts.files.import_rows import shown_value
from ..objects.writing import put, remove
from .ledger import KIND, REVERTIBLE, Written, state_of, value_at, written_by
from .records import entity_to_import, import_record, may_see

_KIND = "import_revert"
_AT_ONCE = 500
_MOST = 1_000
"""So many of what was skipped a result lists."""


@serves(Imports.revert)
def revert(call: Context, job_id: str, dry_run: bool) -> Document:
    """Begin to take an import back."""
    job = import_record(call, job_id)
    if job is None:
        raise _gone_import(call, job_id)
    entity_to_import(call, job["payload"]["entity"])
    reason, message = _reason(call, job)
    if reason is not None:
        details = {"reason": reason, "status": job["status"]}
        raise Problem("IMPORT_NOT_REVERTIBLE", f"{job_id} {message}", details=details)
    payload: dict[str, Any] = {
        "import_id": job_id, "entity": job["payload"]["entity"], "name": job["payload"]["name"], "dry_run": dry_run,
        "deleted": 0, "restored": 0, "skipped": [],
    }  # fmt: skip
    title = f"{'Trial revert' if dry_run else 'Revert'} of the import of {job['payload']['name']}"
    made = jobs.start(
        call, _KIND, payload, title=title, total=len(written_by(call, job_id)), status_url="/jobs/{id}",
        entity={"type": "job", "id": job_id, "name": job["title"]},
    )  # fmt: skip
    if not dry_run:
        call.collection("job").put(job | {"payload": {**job["payload"], "reverted_by": made["id"]}})
    return made


def _gone_import(call: Context, id: str) -> Problem:
    """Return the problem of an import that is not there: not any more, or for the caller not at all."""
    part = next(iter(call.collection(KIND).find("job_id", id)), None)
    if part is None or not may_see(call, part):
        return missing("import", id)
    message = f"{id} ended more than {REVERTIBLE.days} days ago"
    return Problem("IMPORT_NOT_REVERTIBLE", message, details={"reason": "too_old", "status": None})


def _reason(call: Context, job: Document) -> tuple[str | None, str]:
    """Return why an import cannot be taken back, in a word and in a sentence; None where it can."""
    if job["payload"]["dry_run"]:
        return "dry_run", "was a dry run: it wrote nothing"
    if job["status"] not in jobs.ENDED:
        return "running", "still runs: cancel it first, or wait"
    if job["finished_at"] + REVERTIBLE <= call.now:
        return "too_old", f"ended more than {REVERTIBLE.days} days ago"
    by = job["payload"].get("reverted_by")
    earlier = call.collection("job").get(by) if by is not None else None
    if by is not None and (earlier is None or earlier["status"] not in ("failed", "cancelled")):
        return "reverted", f"was reverted before, by {by}"
    return None, ""


class _TrialEndedError(Exception):
    """Ends the transaction of a trial."""


@runs(_KIND)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Take back what was written to some records, the last first."""
    payload: dict[str, Any] = {**job["payload"], "skipped": list(job["payload"]["skipped"])}
    written = written_by(call, payload["import_id"])
    at: int = job["counts"]["processed"]
    batch = written[at:] if payload["dry_run"] else written[at : at + _AT_ONCE]
    counts = dict(job["counts"])
    try:
        with call.server.store.transaction():
            for one in batch:
                _count(counts, payload, *_undone(call, one))
            if payload["dry_run"]:
                raise _TrialEndedError
    except _TrialEndedError:
        pass
    changes = {"counts": counts, "payload": payload}
    if counts["processed"] < len(written):
        return changes
    said = {name: payload[name] for name in ("deleted", "restored")}
    if not payload["dry_run"]:
        metadata = {"entity": payload["entity"], "import_id": payload["import_id"], **said,
                    "skipped": len(payload["skipped"])}  # fmt: skip
        call.emit("data.import_reverted", "job", {"id": job["id"], "name": payload["name"]}, metadata=metadata)
    result = {**said, "skipped": payload["skipped"][:_MOST], "dry_run": payload["dry_run"]}
    return changes | {"status": "succeeded", "result": result}


def _count(counts: dict[str, int], payload: dict[str, Any], outcome: str, skipped: list[dict[str, Any]]) -> None:
    counts["processed"] += 1
    payload["skipped"] += skipped
    if outcome == "skipped":
        counts["skipped"] += 1
        return
    payload[outcome] += 1
    counts["succeeded"] += 1
    counts["deleted" if outcome == "deleted" else "updated"] += 1


def _undone(call: Context, one: Written) -> tuple[str, list[dict[str, Any]]]:
    """Take back what was written to a record; return what became of it, and what was left as it is."""
    try:
        with call.server.store.transaction():
            return _delete(call, one) if one.created else _restore(call, one)
    except Problem as problem:
        entry = problem.entries[0]
        return "skipped", [_skipped_record(one, problem.code, problem.message, entry.field)]


def _skipped_record(
    one: Written, code: str, message: str, field: str | None = None, value: Any = None
) -> dict[str, Any]:
    told = None if value is None else shown_value(value)
    return {"row": one.row, "field": field, "code": code, "message": f"{one.id}: {message}", "value": told}


def _delete(call: Context, one: Written) -> tuple[str, list[dict[str, Any]]]:
    doc = call.collection(one.collection).get(one.id)
    if doc is None:
        return "skipped", [_skipped_record(one, "CHANGED_SINCE", "it was deleted, or merged, since")]
    if state_of(call, one.collection, doc) != one.state:
        return "skipped", [_skipped_record(one, "CHANGED_SINCE", "it was changed since, and is kept")]
    entity = call.server.entities.find(call, one.entity)
    if entity is None:
        return "skipped", [_skipped_record(one, "CHANGED_SINCE", f"the entity {one.entity} is gone")]
    remove(call, entity, one.id, None)
    return "deleted", []


def _restore(call: Context, one: Written) -> tuple[str, list[dict[str, Any]]]:
    entity = call.server.entities.find(call, one.entity)
    doc = call.collection(one.collection).get(one.id)
    if doc is None or entity is None:
        return "skipped", [_skipped_record(one, "CHANGED_SINCE", "it was deleted, or merged, since")]
    entity.noun_of(doc).writable(call, one.id)
    same = {path: old for path, (old, new) in one.changes.items() if value_at(doc, path) == new}
    skipped = [
        _skipped_record(one, "CHANGED_SINCE", "it was changed since, and is kept", ".".join(path), value_at(doc, path))
        for path in one.changes if path not in same
    ]  # fmt: skip
    call.ignored = {}
    after = put(call, entity, doc, _nested_values(same)) if same else doc
    changed = after.get("version") != doc.get("version")
    return ("restored" if changed else "skipped"), skipped


def _nested_values(values: Mapping[tuple[str, ...], Any]) -> dict[str, Any]:
    """Return values by their paths as members; objects get the members that changed."""
    found: dict[str, Any] = {}
    for path, value in values.items():
        if len(path) == 1:
            found[path[0]] = value
        else:
            found.setdefault(path[0], {})[path[1]] = value
    return found
