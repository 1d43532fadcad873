"""Many records at once: files that are imported and exported, and commands that are carried out for each id of stdin.

An import goes through a journal, a SQLite file in the state folder: it is checked row by row by the server's preview
into the journal, and sent from the journal, chunk by chunk.
"""

from __future__ import annotations

from collections.abc import Mapping

ENTITIES: Mapping[str, str | None] = {
    "accounts": "account",
    "activities": "activity",
    "configuration.territories": "territory",
    "contacts": "contact",
    "deals": "deal",
    "leads": "lead",
    "objects": None,
}
"""The nouns whose records are imported from files and exported, with their entities; of `objects` it is typed."""
_DECLARED = frozenset({("contacts", "export")})
"""The commands of these names that a declaration makes."""


def names_of(noun: str) -> list[str]:
    """Return the names of the commands for many records of a noun at once."""
    return [name for name in ("import", "export") if noun in ENTITIES and (noun, name) not in _DECLARED]
