"""Where a new record is found, for the header Location."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crm_sdk.catalogue import declared_operations
from crm_sdk.operation import Operation


def location_of(operation: Operation[..., Any], path: str, record: Mapping[str, Any]) -> str:
    """Return the path of a record that a call has made: its id, or what its own path has in the place of one."""
    return f"{path.rstrip('/')}/{record[_named_by(operation.id)]}"


@lru_cache(maxsize=512)
def _named_by(operation_id: str) -> str:
    """Return the member by which the calls for one record name it: ``key`` of a feature flag."""
    noun = operation_id.rpartition(".")[0]
    ids = (f"{noun}.get", f"{noun}.update")
    routes = (one.routes.get("platform") for one in declared_operations() if one.id in ids)
    found = {route.placeholders[-1] for route in routes if route is not None and route.placeholders}
    return "key" if found == {"key"} else "id"
