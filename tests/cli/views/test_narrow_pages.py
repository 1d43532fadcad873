"""Pages in little room, and views as they ask a client and draw what it answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.console import stdout
from crm_cli.views import collaboration, files, search
from crm_cli.views.administration import changes, imports, users
from crm_cli.views.drawing import line
from crm_cli.views.sales import accounts, contacts, deals, pipelines
from crm_cli.views.zone import Zone, zone_of
from crm_sdk import CrmClient
from crm_sdk.errors import NotFoundError
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

Page = Callable[..., list[str]]
AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ANY: Any = None


def test_a_line_that_has_no_room_is_cut_and_not_broken(page: Page) -> None:
    node = Of(id="account_1", name="Acme and its sons", open_deal_value=5, won_value=7, children=[])
    rollup = Of(accounts=1, contacts=1, open_value=5, currency="EUR", open_deals=1, won_value=7)
    stage = Of(name="New", probability=10, deal_count=1, total_value=5, kind="open", required_fields=["amount"])
    facts = {"is_default": False, "active": True, "allow_backward": True, "allow_skip": True, "lock_closed": False}
    sales = Of(name="S", **facts, require_lost_reason=False, stages=[stage], total_value=5, currency=None, deal_count=1)
    file = Of(id="file_1", folder="/", name="x" * 30, size=1, revision=1, scan_status=None, shared=False,
              visibility=None)  # fmt: skip
    permission = Of(resource="deals", action="read", scope="all")
    right = Of(user_id="u1", roles=[], permissions=[permission])
    period = Of(period="2026-01", total=Decimal(5), weighted=Decimal(3), categories=None)
    figures = {"total_pipeline": 5, "weighted_forecast": 3, "deals_closing_this_month": 1}
    forecast = Of(currency="EUR", start_date=None, end_date=None, periods=[period], categories=None, **figures)
    pages: list[tuple[str, Callable[..., object], list[Any]]] = [
        ("Acme", accounts._draw, [stdout, Of(path=[], root=node, rollup=rollup, truncated=False)]),
        ("Acme", accounts._draw_forest, [stdout, [node], [Of(won_value=1, open_deal_value=1, currency=None)]]),
        ("New", pipelines._draw, [stdout, sales, []]),
        ("xxx", files._draw, [stdout, [file]]),
        ("Deals", users._draw, [stdout, right]),
        ("2026-01", deals._draw_forecast, [stdout, forecast]),
    ]
    for word, draw, given in pages:
        [place] = [n for n, line in enumerate(page(200, draw, *given)) if word in line]
        narrow = page(24, draw, *given)
        [cut] = [n for n, line in enumerate(narrow) if word in line]
        following = page(200, draw, *given)[place + 1 :][:1]
        if following and following[0].strip():
            assert narrow[cut + 1].split()[:1] == following[0].split()[:1], draw
        else:
            assert not "".join(narrow[cut + 1 : cut + 2]).strip(), draw


def test_what_is_indented_is_not_filled_up(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collaboration, "zone_of", lambda client: Zone())
    comment = Of(id="c", parent_id=None, author=None, created_at=AT, edited=False, body="Hello")
    item = Of(occurred_at=AT, summary="Won", count=1, entity=Of(id="d"), comment=Of(body="Well done"))
    lead = Of(id="lead_1", name="Ada", title=None, company="Acme", email="a@b.test", phone=None, tags=[])
    for lines in (
        page(90, collaboration.thread, ANY, [comment]), page(90, collaboration.feed, ANY, [item]),
        page(90, search._draw, stdout, found_by_words(leads=[lead]), ["ada"], 10, Zone()),
    ):  # fmt: skip
        assert lines and max(map(len, lines)) < 60


# -- searching


def found_by_words(**given: Any) -> Any:
    kinds = ("contacts", "leads", "deals", "accounts", "messages", "events", "activities", "others")
    return Of(**{**{kind: [] for kind in kinds}, "did_you_mean": None, **given})


def test_a_page_of_what_was_found_has_each_kind_in_its_own_form(page: Page, capsys: pytest.CaptureFixture[str]) -> None:
    class Found(Of):
        def model_dump(self, **_: Any) -> dict[str, Any]:
            return vars(self)

    found = found_by_words(
        deals=[Found(id="d1", title="Tea", stage="closed-won", value=5, probability=10, contact_name=None,
                     company="A")],
        accounts=[Found(id="a1", name="Acme", industry="Tea", domain=None)],
        messages=[Found(id="m1", sender_name=None, timestamp=AT, subject="Tea", content="Hello")],
        events=[Found(id="e1", kind="event", title=None, start_time=AT, status="ok", contact_name="B",
                      contact_company=None)],
        activities=[Found(id="t1", kind="task", title="Brew tea", status="open"),
                    Found(id="n1", kind="note", title=None, subject=None, body="Tea time"),
                    Found(id="c1", kind="call", title=None, subject="About tea"),
                    Found(id="e1", kind="event", title="left to the events")],
        others=[Found(id="f1", type="files", title="tea.txt", subtitle="/", notes=["odd", "green TÉA"])],
    )  # fmt: skip
    assert [line.rstrip() for line in page(90, search._draw, stdout, found, ["tea"], 10, Zone(ZoneInfo("UTC")))] == [
        "Deals  1", "  Tea  Closed won  5  10 %  d1", "    A", "",
        "Accounts  1", "  Acme  Tea  a1", "",
        "Messages  1", "  Thu 2026-01-15 09:30  Tea  m1", "    Hello", "",
        "Events  1", "  Thu 2026-01-15 09:30  ok  e1", "    B", "",
        "Activities  3", "  Brew tea  task  open  t1", "  Tea time  note  n1", "  About tea  call  c1", "",
        "Files  1", "  tea.txt  /  f1",
    ]  # fmt: skip
    elsewhere = found_by_words(others=[Found(id="tea", type="x", title="X", subtitle="", notes=["odd", "green TÉA"])])
    assert [line.rstrip() for line in page(90, search._draw, stdout, elsewhere, ["tea"], 10, Zone())] == [
        "X  1", "  X  tea", "    notes: green TÉA",
    ]  # fmt: skip
    capsys.readouterr()
    assert page(90, search._draw, stdout, found_by_words(did_you_mean="tea"), ["tae"], 1, Zone()) == []
    search._draw(stdout(), found_by_words(did_you_mean="tea"), ["tae"], 1, Zone())
    assert capsys.readouterr().err == "nothing found\ndid you mean: tea\n"
    three = found_by_words(leads=[Found(id=f"l{n}", name="A", title=None, company=None, email="x", phone="y")
                                  for n in range(3)])  # fmt: skip
    assert page(90, search._draw, stdout, three, ["x"], 3, Zone())[-1].strip() == "x, y"
    assert page(90, search._draw, stdout, three, ["x"], 2, Zone())[-1] == "  + 1 more"
    kinds = [record["kind"] for record in search._records(found)]
    assert kinds == ["deal", "account", "message", "event", "task", "note", "call", "file"]


def test_a_long_text_is_cut_to_the_part_around_the_first_match() -> None:
    def shown(text: str, *terms: str) -> str:
        return search._highlight(line(text), list(terms)).plain

    assert shown("a" * 160, "x") == "a" * 160 and shown("a" * 161, "x") == "a" * 160 + "…"
    assert shown("a" * 30 + "x" + "a" * 200, "x") == "a" * 30 + "x" + "a" * 129 + "…"
    assert shown("b" + "a" * 30 + "x" + "a" * 200, "x") == "…" + "a" * 30 + "x" + "a" * 129 + "…"
    assert shown("b" * 100 + "a" * 30 + "x" + "a" * 129, "x") == "…" + "a" * 30 + "x" + "a" * 129
    assert shown("b" * 100 + "y" + "c" * 50 + "x" + "a" * 200, "x", "y").startswith("…" + "b" * 30 + "y")
    assert shown("a" * 100 + "x", "x") == "a" * 100 + "x", "there is room for all of it"
    assert search._marks("aXaÄx", ["x", "a"]) == [(1, 2), (4, 5), (0, 1), (2, 3), (3, 4)]
    assert search._marks("aaa", ["aa"]) == [(0, 2)]


# -- files, rights, accounts, contacts


def test_files_are_sorted_by_folder_and_name(asked_of: Any) -> None:
    def file(folder: str | None, name: str) -> Any:
        return Of(id=name, folder=folder, name=name, size=1, revision=1, scan_status="clean", shared=False,
                  visibility="tenant")  # fmt: skip

    asked: dict[str, Any] = {}
    listed = [file("/b", "a"), file("/a", "z"), file("/a", "y"), file(None, "x")]
    crm = asked_of(files, Of(files=Of(list=lambda **given: asked.update(given) or listed)))
    lines = [line.split()[0] for line in crm("files", "tree", "-o", "table").out.splitlines()[:-2]]
    assert lines == ["/", "x", "/a", "y", "z", "/b", "a"] and asked == {"folder": "/", "recursive": True}


def test_what_a_user_may_do_is_asked_by_name_or_for_oneself(served: Crm) -> None:
    own, other = served("users", "access"), served("users", "access", "Gina", "--profile", "default")
    assert (own.status, own.json["userId"]) == (0, "user_ada") and other.status == failures.NOT_FOUND
    assert served("users", "access", "Ada Lindqvist").json["userId"] == "user_ada"


def test_a_tree_of_accounts_has_ten_levels_unless_told_otherwise(asked_of: Any, stub: StubServer) -> None:
    client = stub.client(dialects="platform")
    id = client.accounts.create({"name": "Tree"}).id
    found, depths = client.accounts.hierarchy(id), list[int]()

    def hierarchy(account: str, max_depth: int) -> Any:
        depths.append(max_depth)
        return found

    crm = asked_of(accounts, Of(accounts=Of(hierarchy=hierarchy, get=client.accounts.get)))
    for words in ([], ["--depth", "1"]):
        assert crm("accounts", "tree", id, *words).json["root"]["id"] == id
    assert depths == [10, 1]


def test_a_contact_was_last_spoken_to_so_long_ago() -> None:
    members = dict.fromkeys(
        ("title", "company", "relationship_health", "email", "phone", "mobile", "status", "lifecycle_stage",
         "owner_id", "next_follow_up", "total_value", "currency", "do_not_contact")
    )  # fmt: skip
    contact: Any = Of(id="c", name="Ada", tags=[], **members, last_contact=datetime.now(UTC) - timedelta(days=3))
    assert [text.plain for text in contacts._card(contact, Zone())] == ["Ada  c", "state      last contact 3d ago"]


# -- changes and imports


def test_changes_are_followed_from_the_position_in_a_file(asked_of: Any, tmp_path: Path) -> None:
    asked: list[dict[str, Any]] = []
    slept: list[float] = []
    pages = [Of(items=[{"id": 1}], cursor="c1", has_more=True), Of(items=[{"id": 2}], cursor="c2", has_more=False)]

    def listed(**given: Any) -> Any:
        asked.append(given)
        assert len(asked) < 5, "it goes on without an end"
        return pages[(len(asked) - 1) % 2]

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) % 2 == 0:
            raise KeyboardInterrupt

    crm = asked_of(changes, Of(changes=Of(list=listed), clock=Of(sleep=sleep)))
    file = tmp_path / "position"
    words = ("changes", "follow", "--position-file", str(file))
    done = crm(*words, "--once")
    assert (done.status, done.out, slept, file.read_text()) == (0, '{"id":1}\n{"id":2}\n', [], "c2")
    assert asked == [{"start": "now", "limit": 0}, {"cursor": "c1"}]
    asked.clear()
    assert crm(*words).status == failures.INTERRUPTED
    assert asked == [{"cursor": "c2"}, {"cursor": "c1"}, {"cursor": "c2"}, {"cursor": "c1"}] and slept == [2.0, 2.0]
    here: Any = Of(cursor="c9")
    assert [changes.position(given, here) for given in ({"limit": 0}, {"limit": "0"}, {"limit": 1}, {})] == [
        "c9", "c9", None, None,
    ]  # fmt: skip


def test_a_preview_of_an_import_is_its_columns_its_rows_and_what_it_would_do(page: Page) -> None:
    def column(name: str, index: int, suggested: str | None, reason: str | None, *samples: str) -> Any:
        return Of(column=name, index=index, suggested_field=suggested, reason=reason, confidence=90, samples=samples)

    def row(number: int, outcome: str, match: str | None, *errors: Any, **values: Any) -> Any:
        return Of(row=number, outcome=outcome, match_id=match, errors=errors, values=values)

    wrong, odd = Of(field="email", message="is odd"), Of(field=None, message="too long")
    counts = Of(created=1, updated=1200, skipped=0, failed=1)
    mapping = [{"column": "Name", "field": "name"}, {"column": "1", "field": "email"}]
    whole: dict[str, Any] = {
        "format": "csv", "encoding": None, "delimiter": ";", "row_count": 1, "readable": True, "errors": [wrong, odd],
        "columns": [column("Name", 0, "name", "same name", "a" * 40, "b" * 40), column("E", 1, "mail", "like", "x"),
                    column("F", 2, None, None)],
        "mapping": mapping, "unmapped_required": ["company"], "counts": counts,
        "rows": [row(1, "create", None, name="A" * 70), row(2, "update", "lead_1", a=1, b=2), row(3, "odd", None),
                 row(4, "fail", None, wrong, odd, name="Ada")],
    }  # fmt: skip
    assert [line.rstrip() for line in page(120, imports._draw, stdout, Of(**whole))] == [
        "1 row, 3 columns  csv, separated by ';'",
        "✗ email is odd", "✗ too long",
        f"   Name → name same name, 90 % {'a' * 40} · {'b' * 17}", "   E → email x", "   F not read",
        "! company is needed by new records, and no column gives it", "",
        f"+    1 name={'A' * 55}", "~    2 lead_1 a=1, b=2", "·    3", "✗    4 email: is odd; : too long",
        "an import  1 created, 1,200 updated, 0 skipped, 1 failed",
    ]  # fmt: skip
    nothing = whole | {"errors": [], "columns": [], "rows": [], "unmapped_required": [], "delimiter": None}
    assert page(120, imports._draw, stdout, Of(**nothing | {"readable": False})) == [
        "not readable  csv", "an import  1 created, 1,200 updated, 0 skipped, 1 failed",
    ]  # fmt: skip


def test_a_contact_is_shown_without_the_parts_that_the_server_lacks(asked_of: Any, client: CrmClient) -> None:
    def missing(*_: Any, **__: Any) -> Any:
        raise NotFoundError("no", status=404, code="X", operation="contacts.part")

    found = client.contacts.get("contact_123")
    for there in ((), ("deals",), ("relationships",), ("timeline",)):

        def part(name: str, there: tuple[str, ...] = there) -> Any:
            return (lambda *_, **__: []) if name in there else missing

        parts = {"deals": Of(list=part("deals")), "relationships": Of(list=part("relationships"))}
        one = Of(
            contacts=Of(get=lambda id_: found, **parts), activities=Of(timeline=part("timeline")),
            auth=Of(me=lambda: Of(id="u", preferences=None, timezone="Asia/Tokyo")),
        )  # fmt: skip
        done = asked_of(contacts, one)("contacts", "show", "contact_123")
        assert done.status == 0 and done.json["contact"]["id"] == "contact_123"
        assert done.err.count("contacts.part is left out") == (2 if there else 0), there
        assert [done.json[name] for name in ("deals", "relationships", "timeline")].count(None) == 3 - len(there)


def test_times_are_in_the_zone_of_the_user(drawn: Callable[..., str], served: Crm, client: CrmClient) -> None:
    zone = zone_of(client)
    message = client.conversations.get("conv_123").messages[0]
    assert zone.zone is not None
    thread = drawn("messages", "thread", "conv_123")
    assert f"times in {zone.name}" in thread and zone.text_of(message.timestamp) in thread
    event = client.calendar.events.create({"title": "Zebra", "start_time": AT, "end_time": AT + timedelta(hours=1)})
    assert zone.text_of(event.start_time) in drawn("search", "zebra")
    assert f"times in {zone.name}" in drawn("calendar", "week") and f"times in {zone.name}" in drawn("today")
