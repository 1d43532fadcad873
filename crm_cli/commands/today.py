"""``crm today``: what a sales person begins the day with."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..settings import Options, settle

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from crm_sdk import CrmClient
    from crm_sdk.models import ActionItem, Activity, Conversation, Notification, Task

    from ..views.sales.calendar import Week
    from ..views.zone import Zone

_SHOWN = 10
_PAGE = 200
_DONE = ("completed", "cancelled", "deferred")
_URGENCY = {"warning": "red", "opportunity": "green", "suggestion": "yellow"}


def today(
    options: Options,
    day: Annotated[
        str | None, typer.Option("--date", metavar="DATE", help="Another day: 2026-01-31, tomorrow, +7d.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Draw all rows of each part, not the first ten.")] = False,
) -> None:
    """Show your day on one page: calendar, tasks that are due or overdue, alerts, and what is unread.

    Days and times are in your time zone of the CRM. A part that the server does not have, or that you have no
    permission for, is left out.

    Example: `crm today --watch`
    """
    from ..connection import open_client
    from ..views.drawing import show
    from ..views.zone import person_of

    settings = settle(options)
    with open_client(settings) as client:
        me, zone = person_of(client)
        page = _read(client, me, zone, _day(day, zone))
    whole = {
        "date": page.day,
        "timezone": zone.name,
        "events": page.plan.events() if page.plan is not None else None,
        "conflicts": [[one.id, other.id] for one, other in page.plan.overlaps] if page.plan is not None else None,
        "tasks": page.tasks,
        "alerts": page.alerts,
        "unreadNotifications": page.notifications,
        "unreadNotificationCount": page.unread,
        "unreadConversations": page.conversations,
    }
    records: list[Any] = [*(page.plan.events() if page.plan is not None else ()), *(page.tasks or ())]
    show(settings.output, whole, records, lambda screen: _draw(screen, page, sys.maxsize if every else _SHOWN))


@dataclass(frozen=True, slots=True)
class _Page:
    """The parts of the day; None for one that the server does not have."""

    day: date
    zone: Zone
    plan: Week | None
    tasks: Sequence[Task] | None
    alerts: Sequence[ActionItem] | None
    notifications: Sequence[Notification] | None
    unread: int | None
    conversations: Sequence[Conversation] | None


def _day(typed: str | None, zone: Zone) -> date:
    from ..times import checked_day

    return zone.today() if typed is None else checked_day(typed, "--date")


def _read(client: CrmClient, me: str | None, zone: Zone, day: date) -> _Page:
    from ..views.parts import Parts
    from ..views.sales.calendar import Week, events_between

    parts = Parts()
    begin, end = zone.midnight(day), zone.midnight(day + timedelta(days=1))

    def tasks() -> list[Any]:
        due = client.activities.list(
            kind=["task"], due_before=end, limit=_PAGE, sort="due_at", order="asc", owner_id=me
        )
        return [task for task in due if _is_open(task)]

    def plan() -> Week:
        events = list(client.calendar.events.list(start=begin, end=end))
        return Week.of(zone, {day: events_between(events, begin, end)})

    found = _Page(
        day,
        zone,
        parts.read(plan),
        parts.read(tasks),
        parts.read(lambda: list(client.dashboard.action_items.list())),
        parts.read(lambda: list(client.notifications.list(read=False).items)),
        parts.read(lambda: client.notifications.unread_count().count),
        parts.read(lambda: list(client.conversations.list(filter="unread"))),
    )
    parts.say_missing()
    return found


def _is_open(task: Activity) -> bool:
    return getattr(task, "status", None) not in _DONE and getattr(task, "completed_at", None) is None


def _draw(screen: Console, page: _Page, most: int) -> None:
    from ..views.drawing import heading, line, print_row

    screen.print(
        line((f"{page.day:%A} {page.day.day} {page.day:%B %Y}", "bold"), (f"times in {page.zone.name}", "dim"),
             between="  ")
    )  # fmt: skip
    parts = (
        ("Calendar", _calendar(page), "a free day: `crm calendar events create` plans a meeting"),
        (
            "Tasks",
            _tasks(page),
            "nothing is due: `crm activities tasks create --title … --due-at tomorrow` plans a task",
        ),
        ("Alerts", _alerts(page), "nothing wants doing"),
        ("Unread", _unread(page), "everything is read"),
    )
    for title, rows, nothing in parts:
        if rows is None:
            continue
        screen.print()
        screen.print(heading(title, str(len(rows)) if rows else ""))
        for row in rows[:most]:
            print_row(screen, *row)
        if len(rows) > most:
            screen.print(line((f"  + {len(rows) - most} more: --all", "dim")))
        if not rows:
            screen.print(line((f"  {nothing}", "dim")))


def _calendar(page: _Page) -> list[tuple[Text, str]] | None:
    from ..views.drawing import line

    if page.plan is None:
        return None
    return [
        (
            line(
                ("  ! " if page.plan.overlaps_of(event) else "    ", "bold red"),
                (f"{page.plan.hours(event, page.day):<11}", "cyan"),
                (event.title or "", "bold"),
                ", ".join(part for part in (event.contact_name, event.location or event.meeting_link) if part),
                between="  ",
            ),
            event.id,
        )
        for event in page.plan.events()
    ]


def _tasks(page: _Page) -> list[tuple[Text, str]] | None:
    from ..views.drawing import line

    if page.tasks is None:
        return None
    begin = page.zone.midnight(page.day)

    def row(task: Task) -> tuple[Text, str]:
        due = task.due_at
        local = page.zone.local(due) if isinstance(due, datetime) else None
        late = due is not None and due < begin
        when = "" if local is None else f"{local.day:>2} {local:%b}" if late else f"{local:%H:%M}"
        high = ("high", "yellow") if task.priority in ("high", "urgent") else None
        text = line("  ☐", (f"{when:<11}", "red" if late else "cyan"), (task.title or "", "bold"), high, between="  ")
        return text, task.id  # fmt: skip

    return [row(task) for task in page.tasks]


def _alerts(page: _Page) -> list[tuple[Text, str]] | None:
    from ..views.drawing import line

    if page.alerts is None:
        return None
    return [
        (line("  !", (f"{item.type:<11}", _URGENCY.get(str(item.type), "")), item.title, between="  "), item.id)
        for item in page.alerts
    ]


def _unread(page: _Page) -> list[tuple[Text, str]] | None:
    from ..views.drawing import count_of, line

    if page.notifications is None and page.conversations is None:
        return None
    rows = [
        (line("  ✉", f"{count_of(one.unread_count, 'message'):<11}",
              (one.contact_name or one.lead_name or "", "bold"), one.contact_company, between="  "), one.id)
        for one in page.conversations or ()
    ]  # fmt: skip
    rows += [
        (line("  •", f"{str(one.type)[:11]:<11}", one.title, between="  "), one.id) for one in page.notifications or ()
    ]
    hidden = (page.unread or 0) - len(page.notifications or ())
    return [*rows, (line((f"  + {hidden} more: crm notifications list", "dim")), "")] if hidden > 0 else rows
