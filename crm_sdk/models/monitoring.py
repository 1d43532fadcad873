"""Monitoring: the health of a server, its figures, and the state of its services."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .record import Model
from .values import EMPTY

HealthStatus: TypeAlias = Literal["pass", "warn", "fail"] | str
ComponentType: TypeAlias = Literal["component", "datastore", "system"] | str
MetricKind: TypeAlias = Literal["counter", "gauge", "histogram"] | str
Indicator: TypeAlias = Literal["none", "minor", "major", "critical"] | str
ServiceState: TypeAlias = Literal["operational", "degraded", "partial_outage", "major_outage"] | str
Impact: TypeAlias = Literal["minor", "major", "critical"] | str
Probe: TypeAlias = Literal["live", "ready"] | str


class HealthCheck(Model):
    """One check of one part of the server."""

    component_id: str
    """The part that was checked."""
    component_type: ComponentType
    """What kind of part it is."""
    status: HealthStatus
    """Whether it works."""
    observed_value: Decimal | str
    """What was found."""
    observed_unit: str
    """The unit of what was found."""
    time: AwareDatetime
    """When it was checked."""
    output: str | None = None
    """What is wrong; null where nothing is."""


class Health(Model):
    """Whether a server works, as the draft for `application/health+json` says it."""

    status: HealthStatus
    """The worst of the checks."""
    version: str
    """The version of the API."""
    release_id: str
    """The version of the server."""
    service_id: str
    """The service that was asked about, else the server's name."""
    description: str
    """What the server is."""
    checks: dict[str, list[HealthCheck]]
    """The checks by component and measurement, such as `store:write`."""
    time: AwareDatetime
    """When it was asked."""


class MetricSample(Model):
    """One figure."""

    name: str
    """What it is a figure of, such as `requests_total`."""
    kind: MetricKind
    """Whether it only rises, rises and falls, or is of a distribution."""
    help: str
    """What it means."""
    labels: dict[str, str] = Field(default_factory=dict)
    """What tells it from other figures of the name, such as operation and status."""
    value: Decimal


class Metrics(Model):
    """The figures of a company at a time."""

    time: AwareDatetime
    """When they were taken."""
    samples: list[MetricSample] = Field(default_factory=EMPTY)
    """The figures."""


class ServiceStatus(Model):
    """The state of one service over the last five minutes."""

    service: str
    """The word of the service, such as `contacts`."""
    status: ServiceState
    """Whether it works."""
    requests: int
    """How many requests there were."""
    error_rate: Annotated[float, Field(ge=0, le=1)]
    """The share of requests that failed by the server's fault."""
    p95_ms: float | None = None
    """How long 95 of 100 requests took at most, in milliseconds; null without requests."""
    since: AwareDatetime
    """From when on the requests are counted."""


class Incident(Model):
    """A time in which a service was worse than operational."""

    id: str
    service: str
    """The word of the service, such as `contacts`."""
    impact: Impact
    """How bad its worst minute was."""
    started_at: AwareDatetime
    resolved_at: AwareDatetime | None = None
    """When five good minutes had passed; null while it lasts."""
    message: str
    """What was wrong."""


class RecoveryStatus(Model):
    """Whether the company's data could be brought back."""

    last_backup_at: AwareDatetime | None = None
    """When the latest backup ended; null without a backup."""
    last_backup_ok: bool | None = None
    """Whether the latest backup succeeded; null without a backup."""
    rpo_hours: int
    """How many hours of work may be lost at most."""
    rpo_met: bool
    """Whether a good backup is younger than that."""
    last_drill_at: AwareDatetime | None = None
    """When the latest drill ended; null without a drill."""
    last_drill_ok: bool | None = None
    """Whether the latest drill found the archive whole; null without a drill."""
    estimated_restore_seconds: int | None = None
    """How long a restore takes, by the latest one; null without one."""


class SystemStatus(Model):
    """The state of all services, as a company's requests show it."""

    indicator: Indicator
    """The worst of the services: critical where three have a major outage."""
    time: AwareDatetime
    """When it was asked."""
    services: list[ServiceStatus] = Field(default_factory=EMPTY)
    """The state of each service."""
    incidents: list[Incident] = Field(default_factory=EMPTY)
    """What has been worse than operational, newest first."""
    recovery: RecoveryStatus
    """Whether the data could be brought back."""
