"""Synchronising with calendars of other programs: events are matched by UID and SEQUENCE, what is newer wins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from crm_sdk.resources.activities import ActivityCalendar

from ...data.document import Document
from ...files.storing import content_of, referenced_file
from ...problems import FieldError, Problem, validation
from ...serving import Context, Members, runs, serves
from .. import company
from ..calendar.records import EVENTS
from ..integrations import runs as sync_runs
from . import icalendars
from .icalendars import Entry
from .records import TASKS

REMOTE = "external_calendar"
"""The kind of the other programs' calendars: by the integration's id, `content` is an iCalendar file."""
_EARLIEST = datetime.min.replace(tzinfo=UTC)


@serves(ActivityCalendar.sync)
def sync(
    call: Context, integration_id: str | None, file_id: str | None, direction: str | None, since: datetime | None
) -> Document:
    """Begin to synchronise with a calendar, or import a file."""
    if (integration_id is None) is (file_id is None):
        message = "say either which calendar to synchronise with, or which file to import"
        raise validation([FieldError("integration_id", "required", message)])
    if file_id is not None:
        return _import(call, referenced_file(call, file_id, "file_id"), since)
    integration = call.reference("integration", integration_id, "integration_id")
    assert integration is not None, "there is an id"
    sync_runs.require_ready(call, integration)
    return sync_runs.begin(
        call, integration, "calendar_sync", {"since": since}, title="Calendar sync",
        direction=direction or "bidirectional", **_PLAIN,
    )  # fmt: skip


_PLAIN: Mapping[str, Any] = {"entity_types": ["activity"], "mode": "full"}


def _import(call: Context, file: Document, since: datetime | None) -> Document:
    """Import a file within the call."""
    entries = icalendars.read(content_of(call, file), company.zone(call))
    tally = _Tally()
    _take(call, entries, tally, since=since)
    run = sync_runs.create(
        call, direction="inbound", status="succeeded", progress=1.0, started_at=call.now, finished_at=call.now,
        counts=tally.counts, errors=tally.errors, **_PLAIN,
    )  # fmt: skip
    call.emit("calendar.synced", "tenant", call.tenant, metadata={"run_id": run["id"], "file_id": file["id"]})
    return run


@runs("calendar_sync")
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Synchronise with a calendar; where that fails the run says so."""
    payload: Members = job["payload"]
    run = call.record("sync_run", payload["run_id"])
    run = call.update("sync_run", run, {"status": "running", "started_at": call.now})
    remote = call.collection(REMOTE).get(run["integration_id"])
    tally = _Tally()
    try:
        entries = icalendars.read(remote["content"], company.zone(call)) if remote is not None else []
    except Problem as problem:
        failed = {"status": "failed", "error": {"code": problem.code, "message": problem.message}}
        call.update("sync_run", run, {**failed, "finished_at": call.now})
        return {"status": "failed", "error": {**failed["error"], "field": None, "details": {}}}  # type: ignore[dict-item] # as a job has it
    if run["direction"] != "outbound":
        _take(call, entries, tally, since=payload["since"], integration_id=run["integration_id"])
    if run["direction"] != "inbound":
        _give(call, run["integration_id"], remote)
    ended = {"status": "succeeded", "progress": 1.0, "finished_at": call.now}
    run = call.update("sync_run", run, {**ended, "counts": tally.counts, "errors": tally.errors})
    integration = call.record("integration", run["integration_id"])
    call.collection("integration").put(integration | {"last_sync": call.now})
    call.emit("calendar.synced", "integration", integration, metadata={"run_id": run["id"]})
    return {"status": "succeeded", "counts": {**job["counts"], "total": 1, "processed": 1, "succeeded": 1}}


@dataclass
class _Tally:
    """What became of the entries of a calendar."""

    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(sync_runs.COUNTS, 0))
    errors: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def count(self, what: str) -> None:
        """Count an entry that was created, updated, deleted, skipped or that failed."""
        self.counts[what] += 1
        self.counts["processed"] += 1
        self.counts["succeeded"] += what not in ("failed", "skipped")

    def fail(self, row: int, code: str, message: str, name: str | None, value: str) -> None:
        """Note why an entry could not be taken."""
        self.count("failed")
        self.errors.append({"row": row, "field": name, "code": code, "message": message, "value": value})


