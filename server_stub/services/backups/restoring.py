"""The rules of restoring: what is asked for, the check of the archive, and the three ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

from crm_sdk.resources.backups import Backups

from ... import jobs
from ...archives.archive import Archive
from ...archives.parts import USUAL, Scope
from ...data.document import Document
from ...data.store import Store
from ...problems import Problem, check_entities
from ...serving import Context, runs, serves
from ...timetable import plan
from . import making
from .comparing import differences
from .counting import BACKUP
from .merging import merge
from .placing import Restored, make_room
from .records import BACKUPS, RESTORE, require_idle
from .swapping import swap

_CONFLICTS = 1_000


@serves(Backups.restore)
def restore(
    call: Context, backup_id: str, mode: str, entity_types: Sequence[str] | None, confirm: str | None
) -> Document:
    """Queue the restore of a backup."""
    backup = BACKUPS.find_one(call, backup_id)
    if backup["status"] == "succeeded":
        scope = Scope(backup["include"], backup["entity_types"])
        check_entities(entity_types, sorted({*scope.entities(), *backup["counts"]}))
    if mode == "replace" and confirm != call.tenant["slug"]:
        message = f"this replaces the records of {call.tenant['name']}: confirm with its slug"
        raise Problem("CONFIRMATION_REQUIRED", message, field="confirm", rule="required")
    if backup["status"] != "succeeded":
        raise Problem(
            "BACKUP_NOT_READY", f"{backup['name']} is {backup['status']}", details={"status": backup["status"]}
        )
    require_idle(call)
    total = sum(backup["counts"].values())
    return jobs.start(
        call, RESTORE,
        {"backup_id": backup["id"], "mode": mode, "entity_types": list(entity_types) if entity_types else None},
        title=f"{'Drill' if mode == 'drill' else 'Restore'} of {backup['name']}", total=total,
        status_url="/jobs/{id}", entity={"type": BACKUP, "id": backup["id"], "name": backup["name"]},
        cancellable=mode != "replace",
    )  # fmt: skip


@runs(RESTORE)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Restore a backup, all of it or nothing: what fails on the way undoes what was written."""
    began, payload = perf_counter(), job["payload"]
    backup, mode = call.record(BACKUP, payload["backup_id"]), payload["mode"]
    whole = making.archive_of(call, backup).at_home(call.caller.tenant_id)
    archive = _within(whole, payload["entity_types"])
    if mode != "drill":
        make_room(call, archive)
    safety: Document | None = None
    told = differences(call, archive) if mode == "drill" else []
    if mode == "drill":
        done = _tried_restore(call, archive)
    elif mode == "merge":
        done = merge(call, archive)
    else:
        scope = making.scope_of([*USUAL, *archive.scope.include], None)
        safety = making.make(call, making.new(call, scope, "safety", expires_at=call.now + making.SAFETY_KEPT))
        done = swap(call, call.collection, archive)
        call.server.begin_epoch(call.caller.tenant_id)
    erased = 0
    if mode != "drill":
        for content in archive.contents.values():
            call.server.contents.keep_bytes(content)
        erased = sum(erase(call) for erase in call.server.erasing)
        for appointment in call.server.timetable.appointments:
            plan(call.collection, appointment)
    verified = call.collection(BACKUP).put(call.record(BACKUP, backup["id"]) | {"verified_at": call.now})
    result = {
        "mode": mode,
        "verified": True,
        "restored": dict(done.written),
        "unchanged": dict(done.unchanged),
        "conflicts": done.conflicts[:_CONFLICTS],
        "missing_references": done.missing,
        "re_erased": erased,
        "safety_backup_id": safety["id"] if safety is not None else None,
        "duration_seconds": round(perf_counter() - began, 3),
        "differences": told,
    }
    if mode != "drill":
        said = {"mode": mode, "job_id": job["id"], "restored": result["restored"]}
        call.emit(
            "backup.restored", BACKUP, verified, metadata={**said, "safety_backup_id": result["safety_backup_id"]}
        )
    counts = {
        "total": sum(archive.counts.values()), "processed": sum(archive.counts.values()),
        "succeeded": sum(done.written.values()) + sum(done.unchanged.values()),
        "failed": len(done.conflicts), "skipped": sum(done.unchanged.values()),
    }  # fmt: skip
    return {"status": "succeeded", "result": result, "counts": job["counts"] | counts}


def _within(archive: Archive, entity_types: Sequence[str] | None) -> Archive:
    """Return an archive with some of its entities only."""
    if entity_types is None:
        return archive
    scope = Scope(archive.scope.include, entity_types)
    kinds = {kind.name: kind for kind in scope.kinds()}

    def has(name: str, doc: Document) -> bool:
        return name in kinds and scope.has(kinds[name], doc)

    parts = [part for part in archive.parts if part.docs and all(has(part.kind, doc) for doc in part.docs)]
    deleted = {kind: [doc for doc in docs if has(kind, doc)] for kind, docs in archive.deleted.items()}
    sums = {doc["checksum"] for part in parts if part.kind == "file_version" for doc in part.docs}
    return Archive(
        archive.tenant, archive.position, scope, parts, {kind: docs for kind, docs in deleted.items() if docs},
        archive.series, archive.company if scope.has_company else None,
        {checksum: content for checksum, content in archive.contents.items() if checksum in sums},
    )  # fmt: skip


def _tried_restore(call: Context, archive: Archive) -> Restored:
    """Restore into a copy of the store, count what arrives, and throw the copy away."""
    store = Store()
    store.restore(call.server.store.snapshot())
    tenant_id = call.caller.tenant_id
    done = swap(call, lambda kind: store.collection(tenant_id, kind), archive)
    for kind in {part.kind for part in archive.parts}:
        wanted, there = {doc["id"] for doc in archive.of_kind(kind)}, store.collection(tenant_id, kind)
        lacking = [id for id in wanted if id not in there and id not in done.left_out]
        if lacking:
            raise Problem("BACKUP_CORRUPT", f"{lacking[0]} of the archive cannot be restored")
    return done
