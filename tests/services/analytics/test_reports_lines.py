"""The data of reports as lines with heads, and schedules as they are given, run and handed out."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused
from stub_data import some, stored

from crm_sdk import CrmClient
from server_stub import StubServer
from server_stub.services.reports.lines import Head, Line, conditions_of, heads_of, lines_of
from server_stub.services.reports.records import REPORTS
from server_stub.timetable import system_call

from .conftest import CAMPAIGN, MakeReport, Wait


def column(label: str, type: str = "number", format: str | None = None) -> dict[str, Any]:
    return {"label": label, "type": type, "format": format}


NAME, DAY, COUNT, SUM = (
    column("Name", "text"),
    column("Day", "date"),
    column("Count"),
    column("Sum", "number", "currency"),
)


def test_the_heads_of_columns_are_those_of_members_groups_and_measures() -> None:
    cases: list[tuple[Any, Any, Any, list[Head]]] = [
        (
            {"format": "tabular", "groups": None, "across": None},
            [NAME, SUM, DAY],
            [],
            [Head("Name", "text", "text"), Head("Sum", "number", "currency"), Head("Day", "date", "date")],
        ),
        (
            {"format": "tabular", "groups": [1], "across": [2]},
            [DAY, NAME],
            [],
            [Head("Day", "date", "date"), Head("Name", "text", "text")],
        ),
        (
            {"format": "summary", "groups": [1, 2], "across": [3]},
            [NAME, DAY, COUNT, SUM],
            [],
            [
                Head("Name", "text", "text"),
                Head("Day", "text", "date"),
                Head("Count", "number", "number"),
                Head("Sum", "number", "currency"),
            ],
        ),
        (
            {"format": "matrix", "groups": [1], "across": [2]},
            [NAME, DAY, COUNT, SUM],
            [["May"], ["June", "x"]],
            [
                Head("Name", "text", "text"),
                Head("May: Count", "number", "number"),
                Head("May: Sum", "number", "currency"),
                Head("June / x: Count", "number", "number"),
                Head("June / x: Sum", "number", "currency"),
            ],
        ),
        (
            {"format": "matrix", "groups": [1], "across": [2]},
            [NAME, DAY, COUNT],
            [["May"], ["June", "x"]],
            [Head("Name", "text", "text"), Head("May", "number", "number"), Head("June / x", "number", "number")],
        ),
        (
            {"format": "matrix", "groups": [1], "across": None},
            [NAME, COUNT],
            [],
            [Head("Name", "text", "text"), Head("Count", "number", "number")],
        ),
    ]
    for report, columns, across, heads in cases:
        found = heads_of(report, {"columns": columns, "across_labels": across})
        assert found == heads, report
        assert [head.is_number for head in found] == [head.type == "number" for head in heads], report


def test_lines_are_records_or_groups_before_their_parts_and_the_totals_last() -> None:
    groups = [
        {"labels": ["a"], "values": [3], "subtotal": True, "level": 1},
        {"labels": ["a", "x"], "values": [2], "subtotal": False, "level": 2},
        {"labels": ["a", "y"], "values": [1], "subtotal": False, "level": 2},
    ]
    table: Any = {"format": "tabular", "groups": None}
    assert list(lines_of(table, {"rows": [[1, 2], [3, 4]], "groups": [], "totals": [7]})) == [
        Line("row", [1, 2], 1), Line("row", [3, 4], 1),
    ]  # fmt: skip
    content: Any = {"rows": [], "groups": groups, "totals": [3]}
    assert list(lines_of({"format": "summary", "groups": [1, 2]}, content)) == [
        Line("subtotal", ["a", None, 3], 1), Line("row", ["a", "x", 2], 2), Line("row", ["a", "y", 1], 2),
        Line("total", ["Total", None, 3], 1),
    ]  # fmt: skip
    assert list(lines_of({"format": "matrix", "groups": [1]}, {"rows": [], "groups": [], "totals": [3, 4]})) == [
        Line("total", ["Total", 3, 4])
    ]
    assert list(lines_of({"format": "summary", "groups": None}, {"rows": [], "groups": [], "totals": [9]})) == [
        Line("total", [9])
    ]


def test_what_records_are_limited_to_is_told_in_words() -> None:
    def told(parameters: Any = None, *groups: Any, days: Any = None) -> list[tuple[str, str, str]]:
        report = {"date_range": days, "date_field": "created_at", "filter_groups": [{"filters": one} for one in groups]}
        return list(conditions_of(report, parameters or {}))

    assert told() == []
    first, last = date(2026, 1, 1), date(2026, 1, 31)
    for days, said in (
        ({"start_date": first, "end_date": last}, "2026-01-01 – 2026-01-31"),
        ({"preset": "custom", "start_date": first, "end_date": None}, "2026-01-01 – …"),
        ({"preset": "custom", "end_date": last}, "… – 2026-01-31"),
        ({"preset": "this_month", "start_date": None}, "this_month"),
    ):
        assert told(days=days) == [("created_at", "within", said)]
    one, two = {"field": "a", "op": "eq", "value": 0}, {"field": "b", "op": "between", "value": 1, "high_value": 2}
    three = {"field": "c", "op": "in", "values": ["x", None, "y"]}
    assert told({"least": 5, "most": None, "none": 0}, [one, two], [three, one]) == [
        ("a", "eq", "0"), ("b", "between", "1, 2"), ("or c", "in", "x, y"), ("a", "eq", "0"),
        ("{{least}}", "is", "5"), ("{{most}}", "is", ""), ("{{none}}", "is", "0"),
    ]  # fmt: skip


# -- schedules ---------------------------------------------------------------------------------------------------------


def test_a_schedule_tells_each_recipient_once_and_hands_out_the_file(
    platform: CrmClient, report: MakeReport, stub: StubServer, wait: Wait
) -> None:
    made = report(visibility="tenant", name="Numbers / of today")
    given: Any = {
        "schedule": {"frequency": "daily", "at": "06:30"},
        "recipients": ["boss@example.com", "user_sam", "Boss@Example.com", "user_sam"],
    }
    timed = platform.reports.schedules.create(made.id, given)
    assert timed.recipients == ["boss@example.com", "user_sam"]
    wait(0.2)
    (after,) = platform.reports.schedules.list(made.id)
    at = some(timed.next_run_at)
    inbox = stub.store.collection("tenant_acme", "notification")
    (own,) = [one for one in inbox.find("user_id", "user_sam") if one["title"].startswith("Report ready")]
    assert own["title"] == "Report ready: Numbers / of today"
    (file,) = [one for one in platform.files.list(search="Numbers") if one.related_to]
    assert own["message"] == f"It ran on its schedule at 06:30: {file.name} is attached."
    said = {"reportId": made.id, "runId": after.last_run_id, "fileId": file.id}
    assert {name: own["metadata"][name] for name in said} == said
    assert some(file.related_to).id == made.id and some(file.expires_at) - at == timedelta(days=7)
    (mail,) = inbox.find("recipient", "boss@example.com")
    assert (mail["title"], mail["message"], mail["metadata"]) == (own["title"], own["message"], said)
    assert (mail["channel"], mail["category"], mail["delivery_status"], mail["attempts"]) == (
        "email", "transactional", "sent", 1,
    )  # fmt: skip
    (ran,) = [one for one in stub.store.collection("tenant_acme", "run") if one["report_id"] == made.id]
    assert (ran["trigger"], ran["schedule_id"], ran["user_id"], ran["row_count"]) == (
        "schedule", timed.id, "user_ada", 5,
    )  # fmt: skip


@pytest.mark.parametrize(("only_if_rows", "status"), [(True, "skipped"), (False, "succeeded")])
def test_a_report_without_records_is_told_of_unless_only_records_are_wanted(
    platform: CrmClient, report: MakeReport, stub: StubServer, wait: Wait, only_if_rows: bool, status: str
) -> None:
    empty = report(filter_groups=[{"filters": [{"field": "name", "op": "eq", "value": "nobody"}]}])
    full = report()
    for made in (empty, full):
        given: Any = {"schedule": {"frequency": "daily", "at": "06:30"}, "recipients": ["boss@example.com"],
                      "only_if_rows": only_if_rows}  # fmt: skip
        platform.reports.schedules.create(made.id, given)
    wait(0.2)
    found = {one.id: platform.reports.schedules.list(one.id).items[0] for one in (empty, full)}
    assert [found[one.id].last_status for one in (empty, full)] == [status, "succeeded"]
    assert all(one.last_run_id is not None for one in found.values())
    mails = stub.store.collection("tenant_acme", "notification").find("recipient", "boss@example.com")
    assert len(mails) == (1 if only_if_rows else 2)


def test_a_schedule_runs_as_somebody_who_may_still_see_the_report(
    platform: CrmClient, report: MakeReport, stub: StubServer, wait: Wait
) -> None:
    kinds: Any = {"schedule": {"frequency": "daily", "at": "06:30"}, "recipients": ["boss@example.com"]}
    broken = report(columns=[{"field": "name"}])
    timed = platform.reports.schedules.create(broken.id, kinds)
    stored(stub, "report", broken.id, filter_groups=[{"filters": [{"field": "nope", "op": "eq", "value": 1}]}])
    wait(0.2)
    (after,) = platform.reports.schedules.list(broken.id)
    assert (after.last_status, after.last_run_at, after.last_run_id) == ("failed", timed.next_run_at, None)
    assert not stub.store.collection("tenant_acme", "notification").find("recipient", "boss@example.com")


def test_who_reads_no_reports_is_no_recipient(platform: CrmClient, report: MakeReport) -> None:
    made = report(visibility="tenant")
    platform.security.roles.create(
        {"key": "few", "name": "Few", "permissions": [{"resource": "leads", "action": "read"}]}
    )
    few = platform.users.create(
        {"email": "few@acme.test", "name": "Few", "role": "few", "password": "Correct-Horse-7!"}
    )
    given: Any = {"schedule": {"frequency": "daily"}, "recipients": ["user_sam", few.id]}
    refusal = refused(lambda: platform.reports.schedules.create(made.id, given))
    assert (refusal.status, refusal.code, refusal.fields[0].field) == (422, "RECIPIENT_NO_ACCESS", "recipients.1")
    assert refusal.message == "Few may not see Report" and refusal.details == {"id": few.id}


# -- runs and their pages ----------------------------------------------------------------------------------------------


def test_pages_of_a_run_have_rows_and_say_whether_more_follow(platform: CrmClient, report: MakeReport) -> None:
    table = report()
    run = platform.reports.run(table.id, limit=2)
    data = some(run.data)
    assert (run.trigger, run.status, run.progress, run.row_count, run.schedule_id) == (
        "manual", "succeeded", 1.0, 5, None,
    )  # fmt: skip
    assert (len(data.rows), data.page, data.limit, data.has_next, data.run_id) == (2, 1, 2, True, run.id)
    for page, limit, count, more in (
        (2, 2, 2, True),
        (3, 2, 1, False),
        (1, 5, 5, False),
        (1, 4, 4, True),
        (9, 2, 0, False),
    ):
        found = platform.reports.data(table.id, page=page, limit=limit)
        assert (len(found.rows), found.page, found.has_next, found.run_id) == (count, page, more, run.id)
    assert platform.reports.data(table.id, fresh=True).run_id != run.id
    counted = platform.reports.get(table.id)
    assert (counted.run_count, counted.version) == (2, 1) and some(counted.last_run_at) > some(run.finished_at)
    groups = report(groups=[{"field": "source"}], measures=[{"function": "count"}])
    assert some(platform.reports.run(groups.id).data).limit == 50
    first = platform.reports.data(groups.id, limit=1)
    assert (len(first.groups), first.rows, first.has_next) == (1, [], True)


def test_a_widget_of_one_figure_of_a_report_without_numbers_is_how_many_there_are(
    platform: CrmClient, leads: list[str]
) -> None:
    for measure, value, unit in (
        ({"function": "sum", "field": "value"}, Decimal("8640.75"), "currency"),
        ({"function": "count"}, 5, "count"),
        ({"function": "max", "field": "created_at"}, 0, "count"),
    ):
        query: Any = {"entity_type": "lead", "filter_groups": CAMPAIGN, "measures": [measure]}
        for type in ("kpi", "gauge", "forecast", "table"):
            shown: Any = {"title": "W", "type": type, "source": {"query": query}}
            board = platform.dashboards.create({"name": "B", "widgets": [shown]})
            (found,) = platform.dashboards.data(board.id).widgets
            if type == "table":
                assert found.value is None
                continue
            figure: Any = some(found.value)
            assert (figure.value, figure.unit, figure.previous, figure.change_type) == (value, unit, None, "none")


def test_a_report_that_was_read_is_written_back_without_a_change(platform: CrmClient, report: MakeReport) -> None:
    for members in (
        {"columns": [{"field": "name"}, {"field": "value", "label": "V"}], "sort": [{"key": "name"}]},
        {"groups": [{"field": "source"}], "measures": [{"function": "count"}], "tags": ["a"]},
        {"groups": [{"field": "source"}], "parameters": [{"name": "p", "type": "text"}]},
    ):
        made = report(**members)
        raw = platform.request("GET", f"/v1/reports/{made.id}").json()["data"]
        names = ("columns", "groups", "measures", "sort", "parameters", "filterGroups", "format", "tags")
        for some_names in (names, names[:1], names[:3]):
            body = {name: raw[name] for name in some_names if raw[name]}
            back = platform.request("PUT", f"/v1/reports/{made.id}", json=body).json()["data"]
            assert (back["version"], back["updatedAt"]) == (1, raw["updatedAt"]), body


def test_cells_are_written_as_what_they_are(
    platform: CrmClient, report: MakeReport, leads: list[str], stub: StubServer
) -> None:
    """In CSV a list has commas, a truth is yes or no, a time is by the company's clock, and nothing is empty."""
    names = ("name", "tags", "do_not_contact", "created_at", "employees", "value", "company")
    at = datetime(2026, 1, 2, 3, 4, 5, 600, tzinfo=UTC)
    for number, id in enumerate(leads):
        tags, value = ["b", "a"][: 2 - number], Decimal("1E+3") if number else None
        stored(stub, "lead", id, tags=tags, do_not_contact=not number, created_at=at, employees=number, value=value)
    made = report(columns=[{"field": name} for name in names], sort=[{"key": "name"}])
    file = some(stub.store.collection("tenant_acme", "file").get(platform.reports.exports.csv(made.id).wait().file_id))
    rows = stub.contents.open(file["checksum"]).read().decode().splitlines()
    assert rows[:3] == [
        "Name,Tags,Do not contact,Created at,Employees,Value,Company",
        'Lead 0,"b, a",yes,2026-01-01T22:04:05-05:00,0,,',
        "Lead 1,b,no,2026-01-01T22:04:05-05:00,1,1000,",
    ]