def _take(
    call: Context, entries: Sequence[Entry], tally: _Tally, *, since: datetime | None, integration_id: str | None = None
) -> None:
    """Write what a calendar says, series before what stands for one occurrence of them; deletions follow."""
    tally.counts["total"] = len(entries)
    seen: set[str] = set()
    ordered = sorted(enumerate(entries, 1), key=lambda pair: pair[1].recurrence_id or _EARLIEST)
    for row, entry in ordered:
        seen.add(entry.uid)
        if entry.problem is not None:
            tally.fail(row, "VALIDATION_ERROR", entry.problem, None, entry.uid)
            continue
        begins: datetime | None = entry.members.get("start_time")
        if since is not None and begins is not None and begins < since and "recurrence" not in entry.members:
            tally.count("skipped")
            continue
        try:
            with call.server.store.transaction():
                what = _take_event(call, entry, integration_id) if entry.kind == "event" else _take_task(call, entry)
        except Problem as problem:
            tally.fail(row, problem.code, problem.message, problem.field, entry.uid)
        else:
            tally.count(what)
    if integration_id is not None:
        gone = [
            doc
            for doc in call.collection("activity").find("integration_id", integration_id)
            if doc["kind"] == "event" and doc["uid"] not in seen and (since is None or doc["start_time"] >= since)
        ]
        for doc in gone:
            try:
                EVENTS.remove(call, EVENTS.writable(call, doc["id"], "delete"))
                tally.counts["deleted"] += 1
            except Problem as problem:
                tally.fail(0, problem.code, problem.message, None, str(doc["uid"]))


def _take_event(call: Context, entry: Entry, integration_id: str | None) -> str:
    """Create, change or delete the event of an entry; one that is newer here stays."""
    known = [doc for doc in call.collection("activity").find("uid", entry.uid) if doc["kind"] == "event"]
    whole = next((doc for doc in known if doc.get("original_start") is None), None)
    at = entry.recurrence_id
    doc = next((doc for doc in known if doc.get("original_start") == at), None) if at is not None else whole
    if doc is not None and not _is_newer(entry, doc):
        return "skipped"
    if doc is not None:
        EVENTS.writable(call, doc["id"], "delete" if entry.cancelled else "update")
    if entry.cancelled:
        if doc is not None:
            EVENTS.remove(call, doc)
        if at is not None and whole is not None:
            EVENTS.change(call, whole, {"exdates": sorted({*whole["exdates"], at})})
        return "deleted" if doc is not None or at is not None else "skipped"
    if doc is not None:
        apart = [
            one["original_start"] for one in known if one.get("original_start") and one.get("series_id") == doc["id"]
        ]
        members = {"exdates": sorted({*entry.exdates, *apart}), "recurrence": None, **entry.members}
        changes = EVENTS.stored_form(call, {k: v for k, v in members.items() if v != [] or k == "exdates"}, doc)
        new = EVENTS.change(call, doc, {**changes, "sequence": entry.sequence})
        return "updated" if new is not doc else "skipped"
    own: dict[str, Any] = {"uid": entry.uid, "sequence": entry.sequence, "exdates": sorted(entry.exdates)}
    if at is not None:
        own |= {"original_start": at, "series_id": whole["id"] if whole is not None else None}
        if whole is not None:
            EVENTS.change(call, whole, {"exdates": sorted({*whole["exdates"], at})})
    members = {
        **entry.members,
        **own,
        "source": "sync" if integration_id else "import",
        "integration_id": integration_id,
    }
    EVENTS.add(call, EVENTS.stored_form(call, members))
    return "created"


def _is_newer(entry: Entry, doc: Members) -> bool:
    """Tell whether what a calendar says is newer than what is here: by its SEQUENCE, then by when it was changed."""
    here = doc.get("sequence") or 0
    if entry.sequence != here:
        return entry.sequence > here
    return entry.changed_at is None or entry.changed_at > doc["updated_at"]


def _take_task(call: Context, entry: Entry) -> str:
    """Create, change or delete the task of an entry, which is known by its UID as `external_id`."""
    known = [doc for doc in call.collection("activity").find("external_id", entry.uid) if doc["kind"] == "task"]
    if known:
        doc = TASKS.writable(call, known[0]["id"])
        if entry.changed_at is not None and entry.changed_at <= doc["updated_at"]:
            return "skipped"
        new = TASKS.change(call, doc, TASKS.stored_form(call, entry.members, doc))
        return "updated" if new is not doc else "skipped"
    TASKS.add(call, TASKS.stored_form(call, {**entry.members, "external_id": entry.uid, "source": "import"}))
    return "created"


def _give(call: Context, integration_id: str, remote: Document | None) -> None:
    """Write the caller's events into the other calendar, beside what is only there."""
    ours = [
        doc
        for doc in call.collection("activity").find("kind", "event")
        if doc["owner_id"] == call.caller.user_id or doc.get("integration_id") == integration_id
    ]
    there = remote["content"] if remote is not None else None
    ours.sort(key=lambda doc: (doc["start_time"], doc["id"]))
    call.collection(REMOTE).put(Document(id=integration_id, content=icalendars.write(ours, beside=there)))
