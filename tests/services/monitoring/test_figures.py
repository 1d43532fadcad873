"""What health checks say, the text for Prometheus, and the figures of states, incidents and recovery."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from backing_up import found as founded
from refusals import refused

from crm_sdk import CrmClient, __version__
from crm_sdk.models import HealthCheck
from server_stub import StubServer
from server_stub.data.document import Document
from server_stub.request.http import Request
from server_stub.request.meters import Minute
from server_stub.services.monitoring.services import STATES, indicator, state_of


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def check(crm: CrmClient, name: str, **options: Any) -> HealthCheck:
    (one,) = crm.monitoring.health(**options).checks[name]
    return one


def fail(stub: StubServer, crm: CrmClient, failures: int, good: int, service: str = "contacts") -> None:
    for _ in range(good):
        getattr(crm, service).list(limit=1)
    if failures:
        stub.faults.add("status", operation=f"{service}.list", times=failures)
    for _ in range(failures):
        assert refused(lambda: getattr(crm, service).list(limit=1)).status == 503


def test_what_health_says(stub: StubServer, acme: CrmClient) -> None:
    health = acme.monitoring.health()
    assert (health.version, health.release_id, health.service_id) == ("v1", __version__, "crm-stub")
    assert health.description and health.time == stub.clock.now()
    kinds = {name: (one.component_id, one.component_type, one.observed_unit) for name, (one,) in health.checks.items()}
    assert kinds == {
        "store:write": ("store", "datastore", "ms"),
        "search:pending": ("search", "component", "items"),
        "jobs:queued": ("jobs", "component", "items"),
        "webhooks:pending": ("webhooks", "component", "items"),
        "clock:skew": ("clock", "system", "s"),
        "storage:free": ("storage", "system", "%"),
    }
    assert 0 <= float(check(acme, "store:write").observed_value) < 10_000
    alive = check(acme, "process:alive", probe="live")
    assert (alive.component_id, alive.status, alive.observed_value, alive.output) == ("process", "pass", "yes", None)
    of_one = acme.monitoring.health(service="contacts")
    assert of_one.service_id == "contacts"
    (own,) = of_one.checks["contacts:errors"]
    assert (own.component_id, own.component_type, own.status, own.output) == ("contacts", "component", "pass", None)
    nobody = stub.client(api_key=None, dialects="platform").monitoring.health(service="contacts")
    assert "contacts:errors" not in nobody.checks


def test_health_of_one_service_says_the_part_that_failed(stub: StubServer, acme: CrmClient) -> None:
    for failures, good, status in ((0, 10, "pass"), (1, 9, "warn"), (20, 0, "fail")):
        fail(stub, acme, failures, good)
        own = check(acme, "contacts:errors", service="contacts")
        assert own.status == status
        assert own.output == (None if status == "pass" else "its requests fail")
        assert acme.monitoring.health(service="contacts").status == status
    assert str(own.observed_value) == "0.525"


def test_a_clock_that_was_moved(acme: CrmClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for seconds, status in ((0, "pass"), (300, "pass"), (300.001, "warn"), (-300, "pass"), (-300.001, "warn")):
        monkeypatch.setattr("server_stub.clock.Clock.skew", lambda clock, seconds=seconds: seconds + 0.0001)
        clock = check(acme, "clock:skew")
        assert (clock.status, clock.output) == (status, "the clock was moved" if status == "warn" else None)
        assert clock.observed_value == Decimal(str(seconds))


@pytest.mark.parametrize(
    ("name", "kind", "members", "most", "each"),
    [
        ("jobs:queued", "job", {"status": "queued", "kind": "import", "counts": {"total": 7}}, 100, 1),
        ("search:pending", "job", {"status": "queued", "kind": "reindex", "counts": {"total": 100}}, 1_000, 100),
        ("webhooks:pending", "webhook_delivery", {"status": "pending"}, 1_000, 1),
    ],
)
def test_what_waits_is_counted(
    stub: StubServer, acme: CrmClient, name: str, kind: str, members: Any, most: int, each: int
) -> None:
    records, ahead = stub.store.collection("tenant_acme", kind), stub.clock.now() + timedelta(days=1)
    before = int(check(acme, name).observed_value)
    count = (most - before) // each
    docs = [Document(members, id=f"x_{number}", due_at=ahead, created_at=ahead) for number in range(count)]
    for doc in docs:
        records.put(doc)
    full = check(acme, name)
    assert (full.observed_value, full.status, full.output) == (Decimal(most), "pass", None)
    records.put(docs[-1] | {"id": "x_more", "counts": {"total": 1}})
    over = check(acme, name)
    assert (over.observed_value, over.status, over.output) == (Decimal(most + 1), "warn", "more wait than usual")
    nobody = check(stub.client(api_key=None, dialects="platform"), name)
    assert (nobody.observed_value, nobody.status) == (Decimal(0), "pass")


def test_the_text_for_prometheus_line_by_line(stub: StubServer, acme: CrmClient) -> None:
    def text(query: str = "") -> list[str]:
        headers = {"authorization": "Bearer acme-admin", "accept": "text/plain"}
        reply = stub.handle(Request("GET", "/v1/monitoring/metrics", query, headers))
        assert reply.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
        return reply.body.decode().splitlines()

    acme.contacts.list(limit=1)
    acme.contacts.list(limit=1)
    lines = text("names=crm_requests_total&names=live_connections")
    assert lines[:2] == [
        "# HELP crm_requests_total Requests by operation and status",
        "# TYPE crm_requests_total counter",
    ]
    assert 'crm_requests_total{operation="contacts.list",status="200"} 2' in lines
    assert lines[-3:] == [
        "# HELP crm_live_connections Open live connections", "# TYPE crm_live_connections gauge",
        "crm_live_connections 0",
    ]  # fmt: skip
    taken = text("names=request_seconds")
    assert taken[:2] == [
        "# HELP crm_request_seconds How long requests took, in seconds", "# TYPE crm_request_seconds summary",
    ]  # fmt: skip
    names = [line.partition(" ")[0] for line in taken[2:]]
    assert names == [
        "crm_request_seconds_count", "crm_request_seconds_sum", *(
            f'crm_request_seconds{{quantile="{share}"}}' for share in ("0.5", "0.95", "0.99"))
    ]  # fmt: skip
    assert taken[2].partition(" ")[2] == "3"  # the two lists and the figures before
    families = {line.split()[2] for line in text() if line.startswith("# TYPE")}
    assert families == {
        f"crm_{name}" for name in (
            "requests_total", "request_seconds", "rate_limited_total", "records", "jobs", "events_total",
            "webhook_deliveries_total", "live_connections", "storage_bytes")
    }  # fmt: skip


def test_figures_of_files_events_and_time(stub: StubServer, acme: CrmClient) -> None:
    def figure(name: str, **labels: str) -> float:
        samples = acme.monitoring.metrics(names=[name]).samples
        return sum(float(one.value) for one in samples if one.labels == labels)

    before = figure("storage_bytes"), figure("events_total", event="contact.created"), figure("records", entity="file")
    acme.files.upload(("a.txt", b"12345"))
    acme.contacts.create({"name": "Eva"})
    acme.contacts.create({"name": "Eva"})
    after = figure("storage_bytes"), figure("events_total", event="contact.created"), figure("records", entity="file")
    assert [late - early for late, early in zip(after, before, strict=True)] == [5, 2, 1]
    samples = acme.monitoring.metrics(names=["request_seconds"]).samples
    assert [one.labels["stat"] for one in samples] == ["count", "sum", "p50", "p95", "p99"]
    assert {(one.name, one.kind) for one in samples} == {("request_seconds", "histogram")} and samples[0].help
    assert acme.monitoring.metrics().time == stub.clock.now()
    statuses = {one.labels["status"] for one in acme.monitoring.metrics(names=["webhook_deliveries_total"]).samples}
    assert statuses <= {"pending", "succeeded", "failed", "delivered"}
    kinds = {one.name: one.kind for one in acme.monitoring.metrics().samples}
    assert {kinds[name] for name in ("records", "jobs", "live_connections", "storage_bytes")} == {"gauge"}
    assert {kinds[name] for name in ("requests_total", "events_total")} == {"counter"}
    assert not [
        one for one in acme.monitoring.metrics(names=["events_total"]).samples if "." not in one.labels["event"]
    ]


@pytest.mark.parametrize(("services", "expected"), [(1, "major"), (2, "major"), (3, "critical")])
def test_three_outages_are_critical(stub: StubServer, acme: CrmClient, services: int, expected: str) -> None:
    for service in ("contacts", "leads", "deals")[:services]:
        fail(stub, acme, failures=10, good=0, service=service)
    assert acme.monitoring.status().indicator == expected
    assert acme.monitoring.status(service="accounts").indicator == "none"


def test_the_figures_of_a_service(stub: StubServer, acme: CrmClient) -> None:
    fail(stub, acme, failures=1, good=2)
    status = acme.monitoring.status(service="contacts")
    (one,) = status.services
    assert (one.service, one.requests, one.error_rate, one.since) == ("contacts", 3, 0.3333, stub.meters.start)
    assert one.p95_ms is not None and one.p95_ms >= 0
    (incident,) = status.incidents
    assert incident.id.startswith("incident_") and len(incident.id) == 25
    assert (incident.impact, incident.message) == ("major", "contacts: 1 of 3 requests failed")
    stub.clock.advance(60)
    fail(stub, acme, failures=1, good=20)
    stub.clock.advance(361)
    later = acme.monitoring.status(service="contacts")
    assert (later.services[0].requests, later.services[0].error_rate, later.services[0].p95_ms) == (0, 0, None)
    assert later.services[0].since == later.time - timedelta(minutes=5)
    (same,) = later.incidents
    assert (same.id, same.impact) == (incident.id, "major")
    assert acme.monitoring.status(service="leads").incidents == []
    assert refused(lambda: acme.monitoring.status(service="planets")).code == "NOT_FOUND"


def test_slow_answers_are_an_incident(stub: StubServer, acme: CrmClient) -> None:
    stub.faults.add("delay", seconds=0.25, operation="contacts.list", times=1)
    acme.contacts.list()
    (incident,) = acme.monitoring.status().incidents
    assert (incident.impact, incident.message) == ("minor", "contacts: requests took longer than usual")


def test_recovery_says_what_backups_and_drills_came_to(stub: StubServer) -> None:
    company = founded(stub, "Initech")
    none = company.crm.monitoring.status().recovery
    assert (none.last_backup_at, none.last_backup_ok, none.rpo_met, none.rpo_hours) == (None, None, False, 24)
    assert (none.last_drill_at, none.last_drill_ok, none.estimated_restore_seconds) == (None, None, None)
    made = company.backup(include=["configuration"])
    company.crm.jobs.cancel(company.crm.backups.create().id)
    fresh = company.crm.monitoring.status().recovery
    assert (fresh.last_backup_at, fresh.last_backup_ok, fresh.rpo_met) == (made.finished_at, True, True)
    merged = company.crm.backups.restore(made.id, mode="merge")
    merged.wait()
    after = company.crm.monitoring.status().recovery
    assert (after.last_drill_at, after.last_drill_ok, after.estimated_restore_seconds) == (None, None, 0)
    drill = company.crm.backups.restore(made.id)
    drill.wait()
    found = company.crm.monitoring.status().recovery
    assert (found.last_drill_at, found.last_drill_ok) == (company.crm.jobs.get(drill.id).finished_at, True)
    file = company.crm.backups.get(made.id).file_id or ""
    company.crm.files.delete(file)
    broken = company.crm.backups.restore(made.id)
    with pytest.raises(Exception, match="gone"):
        broken.wait()
    found = company.crm.monitoring.status().recovery
    assert (found.last_drill_at, found.last_drill_ok) == (company.crm.jobs.get(broken.id).finished_at, False)
    assert found.estimated_restore_seconds == 0


def test_the_state_that_requests_show() -> None:
    at = datetime(2026, 1, 15, tzinfo=UTC)
    cases: list[tuple[int, int, list[float], str]] = [
        (0, 0, [], "operational"), (0, 10, [], "operational"), (5, 10, [], "major_outage"),
        (5, 9, [], "partial_outage"),
        (4, 9, [], "partial_outage"), (49, 100, [], "partial_outage"), (50, 100, [], "major_outage"),
        (1, 10, [], "partial_outage"), (99, 1000, [], "degraded"), (1, 100, [], "degraded"),
        (1, 101, [], "operational"),
        (0, 1, [0.2], "operational"), (0, 1, [0.2001], "degraded"), (0, 20, [0.1] * 19 + [9.0], "operational"),
        (0, 20, [0.1] * 18 + [9.0] * 2, "degraded"),
    ]  # fmt: skip
    for failures, requests, durations, state in cases:
        minute = Minute(at)
        minute.requests, minute.failures = requests, failures
        minute.durations.extend(durations)
        assert state_of(minute) == state, (failures, requests)
    assert [indicator({"status": STATES[level]} for level in levels) for levels in (
        [], [0], [1], [2, 0], [3], [3, 3], [3, 3, 3], [1, 1, 1])] == [
        "none", "none", "minor", "minor", "major", "major", "critical", "minor"]  # fmt: skip


def test_records_are_counted_by_entity_and_those_of_the_company_alone(stub: StubServer, acme: CrmClient) -> None:
    samples = [one for one in acme.monitoring.metrics(names=["records"]).samples if one.name == "records"]
    counts = {one.labels["entity"]: int(one.value) for one in samples}
    assert [one.labels["entity"] for one in samples] == sorted(counts)
    assert not counts.keys() & {"app", "app_version", "record"}, "those of all companies, and of all custom objects"
    shown = {one.entity: one.record_count for one in acme.objects.list()}
    assert {name: counts[name] for name in shown if name in counts and name != "notification"} == {
        name: count for name, count in shown.items() if name in counts and name != "notification"
    }
    assert {"contact", "onboarding", "subscription"} <= counts.keys() & shown.keys()
    for kind in ("mention", "social_account", "api_key", "flag"):
        assert counts[kind] == len(stub.store.collection("tenant_acme", kind)), kind
