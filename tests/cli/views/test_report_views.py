"""``crm analytics overview`` and ``crm reports show``: drawn for people, and the figures as they are for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from shell import Crm

from crm_sdk import CrmClient
from server_stub import StubServer

pytest_plugins = ["cli_fixtures"]

SUM: Any = {"function": "sum", "field": "value"}


@pytest.fixture
def client(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform")


@pytest.mark.thorough
def test_the_overview_moves_with_the_deals(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    before = served("analytics", "overview").json["sales"]["revenue"]["value"]
    client.deals.create({"title": "Won", "value": 7_654, "stage": "closed-won", "owner_id": "user_sam"})
    after = served("analytics", "overview").json["sales"]["revenue"]["value"]
    assert after - before == 7_654
    picture = drawn("analytics", "overview")
    revenue = next(line for line in picture.splitlines() if "Revenue" in line)
    assert f"{after:,} USD" in revenue and "▲" in revenue and "▁" in revenue
    assert [word in picture for word in ("Sales", "Leads", "Activities", "Sam Okonkwo")] == [True] * 4
    rows = [json.loads(line) for line in served("analytics", "overview", "-o", "jsonl").out.splitlines()]
    assert [(row["area"], row["value"]) for row in rows if row["figure"] == "revenue"] == [("sales", after)]


def test_what_an_overview_is_of_can_be_chosen(served: Crm, drawn: Callable[..., str]) -> None:
    chosen = ("--start-date", "2026-01-01", "--owner-id", "user_sam", "--compare-to", "none")
    found = served("analytics", "overview", *chosen).json
    assert found["sales"]["startDate"] == "2026-01-01" and found["sales"]["revenue"]["previous"] is None
    picture = drawn("analytics", "overview", *chosen)
    assert "before" not in picture and "compared with" not in picture and "▲" not in picture
    assert served("analytics", "overview", "--start-date", "soon").status == 2


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"columns": [{"field": "name", "label": "Who"}, {"field": "value"}]}, ["Who Value", "Ann 1,000", "Bob –"]),
        ({"groups": [{"field": "source"}], "measures": [SUM]}, ["Source Sum value", "event 1,000", "Total 1,000"]),
        (
            {"groups": [{"field": "source"}], "across": [{"field": "status"}], "measures": [SUM]},
            ["Source contacted new", "event 0 1,000", "phone 0 0", "Total 0 1,000"],
        ),
    ],
)
def test_a_report_is_drawn_as_a_table(
    served: Crm, client: CrmClient, drawn: Callable[..., str], content: Any, told: list[str]
) -> None:
    people: Any = [
        {"name": "Ann", "source": "event", "value": 1_000},
        {"name": "Bob", "source": "phone", "status": "contacted"},
    ]
    for person in people:
        client.leads.create(person | {"campaign": "drawn"})
    where: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "drawn"}]}]
    given: Any = {"name": "Drawn", "entity_type": "lead", "filter_groups": where, **content}
    report = client.reports.create(given)
    lines = [" ".join(line.split()) for line in drawn("reports", "show", report.id).splitlines()]
    assert [line for line in told if line not in lines] == []
    assert lines[-1].startswith("2 records")
    found = served("reports", "show", report.id).json
    assert (found["reportId"], found["rowCount"]) == (report.id, 2)
    assert served("reports", "show", "report_nobody").status != 0


def test_a_run_of_a_report_with_a_chart_is_drawn_as_bars(
    served: Crm, client: CrmClient, drawn: Callable[..., str]
) -> None:
    made = client.reports.create(
        {"name": "Sources", "entity_type": "lead", "groups": [{"field": "source"}], "chart": {"type": "bar"}}
    )
    data = client.reports.data(made.id)
    picture = drawn("reports", "run", made.id)
    for group in data.groups:
        (row,) = [row for row in picture.splitlines() if row.startswith(group.labels[0])]
        assert row.split()[-1] == str(group.values[0]) and "█" in row
    assert served("reports", "run", made.id).json["data"]["rowCount"] == data.row_count
    plain = client.reports.update(made.id, {"chart": None})
    assert "Total" in drawn("reports", "run", plain.id)


@pytest.mark.thorough
def test_a_dashboard_is_drawn_and_watched(served: Crm, client: CrmClient, drawn: Callable[..., str]) -> None:
    count: Any = {"query": {"entity_type": "lead", "measures": [{"function": "count"}]}}
    widgets: Any = [
        {"title": "All leads", "type": "kpi", "source": count},
        {"title": "By source", "type": "bar", "source": {"query": {**count["query"], "groups": [{"field": "source"}]}}},
        {"title": "Note", "type": "text", "content": "Answer within an hour."},
    ]
    board = client.dashboards.create({"name": "Desk", "widgets": widgets})
    number = str(client.leads.list(limit=1).total)
    for more in ((), ("--watch", "--timeout", "1")):
        picture = drawn("dashboards", "show", board.id, *more)
        assert [word in picture for word in ("Desk", "All leads", number, "website", "Answer within")] == [True] * 5
    watched = served("dashboards", "show", board.id, "--watch", "--timeout", "1", "-o", "jsonl")
    assert [json.loads(line)["type"] for line in watched.out.splitlines()] == ["snapshot"]
    followed = served("dashboards", "subscribe", board.id, "--timeout", "1", "-o", "jsonl")
    assert [json.loads(line)["type"] for line in followed.out.splitlines()] == ["snapshot"]
    assert served("dashboards", "show", board.id).json["widgets"][0]["value"]["value"] == int(number)
