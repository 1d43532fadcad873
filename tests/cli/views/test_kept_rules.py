"""Conditions, endings and summaries of what goes on, and what a report gave, with the values at which they change."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace as Of
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from shell import Crm

from crm_cli import failures
from crm_cli.console import stdout
from crm_cli.failures import CommandError, MisuseError
from crm_cli.settings import Options
from crm_cli.views import conditions, drawing, reports, tail, zone
from crm_cli.views.conditions import condition
from crm_cli.views.tail import Ending
from crm_cli.views.webhooks import development, forwarding, triggers
from crm_cli.views.zone import Zone
from crm_sdk.errors import NotFoundError

pytest_plugins = ["cli_fixtures"]

AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)


def test_a_comparison_is_of_the_kind_of_the_value() -> None:
    cases: list[tuple[Any, str, bool]] = [
        (None, "null", True), (None, "none", False), (True, "true", True), (True, "false", False), (True, "1", False),
        (False, "false", True), (5, "5.0", True), (Decimal("5.50"), "5.5", True), (5, "five", False), (5, "6", False),
        (["a", 1], "1", True), (["a"], "b", False), ([], "", False), ("a", "a", True), ("a", "b", False),
        (AT, "2026-01-15T09:30:00Z", True), (AT, "2026-01-15", False), ({}, "", False),
    ]  # fmt: skip
    for found, value, same in cases:
        assert conditions._is(found, value) is same, (found, value)
    orders: list[tuple[Any, str, int | None]] = [
        (5, "4", 1), (5, "5.0", 0), (Decimal("4.9"), "5", -1), (True, "0", None), (5, "x", None), ("b", "a", None),
        (AT, "2026-01-15T09:30:00Z", 0), (AT, "2026-01-15T09:30:01Z", -1), (AT, "2026-01-14", 1), (AT, "odd", None),
        (date(2026, 1, 15), "2026-01-15", 0), (date(2026, 1, 15), "2026-01-16", -1), (date(2026, 1, 15), "x", None),
        (None, "5", None), ([1], "1", None),
    ]  # fmt: skip
    for found, value, order in orders:
        assert conditions._order(found, value) == order, (found, value)
    record = {"n": 5, "deep": {"firstName": "Ada", "none": None}, "empty": []}
    for text, holds in (
        ("n>5", False), ("n>=5", True), ("n<5", False), ("n<=5", True), ("n>4", True), ("n<6", True), ("n=5", True),
        ("n!=5", False), ("n!=6", True), ("deep.first_name=Ada", True), ("deep.firstName='Ada'", True),
        ("odd!=1", False),
        ("deep.none exists", False), ("empty exists", False), ("n exists", True), ("n.x exists", False),
        ("n=5 and deep.first_name=Bo", False), ('deep.firstName="Ada"', True), ("deep>1", False),
        ("deep exists", True),
    ):  # fmt: skip
        assert condition(text).holds(record) is holds, text
    assert condition('a="x \\" y"').terms[0].value == 'x " y' and str(condition("a.b>=5").terms[0]) == "a.b>=5"
    assert str(condition("a exists").terms[0]) == "a exists"
    meant = conditions.Term(("stage",), "=", "won", ("closed-won",))
    assert meant.holds({"stage": "closed-won"}) and not meant.holds({"stage": "lost"})
    other = conditions.Term(("stage",), "!=", "won", ("closed-won",))
    assert not other.holds({"stage": "closed-won"}) and other.holds({"stage": "lost"})


def test_a_condition_that_cannot_be_read_says_from_where() -> None:
    for text, said in (("", "to its end"), ("a=1 and", "from 'and' on"), ("a=1 b=2", "from 'b=2' on"),
                       ("=1", "from '=1'"), ("a", "from 'a' on"), ("a=1 and ", "to its end")):  # fmt: skip
        with pytest.raises(MisuseError, match="--until must be NAME=VALUE") as refused:
            condition(text)
        assert said in str(refused.value), text
    for text in ("a..b=1", "other=1", "data.=1"):
        with pytest.raises(MisuseError, match="begin with data, type"):
            condition(text, ("data", "type"))
    found = condition("type=lead.created and data.x=1", ("data", "type"))
    assert found.never(["lead.updated"]) == "lead.created" and found.never(["lead.created"]) is None
    assert condition("type!=lead.created and data.type=x").never([]) is None


# -- what goes on


def test_a_stream_ends_with_its_time_or_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])

    def ending(timeout: str | None = None, offline: bool = False, count: int | None = None) -> Ending:
        settings: Any = Of(typed=Options(timeout=timeout), timeout=5.0, offline=offline)
        return Ending.of(settings, None, count)

    timed, quiet, live = ending("5"), ending(offline=True), ending()
    assert (timed.at, quiet.at, live.at) == (105.0, None, None)
    assert quiet.patience == tail._QUIET and live.patience == tail._LOOK and quiet.silence_is_the_end
    assert not live.silence_is_the_end and not timed.silence_is_the_end
    assert timed.patience == min(5.0, tail._LOOK)
    now[0] = 104.9
    assert timed.patience == pytest.approx(0.1) and not timed.silence_is_the_end
    now[0] = 105.0
    assert timed.patience == 0.0 and timed.silence_is_the_end
    now[0] = 106.0
    assert timed.patience == 0.0 and timed.silence_is_the_end
    assert live.missed(0) == 0 and ending(count=2).missed(2) == 0
    with pytest.raises(CommandError, match="1 of 2 came in time"):
        ending(count=2).missed(1)
    with pytest.raises(CommandError, match="was not among 3 events"):
        Ending(condition("a=1"), None, None, False).missed(3)


def test_nothing_happens_at_the_embedded_server_while_somebody_waits(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def followed(*events: Any, until: Any = None, count: int | None = None, at: float | None = None) -> tuple[int, int]:
        left, shown = list(events), list[Any]()
        source: Any = Of(wait=lambda patience: left.pop(0) if left else None, cursor=None, connected=True)
        ending = Ending(until, count, at, True)
        status = tail._follow(source, lambda event: {"n": event}, shown.append, ending)
        return status, len(shown)

    assert followed() == (0, 0)
    note = "note: nothing happens at the embedded server while this waits: --since 0 shows what has happened"
    assert capsys.readouterr().err.startswith(note)
    assert followed(1, 2) == (0, 2) and followed(at=0.0) == (0, 0) and followed(1, 2, 3, count=2) == (0, 2)
    assert followed(1, 2, 3, until=condition("n=2")) == (0, 2) and capsys.readouterr().err == ""
    for events, options in (((1,), {"count": 2}), ((1, 2, 3), {"until": condition("n=9"), "count": 2})):
        with pytest.raises(CommandError):
            followed(*events, **options)
    ended: Any = Of(wait=lambda patience: None, ended=True)
    live = Ending(None, None, None, False)
    assert tail._follow(ended, lambda event: {}, lambda record: None, live) == 0
    monkeypatch.setattr(tail, "nobody_reads", lambda: True)
    with pytest.raises(BrokenPipeError):
        tail._follow(Of(wait=lambda patience: None), lambda event: {}, lambda record: None, live)
    stream = tail._Ended(Of(connected=1, ended=0, wait=lambda timeout: timeout))
    assert (stream.connected, stream.ended, stream.wait(5.0), stream.cursor) == (True, False, 5.0, None)


def test_it_is_seen_where_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import select

    reader, writer = os.pipe()
    with monkeypatch.context() as patched, os.fdopen(writer, "w") as file:
        patched.setattr(sys, "stdout", file)
        assert tail.nobody_reads() is False
        os.close(reader)
        assert tail.nobody_reads() is True
        patched.delattr(select, "poll")
        assert tail.nobody_reads() is False


def test_what_an_event_is_about_is_short() -> None:
    cases: list[tuple[Any, str]] = [
        ({"data": {"id": "lead_1", "changes": {"status": "won", "a": 1}}}, "lead_1 · status: won · a: 1"),
        ({"data": {"metric": "leads", "value": 5, "change": "+2"}}, "leads · 5 · +2"), ({"data": {"value": 5}}, ""),
        ({"data": {"agentId": "a1", "userId": "u1"}}, "a1"),
        ({"data": {"userId": "u1", "x": 0, "y": 2}}, "u1 · x: 0 · y: 2"),
        ({"data": "text"}, "text"), ({"data": None}, ""),
        ({"data": {"deal": {"title": "Tea"}, "count": 3}}, "Tea · count: 3"),
        ({"id": "deal_1", "newStage": "won"}, "deal_1 · newStage: won"), ({"data": {"name": "Ada", "id": "x"}}, "Ada"),
    ]  # fmt: skip
    for record, said in cases:
        assert tail.summary_of(record) == said, record


# -- reports


def report(**given: Any) -> Any:
    usual = {"name": "R", "description": None, "format": "summary", "chart": None, "groups": ["g"], "across": []}
    return Of(**usual | given)


def data(**given: Any) -> Any:
    usual: dict[str, Any] = {"columns": [Of(key="g", label="Group"), Of(key="n", label=None)], "rows": [], "groups": []}
    usual |= {"totals": [], "row_count": 1200, "currency": "EUR", "page": 1, "has_next": False, "truncated": False}
    return Of(**usual | {"across_keys": []} | given)


def group(*labels: str, values: list[Any], subtotal: bool = False) -> Any:
    return Of(labels=list(labels), values=values, subtotal=subtotal)


def test_a_report_that_ran_is_bars_or_a_table_or_goes_on(capsys: pytest.CaptureFixture[str]) -> None:
    made: list[Any] = []

    def ran(found: Any, run: Any) -> list[str]:
        client: Any = Of(reports=Of(get=lambda report_id: found))
        reports.ran(client, [Of(report_id="r", id="run_1", status="running", data=run)])  # type: ignore[list-item] # what is read of it
        return [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]

    assert made == [] and ran(report(), None) == ["R run run_1 is running: it goes on at the server"]
    groups = [group("web", values=[5]), group("x", values=[9], subtotal=True), group("fax", values=[0])]
    drawn = next(iter(reports._DRAWN))
    chart = Of(type=drawn, title=None, y=["n"])
    bars = ran(report(chart=chart, description="D"), data(groups=groups))
    assert bars[0] == "R D" and bars[1].split()[0] == "web" and bars[2].startswith("fax") and len(bars) == 4
    assert bars[-1] == "1,200 records, sums in EUR"
    for other in (
        report(chart=None),
        report(chart=Of(type="odd", title="T", y=[])),
        report(chart=chart, format="matrix"),
    ):
        assert ran(other, data(groups=groups))[0] == "R"
    titled = ran(report(chart=Of(type=drawn, title="T", y=["odd"])), data(groups=groups))
    assert titled[0] == "T"


def test_a_table_of_a_report_has_its_groups_its_totals_and_a_summary(capsys: pytest.CaptureFixture[str]) -> None:
    def drawn(found: Any, run: Any) -> list[str]:
        reports._draw(stdout(90), found, run)
        return [line.rstrip() for line in capsys.readouterr().out.splitlines()]

    whole = data(
        groups=[group("web", values=[1200]), group("fax", values=[None])], totals=[1200], truncated=True, page=2
    )
    assert drawn(report(), whole) == [
        "R", "Group      n", "web    1,200", "fax        –", "Total  1,200",
        "1,200 records (there were more), sums in EUR, page 2",
    ]  # fmt: skip
    rows = data(rows=[["a", ["x", "y"]], ["b", None]], has_next=True)
    assert drawn(report(groups=[]), rows)[1:] == [
        "Group     n", "a      x, y", "b         –", "1,200 records, sums in EUR, page 1",
    ]  # fmt: skip
    keys = [Of(key=name, label=name.upper()) for name in ("g", "a", "n", "m")]
    matrix = report(format="matrix", across=["a"])
    two = data(columns=keys, across_keys=[["q1", None], ["q2", "x"]])
    assert reports._heads(matrix, two) == ["G", "q1, –: N", "q1, –: M", "q2, x: N", "q2, x: M"]
    assert reports._heads(matrix, data(columns=keys[:3], across_keys=[["q1"]])) == ["G", "q1"]
    inner = report(groups=["a", "b", "c"])
    assert list(reports._rows(inner, data(groups=[group("x", "y", values=[1])]))) == [["x", "y", "", 1]]
    assert reports._are_numbers([[1, "a", None], [2.5, 3, ""], [None]], 4) == [True, False, False, False]
    several = data(columns=keys, groups=[group("x", "y", values=[1, 7]), group("z", values=[])])
    [bar] = reports.bars_of(several, ["m"])
    assert bar.plain.startswith("x / y") and bar.plain.endswith("  7")
    assert reports.bars_of(several, ["odd"])[0].plain.endswith("  1")
    assert len(reports.bars_of(data(groups=[group("x", values=[1])] * 5), (), 3)) == 3


# -- zones, figures, webhooks


def test_a_zone_is_that_of_the_user_or_of_the_machine() -> None:
    def person(preferences: Any, timezone: str | None) -> tuple[str | None, Zone]:
        client: Any = Of(auth=Of(me=lambda: Of(id="u", preferences=preferences, timezone=timezone)))
        return zone.person_of(client)

    madrid, paris = ZoneInfo("Europe/Madrid"), ZoneInfo("Europe/Paris")
    assert person(Of(timezone="Europe/Madrid", week_start=6), "Europe/Paris") == ("u", Zone(madrid, 6))
    assert person(Of(timezone=None, week_start=None), "Europe/Paris") == ("u", Zone(paris, 0))
    assert person(None, "Nowhere/Odd") == person(None, None) == ("u", Zone(None, 0))
    assert Zone().name == datetime.now().astimezone().tzname() and Zone(paris).name == "Europe/Paris"
    assert Zone(paris).text_of(AT) == "Thu 2026-01-15 10:30" and Zone(paris).text_of("x") == ""

    def nobody() -> Any:
        raise NotFoundError("no", status=404, code="X")

    client: Any = Of(auth=Of(me=nobody))
    assert zone.person_of(client) == (None, Zone())


def test_a_screen_is_narrow_below_a_hundred_or_where_columns_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    for width, columns, fits in ((100, 1, True), (99, 1, False), (108, 6, True), (107, 6, False)):
        screen: Any = Of(width=width)
        assert drawing.fits(screen, columns) is fits
    monkeypatch.delenv("COLUMNS", raising=False)
    assert drawing.piped_width() == 200
    monkeypatch.setenv("COLUMNS", "80")
    assert drawing.piped_width() is None
    long = drawing.named_bars([("x" * 50, 4)], 4)[0].plain
    assert long == "x" * 40 + "  ████  4"


def test_the_newest_record_is_meant_unless_another_is_chosen() -> None:
    client: Any = Of(leads=Of(list=lambda: [Of(id=7), Of(id=8)]), deals=Of(list=list))
    assert triggers._first(client, "leads", {}) == "7" and triggers._first(client, "leads", {"id": 9}) == "9"
    with pytest.raises(MisuseError, match="there are no deals yet"):
        triggers._first(client, "deals", {})


def test_what_was_posted_is_told_with_its_time() -> None:
    posted = forwarding.Posted
    for status, taken in ((200, True), (199, False), (299, True), (300, False), (None, False)):
        assert posted(status, "refused", 0.0123).taken is taken
        assert str(posted(status, "refused", 0.0123)) == f"{status or 'refused'} (12 ms)"
    event: Any = Of(type="lead.created", timestamp=AT, data={"id": "x"})
    assert forwarding.payload_of(event) == {"event": "lead.created", "data": {"id": "x"}, "timestamp": AT}
    event.data = Of(model_dump=lambda **given: given)
    assert forwarding.payload_of(event)["data"] == {"by_alias": True, "exclude_unset": True}


def test_a_line_tells_of_an_event(capsys: pytest.CaptureFixture[str]) -> None:
    posted = forwarding.Posted(200, None, 0.001)

    def told(output: str, id: str | None, result: Any) -> str:
        settings: Any = Of(output=output)
        development._tell(settings, "lead.created", id, result)
        return capsys.readouterr().out

    assert told("table", "e1\x1b", posted) == "lead.created e1\ufffd -> 200 (1 ms)\n"
    assert told("table", None, None) == "lead.created \n"
    assert json.loads(told("json", "e1", posted)) == {"event": "lead.created", "id": "e1", "status": 200, "error": None}
    assert json.loads(told("json", None, None)) == {"event": "lead.created", "id": None}


def test_a_delivery_is_posted_again_by_the_server_or_from_here(served: Crm, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    delivery = Of(payload={"a": 1}, event="lead.created", event_id="e1")
    deliveries = Of(redeliver=lambda id_: {"id": id_}, get=lambda id_: delivery)

    class Client:
        webhooks = Of(deliveries=deliveries)

        def __enter__(self) -> Client:
            return self

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr(development, "open_client", lambda settings: Client())
    assert served("webhooks", "replay", "d1").json == {"id": "d1"}
    for status, ended in ((200, 0), (500, failures.RETRYABLE)):

        def post(self: object, payload: Any, id: Any, status: int = status) -> Any:
            sent.append((payload, id))
            return forwarding.Posted(status, None, 0.0)

        monkeypatch.setattr(forwarding.Forwarder, "post", post)
        words = ["--forward-to", "http://localhost:3000/hook", "--secret", "whsec_YQ=="]
        done = served("webhooks", "replay", "d1", *words)
        assert (done.status, done.json["status"], done.err) == (ended, status, "")
    assert sent == [({"a": 1}, "e1")] * 2


def test_a_bookmark_is_read_where_it_can_be(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings: Any = Of(tenant="t", api_key=None, base_url="http://a")
    mark = forwarding.Bookmark(settings, "http://b")
    assert mark.read() is None and capsys.readouterr().err == ""
    mark.write(None)
    assert not mark.path.exists()
    mark.write("e1:5")
    assert mark.read() == "e1:5" and json.loads(mark.path.read_text())["forwardTo"] == "http://b"
    mark.path.write_text('{"cursor": 5}')
    assert mark.read() is None
    assert capsys.readouterr().err.endswith("does not say where the last run ended; beginning with what happens next\n")
