"""``crm activities timeline``: what happened with a record, day by day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TYPE_CHECKING, cast

from ..drawing import line, piped_width
from ..zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import TimelineEntry

_MARKS: Mapping[str, str] = {
    "task": "☐", "event": "◷", "call": "☎", "email": "✉", "note": "✎", "message": "…", "stage_change": "→",
    "created": "+", "updated": "~", "converted": "⇒", "merged": "∪", "comment": "»", "file": "▤",
}  # fmt: skip


def timeline(client: CrmClient, entries: Sequence[TimelineEntry]) -> None:
    """Draw what happened, day by day, on the clock of the user's time zone in the CRM."""
    from ...console import stdout

    draw(stdout(piped_width()), entries, zone_of(client))


def draw(screen: Console, entries: Sequence[TimelineEntry], zone: Zone) -> None:
    """Draw entries of a timeline on the clock of a zone."""
    for day, inside in groupby(entries, key=lambda entry: _day(entry, zone)):
        screen.print(line((f"{day:%a} {day.day} {day:%b %Y}" if day else "some day", "bold cyan")))
        for entry in inside:
            clock = f"{zone.local(entry.occurred_at):%H:%M}" if day else "     "
            who = (entry.actor.name or "") if entry.actor is not None else ""
            mark = _MARKS.get(entry.kind, "·")
            screen.print(
                line((clock, "cyan"), mark, (entry.title, "bold"), (who, "dim") if who else None, between="  ")
            )
            if entry.summary and entry.summary != entry.title:
                screen.print(line("         ", (entry.summary, "dim")))
        screen.print()
    if not entries:
        screen.print(line(("nothing happened", "dim")))


def _day(entry: TimelineEntry, zone: Zone) -> date | None:
    moment = cast("object", entry.occurred_at)  # in an answer that deviates from its document it may be missing
    return zone.local(moment).date() if isinstance(moment, datetime) else None
