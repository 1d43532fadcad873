"""What reports are made of and sum up, and how their workbooks and PDFs look."""

from __future__ import annotations

import io
import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types
from pypdf import PdfReader
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.problems import Problem
from server_stub.services.reports.checks import check_format, derived_format, filled_filters, parameter_values
from server_stub.services.reports.tables import days_of
from server_stub.timetable import system_call

from .conftest import MakeReport, leaves

SUM: Any = {"function": "sum", "field": "value"}
MM = 72 / 25.4
"""The points of a millimetre."""


def content(stub: StubServer, crm: CrmClient, made: Any, kind: str, **options: Any) -> bytes:
    """Export a report, and return the file."""
    result = getattr(crm.reports.exports, kind)(made.id, **options).wait()
    file = some(stub.store.collection("tenant_acme", "file").get(result.file_id))
    return stub.contents.open(file["checksum"]).read()


# -- what they are made of ---------------------------------------------------------------------------------------------


def test_the_format_follows_from_what_there_is() -> None:
    for whole, format in (
        ({}, "tabular"), ({"columns": [1]}, "tabular"), ({"columns": [1], "measures": [1]}, "tabular"),
        ({"measures": [1]}, "summary"), ({"groups": [1]}, "summary"), ({"groups": [1], "columns": [1]}, "summary"),
        ({"groups": [1], "across": [1]}, "matrix"),
    ):  # fmt: skip
        assert derived_format(whole) == format, whole
    for given, whole, field in (
        ("matrix", {"groups": [1]}, "across"), ("matrix", {"across": [1]}, "groups"), ("summary", {}, "groups"),
        ("tabular", {}, "columns"), ("matrix", {}, "groups"),
    ):  # fmt: skip
        with pytest.raises(Problem) as caught:
            check_format(given, whole)
        assert caught.value.field == field
    for given, whole in (
        ("summary", {"measures": [1]}), ("summary", {"groups": [1]}), ("tabular", {"columns": [1]}),
        ("matrix", {"groups": [1], "across": [1]}),
    ):  # fmt: skip
        check_format(given, whole)
    with pytest.raises(Problem) as caught:
        derived_format({"across": [1]})
    assert (caught.value.code, caught.value.field) == ("INVALID_FORMAT", "groups")


def test_parameters_have_values_and_fill_conditions() -> None:
    whole: Any = {
        "parameters": [{"name": " least ", "required": True}, {"name": "name", "default": "Ada"}, {"name": "most"}],
        "filter_groups": [
            {"filters": [
                {"field": "value", "op": "between", "value": "{{least}}", "high_value": "{{ most }}"},
                {"field": "name", "op": "eq", "value": "Dr. {{name}}!"},
                {"field": "x", "op": "in", "values": ["{{name}}", 5, None]},
            ]},
        ],
    }  # fmt: skip
    assert parameter_values(whole, {"least": 0}) == {"least": 0, "name": "Ada", "most": None}
    assert parameter_values(whole, {"least": 1, "name": None, "most": 9}) == {"least": 1, "name": "Ada", "most": 9}
    for given, code, field in (({}, "MISSING_PARAMETER", "parameters.least"), ({"no": 1}, None, "parameters.no")):
        with pytest.raises(Problem) as caught:
            parameter_values(whole, given)
        assert caught.value.entries[0].field == field and code in (None, caught.value.code)
    (group,) = filled_filters(whole, {"least": 1, "name": "Eva", "most": 9})
    assert group["filters"] == [
        {"field": "value", "op": "between", "value": 1, "high_value": 9},
        {"field": "name", "op": "eq", "value": "Dr. Eva!"},
        {"field": "x", "op": "in", "values": ["Eva", 5, None]},
    ]
    (group,) = filled_filters(whole, {"least": 1, "name": None, "most": None})
    assert [one["field"] for one in group["filters"]] == ["name"] and group["filters"][0]["value"] == "Dr. !"
    alone: Any = {"filter_groups": [{"filters": [{"field": "a", "op": "eq", "value": "{{x}}"}]}, {"filters": [1]}]}
    assert filled_filters({"filter_groups": alone["filter_groups"][:1]}, {"x": None}) == []
    assert filled_filters({"filter_groups": None}, {}) == []


