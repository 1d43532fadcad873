"""What the tests of analytics stand on: clients, a pipeline of one's own, and deals in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from crm_sdk import CrmClient
from crm_sdk.models import Deal, MetricValue, Pipeline, Report, ReportData
from server_stub import StubServer

STAGES: list[Any] = [
    {"name": "Start", "probability": 40},
    {"name": "Won", "kind": "won"},
    {"name": "Lost", "kind": "lost"},
]
Make = Callable[..., Deal]
Wait = Callable[[float], None]
MakeReport = Callable[..., Report]
PEOPLE = (("website", "new", "1200.5"), ("website", "contacted", "300"), ("website", "new", "99.25"),
          ("referral", "new", "7000"), ("referral", "contacted", "41"))  # fmt: skip
CAMPAIGN: Any = [{"filters": [{"field": "campaign", "op": "eq", "value": "camp"}]}]


def values(found: Any) -> dict[str, int | float]:
    """Return the figures of an answer by name."""
    return {name: float(value.value) for name, value in found if isinstance(value, MetricValue)}


def part(found: Any, *names: str) -> tuple[float, ...]:
    return tuple(values(found)[name] for name in names)


def leaves(found: ReportData) -> dict[tuple[Any, ...], list[Any]]:
    return {tuple(row.keys): row.values for row in found.groups if not row.subtotal}


@pytest.fixture
def stub(restored: StubServer) -> StubServer:
    return restored


@pytest.fixture
def platform(stub: StubServer) -> CrmClient:
    return stub.client(dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def sam(stub: StubServer) -> CrmClient:
    """A client with the role sales."""
    return stub.client(api_key="acme-sales", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def globex(stub: StubServer) -> CrmClient:
    """A client of another company."""
    return stub.client(api_key="globex-admin", dialects="platform", max_retries=0, strict=True)


@pytest.fixture
def pipe(platform: CrmClient) -> Pipeline:
    return platform.pipelines.create({"name": "Own", "stages": STAGES})


@pytest.fixture
def deal(platform: CrmClient, pipe: Pipeline) -> Make:
    """Create a deal in the pipeline, worth 1,000 unless said otherwise."""

    def make(**members: Any) -> Deal:
        given: Any = {"title": "Deal", "value": 1_000, "pipeline_id": pipe.id, **members}
        return platform.deals.create(given)

    return make


@pytest.fixture
def wait(stub: StubServer) -> Wait:
    """Let days pass."""
    return lambda days: stub.clock.advance(timedelta(days=days).total_seconds())


@pytest.fixture
def leads(platform: CrmClient) -> list[str]:
    """Five leads of a campaign, by their ids."""
    return [
        platform.leads.create(
            {"name": f"Lead {n}", "campaign": "camp", "source": source, "status": status, "value": Decimal(value)}
        ).id
        for n, (source, status, value) in enumerate(PEOPLE)
    ]


@pytest.fixture
def report(platform: CrmClient, leads: list[str]) -> MakeReport:
    """Create a report of the campaign; by default a table of names and values."""

    def make(crm: CrmClient = platform, **members: Any) -> Report:
        if not members.keys() & {"groups", "measures", "columns"}:
            members["columns"] = [{"field": "name", "label": "Who"}, {"field": "value"}]
        given: Any = {"name": "Report", "entity_type": "lead", "filter_groups": CAMPAIGN, **members}
        return crm.reports.create(given)

    return make
