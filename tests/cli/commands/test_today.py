"""``crm today`` and ``crm sync``: the page of a day, and a copy that is told of; and the numbers that options take."""

from __future__ import annotations

import io
import json
from contextlib import nullcontext
from datetime import date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from rich.console import Console
from shell import Crm

from crm_cli import failures
from crm_cli.commands import sync, today
from crm_cli.views.sales.calendar import Week
from crm_cli.views.zone import Zone
from crm_sdk.errors import NotFoundError

pytest_plugins = ["cli_fixtures"]

DAY = date(2026, 1, 15)
ZONE = Zone(ZoneInfo("Europe/Madrid"))
MIDNIGHT = ZONE.midnight(DAY)


def event(id: str, begin: int, end: int, **given: Any) -> Any:
    usual: dict[str, Any] = dict.fromkeys(("title", "contact_name", "location", "meeting_link", "busy", "all_day"))
    times = {"start_time": MIDNIGHT + timedelta(hours=begin), "end_time": MIDNIGHT + timedelta(hours=end)}
    return Of(id=id, status="scheduled", **usual | times | given)


def task(id: str, due: datetime | None, **given: Any) -> Any:
    return Of(id=id, due_at=due, **{"title": "Call", "priority": "low", "status": "open", "completed_at": None} | given)


def page(**given: Any) -> Any:
    parts = dict.fromkeys(("plan", "tasks", "alerts", "notifications", "unread", "conversations"))
    return today._Page(**{"day": DAY, "zone": ZONE, **parts, **given})


def drawn(found: Any, most: int = 10) -> list[str]:
    file = io.StringIO()
    today._draw(Console(file=file, width=100), found, most)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def test_a_day_is_its_parts() -> None:
    plan = Week.of(ZONE, {DAY: [event("e1", 9, 11, title="Talk", contact_name="Ada", location="Ulm", meeting_link="x"),
                                event("e2", 10, 12, meeting_link="link"), event("e3", 13, 14)]})  # fmt: skip
    tasks = [
        task("t1", MIDNIGHT - timedelta(minutes=1)),
        task("t2", MIDNIGHT, priority="high"),
        task("t3", None, title=None),
    ]
    mail = Of(id="c1", unread_count=2, contact_name=None, lead_name="Bo", contact_company="Acme")
    note = Of(id="n1", type="a_very_long_type", title="News")
    alerts = [Of(id="a1", type="warning", title="Late")]
    whole = page(plan=plan, tasks=tasks, alerts=alerts, notifications=[note], unread=3, conversations=[mail])
    lines = drawn(whole)
    assert lines[0] == "Thursday 15 January 2026  times in Europe/Madrid"
    assert [line for line in lines if line and not line.startswith(" ")][1:] == [
        "Calendar  3", "Tasks  3", "Alerts  1", "Unread  3",
    ]  # fmt: skip
    rows = [" ".join(line.split()) for line in lines if line.startswith(" ")]
    assert rows == [
        "! 09:00–11:00 Talk Ada, Ulm e1", "! 10:00–12:00 link e2", "13:00–14:00 e3", "☐ 14 Jan Call t1",
        "☐ 00:00 Call high t2", "☐ t3", "! warning Late a1", "✉ 2 messages Bo Acme c1", "• a_very_long News n1",
        "+ 2 more: crm notifications list",
    ]  # fmt: skip
    assert "  + 1 more: --all" in drawn(whole, 2) and "more: --all" not in "".join(drawn(whole, 3))
    assert drawn(page()) == ["Thursday 15 January 2026  times in Europe/Madrid"]
    assert today._unread(page(notifications=[note], unread=1)) == today._unread(page(notifications=[note]))
    nothing = drawn(page(plan=Week.of(ZONE, {DAY: []}), tasks=[], alerts=[], notifications=[], unread=0))
    assert [line.strip() for line in nothing if line.startswith(" ")] == [
        "a free day: `crm calendar events create` plans a meeting",
        "nothing is due: `crm activities tasks create --title … --due-at tomorrow` plans a task", "nothing wants doing",
        "everything is read",
    ]  # fmt: skip
    assert [line for line in nothing if line and not line.startswith(" ")][1:] == [
        "Calendar",
        "Tasks",
        "Alerts",
        "Unread",
    ]


