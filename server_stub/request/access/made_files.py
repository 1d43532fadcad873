"""Who is refused a file that a rule has made of records, because some of it is hidden from them.

Such a file shows what its maker saw, and nobody can take a member out of it afterwards: whoever may not see more than
the maker did is refused its content.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...files.made import ANYTHING, MADE_OF
from ...problems import Problem
from .copies import kinds_of

if TYPE_CHECKING:
    from ...serving import Context


def require_seen(call: Context, file: Mapping[str, Any]) -> None:
    """Raise 403 FORBIDDEN where a file has members of records that are hidden from the caller."""
    made: Mapping[str, Any] | None = file.get(MADE_OF)
    if made is None or not call.caller.hidden:
        return
    more = call.caller.hidden.difference(made["hidden"])
    if any(_has(entry, name) for entry in made["shows"] for name in more):
        message = f"{file['name']} has members of records that are hidden from you: make a file of your own"
        raise Problem("FORBIDDEN", message, details={"id": file["id"], "reason": "field_forbidden"})


def _has(shown: str, hidden: str) -> bool:
    """Return whether what a file has is, or has, a hidden member."""
    if shown in ANYTHING:
        return True
    entity, _, member = shown.partition(".")
    owner, _, name = hidden.partition(".")
    if owner not in kinds_of(entity) and entity not in kinds_of(owner):
        return False
    return not member or f"{member}.".startswith(f"{name}.") or f"{name}.".startswith(f"{member}.")
