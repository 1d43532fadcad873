"""The demo data a tester opens first: jobs that have ended, and revenue in the months before."""

from __future__ import annotations

from datetime import timedelta

from crm_sdk import CrmClient
from server_stub import StubServer


def test_imports_and_requests_of_people_are_listed(stub: StubServer) -> None:
    client = stub.client(dialects="platform", strict=True)
    kinds = ["import", "privacy_export", "privacy_erase"]
    found = {job.id: client.jobs.get(job.id) for job in client.jobs.list(kind=kinds)}
    assert {job.kind for job in found.values()} == set(kinds)
    assert {job.status for job in found.values() if job.kind == "import"} == {"succeeded", "failed"}
    for job in found.values():
        counts = job.counts
        assert counts is not None
        assert counts.processed == counts.succeeded + counts.failed + counts.skipped
        assert len(job.errors) == counts.failed and (job.error is not None) == (job.status == "failed")


def won_by_month(client: CrmClient) -> dict[str, int]:
    found: dict[str, int] = {}
    for deal in client.deals.list(status="won"):
        assert deal.closed_at is not None and deal.created_at is not None and deal.created_at <= deal.closed_at
        month = deal.closed_at.strftime("%Y-%m")
        found[month] = found.get(month, 0) + int(deal.value)
    return found


def test_revenue_is_spread_over_the_months(stub: StubServer) -> None:
    found = won_by_month(stub.client(dialects="platform"))
    now = stub.clock.now()
    months = {(now - timedelta(days=30 * back)).strftime("%Y-%m") for back in range(7)}
    assert len(found.keys() & months) >= 6 and max(found.values()) < sum(found.values()) * 0.6
