"""Links to the pages of records in the CRM's own application, for notifications."""

from __future__ import annotations

from collections.abc import Mapping

_PAGES: Mapping[str, str] = {"conversation": "messages", "event": "calendar/events"}


def link_to(kind: str, id: str) -> str:
    """Return the path of the page of a record: ``/deals/deal_123``."""
    return f"/{_PAGES.get(kind, f'{kind}s')}/{id}"
