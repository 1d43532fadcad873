"""Reports as files: CSV, workbooks (.xlsx) and PDF, all with the figures of the same run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from ...files.csv_files import quote_formula
from ...problems import Problem
from ...serving import Context, Members
from .. import company
from .lines import Head, Line, conditions_of, heads_of, lines_of
from .pdf import MOST_ROWS, write_pdf

Write: TypeAlias = Callable[[Context, Members, Members, Members, Mapping[str, Any]], bytes]
"""Gets the call, the report, its data, the values of its parameters, and options; returns the bytes of a file."""
_CONTROLS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""The characters that the XML of a workbook cannot have."""
_NUMBERS: Mapping[str, str] = {
    "currency": "#,##0.00", "percent": "0.00", "date": "yyyy-mm-dd", "datetime": "yyyy-mm-dd hh:mm:ss",
}  # fmt: skip
_CHARTS: Mapping[str, str] = {"line": "LineChart", "area": "AreaChart", "pie": "PieChart", "donut": "DoughnutChart"}


def write_csv(
    call: Context, report: Members, content: Members, parameters: Members, options: Mapping[str, Any]
) -> bytes:
    """Return a report as CSV: records, or the innermost groups, which a program can add up."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=options.get("delimiter", ","))
    writer.writerow([quote_formula(head.label) for head in heads_of(report, content)])
    rows = [line for line in lines_of(report, content) if line.kind == "row" or not report["groups"]]
    writer.writerows([[_csv_cell(cell, company.zone(call)) for cell in line.cells] for line in rows])
    return out.getvalue().encode(options.get("encoding", "utf-8"), "replace")


def _csv_cell(value: Any, zone: ZoneInfo) -> str:
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool):
        return f"{value:f}" if isinstance(value, Decimal) else str(value)
    return quote_formula(text_of(value, zone))


def text_of(value: Any, zone: ZoneInfo) -> str:
    """Return a value as text; a time by the clock of the company."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.astimezone(zone).isoformat(timespec="seconds")
    if isinstance(value, (list, tuple)):
        return ", ".join(map(str, value))  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType] # a list of texts
    return str(value)


def write_workbook(
    call: Context, report: Members, content: Members, parameters: Members, options: Mapping[str, Any]
) -> bytes:
    """Return a report as a workbook: a sheet of its data, with real numbers and dates, and one of its filters."""
    from openpyxl import Workbook  # type: ignore[import-untyped] # it has no types

    book: Any = Workbook(write_only=True)
    book.properties.title, book.properties.creator = report["name"], "CRM"
    zone, heads = company.zone(call), heads_of(report, content)
    sheet = book.create_sheet("Data")
    sheet.freeze_panes = "A2"
    for number, head in enumerate(heads):
        sheet.column_dimensions[_letters(number)].width = min(max(len(head.label) + 2, 14), 50)
    lines = list(lines_of(report, content))
    sheet.append([_cell(sheet, head.label, zone, bold=True) for head in heads])
    for line in lines:
        bold = line.kind != "row"
        sheet.append(
            [_cell(sheet, value, zone, head, bold=bold) for value, head in zip(line.cells, heads, strict=True)]
        )
    if options.get("include_chart"):
        _draw(sheet, report, heads, lines)
    filters = book.create_sheet("Filters")
    said = [("Report", "", report["name"]), ("Records of", "", report["entity_type"])]
    said += [("Made at", "", content["generated_at"]), ("Records", "", content["row_count"])]
    said += [("Currency", "", content["currency"]), *conditions_of(report, parameters)]
    for row in (("Field", "Operator", "Value"), *said):
        filters.append([_cell(filters, value, zone) for value in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _cell(sheet: Any, value: Any, zone: ZoneInfo, head: Head | None = None, *, bold: bool = False) -> Any:
    """Return a cell with a value of its own type; a text is never a formula."""
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped] # it has no types
    from openpyxl.styles import Font  # type: ignore[import-untyped] # as above

    if isinstance(value, datetime):  # a workbook knows no time zones
        value = value.astimezone(zone).replace(tzinfo=None)
    if not isinstance(value, (bool, int, float, Decimal, date)) and value is not None:
        value = _CONTROLS.sub("", text_of(value, zone))  # a cell keeps its first 32,767 characters
    shown: Any = value  # a Decimal is a number to it, too
    cell = WriteOnlyCell(sheet, shown)
    if isinstance(value, str):
        cell.data_type = "s"
    elif isinstance(value, (datetime, date)):
        cell.number_format = _NUMBERS["datetime" if isinstance(value, datetime) else "date"]
    elif head is not None and head.format in ("currency", "percent"):
        cell.number_format = _NUMBERS[head.format]
    if bold:
        cell.font = Font(bold=True)
    return cell


def _draw(sheet: Any, report: Members, heads: Sequence[Head], lines: Sequence[Line]) -> None:
    """Put the chart of a report beside its data, where its rows are the groups of one level."""
    from openpyxl import chart as charts

    rows = sum(line.kind == "row" for line in lines)
    if report["format"] == "tabular" or len(report["groups"]) != 1 or not rows:
        return
    spec: Members = report["chart"] or {"type": "bar"}
    drawn = getattr(charts, _CHARTS.get(spec["type"], "BarChart"))()
    drawn.title = spec.get("title") or report["name"]
    figures = charts.Reference(sheet, min_col=2, max_col=len(heads), min_row=1, max_row=rows + 1)
    drawn.add_data(figures, titles_from_data=True)
    drawn.set_categories(charts.Reference(sheet, min_col=1, min_row=2, max_row=rows + 1))
    sheet.add_chart(drawn, f"{_letters(len(heads) + 1)}2")


def _letters(number: int) -> str:
    """Return the name of a column by its number, from 0."""
    from openpyxl.utils import get_column_letter  # type: ignore[import-untyped] # it has no types

    return str(get_column_letter(number + 1))


def _checked_pdf(
    call: Context, report: Members, content: Members, parameters: Members, options: Mapping[str, Any]
) -> bytes:
    if content["row_count"] > MOST_ROWS:
        message = f"a PDF has at most {MOST_ROWS:,} records, and the report has {content['row_count']:,}"
        raise Problem("TOO_MANY_ROWS", message, details={"limit": MOST_ROWS, "rows": content["row_count"]})
    zone = company.zone(call)
    return write_pdf(report, content, parameters, options, lambda value: text_of(value, zone))


WRITERS: Mapping[str, tuple[str, str, Write]] = {
    "pdf": ("pdf", "application/pdf", _checked_pdf),
    "excel": ("xlsx", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", write_workbook),
    "csv": ("csv", "text/csv", write_csv),
}
"""The ending, the content type and the function that writes it, of each kind of file."""
