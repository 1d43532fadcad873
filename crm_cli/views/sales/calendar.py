"""``crm calendar week``: the events of seven days, with overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations
from typing import TYPE_CHECKING, Annotated

import typer

from ...connection import open_client
from ...settings import Options, settle
from ...times import checked_day
from ..drawing import count_of, fits, line, show
from ..zone import Zone, zone_of

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk.models import CalendarEvent

_DAYS = 7
_OVER = ("cancelled", "no-show", "completed")
"""The statuses of events that no longer take time and cannot overlap."""


def week(
    options: Options,
    start: Annotated[
        str | None,
        typer.Option("--start", metavar="DATE", help="The first day: 2026-01-31, 7d; without it this week's."),
    ] = None,
) -> None:
    """Show a week of your calendar, day by day, and mark overlapping events.

    Days and times are in your time zone of the CRM, or in that of this machine where the server does not tell it.
    """
    settings = settle(options)
    typed = checked_day(start, "--start", room=2 * _DAYS) if start is not None else None
    with open_client(settings) as client:
        zone = zone_of(client)
        today = zone.today()
        first = typed or today - timedelta(days=(today.weekday() - zone.week_start) % _DAYS)
        days = [first + timedelta(days=n) for n in range(_DAYS + 1)]
        edges = [zone.midnight(day) for day in days]
        events = list(client.calendar.events.list(start=edges[0], end=edges[-1]))
    plan = Week.of(zone, {day: events_between(events, *edges[n : n + 2]) for n, day in enumerate(days[:-1])})
    whole = {
        "start": first,
        "end": days[-2],
        "timezone": zone.name,
        "days": [{"date": day, "events": inside} for day, inside in plan.days.items()],
        "conflicts": [[one.id, other.id] for one, other in plan.overlaps],
    }
    show(settings.output, whole, plan.events(), lambda screen: _draw(screen, plan, today))


def events_between(events: Sequence[CalendarEvent], begin: datetime, end: datetime) -> list[CalendarEvent]:
    """Return the events of which any part is between two times, the earliest first."""
    inside = [
        event
        for event in events
        if _is_placed(event.start_time, event.end_time)
        and event.start_time < end
        and (event.end_time > begin or begin == event.end_time == event.start_time)
    ]
    return sorted(inside, key=lambda event: (event.start_time, event.end_time))


def _is_placed(*times: object) -> bool:
    """Return whether all values are times; in an answer that deviates from its document they may be missing."""
    return all(isinstance(time, datetime) for time in times)


def _once(days: Iterable[Sequence[CalendarEvent]]) -> list[CalendarEvent]:
    return list({event.id: event for events in days for event in events}.values())


@dataclass(frozen=True, slots=True)
class Week:
    """The events of several days; an event that lasts over midnight is in each of its days."""

    zone: Zone
    days: Mapping[date, Sequence[CalendarEvent]]
    overlaps: Sequence[tuple[CalendarEvent, CalendarEvent]]

    @staticmethod
    def of(zone: Zone, days: Mapping[date, Sequence[CalendarEvent]]) -> Week:
        """Return a week with the pairs of its events that overlap."""
        busy = [event for event in _once(days.values()) if event.status not in _OVER and event.busy is not False]
        pairs = (
            (one, other)
            for one, other in combinations(busy, 2)
            if one.start_time < other.end_time and other.start_time < one.end_time
        )
        return Week(zone, days, list(pairs))

    def events(self) -> list[CalendarEvent]:
        """Return all events, each once."""
        return _once(self.days.values())

    def overlaps_of(self, event: CalendarEvent) -> list[CalendarEvent]:
        """Return the events that overlap an event."""
        return [one if other is event else other for one, other in self.overlaps if one is event or other is event]

    def hours(self, event: CalendarEvent, day: date) -> str:
        """Return the times of an event on a day, with an arrow where it begins before or ends after the day."""
        begin, end = self.zone.local(event.start_time), self.zone.local(event.end_time)
        before = begin.date() < day
        after = event.end_time > self.zone.midnight(day + timedelta(days=1))
        if event.all_day or (before and after):
            return "all day"
        return f"→ {end:%H:%M}" if before else f"{begin:%H:%M} →" if after else f"{begin:%H:%M}–{end:%H:%M}"


def _draw(screen: Console, plan: Week, today: date) -> None:
    first, last = min(plan.days), max(plan.days)
    about = line(
        (f"{first:%a} {first.day} {first:%b} – {last:%a} {last.day} {last:%b %Y}", "bold"),
        count_of(len(plan.events()), "event"),
        (count_of(len(plan.overlaps), "overlap"), "bold red") if plan.overlaps else None,
        (f"times in {plan.zone.name}", "dim"),
        between="  ",
    )
    screen.print(about)
    screen.print()
    (_grid if fits(screen, _DAYS) else _agenda)(screen, plan, today)


def _grid(screen: Console, plan: Week, today: date) -> None:
    from rich.console import Group
    from rich.table import Table

    width = screen.width // _DAYS - 1
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False)
    cells: list[Group] = []
    for day, events in plan.days.items():
        table.add_column(_title(day, today), width=width, vertical="top")
        rule = line(("─" * width, "dim"))
        lines = [rule]
        for event in events:
            lines += [line((plan.hours(event, day), "cyan")), _name(event)]
            lines += [*_states(event), *_details(event), *_overlaps(plan, event), rule]
        cells.append(Group(*lines))
    table.add_row(*cells)
    screen.print(table)


def _agenda(screen: Console, plan: Week, today: date) -> None:
    from rich.table import Table

    for day, events in plan.days.items():
        screen.print(_title(day, today))
        rows = Table.grid(padding=(0, 2, 0, 0))
        rows.add_column(no_wrap=True)
        rows.add_column()
        for event in events:
            rows.add_row(
                line("  ", (plan.hours(event, day), "cyan")), line(_name(event), *_states(event), between="  ")
            )
            for text in (*_details(event), *_overlaps(plan, event)):
                rows.add_row("", text)
        screen.print(rows if events else line(("  –", "dim")))


def _title(day: date, today: date) -> Text:
    return line((f"{day:%a} {day.day} {day:%b}", "bold reverse" if day == today else "bold cyan"))


def _name(event: CalendarEvent) -> Text:
    return line((event.title or "", "strike" if event.status in ("cancelled", "no-show") else "bold"))


def _states(event: CalendarEvent) -> list[Text]:
    """Return the states of an event that need attention."""
    status = (event.status, "dim") if event.status not in (None, "scheduled") else None
    high = ("high priority", "yellow") if event.priority == "high" and event.status not in _OVER else None
    return [line(state) for state in (status, high) if state]


def _details(event: CalendarEvent) -> list[Text]:
    who = ", ".join(part for part in (event.contact_name, event.contact_company) if part)
    return [line((text, "dim")) for text in (who, event.location or event.meeting_link) if text]


def _overlaps(plan: Week, event: CalendarEvent) -> list[Text]:
    return [
        line((f"! overlaps {other.title} ({plan.zone.local(other.start_time):%H:%M})", "bold red"))
        for other in plan.overlaps_of(event)
    ]
