"""Where a new record is found, for the header Location."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from crm_sdk.catalogue import declared_operations
from crm_sdk.models.record import record_types
from crm_sdk.models.runs import Run
from crm_sdk.operation import Operation
from crm_sdk.route import Route

_PLACE = re.compile(r"{(\w+)}")


def location_of(operation: Operation[..., Any], route: Route, path: str, record: Mapping[str, Any]) -> str:
    """Return the path of a record that a call has made: that of the calls for one record, which need not be its own."""
    steps, names = path.rstrip("/").split("/"), route.path.split("/")[1:]
    given = {name[1:-1]: step for name, step in zip(names, steps[-len(names) :], strict=True) if name[:1] == "{"}
    for template in _templates(operation.id, route.dialect.name):
        *before, last = _PLACE.findall(template)
        known = {name: given.get(name) or record.get(name) for name in before}
        if all(known.values()):
            own = record["key" if last == "key" else "id"]  # a feature flag is named by its key
            return "/".join(steps[: -len(names)]) + template.format(**known, **{last: own})
    return f"{path.rstrip('/')}/{record['id']}"


@lru_cache(maxsize=1024)
def _templates(operation_id: str, dialect: str) -> tuple[str, ...]:
    """Return the paths at which what a call has made may be, the likeliest first."""
    routed = {one.id: one for one in declared_operations() if dialect in one.routes}
    operation, noun = routed[operation_id], operation_id.rpartition(".")[0]
    own = operation.routes[dialect].path
    beneath = [path for one in routed.values() if _shape(path := one.routes[dialect].path) == f"{_shape(own)}/{{}}"]
    kinds = record_types(operation.arguments.returns)
    found = [
        one
        for one in routed.values()
        if _shape(one.routes[dialect].path).endswith("/{}") and set(kinds) & set(_about(routed, one))
    ]
    found.sort(key=lambda one: (one.id.rpartition(".")[0] != noun, len(one.routes[dialect].path)))
    paths = [one.routes[dialect].path for one in found]
    jobs = ["/jobs/{id}"] if dialect == "platform" and any(issubclass(kind, Run) for kind in kinds) else []
    return tuple(dict.fromkeys([*beneath, *paths, *jobs]))


def _about(routed: Mapping[str, Operation[..., Any]], one: Operation[..., Any]) -> tuple[Any, ...]:
    """Return the models of the record that a call is about; of one that deletes it, those of what was created."""
    create = routed.get(f"{one.id.rpartition('.')[0]}.create")
    returns = one.arguments.returns
    return record_types(returns if returns is not None or create is None else create.arguments.returns)


def _shape(path: str) -> str:
    return _PLACE.sub("{}", path)
