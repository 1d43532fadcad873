"""``crm backups create``: what a backup holds, and whether it was made."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..drawing import heading, line

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import Backup

_FAILED = 1


def status_of(backup: Backup) -> int | None:
    """Return the exit status: 1 where the backup failed."""
    return _FAILED if backup.status == "failed" else None


def draw_backups(client: CrmClient, backups: Sequence[Backup]) -> None:
    """Draw backups, a line for each."""
    from ...console import stdout

    marks = {"succeeded": ("✓", "green"), "failed": ("✗", "bold red")}
    for backup in backups:
        why = backup.error.message if backup.error is not None else ""
        total = f"{sum(backup.counts.values()):,} records, {backup.size:,} bytes" if backup.size is not None else why
        mark = marks.get(str(backup.status), ("…", "dim"))
        stdout().print(line(mark, heading(f"{backup.name or ''}  {backup.id}", total), between=" "))
