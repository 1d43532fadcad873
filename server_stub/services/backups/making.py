"""How a backup is made: its record, its archive as a file, and who may read that."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from crm_sdk.models.backups import Backup

from ...archives import archive as archives
from ...archives.parts import INCLUDES, USUAL, Scope
from ...bulk import error_of
from ...data.blanks import blank
from ...data.document import Document
from ...files.storing import FILE, store_bytes
from ...problems import Problem
from ...serving import Context, Members
from ..changes import positions
from ..files.limits import require_room
from .counting import BACKUP

FOLDER = "/backups"
SAFETY_KEPT = timedelta(days=30)
"""How long a backup is kept that was made before everything was replaced."""


def scope_of(include: Sequence[str] | None, entity_types: Sequence[str] | None) -> Scope:
    """Return what is in a backup, in one order however it was given."""
    given = USUAL if include is None else include
    wanted = None if entity_types is None else list(dict.fromkeys(entity_types))
    return Scope([name for name in INCLUDES if name in given], wanted)


def new(call: Context, scope: Scope, trigger: str, **members: Any) -> Document:
    """Store a backup that is yet to be made."""
    at = f"{call.now:%Y-%m-%d %H:%M}"
    plain: dict[str, Any] = {
        "name": f"Backup {at}",
        "trigger": trigger,
        "include": list(scope.include),
        "entity_types": list(scope.entity_types) if scope.entity_types is not None else None,
        "status": "queued",
        "progress": 0.0,
        "tenant_slug": call.tenant["slug"],
        "epoch": None,
        "number": None,
    }
    given = {name: value for name, value in members.items() if value is not None}
    return call.create(BACKUP, "backup_", {**blank(Backup), **plain, **given})


def make(call: Context, backup: Document) -> Document:
    """Make the archive of a backup: the records as they are now. Raises: 403, 422 where there is no room for it."""
    number, epoch = positions.latest(call), positions.epoch(call)
    archive = archives.taken_archive(call, Scope(backup["include"], backup["entity_types"]), f"e{epoch}.{number}")
    content = archives.write(archive, {"name": backup["name"], "created_at": call.now.isoformat()})
    if backup["trigger"] != "safety":
        require_room(call, len(content))
    name = f"{call.tenant['slug']}-{call.now:%Y%m%d-%H%M%S}.zip"
    about = {"type": "backup", "id": backup["id"], "name": backup["name"]}
    file = store_bytes(call, name, content, folder=FOLDER, related_to=about, entries=readers(call), hidden=())
    return end(
        call, backup, {**archives.facts(archive, content), "epoch": epoch, "number": number, "file_id": file["id"]}
    )


def end(call: Context, backup: Document, members: Members) -> Document:
    """Store the end of a backup, and publish it."""
    done: dict[str, Any] = {
        "started_at": backup["started_at"] or call.now, "finished_at": call.now, **members,
    }  # fmt: skip
    if members["status"] == "succeeded":
        done["progress"] = 1.0
    ended = call.update(BACKUP, backup, done)
    event = "backup.completed" if ended["status"] == "succeeded" else "backup.failed"
    call.emit(event, BACKUP, ended, metadata={"trigger": ended["trigger"], "size": ended["size"]})
    return ended


def fail(call: Context, backup: Document, problem: Problem) -> Document:
    """Store that a backup could not be made."""
    return end(call, backup, {"status": "failed", "error": error_of(problem)})


def readers(call: Context) -> list[dict[str, Any]]:
    """Return the permissions of the file with an archive: everybody who may manage backups reads it."""
    roles = ["admin"]
    for role in call.collection("role"):
        held: Sequence[Mapping[str, Any]] = role.get("permissions") or ()
        if any(one["resource"] == "backups" and one["action"] == "manage" for one in held):
            roles.append(role["id"])
    return [{"subject_type": "role", "subject_id": role, "access": "manage"} for role in dict.fromkeys(roles)]


def file_of(call: Context, backup: Members) -> Document | None:
    """Return the file with the archive of a backup; None where it is gone."""
    return call.collection(FILE).get(backup["file_id"]) if backup["file_id"] is not None else None


def archive_of(call: Context, backup: Members) -> archives.Archive:
    """Read the archive of a backup whole. Raises: BACKUP_CORRUPT where anything of it is not as it was written."""
    file = file_of(call, backup)
    if file is None:
        raise Problem("BACKUP_CORRUPT", f"the archive of {backup['name']} is gone: its file was deleted")
    try:
        content = call.server.contents.read(file["checksum"])
    except FileNotFoundError:
        raise Problem("BACKUP_CORRUPT", f"the content of {file['name']} is gone") from None
    if hashlib.sha256(content).hexdigest() != backup["checksum"]:
        message = f"{file['name']} is not what was written: its checksum is another one"
        raise Problem("BACKUP_CORRUPT", message, details={"checksum": backup["checksum"]})
    try:
        return archives.read(content)
    except Problem as problem:
        raise Problem("BACKUP_CORRUPT", problem.message) from None
