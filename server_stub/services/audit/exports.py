"""Exports of the audit trail and its reports: jobs that make a file, which are polled as exports of reports are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from crm_sdk.models.audit import AuditLog, ChangeRow
from crm_sdk.models.audit_reports import ComplianceControl, DataAccessRow
from crm_sdk.resources.audit import AuditReports
from crm_sdk.wire import encode_json, is_array, is_object

from ... import jobs
from ...data.document import Document
from ...data.queries.filter_groups import compile_filters
from ...files.storing import store_bytes
from ...problems import invalid
from ...request.access.hiding import hidden_from
from ...request.answering.rendering import renderer
from ...serving import Context, Members, runs, serves
from .. import company, ranges
from ..reports.exports import KEPT, file_result
from ..reports.files import WRITERS
from . import accesses, compliance
from .logs import FIELDS, readable, shown_entry
from .reports import rows_of

_JOB = "audit_export"
_ACTOR = ("actor.type", "actor.id", "actor.name", "actor.email")
_ENTITY = ("entity.type", "entity.id", "entity.name")


class _Kind(NamedTuple):
    """What a report is exported as."""

    title: str
    model: Any
    columns: Sequence[str]
    """The members of its rows in CSV."""
    printed: Sequence[str]
    """Those in PDF."""


_KINDS: Mapping[str, _Kind] = {
    "logs": _Kind(
        "Audit trail",
        AuditLog,
        ("sequence", "occurredAt", "id", "action", "category", "severity", *_ACTOR, "actor.sessionId",
         "actor.ipAddress", *_ENTITY, "reason", "changes", "metadata", "source.dialect", "source.method", "source.path",
         "source.operation", "source.status", "source.requestId", "previousHash", "hash"),
        ("sequence", "occurredAt", "action", "actor.name", "entity.type", "entity.id", "entity.name", "reason"),
    ),
    "changes": _Kind(
        "Changes",
        ChangeRow,
        ("occurredAt", "auditId", "action", *_ACTOR, *_ENTITY, "field", "before", "after"),
        ("occurredAt", "action", "actor.name", "entity.id", "entity.name", "field", "before", "after"),
    ),
    "data_access": _Kind(
        "Data access",
        DataAccessRow,
        (*_ACTOR, "entityType", *accesses.SORTS, "records", "firstAt", "lastAt", "unusual", "reasons"),
        ("actor.name", "entityType", *accesses.SORTS, "records", "lastAt", "unusual", "reasons"),
    ),
    "compliance": _Kind(
        "Compliance",
        ComplianceControl,
        ("id", "title", "status", "measured", "expected", "findings", "auditIds"),
        ("id", "title", "status", "measured", "expected"),
    ),
}  # fmt: skip


@serves(AuditReports.export)
def export(
    call: Context,
    format: str,
    report: str,
    filter_groups: Sequence[Members] | None,
    start_date: date | None,
    end_date: date | None,
    period: str | None,
) -> Document:
    """Queue an export of the trail or of a report."""
    whole = ranges.last_year(call, start_date, end_date)
    if filter_groups and report == "compliance":
        raise invalid("filter_groups", "choice", "a report of compliance is of the whole trail")
    _entry_test(call, filter_groups or ())
    given = {"format": format, "report": report, "filter_groups": [dict(group) for group in filter_groups or ()]}
    days = {"start_date": whole.start.isoformat(), "end_date": whole.end.isoformat()}
    title = f"Export of {_KINDS[report].title.lower()} as {format}"
    return jobs.start(call, _JOB, {**given, **days}, title=title, total=0, status_url="/reports/exports/{id}")


def _entry_test(call: Context, groups: Sequence[Members]) -> Any:
    """Return the test for entries. Raises: 422 UNKNOWN_FIELD, INVALID_OPERATOR, FILTER_TOO_LARGE."""
    return compile_filters(groups, FIELDS, now=call.now, zone=company.zone(call))


@runs(_JOB)
def step(call: Context, job: Document) -> Mapping[str, Any]:
    """Compute the rows and make the file."""
    payload = job["payload"]
    kind, format = _KINDS[payload["report"]], payload["format"]
    rows = _rows(call, payload, kind.model)
    content = _written_file(call, kind, rows, payload)
    file = store_bytes(
        call, f"{kind.title.lower().replace(' ', '-')}-{call.now:%Y-%m-%d}.{format}", content,
        expires_at=call.now + KEPT,
    )  # fmt: skip
    said = {"report": payload["report"], "format": format, "count": len(rows), "file_id": file["id"]}
    call.emit("data.exported", "tenant", call.tenant, metadata={**said, "job_id": job["id"]})
    done = dict.fromkeys(("total", "processed", "succeeded"), len(rows))
    result = file_result(file, len(rows))
    return {"status": "succeeded", "file_id": file["id"], "result": result, "counts": job["counts"] | done}


def _rows(call: Context, payload: Members, model: Any) -> list[Mapping[str, Any]]:
    """Return the rows of a report as they are answered."""
    first, last = (date.fromisoformat(payload[name]) for name in ("start_date", "end_date"))
    whole = ranges.span(call, first, last)
    keep, trail = _entry_test(call, payload["filter_groups"]), readable(call)
    meant = (entry for entry in map(shown_entry, trail) if keep(entry))
    found: Iterable[Mapping[str, Any]]
    if payload["report"] == "compliance":
        found = compliance.report(call, "gdpr", whole)["controls"]
    elif payload["report"] == "data_access":
        found = [one.row() for one in accesses.accesses(call, whole, meant)]
    else:
        within = (entry for entry in meant if whole.has(entry["occurred_at"]))
        found = within if payload["report"] == "logs" else rows_of(call, within)
    render = renderer(model, "platform")
    with hidden_from(call.caller, call.server.nouns):
        return [render(row) for row in found]


def _written_file(call: Context, kind: _Kind, rows: Sequence[Mapping[str, Any]], payload: Members) -> bytes:
    """Return a file with rows."""
    if payload["format"] == "jsonl":
        return b"".join(encode_json(row) + b"\n" for row in rows)
    paths = kind.columns if payload["format"] == "csv" else kind.printed
    report: dict[str, Any] = {
        "name": kind.title, "description": None, "entity_type": "audit_log", "format": "tabular", "groups": [],
        "across": [], "chart": None, "filter_groups": payload["filter_groups"], "date_field": "occurredAt",
        "date_range": {name: payload[name] for name in ("start_date", "end_date")},
    }  # fmt: skip
    content: dict[str, Any] = {
        "columns": [{"label": path, "type": "text", "format": None} for path in paths],
        "rows": [[_cell(row, path) for path in paths] for row in rows],
        "groups": [], "totals": [], "row_count": len(rows), "truncated": False, "currency": None,
        "generated_at": call.now,
    }  # fmt: skip
    _, _, write = WRITERS[payload["format"]]
    return write(call, report, content, {}, {"orientation": "landscape"})


def _cell(row: Mapping[str, Any], path: str) -> Any:
    """Return the value at a path of a row; what is no plain value as JSON."""
    value: Any = row
    for name in path.split("."):
        value = value.get(name) if is_object(value) else None
    if (is_array(value) or is_object(value)) and not value:
        return None
    if is_array(value) and all(isinstance(one, str) for one in value):
        return "; ".join(value)
    return encode_json(value).decode() if is_array(value) or is_object(value) else value