def test_a_day_asks_for_what_is_due_until_its_end() -> None:
    asked: list[Any] = []

    def listed(found: list[Any]) -> Any:
        def call(**given: Any) -> Any:
            asked.append(given)
            return found

        return call

    def missing(**_: Any) -> Any:
        raise NotFoundError("no", status=404, code="X", operation="dashboard.action_items.list")

    tasks = [task("open", None), task("done", None, status="completed"), task("no", None, completed_at=MIDNIGHT),
             task("off", None, status="cancelled"), task("later", None, status="deferred")]  # fmt: skip
    events = [event("before", -2, 0), event("in", 1, 2), event("after", 24, 25)]
    client: Any = Of(
        activities=Of(list=listed(tasks)), calendar=Of(events=Of(list=listed(events))),
        dashboard=Of(action_items=Of(list=missing)), conversations=Of(list=listed(["c"])),
        notifications=Of(list=lambda read: Of(items=[read]), unread_count=lambda: Of(count=7)),
    )  # fmt: skip
    found: Any = today._read(client, "u1", ZONE, DAY)
    assert [one.id for one in found.tasks or ()] == ["open"] and found.plan is not None
    assert [one.id for one in found.plan.events()] == ["in"]
    assert (found.alerts, found.notifications, found.unread, found.conversations) == (None, [False], 7, ["c"])
    end = MIDNIGHT + timedelta(days=1)
    assert asked == [
        {"start": MIDNIGHT, "end": end},
        {"kind": "task", "due_before": end, "limit": 200, "sort": "due_at", "order": "asc", "owner_id": "u1"}
        | {"kind": ["task"]}, {"filter": "unread"},
    ]  # fmt: skip
    assert today._day(None, ZONE) == ZONE.today() and today._day("2026-01-31", ZONE) == date(2026, 1, 31)


def test_the_day_is_whole_for_programs(served: Crm) -> None:
    whole = served("today", "--date", "2026-01-15").json
    assert whole["date"] == "2026-01-15" and whole["conflicts"] is not None and whole["events"] is not None
    assert whole.keys() == {
        "date", "timezone", "events", "conflicts", "tasks", "alerts", "unreadNotifications", "unreadNotificationCount",
        "unreadConversations",
    }  # fmt: skip
    lines = served("today", "--date", "2026-01-15", "-o", "jsonl").out.splitlines()
    assert len(lines) == len(whole["events"]) + len(whole["tasks"])


# -- a copy


def test_a_copy_says_how_far_it_is_and_what_it_did(
    served: Crm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []

    def changes(store: Any, entities: Any, live: Any) -> Any:
        asked.append((entities, live))
        kinds = ["created"] * 2 + ["snapshot_done"] + ["created"] * 1_200
        return [Of(kind=kind) for kind in kinds]

    monkeypatch.setattr(sync, "_EVERY", 600)
    monkeypatch.setattr(sync, "open_client", lambda settings: nullcontext(Of(sync=Of(changes=changes))))
    folder = tmp_path / "deep" / "copy"
    done = served("sync", str(folder), "--entity", "lead", "--entity", "deal")
    assert (done.status, done.err) == (
        0, f"600 changes …\n1,200 changes …\n{folder}: 1,202 created, 1 snapshot done\n",
    )  # fmt: skip
    assert asked == [(["lead", "deal"], None)] and folder.is_dir()
    monkeypatch.setattr(sync, "open_client", lambda settings: nullcontext(Of(sync=Of(changes=lambda *_, **__: []))))
    file = tmp_path / "crm.db"
    assert served("sync", f"sqlite:{file}").err == f"sqlite:{file}: up to date\n" and file.exists()
    assert "sqlite: needs the name of a file" in served("sync", "sqlite:").err
    file.write_bytes(b"no database, but long enough to be one" * 100)
    broken = served("sync", f"sqlite:{file}")
    assert broken.status == failures.USAGE and "; remove it, or name another: the copy is made anew" in broken.err
    lines = {"b": {"id": "b"}, "a": {"id": "a", "name": "Jürgen"}}
    store: Any = Of(load=lambda: Of(entities=["lead"]), records=lambda entity: lines)
    sync._write_lines(store, tmp_path)
    written = (tmp_path / "lead.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in written] == ["a", "b"] and "Jürgen" in written[0]
    sync._write_lines(Of(load=lambda: None), tmp_path)  # type: ignore[arg-type] # what is read of it


# -- the numbers that options take


@pytest.mark.thorough
def test_a_number_beyond_what_an_option_takes_is_refused(served: Crm, tmp_path: Path) -> None:
    file = str(tmp_path / "f")
    bounds: list[tuple[list[str], str, list[str], list[str]]] = [
        (["changes", "follow", "--once", "--position-file", file], "--every", ["0.1"], ["0.09"]),
        (["deals", "stale"], "--days", ["1"], ["0"]), (["accounts", "tree"], "--depth", ["1", "10"], ["0", "11"]),
        (["reports", "show", "none"], "--limit", ["1", "200"], ["0", "201"]),
        (["reports", "show", "none"], "--page", ["1"], ["0"]),
        (["events", "tail", "--timeout", "0.01"], "--count", ["1"], ["0"]),
        (["sync", "sqlite:"], "--live", ["0.1"], ["0.09"]),
        (["webhooks", "listen", "--timeout", "0.01"], "--count", ["1"], ["0"]),
        (["channels", "join", "odd", "--timeout", "0.01"], "--count", ["1"], ["0"]),
        (["contacts", "import", "none.csv"], "--jobs", ["1", "32"], ["0", "33"]),
        (["contacts", "import", "none.csv"], "--batch", ["1", "1000"], ["0", "1001"]),
    ]  # fmt: skip
    for words, option, taken, refused in bounds:
        for number in (*taken, *refused):
            done = served(*words, option, number)
            said = f"{option} must be at" in done.err
            assert said is (number in refused), (words, option, number, done.err)
            assert done.status == failures.USAGE or number in taken
