"""What the two doors of dashboards and reports declare alike: error codes, and the texts of arguments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DASHBOARD_ERRORS: Final = (
    "WIDGET_OVERLAP", "WIDGET_OUT_OF_GRID", "UNKNOWN_METRIC", "UNKNOWN_FIELD", "INVALID_MEASURE", "INVALID_OPERATOR",
    "FILTER_TOO_LARGE", "REFERENCE_NOT_FOUND",
)  # fmt: skip
"""The error codes that refuse the widgets of a dashboard."""
REPORT_ERRORS: Final = ("UNKNOWN_FIELD", "INVALID_OPERATOR", "INVALID_MEASURE", "INVALID_FORMAT", "FILTER_TOO_LARGE")
"""The error codes that refuse a report."""
RUN_ERRORS: Final = ("MISSING_PARAMETER", "REPORT_BROKEN")
"""The error codes that refuse to run a report."""
SCHEDULE_ERRORS: Final = (
    "INVALID_SCHEDULE", "RECIPIENT_NO_ACCESS", "SCHEDULE_LIMIT", "REFERENCE_NOT_FOUND", "MISSING_PARAMETER",
)  # fmt: skip
"""The error codes that refuse a schedule."""
RUN_TEXTS: Final[Mapping[str, str]] = {
    "parameters": "The values of the report's parameters, by name.",
    "limit": "How many rows or groups the answer shows.",
}
DATA_TEXTS: Final[Mapping[str, str]] = {
    "run_id": "The run whose data are shown.",
    "fresh": "Whether to run the report anew.",
    "limit": RUN_TEXTS["limit"],
}
FILTER_TEXTS: Final[Mapping[str, str]] = {
    "filters": "What the figures are limited to, in place of what the dashboard and its widgets say.",
}
WIDGET_IDS_TEXTS: Final[Mapping[str, str]] = {
    "widget_ids": "The widgets whose figures are wanted; without it all of them.",
}
EXCEL_TEXTS: Final[Mapping[str, str]] = {
    "parameters": RUN_TEXTS["parameters"],
    "include_chart": "Whether the chart of the report is drawn.",
}
PDF_TEXTS: Final[Mapping[str, str]] = {
    **EXCEL_TEXTS,
    "orientation": "How the pages lie.",
    "paper": "The size of the pages.",
}
CSV_TEXTS: Final[Mapping[str, str]] = {
    "parameters": RUN_TEXTS["parameters"],
    "delimiter": "The character between the columns.",
    "encoding": "The character encoding of the file.",
}
