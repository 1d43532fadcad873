"""What a widget shows: a metric, the data of a report or a query, or what has happened."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from crm_sdk.models.dashboard_data import WidgetData
from crm_sdk.models.dashboards import ReportQuery
from crm_sdk.resources.analytics import AnalyticsMetrics

from ...data.blanks import blank, in_full
from ...data.document import Document
from ...problems import Problem
from ...request.access import permissions
from ...request.access.hiding import hiding_from, unknown
from ...serving import Context, Members
from .. import company
from ..reports.checks import derived_format, parameter_values
from ..reports.records import REPORTS
from ..reports.sources import Source
from ..reports.tables import Table, content_of, days_of
from .feeds import feed_of

_METRICS: Mapping[str, Any] = {
    "sales": AnalyticsMetrics.sales.operation,
    "leads": AnalyticsMetrics.leads.operation,
    "activities": AnalyticsMetrics.activities.operation,
    "real_time": AnalyticsMetrics.real_time.operation,
}
_ONE_FIGURE = frozenset({"kpi", "gauge", "forecast"})
"""The types of widgets that show one figure."""
_BY_PERIOD = frozenset({"line", "area", "bar"})
"""The types of widgets that show the periods of a figure."""
_SHOWN = 200
"""So many rows or groups a widget shows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What the figures of a widget are limited to."""

    date_range: Members | None
    owner_id: str | None
    team_id: str | None
    pipeline_id: str | None

    @staticmethod
    def of(*given: Members | None) -> Limits:
        """Return the limits of a widget, of which each is the first that is given."""
        names = ("date_range", "owner_id", "team_id", "pipeline_id")
        found = {name: next((one[name] for one in given if one and one.get(name)), None) for name in names}
        return Limits(**found)

    def keeping(self, call: Context) -> Callable[[Source], Callable[[Document], bool]]:
        """Return what tells which records of a source are within, as far as they have an owner or a pipeline."""
        is_in = company.owned_by(call, self.owner_id, self.team_id)

        def of(source: Source) -> Callable[[Document], bool]:
            by_owner = "owner_id" in source.fields and bool(self.owner_id or self.team_id)
            by_pipeline = "pipeline_id" in source.fields and self.pipeline_id is not None
            return lambda doc: (
                (not by_owner or is_in(doc.get("owner_id")))
                and (not by_pipeline or doc.get("pipeline_id") == self.pipeline_id)
            )

        return of


def figures_of(call: Context, widget: Members, limits: Limits) -> dict[str, Any]:
    """Return what a widget shows: `value`, `series`, `table` or `feed`. Raises what its source refuses."""
    source: Members = widget["source"] or {}
    if source.get("report_id") is not None:
        return _of_report(call, widget, source["report_id"], limits)
    if source.get("metric") is not None:
        return _of_metric(call, widget, source["metric"], limits)
    if source.get("query") is not None:
        query = in_full(ReportQuery, source["query"])
        report: dict[str, Any] = {**query, "columns": [], "across": [], "parameters": [], "date_range": None}
        return _of_table(call, widget, {**report, "format": derived_format(report)}, {}, limits, None)
    if source.get("feed") is not None:
        return {"feed": feed_of(call, source["feed"], limits.owner_id, limits.team_id)}
    return {}


def _of_report(call: Context, widget: Members, report_id: str, limits: Limits) -> dict[str, Any]:
    permissions.check(call.caller, REPORTS.word, "read")
    try:
        report = REPORTS.find_one(call, report_id)
    except Problem:
        message = "what the widget shows is gone, or not shared with you"
        raise Problem("SOURCE_MISSING", message, field="source.report_id") from None
    return _of_table(call, widget, report, parameter_values(report, {}), limits, report["id"])


def _of_table(
    call: Context, widget: Members, report: Members, values: Members, limits: Limits, report_id: str | None
) -> dict[str, Any]:
    """Return the data of a report within limits; for a type that has one figure, its first total, too."""
    if limits.date_range is not None:
        report = {**report, "date_range": limits.date_range}
    table = Table.of(call, report, values, limits.keeping(call))
    content = content_of(table)
    shown = {
        **content,
        "rows": content["rows"][:_SHOWN],
        "groups": content["groups"][:_SHOWN],
        "report_id": report_id,
        "run_id": None,
        "page": 1,
        "limit": _SHOWN,
        "has_next": max(len(content["rows"]), len(content["groups"])) > _SHOWN,
    }
    found: dict[str, Any] = {"table": shown}
    if widget["type"] in _ONE_FIGURE:
        found["value"] = _one_figure(content, len(table.docs))
    if widget["type"] in _BY_PERIOD:
        found["series"] = table.series()
    return found


def _one_figure(content: Members, count: int) -> dict[str, Any]:
    """Return the first total of a report as a figure; of a table the number of its records."""
    total = content["totals"][0] if content["totals"] else count
    measured = next((one for one in content["columns"] if one["type"] == "number"), None)
    is_money = bool(content["totals"]) and measured is not None and measured["format"] == "currency"
    is_figure = isinstance(total, (int, float, Decimal)) and not isinstance(total, bool)
    return {
        "value": total if is_figure else Decimal(),
        "previous": None,
        "change": None,
        "change_type": "none",
        "unit": "currency" if is_money else "count",
    }


def _of_metric(call: Context, widget: Members, metric: str, limits: Limits) -> dict[str, Any]:
    """Return a figure of `analytics.metrics`, with its series where it has one and the widget shows periods."""
    name, _, figure = metric.partition(".")
    operation = _METRICS[name]
    permissions.permit(call.caller, operation, "GET")
    given: dict[str, Any] = {member: p.default for member, p in operation.signature.parameters.items()}
    wanted: dict[str, Any] = {
        "owner_id": limits.owner_id, "team_id": limits.team_id, "pipeline_id": limits.pipeline_id,
    }  # fmt: skip
    days = days_of(call, limits.date_range)
    if days is not None:
        length = (days.end - days.start).days
        period = "day" if length <= 31 else "week" if length <= 120 else "month" if length <= 1_500 else "year"
        wanted |= {"start_date": days.start, "end_date": days.end, "period": period}
    hiding = hiding_from(call.caller, call.server.nouns)
    if hiding is not None and figure in hiding.members(operation.arguments.returns):
        raise unknown("source.metric", metric)
    whole = call.server.rules[operation](call, **{**given, **{k: v for k, v in wanted.items() if k in given}})
    found: dict[str, Any] = {"value": whole[figure]}
    if widget["type"] in _BY_PERIOD:
        found["series"] = [one for one in whole.get("series") or () if one["name"] == figure] or None
    return found


def nothing(call: Context, widget: Members) -> dict[str, Any]:
    """Return the data of a widget that shows nothing yet."""
    facts = {"widget_id": widget["id"], "title": widget["title"], "type": widget["type"], "generated_at": call.now}
    return {**blank(WidgetData), **facts, "cached": False}
