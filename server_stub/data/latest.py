"""Which of several records is meant that share a value: the one that something happened with last.

002, 0.2, "Found by a value": only a unique key decides silently, so an answer names the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

Members = TypeVar("Members", bound=Mapping[str, Any])

_HAPPENED = ("last_activity_at", "last_contact", "last_activity")
"""What a record's kind calls the time of its latest activity: leads and accounts, contacts, deals."""


def latest_first(docs: Iterable[Members]) -> list[Members]:
    """Sort records by their latest activity, then by when they were made, then by id; each the greatest first."""

    def key(doc: Members) -> tuple[bool, Any, Any, str]:
        at = next((doc[name] for name in _HAPPENED if doc.get(name) is not None), None)
        return at is not None, at or doc["created_at"], doc["created_at"], doc["id"]

    return sorted(docs, key=key, reverse=True)


def entity_refs(kind: str, docs: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return records as references: kind, id and name."""
    return [{"type": kind, "id": doc["id"], "name": doc.get("name") or doc.get("title")} for doc in docs]
