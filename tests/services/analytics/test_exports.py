"""Exports of reports: files that other programs open, with the figures of the same run."""

from __future__ import annotations

import asyncio
import csv
import io
import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
from openpyxl import load_workbook  # type: ignore[import-untyped] # it has no types
from pypdf import PdfReader
from refusals import refused
from stub_data import idle, some

from crm_sdk import CrmClient, Job, JobFailedError
from crm_sdk.models import ExportResult, Report
from server_stub import StubServer
from server_stub.services.reports import runs

from .conftest import CAMPAIGN, MakeReport, Wait

SUM: Any = {"function": "sum", "field": "value"}
Read = Callable[[str], bytes]


@pytest.fixture
def content(stub: StubServer) -> Read:
    """Return the bytes of a file by its id."""

    def read(id: str) -> bytes:
        file = stub.store.collection("tenant_acme", "file").get(id)
        assert file is not None
        return stub.contents.open(file["checksum"]).read()

    return read


def started(crm: CrmClient, made: Report, kind: str, **options: Any) -> Job[ExportResult]:
    job: Job[ExportResult] = getattr(crm.reports.exports, kind)(made.id, **options)
    return job


def cells(kind: str, content: bytes) -> list[list[Any]]:
    """Return the cells of a file, read by another program than ours."""
    if kind == "csv":
        return list(csv.reader(io.StringIO(content.decode(), newline="")))
    if kind == "excel":
        book: Any = load_workbook(io.BytesIO(content))
        assert book.sheetnames == ["Data", "Filters"]
        return [[cell.value for cell in row] for row in book["Data"].iter_rows()]
    text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages)
    return [line.split() for line in text.splitlines()]


@pytest.mark.parametrize("kind", ["csv", "excel", "pdf"])
def test_every_file_has_the_figures_of_the_report(
    platform: CrmClient, report: MakeReport, content: Read, kind: str
) -> None:
    made = report(groups=[{"field": "source"}, {"field": "status"}], measures=[{"function": "count"}, SUM])
    result = started(platform, made, kind).wait()
    assert result.row_count == 5 and result.size == len(content(result.file_id))
    rows = [
        [str(cell).replace(",", "") for cell in row if cell is not None] for row in cells(kind, content(result.file_id))
    ]
    wanted = [
        (*row.labels, row.values[0], Decimal(str(row.values[1])))
        for row in platform.reports.data(made.id).groups
        if not row.subtotal
    ]
    assert len(wanted) == 4
    found = {
        (*row[:2], int(row[2]), Decimal(row[3])) for row in rows if len(row) == 4 and re.fullmatch(r"[\d.]+", row[3])
    }
    assert set(wanted) <= found
    totals = [row for row in rows if row[0] == "Total"]
    assert [Decimal(row[-1]) for row in totals] == ([] if kind == "csv" else [Decimal("8640.75")])


@pytest.mark.parametrize("kind", ["csv", "excel"])
def test_a_matrix_has_a_column_for_each_key_across(
    platform: CrmClient, report: MakeReport, content: Read, kind: str
) -> None:
    made = report(groups=[{"field": "source"}], across=[{"field": "owner_id"}], measures=[SUM])
    head, *rows = cells(kind, content(started(platform, made, kind).wait().file_id))
    owner = platform.reports.data(made.id).across_keys
    assert len(head) == 1 + len(owner) and not head[1].startswith("user_"), "the name of the owner"
    assert {row[0]: sum(Decimal(str(cell)) for cell in row[1:]) for row in rows if row[0] != "Total"} == {
        "referral": Decimal(7041),
        "website": Decimal("1599.75"),
    }


