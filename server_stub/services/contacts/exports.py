"""The rule of exporting contacts: a CSV, XLSX, JSON lines or vCard file, streamed while it is written."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from crm_sdk.models.contacts import Contact
from crm_sdk.models.values import Address
from crm_sdk.resources.contacts import Contacts
from crm_sdk.wire import camel, encode_json, instant, number, snake

from ...data.csv_files import quote_formula
from ...data.document import Document
from ...data.query import member
from ...problems import Problem
from ...request.permissions import permits
from ...serving import Context, FileAnswer, Members, serves
from . import vcards
from .records import CONTACTS

_USUAL = (
    "id", "name", "first_name", "last_name", "email", "secondary_emails", "phone", "mobile", "company", "title",
    "department", "owner_id", "status", "lifecycle_stage", "source", "tags", "notes", "address", "website",
    "birthday", "language", "timezone", "do_not_contact", "email_opt_out", "last_contact", "next_follow_up",
    "relationship_health", "health_score", "sentiment", "churn_risk", "total_deals", "open_deals",
    "total_value", "currency", "external_id", "created_at", "updated_at", "custom_fields",
)  # fmt: skip
"""The fields of an export by default."""
_NOT_FLAT = frozenset({"communication_history", "ai_insights", "social_profiles"})
_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
    "vcf": "text/vcard; charset=utf-8",
}
_CHUNK = 64 * 1024


@serves(Contacts.export)
def export(
    call: Context,
    format: str | None,
    fields: Sequence[str] | None,
    search: str | None,
    filter: str | None,
    tags: Sequence[str] | None,
    owner_id: str | None,
    status: str | None,
    created_after: datetime | None,
    created_before: datetime | None,
    updated_after: datetime | None,
    updated_before: datetime | None,
    sort: str | None,
    order: str | None,
) -> FileAnswer:
    """Return the matching contacts as a file."""
    kind = format or "csv"
    wanted = [_path(name, number) for number, name in enumerate(fields)] if fields else None
    given = {
        "search": search, "filter": filter, "tags": tags, "owner_id": owner_id, "status": status,
        "created_after": created_after, "created_before": created_before,
        "updated_after": updated_after, "updated_before": updated_before, "sort": sort, "order": order,
    }  # fmt: skip
    docs = [doc for doc in CONTACTS.select(call, given) if permits(call.caller, CONTACTS.word, "export", doc)]
    name = f"contacts-{call.now:%Y-%m-%d}.{kind}"
    call.emit(
        "data.exported",
        "contact",
        {"id": "contacts", "name": name},
        metadata={"format": kind, "count": len(docs), "fields": wanted or []},
    )
    write = _WRITERS[kind]
    return FileAnswer(name, _TYPES[kind], write(docs, wanted), {"X-Total-Count": str(len(docs))})


def _path(field: str, number: int) -> str:
    """Return the path of a field in Python names. Raises: 422 for a field that contacts do not have."""
    head, _, rest = field.partition(".")
    name = snake(head)
    if name in Contact.model_fields and name not in _NOT_FLAT:
        if not rest:
            return name
        if name == "custom_fields":
            return f"{name}.{rest}"
        if name == "address" and snake(rest) in Address.model_fields:
            return f"{name}.{snake(rest)}"
    raise Problem(
        "UNKNOWN_FIELD", f"contacts have no {field!r} to export", field=f"fields.{number}", rule="choice",
        details={"field": field},
    )  # fmt: skip


def _columns(docs: Sequence[Document], wanted: Sequence[str] | None) -> list[str]:
    """Return the columns of a table: one for each part of an address, and for each custom field there is."""
    own = dict.fromkeys(name for doc in docs for name in doc.get("custom_fields") or ())
    parts: Mapping[str, Iterable[str]] = {"address": Address.model_fields, "custom_fields": own}
    return [
        path
        for name in wanted or _USUAL
        for path in ([f"{name}.{part}" for part in parts[name]] if name in parts else [name])
    ]


def _header(path: str) -> str:
    head, _, rest = path.partition(".")
    return f"{camel(head)}.{rest if head == 'custom_fields' else camel(rest)}" if rest else camel(head)


def _value(doc: Document, path: str) -> object:
    head, _, rest = path.partition(".")
    if head == "custom_fields" and rest:  # a custom field may have a dot in its name
        own: dict[str, object] = doc.get(head) or {}
        return own.get(rest)
    return member(doc, path)


def _text(value: object) -> str:
    """Return the text of a cell; a text that looks like a formula is quoted."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(number(value))
    if isinstance(value, (int, float)):
        return str(value)
    return quote_formula(", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value))  # type: ignore[arg-type, unused-ignore] # of an unknown list


def _csv(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    columns = _columns(docs, wanted)
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([quote_formula(_header(path)) for path in columns])
    for doc in docs:
        writer.writerow([_text(_value(doc, path)) for path in columns])
        if out.tell() >= _CHUNK:
            yield out.getvalue().encode()
            out.seek(0)
            out.truncate()
    yield out.getvalue().encode()


def _xlsx(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    # Imported here: only spreadsheets need it.
    from openpyxl import Workbook  # type: ignore[import-untyped] # it has no types
    from openpyxl.cell import WriteOnlyCell  # type: ignore[import-untyped] # as above
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE  # type: ignore[import-untyped] # as above

    book = Workbook(write_only=True)
    sheet: Any = book.create_sheet("Contacts")
    columns = _columns(docs, wanted)

    def cell(value: object) -> Any:
        if value is None or (isinstance(value, (int, float, Decimal)) and not isinstance(value, bool)):
            return value
        if isinstance(value, datetime):
            return value.replace(tzinfo=None)  # a spreadsheet has no time zones; it is UTC
        if isinstance(value, date):
            return value
        # A workbook is XML, which has no place for control characters.
        text: Any = WriteOnlyCell(sheet, value=ILLEGAL_CHARACTERS_RE.sub(" ", _text(value)))
        text.data_type = "s"  # never a formula
        return text

    sheet.append([_header(path) for path in columns])
    for doc in docs:
        sheet.append([cell(_value(doc, path)) for path in columns])
    out = io.BytesIO()
    book.save(out)
    content = out.getvalue()
    for start in range(0, len(content), _CHUNK):
        yield content[start : start + _CHUNK]


def _jsonl(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    for doc in docs:
        yield encode_json(_object(doc, wanted or _USUAL)) + b"\n"


def _object(doc: Document, paths: Sequence[str]) -> dict[str, Any]:
    out: dict[str, Any] = {}
    for path in paths:
        head, _, rest = path.partition(".")
        value = _value(doc, path)
        if rest:
            part = rest if head == "custom_fields" else camel(rest)
            out[camel(head)] = {**(out.get(camel(head)) or {}), part: value}
        elif head == "address" and isinstance(value, Mapping):
            place: Members = value  # type: ignore[assignment, unused-ignore] # of an unknown mapping
            out[head] = {camel(part): text for part, text in place.items()}
        else:
            out[camel(head)] = value
    return out


def _vcf(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    kept = {path.partition(".")[0] for path in wanted} | {"name"} if wanted else None
    for doc in docs:
        yield vcards.write(doc if kept is None else {name: doc.get(name) for name in kept})


_WRITERS: Mapping[str, Callable[[Sequence[Document], Sequence[str] | None], Iterator[bytes]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "jsonl": _jsonl,
    "vcf": _vcf,
}
