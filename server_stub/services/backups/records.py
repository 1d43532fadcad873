"""The rules of backups as records: make one, take over an archive, list and delete them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from crm_sdk.models.backups import Backup
from crm_sdk.resources.backups import Backups

from ... import jobs
from ...answers import Answer
from ...archives import archive as archives
from ...archives.parts import known_entities
from ...data.document import Document
from ...data.queries.filters import by_time
from ...files.storing import content_of, referenced_file
from ...noun import Noun
from ...problems import Problem, check_entities
from ...request.access.plans import check_limit
from ...request.settings import value_of
from ...serving import Context, Members, reacts, runs, serves
from ...timetable import apart, recurs
from ..changes import positions
from ..files.records import FILES
from . import making
from .counting import BACKUP, UNDER_WAY, counted_backups

RESTORE = "backup_restore"
"""The kind of the jobs that restore."""


def setting(call: Context, key: str) -> Any:
    """Return the value of a setting of backups."""
    return value_of(call.collection, call.caller, f"backup.{key}", call.tenant["plan"])


def _shown_backup(call: Context, backup: Document) -> Document:
    """Return a backup with its position as a cursor of this caller."""
    if backup["number"] is None:
        return backup
    return backup | {"position": positions.position(call, backup["number"], backup["epoch"])}


def require_idle(call: Context) -> None:
    """Raise 409 while a backup or a restore goes on."""
    busy = [
        doc["id"] for status in UNDER_WAY
        for doc in (*call.collection(BACKUP).find("status", status), *_restores(call, status))
    ]  # fmt: skip
    if busy:
        raise Problem("BACKUP_IN_PROGRESS", f"{busy[0]} goes on: wait for its end", details={"id": busy[0]})


def _restores(call: Context, status: str) -> list[Document]:
    return [job for job in call.collection("job").find("status", status) if job["kind"] == RESTORE]


def _may_delete(call: Context, backup: Document) -> None:
    uses = [
        job for status in UNDER_WAY for job in _restores(call, status) if job["payload"]["backup_id"] == backup["id"]
    ]
    if backup["status"] in UNDER_WAY or uses:
        raise Problem(
            "BACKUP_IN_PROGRESS", f"{backup['name']} is in use: wait for the end", details={"id": backup["id"]}
        )
    good = [doc["id"] for doc in call.collection(BACKUP) if doc["status"] == "succeeded"]
    if good == [backup["id"]] and setting(call, "keep") != 0:
        raise Problem("LAST_BACKUP", f"{backup['name']} is the last backup that succeeded")


def _follow(call: Context, before: Document | None, after: Document | None) -> None:
    """Delete the file of a deleted backup."""
    file = making.file_of(call, before) if before is not None and after is None else None
    if file is not None:
        FILES.remove(call, file)


BACKUPS = Noun(
    resource=Backups,
    kind=BACKUP,
    model=Backup,
    own=("create",),
    sorts=("size",),
    filters={"since": by_time("created_at", after=True), "until": by_time("created_at", after=False)},
    permits=lambda call, backup, action: True,  # the call needs backups:manage, and there are no further ones
    may_delete=_may_delete,
    follow=_follow,
    shown=_shown_backup,
    listed=_shown_backup,
)


@serves(Backups.create)
def create(
    call: Context,
    name: str | None,
    include: Sequence[str] | None,
    entity_types: Sequence[str] | None,
    file_id: str | None,
) -> Answer:
    """Begin a backup, or take over an uploaded archive."""
    check_entities(entity_types, known_entities(call.collection))
    file = referenced_file(call, file_id, "file_id") if file_id is not None else None
    require_idle(call)
    check_limit(call.tenant, "backups", len(counted_backups(call)))
    if file is not None:
        return _answer(call, _take_over(call, file, name))
    backup = making.new(call, making.scope_of(include, entity_types), "manual", name=name and name.strip())
    job = jobs.start(
        call, BACKUP, {"backup_id": backup["id"]}, title=f"Backup {backup['name'].removeprefix('Backup ')}", total=0,
        status_url=f"/jobs/{backup['id']}",
        entity={"type": BACKUP, "id": backup["id"], "name": backup["name"]}, cancellable=True,
    )  # fmt: skip
    return _answer(call, call.collection(BACKUP).put(backup | {"job_id": job["id"]}))


def _answer(call: Context, backup: Document) -> Answer:
    return Answer(_shown_backup(call, backup), 202, {"Location": f"/v1/backups/{backup['id']}"})


def _take_over(call: Context, file: Document, name: str | None) -> Document:
    """Make a backup of an uploaded archive, which may be another company's. Raises: 422 INVALID_ARCHIVE."""
    about: Mapping[str, Any] = file["related_to"] or {}
    if about.get("type") == BACKUP:
        there = call.collection(BACKUP).get(about["id"])
        if there is not None:
            raise archives.invalid_archive(f"it is that of {there['id']} already")
    content = content_of(call, file)
    archive = archives.read(content)
    backup = making.new(call, archive.scope, "uploaded", name=name and name.strip())
    about = {"type": BACKUP, "id": backup["id"], "name": backup["name"]}
    FILES.change(call, file, {"related_to": about, "entries": making.readers(call)})
    known: dict[str, Any] = {"file_id": file["id"], "verified_at": call.now}
    epoch, _, number = archive.position.removeprefix("e").partition(".")
    if archive.tenant["id"] == call.caller.tenant_id and number.isdecimal() and int(number) <= positions.latest(call):
        known |= {"epoch": epoch, "number": int(number)}
    return making.end(call, backup, {**archives.facts(archive, content), **known})


@runs(BACKUP)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Make the archive of a backup that was queued."""
    backup = call.record(BACKUP, job["payload"]["backup_id"])
    done = making.make(call, backup | {"started_at": job["started_at"]})
    total = sum(done["counts"].values())
    return {"status": "succeeded", "counts": job["counts"] | dict.fromkeys(("total", "processed", "succeeded"), total)}


@reacts("job.failed")
def end_failed(call: Context, entry: Document) -> None:
    """End a backup that its job could not make."""
    job = jobs.job_of(call, entry)
    backup = call.collection(BACKUP).get(job["payload"]["backup_id"]) if job["kind"] == BACKUP else None
    if backup is not None and backup["status"] in UNDER_WAY:
        call.server.contents.doubtful = True
        error: Members = job["error"]
        problem = Problem(error["code"], error["message"], field=error["field"], details=error["details"])
        making.fail(call, backup | {"started_at": job["started_at"]}, problem)


def cancel(call: Context, backup: Document) -> None:
    """Cancel a backup that has not begun."""
    job = call.collection("job").get(backup["job_id"])
    if job is not None and job["status"] not in jobs.ENDED:
        jobs.cancel(call, job)
    call.update(BACKUP, backup, {"status": "cancelled", "finished_at": call.now})


@recurs("expired backups", every=timedelta(days=1))
def delete_expired(call: Context) -> None:
    """Delete the backups whose time has come."""
    for backup in call.collection(BACKUP).all():
        if backup["expires_at"] is not None and backup["expires_at"] <= call.now:
            with apart(call, backup), suppress(Problem):  # it is the last good one
                BACKUPS.remove(call, backup)
