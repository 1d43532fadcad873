"""The reports and dashboards of a demo company: what its sales meetings look at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from ..data.blanks import in_full
from ..data.schedules import next_time
from .records import Records

_WON: Any = [{"filters": [{"field": "status", "op": "eq", "value": "won"}]}]
_OPEN: Any = [{"filters": [{"field": "status", "op": "eq", "value": "open"}]}]
_VALUE: Any = {"function": "sum", "field": "value", "label": "Value"}
_COUNT: Any = {"function": "count", "label": "Deals"}
REPORTS: tuple[Mapping[str, Any], ...] = (
    {
        "name": "Won this year by owner",
        "description": "Who won what, the most first.",
        "entity_type": "deal",
        "format": "summary",
        "filter_groups": _WON,
        "date_field": "closed_at",
        "date_range": {"preset": "this_year"},
        "groups": [{"field": "owner.name", "label": "Owner"}],
        "measures": [_COUNT, _VALUE],
        "sort": [{"key": "sum_value", "order": "desc"}],
        "chart": {"type": "bar", "x": "owner.name", "y": ["sum_value"]},
        "folder": "Sales",
    },
    {
        "name": "Pipeline by stage and priority",
        "description": "What is open, and how urgent it is.",
        "entity_type": "deal",
        "format": "matrix",
        "filter_groups": _OPEN,
        "groups": [{"field": "stage"}],
        "across": [{"field": "priority"}],
        "measures": [_VALUE],
        "folder": "Sales",
    },
    {
        "name": "New leads by source",
        "description": "Where the leads of the last 90 days came from, month by month.",
        "entity_type": "lead",
        "format": "summary",
        "date_range": {"preset": "last_90_days"},
        "groups": [{"field": "source"}, {"field": "created_at", "interval": "month", "label": "Month"}],
        "measures": [{"function": "count", "label": "Leads"}, {"function": "avg", "field": "score", "label": "Score"}],
        "folder": "Marketing",
    },
    {
        "name": "Large open deals",
        "description": "Open deals from a value on, the largest first.",
        "entity_type": "deal",
        "filter_groups": [
            {"filters": [*_OPEN[0]["filters"], {"field": "value", "op": "gte", "value": "{{least}}"}]}
        ],
        "columns": [
            {"field": name}
            for name in ("title", "account.name", "value", "currency", "stage", "expected_close_date", "owner.name")
        ],
        "sort": [{"key": "value", "order": "desc"}],
        "parameters": [{"name": "least", "label": "At least", "type": "number", "default": 10_000}],
        "folder": "Sales",
    },
)  # fmt: skip


def _widget(title: str, type: str, x: int, y: int, width: int, height: int, **more: Any) -> dict[str, Any]:
    return {"title": title, "type": type, "position": {"x": x, "y": y, "width": width, "height": height}, **more}


def _boards(reports: Mapping[str, str]) -> tuple[Mapping[str, Any], ...]:
    """Return the dashboards, by the ids of the reports by name."""
    quarter: Any = {"date_range": {"preset": "this_quarter"}}
    return (
        {
            "name": "Sales this quarter",
            "description": "What the weekly meeting begins with.",
            "is_default": True,
            "tags": ["sales"],
            "widgets": [
                _widget("Revenue", "kpi", 0, 0, 3, 2, source={"metric": "sales.revenue", **quarter}),
                _widget("Win rate", "kpi", 3, 0, 3, 2, source={"metric": "sales.win_rate", **quarter}),
                _widget("Pipeline", "kpi", 6, 0, 3, 2, source={"metric": "sales.weighted_pipeline", **quarter}),
                _widget("Quota", "gauge", 9, 0, 3, 2, source={"metric": "sales.quota_attainment", **quarter}),
                _widget("Won by owner", "leaderboard", 0, 2, 6, 4, source={"report_id": reports[REPORTS[0]["name"]]}),
                _widget("Stages", "table", 6, 2, 6, 4, source={"report_id": reports[REPORTS[1]["name"]]}),
            ],
        },
        {
            "name": "Lead desk",
            "description": "Who came, from where, and how soon they were answered.",
            "tags": ["leads"],
            "widgets": [
                _widget("New leads", "kpi", 0, 0, 4, 2, source={"metric": "leads.new_leads"}),
                _widget("Response", "kpi", 4, 0, 4, 2, source={"metric": "leads.avg_response_minutes"}),
                _widget("Nobody's", "kpi", 8, 0, 4, 2, source={"metric": "leads.unassigned_leads"}),
                _widget("Sources", "bar", 0, 2, 8, 4, source={"report_id": reports[REPORTS[2]["name"]]}),
                _widget("How to", "text", 8, 2, 4, 4, content="Answer within an hour; qualify within a day."),
            ],
        },
    )  # fmt: skip


def boards(records: Records) -> None:
    """Put the reports and dashboards, shared with everybody by the administrator, and a schedule."""
    admin, born = records.plan.users[0].id, records.now - timedelta(days=60)
    stamp = {"created_at": born, "updated_at": born, "created_by": admin, "version": 1}
    shared = {**stamp, "owner_id": admin, "visibility": "tenant", "deleted_at": None}
    ids: dict[str, str] = {}
    for report in REPORTS:
        ids[report["name"]] = records.put("report", {**in_full(records.model("report"), report), **shared})["id"]
    model = records.model("widget")
    for board in _boards(ids):
        widgets = [
            {**in_full(model, widget), **stamp, "id": records.store.new_id("widget_")} for widget in board["widgets"]
        ]
        records.put("dashboard", {**board, **shared, "widgets": widgets, "widget_count": len(widgets)})
    weekly = {"frequency": "weekly", "weekday": 0, "at": "08:00"}
    at = next_time(weekly, records.now, ZoneInfo(records.plan.timezone))
    report = records.collection("report").find("name", REPORTS[0]["name"])[0]
    plan = {"report_id": report["id"], "schedule": weekly, "recipients": [admin], "runs_as": admin, "next_run_at": at}
    records.put("schedule", {**stamp, "deleted_at": None, **plan})
    records.collection("report").put(report | {"schedule_count": 1})
