"""Insights about records: the same occasion has the same id, so that it is not reported twice."""

from __future__ import annotations

from datetime import datetime
from hashlib import blake2b
from typing import Any

from ..serving import Members


def insight(
    doc: Members, type: str, key: str, title: str, description: str, confidence: int, date: datetime, action: str | None
) -> dict[str, Any]:
    """Return an insight; `key` distinguishes the occasions of a record."""
    digest = blake2b(f"{doc['id']}/{type}/{key}".encode(), digest_size=6).hexdigest()
    return {
        "id": f"insight_{digest}",
        "type": type,
        "title": title,
        "description": description,
        "confidence": confidence,
        "actionable": action is not None,
        "suggested_action": action,
        "date": date,
    }
