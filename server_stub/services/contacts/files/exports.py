"""The rule of exporting contacts: a CSV, XLSX, JSON lines or vCard file, streamed while it is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from crm_sdk.models.contacts import Contact
from crm_sdk.models.values import Address
from crm_sdk.resources.contacts import Contacts
from crm_sdk.wire import snake

from ....answers import FileAnswer
from ....data.document import Document
from ....problems import Problem
from ....request.access.hiding import hiding_from, unknown
from ....request.access.permissions import permits
from ....serving import Context, serves
from ..records import CONTACTS
from .export_files import USUAL, WRITERS

_NOT_FLAT = frozenset({"communication_history", "ai_insights"})
_TYPES: Mapping[str, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "jsonl": "application/x-ndjson",
    "vcf": "text/vcard; charset=utf-8",
}


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
    wanted, docs = _without_hidden(call, wanted, docs)
    name = f"contacts-{call.now:%Y-%m-%d}.{kind}"
    call.emit(
        "data.exported",
        "contact",
        {"id": "contacts", "name": name},
        metadata={"format": kind, "count": len(docs), "fields": wanted or []},
    )
    write = WRITERS[kind]
    return FileAnswer(name, _TYPES[kind], write(docs, wanted), {"X-Total-Count": str(len(docs))})


def _without_hidden(
    call: Context, wanted: list[str] | None, docs: list[Document]
) -> tuple[list[str] | None, list[Document]]:
    """Leave out the members that are hidden from the caller. Raises: 422 where one of them is asked for."""
    hiding = hiding_from(call.caller, call.server.nouns)
    if hiding is None:
        return wanted, docs
    hidden = hiding.members(Contact)
    for number, path in enumerate(wanted or ()):
        if path in hidden or path.partition(".")[0] in hidden:
            raise unknown(f"fields.{number}", path)
    return [name for name in wanted or USUAL if name not in hidden], [hiding.without(doc, [Contact]) for doc in docs]


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
