"""Choose among several records with the same value: the one with the latest activity.

002, 0.2, "Found by a value": unless the value is a unique key, the answer names the other records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Members = TypeVar("Members", bound=Mapping[str, Any])

_HAPPENED = ("last_activity_at", "last_contact", "last_activity")
"""The members with the time of the latest activity: of leads and accounts, of contacts, of deals."""


def latest_first(docs: Iterable[Members]) -> list[Members]:
    """Sort records by latest activity, then by creation, then by id, each descending."""

    def key(doc: Members) -> tuple[bool, Any, Any, str]:
        at = next((doc[name] for name in _HAPPENED if doc.get(name) is not None), None)
        return at is not None, at or doc["created_at"], doc["created_at"], doc["id"]

    return sorted(docs, key=key, reverse=True)


def entity_refs(kind: str, docs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return records as references: kind, id and name."""
    return [{"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")} for doc in docs]
