"""When a lead was first answered: by an outbound call or e-mail, by a message, or as marked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from ...serving import Members

_NOT_YET = ("draft", "queued", "cancelled", "failed")
"""The states of calls and e-mails that have reached nobody."""


def responses(activities: Iterable[Members], now: datetime) -> Iterator[Members]:
    """Yield those of the activities that answer somebody: calls and e-mails of ours that took place."""
    for activity in activities:
        ours = activity.get("direction") == "outbound" and activity["status"] not in _NOT_YET
        if ours and activity["occurred_at"] <= now:
            yield activity


def first_response(
    lead: Members, activities: Iterable[Members], now: datetime, withdrawn: Iterable[datetime | None] = ()
) -> datetime | None:
    """Return when a lead was first answered; a time of an activity that is `withdrawn` does not count any more."""
    known = lead["first_response_at"]
    times = [activity["occurred_at"] for activity in responses(activities, now)]
    times = [at for at in times if at >= lead["created_at"]]
    if known is not None and known not in withdrawn:
        times.append(known)
    return min(times, default=None)
