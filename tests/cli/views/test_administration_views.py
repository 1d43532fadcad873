"""What those see who look after a company: backups, jobs, settings, checks, permissions, changes, comments."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.console import stdout
from crm_cli.failures import MisuseError
from crm_cli.views import collaboration
from crm_cli.views.administration import backups, changes, configuration, jobs, monitoring, users
from crm_sdk import CrmClient

pytest_plugins = ["cli_fixtures"]


@pytest.fixture
def lines(capsys: pytest.CaptureFixture[str]) -> Callable[[], list[str]]:
    return lambda: [line.rstrip() for line in capsys.readouterr().out.splitlines()]


def test_backups_say_how_much_they_hold_or_why_they_do_not(lines: Callable[[], list[str]]) -> None:
    def backup(**given: Any) -> Any:
        members: dict[str, Any] = {"name": "Now", "id": "b1", "status": "succeeded", "size": None}
        members |= {"counts": {}, "error": None}
        return SimpleNamespace(**members | given)

    error = SimpleNamespace(message="the disk is full")
    found = [
        backup(size=1234, counts={"contact": 1000, "deal": 5}), backup(status="failed", error=error),
        backup(status="running", name=None), backup(size=0),
    ]  # fmt: skip
    backups.draw_backups(None, found)  # type: ignore[arg-type] # the client is not asked
    assert lines() == [
        "✓ Now  b1  1,005 records, 1,234 bytes", "✗ Now  b1  the disk is full", "…   b1",
        "✓ Now  b1  0 records, 0 bytes",
    ]  # fmt: skip
    assert [backups.status_of(one) for one in found[:3]] == [None, failures.GENERIC, None]


@pytest.mark.parametrize(
    ("status", "title", "counts", "drawn"),
    [
        ("succeeded", "Import", {"created": 1200, "failed": 0}, "✓ Import  1,200 created"),
        ("failed", None, {"created": 1, "failed": 2}, "✗ job_1  1 created, 2 failed"),
        ("cancelled", "", None, "⊘ job_1"),
    ],
)
def test_a_job_is_drawn_with_what_it_did(
    status: str, title: str | None, counts: dict[str, int] | None, drawn: str, lines: Callable[[], list[str]]
) -> None:
    dumped = SimpleNamespace(model_dump=lambda **how: counts) if counts is not None else None
    job: Any = SimpleNamespace(id="job_1", status=status, title=title, counts=dumped)
    jobs._draw(stdout(), job)
    assert lines() == [drawn]


@pytest.mark.parametrize(
    ("text", "found"),
    [("a.b=10", ("a.b", 10)), ("a=x y", ("a", "x y")), ("a=", ("a", "")), ('a={"b": [1]}', ("a", {"b": [1]})),
     ("a=null", ("a", None)), ("a=b=c", ("a", "b=c"))],
)  # fmt: skip
def test_a_setting_is_typed_with_its_value(text: str, found: tuple[str, Any]) -> None:
    assert configuration._read(text) == found
    for odd in ("a", "=1", ""):
        with pytest.raises(MisuseError, match="is not KEY=VALUE"):
            configuration._read(odd)


def test_settings_are_drawn_with_their_locks(served: Crm) -> None:
    done = served("configuration", "set", "calendar.buffer_minutes=10", "ui.density=compact", "-o", "table")
    assert done.status != 0, "the density is one's own"
    done = served("configuration", "set", "calendar.buffer_minutes=10", "-o", "table")
    assert (done.status, done.out.split()) == (0, ["calendar.buffer_minutes", "10"])
    setting: Any = SimpleNamespace(key="k", value=None, locked=True)
    configuration._draw(stdout(), [setting])


@pytest.mark.parametrize(
    ("status", "check", "exit", "said"),
    [
        ("pass", "pass", None, ""), ("warn", "warn", None, "warn: disk: nearly full\n"),
        ("fail", "fail", failures.GENERIC, "fail: disk: nearly full\n"),
    ],
)  # fmt: skip
def test_a_check_that_does_not_pass_is_told_and_one_that_fails_is_the_exit_status(
    capsys: pytest.CaptureFixture[str], status: str, check: str, exit: int | None, said: str
) -> None:
    held = SimpleNamespace(status=check, output="nearly full", observed_value=9, observed_unit="%")
    other = SimpleNamespace(status="pass", output=None, observed_value="", observed_unit="")
    health: Any = SimpleNamespace(status=status, checks={"disk": [held], "database": [other]})
    assert monitoring.status_of(health) == exit
    assert capsys.readouterr().err == said
    monitoring.checks(None, [health])  # type: ignore[arg-type] # the client is not asked
    drawn = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert drawn == [f"disk      {check}  9 %", "database  pass"]


def test_permissions_are_a_grid_or_none(lines: Callable[[], list[str]]) -> None:
    def found(*permissions: tuple[str, str, str]) -> Any:
        held = [SimpleNamespace(resource=one, action=action, scope=scope) for one, action, scope in permissions]
        return SimpleNamespace(user_id="user_1", roles=[SimpleNamespace(name="Sales")], permissions=held)

    users._draw(stdout(), found(("leads", "read", "all"), ("leads", "update", "own"), ("deals", "read", "team")))
    drawn = lines()
    assert drawn[0] == "user_1  Sales" and drawn[1].split() == list(users._ACTIONS)
    assert [line.split()[1:] for line in drawn[2:]] == [
        ["all", "–", "own", "–", "–", "–", "–"], ["team", "–", "–", "–", "–", "–", "–"],
    ]  # fmt: skip
    users._draw(stdout(), found())
    assert lines()[-1] == "nothing is permitted"


def test_changes_go_on_where_they_were(served: Crm, client: CrmClient, tmp_path: Path) -> None:
    file = tmp_path / "position"
    words = ("changes", "follow", "--position-file", str(file), "--once")
    assert served(*words).out == "" and file.read_text()
    lead = client.with_options(dialects="platform").leads.create({"name": "Ada"})
    assert lead.id in served(*words).out
    assert served(*words).out == "", "the position is behind it"
    page: Any = SimpleNamespace(cursor="c")
    assert changes.position({"limit": 0}, page) == changes.position({"limit": "0"}, page) == "c"
    assert changes.position({"limit": 10}, page) is None and changes.position({}, page) is None


def test_comments_and_what_has_happened_are_drawn_or_that_there_is_nothing(
    client: CrmClient, lines: Callable[[], list[str]]
) -> None:
    at = datetime(2026, 1, 15, 12, tzinfo=UTC)

    def comment(id: str, parent: str | None = None, **given: Any) -> Any:
        members = {"author": None, "edited": False, "created_at": at, "body": "Yes", "parent_id": parent, "id": id}
        return SimpleNamespace(**members | given)

    collaboration.thread(client, [comment("c1"), comment("c2", "c1", edited=True), comment("c3", "gone", body=None)])
    drawn = lines()
    assert [line.split()[-1] for line in drawn if line.strip()] == ["c1", "Yes", "c2", "Yes", "c3", "deleted"]
    assert [len(line) - len(line.lstrip()) for line in drawn if line.strip()] == [0, 2, 4, 6, 0, 2]
    assert "edited" in drawn[3] and "edited" not in drawn[0] and "nobody has commented" not in drawn
    collaboration.thread(client, [])
    assert lines() == ["nobody has commented"]
    item: Any = SimpleNamespace(
        occurred_at=at, count=2, summary="Deal won", entity=SimpleNamespace(id="deal_1"), comment=None
    )
    collaboration.feed(client, [item])
    drawn = lines()
    assert "Thursday, 15 January 2026" in drawn[0] and "Deal won  2 times  deal_1" in drawn[1] and len(drawn) == 3
    collaboration.feed(client, [])
    assert lines() == ["nothing has happened"]
