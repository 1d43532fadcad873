"""How many backups a company has."""

from __future__ import annotations

from collections.abc import Sequence

from ...data.document import Document
from ...serving import Context

BACKUP = "backup"
"""The collection of the backups."""
UNDER_WAY = ("queued", "running")
"""The states of a backup that has not ended."""


def counted_backups(call: Context) -> Sequence[Document]:
    """Return the backups that count towards the limit: not those before a restore, and none that came to nothing."""
    return [
        doc for doc in call.collection(BACKUP)
        if doc["trigger"] != "safety" and doc["status"] not in ("failed", "cancelled")
    ]  # fmt: skip