def test_which_days_a_range_has(stub: StubServer) -> None:
    call = system_call(stub, "tenant_acme", stub.clock.now(), "test")
    today = date(2026, 1, 15)
    for given, start, end in (
        ({"preset": "today"}, today, today),
        ({"preset": "this_week"}, date(2026, 1, 12), date(2026, 1, 18)),
        ({"preset": "this_month"}, date(2026, 1, 1), date(2026, 1, 31)),
        ({"preset": "this_quarter"}, date(2026, 1, 1), date(2026, 3, 31)),
        ({"preset": "this_year"}, date(2026, 1, 1), date(2026, 12, 31)),
        ({"preset": "last_month"}, date(2025, 12, 1), date(2025, 12, 31)),
        ({"preset": "last_quarter"}, date(2025, 10, 1), date(2025, 12, 31)),
        ({"preset": "last_year"}, date(2025, 1, 1), date(2025, 12, 31)),
        ({"preset": "last_7_days"}, date(2026, 1, 9), today),
        ({"preset": "last_30_days"}, date(2025, 12, 17), today),
        ({"start_date": date(2026, 1, 2)}, date(2026, 1, 2), date(2999, 12, 30)),
        ({"preset": "custom", "end_date": today}, date(1900, 1, 1), today),
    ):
        span = some(days_of(call, given))
        assert (span.start, span.end) == (start, end), given
    assert days_of(call, None) is None


def test_what_measures_come_to(platform: CrmClient, report: MakeReport, leads: list[str], stub: StubServer) -> None:
    functions = ("sum", "avg", "median", "min", "max", "count_distinct")
    measures: Any = [{"function": "count"}, *({"function": name, "field": "value"} for name in functions)]
    made = report(measures=measures, groups=[{"field": "source"}], sort=[{"key": "count", "order": "desc"}])
    data = platform.reports.data(made.id)
    assert [column.key for column in data.columns] == ["source", "count", *(f"{name}_value" for name in functions)]
    assert [column.type for column in data.columns] == ["text", *["number"] * 7]
    assert [column.format for column in data.columns][1:3] == ["number", "currency"]
    assert leaves(data) == {
        ("website",): [3, 1599.75, 533.25, 300, 99.25, 1200.5, 3],
        ("referral",): [2, 7041, 3520.5, 3520.5, 41, 7000, 2],
    }
    assert [row.labels for row in data.groups] == [["website"], ["referral"]]
    assert data.totals == [5, 8640.75, Decimal("1728.15"), 300, 41, 7000, 5] and (data.row_count, data.truncated) == (
        5,
        False,
    )
    stored(stub, "lead", leads[0], value=None)
    some_missing = platform.reports.data(made.id, fresh=True)
    assert leaves(some_missing)["website",][:3] == [3, 399.25, Decimal("199.625")]
    for id in leads:
        stored(stub, "lead", id, value=None)
    nothing = platform.reports.data(made.id, fresh=True)
    assert nothing.totals == [5, 0, None, None, None, None, 0]
    few = report(row_limit=2, sort=[{"key": "name", "order": "desc"}])
    table = platform.reports.data(few.id)
    assert ([row[0] for row in table.rows], table.row_count, table.truncated) == (["Lead 4", "Lead 3"], 2, True)
    all_ = report(row_limit=5)
    assert platform.reports.data(all_.id).truncated is False


