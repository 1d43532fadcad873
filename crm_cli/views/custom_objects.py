"""``crm custom-objects records``: tables with the columns of the object's own definition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

from ..terminal.output import plain

if TYPE_CHECKING:
    from crm_sdk import CrmClient
    from crm_sdk.models import CustomRecord

_HIDDEN = frozenset({"id", "name", "fields", "object", "objectId", "related"})
"""What the other columns say already."""


def rows(client: CrmClient, records: Iterable[CustomRecord]) -> Iterator[dict[str, Any]]:
    """Give the records of an object with a column for each of its fields, by position, then of its relationships."""
    waiting = iter(records)
    first = next(waiting, None)
    if first is None:
        return
    definition = client.custom_objects.get(first.object_id or "")
    names = [field.api_name for field in definition.fields]
    names += [link.api_name for link in definition.relationships]
    for record in chain([first], waiting):
        whole = plain(record)
        values: dict[str, Any] = whole.get("fields") or {}
        rest = {name: value for name, value in whole.items() if name not in _HIDDEN}
        related = [ref.name or ref.id for ref in record.related]
        yield {"id": record.id, **{name: values.get(name) for name in names}, **rest, "related": related}