def test_cells_keep_their_types_and_no_text_is_a_formula(
    platform: CrmClient, report: MakeReport, leads: list[str], content: Read
) -> None:
    platform.leads.update(leads[0], {"name": "=SUM(1;2)"})
    platform.leads.update(leads[1], {"name": 'Jö; "quoted", Ltd'})
    columns: Any = [{"field": name} for name in ("name", "value", "created_at", "tags")]
    made = report(columns=columns, sort=[{"key": "value", "order": "desc"}])
    rows = cells("excel", content(started(platform, made, "excel").wait().file_id))
    name, value, at, _ = rows[2]
    assert (name, value, at.year) == ("=SUM(1;2)", 1200.5, 2026)
    book: Any = load_workbook(io.BytesIO(content(started(platform, made, "excel").wait().file_id)))
    assert {cell.data_type for cell in book["Data"]["A"]} == {"s"}
    rows = cells("csv", content(started(platform, made, "csv").wait().file_id))
    assert "'=SUM(1;2)" in [row[0] for row in rows] and 'Jö; "quoted", Ltd' in [row[0] for row in rows]
    latin = content(started(platform, made, "csv", delimiter=";", encoding="latin-1").wait().file_id).decode("latin-1")
    assert 'Jö; "quoted", Ltd' in [row[0] for row in csv.reader(io.StringIO(latin), delimiter=";")]


@pytest.mark.parametrize("type", ["bar", "line"])
def test_a_pdf_has_the_chart_and_any_name(platform: CrmClient, report: MakeReport, content: Read, type: str) -> None:
    chart: Any = {"type": type, "title": "Worth"}
    made = report(name="Ρ ☃ żółw – €", groups=[{"field": "source"}], measures=[SUM], chart=chart)
    plain, drawn = (
        PdfReader(io.BytesIO(content(started(platform, made, "pdf", include_chart=shown, paper="A5").wait().file_id)))
        for shown in (False, True)
    )
    texts = [reader.pages[0].extract_text() for reader in (plain, drawn)]
    assert ["Worth" in text for text in texts] == [False, True] and "zó?w" in texts[0] and "EUR" in texts[0]
    wide = content(started(platform, made, "pdf", orientation="landscape").wait().file_id)
    page = PdfReader(io.BytesIO(wide)).pages[0].mediabox
    assert page.width > page.height


def test_a_pdf_has_figures_below_each_other_and_a_head_that_is_read(
    platform: CrmClient, report: MakeReport, content: Read
) -> None:
    made = report(groups=[{"field": "source"}], measures=[SUM])
    page = PdfReader(io.BytesIO(content(started(platform, made, "pdf").wait().file_id))).pages[0]
    drawn = page.get_contents()
    assert drawn is not None
    texts = re.findall(r"BT ([\d.]+) [\d.]+ Td (\S+) g \((.*?)\) Tj", drawn.get_data().decode("latin-1"))
    colours = {text: colour for _, colour, text in texts}
    assert (colours["Source"], colours["Sum value"], colours["Total"]) == ("1", "1", "0"), (
        "white on blue, black on pale"
    )
    starts = {text: float(at) for at, _, text in texts}
    words, figures = ["Source", "referral", "website", "Total"], ["7,041.00", "1,599.75", "8,640.75"]
    assert len({starts[word] for word in words}) == 1 and len({starts[figure] for figure in figures}) == 1
    assert starts["Sum value"] < starts["7,041.00"], "a wider text of the same column ends where the figures do"


def test_every_page_of_a_pdf_has_the_head_and_every_row_is_on_one(
    platform: CrmClient, report: MakeReport, content: Read
) -> None:
    names = [f"Row-{n:03}" for n in range(60)]
    people: Any = [{"external_id": name, "name": name, "campaign": "camp", "value": 1} for name in names]
    platform.objects.upsert("lead", people)
    made = report()
    pages = PdfReader(io.BytesIO(content(started(platform, made, "pdf", paper="A5").wait().file_id))).pages
    texts = [page.extract_text() for page in pages]
    assert len(texts) > 1 and [text.count("Who") for text in texts] == [1] * len(texts)
    assert sorted(re.findall(r"Row-\d+", "\n".join(texts))) == names
    assert all(text.endswith(f"{number} / {len(texts)}") for number, text in enumerate(texts, start=1))


