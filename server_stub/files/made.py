"""Files that rules make of records: what is in them, and who is refused it because some of it is hidden from them.

Such a file shows what its maker saw, and nobody can take a member out of it afterwards. So it notes which members it
has and what was hidden from its maker; whoever may not see more than the maker is refused its content.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..problems import Problem
from ..request.access.copies import kinds_of

if TYPE_CHECKING:
    from ..serving import Context

MADE_OF = "made_of"
"""The member of a file that says what it was made of; a file without it was uploaded."""
ANYTHING = ("*",)
"""What a file has that may have any member of any record."""


def made_of(call: Context, shows: Sequence[str], hidden: Iterable[str] | None = None) -> dict[str, Any]:
    """Return what a file notes: the entities (``contact``) or members (``contact.email``) in it, and what was left out.

    By default that is what is hidden from the caller; an archive of whole records has nothing left out.
    """
    left_out = call.caller.hidden if hidden is None else hidden
    return {MADE_OF: {"shows": list(shows), "hidden": sorted(left_out)}}


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
