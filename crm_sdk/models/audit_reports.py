"""Reports of the audit trail: whether the company keeps to a framework, and who reads and exports what."""

from __future__ import annotations

from datetime import date
from typing import Literal, TypeAlias

from pydantic import AwareDatetime, Field

from .audit import AuditActor
from .record import Model
from .values import EMPTY, EntityRef, EntityType

ComplianceFramework: TypeAlias = Literal["gdpr", "soc2", "hipaa", "iso27001"] | str
ComplianceStatus: TypeAlias = Literal["compliant", "attention", "non_compliant"] | str
ControlStatus: TypeAlias = Literal["pass", "warning", "fail"] | str
AuditReportName: TypeAlias = Literal["logs", "changes", "data_access", "compliance"] | str
AuditExportFormat: TypeAlias = Literal["csv", "jsonl", "pdf"] | str


class ComplianceControl(Model):
    """One thing that a framework asks for, measured."""

    id: str
    """The framework and the control: ``gdpr.mfa``."""
    title: str
    """The clause of the framework, and what it asks for."""
    status: ControlStatus
    """``pass``, ``warning`` or ``fail``."""
    measured: str
    """What was found, in words and figures."""
    expected: str
    """What it takes to pass."""
    findings: list[EntityRef] = Field(default_factory=EMPTY)
    """The records because of which it does not pass; at most 100."""
    audit_ids: list[str] = Field(default_factory=EMPTY)
    """The newest entries of the audit trail that it was measured by; at most 100."""


class ComplianceReport(Model):
    """Whether the company keeps to a framework, as far as its data tell."""

    framework: ComplianceFramework
    """What is asked for."""
    start_date: date
    end_date: date
    generated_at: AwareDatetime
    """When it was computed."""
    status: ComplianceStatus
    """``non_compliant`` with a control that fails, ``attention`` with a warning, else ``compliant``."""
    controls: list[ComplianceControl] = Field(default_factory=EMPTY)
    """What was measured."""
    summary: dict[str, int] = Field(default_factory=dict)
    """The number of controls by status: ``pass``, ``warning``, ``fail``."""
    chain_valid: bool
    """Whether the audit trail is as it was written."""
    entries_checked: int
    """The number of entries of the audit trail, all of which were checked."""


class DataAccessRow(Model):
    """What somebody did with the records of one type."""

    actor: AuditActor
    """Who it was, as in the newest of the entries."""
    entity_type: EntityType
    reads: int
    """The records read one by one, the lists of more than 100 of them, and downloads."""
    exports: int
    """The exports of them."""
    updates: int
    """The writes that changed one."""
    deletes: int
    """The deletions of one."""
    records: int
    """The number of different records, at least as many as the largest export had."""
    first_at: AwareDatetime
    """When the first of them was."""
    last_at: AwareDatetime
    """When the last of them was."""
    unusual: bool
    """Whether it was the first export, or on some day more than three times the actor's own mean of 30 days."""
    reasons: list[str] = Field(default_factory=EMPTY)
    """Why it is unusual, in words."""


class DataAccessReport(Model):
    """Who read, exported, changed and deleted records in a range of days, one row per actor and type of records."""

    start_date: date
    end_date: date
    rows: list[DataAccessRow] = Field(default_factory=EMPTY)
    """The rows, those with the most accesses first."""
    totals: dict[str, int] = Field(default_factory=dict)
    """The sums of the rows: ``reads``, ``exports``, ``updates``, ``deletes``, and the ``records`` and ``unusual``."""
