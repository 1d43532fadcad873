"""The demo backups: by hand before something larger, one that failed, last night's, and when the next is due.

An archive has the records as they were when it was made: without what came later, and without links to it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from crm_sdk.models.backups import Backup
from crm_sdk.models.files import File
from crm_sdk.wire import is_array, is_object

from ..archives import archive as archives
from ..archives.parts import USUAL, Scope
from ..data.blanks import blank
from ..data.document import Document
from ..data.schedules import next_time
from ..data.store import Store
from ..files.storing import FILE, VERSION
from .setup.company import ACME, Plan

_NIGHTLY: Mapping[str, Any] = {"frequency": "daily", "at": "02:00"}
_BORN = ("created_at", "at")
"""The members with the time from which on a record is there."""


def put_schedule(store: Store, plan: Plan, now: datetime) -> None:
    """Put when a company's next backup is due: at two o'clock in its time zone."""
    next_at = next_time(_NIGHTLY, now, ZoneInfo(plan.timezone))
    store.collection(plan.id, "backup_schedule").put(Document(id="backup_schedule", next_at=next_at))


def backups(store: Store, plan: Plan, now: datetime, read_content: Callable[[str], bytes]) -> Iterator[bytes]:
    """Put the backups of a company, oldest first, and yield the contents of their archives."""
    admin = plan.users[0].id
    full = {
        "code": "LIMIT_EXCEEDED", "field": None, "rule": None, "details": {"key": "storage_bytes"},
        "message": "the plan allowed fewer bytes of files than the archive has",
    }  # fmt: skip
    _put(
        store, plan, now - timedelta(days=41, hours=3), "First try", Scope(USUAL),
        {"created_by": admin, "status": "failed", "error": full},
    )  # fmt: skip
    for back, name, scope in (
        (timedelta(days=24, hours=4), "Before the new stages", Scope(("configuration",))),
        (timedelta(days=4, hours=6), "Before the import of partners", Scope(("data",), ("account",))),
    ):
        yield _make(store, plan, now - back, name, scope, read_content, {"created_by": admin})
    night = next_time(_NIGHTLY, now - timedelta(days=1), ZoneInfo(plan.timezone))
    if night is not None and plan is ACME:  # an archive of everything takes time to make, at every start
        more = {"created_by": "system", "trigger": "scheduled"}
        yield _make(store, plan, night, f"Backup {night:%Y-%m-%d %H:%M}", Scope(USUAL), read_content, more)


def _make(
    store: Store,
    plan: Plan,
    at: datetime,
    name: str,
    scope: Scope,
    read_content: Callable[[str], bytes],
    more: Mapping[str, Any],
) -> bytes:
    """Put a backup that succeeded, and the file with its archive, whose content is returned."""
    tenant = store.collection(plan.id, "tenant").get(plan.id) or Document(id=plan.id)
    parts, deleted = archives.parts_of(partial(store.collection, plan.id), scope)
    archive = archives.archive_of(_then(parts, at), deleted, scope, "e0.0", tenant, store, read_content)
    content = archives.write(archive, {"name": name, "created_at": at.isoformat()})
    facts = archives.facts(archive, content)
    known = {**facts, **more, "epoch": "0", "number": 0}  # of an earlier epoch: no feed leads on from there
    backup = _put(store, plan, at, name, scope, {**known, "file_id": store.new_id("file_")})
    _put_file(store, plan, backup, f"{plan.slug}-{at:%Y%m%d-%H%M%S}.zip")
    return content


def _put(store: Store, plan: Plan, at: datetime, name: str, scope: Scope, members: Mapping[str, Any]) -> Document:
    """Put a backup that has ended."""
    usual: dict[str, Any] = {
        "id": store.new_id("backup_"), "created_at": at, "updated_at": at, "version": 2, "progress": 1.0,
        "started_at": at, "finished_at": at, "name": name, "trigger": "manual", "include": list(scope.include),
        "entity_types": list(scope.entity_types) if scope.entity_types is not None else None,
        "tenant_slug": plan.slug, "epoch": None, "number": None,
    }  # fmt: skip
    return store.collection(plan.id, "backup").put(Document({**blank(Backup), **usual, **members}))


def _put_file(store: Store, plan: Plan, backup: Document, name: str) -> None:
    """Put the file with the archive of a backup, which administrators read."""
    id, at, by = backup["file_id"], backup["created_at"], backup["created_by"]
    same: dict[str, Any] = {
        "created_at": at, "created_by": by, "name": name, "content_type": "application/zip", "encoding": None,
        "size": backup["size"], "checksum": backup["checksum"], "revision": 1,
    }  # fmt: skip
    file = {
        **blank(File), **same, "id": id, "updated_at": at, "version": 1, "url": f"/v1/files/{id}/download",
        "folder": "/backups", "owner_id": by if by != "system" else None, "visibility": "private",
        "related_to": {"type": "backup", "id": backup["id"], "name": backup["name"]},
        "entries": [{"subject_type": "role", "subject_id": "admin", "access": "manage"}],
        "made_of": {"shows": ["*"], "hidden": []},
    }  # fmt: skip
    store.collection(plan.id, FILE).put(Document(file))
    version = {**same, "id": store.new_id("filever_"), "file_id": id, "comment": None}
    store.collection(plan.id, VERSION).put(Document(version))


def _then(parts: Sequence[archives.Part], at: datetime) -> list[archives.Part]:
    """Return the records that there were at a time, with what they knew then."""
    later = {doc["id"] for part in parts for doc in part.docs if any((doc.get(name) or at) > at for name in _BORN)}
    then = [
        replace(part, docs=[_earlier(doc, at, later) for doc in part.docs if doc["id"] not in later]) for part in parts
    ]
    return [part for part in then if part.docs]


def _earlier(doc: Document, at: datetime, later: set[str]) -> Document:
    """Return a record as of a time: without links to what came later, and not changed since."""
    changes = _without_later_members(doc, later)
    if doc.get("updated_at") is not None and doc["updated_at"] > at:
        changes["updated_at"] = doc.get("created_at") or at
    return doc | changes if changes else doc


def _without_later_members(members: Mapping[str, Any], later: set[str]) -> dict[str, Any]:
    """Return the members that name a later record, at any depth, as they are without it."""
    changes: dict[str, Any] = {}
    for name, value in members.items():
        if type(value) is str:
            if value in later:
                changes[name] = None
        elif isinstance(value, (dict, list)) and (known := _without_later(value, later)) is not value:
            changes[name] = known
    return changes


def _without_later(value: Any, later: set[str]) -> Any:
    """Return a value without what names a later record, at every depth; the value itself where nothing does."""
    if type(value) is str:
        return None if value in later else value
    if is_object(value):
        changes = _without_later_members(value, later)
        return None if value.get("id") in later else {**value, **changes} if changes else value
    if is_array(value):
        known = [_without_later(item, later) for item in value]
        if all(new is old for new, old in zip(known, value, strict=True)):
            return value
        return [new for new, old in zip(known, value, strict=True) if new is not None or old is None]
    return value