def test_groups_without_a_value_come_last_and_are_named(
    platform: CrmClient, report: MakeReport, leads: list[str], stub: StubServer
) -> None:
    for id, (company, tags) in zip(
        leads, (("b", ["y", "x"]), ("a", []), (None, ["x"]), ("b", []), ("a", [])), strict=True
    ):
        stored(stub, "lead", id, company=company, tags=tags, owner_id="user_mia")
    for order in (None, "asc", "desc"):
        sort: Any = [{"key": "company", "order": order}] if order else None
        made = report(groups=[{"field": "company"}], measures=[{"function": "count"}], sort=sort)
        labels = [row.labels[0] for row in platform.reports.data(made.id).groups]
        assert labels == (["b", "a", "No value"] if order == "desc" else ["a", "b", "No value"])
    by_tags = report(groups=[{"field": "tags"}, {"field": "owner_id"}], measures=[{"function": "count"}])
    groups = platform.reports.data(by_tags.id).groups
    assert [(row.labels, row.level, row.subtotal, row.count) for row in groups] == [
        (["x"], 1, True, 1), (["x", "Mia Ferrández"], 2, False, 1), (["x, y"], 1, True, 1),
        (["x, y", "Mia Ferrández"], 2, False, 1), (["No value"], 1, True, 3),
        (["No value", "Mia Ferrández"], 2, False, 3),
    ]  # fmt: skip
    assert groups[1].keys == ["x", "user_mia"]
    stored(stub, "user", "user_mia", deleted_at=stub.clock.now())
    stored(stub, "lead", leads[0], owner_id="user_nobody")
    found = platform.reports.run(by_tags.id).data
    assert [row.labels[1:] for row in some(found).groups if not row.subtotal] == [
        ["Mia Ferrández"], ["user_nobody"], ["Mia Ferrández"],
    ], "who is gone keeps the name"  # fmt: skip


def test_a_report_of_what_is_gone_says_what(platform: CrmClient, report: MakeReport, stub: StubServer) -> None:
    made = report()
    stored(stub, "report", made.id, columns=[{"field": "name"}, {"field": "gone"}], sort=None)
    refusal = refused(lambda: platform.reports.run(made.id))
    assert (refusal.status, refusal.code, refusal.details) == (409, "REPORT_BROKEN", {"fields": ["gone"]})
    assert refusal.message == "the report is of what is gone: gone"


# -- how they look -----------------------------------------------------------------------------------------------------


