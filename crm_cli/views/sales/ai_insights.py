"""``crm ai-insights recommendations …``: what to do and to offer, by priority."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from ..drawing import amount, heading, line, percent, title_of
from ..zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console

    from crm_sdk import CrmClient
    from crm_sdk.models import Recommendation

_MARKS: Mapping[str, str] = {
    "call": "☎", "email": "✉", "meeting": "◷", "follow_up": "↻", "re_engage": "↯", "offer": "+",
}  # fmt: skip


def recommendations(client: CrmClient, found: Sequence[Recommendation]) -> None:
    """Draw recommendations by priority, each with what it may bring, why, and its id for feedback."""
    from ...console import stdout

    _draw(stdout(), found, zone_of(client))


def _draw(screen: Console, found: Sequence[Recommendation], zone: Zone) -> None:
    for priority, inside in groupby(found, key=lambda one: one.priority):
        screen.print(heading(f"{title_of(priority)} priority"))
        for one in inside:
            worth = f"{amount(one.expected_value)} {one.currency or ''}" if one.expected_value is not None else None
            due = f"due {zone.local(one.due_at):%d %b %H:%M}" if one.due_at is not None else None
            told = (percent(one.confidence), worth, due, None if one.status == "open" else one.status)
            mark = _MARKS.get(one.action or "", "·")
            screen.print(line(mark, (one.title, "bold"), *(part for part in told if part), between="  "))
            why = "; ".join(reason.label for reason in one.reasons)
            screen.print(line("   ", (one.description or why, "dim"), (one.id, "cyan"), between=" "))
        screen.print()
    if not found:
        screen.print(line(("nothing is recommended", "dim")))