@pytest.mark.parametrize(("count", "fails"), [(5_000, False), (5_001, True)])
def test_a_pdf_of_too_many_rows_fails(
    platform: CrmClient, report: MakeReport, monkeypatch: pytest.MonkeyPatch, count: int, fails: bool
) -> None:
    def carry_out(*given: Any, **members: Any) -> Any:
        run = runs.carry_out(*given, **members)
        return run | {"content": {**run["content"], "row_count": count}}

    monkeypatch.setattr("server_stub.services.reports.exports.carry_out", carry_out)
    made = report()
    job = started(platform, made, "pdf")
    if not fails:
        assert job.wait().row_count == 5
        return
    with pytest.raises(JobFailedError) as failed:
        job.wait()
    assert failed.value.code == "TOO_MANY_ROWS"
    assert failed.value.message.endswith(": a PDF has at most 5,000 records, and the report has 5,001")
    assert platform.reports.get(made.id).run_count == 0, "what the job wrote is undone"
    assert started(platform, made, "csv").wait().row_count == 5


MORE: Any = [
    {"field": "value", "op": "between", "value": 1, "high_value": 9_000},
    {"field": "email", "op": "is_not_set"},
]
CHOICE: Any = [{"field": "source", "op": "in", "values": ["website", "referral"]}]
NOBODY: Any = [{"filters": [{"field": "name", "op": "eq", "value": "nobody"}]}]
CAMP = ("campaign", "eq", "camp")


def test_a_file_says_which_records_it_is_about(platform: CrmClient, report: MakeReport, content: Read) -> None:
    cases: list[tuple[Any, list[tuple[str, str, str]]]] = [
        ({}, [CAMP]),
        ({"date_range": {"preset": "this_month"}}, [("created_at", "within", "this_month"), CAMP]),
        ({"date_range": {"start_date": "2026-01-02"}}, [("created_at", "within", "2026-01-02 – …"), CAMP]),
        (
            {"date_range": {"preset": "custom", "start_date": "2026-01-02", "end_date": "2026-02-03"}},
            [("created_at", "within", "2026-01-02 – 2026-02-03"), CAMP],
        ),
        (
            {"filter_groups": [*CAMPAIGN, {"filters": MORE}, {"filters": CHOICE}]},
            [
                CAMP,
                ("or value", "between", "1, 9000"),
                ("email", "is_not_set", ""),
                ("or source", "in", "website, referral"),
            ],
        ),
        (
            {"parameters": [{"name": "least", "type": "number", "default": 3}, {"name": "most", "type": "number"}]},
            [CAMP, ("{{least}}", "is", "3"), ("{{most}}", "is", "")],
        ),
    ]
    for members, said in cases:
        made = report(date_field="created_at", **members)
        book: Any = load_workbook(io.BytesIO(content(started(platform, made, "excel").wait().file_id)))
        head, *rows = [tuple(cell.value or "" for cell in row) for row in book["Filters"].iter_rows()]
        assert (head, rows[5:]) == (("Field", "Operator", "Value"), said), members
        assert [row[0] for row in rows[:5]] == ["Report", "Records of", "Made at", "Records", "Currency"], members
        assert (rows[0][2], rows[1][2], rows[4][2]) == ("Report", "lead", "USD"), members
        drawn = PdfReader(io.BytesIO(content(started(platform, made, "pdf").wait().file_id))).pages[0].extract_text()
        lines = [" ".join(words).replace("–", "-").replace("…", "...").rstrip() for words in said]
        assert [line.rstrip() for line in drawn.splitlines()[1 : len(said) + 1]] == lines, members


def test_a_column_is_as_wide_as_its_head(platform: CrmClient, report: MakeReport, content: Read) -> None:
    cases: list[tuple[int, int]] = [(1, 14), (12, 14), (13, 15), (47, 49), (48, 50), (49, 50)]
    for letters, width in cases:
        made = report(columns=[{"field": "name", "label": "W" * letters}])
        book: Any = load_workbook(io.BytesIO(content(started(platform, made, "excel").wait().file_id)))
        assert book["Data"].column_dimensions["A"].width == width, letters