def test_a_workbook_has_a_head_sums_a_chart_and_its_conditions(
    platform: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    made = report(name="Worth", groups=[{"field": "source"}], measures=[{"function": "count"}, SUM])
    book: Any = load_workbook(io.BytesIO(content(stub, platform, made, "excel", include_chart=True)))
    sheet, filters = book["Data"], book["Filters"]
    assert (book.properties.title, book.properties.creator, sheet.freeze_panes) == ("Worth", "CRM", "A2")
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == ["Source", "Count", "Sum value"] and rows[-1] == ["Total", 5, 8640.75]
    assert [[cell.font.b for cell in row] for row in sheet.iter_rows()] == [
        [True] * 3,
        [False] * 3,
        [False] * 3,
        [True] * 3,
    ]
    assert [cell.number_format for cell in list(sheet.iter_rows())[1]] == ["General", "General", "#,##0.00"]
    assert {name: dimension.width for name, dimension in sheet.column_dimensions.items()} == {"A": 14, "B": 14, "C": 14}
    (chart,) = sheet._charts
    anchor = chart.anchor._from
    assert (type(chart).__name__, anchor.col, anchor.row) == ("BarChart", 4, 1)
    assert len(chart.series) == 2 and chart.series[0].cat.numRef.f == "'Data'!$A$2:$A$3"
    said = [[cell.value for cell in row] for row in filters.iter_rows()]
    assert said[:3] == [["Field", "Operator", "Value"], ["Report", None, "Worth"], ["Records of", None, "lead"]]
    assert said[3][0] == "Made at" and said[4:] == [
        ["Records", None, 5], ["Currency", None, "USD"], ["campaign", "eq", "camp"],
    ]  # fmt: skip
    assert isinstance(said[3][2], datetime) and said[3][2] - stub.clock.now().replace(tzinfo=None) < timedelta(0)
    plain: Any = load_workbook(io.BytesIO(content(stub, platform, made, "excel", include_chart=False)))
    assert plain["Data"]._charts == []
    for other, drawn in (
        (report(), 0), (report(groups=[{"field": "source"}, {"field": "status"}], measures=[SUM]), 0),
        (report(groups=[{"field": "source"}], measures=[SUM], chart={"type": "pie", "title": "Pie"}), 1),
    ):  # fmt: skip
        shown: Any = load_workbook(io.BytesIO(content(stub, platform, other, "excel", include_chart=True)))
        assert len(shown["Data"]._charts) == drawn
    assert type(shown["Data"]._charts[0]).__name__ == "PieChart"


def texts_of(raw: bytes) -> list[tuple[str, float, float]]:
    """Return the texts of the first page of a PDF, with their places in millimetres from above."""
    page = PdfReader(io.BytesIO(raw)).pages[0]
    found: list[tuple[str, float, float]] = []

    def seen(text: str, _: Any, place: Any, font: Any, size: float) -> None:
        if text.strip():
            found.append((text.strip(), place[4] / MM, (float(page.mediabox.height) - place[5]) / MM))

    page.extract_text(visitor_text=seen)
    return found


def drawn_of(raw: bytes) -> str:
    return some(PdfReader(io.BytesIO(raw)).pages[0].get_contents()).get_data().decode("latin-1")


def test_a_line_has_its_figures_above_and_its_names_below(
    platform: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    chart: Any = {"type": "line", "title": "Worth"}
    made = report(groups=[{"field": "source"}], measures=[SUM], chart=chart, description="All of it")
    raw = content(stub, platform, made, "pdf")
    found = texts_of(raw)
    words = [text for text, _, _ in found]
    assert words[:3] == ["Report", "All of it", "campaign eq camp"]
    assert re.fullmatch(r"5 records; sums in USD; made 2026-01-15T.*-05:00", words[3]) and words[4] == "Worth"
    assert words[-1] == "1 / 1"
    place = {text: (x, y) for text, x, y in found[5:9]}
    assert set(place) == {"7,041", "referral", "1,599.75", "website"}
    assert place["7,041"][1] < place["1,599.75"][1] < place["referral"][1] == place["website"][1]
    assert abs((place["referral"][1] - place["7,041"][1]) - 46) < 3, "the line is 40 mm high at most"
    assert place["referral"][0] < place["website"][0]
    assert len(re.findall(r"[\d.]+ [\d.]+ m [\d.]+ [\d.]+ l S", drawn_of(raw))) == 1, "one line between two points"
    no_chart = content(stub, platform, made, "pdf", include_chart=False)
    assert "Worth" not in [text for text, _, _ in texts_of(no_chart)]


def test_bars_are_as_long_as_their_figures(platform: CrmClient, report: MakeReport, stub: StubServer) -> None:
    made = report(groups=[{"field": "source"}], measures=[SUM], chart={"type": "bar"})
    raw = content(stub, platform, made, "pdf")
    bars = [tuple(map(float, one)) for one in re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) -([\d.]+) re f", drawn_of(raw))]
    charted = bars[:2]
    (_, _, first, height), (_, _, second, _) = charted
    assert abs(second / first - 1599.75 / 7041) < 0.01 and abs(height / MM - 3.6) < 0.1
    found = texts_of(raw)
    place = {text: (x, y) for text, x, y in found if text in ("referral", "7,041", "website", "1,599.75")}
    assert charted[0][0] / MM < place["7,041"][0] and abs(charted[0][2] / MM - 0.54 * 190) < 2
    (head,) = [y for text, _, y in found if text == "Sum value"]
    below = max(y for text, _, y in found if text == "1,599.75" and y < head)
    assert 8 < head - below < 11, "the table begins 4 mm below the chart"
    only = report(groups=[{"field": "campaign"}], measures=[SUM], chart={"type": "line"})
    assert len(re.findall(r" re f", drawn_of(content(stub, platform, only, "pdf")))) > 2, "one point is no line"


def test_a_table_goes_on_with_its_head_on_the_next_page(platform: CrmClient, stub: StubServer) -> None:
    people: Any = [{"external_id": f"x{number}", "name": f"N{number:03}", "campaign": "many"} for number in range(60)]
    platform.objects.upsert("lead", people)
    groups: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "many"}]}]
    made = platform.reports.create(
        {"name": "Long", "entity_type": "lead", "columns": [{"field": "name", "label": "Who"}, {"field": "value"}],
         "filter_groups": groups}
    )  # fmt: skip
    reader = PdfReader(io.BytesIO(content(stub, platform, made, "pdf")))
    pages = [page.extract_text().splitlines() for page in reader.pages]
    assert len(pages) == 2 and some(reader.metadata).title == "Long"
    assert [lines[-1] for lines in pages] == ["1 / 2", "2 / 2"]
    assert "Who Value" in pages[0] and pages[1][0] == "Who Value"
    names = [line.split()[0] for lines in pages for line in lines if re.match(r"N\d{3}", line)]
    assert sorted(names) == [f"N{number:03}" for number in range(60)]


