"""Reports and who sees them, their runs by two doors, and schedules that keep to the clock."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from newcomers import signed_in
from refusals import refused
from stub_data import stored

from crm_sdk import CrmClient
from crm_sdk.models import ReportData
from server_stub import StubServer

from .conftest import MakeReport, Wait

# -- who sees it -----------------------------------------------------------------------------------------------------


def test_reports_are_shared_as_their_owner_says(
    platform: CrmClient, sam: CrmClient, globex: CrmClient, report: MakeReport, stub: StubServer
) -> None:
    made = report()
    users = stub.store.collection("tenant_acme", "user")
    for visibility, seen in (("private", False), ("team", True), ("tenant", True), ("private", False)):
        platform.reports.update(made.id, {"visibility": visibility})
        listed = [one.id for one in sam.reports.list(search="Report")]
        assert (made.id in listed) is seen, visibility
        for call in (sam.reports.get, sam.reports.run, sam.reports.data):
            if seen:
                assert call(made.id) is not None
            else:
                assert refused(partial(call, made.id)).status == 404
        assert refused(lambda: sam.reports.update(made.id, {"name": "Mine"})).status == (403 if seen else 404)
        assert refused(lambda: globex.reports.get(made.id)).status == 404
    user = users.get("user_sam")
    assert user is not None
    users.put(user | {"team_ids": []})
    platform.reports.update(made.id, {"visibility": "team"})
    assert refused(lambda: sam.reports.get(made.id)).status == 404, "of no team with the owner"


def test_each_sees_the_runs_of_their_own(platform: CrmClient, sam: CrmClient, report: MakeReport) -> None:
    made = report(visibility="tenant")
    mine = platform.reports.run(made.id)
    theirs = sam.reports.data(made.id)
    assert theirs.run_id != mine.id and platform.reports.data(made.id).run_id == mine.id
    assert refused(lambda: sam.reports.data(made.id, run_id=mine.id)).status == 404
    other = report()
    assert refused(lambda: platform.reports.data(other.id, run_id=mine.id)).status == 404


def test_a_report_on_a_dashboard_stays(platform: CrmClient, report: MakeReport) -> None:
    made = report()
    board = platform.dashboards.create(
        {"name": "Board", "widgets": [{"title": "W", "type": "table", "source": {"report_id": made.id}}]}
    )
    error = refused(lambda: platform.reports.delete(made.id))
    assert (error.status, error.code, error.details["dashboardIds"]) == (409, "REPORT_IN_USE", [board.id])
    platform.dashboards.delete(board.id)
    platform.reports.delete(made.id)
    assert refused(lambda: platform.reports.get(made.id)).status == 404


# -- two doors -------------------------------------------------------------------------------------------------------


def test_both_doors_lead_to_the_same_reports(platform: CrmClient, stub: StubServer, leads: list[str]) -> None:
    door = platform.analytics.reports
    made = door.create({"name": "Door", "entity_type": "lead", "columns": [{"field": "name"}]})
    assert door.get(made.id) == platform.reports.get(made.id)
    run = door.run(made.id, limit=1)
    assert platform.reports.data(made.id, limit=1) == door.data(made.id, limit=1) == run.data
    timed = door.schedules.create(made.id, {"schedule": {"frequency": "daily"}, "recipients": ["user_ada"]})
    assert [one.id for one in platform.reports.schedules.list(made.id)] == [timed.id]
    platform.reports.schedules.delete(made.id, timed.id)
    platform.reports.update(made.id, {"description": "x"})
    platform.reports.delete(made.id)
    deeds = [entry["action"] for entry in stub.audit() if entry["entity"]["id"] == made.id]
    assert deeds == [f"report.{verb}" for verb in (
        "created", "run_completed", "scheduled", "unscheduled", "updated", "deleted",
    )]  # fmt: skip
    told = next(entry for entry in stub.audit() if entry["action"] == "report.run_completed")
    assert told["metadata"] == {"run_id": run.id}


def test_the_async_client_runs_reports(stub: StubServer, platform: CrmClient, report: MakeReport) -> None:
    made = report()

    async def read() -> ReportData | None:
        async with stub.async_client(dialects="platform") as crm:
            return (await crm.analytics.reports.run(made.id)).data

    assert asyncio.run(read()) == platform.reports.data(made.id)


# -- schedules -------------------------------------------------------------------------------------------------------


def test_schedules_that_are_refused(platform: CrmClient, report: MakeReport) -> None:
    cases_0: list[str] = ["reports", "analytics"]
    cases_1: list[tuple[Any, str, str]] = [
        ({"schedule": {"frequency": "cron", "cron": "99 * * * *"}}, "INVALID_SCHEDULE", "schedule.cron"),
        ({"schedule": {"frequency": "once"}}, "INVALID_SCHEDULE", "schedule.start_date"),
        ({"recipients": ["user_sam"]}, "RECIPIENT_NO_ACCESS", "recipients.0"),
        ({"recipients": ["user_nobody"]}, "REFERENCE_NOT_FOUND", "recipients.0"),
        ({"recipients": ["not@an-address"]}, "VALIDATION_ERROR", "recipients.0"),
        ({"parameters": {"least": 1}}, "VALIDATION_ERROR", "parameters.least"),
    ]
    for door in cases_0:
        for members, code, field in cases_1:
            made = report()
            schedules = platform.reports.schedules if door == "reports" else platform.analytics.reports.schedules
            given: Any = {"schedule": {"frequency": "daily"}, "recipients": ["user_ada"], **members}
            error = refused(partial(schedules.create, made.id, given))
            assert (error.status, error.code, error.fields[0].field) == (422, code, field), door
            assert platform.reports.get(made.id).schedule_count == 0, door


def test_a_schedule_needs_a_report_that_one_sees(platform: CrmClient, sam: CrmClient, report: MakeReport) -> None:
    made, given = report(), {"schedule": {"frequency": "daily"}, "recipients": ["boss@example.com"]}
    body: Any = given
    for crm, its in ((platform, "report_nobody"), (sam, made.id)):
        error = refused(partial(crm.analytics.reports.schedules.create, its, body))
        assert (error.status, error.code, error.fields[0].field) == (422, "REFERENCE_NOT_FOUND", "report_id")
        assert refused(partial(crm.reports.schedules.create, its, body)).status == 404
    platform.reports.update(made.id, {"visibility": "tenant"})
    assert refused(lambda: sam.reports.schedules.create(made.id, body)).status == 403
    for _ in range(10):
        platform.reports.schedules.create(made.id, body)
    error = refused(lambda: platform.reports.schedules.create(made.id, body))
    assert (error.status, error.code) == (409, "SCHEDULE_LIMIT")
    assert platform.reports.get(made.id).schedule_count == 10


@pytest.mark.thorough
def test_a_leap_of_the_clock_makes_up_for_the_last_day_of_an_hourly_schedule(
    platform: CrmClient, report: MakeReport, wait: Wait
) -> None:
    made = report(row_limit=1)
    given: Any = {"schedule": {"frequency": "hourly"}, "recipients": ["boss@example.com"]}
    platform.reports.schedules.create(made.id, given)
    wait(3)
    after = platform.reports.get(made.id)
    assert after.run_count == 25 and after.last_run_at is not None
    (timed,) = platform.reports.schedules.list(made.id)
    assert timed.next_run_at == after.last_run_at + timedelta(hours=1)


@pytest.mark.thorough
def test_a_schedule_runs_on_the_clock(
    platform: CrmClient, sam: CrmClient, report: MakeReport, stub: StubServer, wait: Wait
) -> None:
    made = report(visibility="tenant")
    given: Any = {"schedule": {"frequency": "daily", "at": "06:30"}, "recipients": ["user_sam", "boss@example.com"]}
    timed = platform.reports.schedules.create(made.id, given)
    off = platform.reports.schedules.create(made.id, given | {"enabled": False})
    empty = report(filter_groups=[{"filters": [{"field": "name", "op": "eq", "value": "nobody"}]}])
    quiet = platform.reports.schedules.create(empty.id, given | {"recipients": ["user_ada"], "only_if_rows": True})
    assert timed.next_run_at is not None and timed.next_run_at.isoformat() == "2026-01-15T11:30:00+00:00"
    assert off.next_run_at is None
    wait(0.2)
    (after,) = platform.reports.schedules.list(made.id, enabled=True)
    assert (after.last_status, after.last_run_at) == ("succeeded", timed.next_run_at)
    assert after.next_run_at == timed.next_run_at + timedelta(days=1)
    assert platform.reports.data(made.id).run_id == after.last_run_id, "it ran as who scheduled it"
    titles = [one.title for one in stub.client(api_key="acme-sales", dialects="mvp").notifications.list()]
    assert "Report ready: Report" in titles
    (skipped,) = platform.reports.schedules.list(empty.id)
    assert (skipped.id, skipped.last_status) == (quiet.id, "skipped")
    runs = [entry for entry in stub.audit() if entry["action"] == "report.run_completed"]
    assert [entry["actor"]["id"] for entry in runs] == ["user_ada", "user_ada"]
    platform.reports.delete(made.id)
    wait(2)
    assert len([e for e in stub.audit() if e["action"] == "report.run_completed" and e["entity"]["id"] == made.id]) == 1


def test_a_schedule_of_a_key_without_a_user_fails_and_goes_on(
    platform: CrmClient, report: MakeReport, stub: StubServer, wait: Wait
) -> None:
    made = report()
    body: Any = {"schedule": {"frequency": "daily", "at": "06:30"}, "recipients": ["boss@example.com"]}
    timed = platform.reports.schedules.create(made.id, body)
    stored(stub, "schedule", timed.id, runs_as=None)
    wait(0.2)
    (after,) = platform.reports.schedules.list(made.id)
    assert (after.last_status, after.last_run_at, after.last_run_id) == ("failed", timed.next_run_at, None)
    assert timed.next_run_at is not None and after.next_run_at == timed.next_run_at + timedelta(days=1)
    assert platform.reports.get(made.id).run_count == 0
    assert not stub.store.collection("tenant_acme", "notification").find("recipient", "boss@example.com")


def test_a_report_is_of_what_its_reader_may_read(platform: CrmClient, stub: StubServer, report: MakeReport) -> None:
    made = report(visibility="tenant", groups=[{"field": "created_at", "interval": "day"}])
    may: Any = [{"resource": "reports", "action": action, "scope": "all"} for action in ("read", "create", "update")]
    key = platform.security.roles.create({"key": "figures", "name": "F", "permissions": may}).key
    reader = signed_in(stub, platform, key)[1]
    error = refused(lambda: reader.reports.run(made.id))
    assert (error.status, error.code) == (403, "FORBIDDEN")


def test_a_report_of_nothing_has_no_periods(platform: CrmClient, report: MakeReport) -> None:
    nothing: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "none"}]}]
    groups: list[Any] = [{"field": "created_at", "interval": "day"}, {"field": "source"}]
    empty, other = (report(filter_groups=nothing, groups=[group]) for group in groups)
    widgets: Any = [{"title": "W", "type": "line", "source": {"report_id": one.id}} for one in (empty, other)]
    board = platform.dashboards.create({"name": "B", "widgets": widgets})
    shown = platform.dashboards.data(board.id).widgets
    assert [(one.series, one.error) for one in shown] == [([], None), (None, None)]
    for one in shown:
        assert one.table is not None
        assert (one.table.groups, one.table.row_count, one.table.totals) == ([], 0, [0])
