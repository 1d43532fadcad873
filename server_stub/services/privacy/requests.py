"""The rules of `client.privacy`: the two requests, the jobs that carry them out, and erasures after a restore."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from crm_sdk.resources.privacy import Privacy

from ... import jobs
from ...data.document import Document
from ...history import audit
from ...problems import Problem
from ...serving import Context, Members, erases_again, runs, serves
from .. import erasures
from ..audit.purging import holds
from ..audit.retention import policies_of
from . import archive
from .erasing import Erasure
from .subjects import PEOPLE, Person, about, check, entity_name, find, person_of

_EXPORT, _ERASE = "privacy_export", "privacy_erase"
_TIME = timedelta(days=30)
"""So long after a request it has to be answered."""


@serves(Privacy.export)
def export(call: Context, subject: Members, format: str, include_files: bool) -> Document:
    """Queue the export of a person's data."""
    _, key = check(call, subject)
    return _start(call, _EXPORT, "Export of a person's data", key, {"subject": subject, "files": include_files})


@serves(Privacy.erase)
def erase(
    call: Context, subject: Members, dry_run: bool, confirm: str | None, reason: str | None, block: bool
) -> Document:
    """Queue the erasure of a person, or the count of what would be erased."""
    wanted, key = check(call, subject)
    if not dry_run and (confirm or "").strip().lower() != wanted.lower():
        message = "this erases a person for good: confirm it with the address, or with the id where there is none"
        raise Problem("CONFIRMATION_REQUIRED", message, field="confirm", rule="required")
    payload = {"subject": subject, "dry_run": dry_run, "reason": reason, "block": block}
    _refuse_running(call, key)
    if not dry_run:
        _refuse_held(call, find(call, subject))
    title = "Count of a person's data" if dry_run else "Erasure of a person"
    return _start(call, _ERASE, title, key, payload)


def _start(call: Context, kind: str, title: str, key: str, payload: Mapping[str, Any]) -> Document:
    _refuse_running(call, key)
    hashed = {**payload, "subject_hash": erasures.hash_of(call, key), "asked_at": call.now}
    return jobs.start(call, kind, hashed, title=title, total=0, status_url="/jobs/{id}", cancellable=kind != _ERASE)


def _refuse_running(call: Context, key: str) -> None:
    hashed = erasures.hash_of(call, key)
    for status in ("queued", "running"):
        for job in call.collection("job").find("status", status):
            if job["kind"] in (_EXPORT, _ERASE) and job["payload"].get("subject_hash") == hashed:
                message = f"{job['id']} is carrying out a request about this person"
                raise Problem("PRIVACY_IN_PROGRESS", message, details={"job_id": job["id"]})


# -- what is kept for legal reasons ------------------------------------------------------------------------------------


def _held_records(call: Context, person: Person) -> list[dict[str, Any]]:
    """Return references to the records of a person that are on legal hold."""
    on_hold = holds(call, policies_of(call))
    found = [*person.identities, *((records.kind, doc) for records, doc in about(call, person))]
    return [
        {"type": entity_name(kind, doc), "id": doc["id"], "name": None}
        for kind, doc in found
        if kind != audit.KIND and on_hold((kind, str(doc.get("kind")), str(doc.get("object"))), doc)
    ]


def _refuse_held(call: Context, person: Person) -> None:
    held = _held_records(call, person)
    if held:
        message = f"{held[0]['id']} is on legal hold: nothing is erased"
        raise Problem("LEGAL_HOLD", message, details={"ids": [one["id"] for one in held]})


# -- the jobs ----------------------------------------------------------------------------------------------------------


@runs(_EXPORT)
def run_export(call: Context, job: Document) -> dict[str, Any]:
    """Put what is known of a person into an archive."""
    payload = job["payload"]
    person = find(call, payload["subject"])
    found = _found_records(call, person)
    file_id = None
    if found:
        file_id = archive.store(call, found, with_files=payload["files"])
    counts = [_count(name, len(docs), kept=len(docs)) for name, docs in found.items()]
    said = {"subject_hash": payload["subject_hash"], "id_hashes": _id_hashes(call, person)}
    entry = call.emit("privacy.exported", "job", _subject(job), metadata=said)
    return _ended_job(job, counts, entry, file_id=file_id, identities=_refs(person), held=_held_records(call, person))