COLOURS = {"": "black", "0": "black", "1": "white", "0.1804 0.3843 0.6275": "blue", "0.4314 0.4314 0.4314": "grey",
           "0.9333 0.9451 0.9647": "pale"}  # fmt: skip
"""The colours of a page, by what it says of them."""


def looks_of(raw: bytes) -> list[tuple[Any, ...]]:
    """Return what is drawn on the first page, in its order: texts, filled boxes and lines, in millimetres."""
    font, filled, lined = "", "", ""
    found: list[tuple[Any, ...]] = []

    def places(given: Any) -> list[float]:
        return [round(float(one) / MM, 1) for one in given]

    for line in drawn_of(raw).splitlines():
        if said := re.search(r"/(F\d) ([\d.]+) Tf", line):
            font = f"{said[1]} {float(said[2]):g}"
        if said := re.fullmatch(r"([\d. ]+) (?:rg|g)", line):
            filled = said[1]
        if said := re.fullmatch(r"([\d. ]+) (?:RG|G)", line):
            lined = said[1]
        for box in re.findall(r"([\d.]+) ([\d.]+) ([\d.]+) -([\d.]+) re f", line):
            found.append(("box", COLOURS[filled], *places(box)))
        if said := re.search(r"([\d.]+) ([\d.]+) m ([\d.]+) ([\d.]+) l S", line):
            found.append(("line", COLOURS[lined], *places(said.groups())))
        if said := re.search(r"([\d.]+) ([\d.]+) Td (?:([\d. ]+) (?:rg|g) )?\((.*)\) Tj", line):
            found.append((said[4], font, COLOURS[said[3] or ""], *places(said.groups()[:2])))
    return found


