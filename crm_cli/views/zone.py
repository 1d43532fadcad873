"""The time zone that days and times are shown in: the one the user chose in the CRM, else the machine's."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from crm_sdk.errors import ApiError, InvalidResponseError, UnsupportedOperationError

if TYPE_CHECKING:
    from crm_sdk import CrmClient


@dataclass(frozen=True, slots=True)
class Zone:
    """A time zone, and the weekday on which its user's weeks begin."""

    zone: ZoneInfo | None = None
    """None is the machine's."""
    week_start: int = 0
    """0 is Monday."""

    @property
    def name(self) -> str:
        """What to call it."""
        return self.zone.key if self.zone is not None else datetime.now().astimezone().tzname() or "local time"

    def local(self, instant: datetime) -> datetime:
        """Return an instant on the clock of this zone."""
        return instant.astimezone(self.zone)

    def text_of(self, instant: object) -> str:
        """Return an instant on the clock of this zone for people; nothing for what is none."""
        return f"{self.local(instant):%a %Y-%m-%d %H:%M}" if isinstance(instant, datetime) else ""

    def midnight(self, day: date) -> datetime:
        """Return when a day begins."""
        begin = datetime.combine(day, time(), self.zone)
        return begin if self.zone is not None else begin.astimezone()

    def today(self) -> date:
        """Return the day it is now."""
        return datetime.now(self.zone).date()


def zone_of(client: CrmClient) -> Zone:
    """Return the zone of the user who is signed in; the machine's where the server does not tell."""
    try:
        user = client.auth.me()
    except (ApiError, InvalidResponseError, UnsupportedOperationError):
        return Zone()  # a key may belong to nobody; whether it is good, the call that matters shows
    preferred = user.preferences
    name = (preferred.timezone if preferred is not None else None) or user.timezone
    try:
        zone = ZoneInfo(name) if name else None
    except (OSError, ValueError):  # not the name of a zone, or of one that this machine does not know
        zone = None
    return Zone(zone, (preferred.week_start if preferred is not None else None) or 0)