def test_a_workbook_has_a_chart_of_its_groups(platform: CrmClient, report: MakeReport, content: Read) -> None:
    cases: list[tuple[Any, str | None, str | None]] = [
        ({"groups": [{"field": "source"}]}, "BarChart", "Report"),
        ({"groups": [{"field": "source"}], "chart": {"type": "pie", "title": "Worth"}}, "PieChart", "Worth"),
        ({"groups": [{"field": "source"}], "chart": {"type": "donut"}}, "DoughnutChart", "Report"),
        ({"groups": [{"field": "source"}], "chart": {"type": "area"}}, "AreaChart", "Report"),
        ({"groups": [{"field": "source"}, {"field": "status"}]}, None, None),
        ({"groups": [{"field": "source"}], "filter_groups": NOBODY}, None, None),
        ({"columns": [{"field": "name"}]}, None, None),
    ]
    for members, drawn, title in cases:
        made = report(**({"measures": [SUM, {"function": "count"}]} if "groups" in members else {}), **members)
        plain, charted = (
            load_workbook(io.BytesIO(content(started(platform, made, "excel", include_chart=wanted).wait().file_id)))[
                "Data"
            ]
            for wanted in (False, True)
        )
        assert plain._charts == [] and plain.freeze_panes == charted.freeze_panes == "A2", members
        assert [type(chart).__name__ for chart in charted._charts] == ([drawn] if drawn is not None else []), members
        for chart in charted._charts:
            assert (chart.anchor._from.col, chart.anchor._from.row) == (4, 1), "beside the data, with a column between"
            assert "".join(run.t for line in chart.title.tx.rich.p for run in line.r) == title
            series = [(one.tx.strRef.f, one.cat.numRef.f, one.val.numRef.f) for one in chart.series]
            assert series == [(f"'Data'!{at}1", "'Data'!$A$2:$A$3", f"'Data'!${at}$2:${at}$3") for at in "BC"]


