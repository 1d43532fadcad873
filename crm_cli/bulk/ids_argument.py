"""Which argument of a command the ids of stdin are for, and whether they are read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..failures import MisuseError
from ..plurals import singular

if TYPE_CHECKING:
    from crm_sdk.operation import Operation

    from ..tree.parameters import Parameter

STDIN = "-"
"""What stands for the ids of stdin."""


def ids_of(operation: Operation[..., Any], parameters: Iterable[Parameter]) -> Parameter | None:
    """Return the first argument where it is an id, or several, or the option with the ids of the noun's records."""
    if operation.kind in ("download", "stream"):
        return None
    known = list(parameters)
    first = next((one for one in known if one.place == "argument"), None)
    if first is not None:
        return first if first.name == "ids" or first.name.endswith(("_id", "_ids")) else None
    noun = singular(operation.id.split(".")[-2])
    return next((one for one in known if one.many and one.name in ("ids", f"{noun}_ids")), None)


def reads_ids(ids: Parameter, typed: Any, stdin: str | None, data: str | None, jobs: int | None) -> bool:
    """Return whether the ids are those of stdin. Raises: MisuseError for a word where only `-` can stand."""
    if stdin not in (None, STDIN):
        raise MisuseError(f"unexpected argument {stdin}: ids go to {ids.flag}, or {STDIN} reads them from stdin")
    reads = stdin == STDIN or typed in (STDIN, [STDIN])
    if reads and data in (STDIN, f"@{STDIN}"):
        raise MisuseError("stdin has the ids: --data cannot read it as well")
    if jobs is not None and not reads:
        raise MisuseError(f"--jobs is for the ids of stdin: type {STDIN} in place of the id")
    return reads
