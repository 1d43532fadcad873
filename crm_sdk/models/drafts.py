"""Drafts: the members of an input, valid or not, for calls that check them and report every fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, TypeAlias, cast

from ..wire import camel
from .marks import ReadAs

_FREE = frozenset({"custom_fields", "customFields", "lookup"})
"""The members whose keys the company chooses."""


def _wire_names(value: Any) -> Any:
    """Rename the members of a draft to camelCase, except those within free-form members."""
    if isinstance(value, Mapping):
        members = cast("Mapping[str, Any]", value)
        return {camel(str(name)): member if name in _FREE else _wire_names(member) for name, member in members.items()}
    return [_wire_names(item) for item in cast("Sequence[Any]", value)] if isinstance(value, (list, tuple)) else value


Draft: TypeAlias = Annotated[Mapping[str, object], ReadAs(dict[str, object], before=_wire_names)]
"""The members of an input, valid or not."""
