"""The records of an export: all that a request means, or what became different since an earlier one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ...data.document import Document
from ...history.change_log import KIND, key_of
from ...problems import Problem
from ...request.reading.views import in_order_of
from ...serving import Context, Members
from ..changes.positions import latest, number_at
from ..changes.records import Teller
from .requests import Part, find, may_export

_GONE = ("deleted", "merged", "purged", "erased")


@dataclass(frozen=True, slots=True)
class Row:
    """A record, or what is left of one that is not there for the caller any more."""

    id: str
    doc: Document | None
    change: str | None = None
    """What became of it, in exports of changes: the words of `changes.list`."""


def all_of(call: Context, part: Part, request: Members) -> list[Row]:
    """Return the records that a request means, the oldest first or in the order of its view."""
    records = call.collection(part.entity.collection)
    deleted = bool(request["include_deleted"])
    if request["ids"]:
        held = {doc["id"]: doc for id in request["ids"] if (doc := find(call, part.entity, id, deleted=deleted))}
        docs = list(held.values())
    elif deleted:
        docs = [doc for doc in records.backwards() if not doc.get("merged_into")][::-1]
    else:
        docs = records.all()
    found = [doc for doc in docs if _meets(call, part, request, doc)]
    if part.order:
        found = in_order_of(found, part.order, part.resolve)
    return [Row(doc["id"], doc) for doc in found]


def _meets(call: Context, part: Part, request: Members, doc: Document) -> bool:
    """Return whether the caller may export a record, and it meets the conditions as lists show it."""
    since: datetime | None = request["changed_since"]
    if since is not None and (doc.get("updated_at") or doc["created_at"]) < since:
        return False
    if not may_export(call, part.entity, doc):
        return False
    listed = part.entity.noun.listed if part.entity.noun is not None else None
    return part.keep(listed(call, doc) if listed is not None else doc)


def start_of_changes(call: Context, cursor: str | None) -> int | None:
    """Return the number of the change that a position is after; None where it does not lead on: begin anew."""
    try:
        return number_at(call, cursor) if cursor is not None else None
    except Problem:
        return None


def changed_rows(call: Context, part: Part, request: Members, after: int) -> list[Row]:
    """Return what became different after a change: each record once, with the last that became of it.

    One that is not among those the request means any more is ``access_lost``, and one that is gone has its id alone.
    """
    wanted = frozenset(request["ids"] or ())
    found: dict[str, Row] = {}
    for told in _told_changes(call, part, after):
        id, change = told["entity"]["id"], told["change"]
        if wanted and id not in wanted:
            continue
        doc = call.collection(part.entity.collection).get(id)
        if change not in _GONE:
            meets = doc is not None and _meets(call, part, request, doc)
            change, doc = (change, doc) if meets else ("access_lost", None)
        before = found.pop(id, None)
        if before is not None and before.change == "created" and change == "updated":
            change = "created"
        found[id] = Row(id, doc if change not in _GONE else None, change)
    return list(found.values())


def _told_changes(call: Context, part: Part, after: int) -> Iterator[Mapping[str, Any]]:
    teller = Teller(call, {part.entity.name: part.entity}, None, with_values=False)
    for number in range(after + 1, latest(call) + 1):
        entry = call.collection(KIND).get(key_of(number))
        told = teller.tell(entry) if entry is not None else None
        if told is not None:
            yield told


def as_created(rows: Sequence[Row]) -> list[Row]:
    """Return the rows of the first export of changes: a copy that knows nothing yet takes them as new."""
    return [Row(row.id, row.doc, "created") for row in rows]
