"""What a file that a rule makes of records notes: what is in it, and what was hidden from its maker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

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
