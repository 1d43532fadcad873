"""Compliance: what frameworks ask for, measured by the data; and the export of the trail and its reports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from pypdf import PdfReader
from refusals import refused
from stub_data import idle, some, stored

from crm_sdk import CrmClient, JobFailedError
from crm_sdk.models import ComplianceControl, ComplianceReport
from server_stub import StubServer

FRAMEWORKS = ("gdpr", "soc2", "hipaa", "iso27001")


def control(report: ComplianceReport, name: str) -> ComplianceControl:
    (found,) = [one for one in report.controls if one.id == f"{report.framework}.{name}"]
    return found


def measured(client: CrmClient, name: str, framework: str = "gdpr") -> ComplianceControl:
    return control(client.audit.reports.compliance(framework=framework), name)


@pytest.mark.parametrize("framework", FRAMEWORKS)
def test_the_status_follows_from_the_controls(platform: CrmClient, framework: str) -> None:
    report = platform.audit.reports.compliance(framework=framework)
    counts = {word: [one.status for one in report.controls].count(word) for word in ("pass", "warning", "fail")}
    assert report.summary == counts and sum(counts.values()) == len(report.controls) >= 6
    wanted = "non_compliant" if counts["fail"] else "attention" if counts["warning"] else "compliant"
    assert report.status == wanted and report.chain_valid
    assert len({one.id for one in report.controls}) == len(report.controls)
    assert all(one.title and one.measured and one.expected for one in report.controls)


def test_an_unknown_framework_is_refused(platform: CrmClient) -> None:
    assert refused(lambda: platform.audit.reports.compliance(framework="feng-shui")).status == 422


def test_second_factors_are_counted(stub: StubServer, platform: CrmClient) -> None:
    users = [user["id"] for user in stub.store.collection("tenant_acme", "user") if user["status"] == "active"]
    for number, id in enumerate(users):
        stored(stub, "user", id, mfa_enabled=number > 0)
    found = measured(platform, "mfa")
    assert found.measured.startswith(f"{len(users) - 1} of {len(users)} active users")
    assert [ref.id for ref in found.findings] == users[:1] and found.status != "pass"
    stored(stub, "user", users[0], mfa_enabled=True)
    assert measured(platform, "mfa").status == "pass"


def test_unused_access_is_found(stub: StubServer, platform: CrmClient) -> None:
    assert measured(platform, "unused_access").status == "pass"
    idle(stub).clock.advance(91 * 86_400)
    late = measured(platform, "unused_access")
    assert late.status == "warning" and late.findings
    stored(stub, "user", "user_sam", status="inactive")  # whose key still works
    gone = measured(platform, "unused_access")
    assert (gone.status, gone.findings[0].id) == ("fail", "user_sam")


@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"after": timedelta(days=30)}, "pass"),
        ({"after": timedelta(days=30, seconds=1)}, "fail"),
        ({"status": "failed", "after": timedelta(days=1)}, "warning"),
        ({"status": "queued", "after": None}, "fail"),
    ],
)
def test_requests_of_persons_are_carried_out_in_time(
    stub: StubServer, platform: CrmClient, members: dict[str, Any], status: str
) -> None:
    job = platform.privacy.export({"email": "nobody@x.example"})
    job.wait()
    assert measured(platform, "erasure").status == "pass"
    after = members.pop("after")
    begun = stub.clock.now() - timedelta(days=40)
    stored(stub, "job", job.id, created_at=begun, finished_at=begun + after if after is not None else None, **members)
    found = measured(platform, "erasure")
    assert (found.status, [ref.id for ref in found.findings]) == (status, [job.id] if status != "pass" else [])


@pytest.mark.parametrize(("failures", "status"), [(4, "pass"), (5, "warning")])
def test_failed_sign_ins_are_watched(
    stub: StubServer, platform: CrmClient, manager: CrmClient, failures: int, status: str
) -> None:
    door = stub.client(dialects="flow", max_retries=0)
    for _ in range(failures):
        assert refused(lambda: door.auth.login("ada@acme.test", "Wrong-Horse-7!")).status == 401
    found = measured(platform, "failed_logins")
    assert (found.status, len(found.audit_ids)) == (status, failures)
    assert found.measured.startswith(f"{failures} failed")
    for_manager = measured(manager, "failed_logins")
    assert (for_manager.measured, for_manager.audit_ids) == (found.measured, [])  # the entries are for admins


def test_exports_are_watched(platform: CrmClient) -> None:
    assert measured(platform, "exports").status == "pass"
    platform.contacts.export().read()
    found = measured(platform, "exports")
    assert found.status == "warning" and [platform.audit.logs.get(id).action for id in found.audit_ids] == [
        "data.exported"
    ]


def test_retention_is_to_be_in_force(platform: CrmClient) -> None:
    assert measured(platform, "retention").status == "pass"
    assert measured(platform, "retention", "hipaa").status == "warning"  # the trail is to be kept for six years
    policies: Any = [policy.model_dump() for policy in platform.audit.retention_policies.list()]
    for policy in policies:
        policy["enabled"] = policy["entity_type"] != "session"
    platform.audit.retention_policies.update(policies)
    found = measured(platform, "retention")
    assert found.status == "warning" and [ref.name for ref in found.findings] == ["session"] and found.audit_ids
    platform.audit.retention_policies.update([])
    assert measured(platform, "retention").status == "fail"


@pytest.mark.parametrize(("framework", "days"), [("gdpr", 365), ("soc2", 365), ("iso27001", 365), ("hipaa", 2_190)])
def test_the_trail_is_to_be_kept_for_a_year_or_six(platform: CrmClient, framework: str, days: int) -> None:
    policies: Any = [policy.model_dump() for policy in platform.audit.retention_policies.list()]
    (trail,) = (policy for policy in policies if policy["entity_type"] == "audit_log")
    for kept, status in ((days, "pass"), (days - 1, "warning")):
        if kept >= 365:  # no policy deletes the trail sooner
            trail["retain_days"] = kept
            platform.audit.retention_policies.update(policies)
            found = measured(platform, "retention", framework)
            assert found.status == status and f"kept for {days:,} days" in found.expected
            assert [ref.name for ref in found.findings] == ([] if status == "pass" else ["audit_log"])


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("members", "status"),
    [
        ({"status": "succeeded"}, "pass"),
        ({"status": "failed"}, "warning"),
        ({"status": "running", "finished_at": None, "days": 31}, "fail"),
        ({"status": "running", "finished_at": None, "payload": {"dry_run": True}, "days": 31}, "pass"),
    ],
)
def test_requests_of_persons_are_to_be_answered_in_a_month(
    stub: StubServer, platform: CrmClient, members: Any, status: str
) -> None:
    days = members.pop("days", 0)
    job = platform.audit.data_purge("lead", before=stub.clock.now())
    jobs = stub.store.collection("tenant_acme", "job")
    never = {"kind": "privacy_erase", "due_at": stub.clock.now().replace(year=2099)}
    jobs.put(some(jobs.get(job.id)) | never | members)
    stub.clock.advance(days * 86_400)
    found = measured(platform, "erasure")
    assert found.status == status and [ref.id for ref in found.findings] == ([] if status == "pass" else [job.id])


def test_a_changed_trail_fails(stub: StubServer, platform: CrmClient) -> None:
    for name in ("One", "Two"):
        platform.leads.create({"name": name})
    entries = platform.audit.reports.compliance().entries_checked
    assert entries == len(stub.audit(reads=True)) and measured(platform, "chain").status == "pass"
    stored(stub, "audit", stub.audit()[0]["id"], severity="critical")
    report = platform.audit.reports.compliance()
    assert (report.chain_valid, control(report, "chain").status, report.status) == (False, "fail", "non_compliant")


# -- exports -----------------------------------------------------------------------------------------------------------


def exported(client: CrmClient, **given: Any) -> tuple[Any, bytes]:
    job = client.audit.reports.export(**given)
    result = job.wait()
    assert job.status_url == f"/reports/exports/{job.id}" and result is not None
    return result, client.files.download(result.file_id).read()


@pytest.fixture
def lead(platform: CrmClient) -> str:
    """A lead with a history."""
    id = platform.leads.create({"name": "=Ada", "status": "new"}).id
    platform.leads.update(id, {"status": "contacted"})
    platform.leads.get(id)
    return id


def test_the_trail_is_exported_whole_as_json_lines(platform: CrmClient, lead: str) -> None:
    entries = list(platform.audit.logs.list())
    result, content = exported(platform, format="jsonl")
    rows = [json.loads(line) for line in content.splitlines()]
    assert [row["id"] for row in rows] == [entry.id for entry in entries] and result.row_count == len(entries)
    assert rows[0] == json.loads(platform.request("GET", f"/v1/audit/logs/{rows[0]['id']}").content)["data"]
    last = list(platform.audit.logs.list(action="data.exported"))[-1]
    assert last.metadata["fileId"] == result.file_id and last.metadata["count"] == len(entries)


def test_each_report_is_exported_in_each_format(platform: CrmClient, lead: str) -> None:
    counts: dict[str, Callable[[], int | None]] = {
        "logs": lambda: platform.audit.logs.list(limit=1).total,
        "changes": lambda: platform.audit.reports.changes().total,
        "data_access": lambda: len(platform.audit.reports.data_access().rows),
        "compliance": lambda: len(platform.audit.reports.compliance().controls),
    }
    for report, counted in counts.items():
        count = counted()
        result, content = exported(platform, report=report)
        rows = list(csv.DictReader(io.StringIO(content.decode())))
        assert len(rows) == result.row_count == count and result.file_name.endswith(".csv"), report
        result, content = exported(platform, report=report, format="pdf")
        assert result.content_type == "application/pdf" and len(PdfReader(io.BytesIO(content)).pages) >= 1


def test_an_export_is_of_a_range_and_of_conditions(stub: StubServer, platform: CrmClient, lead: str) -> None:
    groups: Any = [{"filters": [{"field": "entity.id", "op": "eq", "value": lead}]}]
    _, content = exported(platform, filter_groups=groups)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    assert [row["action"] for row in rows] == ["lead.created", "lead.updated", "lead.read"]
    assert {row["entity.name"] for row in rows} == {"'=Ada"}  # no formula
    _, content = exported(platform, report="changes", filter_groups=groups)
    changed = [(row["field"], row["before"], row["after"]) for row in csv.DictReader(io.StringIO(content.decode()))]
    assert changed.count(("status", "new", "contacted")) == 1
    stub.clock.advance(2 * 86_400)
    today = stub.clock.now().date()
    assert exported(platform, filter_groups=groups, start_date=today)[0].row_count == 0


def test_a_cell_has_a_text_a_list_or_json(platform: CrmClient, lead: str) -> None:
    platform.leads.update(lead, {"tags": ["a", "b"], "address": {"city": "Bonn"}, "do_not_contact": True})
    groups: Any = [{"filters": [{"field": "entity.id", "op": "eq", "value": lead}]}]
    _, content = exported(platform, report="changes", filter_groups=groups)
    rows = list(csv.DictReader(io.StringIO(content.decode())))
    changed = {row["field"]: (row["before"], row["after"]) for row in rows}
    assert (changed["tags"], changed["doNotContact"]) == (("", "a; b"), ("no", "yes"))
    assert changed["address"] == ("", '{"city":"Bonn"}')
    _, content = exported(platform, filter_groups=groups)
    entries = list(csv.DictReader(io.StringIO(content.decode())))
    assert [bool(entry["changes"]) for entry in entries] == [True, True, False, True]
    assert {"field": "status", "before": "new", "after": "contacted"} in json.loads(entries[1]["changes"])
    assert {entry["metadata"] for entry in entries} == {""} and entries[0]["occurredAt"][-6:] == "-05:00"


def test_what_cannot_be_exported_is_refused(platform: CrmClient) -> None:
    def check(given: Any) -> None:
        assert refused(lambda: platform.audit.reports.export(**given)).status == 422

    cases: list[Any] = [
        {"format": "xlsx"},
        {"report": "gossip"},
        {"report": "compliance", "filter_groups": [{"filters": [{"field": "action", "op": "eq", "value": "x"}]}]},
        {"filter_groups": [{"filters": [{"field": "colour", "op": "eq", "value": "x"}]}]},
    ]
    for case in cases:
        check(case)


def test_a_pdf_has_an_end(stub: StubServer, platform: CrmClient, lead: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server_stub.services.reports.files.MOST_ROWS", 2)
    with pytest.raises(JobFailedError) as failed:
        platform.audit.reports.export(format="pdf").wait()
    assert failed.value.code == "TOO_MANY_ROWS"


def test_exports_are_for_admins(platform: CrmClient, manager: CrmClient) -> None:
    assert refused(lambda: manager.audit.reports.export()).code == "FORBIDDEN"
    job = platform.audit.reports.export()
    assert refused(lambda: manager.reports.exports.get(job.id)).status == 404
