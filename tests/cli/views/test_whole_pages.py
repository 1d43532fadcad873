"""Whole pages of views, line by line, as they are drawn of a few records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from types import SimpleNamespace as Of
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from crm_cli.console import stdout
from crm_cli.views import collaboration, files
from crm_cli.views.administration import audit, backups, configuration, jobs, monitoring, tenants, users
from crm_cli.views.sales import accounts, activities, contacts, pipelines
from crm_cli.views.zone import Zone

Page = Callable[..., list[str]]
MADRID = Zone(ZoneInfo("Europe/Madrid"))
AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ANY: Any = None
"""A client that is asked nothing."""


@pytest.fixture
def page(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Page:
    monkeypatch.setenv("COLUMNS", "100")

    def drawn(draw: Callable[..., object], *given: Any) -> list[str]:
        draw(*given)
        return [text.rstrip() for text in capsys.readouterr().out.splitlines()]

    return drawn


def node(id: str, name: str, opened: int = 0, won: int = 0, *below: Any) -> Any:
    return Of(id=id, name=name, open_deal_value=Decimal(opened), won_value=Decimal(won), children=list(below))


GROUP = node("a", "Group", 0, 7, node("b", "Branch", 5, 0, node("c", "Leaf")), node("d", "Other"))


def test_accounts_are_a_tree_with_what_they_are_worth(page: Page) -> None:
    rollup = Of(accounts=2, contacts=1, open_value=Decimal(5), currency="EUR", open_deals=1, won_value=Decimal(7))
    whole: Any = Of(path=[Of(id="a"), Of(id="b")], root=GROUP, rollup=rollup, truncated=True)
    assert page(accounts._draw, stdout(), whole) == [
        "Group  7 won  a",
        "├─ ● Branch  5 open  b",
        "│  └─ Leaf    c",
        "└─ Other    d",
        "",
        "2 accounts  1 contact  5 EUR open in 1 deal  7 won  there are more than are shown",
    ]
    whole = Of(path=[], root=node("a", "Group"), rollup=rollup, truncated=False)
    assert page(accounts._draw, stdout(), whole) == [
        "● Group    a",
        "",
        "2 accounts  1 contact  5 EUR open in 1 deal  7 won",
    ]
    every = [Of(won_value=7, open_deal_value=5, currency="EUR"), Of(won_value=None, open_deal_value=1, currency="USD")]
    assert page(accounts._draw_forest, stdout(), [GROUP, node("e", "Alone")], every) == [
        "Group  7 won  a",
        "├─ Branch  5 open  b",
        "│  └─ Leaf    c",
        "└─ Other    d",
        "Alone    e",
        "",
        "2 accounts  5 EUR + 1 USD open  7 EUR + 0 USD won",
    ]
    assert page(accounts._draw_forest, stdout(), [], []) == [
        "no accounts: `crm accounts create --name …` makes one",
    ]


def test_a_pipeline_is_its_stages_what_holds_for_it_and_its_rules(page: Page) -> None:
    def stage(name: str, probability: int, deals: int | None, total: Decimal | None, kind: str, *needed: str) -> Any:
        return Of(name=name, probability=probability, deal_count=deals, total_value=total, kind=kind,
                  required_fields=needed)  # fmt: skip

    stages = [
        stage("New", 10, 4, Decimal(100), "open"),
        stage("Won", 100, 2, Decimal("50.5"), "won", "a", "b"),
        stage("Lost", 0, None, None, "lost"),
    ]
    usual = {"is_default": True, "active": True, "allow_backward": True, "allow_skip": True, "lock_closed": False}
    usual |= {"require_lost_reason": False}
    rules = [
        Of(name="Tag", actions=[Of(type="add_tag"), Of(type="send_email")], trigger=Of(event="deal_won"), enabled=on)
        for on in (True, False)
    ]
    made: Any = Of(name="Sales", **usual, stages=stages, total_value=Decimal(150), currency="EUR", deal_count=1)
    assert page(pipelines._draw, stdout(), made, rules) == [
        "Sales  default",
        "  New    10 %      4             100  ████████████████",
        "  Won   100 %      2           50.50  ████████          needs a, b",
        "  Lost    0 %      0               –",
        "1 deal  150 EUR  2 rules",
        "  Tag  Deal won → add tag, send email",
        "  Tag  Deal won → add tag, send email  off",
    ]
    other = {name: not value for name, value in usual.items()}
    made = Of(name="Sales", **other, stages=[], total_value=Decimal(150), currency=None, deal_count=None)
    assert page(pipelines._draw, stdout(), made, []) == [
        "Sales  inactive, no way back, no stage is skipped, closed deals stay closed, a loss needs a reason",
        "0 deals  150   0 rules",
    ]


def test_a_company_is_its_plan_its_limits_and_its_calls(page: Page) -> None:
    def billing(**given: Any) -> Any:
        usual = {"amount": Decimal(99), "currency": "EUR", "cycle": "monthly", "seats": 1, "status": "active"}
        return Of(**{**usual, "plan": "team", "cancels_at": None, **given})

    tenant: Any = Of(name="Acme", slug="acme", status="active")
    used = [("users", 5, 10), ("api_calls", 12345, None), ("files", 0, 0), ("flows", 1, 0)]
    limits: Any = Of(limits=[Of(key=key, used=count, limit=most) for key, count, most in used])
    usage: Any = Of(api_calls=[Of(value=1), Of(value=3)], period_start="2026-01-01", period_end="2026-01-31")
    assert page(tenants._draw, stdout(), tenant, billing(), limits, usage) == [
        "Acme  acme  active",
        "Team  1 seat  99 EUR monthly",
        "",
        "Limits",
        "Users      ██████████░░░░░░░░░░  5 of 10",
        "Api calls                        12,345  no limit",
        "Files      ░░░░░░░░░░░░░░░░░░░░  0 of 0",
        "Flows      ████████████████████  1 of 0",
        "",
        "Calls  2026-01-01 to 2026-01-31",
        "▃█  4 calls",
    ]
    late, nothing = (
        billing(status="past_due", cancels_at=AT, seats=2),
        Of(api_calls=[], period_start="a", period_end="b"),
    )
    assert page(tenants._draw, stdout(), tenant, late, Of(limits=[]), nothing) == [
        "Acme  acme  active",
        "Team  2 seats  99 EUR monthly  Past due",
        "Free from 2026-01-15",
        "",
        "Limits",
        "",
        "Calls  a to b",
        "0 calls",
    ]


def test_files_stand_in_their_folders_with_marks_and_sizes(page: Page) -> None:
    def file(id: str, folder: str | None, name: str, size: int | None, **given: Any) -> Any:
        usual = {"revision": 1, "scan_status": "clean", "shared": False, "visibility": "tenant"}
        return Of(id=id, folder=folder, name=name, size=size, **{**usual, **given})

    found = [
        file("f1", "/a", "x.txt", 999),
        file("f2", "/a", "y.txt", 1000, revision=2, shared=True),
        file("f3", None, "z", None, visibility="private", revision=None),
        file("f4", "/b", "w", 1_500_000, scan_status="infected", shared=True),
    ]
    assert page(files._draw, stdout(), found) == [
        "/a",
        "    x.txt  999 B  f1",
        "  ◆ y.txt  1.0 kB  version 2  f2",
        "/",
        "  ● z  0 B  f3",
        "/b",
        "  ✗ w  1.5 MB  f4",
        "",
        "4 files  1.5 MB",
    ]
    assert page(files._draw, stdout(), []) == [
        "",
        "0 files  0 B",
    ]
    sizes = (0, 999, 1000, 999_949, 999_950, 10**9, 10**13)
    words = ["0 B", "999 B", "1.0 kB", "999.9 kB", "1.0 MB", "1.0 GB", "10000.0 GB"]
    assert [files.size(count) for count in sizes] == words


def test_backups_settings_and_jobs_are_a_line_each(page: Page) -> None:
    def backup(**given: Any) -> Any:
        usual = {"id": "b1", "name": "Nightly", "status": "succeeded", "error": None, "size": 2048}
        return Of(**{**usual, "counts": {"lead": 1200, "deal": 3}, **given})

    full = backup(status="failed", error=Of(message="the disk is full"), size=None)
    assert page(backups.draw_backups, ANY, [backup(), full, backup(status="running", size=None, name=None)]) == [
        "✓ Nightly  b1  1,203 records, 2,048 bytes",
        "✗ Nightly  b1  the disk is full",
        "…   b1",
    ]
    assert [backups.status_of(each) for each in (backup(), full)] == [None, 1]
    settings: Any = [Of(key=key, value=value, locked=locked) for key, value, locked in (
        ("a.b", None, False), ("c", "x", True), ("d", [1], False),
    )]  # fmt: skip
    assert page(configuration._draw, stdout(), settings) == [
        "a.b  –",
        "c  x   locked",
        "d  [1]",
    ]
    counts = Of(model_dump=lambda exclude_none: {"created": 1200, "failed": 0})
    told = [("Import", "succeeded", counts), (None, "failed", None), ("X", "cancelled", None)]
    assert [page(jobs._draw, stdout(), Of(id="j1", title=t, status=s, counts=c)) for t, s, c in told] == [
        ["✓ Import  1,200 created"], ["✗ j1"], ["⊘ X"],
    ]  # fmt: skip


def test_checks_are_a_line_each_and_those_that_do_not_pass_are_told(
    page: Page, capsys: pytest.CaptureFixture[str]
) -> None:
    def check(status: str, value: object, unit: str, output: str | None = None) -> Any:
        return Of(status=status, observed_value=value, observed_unit=unit, output=output)

    mail = [check("fail", "", "", "refused"), check("warn", 9, "%")]
    health: Any = Of(status="fail", checks={"database": [check("pass", 3, "ms")], "mail": mail})
    assert page(monitoring.checks, ANY, [health]) == [
        "database  pass  3 ms",
        "mail      fail",
        "mail      warn  9 %",
    ]
    assert monitoring.status_of(health) == 1 and capsys.readouterr().err == "fail: mail: refused; mail: warn\n"
    well: Any = Of(status="warn", checks={})
    assert monitoring.status_of(well) is None and capsys.readouterr().err == ""


def test_what_a_user_may_do_is_a_grid(page: Page) -> None:
    given = (("deals", "read", "all"), ("deals", "update", "own"), ("quotes", "manage", "odd"))
    permissions = [Of(resource=resource, action=action, scope=scope) for resource, action, scope in given]
    found: Any = Of(user_id="u1", roles=[Of(name="Rep"), Of(name="Lead")], permissions=permissions)
    assert page(users._draw, stdout(), found) == [
        "u1  Rep, Lead",
        "        read    create  update  delete  export  import  manage",
        "Deals   all     –       own     –       –       –       –",
        "Quotes  –       –       –       –       –       –       odd",
    ]
    found = Of(user_id="u1", roles=[], permissions=[])
    assert page(users._draw, stdout(), found) == [
        "u1",
        "  read    create  update  delete  export  import  manage",
        "nothing is permitted",
    ]


def test_controls_name_the_first_five_findings_and_accesses_what_is_unusual(page: Page) -> None:
    def control(status: str, count: int) -> Any:
        findings = [Of(name=f"N{number}" if number else None, id=f"i{number}") for number in range(count)]
        return Of(status=status, title="Access", measured="2 of 3", expected="3 of 3", findings=findings)

    controls = [control("pass", 1), control("fail", 6), control("warn", 0), control("fail", 5)]
    report: Any = Of(
        start_date="2026-01-01", end_date="2026-01-31", framework="SOC 2", status="fail", controls=controls
    )
    assert page(audit.controls, ANY, [report]) == [
        "SOC 2  fail  2026-01-01 – 2026-01-31",
        "pass     Access",
        "         2 of 3",
        "fail     Access",
        "         2 of 3",
        "         expected: 3 of 3",
        "         i0, N1, N2, N3, N4 and 1 more",
        "warn     Access",
        "         2 of 3",
        "         expected: 3 of 3",
        "fail     Access",
        "         2 of 3",
        "         expected: 3 of 3",
        "         i0, N1, N2, N3, N4",
    ]

    def row(name: str | None, kind: str, reasons: Sequence[str]) -> Any:
        counts = {"reads": 5, "exports": 1, "updates": 2, "deletes": 0}
        return Of(actor=Of(name=name, id="u9"), entity_type=kind, unusual=bool(reasons), reasons=reasons, **counts)

    rows = [row("Ada", "lead", ()), row(None, "contact", ("at night",))]
    report = Of(start_date="a", end_date="b", rows=rows, totals={"reads": 1200, "exports": 2})
    assert page(audit.accesses, ANY, [report]) == [
        "Ada  lead          5 read    1 exported     2 updated    0 deleted",
        "u9   contact       5 read    1 exported     2 updated    0 deleted",
        "     at night",
        "a – b: 1,200 reads, 2 exports",
    ]
    assert page(audit.accesses, ANY, [Of(start_date="a", end_date="b", rows=[], totals={})]) == [
        "a – b:",
    ]


def entry(at: datetime | None, **given: Any) -> Any:
    usual = {"actor": Of(name="Ada"), "kind": "call", "title": "Called", "summary": "Called"}
    return Of(occurred_at=at, **{**usual, **given})


def test_a_timeline_is_drawn_by_days_of_the_zone(page: Page) -> None:
    entries = [
        entry(AT),
        entry(AT - timedelta(hours=1), actor=None, kind="odd", summary="About it"),
        entry(AT - timedelta(days=1), actor=Of(name=None), summary=None),
        entry(None),
    ]
    assert page(activities.draw, stdout(), entries, MADRID) == [
        "Thu 15 Jan 2026",
        "10:30  ☎  Called  Ada",
        "09:30  ·  Called",
        "         About it",
        "",
        "Wed 14 Jan 2026",
        "10:30  ☎  Called",
        "",
        "some day",
        "       ☎  Called  Ada",
        "",
    ]
    assert page(activities.draw, stdout(), [], MADRID) == ["nothing happened"]


def test_replies_stand_below_and_what_happened_by_days(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    def comment(id: str, parent: str | None = None, **given: Any) -> Any:
        usual = {"author": Of(name="Ada"), "created_at": AT, "edited": False, "body": "Hello"}
        return Of(id=id, parent_id=parent, **{**usual, **given})

    monkeypatch.setattr(collaboration, "zone_of", lambda client: MADRID)
    said = [comment("c1"), comment("c2", "c1", edited=True, author=None), comment("c3", "gone", body=None)]
    assert page(collaboration.thread, ANY, said) == [
        "Ada  Thu 2026-01-15 10:30  c1",
        "  Hello",
        "",
        "    –  Thu 2026-01-15 10:30, edited  c2",
        "      Hello",
        "",
        "Ada  Thu 2026-01-15 10:30  c3",
        "  deleted",
        "",
    ]
    assert page(collaboration.thread, ANY, []) == ["nobody has commented"]

    def item(at: datetime, count: int = 1, comment: Any = None) -> Any:
        return Of(occurred_at=at, summary="Deal won", count=count, entity=Of(id="deal_1"), comment=comment)

    items = [item(AT), item(AT, 2, Of(body="Well done")), item(AT - timedelta(days=1), 1, Of(body=""))]
    assert page(collaboration.feed, ANY, items) == [
        "Thursday, 15 January 2026",
        "  10:30  Deal won  deal_1",
        "  10:30  Deal won  2 times  deal_1",
        "         Well done",
        "",
        "Wednesday, 14 January 2026",
        "  10:30  Deal won  deal_1",
        "",
    ]
    assert page(collaboration.feed, ANY, []) == ["nothing has happened"]


def test_a_contact_is_a_card_its_deals_and_its_timeline(page: Page) -> None:
    usual: dict[str, Any] = {
        "title": "CEO", "company": "Acme", "relationship_health": "high", "email": "j@a.test", "phone": "1",
        "mobile": "2", "status": "active", "tags": ["vip", "x"], "next_follow_up": AT, "total_value": Decimal(1200),
        "do_not_contact": True,
    }  # fmt: skip
    same = {"id": "contact_1", "name": "Jane Doe", "last_contact": None, "lifecycle_stage": None, "owner_id": None}
    jane: Any = Of(**same, **usual, currency="EUR")

    def deal(status: str, value: int) -> Any:
        worth = {"value": Decimal(value), "currency": "EUR", "probability": 50}
        return Of(id="deal_1", title="Chairs", status=status, stage="closed-won", **worth)

    related: Any = [Of(type="reports_to", related_contact_id="contact_2")]
    deals = [deal("open", 5), deal("won", 7)]
    assert page(contacts._draw, stdout(), jane, deals, related, [entry(AT)], MADRID) == [
        "Jane Doe  CEO, Acme  contact_1",
        "e-mail     j@a.test",
        "phone      1, 2",
        "status     active",
        "tags       vip, x",
        "state      health high  no contact yet",
        "next       Thu 2026-01-15 10:30",
        "worth      1,200 EUR",
        "stop       do not contact",
        "related    reports to contact_2",
        "",
        "Deals  2 deals  5 EUR open",
        "  Chairs  Closed won  5 EUR  50 %  deal_1",
        "  Chairs  Closed won  7 EUR  50 %  deal_1",
        "",
        "Timeline  times in Europe/Madrid",
        "Thu 15 Jan 2026",
        "10:30  ☎  Called  Ada",
        "",
    ]
    bare: Any = Of(**same, **dict.fromkeys(usual), currency=None)
    bare.tags = []
    assert page(contacts._draw, stdout(), bare, [], [], [], MADRID) == [
        "Jane Doe  contact_1",
        "state      no contact yet",
        "",
        "Deals  0 deals",
        "  none yet: `crm deals create --title … --contact-id contact_1`",
        "",
        "Timeline",
        "nothing happened",
    ]
    assert len(page(contacts._draw, stdout(), bare, None, None, None, MADRID)) == 2
