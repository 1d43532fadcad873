"""Dashboards and figures of deals, as they are drawn of what a client answers."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import UTC, date, datetime, timedelta
from io import StringIO
from types import SimpleNamespace as Of
from typing import Any

import pytest
from rich.console import Console
from shell import Crm

from crm_cli import failures
from crm_cli.console import stdout
from crm_cli.views import dashboards
from crm_cli.views.administration import audit, monitoring
from crm_cli.views.sales import deals
from crm_sdk.errors import UnsupportedOperationError
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

Page = Callable[..., list[str]]
AT = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
ANY: Any = None


def widget(title: str, **given: Any) -> Any:
    members = dict.fromkeys(("error", "value", "series", "table", "feed"))
    members |= {"widget_id": title, "title": title, "cached": False, "type": "table"}
    return Of(**members | given)


class Data(Of):
    def model_copy(self, update: dict[str, Any]) -> Data:
        return Data(**vars(self) | update)


def test_each_widget_shows_what_it_has(page: Page) -> None:
    columns = [Of(label="Name", key="name"), Of(label="Value", key="value")]
    table = Of(groups=[], columns=columns, rows=[["a", 1200], ["b", None]] * 6, row_count=1200)
    kpi = Of(unit="days", value=5, previous=None, change=None)
    widgets = [
        widget("failed", error=Of(code="X", message="no"), value=kpi), widget("text"), widget("old", cached=True),
        widget("kpi", type="kpi", value=kpi, table=table), widget("table", table=table),
        widget("series", table=table, series=[Of(name="won", points=[Of(value=0), Of(value=7)])]),
        widget("feed", feed=[Of(occurred_at=AT, summary="Deal won")]),
    ]  # fmt: skip
    board = Of(name="Board", description=None, widgets=[Of(id="text", content="Hello", chart=None)])
    lines = [line.rstrip() for line in page(90, dashboards._draw, stdout, board, Of(widgets=widgets, stale=True))]
    when = f"{AT.astimezone():%Y-%m-%d %H:%M}"
    assert lines == [
        "Board", "", "failed", "X: no", "", "text", "Hello", "", "old (some minutes old)", "", "kpi", "5 days", "",
        "table", "Name  Value", *["a     1,200", "b     –"] * 5, "1,200 records", "", "series", "▁█  won", "", "feed",
        f"{when}  Deal won",
    ]  # fmt: skip
    fresh = page(90, dashboards._draw, stdout, board, Of(widgets=[widget("old", cached=True)], stale=False))
    assert fresh[-1].rstrip() == "old"
    sums = Of(columns=columns, groups=[Of(labels=["web"], values=[5, 7], subtotal=False)], rows=[], row_count=1)
    for chart, figure in ((None, "5"), (Of(y=["value"]), "7"), (Of(y=["odd"]), "5")):
        declared: Any = Of(content=None, chart=chart)
        [bar] = dashboards._lines(widget("bars", table=sums), declared)
        assert bar.plain.endswith(f"  {figure}")  # type: ignore[union-attr] # there is one


def test_a_dashboard_is_drawn_again_when_it_changes(asked_of: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def event(name: str, **given: Any) -> Any:
        return Of(**{"data": None, "widget": None} | given, at=AT, event=name)

    def kpi(title: str, value: int) -> Any:
        return widget(title, type="kpi", value=Of(unit="", value=value, previous=None, change=None))

    data = Data(widgets=[kpi("a", 1), kpi("b", 2)], stale=False)
    events = [event("early", widget=kpi("a", 9)), event("data", data=data), None, event("odd"),
              event("widget", widget=kpi("a", 3)), event("other", widget=kpi("c", 4))]  # fmt: skip

    class Stream:
        ended = False

        def __enter__(self) -> Stream:
            return self

        def __exit__(self, *_: object) -> None:
            pass

        def wait(self, patience: float) -> Any:
            found = events.pop(0)
            self.ended = not events
            return found

    board = Of(id="d", name="Board", description="", widgets=[])
    boards = Of(get=lambda board_id: board, subscribe=lambda board_id: Stream())
    crm = asked_of(dashboards, Of(dashboards=boards))
    monkeypatch.setattr(dashboards, "id_of", lambda client, noun, typed: typed)
    done = crm("dashboards", "show", "d", "--watch", "-o", "table", "--timeout", "60")
    assert done.status == 0, done.err
    clock = f"{AT.astimezone():%H:%M:%S}"
    assert [line.strip() for line in done.out.splitlines() if line.strip()] == [
        f"{clock}  data", "Board", "a", "1", "b", "2", f"{clock}  odd", "Board", "a", "1", "b", "2",
        f"{clock}  widget", "Board", "a", "3", "b", "2", f"{clock}  other", "Board", "a", "3", "b", "2",
    ]  # fmt: skip
    events.append(None)
    assert crm("dashboards", "show", "d", "--watch", "-o", "table", "--timeout", "0.001").status == 0
    assert crm("dashboards", "show", "d", "--watch", "-o", "csv").status == failures.USAGE


# -- deals


def test_deals_without_activity_stand_with_what_there_is_room_for(page: Page) -> None:
    deal = Of(id="deal_1", title="Chairs for all", stage="closed-won", value=5, currency="EUR")
    for width, heads in ((90, ["days", "title", "stage", "value", "id"]), (60, ["days", "title", "value", "id"]),
                         (59, ["days", "title", "value"]), (89, ["days", "title", "value", "id"])):  # fmt: skip
        lines = [line.rstrip() for line in page(width, deals._draw_stale, stdout, [(28, deal), (3, deal)], 14, {})]
        assert lines[0].split() == heads
        assert len(lines) == (4 if width >= 60 else 6) and lines[1].split()[0] == "28"
        assert lines[-1] == "2 deals  0" and sum("deal_1" in line for line in lines) == 2
    tight = page(30, deals._draw_stale, stdout, [(3, Of(**vars(deal) | {"title": "x" * 40}))], 14, {})
    assert len(tight) == 4 and "…" in tight[1]
    assert page(90, deals._draw_stale, stdout, [], 1, {})[0].rstrip() == (
        "no open deal is without activity for 1 day; try fewer: --days 7"
    )


def test_whole_days_are_counted_since_anything_was_done() -> None:
    now = AT

    def quiet(*days: float | None) -> int:
        moments = [now - timedelta(days=each) if each is not None else None for each in days]
        names = ("last_activity", "stage_changed_at", "created_at")
        given: Any = Of(**dict(zip(names, moments, strict=True)))
        return deals._quiet(given, now)

    assert [quiet(5, 3, 9), quiet(None, None, 2.9), quiet(None, None, None), quiet(-1, None, 4)] == [3, 2, 0, 0]


def test_stale_deals_are_those_of_a_user_where_the_server_can_tell(served: Crm, stub: StubServer) -> None:
    every = served("deals", "stale", "--days", "1").json
    mine = served("deals", "stale", "--days", "1", "--owner", "me").json
    assert mine["deals"] and {deal["ownerId"] for deal in mine["deals"]} == {"user_ada"}
    assert len(every["deals"]) > len(mine["deals"]) and every["days"] == 1
    named = served("deals", "stale", "--days", "1", "--owner", "Ada Lindqvist").json
    assert named["deals"] == mine["deals"]
    old: Any = [Of(stage="closed-won"), Of(stage="new")]

    class Deals:
        def list(self, **given: Any) -> Any:
            if given:
                raise UnsupportedOperationError("no", operation="deals.list", dialects=["mvp"])
            return old

    client: Any = Of(deals=Deals())
    assert list(deals._open_deals(client, None, None)) == old[1:]
    for owner, pipeline in (("u", None), (None, "p")):
        with pytest.raises(UnsupportedOperationError):
            deals._open_deals(client, owner, pipeline)


def test_a_forecast_without_periods_says_what_to_do(page: Page) -> None:
    figures = {"total_pipeline": 5, "weighted_forecast": 3, "deals_closing_this_month": 1}
    span = {"start_date": date(2026, 1, 1), "end_date": date(2026, 3, 31)}
    found = Of(currency="EUR", **span, periods=[], categories=Of(commit=7), **figures)
    assert [" ".join(line.split()) for line in page(90, deals._draw_forecast, stdout, found)] == [
        "Forecast 2026-01-01 – 2026-03-31",
        "no deal is expected to close: `crm deals update ID --expected-close-date …`",
        "█ Closed – EUR", "▓ Commit 7 EUR", "▒ Best case – EUR",
        "░ Pipeline – EUR", "Open 5 EUR weighted 3 EUR 1 deal closing this month",
    ]  # fmt: skip


# -- colours


def coloured(draw: Callable[..., object], *given: Any) -> list[str]:
    """Return what is drawn on a terminal with colours; `stdout` stands for it."""
    file = StringIO()
    screen = Console(file=file, force_terminal=True, color_system="standard", width=90, highlight=False)
    draw(*(screen if one is stdout else one for one in given))
    return file.getvalue().splitlines()


def test_what_matters_has_a_colour(monkeypatch: pytest.MonkeyPatch) -> None:
    green, yellow, red = ("\x1b[32m", "\x1b[33m", "\x1b[31m")
    for probability, colour in ((70, green), (69, yellow), (30, yellow), (29, red), (None, red)):
        chance = deals._figures(Of(value=5, currency=None, probability=probability))  # type: ignore[arg-type] # what is read of it
        [span] = chance.spans
        assert span.style == {green: "green", yellow: "yellow", red: "red"}[colour]
    deal = Of(id="d", title="T", stage="new", value=5, currency=None)
    lines = coloured(deals._draw_stale, stdout, [(28, deal), (27, deal)], 14, {})
    assert red in lines[1] and yellow in lines[2] and red not in lines[2]
    counts = {"reads": 5, "exports": 1, "updates": 2, "deletes": 0}
    ada = {"actor": Of(name="Ada", id="u"), "entity_type": "lead", "reasons": ()}
    rows = [Of(**ada, **counts, unusual=odd) for odd in (True, False)]
    report = Of(start_date="a", end_date="b", rows=rows, totals={})
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with redirect_stdout(StringIO()) as file:
        audit.accesses(ANY, [report])  # type: ignore[list-item] # what is read of it
        monitoring.checks(ANY, [Of(checks={"db": [Of(status="fail", observed_value=1, observed_unit="s")]})])  # type: ignore[list-item] # what is read of it
    lines = file.getvalue().splitlines()
    assert yellow in lines[0] and yellow not in lines[1] and red in lines[3]
