"""Contacts as files: each format writes them in chunks, while they are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from crm_sdk.models.values import Address
from crm_sdk.wire import camel, encode_json

from ....data.document import Document
from ....data.queries.query import member
from ....files.marked import mark, write_list, write_value
from ....files.sheets import write_csv, write_workbook
from ....serving import Members
from . import vcards

USUAL = (
    "id", "name", "salutation", "first_name", "last_name", "email", "secondary_emails", "phone", "mobile", "company",
    "title", "department", "owner_id", "status", "lifecycle_stage", "source", "tags", "notes", "address", "website",
    "social_profiles", "avatar", "birthday", "language", "timezone", "do_not_contact", "email_opt_out", "sms_opt_out",
    "last_contact", "next_follow_up", "relationship_health", "health_score", "sentiment", "churn_risk", "total_deals",
    "open_deals", "total_value", "currency", "external_id", "created_at", "updated_at", "custom_fields",
)  # fmt: skip
"""The fields of an export by default."""
_PROFILE = ("network", "url", "handle")


def _columns(docs: Sequence[Document], wanted: Sequence[str] | None) -> list[str]:
    """Return the columns of a table: one for each part of an address, and for each custom field there is."""
    own = dict.fromkeys(name for doc in docs for name in doc.get("custom_fields") or ())
    parts: Mapping[str, Iterable[str]] = {"address": Address.model_fields, "custom_fields": own}
    return list(dict.fromkeys(
        path
        for name in wanted or USUAL
        for path in ([f"{name}.{part}" for part in parts[name]] if name in parts else [name])
    ))  # fmt: skip


def _header(path: str) -> str:
    head, _, rest = path.partition(".")
    return f"{camel(head)}.{rest if head == 'custom_fields' else camel(rest)}" if rest else camel(head)


def _value(doc: Document, path: str) -> object:
    head, _, rest = path.partition(".")
    if head == "custom_fields" and rest:  # a custom field may have a dot in its name
        own: dict[str, object] = doc.get(head) or {}
        return own.get(rest)
    return member(doc, path)


def _cell(doc: Document, path: str) -> Any:
    """Return the value of a cell: a number, a day, a time, or a text from which an import reads the value again."""
    value: Any = _value(doc, path)
    if value is None or isinstance(value, (date, int, float, Decimal)):
        return ("true" if value else "false") if isinstance(value, bool) else value
    if path.startswith("custom_fields."):
        return write_value(value)
    if path == "social_profiles":
        return mark(write_list([" ".join(filter(None, map(profile.get, _PROFILE))) for profile in value]))
    if isinstance(value, (list, tuple)):
        texts: list[Any] = list(value)  # type: ignore[arg-type, unused-ignore] # of an unknown list
        return mark(write_list(list(map(str, texts)), whole=path == "notes"))
    return mark(str(value))


def _table(docs: Sequence[Document], wanted: Sequence[str] | None) -> tuple[list[str], Iterator[list[Any]]]:
    columns = _columns(docs, wanted)
    return [mark(_header(path)) for path in columns], ([_cell(doc, path) for path in columns] for doc in docs)


def _csv(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    return write_csv(*_table(docs, wanted))


def _xlsx(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    return write_workbook("Contacts", *_table(docs, wanted))


def _jsonl(docs: Sequence[Document], wanted: Sequence[str] | None) -> Iterator[bytes]:
    for doc in docs:
        yield encode_json(_object(doc, wanted or USUAL)) + b"\n"


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


WRITERS: Mapping[str, Callable[[Sequence[Document], Sequence[str] | None], Iterator[bytes]]] = {
    "csv": _csv,
    "xlsx": _xlsx,
    "jsonl": _jsonl,
    "vcf": _vcf,
}
