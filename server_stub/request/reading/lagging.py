"""What a search sees: the data as they are, or with a fault `search_lag` as they were."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from crm_sdk.operation import Operation

if TYPE_CHECKING:
    from ...core import StubServer
    from ..http import Request

_SEARCHES = frozenset({"contacts.search", "custom_objects.records.search"})
"""The searches whose words are in other arguments than `search` and `q`."""


def searched_data(
    server: StubServer, request: Request, operation: Operation[..., Any], arguments: Mapping[str, Any]
) -> AbstractContextManager[None]:
    """Return the block in which a rule sees the data that a search may see; for any other call they are the present."""
    words = arguments.get("search") or arguments.get("q")
    if operation.kind == "download" or not operation.reads or not (words or operation.id in _SEARCHES):
        return nullcontext()
    lag = server.faults.take_lag(operation.id, request.method, request.path)
    return server.behind(lag) if lag is not None else nullcontext()
