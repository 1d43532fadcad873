"""Parts of views that show only at the edge: colours, sums of nothing, what is cut off, how files are sorted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace as Of
from typing import Any

import pytest
from shell import Crm

from crm_cli.console import stdout
from crm_cli.views import collaboration, dashboards, reports
from crm_cli.views.administration import imports
from crm_cli.views.sales import calendar, contacts, pipelines
from crm_cli.views.zone import Zone
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]
AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ANY: Any = None


def test_what_was_deleted_is_dim(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(collaboration, "zone_of", lambda client: Zone())
    said: list[Any] = [
        Of(id=id, parent_id=None, author=None, created_at=AT, edited=False, body=body)
        for id, body in (("c1", "Hello"), ("c2", None))
    ]
    collaboration.thread(ANY, said)
    drawn = capsys.readouterr().out
    assert "\x1b[2mdeleted" in drawn and "Hello" in drawn and "\x1b[2mHello" not in drawn


def test_a_zone_without_a_name_is_the_machines() -> None:
    assert Zone().name == (datetime.now().astimezone().tzname() or "local time")


def test_events_that_follow_one_another_do_not_overlap_in_whatever_order_they_come() -> None:
    def event(begin: int, end: int) -> Any:
        first, last = (datetime(2026, 1, 15, hour, tzinfo=UTC) for hour in (begin, end))
        return Of(id=f"{begin}", start_time=first, end_time=last, status="scheduled", busy=None)

    for events in ([event(9, 10), event(10, 11)], [event(10, 11), event(9, 10)]):
        assert calendar.Week.of(Zone(), {date(2026, 1, 15): events}).overlaps == []
    assert len(calendar.Week.of(Zone(), {date(2026, 1, 15): [event(10, 12), event(9, 11)]}).overlaps) == 1


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "1,200 records, sums in EUR"),
        ({"truncated": True}, "1,200 records (there were more), sums in EUR"),
        ({"page": 2}, "1,200 records, sums in EUR, page 2"),
        ({"has_next": True}, "1,200 records, sums in EUR, page 1"),
    ],
)
def test_a_report_says_how_many_records_it_is_of(members: dict[str, Any], said: str) -> None:
    usual = {"row_count": 1200, "truncated": False, "currency": "EUR", "page": 1, "has_next": False}
    data: Any = Of(**{**usual, **members})
    assert reports._summary(data).plain == said


def test_a_widget_shows_its_error_or_what_it_has() -> None:
    def lines(declared: Any = None, **members: Any) -> list[str]:
        usual = dict.fromkeys(("error", "value", "series", "table", "feed"))
        widget: Any = Of(**{**usual, "type": "list", **members})
        return [str(each) for each in dashboards._lines(widget, declared)]

    value = Of(unit="count", value=5, previous=None, change=None)
    assert lines(error=Of(code="FORBIDDEN", message="no"), value=value) == ["FORBIDDEN: no"]
    assert lines(value=value) == ["5"] and lines() == []
    assert lines(Of(content="Words", chart=None)) == ["Words"] and lines(Of(content="", chart=None)) == []
    points = [Of(value=1), Of(value=5)]
    assert len(lines(series=[Of(name="won", points=points), Of(name="lost", points=points)])) == 2
    entry = Of(occurred_at=AT, summary="Deal won")
    assert lines(feed=[entry]) == [f"{AT.astimezone():%Y-%m-%d %H:%M}  Deal won"]


def test_files_stand_by_their_folders_then_by_their_names(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    platform = client.with_options(dialects="platform")
    for folder, name in (("/sorted/b", "a.txt"), ("/sorted/a", "z.txt"), ("/sorted", "m.txt")):
        platform.files.upload((name, b"x"), folder=folder)
    found = served("files", "tree", "/sorted", "-o", "json").json
    assert [(file["folder"], file["name"]) for file in found] == [
        ("/sorted", "m.txt"), ("/sorted/a", "z.txt"), ("/sorted/b", "a.txt"),
    ]  # fmt: skip


def test_a_preview_of_an_import_says_what_would_become_of_each_row(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "120")

    def column(name: str, index: int, reason: str | None, suggested: str | None, *samples: str) -> Any:
        return Of(column=name, index=index, reason=reason, confidence=90, suggested_field=suggested, samples=samples)

    def wrong(field: str | None) -> Any:
        return Of(field=field, message="is odd")

    def row(number: int, outcome: str, match: str | None, *errors: Any) -> Any:
        return Of(row=number, outcome=outcome, match_id=match, values={"a": 1, "b": "x" * 80}, errors=errors)

    columns = [
        column("Mail", 1, "its name", "email", "a@b.test", "c" * 70),
        column("Two", 2, "its name", "title"),
        column("Odd", 3, None, None),
    ]
    found: Any = Of(
        format="csv", encoding="utf-8", delimiter=";", row_count=2, columns=columns, readable=True,
        errors=[wrong(None), wrong("email")], unmapped_required=["name"],
        mapping=[{"column": "Mail", "field": "email"}, {"column": "2", "field": "name"}],
        rows=[row(1, "create", None), row(12, "update", "lead_1"), row(3, "other", None, wrong(None), wrong("a"))],
        counts=Of(created=1200, updated=1, skipped=0, failed=2),
    )  # fmt: skip
    imports.look(ANY, [found])
    drawn = [text.rstrip() for text in capsys.readouterr().out.splitlines()]
    assert drawn == [
        "2 rows, 3 columns  csv, utf-8, separated by ';'",
        "✗ is odd",
        "✗ email is odd",
        "   Mail → email its name, 90 % a@b.test · ccccccccccccccccccccccccccccccccccccccccccccccccc",
        "   Two → name",
        "   Odd not read",
        "! name is needed by new records, and no column gives it",
        "",
        "+    1 a=1, b=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "~   12 lead_1 a=1, b=xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
        "·    3 : is odd; a: is odd",
        "an import  1,200 created, 1 updated, 0 skipped, 2 failed",
    ]
    found.delimiter, found.readable, found.rows, found.columns = None, False, [], []
    imports.look(ANY, [found])
    drawn = [text.rstrip() for text in capsys.readouterr().out.splitlines()]
    assert drawn == [
        "not readable  csv, utf-8",
        "✗ is odd",
        "✗ email is odd",
        "! name is needed by new records, and no column gives it",
        "an import  1,200 created, 1 updated, 0 skipped, 2 failed",
    ]


def test_a_card_says_how_long_ago_the_last_contact_was() -> None:
    def state(last: object, health: str | None = "low") -> str:
        names = ("title", "company", "email", "phone", "mobile", "status", "lifecycle_stage", "owner_id", "total_value")
        usual: dict[str, Any] = {
            **dict.fromkeys(names),
            "id": "c1",
            "name": "Jane",
            "tags": [],
            "do_not_contact": False,
        }
        contact: Any = Of(**usual, relationship_health=health, last_contact=last, next_follow_up=None)
        return list(contacts._card(contact, Zone()))[-1].plain

    assert state(datetime.now(UTC) - timedelta(days=2, hours=1)) == "state      health low  last contact 2d ago"
    assert state(None, None) == "state      no contact yet" and state("2026-01-01").endswith("no contact yet")


def test_a_stage_is_cut_where_the_screen_ends(capsys: pytest.CaptureFixture[str]) -> None:
    stage = Of(name="N" * 30, probability=10, deal_count=4, total_value=100, kind="open", required_fields=["a", "b"])
    facts = dict.fromkeys(("is_default", "lock_closed", "require_lost_reason"), False)
    facts |= dict.fromkeys(("active", "allow_backward", "allow_skip"), True)
    made: Any = Of(name="P", **facts, stages=[stage], total_value=1, currency="EUR", deal_count=1)
    pipelines._draw(stdout(40), made, [])
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3 and lines[1].rstrip().endswith("…") and len(lines[1]) <= 40
