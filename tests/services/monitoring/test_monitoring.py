"""Monitoring: figures from real calls, states from real failures, health for a machine."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from refusals import refused

from crm_sdk import CrmClient
from crm_sdk.catalogue import declared_operations
from server_stub import StubServer
from server_stub.request.http import Request

MINUTE = 60


@pytest.fixture
def acme(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


def value(crm: CrmClient, name: str, **labels: str) -> float:
    samples = crm.monitoring.metrics(names=[name]).samples
    return sum(float(one.value) for one in samples if labels.items() <= one.labels.items())


def fail(stub: StubServer, crm: CrmClient, failures: int, good: int) -> None:
    """Fail some contact calls of ten or so, and serve the others."""
    for _ in range(good):
        crm.contacts.list(limit=1)
    if failures:
        stub.faults.add("status", operation="contacts.list", times=failures)
    for _ in range(failures):
        assert refused(lambda: crm.contacts.list(limit=1)).status == 503


def state(crm: CrmClient) -> Any:
    return crm.monitoring.status(service="contacts").services[0]


def test_health_needs_no_token(stub: StubServer, mode: str, call: Any) -> None:
    crm: Any = (stub.client if mode == "sync" else stub.async_client)(api_key=None, dialects="platform", strict=True)
    found = call(crm.monitoring.health())
    assert found.status in ("pass", "warn")
    assert {"store:write", "search:pending", "jobs:queued", "webhooks:pending", "clock:skew", "storage:free"} == set(
        found.checks
    )
    assert call(crm.monitoring.health(probe="live")).checks.keys() == {"process:alive"}
    assert refused(lambda: call(crm.monitoring.health(service="planets"))).code == "NOT_FOUND"


def test_health_as_the_draft_has_it(stub: StubServer) -> None:
    headers = {"accept": "application/health+json"}
    reply = stub.handle(Request("GET", "/v1/monitoring/health", headers=headers))
    assert (reply.headers["Content-Type"], reply.headers["Cache-Control"]) == ("application/health+json", "no-store")
    assert reply.body.startswith(b'{"status":')
    assert "X-RateLimit-Limit" not in reply.headers


def test_a_service_in_an_outage_fails_and_is_returned(stub: StubServer, acme: CrmClient) -> None:
    fail(stub, acme, failures=10, good=0)
    found = acme.monitoring.health(service="contacts")
    assert found.status == "fail"
    assert found.checks["contacts:errors"][0].output == "its requests fail"
    headers = {"authorization": "Bearer acme-admin"}
    assert stub.handle(Request("GET", "/v1/monitoring/health", "service=contacts", headers)).status == 503
    assert acme.monitoring.health().status == "pass"


def test_every_service_of_the_catalogue_has_a_health_of_its_own(stub: StubServer, acme: CrmClient) -> None:
    names = {one.service for one in acme.monitoring.status().services}
    assert names >= {one.id.partition(".")[0] for one in declared_operations() if "platform" in one.routes}
    stub.faults.add("status", operation="deals.list", times=10)
    for _ in range(10):
        refused(lambda: acme.deals.list(limit=1))
    found = {name: acme.monitoring.health(service=name) for name in names}
    assert all(f"{name}:errors" in health.checks for name, health in found.items())
    assert {name for name, health in found.items() if health.status == "fail"} == {"deals"}


def test_requests_are_counted_by_operation_and_status(acme: CrmClient) -> None:
    made = acme.contacts.create({"name": "Eva"})
    for _ in range(3):
        acme.contacts.get(made.id)
    assert refused(lambda: acme.contacts.get("contact_none")).status == 404
    assert value(acme, "requests_total", operation="contacts.get", status="200") == 3
    assert value(acme, "requests_total", operation="contacts.get", status="404") == 1
    assert value(acme, "events_total", event="contact.created") >= 1


def test_figures_are_the_companys_own(stub: StubServer, acme: CrmClient) -> None:
    acme.contacts.list()
    globex = stub.client(api_key="globex-admin", dialects="platform")
    assert value(globex, "requests_total", operation="contacts.list") == 0
    assert value(globex, "records", entity="contact") == globex.contacts.list().total
    assert refused(lambda: stub.client(api_key="acme-sales", dialects="platform").monitoring.metrics()).status == 403


def test_the_text_is_what_prometheus_reads(stub: StubServer, acme: CrmClient) -> None:
    from prometheus_client.parser import text_string_to_metric_families

    acme.contacts.create({"name": "Eva"})
    headers = {"authorization": "Bearer acme-admin", "accept": "text/plain"}
    reply = stub.handle(Request("GET", "/v1/monitoring/metrics", headers=headers))
    families = {one.name: one for one in text_string_to_metric_families(reply.body.decode())}
    assert {"crm_requests", "crm_request_seconds", "crm_records", "crm_events", "crm_storage_bytes"} <= families.keys()
    assert all(family.samples for name, family in families.items() if name in ("crm_requests", "crm_records"))
    names = {sample.name for sample in families["crm_request_seconds"].samples}
    assert names == {"crm_request_seconds", "crm_request_seconds_count", "crm_request_seconds_sum"}


@pytest.mark.parametrize(
    ("failures", "good", "expected", "indicator"),
    [
        (0, 10, "operational", "none"),
        (1, 99, "degraded", "minor"),
        (1, 100, "operational", "none"),
        (1, 9, "partial_outage", "minor"),
        (5, 5, "major_outage", "major"),
        (5, 4, "partial_outage", "minor"),
    ],
)
def test_a_state_follows_from_the_failures(
    stub: StubServer, acme: CrmClient, failures: int, good: int, expected: str, indicator: str
) -> None:
    fail(stub, acme, failures, good)
    found = state(acme)
    assert (found.status, found.requests) == (expected, failures + good)
    assert acme.monitoring.status().indicator == indicator


def test_refusals_of_the_caller_are_no_failures(acme: CrmClient) -> None:
    assert state(acme).p95_ms is None
    for _ in range(10):
        assert refused(lambda: acme.contacts.get("contact_none")).status == 404
    assert (state(acme).error_rate, state(acme).status) == (0, "operational")


def test_slow_answers_degrade_a_service(stub: StubServer, acme: CrmClient) -> None:
    stub.faults.add("delay", seconds=0.3, operation="contacts.list", times=2)
    acme.contacts.list()
    acme.contacts.list()
    assert state(acme).status == "degraded"
    assert state(acme).p95_ms >= 300


def test_an_incident_ends_after_five_good_minutes(stub: StubServer, acme: CrmClient) -> None:
    fail(stub, acme, failures=6, good=6)
    (open_,) = acme.monitoring.status().incidents
    assert (open_.service, open_.impact, open_.resolved_at) == ("contacts", "critical", None)
    stub.clock.advance(4 * MINUTE)
    fail(stub, acme, failures=1, good=9)
    (same,) = acme.monitoring.status().incidents
    assert (same.id, same.resolved_at) == (open_.id, None)
    stub.clock.advance(7 * MINUTE)
    (ended,) = acme.monitoring.status().incidents
    assert ended.resolved_at is not None
    assert acme.monitoring.status(since=stub.clock.now()).incidents == []
    assert state(acme).requests == 0


def test_a_failure_after_five_good_minutes_is_another_incident(stub: StubServer, acme: CrmClient) -> None:
    began = stub.clock.now().replace(second=0, microsecond=0)
    fail(stub, acme, failures=6, good=6)
    stub.clock.advance(5 * MINUTE)
    fail(stub, acme, failures=6, good=6)
    assert [one.started_at for one in acme.monitoring.status().incidents] == [began]
    stub.clock.advance(6 * MINUTE)
    ended = began + timedelta(minutes=11)
    assert [one.resolved_at for one in acme.monitoring.status().incidents] == [ended]
    fail(stub, acme, failures=6, good=6)
    found = acme.monitoring.status().incidents
    assert [(one.started_at, one.resolved_at) for one in found] == [(ended, None), (began, ended)]
    assert acme.monitoring.status(since=ended).incidents == found
    assert acme.monitoring.status(since=ended + timedelta(seconds=1)).incidents == found[:1]


def test_health_says_how_much_room_is_left(acme: CrmClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with StubServer(db=str(tmp_path / "state.db")) as stored:
        client = stored.client(dialects="platform", max_retries=0, strict=True)
        for free, status in ((5_000_000, "pass"), (4_900_000, "warn"), (1_000_000, "warn"), (999_999, "fail")):
            usage_of = Mock(return_value=SimpleNamespace(total=100_000_000, free=free))
            monkeypatch.setattr("shutil.disk_usage", usage_of)
            found = client.monitoring.health()
            usage_of.assert_called_once_with(str(tmp_path.resolve()))
            (room,) = found.checks["storage:free"]
            assert (room.status, found.status, room.observed_unit) == (status, status, "%"), free
            assert (room.output is None) is (status == "pass") and float(room.observed_value or 0) == round(
                free / 1_000_000, 1
            )
            in_memory = acme.monitoring.health()
            assert (in_memory.status, in_memory.checks["storage:free"][0].observed_value) == (
                "pass", room.observed_value,
            )  # fmt: skip


def test_a_snapshot_keeps_the_figures_that_it_was_made_with(stub: StubServer, acme: CrmClient) -> None:
    def figures() -> tuple[object, ...]:
        minutes = [(one.requests, one.failures, len(one.durations)) for one in meters.minutes(*place, meters.start)]
        return meters.requests(place[0]), meters.durations(place[0]).count, meters.refused_counts(place[0]), minutes

    meters, place = stub.meters, ("tenant_acme", "contacts")
    fail(stub, acme, failures=1, good=3)
    before, snapshot = figures(), stub.snapshot()
    for _ in range(2):  # what is counted after one restoration is not in the next
        fail(stub, acme, failures=2, good=2)
        meters.count_limited("tenant_acme", "standard")
        assert figures() != before
        stub.restore(snapshot)
        assert figures() == before


def test_jobs_and_records_are_counted_as_they_are_listed(acme: CrmClient) -> None:
    listed = Counter((str(job.kind), str(job.status)) for job in acme.jobs.list())
    assert {kind for kind, _ in listed} >= {"workflow", "backup", "sync", "import"}
    jobs = acme.monitoring.metrics(names=["jobs"]).samples
    assert {(one.labels["kind"], one.labels["status"]): int(one.value) for one in jobs} == listed
    records = {one.labels["entity"]: int(one.value) for one in acme.monitoring.metrics(names=["records"]).samples}
    for entity in (one.entity for one in acme.objects.list() if one.entity not in ("role", "report", "dashboard")):
        assert records[entity] == len(list(acme.objects.scan(entity))), entity