@runs(_ERASE)
def run_erase(call: Context, job: Document) -> dict[str, Any]:
    """Erase a person, or count what would be erased."""
    payload = job["payload"]
    person = find(call, payload["subject"])
    said = {"subject_hash": payload["subject_hash"], "id_hashes": _id_hashes(call, person)}
    subject = _subject(job)
    if payload["dry_run"]:
        entry = audit.write(call, "privacy.read", "job", subject, reason=call.reason, metadata=said)
        counts = [_planned_count(name, len(docs)) for name, docs in _found_records(call, person).items()]
        return _ended_job(job, counts, entry, dry_run=True, identities=_refs(person), held=_held_records(call, person))
    _refuse_held(call, person)
    erasure = Erasure(call, person)
    erasure.carry_out(blocked=payload["block"])
    given = " – ".join(text for text in (call.reason, payload["reason"]) if text)
    call.reason = reason = person.words.without(given) or None
    counts = erasure.counts()
    entry = call.emit("privacy.erased", "job", subject, metadata={**said, "counts": counts})
    return {**_ended_job(job, counts, entry), "reason": reason}


def _subject(job: Document) -> dict[str, Any]:
    """Return what an event says of a request: nothing of who was asked for."""
    left = {name: value for name, value in job.items() if name not in ("payload", "caller", "source", "reason")}
    return {**left, "name": job["title"]}


def _found_records(call: Context, person: Person) -> dict[str, list[tuple[str, Document]]]:
    """Return the records of a person, by the names of their entities."""
    found: dict[str, list[tuple[str, Document]]] = {}
    pointing = ((records.kind, doc) for records, doc in about(call, person))
    for kind, doc in (*person.identities, *pointing):
        found.setdefault(entity_name(kind, doc), []).append((kind, doc))
    return found


def _count(entity: str, found: int, *, erased: int = 0, anonymized: int = 0, kept: int = 0) -> dict[str, Any]:
    return {"entity": entity, "found": found, "erased": erased, "anonymized": anonymized, "kept": kept}


def _planned_count(entity: str, found: int) -> dict[str, Any]:
    return _count(entity, found, kept=found)


def _refs(person: Person) -> list[dict[str, Any]]:
    return [{"type": kind, "id": doc["id"], "name": None} for kind, doc in person.identities]


def _id_hashes(call: Context, person: Person) -> list[str]:
    return sorted(erasures.hash_of(call, doc["id"]) for _, doc in person.identities)


def _ended_job(
    job: Document, counts: list[dict[str, Any]], entry: Document, *, dry_run: bool = False, **members: Any
) -> dict[str, Any]:
    """Return the members of a job that has ended: its report, and no more of who was asked for than a hash."""
    number = sum(one["found"] for one in counts)
    result = {
        "subject_hash": job["payload"]["subject_hash"],
        "records": counts,
        "file_id": None,
        "identities": [],
        "held": [],
        "dry_run": dry_run,
        "audit_id": entry["id"],
        "due_at": job["payload"]["asked_at"] + _TIME,
        **members,
    }
    return {
        "status": "succeeded",
        "result": result,
        "file_id": result["file_id"],
        "payload": {"subject_hash": job["payload"]["subject_hash"]},
        "counts": job["counts"] | {
            "total": number, "processed": number, "succeeded": number,
            "updated": sum(one["anonymized"] for one in counts), "deleted": sum(one["erased"] for one in counts),
        },
    }  # fmt: skip


@erases_again
def erase_again(call: Context) -> int:
    """Erase the people anew whom a restored backup has brought back; return the number of their records."""
    if call.collection(erasures.KIND).first() is None:
        return 0
    back = [
        (kind, doc)
        for kind in PEOPLE
        for doc in call.collection(kind).backwards()
        if erasures.entry_of(call, doc["id"]) is not None
    ]
    if back:
        Erasure(call, person_of(call, back, None)).carry_out(blocked=False)
    return len(back)
