"""Lists through a layout: `crm deals list --view ID` has the columns of the layout."""

from __future__ import annotations

from crm_sdk import CrmClient
from crm_sdk.errors import ApiError
from crm_sdk.wire import camel, snake

from ..terminal.columns import Columns


def columns_through(client: CrmClient, layout_id: str, known: Columns) -> str | None:
    """Return the columns of a layout that are members of the records, then the id; None where it cannot be read."""
    try:
        layout = next((each for each in client.customization.layouts.list() if each.id == layout_id), None)
    except ApiError:
        return None
    if layout is None:
        return None  # the list itself says what is wrong
    paths = (column.field.split(".") for column in layout.columns)
    shown = (".".join([camel(snake(head)), *rest]) for head, *rest in paths)
    return ",".join([*(path for path in shown if path.partition(".")[0] in known.every), "id"])