def test_a_page_has_its_letters_colours_and_places(platform: CrmClient, report: MakeReport, stub: StubServer) -> None:
    made_at = "5 records; sums in USD; made 2026-01-15T04:00:00-05:00"
    head = [("Report", "F1 16", "black", 11.0, 281.3), ("D", "F2 9", "grey", 11.0, 275.5),
            ("campaign eq camp", "F2 9", "grey", 11.0, 270.5), (made_at, "F2 9", "grey", 11.0, 265.5),
            ("T", "F1 10", "black", 11.0, 257.9)]  # fmt: skip
    charts: dict[str, tuple[float, list[tuple[Any, ...]]]] = {
        "bar": (242.0, [
            ("referral", "F2 8", "black", 53.3, 252.7), ("box", "blue", 65.2, 255.3, 102.6, 3.6),
            ("7,041", "F2 8", "black", 170.8, 252.7), ("website", "F2 8", "black", 52.6, 247.7),
            ("box", "blue", 65.2, 250.3, 23.3, 3.6), ("1,599.75", "F2 8", "black", 91.5, 247.7)]),
        "line": (203.0, [
            ("line", "blue", 57.5, 252.0, 152.5, 221.1), ("7,041", "F2 8", "black", 54.0, 253.2),
            ("referral", "F2 8", "black", 53.0, 208.2), ("1,599.75", "F2 8", "black", 147.0, 222.2),
            ("website", "F2 8", "black", 147.7, 208.2)]),
    }  # fmt: skip
    for type, (top, chart) in charts.items():
        made = report(groups=[{"field": "source"}], measures=[SUM], chart={"type": type, "title": "T"}, description="D")
        raw = content(stub, platform, made, "pdf")
        assert looks_of(raw) == [
            *head, *chart,
            ("box", "blue", 10.0, top, 21.8, 6.0), ("Source", "F1 9", "white", 11.0, top - 4),
            ("box", "blue", 31.8, top, 28.6, 6.0), ("Sum value", "F1 9", "white", 43.6, top - 4),
            ("referral", "F2 9", "black", 11.0, top - 9.5), ("7,041.00", "F2 9", "black", 47.1, top - 9.5),
            ("website", "F2 9", "black", 11.0, top - 14.5), ("1,599.75", "F2 9", "black", 47.1, top - 14.5),
            ("box", "pale", 10.0, top - 16, 21.8, 5.0), ("Total", "F1 9", "black", 11.0, top - 19.5),
            ("box", "pale", 31.8, top - 16, 28.6, 5.0), ("8,640.75", "F1 9", "black", 47.1, top - 19.5),
            ("1 / 1", "F2 8", "black", 193.5, 6.7),
        ], type  # fmt: skip
        known = some(PdfReader(io.BytesIO(raw)).metadata)
        written = some(known.creation_date).replace(tzinfo=None)  # some versions of fpdf write another zone
        assert (known.title, written) == ("Report", stub.clock.now().replace(microsecond=0, tzinfo=None)), type


def test_a_chart_has_twelve_groups_and_a_figure_that_is_one(
    platform: CrmClient, report: MakeReport, stub: StubServer, leads: list[str]
) -> None:
    """Without figures, or where all are nothing, there is no chart; losses are as long as gains."""
    people: Any = [{"external_id": f"x{number}", "name": f"N{number:02}", "campaign": "many"} for number in range(13)]
    platform.objects.upsert("lead", people)
    many: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "many"}]}]
    most: Any = [{"function": "max", "field": "value"}]
    by_name: Any = {"groups": [{"field": "name"}], "chart": {"type": "bar"}}

    def bars(**members: Any) -> list[float]:
        looks = looks_of(content(stub, platform, report(**by_name, **members), "pdf"))
        return [one[4] for one in looks if one[0] == "box" and one[5] == 3.6]

    assert bars(filter_groups=many, measures=[{"function": "count"}]) == [102.6] * 12
    assert bars(filter_groups=many, measures=most) == bars(filter_groups=many, measures=[SUM]) == []
    for id, value in zip(leads, (100, -50, 0, None, 25), strict=True):
        stored(stub, "lead", id, value=value)
    assert bars(measures=most) == [102.6, 51.3, 0.2, 25.7]


def test_a_wide_table_has_smaller_letters(platform: CrmClient, report: MakeReport, stub: StubServer) -> None:
    """As small as needed for its figures, but not smaller than can be read; its columns share the width of a page."""
    for count, size, width in (
        (3, "9", 46.4),
        (9, "6.56", 21.1),
        (12, "4.92", 15.8),
        (14, "4.22", 13.6),
        (30, "4", 6.3),
    ):
        columns: Any = [{"field": "value", "label": "W" * 9}] * count
        looks = looks_of(content(stub, platform, report(columns=columns), "pdf"))
        heads = [one for one in looks if one[0] == "box" and one[1] == "blue"]
        assert [one[4] for one in heads] == [width] * count, count
        assert {one[1] for one in looks if one[0] == "7,000.00"} == {f"F2 {size}"}, count
