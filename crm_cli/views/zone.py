"""The time zone of days and times: the one that the user has set in the CRM, else the machine's."""

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
    """A time zone, and the first weekday of the user's weeks."""

    zone: ZoneInfo | None = None
    """None for the machine's zone."""
    week_start: int = 0
    """0 is Monday."""

    @property
    def name(self) -> str:
        """The name of the zone."""
        return self.zone.key if self.zone is not None else datetime.now().astimezone().tzname() or "local time"

    def local(self, instant: datetime) -> datetime:
        """Return an instant in the local time of this zone."""
        return instant.astimezone(self.zone)

    def text_of(self, instant: object) -> str:
        """Return the text of an instant in the local time of this zone; an empty text for any other value."""
        return f"{self.local(instant):%a %Y-%m-%d %H:%M}" if isinstance(instant, datetime) else ""

    def midnight(self, day: date) -> datetime:
        """Return the instant at which a day begins."""
        begin = datetime.combine(day, time(), self.zone)
        return begin if self.zone is not None else begin.astimezone()

    def today(self) -> date:
        """Return the present day."""
        return datetime.now(self.zone).date()


def zone_of(client: CrmClient) -> Zone:
    """Return the zone of the user who is signed in; the machine's where the server does not tell."""
    return person_of(client)[1]


def person_of(client: CrmClient) -> tuple[str | None, Zone]:
    """Return the id of the user who is signed in, and the user's zone; None and the machine's for a key without one."""
    try:
        user = client.auth.me()
    except (ApiError, InvalidResponseError, UnsupportedOperationError):
        return None, Zone()  # an API key may have no user; whether it is valid, the next call shows
    preferred = user.preferences
    name = (preferred.timezone if preferred is not None else None) or user.timezone
    try:
        zone = ZoneInfo(name) if name else None
    except (KeyError, OSError, ValueError):  # not the name of a zone that this machine knows
        zone = None
    return user.id, Zone(zone, (preferred.week_start if preferred is not None else None) or 0)
