"""Recurring work for audit trails: entries older than their retention are purged daily."""

from __future__ import annotations

from datetime import timedelta

from ... import audit
from ...serving import Context
from ...timetable import recurs

RETAINED = timedelta(days=1_095)
"""How long an entry is kept: the policy `audit_log` that every company begins with."""


@recurs("audit retention", every=timedelta(days=1))
def purge_old_entries(call: Context) -> None:
    """Purge the entries that are older than their retention, which the trail records."""
    audit.purge(call, call.now - RETAINED)