def test_an_export_is_its_users_and_outlives_the_report(
    platform: CrmClient, sam: CrmClient, globex: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    made = report(visibility="tenant")
    assert refused(lambda: started(sam, made, "csv")).code == "FORBIDDEN"
    job = started(platform, made, "csv")
    result = job.wait()
    for other in (sam, globex):
        assert refused(partial(other.reports.exports.get, job.id)).status == 404
    platform.reports.delete(made.id)
    later = platform.reports.exports.get(job.id)
    assert later.result == result and (later.status, later.file_id) == ("succeeded", result.file_id)
    file = some(stub.store.collection("tenant_acme", "file").get(result.file_id))
    assert result.model_dump() == {
        "file_id": file["id"], "file_name": "Report-2026-01-15.csv", "content_type": "text/csv", "size": file["size"],
        "row_count": 5, "download_url": f"/files/{file['id']}/download", "expires_at": file["expires_at"],
    }  # fmt: skip
    assert file["expires_at"] == file["created_at"] + timedelta(days=7)
    assert {name: file["related_to"][name] for name in ("type", "id", "name")} == {
        "type": "report", "id": made.id, "name": "Report",
    }  # fmt: skip
    counts = some(later.counts)
    assert (counts.total, counts.processed, counts.succeeded, counts.failed) == (5, 5, 5, 0)
    assert (later.kind, later.title, later.status_url) == (
        "report_export", "Export of Report as csv", f"/reports/exports/{job.id}",
    )  # fmt: skip
    told = [entry for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert [entry["action"] for entry in told] == [
        "report.created", "report.run_completed", "report.exported", "data.exported", "report.deleted",
    ]  # fmt: skip
    said = {"format": "csv", "count": 5, "run_id": told[1]["metadata"]["run_id"], "file_id": file["id"]}
    assert [entry["metadata"] for entry in told[2:4]] == [{**said, "job_id": job.id}] * 2
    idle(stub)
    for seconds, is_there in ((-1, True), (0, False)):
        stub.clock.advance((result.expires_at - stub.clock.now()).total_seconds() + seconds)
        expired = some(platform.reports.exports.get(job.id).result)
        assert expired == result.model_copy(update={} if is_there else {"download_url": None}), seconds


def test_an_export_needs_what_its_run_needs(platform: CrmClient, report: MakeReport) -> None:
    limit: Any = {"field": "value", "op": "gte", "value": "{{least}}"}
    campaign: Any = {"field": "campaign", "op": "eq", "value": "camp"}
    asked = report(
        filter_groups=[{"filters": [campaign, limit]}],
        parameters=[{"name": "least", "type": "number", "required": True}],
    )
    assert refused(lambda: started(platform, asked, "csv")).code == "MISSING_PARAMETER"
    assert started(platform, asked, "csv", parameters={"least": 300}).wait().row_count == 3


def test_a_copy_is_the_callers(platform: CrmClient, sam: CrmClient, report: MakeReport) -> None:
    made = report(visibility="tenant", tags=["x"], name="N" * 150)
    platform.reports.run(made.id)
    copy = sam.reports.clone(made.id)
    assert copy.name == f"{'N' * 143} (copy)" and (copy.visibility, copy.run_count, copy.version) == ("private", 0, 1)
    assert copy.owner_id == "user_sam" and (copy.columns, copy.tags) == (made.columns, made.tags)
    assert sam.reports.clone(made.id, name="Mine", visibility="team").name == "Mine"
    assert refused(lambda: platform.reports.get(copy.id)).status == 404


@pytest.mark.parametrize("door", ["reports", "analytics"])
def test_a_large_run_goes_on_after_the_answer(
    platform: CrmClient, report: MakeReport, stub: StubServer, monkeypatch: pytest.MonkeyPatch, door: str
) -> None:
    monkeypatch.setattr(runs, "AT_ONCE", 4)
    made = report()
    calls = platform.reports if door == "reports" else platform.analytics.reports
    run = calls.run(made.id)
    assert (run.status, run.data, run.row_count, run.done) == ("queued", None, 0, False)
    stub.clock.advance(1)
    stored = stub.store.collection("tenant_acme", "run").get(run.id)
    assert stored is not None and (stored["status"], stored["row_count"], stored["progress"]) == ("succeeded", 5, 1.0)
    data = platform.reports.data(made.id, run_id=run.id)
    assert data.row_count == 5 and platform.reports.get(made.id).run_count == 1
    gone = platform.reports.run(made.id)
    platform.reports.delete(made.id)
    stub.clock.advance(1)
    stored = stub.store.collection("tenant_acme", "run").get(gone.id)
    assert stored is not None and (stored["status"], stored["error"]["code"]) == ("failed", "NOT_FOUND")


def test_a_schedule_delivers_a_file(
    platform: CrmClient, report: MakeReport, stub: StubServer, wait: Wait, content: Read
) -> None:
    made = report(visibility="tenant")
    plan: Any = {"schedule": {"frequency": "daily", "at": "06:30"}, "recipients": ["user_sam", "boss@example.com"]}
    plan["format"] = "csv"
    platform.reports.schedules.create(made.id, plan)
    wait(1.1)
    found = [
        one for one in stub.store.collection("tenant_acme", "notification").all() if "Report ready" in one["title"]
    ]
    assert [one.get("recipient") or one["user_id"] for one in found] == ["user_sam", "boss@example.com"]
    (file_id,) = {one["metadata"]["fileId"] for one in found}
    assert len(cells("csv", content(file_id))) == 6
    assert found[1]["channel"] == "email" and found[1]["user_id"] is None


def test_the_async_client_waits_for_an_export(stub: StubServer, report: MakeReport) -> None:
    made = report()

    async def export() -> int:
        async with stub.async_client(dialects="platform") as crm:
            job = await crm.reports.exports.excel(made.id)
            return (await job.wait()).row_count

    assert asyncio.run(export()) == 5
