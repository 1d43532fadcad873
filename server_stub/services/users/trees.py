"""What is above a record in a tree: the managers of a user, the teams that a team is in."""

from __future__ import annotations

from typing import Any

from ...data.document import Document
from ...problems import Problem
from ...serving import Context


def refuse_cycle(call: Context, kind: str, doc: Document, member: str, above_id: str, message: str) -> None:
    """Raise 409 HIERARCHY_CYCLE where a record is above the one with an id, by the member with the id above it."""
    records, passed = call.collection(kind), set[Any]()
    at: Any = above_id
    while at is not None and at not in passed:
        if at == doc["id"]:
            raise Problem("HIERARCHY_CYCLE", message, field=member, details={member: above_id})
        passed.add(at)
        found = records.get(at)
        at = found.get(member) if found is not None else None
