"""Reports: their tables and sums follow from the records, runs stay as they were, schedules keep to the clock."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from portions import portion
from refusals import refused

from crm_sdk import CrmClient
from server_stub import StubServer

from .conftest import CAMPAIGN, PEOPLE, MakeReport, leaves

COUNT: Any = {"function": "count"}
SUM: Any = {"function": "sum", "field": "value"}


# -- what a report may be made of ------------------------------------------------------------------------------------

BROKEN: list[tuple[Any, str, str]] = [
    ({"columns": [{"field": "nonsense"}]}, "UNKNOWN_FIELD", "columns.0.field"),
    ({"columns": [{"field": "owner.password_hash"}]}, "UNKNOWN_FIELD", "columns.0.field"),
    ({"groups": [{"field": "acount.name"}]}, "UNKNOWN_FIELD", "groups.0.field"),
    ({"filter_groups": [{"filters": [{"field": "nope", "op": "is_set"}]}]}, "UNKNOWN_FIELD",
     "filter_groups.0.filters.0.field"),
    ({"filter_groups": [{"filters": [{"field": "value", "op": "contains", "value": "1"}]}]}, "INVALID_OPERATOR",
     "filter_groups.0.filters.0.op"),
    ({"measures": [{"function": "sum", "field": "name"}]}, "INVALID_MEASURE", "measures.0.function"),
    ({"measures": [{"function": "sum"}]}, "INVALID_MEASURE", "measures.0.field"),
    ({"measures": [{"function": "count", "field": "value"}]}, "INVALID_MEASURE", "measures.0.field"),
    ({"measures": [{"function": "avg", "field": "created_at"}]}, "INVALID_MEASURE", "measures.0.function"),
    ({"columns": [{"field": "name"}], "format": "matrix"}, "INVALID_FORMAT", "groups"),
    ({"groups": [{"field": "source"}], "format": "matrix"}, "INVALID_FORMAT", "across"),
    ({"across": [{"field": "source"}], "columns": [{"field": "name"}]}, "INVALID_FORMAT", "groups"),
    ({"format": "tabular", "groups": [{"field": "source"}]}, "VALIDATION_ERROR", "columns"),
    ({"columns": []}, "VALIDATION_ERROR", "columns"),
    ({"sort": [{"key": "status"}]}, "UNKNOWN_FIELD", "sort.0.key"),
    ({"date_field": "name"}, "VALIDATION_ERROR", "date_field"),
    ({"date_range": {"preset": "custom"}}, "VALIDATION_ERROR", "date_range.start_date"),
    ({"date_range": {"start_date": date(2026, 2, 1), "end_date": date(2026, 1, 1)}}, "VALIDATION_ERROR",
     "date_range.end_date"),
    ({"groups": [{"field": "source", "interval": "month"}]}, "VALIDATION_ERROR", "groups.0.interval"),
    ({"entity_type": "webhook"}, "VALIDATION_ERROR", "entity_type"),  # it has a secret
    ({"filter_groups": [{"filters": [{"field": "value", "op": "gte", "value": "{{least}}"}]}]}, "VALIDATION_ERROR",
     "filter_groups"),
    ({"parameters": [{"name": "who", "type": "text"}, {"name": "who ", "type": "user"}]}, "VALIDATION_ERROR",
     "parameters.1.name"),
]  # fmt: skip


def test_what_a_report_cannot_be_made_of(report: MakeReport, platform: CrmClient) -> None:
    for members, code, field in BROKEN:
        error = refused(partial(report, **members))
        assert (error.status, error.code, error.fields[0].field) == (422, code, field), members
        made = report()
        if "entity_type" not in members:
            changes: Any = {"columns": [], **members}
            again = refused(partial(platform.reports.update, made.id, changes))
            assert again.status == 422
        assert platform.reports.get(made.id).version == 1, members


def test_the_format_follows_from_the_content(report: MakeReport) -> None:
    cases: list[tuple[Any, str]] = [
        ({"columns": [{"field": "name"}]}, "tabular"),
        ({"groups": [{"field": "source"}]}, "summary"),
        ({"measures": [COUNT]}, "summary"),
        ({"groups": [{"field": "source"}], "across": [{"field": "status"}]}, "matrix"),
    ]
    for members, format in cases:
        made = report(**members)
        assert (made.format, made.visibility, made.run_count, made.owner_id) == (format, "private", 0, "user_ada"), (
            members
        )
        assert [m.function for m in made.measures] == ([] if format == "tabular" else ["count"]), members


# -- the data --------------------------------------------------------------------------------------------------------


def test_a_table_has_the_records_page_by_page(platform: CrmClient, report: MakeReport, leads: list[str]) -> None:
    made = report(sort=[{"key": "value", "order": "desc"}])
    run = platform.reports.run(made.id, limit=2)
    assert run.data is not None and (run.status, run.trigger, run.row_count, run.truncated) == (
        "succeeded", "manual", 5, False,
    )  # fmt: skip
    assert [row[1] for row in run.data.rows] == [7000, Decimal("1200.5")] and run.data.has_next
    assert [(c.key, c.label, c.type, c.format) for c in run.data.columns] == [
        ("name", "Who", "text", "text"), ("value", "Value", "number", "currency"),
    ]  # fmt: skip
    last = platform.reports.data(made.id, page=3, limit=2)
    assert ([row[1] for row in last.rows], last.has_next, last.run_id, last.row_count) == ([41], False, run.id, 5)
    platform.leads.delete(leads[3])
    assert platform.reports.data(made.id).row_count == 5, "a run stays as it was"
    fresh = platform.reports.data(made.id, fresh=True)
    assert fresh.row_count == 4 and platform.reports.data(made.id, run_id=run.id).row_count == 5
    after = platform.reports.get(made.id)
    assert (after.run_count, after.version) == (2, 1) and after.last_run_at == fresh.generated_at
    short = platform.reports.data(report(row_limit=2, sort=[{"key": "name"}]).id)
    assert ([row[0] for row in short.rows], short.truncated, short.row_count) == (["Lead 0", "Lead 1"], True, 2)


def test_sums_agree_however_they_are_grouped(platform: CrmClient, report: MakeReport) -> None:
    cells: dict[tuple[str, str], Decimal] = {}
    for source, status, value in PEOPLE:
        cells[source, status] = cells.get((source, status), Decimal()) + Decimal(value)
    groups: Any = [{"field": "source"}, {"field": "status"}]
    nested = platform.reports.data(report(groups=groups, measures=[SUM, COUNT]).id)
    assert {key: values[0] for key, values in leaves(nested).items()} == cells
    subtotals = {row.keys[0]: (row.values[0], row.count, row.level) for row in nested.groups if row.subtotal}
    assert subtotals == {"website": (Decimal("1599.75"), 3, 1), "referral": (7041, 2, 1)}
    assert nested.totals == [Decimal("8640.75"), 5] and nested.rows == []
    grid = platform.reports.data(report(groups=groups[:1], across=groups[1:], measures=[SUM]).id)
    assert grid.across_keys == [["contacted"], ["new"]]
    for (source,), values in leaves(grid).items():
        assert values == [cells[source, "contacted"], cells[source, "new"]]
    assert grid.totals == [341, Decimal("8299.75")]


def test_measures(platform: CrmClient, report: MakeReport) -> None:
    cases: list[tuple[str, list[Any]]] = [
        ("sum", [7041, Decimal("1599.75")]),
        ("avg", [Decimal("3520.5"), Decimal("533.25")]),
        ("median", [Decimal("3520.5"), 300]),
        ("min", [41, Decimal("99.25")]),
        ("max", [7000, Decimal("1200.5")]),
        ("count_distinct", [2, 3]),
    ]
    for function, values in cases:
        made = report(groups=[{"field": "source"}], measures=[{"field": "value", "function": function}])
        found = leaves(platform.reports.data(made.id))
        assert [found["referral",][0], found["website",][0]] == values, function


def test_a_measure_has_the_type_and_format_of_its_field_and_counts_are_numbers(
    platform: CrmClient, report: MakeReport
) -> None:
    cases: list[tuple[Any, tuple[str, ...]]] = [
        ({"function": "count"}, ("count", "Count", "number", "number")),
        (
            {"function": "count_distinct", "field": "created_at"},
            ("count_distinct_created_at", "Count distinct created at", "number", "number"),
        ),
        ({"function": "sum", "field": "value"}, ("sum_value", "Sum value", "number", "currency")),
        ({"function": "avg", "field": "score", "label": "Mean"}, ("avg_score", "Mean", "number", "number")),
        ({"function": "min", "field": "created_at"}, ("min_created_at", "Min created at", "date", "datetime")),
    ]
    for measure, column in cases:
        made = report(groups=[{"field": "source"}], measures=[measure])
        columns = [(one.key, one.label, one.type, one.format) for one in platform.reports.data(made.id).columns]
        assert columns == [("source", "Source", "text", "text"), column], measure


def test_groups_are_sorted(platform: CrmClient, report: MakeReport) -> None:
    cases: list[tuple[Any, list[str]]] = [
        ([], ["referral", "website"]),
        ([{"key": "source", "order": "desc"}], ["website", "referral"]),
        ([{"key": "sum_value"}], ["website", "referral"]),
        ([{"key": "sumValue", "order": "desc"}], ["referral", "website"]),
    ]
    for sort, order in cases:
        made = report(groups=[{"field": "source"}], measures=[SUM], sort=sort)
        assert [row.keys[0] for row in platform.reports.data(made.id).groups] == order, sort


def test_what_has_no_value_is_a_group_of_its_own(platform: CrmClient, report: MakeReport) -> None:
    platform.leads.create({"name": "Nobody's", "campaign": "camp", "owner_id": None})
    found = platform.reports.data(report(groups=[{"field": "owner_id"}], measures=[COUNT, SUM]).id)
    assert [row.labels[0] for row in found.groups][-1] == "No value" and found.groups[-1].keys == [None]
    assert set(found.groups[-1].labels) == {"No value"} and found.groups[0].labels != [found.groups[0].keys[0]]
    assert found.groups[-1].values == [1, 0]


def test_fields_one_step_away_and_periods(
    platform: CrmClient, report: MakeReport, leads: list[str], stub: StubServer
) -> None:
    for lead_id in leads:
        platform.leads.update(lead_id, {"owner_id": "user_sam" if lead_id == leads[0] else "user_mia"})
    made = report(groups=[{"field": "owner.name"}, {"field": "createdAt", "interval": "quarter"}], measures=[COUNT])
    assert leaves(platform.reports.data(made.id)) == {
        ("Mia Ferrández", "2026-Q1"): [4], ("Sam Okonkwo", "2026-Q1"): [1],
    }  # fmt: skip
    users = stub.store.collection("tenant_acme", "user")
    sam = users.get("user_sam")
    assert sam is not None
    users.put(sam | {"deleted_at": stub.clock.now()})
    gone = leaves(platform.reports.data(made.id, fresh=True))
    assert ("Sam Okonkwo", "2026-Q1") in gone, "who was deleted is still called by name"
    for preset, rows in (("today", 5), ("last_7_days", 5), ("this_quarter", 5), ("last_year", 0), ("last_month", 0)):
        assert platform.reports.data(report(date_range={"preset": preset}).id).row_count == rows, preset
    ahead: Any = {"start_date": date(2026, 1, 16)}
    assert platform.reports.data(report(date_range=ahead).id).row_count == 0


def test_sums_are_in_the_currency_of_the_company(platform: CrmClient, report: MakeReport) -> None:
    for value, currency in ((100, "EUR"), (50, "USD")):
        platform.deals.create({"title": "Exchanged", "value": value, "currency": currency})
    titled: Any = [{"filters": [{"field": "title", "op": "eq", "value": "Exchanged"}]}]
    found = platform.reports.data(report(entity_type="deal", filter_groups=titled, measures=[SUM]).id)
    assert (found.totals, found.currency) == ([158], "USD")


def test_every_type_of_record_can_be_reported(platform: CrmClient, report: MakeReport) -> None:
    cases: list[str] = ["contact", "lead", "deal", "account", "activity", "pipeline", "report", "dashboard"]
    for kind in cases:
        made = report(entity_type=kind, filter_groups=[], columns=[{"field": "id"}, {"field": "created_at"}])
        total = int(getattr(platform, {"activity": "activities"}.get(kind, f"{kind}s")).list(limit=1).total)
        assert platform.reports.data(made.id).row_count == total > 0, kind


def test_custom_objects_can_be_reported(platform: CrmClient, stub: StubServer) -> None:
    fields: Any = [
        {"api_name": "grade", "label": "Grade", "type": "select", "options": [
            {"value": "a", "label": "A"}, {"value": "b", "label": "B"}]},
        {"api_name": "price", "label": "Price", "type": "currency"},
        {"api_name": "buyer", "label": "Buyer", "type": "reference", "reference_to": "contact"},
    ]  # fmt: skip
    made = platform.custom_objects.create(
        {"api_name": "boat", "label": "Boat", "plural_label": "Boats", "fields": fields}
    )
    buyer = platform.contacts.create({"name": "Ann Noun"})
    for name, grade, price in (("One", "a", 10), ("Two", "b", 5), ("Three", "a", 7)):
        values: Any = {"name": name, "grade": grade, "price": price, "buyer": buyer.id}
        platform.custom_objects.records.create(made.id, {"fields": values})
    dear: Any = [{"filters": [{"field": "price", "op": "gte", "value": 6}]}]
    body: Any = {"name": "Boats", "entity_type": "boat", "filter_groups": dear, "groups": [{"field": "grade"}]}
    report = platform.reports.create(
        body | {"measures": [{"function": "sum", "field": "price"}], "sort": [{"key": "sum_price"}]}
    )
    assert leaves(platform.reports.data(report.id)) == {("a",): [17]}
    columns: Any = [{"field": "name"}, {"field": "fields.price"}, {"field": "buyer.name"}, {"field": "owner.name"}]
    table: Any = {"name": "List", "entity_type": "boat", "columns": columns, "sort": [{"key": "price"}]}
    rows = platform.reports.data(platform.reports.create(table).id).rows
    assert rows == [
        [name, price, "Ann Noun", "Ada Lindqvist"] for name, price in (("Two", 5), ("Three", 7), ("One", 10))
    ]
    objects = stub.store.collection("tenant_acme", "custom_object")
    doc = objects.get(made.id)
    assert doc is not None
    objects.put(doc | {"active": False})
    error = refused(lambda: platform.reports.run(report.id))
    assert (error.status, error.code, error.details["fields"]) == (409, "REPORT_BROKEN", ["boat"])


def test_a_private_event_stays_private_in_reports(platform: CrmClient, sam: CrmClient, stub: StubServer) -> None:
    at = stub.clock.now()
    secret: Any = {"title": "Secret", "start_time": at, "end_time": at + timedelta(hours=1), "visibility": "private"}
    made = platform.activities.events.create(secret)
    body: Any = {"name": "All", "entity_type": "activity", "columns": [{"field": "title"}], "visibility": "tenant"}
    body["filter_groups"] = [{"filters": [{"field": "id", "op": "eq", "value": made.id}]}]
    shared = platform.reports.create(body)
    assert platform.reports.data(shared.id).rows == [["Secret"]]
    assert sam.reports.data(shared.id).rows in ([], [[None]])


def test_parameters_fill_the_filters(platform: CrmClient, report: MakeReport) -> None:
    asked: Any = [{"filters": [*CAMPAIGN[0]["filters"], {"field": "value", "op": "gte", "value": "{{least}}"},
                               {"field": "source", "op": "eq", "value": "{{source}}"}]}]  # fmt: skip
    named: Any = [{"name": "least", "type": "number", "required": True}, {"name": "source", "type": "text"}]
    made = report(filter_groups=asked, parameters=named)
    error = refused(lambda: platform.reports.run(made.id))
    assert (error.status, error.code, error.fields[0].field) == (422, "MISSING_PARAMETER", "parameters.least")
    assert platform.reports.run(made.id, parameters={"least": 300}).row_count == 3
    run = platform.reports.run(made.id, parameters={"least": 300, "source": "referral"})
    assert (run.row_count, run.parameters) == (1, {"least": 300, "source": "referral"})
    assert refused(lambda: platform.reports.run(made.id, parameters={"most": 1})).fields[0].rule == "unknown"
    assert platform.reports.data(made.id).run_id == run.id


def test_a_field_that_is_gone_breaks_a_report(platform: CrmClient, report: MakeReport, stub: StubServer) -> None:
    made = report()
    reports = stub.store.collection("tenant_acme", "report")
    doc = reports.get(made.id)
    assert doc is not None
    reports.put(doc | {"columns": [{"field": "shoe_size"}]})
    error = refused(lambda: platform.reports.run(made.id))
    assert (error.status, error.code, error.details["fields"]) == (409, "REPORT_BROKEN", ["shoe_size"])


@settings(max_examples=portion(20))
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["a", "b", None]), st.sampled_from(["x", "y"]), st.integers(0, 10**9)), max_size=12
    )
)
def test_totals_are_those_of_the_groups(shared: StubServer, rows: list[tuple[str | None, str, int]]) -> None:
    start = shared.snapshot()
    platform = shared.client(dialects="platform")
    for company, title, value in rows:
        platform.leads.create({"name": "L", "campaign": "sums", "company": company, "title": title, "value": value})
    body: Any = {"name": "Sums", "entity_type": "lead", "measures": [SUM, COUNT], "groups": [{"field": "company"}],
                 "across": [{"field": "title"}],
                 "filter_groups": [{"filters": [{"field": "campaign", "op": "eq", "value": "sums"}]}]}  # fmt: skip
    found = platform.reports.data(platform.reports.create(body).id)
    shared.restore(start)
    for place, total in enumerate(found.totals):
        assert sum(Decimal(str(row.values[place])) for row in found.groups) == Decimal(str(total))
    assert sum(Decimal(str(total)) for total in found.totals[0::2]) == sum(value for _, _, value in rows)
    assert sum(row.count for row in found.groups) == len(rows) == found.row_count