def test_a_schedule_runs_as_who_changed_its_report_where_that_one_may_less(
    platform: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    """What a report shows is never read with more rights than those of who says what it shows."""
    made = report(visibility="tenant")
    schedule = platform.reports.schedules.create(
        made.id, {"schedule": {"frequency": "daily"}, "recipients": ["user_ada"]}
    )
    user, manager = signed_in(stub, platform, "manager")
    held: Any = [{"field": "name"}], [{"field": "company"}], [{"field": "value"}]

    def runs_as() -> str:
        return str(some(stub.store.collection("tenant_acme", "schedule").get(schedule.id))["runs_as"])

    assert runs_as() == "user_ada"
    manager.reports.update(made.id, {"description": "no other records", "name": "Other"})
    assert runs_as() == "user_ada"
    manager.reports.update(made.id, {"columns": held[0]})
    assert runs_as() == user.id
    platform.reports.update(made.id, {"columns": held[1]})
    assert runs_as() == user.id, "an admin may all that the manager may"
    stored(stub, "user", user.id, status="inactive")
    platform.reports.update(made.id, {"tags": ["x"]})
    assert runs_as() == user.id
    platform.reports.update(made.id, {"columns": held[2]})
    assert runs_as() == "user_ada", "the manager does not work any more"
    stored(stub, "schedule", schedule.id, runs_as=user.id)
    system, records = system_call(stub, "tenant_acme", stub.clock.now(), "test"), stub.store.collection
    REPORTS.change(system, some(records("tenant_acme", "report").get(made.id)), {"columns": held[0]})
    assert runs_as() == user.id, "the system is nobody to run as"


def test_a_schedule_goes_with_its_report_and_waits_for_its_owner(
    platform: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    made, other = report(name="Daily"), report(name="Gone")
    hourly: Any = {"schedule": {"frequency": "hourly"}, "recipients": ["boss@example.com"]}
    ids = [platform.reports.schedules.create(one.id, hourly).id for one in (made, other)]
    platform.reports.delete(other.id)
    schedules = stub.store.collection("tenant_acme", "schedule")
    assert schedules.get(ids[1]) is None and schedules.get(ids[0]) is not None
    user, _ = signed_in(stub, platform, "manager")
    stored(stub, "schedule", ids[0], runs_as=user.id)
    stored(stub, "user", user.id, status="inactive")
    stub.clock.advance(3_600)
    (after,) = platform.reports.schedules.list(made.id)
    assert (after.last_status, after.last_run_id, some(after.next_run_at) > some(after.last_run_at)) == (
        "skipped", None, True,
    )  # fmt: skip
    notes = stub.store.collection("tenant_acme", "notification").find("title", "Report skipped: Daily")
    assert {one["user_id"] for one in notes} == {"user_ada"} and [one["metadata"] for one in notes] == [
        {"scheduleId": ids[0]}
    ]
    text = "Daily did not run: the owner of its schedule is not active. Activate them, or delete the schedule."
    assert [one["message"] for one in notes] == [text]
    stored(stub, "schedule", ids[0], runs_as=None)
    stub.clock.advance(3_600)
    assert [one.last_status for one in platform.reports.schedules.list(made.id)] == ["failed"]


def test_a_sort_of_one_level_leaves_the_others_as_they_are(
    platform: CrmClient, report: MakeReport, leads: list[str]
) -> None:
    groups: Any = [{"field": "source"}, {"field": "status"}]
    for order, statuses in (("asc", ["contacted", "new"]), ("desc", ["new", "contacted"])):
        made = report(groups=groups, measures=[{"function": "count"}], sort=[{"key": "status", "order": order}])
        keys = [row.keys for row in platform.reports.data(made.id).groups if not row.subtotal]
        assert keys == [[source, status] for source in ("referral", "website") for status in statuses], order
