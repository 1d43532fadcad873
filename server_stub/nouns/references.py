"""What the members of records refer to that hold ids, read off their names."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_TARGETS: Mapping[str, str] = {
    "converted_account": "account", "converted_contact": "contact", "converted_deal": "deal", "from_stage": "stage",
    "last_run": "report_run", "manager": "user", "object": "custom_object", "owner": "user", "series": "activity",
    "to_stage": "stage",
}  # fmt: skip
"""What members refer to whose names are not those of a kind of records."""
_NO_REFERENCES = frozenset({"message", "session", "thread", "event", "call"})
"""Members that are called as a kind of records is, and hold identifiers of other systems: the Message-ID of a mail."""
_OF_THEIR_OWN_KIND = frozenset({"parent", "merged", "duplicate"})
"""Members that hold ids of records of the same kind."""


def target_of(name: str, kind: str, refers: Mapping[str, str], is_kind: Callable[[str], bool]) -> str | None:
    """Return the type of the records whose id, or ids, a member holds: ``deal_id``; None where it holds none.

    `kind` is the type of the member's own record, `refers` what is known of its members, `is_kind` tells whether a word
    is the type of some records.
    """
    stem = name.rpartition(".")[2].removesuffix("_ids").removesuffix("_id")
    if not name.endswith(("_id", "_ids")):
        return refers.get(name)
    target = refers.get(name) or (kind if stem in _OF_THEIR_OWN_KIND else _TARGETS.get(stem))
    if target is None and is_kind(stem) and stem not in _NO_REFERENCES:
        target = stem
    return target
