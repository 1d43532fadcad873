"""What an import wrote, record by record, so that it can be taken back: beside the job, a part for each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from hashlib import blake2b
from typing import Any

from crm_sdk.wire import encode_json, is_object

from ...data.document import Document
from ...data.merging import EMPTY, differences
from ...request.reading.json_types import input_hints
from ...serving import Context
from ...timetable import apart, recurs

KIND = "import_ledger"
"""The collection of the parts."""
REVERTIBLE = timedelta(days=30)
"""So long after its end an import can be taken back."""


def entry_of(
    call: Context, entity: str, collection: str, row: int, before: Mapping[str, Any] | None, id: str
) -> dict[str, Any]:
    """Return what a row did to a record: `before` is the record before it, None for a new one."""
    after = call.collection(collection).get(id) or Document(id=id)
    return {
        "entity": entity,
        "collection": collection,
        "row": row,
        "id": id,
        "created": before is None,
        "state": state_of(call, collection, after),
        "changes": [] if before is None else list(_changes(before, after, _writable(call, collection, after))),
    }


def _writable(call: Context, collection: str, doc: Mapping[str, Any]) -> frozenset[str]:
    """Return the members of a record that callers write."""
    entity = call.server.entities.of_collection(collection)
    noun = entity.noun_of(doc) if entity is not None else None
    operations = [noun.declared(name) for name in ("create", "update")] if noun is not None else []
    return frozenset(
        name for one in operations if one is not None and one.arguments.body_type is not None
        for name in input_hints(one.arguments.body_type)
    )  # fmt: skip


def state_of(call: Context, collection: str, doc: Mapping[str, Any]) -> str:
    """Return what two states of a record have in common in which callers have written the same."""
    written = {name: doc.get(name) for name in sorted(_writable(call, collection, doc)) if doc.get(name) not in EMPTY}
    return blake2b(encode_json(written), digest_size=12).hexdigest()


def _changes(before: Mapping[str, Any], after: Mapping[str, Any], writable: Iterable[str]) -> Iterable[dict[str, Any]]:
    """Yield the members that differ, those of objects one by one, each with its path as a list."""
    for name in sorted(differences(before, {name: after.get(name) for name in writable})):
        old, new = before.get(name), after.get(name)
        if is_object(old or {}) and is_object(new or {}) and (old or new):
            held, given = dict(old or {}), dict(new or {})
            for key in sorted({*held, *given}):
                if held.get(key) != given.get(key):
                    yield {"path": [name, key], "before": held.get(key), "after": given.get(key)}
        else:
            yield {"path": [name], "before": old, "after": new}


def keep(call: Context, job: Document, entries: Sequence[Mapping[str, Any]]) -> None:
    """Store what a step wrote."""
    if entries:
        part: dict[str, Any] = {
            "id": f"{job['id']}:{job['version']}", "job_id": job["id"], "entity": job["payload"]["entity"],
            "created_by": job["created_by"], "entries": [dict(one) for one in entries],
        }  # fmt: skip
        call.collection(KIND).put(part)


@recurs("imports that cannot be taken back any more", every=timedelta(days=1))
def forget_old(call: Context) -> None:
    """Forget the values of imports that ended too long ago; that there was such an import stays known."""
    parts = call.collection(KIND)
    for part in [part for part in parts.all() if part["entries"]]:
        with apart(call, part):
            job = call.collection("job").get(part["job_id"])
            ended = job["finished_at"] if job is not None else call.now - REVERTIBLE
            if ended is not None and ended + REVERTIBLE <= call.now:
                parts.put(part | {"entries": []})


@dataclass
class Written:
    """What an import did to one record, over all its rows."""

    entity: str
    collection: str
    id: str
    row: int
    created: bool
    state: str
    """What the import left of it, as `state_of` says it."""
    changes: dict[tuple[str, ...], tuple[Any, Any]] = field(default_factory=dict[tuple[str, ...], tuple[Any, Any]])
    """The value of each changed member before the import, and after it."""


def written_by(call: Context, job_id: str) -> list[Written]:
    """Return the records that an import wrote, the last first."""
    found: dict[str, Written] = {}
    parts = call.collection(KIND).find("job_id", job_id)
    for entry in (entry for part in parts for entry in part["entries"]):
        head = ("entity", "collection", "id", "row", "created", "state")
        whole = found.setdefault(entry["id"], Written(*(entry[name] for name in head)))
        whole.state = entry["state"]
        for change in entry["changes"]:
            path = tuple(change["path"])
            first = whole.changes.get(path, (change["before"], None))[0]
            whole.changes[path] = (first, change["after"])
    return list(reversed(found.values()))


def value_at(doc: Mapping[str, Any], path: Sequence[str]) -> Any:
    """Return the value of a member, or of a member of an object."""
    value: Any = doc.get(path[0])
    return (value.get(path[1]) if is_object(value) else None) if len(path) > 1 else value
