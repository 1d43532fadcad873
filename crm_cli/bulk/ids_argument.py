"""Which argument of a command the ids of stdin are for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ..tree.parameters import Parameter


def ids_of(operation: Operation[..., Any], parameters: Iterable[Parameter]) -> Parameter | None:
    """Return the first argument where it is an id, or several, or the option with the ids of the noun's records."""
    if operation.kind in ("download", "stream"):
        return None
    known = list(parameters)
    first = next((one for one in known if one.place == "argument"), None)
    if first is not None:
        return first if first.name == "ids" or first.name.endswith(("_id", "_ids")) else None
    noun = operation.id.split(".")[-2].removesuffix("s")
    return next((one for one in known if one.many and one.name in ("ids", f"{noun}_ids")), None)
